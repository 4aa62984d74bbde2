-- (check, key) rows: a rank among more than there are, or a figure ranked that readers are not told to quote.
select 'rank' as fault, concat_ws('/', group_id, ref_area, indicator, time_period, coverage) as fault_key
from {{ ref('rankings') }}
where not (rank between 1 and ranked and ranked <= members)
union all
select 'ranked_twice', concat_ws('/', group_id, ref_area, indicator, time_period, coverage)
from {{ ref('rankings') }}
where coverage <> 'span'
group by group_id, ref_area, indicator, breakdown, currency_scope, transformation, prices, freq, time_period, coverage, period_end
having count(*) > 1
