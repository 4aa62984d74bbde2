-- Printed figures, and the spans that can be had from them.
{% set columns = input_columns() %}
select {{ columns }} from {{ ref('int_inputs_base') }}
union all
select {{ columns }} from {{ ref('int_spans_derived') }} as d
anti join {{ ref('int_inputs_base') }} as p on p.series_id = d.series_id and p.period_key = d.period_key
union all
select {{ columns }} from {{ ref('int_tile_sums') }}
