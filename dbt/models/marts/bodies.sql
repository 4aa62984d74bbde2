-- Bodies that carry measures, under one id whatever a document calls them, and what became of them.
with printed as (
    select n.body_id, string_agg(distinct r.body_text, '、' order by r.body_text) as printed_names,
        count(*) filter (where r.role = 'lead')::integer as leads, count(*) filter (where r.role <> 'lead')::integer as responsibilities
    from {{ ref('responsibilities') }} as r
    inner join {{ ref('body_names') }} as n using (body_text)
    group by n.body_id
)

select
    b.body_id, b.name_zh, b.name_en, b.kind, b.side, p.printed_names, coalesce(p.leads, 0) as leads, coalesce(p.responsibilities, 0) as responsibilities,
    l.to_body as successor_id, s.name_zh as successor_zh, s.name_en as successor_en, l.relation, l.effective_on, l.source as relation_source,
    l.basis as relation_basis, coalesce(l.note, b.note) as note
from {{ ref('plan_body_list') }} as b
left join printed as p using (body_id)
left join {{ ref('body_links') }} as l on l.from_body = b.body_id
left join {{ ref('plan_body_list') }} as s on s.body_id = l.to_body
