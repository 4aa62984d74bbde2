-- What waits for a person, in the order in which it matters: what moves a published total or a target most, then severity, then score.
with waiting as (
    select
        f.*,
        case f.severity when 'high' then 1 when 'medium' then 2 else 3 end as severity_order
    from {{ ref('findings') }} as f
    where f.state in ('open', 'returned') and f.severity <> 'info'
),

-- the printed cell, accepted or refused
cells as (
    select c.publication_id, c.file, coalesce(c.sheet, '') as sheet, c.cell, c.reference, c.area_text, c.label_text, c.value_text, c.unit_text,
        c.period_text,
        -- a cell without a reference can't be named in the seed corrections
        case when c.reference <> '' then v.value_field end as value_field
    from {{ ref('cells') }} as c
    semi join waiting as w on w.file = c.file and w.cell = c.cell
    inner join {{ ref('stg_value_fields') }} as v on v.cell_no = c.cell_no
    qualify row_number() over (partition by c.publication_id, c.file, coalesce(c.sheet, ''), c.cell order by c.cell_no) = 1
)

select
    (row_number() over (order by w.impact desc nulls last, w.severity_order, abs(w.score) desc nulls last, w.level, w.finding_id))::integer as rank,
    w.finding_id, w.rule_id, w.level, w.severity, w.state,
    concat_ws('；',
        case when w.impact is not null then '对已发布合计或目标的影响 ' || round(w.impact, 4) else '不牵动已发布合计或目标' end,
        '严重程度' || case w.severity when 'high' then '高' when 'medium' then '中' else '低' end,
        case w.returned_because when 'values_changed' then '答复后数值已变' when 'term_ended' then '所定期限已过' when 'still_there' then '更正后仍在' end) as why_zh,
    concat_ws('; ',
        case when w.impact is not null then 'moves a published total or target by ' || round(w.impact, 4) else 'moves no published total or target' end,
        'severity ' || w.severity,
        case w.returned_because when 'values_changed' then 'its values changed since it was answered' when 'term_ended' then 'its term has ended'
            when 'still_there' then 'still there after the correction' end) as why_en,
    w.returned_because, w.answer as last_answer, w.reason as last_reason, w.answered_by, w.answered_on, w.first_seen,
    w.ref_area, w.indicator, w.breakdown, w.currency_scope, w.transformation, w.prices, w.origin, w.freq, w.time_period, w.coverage,
    w.period_start, w.period_end, w.publication_id, w.file, w.sheet, w.cell, c.reference, c.value_field, c.area_text, c.label_text, c.value_text,
    c.unit_text, c.period_text, w.observed, w.expected, w.lower, w.upper, w.score, w.impact, w.values_seen, w.message_zh, w.message_en, w.suggestion_zh, w.suggestion_en
from waiting as w
left join cells as c
    on c.publication_id = w.publication_id and c.file = w.file and c.sheet = coalesce(w.sheet, '') and c.cell = w.cell
