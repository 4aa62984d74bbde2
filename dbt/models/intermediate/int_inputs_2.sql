{{ config(materialized='view') }}
-- Inputs of the second level: those of the first, and its results where nobody prints them. A result that lost its value (a misprinted
-- denominator) stays an input, so that what stands on it has no value either on those days; one that never had any is none.
{% set columns = input_columns() %}
select {{ columns }} from {{ ref('int_inputs_1') }}
union all
select {{ columns }}
from {{ ref('int_formula_results_1') }} as d
anti join {{ ref('int_valueless') }} as v on v.series_id = d.series_id and v.period_key = d.period_key
where d.is_input
