-- (check, key) rows: a cell refused for a reason that nobody has put into words.
select 'refusal' as fault, r.refusal as fault_key
from (select distinct refusal from {{ ref('int_refusals') }}) as r
anti join {{ ref('cl_refusals') }} as c on c.refusal = r.refusal
union all
select 'without_remedy', refusal
from {{ ref('cl_refusals') }}
where name_zh is null or name_en is null or remedy_zh is null or remedy_en is null or kind not in ('refused', 'other_kind')
