-- (fault, key) rows: a finding twice, a code that no list holds, a state without what it needs, a queue that skips a rank.
select 'doubled' as fault, finding_id as fault_key from {{ ref('findings') }} group by finding_id having count(*) > 1
union all
select 'severity', finding_id from {{ ref('findings') }} where severity is null or severity not in ('high', 'medium', 'low', 'info')
union all
select 'without words', finding_id from {{ ref('findings') }} where rule_id is null or message_zh is null or message_en is null
union all
select 'answer missing', finding_id from {{ ref('findings') }} where state in ('answered', 'returned', 'corrected') and answer is null
union all
select 'days', finding_id from {{ ref('findings') }} where first_seen is null or last_seen is null or first_seen > last_seen
union all
select 'lost', h.finding_id from {{ source('ledger', 'findings_history') }} as h anti join {{ ref('findings') }} as f on f.finding_id = h.finding_id
union all
select 'queue', count(*) || ' rows, last rank ' || coalesce(max(rank), 0) || ', waiting ' || any_value(waiting)
from {{ ref('review_queue') }},
    (select count(*) as waiting from {{ ref('findings') }} where state in ('open', 'returned') and severity <> 'info')
having count(*) <> coalesce(max(rank), 0) or (count(*) > 0 and count(*) <> any_value(waiting)) or count(*) <> count(distinct finding_id)
union all
select 'correction', correction_id from {{ ref('applied_corrections') }} group by correction_id, file, sheet, cell having count(*) > 1
