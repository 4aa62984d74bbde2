-- (check, key) rows: a rank among more than there are, or a figure ranked that readers are not told to quote.
select 'rank' as fault, concat_ws('/', group_id, series_id, period_key) as fault_key
from {{ ref('ranks') }}
where not (rank between 1 and ranked and ranked <= members)
union all
select 'ranked_twice', concat_ws('/', group_id, series_id, period_key)
from {{ ref('ranks') }}
group by group_id, series_id, period_key
having count(*) > 1
