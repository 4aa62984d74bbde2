{{ config(materialized='view') }}
-- Inputs of the first level of formulas: figures, their spans, and sums over groups where nobody prints them.
{% set columns = input_columns() %}
select {{ columns }} from {{ ref('int_inputs_0') }}
union all
select {{ columns }} from {{ ref('int_group_sums') }} where is_input
