select
    a.ref_area, a.area_code, a.name_zh, a.name_en, a.area_type, a.parent, p.name_zh as parent_name_zh, p.name_en as parent_name_en,
    a.valid_from, a.valid_to, a.additive, a.note,
    count(*) over (partition by a.area_code) > 1 and a.area_code is not null as code_reused
from {{ ref('cl_areas') }} as a
left join {{ ref('cl_areas') }} as p on p.ref_area = a.parent
