{{ config(materialized='view') }}
-- Printed figures, and the spans that can be had from them where nobody prints them.
{% set columns = input_columns() %}
select {{ columns }} from {{ ref('int_inputs_base') }}
union all
select {{ columns }} from {{ ref('int_spans_derived') }} where is_input
union all
select {{ columns }} from {{ ref('int_tile_sums') }}
