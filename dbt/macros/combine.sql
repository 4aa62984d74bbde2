{# The one engine of derived figures: (Σ aᵢ·xᵢ) / (Σ bⱼ·xⱼ) × scale + offset for every vintage.

   formula_series  a row a term and result series: result_no, slot (1…, what counts above the line before what counts below), shape, link,
                   in_series_id, factor, scale, offset_value, out_series_id, formula_id
   inputs          vintages in force from valid_from until valid_to, one at a time per series and period
   shapes          which formulas there are: (3, 1) is '3_1', of three terms, one of them below the line
   had             only where the next level reads the results: the inputs before them; `is_input` says that a result's figure is not among those

   A result holds while all of its inputs hold: a row for each overlapping combination, from the latest of their starts. #}
{% macro combine(formula_series, inputs, shapes, had=none) %}
{#- One chain of joins for each shape, so that nothing is kept on the way and nothing is asked of a combination that its shape says already; the
    terms of a result stand side by side. -#}
{%- for terms, below in shapes -%}
{%- set shape = terms ~ '_' ~ below %}
-- `links` numbers the ways in which the terms are linked; whether a term raises what it counts in is told in a bit. A shape is one column: after two
-- conditions DuckDB expects so few results that it puts the millions of inputs into a hash table, and not the periods.
results_{{ shape }} as (
    select *, dense_rank() over (order by {% for slot in range(1, terms + 1) %}link_{{ slot }}{{ ', ' if not loop.last }}{% endfor %}) as links
    from (
        select
            result_no, formula_id, out_series_id, scale, offset_value
            {%- for slot in range(1, terms + 1) %},
            max(in_series_id) filter (where slot = {{ slot }}) as in_series_id_{{ slot }}, max(link) filter (where slot = {{ slot }}) as link_{{ slot }},
            max(factor) filter (where slot = {{ slot }}) as factor_{{ slot }}, bool_or(factor >= 0) filter (where slot = {{ slot }}) as is_rising_{{ slot }}
            {%- endfor %}
        from {{ formula_series }}
        where shape = '{{ shape }}'
        group by all
    )
),

{% for slot in range(2, terms + 1) -%}
inputs_{{ shape }}_{{ slot }} as (
    select * from {{ inputs }} where series_id in (select in_series_id_{{ slot }} from results_{{ shape }})
),

{% endfor -%}
-- By how the terms are linked and a period of the first input: the periods of the result and of the further inputs.
periods_{{ shape }} as (
    select
        {{ linked_period('k.links', 'l1.in_period_key') }} as linked_period,
        list({'result': l1.out_period_key{% for slot in range(2, terms + 1) %}, 'input_{{ slot }}': l{{ slot }}.in_period_key{% endfor %}}) as periods
    from (select distinct links{% for slot in range(1, terms + 1) %}, link_{{ slot }}{% endfor %} from results_{{ shape }}) as k
    {%- for slot in range(1, terms + 1) %}
    inner join {{ ref('int_period_links') }} as l{{ slot }} on l{{ slot }}.link = k.link_{{ slot }}{% if slot > 1 %} and l{{ slot }}.out_period_key = l1.out_period_key{% endif %}
    {%- endfor %}
    group by 1
),

-- The first input leads: it meets its results, which are few, then the periods of each, by one number that is had only once both are known.
-- What is unnested stands before any further join: a further vintage is looked up by series and period together, never by one of them, which
-- would pair all figures of a day or all days of a series.
led_{{ shape }} as (
    select
        i.*, r.* exclude (links{% for slot in range(1, terms + 1) %}, link_{{ slot }}{% endfor %}), unnest(p.periods) as period
    from {{ inputs }} as i
    inner join results_{{ shape }} as r on r.in_series_id_1 = i.series_id
    inner join periods_{{ shape }} as p on p.linked_period = {{ linked_period('r.links', 'i.period_key') }}
),

combined_{{ shape }} as (
    select
        i1.formula_id, i1.out_series_id as series_id, i1.period.result as period_key, i1.scale, i1.offset_value,
        {{ extreme('greatest', 'valid_from', terms) }} as valid_from, {{ extreme('least', 'valid_to', terms) }} as valid_to,
        {%- for part, first, last in [('num', 1, terms - below), ('den', terms - below + 1, terms)] if last >= first %}
        {%- for suffix, rising, falling in [('', 'obs_value', 'obs_value'), ('_lo', 'lower', 'upper'), ('_hi', 'upper', 'lower')] %}
        {% for slot in range(first, last + 1) %}{{ input_value(slot, rising, falling) }} * i1.factor_{{ slot }}{{ ' + ' if not loop.last }}{% endfor %} as {{ part }}{{ suffix }},
        {%- endfor %}
        {%- endfor %}
        {{ extreme('least', 'census_basis', terms) }} as basis_min, {{ extreme('greatest', 'census_basis', terms) }} as basis_max,
        {{ extreme('greatest', 'known_after', terms) }} as known_after, {{ extreme('greatest', 'recorded_at', terms) }} as recorded_at,
        {% for slot in range(1, terms + 1) %}i{{ slot }}.marks{{ ' | ' if not loop.last }}{% endfor %} as marks,
        {% for slot in range(1, terms + 1) %}i{{ slot }}.is_dated{{ ' and ' if not loop.last }}{% endfor %} as is_dated,
        [{% for slot in range(1, terms + 1) %}i{{ slot }}.vintage_id{{ ', ' if not loop.last }}{% endfor %}] as inputs
    from led_{{ shape }} as i1
    -- overlap is asked of all inputs so far at once: between two of them it would be a join of its own
    {%- for slot in range(2, terms + 1) %}
    inner join inputs_{{ shape }}_{{ slot }} as i{{ slot }}
        on i{{ slot }}.series_id = i1.in_series_id_{{ slot }} and i{{ slot }}.period_key = i1.period.input_{{ slot }}
        and i{{ slot }}.valid_from < {{ extreme('least', 'valid_to', slot - 1) }} and i{{ slot }}.valid_to > {{ extreme('greatest', 'valid_from', slot - 1) }}
    {%- endfor %}
),

{% endfor -%}
computed as (
    {% for terms, below in shapes -%}
    select
        formula_id, series_id, period_key, valid_from, valid_to,
        {% if below -%}
        case when den > 0 then num / den * scale + offset_value end as obs_value,
        case when den_lo > 0 then num_lo / (case when num_lo >= 0 then den_hi else den_lo end) * scale + offset_value end as lower,
        case when den_lo > 0 then num_hi / (case when num_hi >= 0 then den_lo else den_hi end) * scale + offset_value end as upper,
        {%- else -%}
        {% for column, part in [('obs_value', 'num'), ('lower', 'num_lo'), ('upper', 'num_hi')] -%}
        round({{ part }} * scale, 8) + offset_value as {{ column }},
        {%- endfor %}
        {%- endif %}
        -- -2 mixed, -1 can't be told, else the round; null where no basis applies
        case when basis_min < 0 then basis_min when basis_min <> basis_max then -2 else basis_min end as census_basis,
        marks, is_dated, known_after, recorded_at, inputs
    from combined_{{ terms }}_{{ below }}
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
)

select
    hash(c.series_id, c.period_key, 'derived', c.formula_id, c.valid_from) as vintage_id,
    c.* replace (
        c.marks
        | (case when c.census_basis = -2 then {{ mark('mixed_basis') }} else 0 end)
        | (case when c.census_basis = -1 then {{ mark('basis_unknown') }} else 0 end) as marks
    )
    {%- if had %}, h.series_id is null as is_input{% endif %}
from computed as c
{% if had %}{{ had_before('c', had, 'select out_series_id from ' ~ formula_series) }}{% endif %}
{% endmacro %}

{# The shapes of formulas of up to so many terms, the first of which is always above the line. #}
{% macro shapes_up_to(longest) %}
{%- set shapes = [] -%}
{%- for terms in range(1, longest + 1) -%}{%- for below in range(terms) -%}{%- do shapes.append((terms, below)) -%}{%- endfor -%}{%- endfor -%}
{{ return(shapes) }}
{% endmacro %}

{# The least or greatest of a column of all inputs of a result. #}
{% macro extreme(pick, column, terms) -%}
    {{ pick }}({% for slot in range(1, terms + 1) %}i{{ slot }}.{{ column }}{{ ', ' if not loop.last }}{% endfor %})
{%- endmacro %}

{# Which of the results are figures that are had already: asked once, where a result is made, so that the inputs of a level are a plain
   union and no table of their own. #}
{% macro had_before(results, had, out_series) -%}
    left join (select distinct series_id, period_key from {{ had }} where series_id in ({{ out_series }})) as h
        on h.series_id = {{ results }}.series_id and h.period_key = {{ results }}.period_key
{%- endmacro %}

{# Columns of a formula's result that the next level reads as inputs. #}
{% macro input_columns() -%}
    vintage_id, series_id, period_key, valid_from, valid_to, obs_value, lower, upper, census_basis, marks, is_dated, known_after, recorded_at
{%- endmacro %}

{# What an input gives to a sum: its lower bound to the lower one of a term that raises it, its upper bound to that of one that lowers it. #}
{% macro input_value(slot, rising, falling) -%}
    {% if rising == falling %}i{{ slot }}.{{ rising }}{% else %}(case when i1.is_rising_{{ slot }} then i{{ slot }}.{{ rising }} else i{{ slot }}.{{ falling }} end){% endif %}
{%- endmacro %}

{# A period of the first term, among terms that are linked so: exact, in one integer, since a period's key has at most ten digits. #}
{% macro linked_period(links, period_key) -%}(({{ links }}) * 100000000000 + ({{ period_key }})){%- endmacro %}
