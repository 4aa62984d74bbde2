-- Inputs of the first level of formulas: figures, their spans, and sums over groups where nobody prints them.
{% set columns = input_columns() %}
select {{ columns }} from {{ ref('int_inputs_0') }}
union all
select {{ columns }} from {{ ref('int_group_sums') }} as d
anti join {{ ref('int_inputs_0') }} as p on p.series_id = d.series_id and p.period_key = d.period_key
