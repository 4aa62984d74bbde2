{# The one engine of derived figures: (Σ aᵢ·xᵢ) / (Σ bⱼ·xⱼ) × scale + offset for every vintage.

   formula_series  a row a term and result series: result_no, slot (1…), terms, denominators, side, link, in_series_id, factor,
                   scale, offset_value, out_series_id, formula_id
   inputs          vintages in force from valid_from until valid_to, one at a time per series and period
   slots           how many terms the longest formula has

   A result holds while all of its inputs hold: a row for each overlapping combination, from the latest of their starts. #}
{% macro combine(formula_series, inputs, slots) %}
{%- set value = 'i.obs_value * m.factor' -%}
{%- set low = '(case when m.factor >= 0 then i.lower else i.upper end) * m.factor' -%}
{%- set high = '(case when m.factor >= 0 then i.upper else i.lower end) * m.factor' -%}
slot_1 as (
    select
        m.result_no, l.out_period_key, m.terms, i.valid_from, i.valid_to,
        {{ value }} as num, {{ low }} as num_lo, {{ high }} as num_hi,
        0.0::double as den, 0.0::double as den_lo, 0.0::double as den_hi,
        i.census_basis as basis_min, i.census_basis as basis_max,
        i.marks, i.is_dated, i.known_after, i.recorded_at,
        [i.vintage_id] as inputs
    from {{ formula_series }} as m
    inner join {{ inputs }} as i on i.series_id = m.in_series_id
    inner join {{ ref('int_period_links') }} as l on l.link = m.link and l.in_period_key = i.period_key
    where m.slot = 1
),
{% for slot in range(2, slots + 1) %}
slot_{{ slot }} as (
    select
        p.result_no, p.out_period_key, p.terms,
        greatest(p.valid_from, i.valid_from) as valid_from, least(p.valid_to, i.valid_to) as valid_to,
        p.num + (case when m.side = 'numerator' then {{ value }} else 0 end) as num,
        p.num_lo + (case when m.side = 'numerator' then {{ low }} else 0 end) as num_lo,
        p.num_hi + (case when m.side = 'numerator' then {{ high }} else 0 end) as num_hi,
        p.den + (case when m.side = 'denominator' then {{ value }} else 0 end) as den,
        p.den_lo + (case when m.side = 'denominator' then {{ low }} else 0 end) as den_lo,
        p.den_hi + (case when m.side = 'denominator' then {{ high }} else 0 end) as den_hi,
        least(p.basis_min, i.census_basis) as basis_min,
        greatest(p.basis_max, i.census_basis) as basis_max,
        p.marks | i.marks as marks, p.is_dated and i.is_dated as is_dated,
        greatest(p.known_after, i.known_after) as known_after,
        greatest(p.recorded_at, i.recorded_at) as recorded_at,
        list_append(p.inputs, i.vintage_id) as inputs
    from slot_{{ slot - 1 }} as p
    inner join {{ formula_series }} as m on m.result_no = p.result_no and m.slot = {{ slot }}
    inner join {{ ref('int_period_links') }} as l on l.link = m.link and l.out_period_key = p.out_period_key
    inner join {{ inputs }} as i
        on i.series_id = m.in_series_id and i.period_key = l.in_period_key
        and i.valid_from < p.valid_to and i.valid_to > p.valid_from
    where p.terms >= {{ slot }}
),
{% endfor %}
complete as (
    {% for slot in range(1, slots + 1) %}
    select * from slot_{{ slot }} where terms = {{ slot }}
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

results as (
    select distinct on (result_no) result_no, formula_id, out_series_id, denominators, scale, offset_value
    from {{ formula_series }}
),

computed as (
    select
        r.formula_id, r.out_series_id as series_id, c.out_period_key as period_key, c.valid_from, c.valid_to,
        case
            when r.denominators = 0 then round(c.num * r.scale, 8) + r.offset_value
            when c.den > 0 then c.num / c.den * r.scale + r.offset_value
        end as obs_value,
        case
            when r.denominators = 0 then round(c.num_lo * r.scale, 8) + r.offset_value
            when c.den_lo > 0 then c.num_lo / (case when c.num_lo >= 0 then c.den_hi else c.den_lo end) * r.scale + r.offset_value
        end as lower,
        case
            when r.denominators = 0 then round(c.num_hi * r.scale, 8) + r.offset_value
            when c.den_lo > 0 then c.num_hi / (case when c.num_hi >= 0 then c.den_lo else c.den_hi end) * r.scale + r.offset_value
        end as upper,
        -- -2 mixed, -1 can't be told, else the round; null where no basis applies
        case
            when c.basis_min < 0 then c.basis_min
            when c.basis_min <> c.basis_max then -2
            else c.basis_min
        end as census_basis,
        c.marks, c.is_dated, c.known_after, c.recorded_at, c.inputs
    from complete as c
    inner join results as r on r.result_no = c.result_no
)

select
    hash(series_id, period_key, 'derived', formula_id, valid_from) as vintage_id,
    * replace (
        marks
        | (case when census_basis = -2 then {{ mark('mixed_basis') }} else 0 end)
        | (case when census_basis = -1 then {{ mark('basis_unknown') }} else 0 end) as marks
    )
from computed
{% endmacro %}

{# Columns of a formula's result that the next level reads as inputs. #}
{% macro input_columns() -%}
    vintage_id, series_id, period_key, valid_from, valid_to, obs_value, lower, upper, census_basis, marks, is_dated, known_after, recorded_at
{%- endmacro %}
