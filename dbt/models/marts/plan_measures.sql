select m.plan_id, p.title_zh as plan_title_zh, m.measure_no, m.section_no, m.section, m.heading_no, m.heading
from {{ ref('measures') }} as m
left join {{ ref('plans') }} as p using (plan_id)
