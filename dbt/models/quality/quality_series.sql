-- Printed series with what the rules ask of their indicator. `group_key` is the key without the area: what areas are compared within.
select
    s.series_id, s.ref_area, s.indicator, s.breakdown, s.currency_scope, s.transformation, s.prices,
    hash(s.indicator, s.breakdown, s.currency_scope, s.transformation, s.prices) as group_key,
    i.kind, i.span, i.parent as whole_indicator, i.lower_limit, i.upper_limit, i.census_revised, i.unit_measure, i.unit_mult,
    a.parent as parent_area,
    s.transformation = 'N' as is_level
from {{ ref('int_series') }} as s
inner join {{ ref('cl_indicators') }} as i using (indicator)
inner join {{ ref('cl_areas') }} as a using (ref_area)
