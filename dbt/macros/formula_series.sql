{# The registry's formulas of one level × areas: in_series_id and out_series_id are computed from the keys that the terms name.
   Only results whose every input series exists are kept. #}
{% macro formula_series(level, inputs) %}
with terms as (
    select
        f.formula_id, f.scale, f.offset_value,
        a.ref_area,
        {{ series_id('a.ref_area', 'f.indicator', 'f.breakdown', 'f.currency_scope', 'f.transformation', 'f.prices') }} as out_series_id,
        {{ series_id("case when t.area_scope = 'parent' then a.parent else a.ref_area end",
                     't.indicator', 't.breakdown', 't.currency_scope', 't.transformation', 't.prices') }} as in_series_id,
        -- numerators first
        row_number() over (partition by f.formula_id, a.ref_area order by t.side desc, t.term) as slot,
        count(*) over (partition by f.formula_id, a.ref_area) as terms,
        count(*) filter (where t.side = 'denominator') over (partition by f.formula_id, a.ref_area) as denominators,
        -- the first term says which periods the result has: its own, or calendar years only
        case when t.term = 1 and t.span = 'year' then 'calendar_year'
            else t.span || (case when t.lag > 0 then '_' || t.lag else '' end) end as link,
        t.coefficient,
        i.unit_mult as in_mult,
        o.unit_mult as out_mult
    from {{ ref('formulas') }} as f
    inner join {{ ref('formula_terms') }} as t using (formula_id)
    inner join {{ ref('cl_indicators') }} as o on o.indicator = f.indicator
    inner join {{ ref('cl_indicators') }} as i on i.indicator = t.indicator
    cross join {{ ref('cl_areas') }} as a
    where f.level = {{ level }} and t.area_scope in ('self', 'parent')
        and f.formula_id not in (select formula_id from {{ ref('formula_terms') }} where area_scope like 'group:%')
),

known as (
    select distinct series_id from {{ inputs }}
),

present as (
    select t.* from terms as t
    semi join known as k on k.series_id = t.in_series_id
    where t.in_series_id is not null
    qualify count(*) over (partition by t.formula_id, t.ref_area) = t.terms
)

select
    hash(formula_id, ref_area) as result_no,
    formula_id, slot, terms || '_' || denominators as shape, link, in_series_id,
    -- sums stay in the result's own unit, so that they are exact; ratios are taken in base units
    (coefficient * pow(10.0, case when denominators = 0 then in_mult - out_mult else in_mult end))::double as factor,
    (scale * (case when denominators = 0 then 1 else pow(10.0, -out_mult) end))::double as scale,
    offset_value::double as offset_value,
    out_series_id,
    ref_area
from present
{% endmacro %}
