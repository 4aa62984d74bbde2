-- Inputs of the second level: those of the first, and its results where nobody prints them.
select * from {{ ref('int_inputs_1') }}
union all
select {{ input_columns() }}
from {{ ref('int_formula_results_1') }} as d
anti join {{ ref('int_inputs_1') }} as p on p.series_id = d.series_id and p.period_key = d.period_key
where d.obs_value is not null
