-- Who answers for each target: the measures that, in our judgement, serve its indicator, and the bodies that the plans name for them.
-- A district's target is served by its own plan and by its city's; a city's never by a district's.
with linked as (
    select
        p.target_id, p.plan_id, p.ref_area, p.indicator, p.period_end, p.is_ruling, p.verdict, p.verdict_zh, p.verdict_en, p.status, p.is_off_course,
        l.plan_id as measure_plan_id, l.measure_no, l.reason as link_reason, l.author as link_author
    from {{ ref('target_progress') }} as p
    inner join {{ ref('plans') }} as o on o.plan_id = p.plan_id
    left join {{ ref('areas') }} as a on a.ref_area = o.ref_area
    left join (
        select m.*, q.ref_area as measure_area
        from {{ ref('indicator_measures') }} as m
        inner join {{ ref('plans') }} as q on q.plan_id = m.plan_id
    ) as l on l.indicator = p.indicator and l.measure_area in (o.ref_area, a.parent)
    where p.is_today
)

select
    i.theme, l.target_id, l.plan_id, l.ref_area, r.name_zh as area_name_zh, l.indicator, i.name_zh as indicator_name_zh, i.name_en as indicator_name_en,
    l.period_end, l.is_ruling, l.verdict, l.verdict_zh, l.verdict_en, l.status, l.is_off_course,
    l.measure_plan_id, l.measure_no, m.section, m.heading,
    case when l.measure_no is not null then 'ours' end as link_basis, l.link_reason, l.link_author,
    p.role, p.side, b.body_id, p.body_text, b.name_zh as body_name_zh, b.name_en as body_name_en, b.kind as body_kind,
    b.successor_zh, b.successor_en, b.relation_basis as successor_basis,
    case
        when l.measure_no is null then 'no_measure'
        when p.body_text is null then 'no_body_printed'
        when not bool_or(p.role = 'lead') over (partition by l.target_id, l.measure_plan_id, l.measure_no) then 'no_lead_printed'
        else 'lead_printed'
    end as lead_state
from linked as l
inner join {{ ref('indicators') }} as i using (indicator)
inner join {{ ref('areas') }} as r on r.ref_area = l.ref_area
left join {{ ref('plan_measures') }} as m on m.plan_id = l.measure_plan_id and m.measure_no = l.measure_no
left join {{ ref('plan_responsibilities') }} as p on p.plan_id = l.measure_plan_id and p.measure_no = l.measure_no
left join {{ ref('bodies') }} as b on b.body_id = p.body_id
