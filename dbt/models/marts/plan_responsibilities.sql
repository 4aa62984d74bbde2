select r.plan_id, r.measure_no, r.body_text, r.role, r.side, n.body_id
from {{ ref('responsibilities') }} as r
left join {{ ref('body_names') }} as n using (body_text)
