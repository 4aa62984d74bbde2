{# Sums over sets of members, for every vintage: a sum stands only while every member is known; a set with a gap gives nothing, not
   a smaller number. `members` has formula_id, out_series_id, out_period_key, member, member_period_key; `inputs` the vintages;
   `had` as for `combine`. #}
{% macro sum_of_members(members, inputs, had=none) %}
vintages as (
    select m.formula_id, m.out_series_id, m.out_period_key, i.* exclude (series_id, period_key)
    from {{ members }} as m
    inner join {{ inputs }} as i on i.series_id = m.member and i.period_key = m.member_period_key
),

sizes as (
    select formula_id, out_series_id, out_period_key, count(*) as size
    from {{ members }}
    group by all
),

changes as (
    select distinct formula_id, out_series_id, out_period_key, valid_from from vintages
),

states as (
    select
        c.formula_id, c.out_series_id as series_id, c.out_period_key as period_key, c.valid_from,
        sum(v.obs_value::decimal(38, 8))::double as obs_value,
        case when count(v.lower) = count(*) then sum(v.lower::decimal(38, 8))::double end as lower,
        case when count(v.upper) = count(*) then sum(v.upper::decimal(38, 8))::double end as upper,
        min(v.census_basis) as basis_min, max(v.census_basis) as basis_max,
        bit_or(v.marks) as marks, bool_and(v.is_dated) as is_dated, max(v.known_after) as known_after,
        max(v.recorded_at) as recorded_at, list(v.vintage_id order by v.vintage_id) as inputs, count(*) as known
    from changes as c
    inner join vintages as v
        on v.formula_id = c.formula_id and v.out_series_id = c.out_series_id and v.out_period_key = c.out_period_key
        and v.valid_from <= c.valid_from and v.valid_to > c.valid_from
    group by all
),

complete as (
    select
        s.* exclude (known, basis_min, basis_max, marks),
        case when basis_min < 0 then basis_min when basis_min <> basis_max then -2 else basis_min end as census_basis,
        marks
        | (case when basis_min >= 0 and basis_min <> basis_max then {{ mark('mixed_basis') }} else 0 end) as marks
    from states as s
    inner join sizes as z
        on z.formula_id = s.formula_id and z.out_series_id = s.series_id and z.out_period_key = s.period_key and z.size = s.known
)

select
    hash(c.series_id, c.period_key, 'derived', c.formula_id, c.valid_from) as vintage_id,
    c.formula_id, c.series_id, c.period_key, c.valid_from,
    lead(c.valid_from, 1, {{ forever() }}) over (partition by c.formula_id, c.series_id, c.period_key order by c.valid_from) as valid_to,
    c.obs_value, c.lower, c.upper, c.census_basis, c.marks, c.is_dated, c.known_after, c.recorded_at, c.inputs
    {%- if had %}, h.series_id is null as is_input{% endif %}
from complete as c
{% if had %}{{ had_before('c', had, 'select out_series_id from ' ~ members) }}{% endif %}
{% endmacro %}
