-- Figures of the first level of formulas that never had a value: no inputs of anything. A table, because every chain that reads `int_inputs_2` asks.
select r.series_id, r.period_key
from {{ ref('int_formula_results_1') }} as r
semi join (select series_id, period_key from {{ ref('int_formula_results_1') }} where obs_value is null) as n
    on n.series_id = r.series_id and n.period_key = r.period_key
group by r.series_id, r.period_key
having count(r.obs_value) = 0
