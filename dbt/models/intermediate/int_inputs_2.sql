-- Inputs of the second level: those of the first, and its results where nobody prints them. A result that lost its value (a misprinted
-- denominator) stays an input, so that what stands on it has no value either on those days; one that never had any is none.
select * from {{ ref('int_inputs_1') }}
union all
select {{ input_columns() }}
from {{ ref('int_formula_results_1') }} as d
semi join (select distinct series_id, period_key from {{ ref('int_formula_results_1') }} where obs_value is not null) as v
    on v.series_id = d.series_id and v.period_key = d.period_key
anti join {{ ref('int_inputs_1') }} as p on p.series_id = d.series_id and p.period_key = d.period_key
