-- The dictionary of series, with the unit that each one's figures are in.
select
    s.series_id, s.ref_area, a.area_code, s.indicator, s.breakdown, s.currency_scope, s.transformation, s.prices,
    case
        when s.transformation = 'G1Y' then 'PC'
        when s.transformation in ('DYS', 'D1Y') and u.dimension = 'share' then 'PP'
        else i.unit_measure
    end as unit_measure,
    case when s.transformation = 'G1Y' then 0 else i.unit_mult end::integer as unit_mult
from {{ ref('int_series_all') }} as s
inner join {{ ref('cl_areas') }} as a on a.ref_area = s.ref_area
inner join {{ ref('cl_indicators') }} as i on i.indicator = s.indicator
inner join {{ ref('cl_unit_measures') }} as u on u.unit_measure = i.unit_measure
