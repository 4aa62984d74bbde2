-- The dictionary of every series, printed or derived.
with named as (
    select series_id, ref_area, indicator, breakdown, currency_scope, transformation, prices from {{ ref('int_series') }}
    union
    select
        r.out_series_id, r.ref_area, f.indicator, f.breakdown, f.currency_scope, f.transformation, f.prices
    from (
        select distinct formula_id, out_series_id, ref_area from {{ ref('int_formula_series_1') }}
        union
        select distinct formula_id, out_series_id, ref_area from {{ ref('int_formula_series_2') }}
    ) as r
    inner join {{ ref('formulas') }} as f using (formula_id)
    union
    select
        {{ series_id('g.total_area', 't.indicator', 't.breakdown', 't.currency_scope', 't.transformation', 't.prices') }},
        g.total_area, t.indicator, t.breakdown, t.currency_scope, t.transformation, t.prices
    from {{ ref('formula_terms') }} as t
    inner join {{ ref('cl_area_groups') }} as g on 'group:' || g.group_id = t.area_scope
    union
    select
        {{ series_id('s.ref_area', 's.indicator', 's.breakdown', 'a.to_value', 's.transformation', 's.prices') }},
        s.ref_area, s.indicator, s.breakdown, a.to_value, s.transformation, s.prices
    from {{ ref('int_series') }} as s
    inner join {{ ref('assumptions') }} as a
        on a.kind = 'scope' and a.indicator = s.indicator and a.from_value = s.currency_scope and a.ref_area in ('*', s.ref_area)
),

levels as (
    select
        n.*,
        case when n.transformation = 'N' and i.growth_computed
            then {{ series_id('n.ref_area', 'n.indicator', 'n.breakdown', 'n.currency_scope', "'G1Y'", 'n.prices') }} end as growth_series_id
    from named as n
    inner join {{ ref('cl_indicators') }} as i using (indicator)
)

select * from levels
union all
-- computed growth is a series like any other; where somebody prints it on the same prices, it is the same one
select l.growth_series_id, l.ref_area, l.indicator, l.breakdown, l.currency_scope, 'G1Y', l.prices, null
from levels as l
anti join levels as printed on printed.series_id = l.growth_series_id
where l.growth_series_id is not null
