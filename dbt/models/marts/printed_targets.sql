-- Targets as tables of plans print them: never observations. The wording gives the comparator, the code list says which.
with wordings as (
    select comparator, unnest(string_split(name_zh, '、')) as wording from {{ ref('cl_target_operators') }}
),

printed as (
    select
        j.source_id, c.publication_id, c.file, c.sheet, c.cell, c.label_text, j.indicator, j.breakdown, j.currency_scope, j.transformation,
        c.area_text, j.ref_area, c.value_text, c.unit_text, c.period_text, s.period_start, j.printed_period_end as period_end, c.note_text, j.qualifier,
        j.fault,
        case when j.mantissa is not null and j.fault is null then {{ scaled('j.mantissa', 'j.exponent') }} end as target_value,
        first(w.comparator order by length(w.wording) desc) as worded
    from {{ ref('int_cells_judged') }} as j
    inner join {{ ref('stg_cells') }} as s on s.cell_no = j.cell_no
    inner join {{ ref('cells') }} as c on c.cell_no = j.cell_no
    left join wordings as w on contains(c.value_text, w.wording)
    where j.refusal = 'other_kind' and s.kind_text = 'target'
    group by all
)

select
    p.source_id, p.publication_id, p.file, p.sheet, p.cell, p.label_text, p.indicator, p.breakdown, p.currency_scope, p.transformation,
    p.area_text, p.ref_area, coalesce(p.worded, 'reach') as comparator, p.value_text, p.target_value, p.unit_text,
    i.unit_measure, i.unit_mult, p.period_text, p.period_start, p.period_end, p.qualifier, nullif(p.note_text, '') as note,
    r.name_zh as fault_zh, r.name_en as fault_en
from printed as p
left join {{ ref('cl_indicators') }} as i using (indicator)
left join {{ ref('cl_refusals') }} as r on r.refusal = p.fault
