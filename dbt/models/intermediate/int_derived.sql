{{ config(materialized='view') }}
-- Every derived vintage, whichever way it was had.
{% set columns = 'formula_id, ' ~ input_columns() ~ ', inputs' %}
select {{ columns }} from {{ ref('int_spans_derived') }}
union all
select {{ columns }} from {{ ref('int_tile_sums') }}
union all
select {{ columns }} from {{ ref('int_group_sums') }}
union all
select {{ columns }} from {{ ref('int_formula_results_1') }}
union all
select {{ columns }} from {{ ref('int_formula_results_2') }}
union all
select {{ columns }} from {{ ref('int_growth') }}
