select
    g.group_id, g.name_zh, g.name_en, g.total_area, g.complete, m.ref_area, a.name_zh as area_name_zh, a.name_en as area_name_en,
    m.valid_from, m.valid_to, g.note,
    (dense_rank() over (order by g.group_id))::integer as group_no
from {{ ref('cl_area_groups') }} as g
inner join {{ ref('cl_area_group_members') }} as m using (group_id)
inner join {{ ref('cl_areas') }} as a using (ref_area)
