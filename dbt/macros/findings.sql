{# What every rule gives: a row a figure that it flags, and its other answers counted. Only what is flagged keeps its particulars, so that a
   rule over a million figures leaves few rows. `tests` has rule_id, answer and the columns named below, a row a figure; what a rule lacks is NULL.
   A rule over all figures answers in numbers first and puts only those into `tests` that a cheap necessary condition leaves in doubt; the rest
   it gives as `counted` (rule_id, answer, figures). Rounded, so that a last bit does not bring an answered finding back.
   Answers: consistent; explained (out of bounds, but a known cause accounts for it); inconsistent; uninformative (the intervals are too
   wide, or there is too little to compare with); not_comparable (the keys don't match: another scope, basis or stage). #}
{% macro finding_columns() %}
    {{ return([
        ('series_id', 'ubigint'), ('period_key', 'bigint'), ('print_no', 'bigint'), ('cell_no', 'bigint'), ('partner', 'varchar'),
        ('publication_id', 'varchar'), ('vintage_no', 'integer'), ('judged_as', 'varchar'), ('observed', 'double'), ('expected', 'double'),
        ('lower', 'double'), ('upper', 'double'), ('score', 'double'), ('suggested', 'double'), ('detail', 'varchar'), ('values_seen', 'varchar'),
        ('ref_area', 'varchar'), ('indicator', 'varchar'), ('breakdown', 'varchar'), ('currency_scope', 'varchar'), ('transformation', 'varchar'),
        ('prices', 'varchar'), ('period_start', 'date'), ('period_end', 'date')]) }}
{% endmacro %}

{% macro flagged_and_counted(tests, counted=none) %}
select
    'flagged' as kind, rule_id, answer, 1::bigint as figures,
    {% for name, type in finding_columns() %}{{ 'round(' ~ name ~ ', 8)' if type == 'double' else name ~ '::' ~ type }} as {{ name }}{{ ',' if not loop.last }} {% endfor %}
from (select * from {{ tests }} union all by name select {% for name, type in finding_columns() %}null::{{ type }} as {{ name }}, {% endfor %} null as rule_id, null as answer where false) as named
where answer = 'inconsistent'
union all
select
    'counted', rule_id, answer, sum(figures)::bigint,
    {% for name, type in finding_columns() %}null::{{ type }}{{ ',' if not loop.last }} {% endfor %}
from (
    select rule_id, answer, 1 as figures from {{ tests }} where answer <> 'inconsistent'
    {%- if counted %}
    union all
    select rule_id, answer, figures from {{ counted }}
    {%- endif %}
) as passed
group by rule_id, answer
having sum(figures) > 0
{% endmacro %}

{# A threshold of a rule for the row's indicator, from the seed: the indicator's own row before the common one. #}
{% macro threshold(rule, parameter, indicator, column='value') -%}
    coalesce(
        (select any_value(t.{{ column }}) from {{ ref('rule_thresholds') }} as t where t.rule_id = '{{ rule }}' and t.parameter = '{{ parameter }}' and t.indicator = {{ indicator }}),
        (select any_value(t.{{ column }}) from {{ ref('rule_thresholds') }} as t where t.rule_id = '{{ rule }}' and t.parameter = '{{ parameter }}' and t.indicator = '*'))
{%- endmacro %}

{# Do two printed intervals meet? Ends belong to them; an open end meets everything on its side. #}
{% macro meet(a_lower, a_upper, b_lower, b_upper) -%}
    (coalesce({{ a_lower }} <= {{ b_upper }} + 1e-12 * abs({{ b_upper }}), true) and coalesce({{ b_lower }} <= {{ a_upper }} + 1e-12 * abs({{ a_upper }}), true))
{%- endmacro %}

{# The three answers of an interval test of what is printed against what the others imply: `verdict`, and besides, an interval open on one side
   still contradicts on its other. #}
{% macro interval_answer(a_lower, a_upper, b_lower, b_upper, value) -%}
    (case when not {{ meet(a_lower, a_upper, b_lower, b_upper) }} then 'inconsistent' else {{ verdict(value, a_lower, a_upper, b_lower, b_upper) }} end)
{%- endmacro %}

{# How far two intervals are apart, in units of the room that rounding leaves them: half of both widths. #}
{% macro apart(a_lower, a_upper, b_lower, b_upper) -%}
    (greatest({{ a_lower }} - {{ b_upper }}, {{ b_lower }} - {{ a_upper }}, 0) / nullif((({{ a_upper }} - {{ a_lower }}) + ({{ b_upper }} - {{ b_lower }})) / 2, 0))
{%- endmacro %}

{# In logarithms, what is far off: well short of a power of ten, which is 2.3. #}
{% macro far_off() -%}1.5{%- endmacro %}
