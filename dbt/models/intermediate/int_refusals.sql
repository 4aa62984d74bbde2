-- Every cell that gave no observation, and why; with as much of a key as it has.
select
    j.cell_no, j.part, j.source_id, j.publication_id, c.label_key, c.area_key, c.unit_key,
    j.ref_area, j.indicator, j.breakdown, j.currency_scope, j.transformation, j.prices, j.period_start, j.period_end,
    j.refusal,
    coalesce(r.kind, 'refused') as kind,
    coalesce(r.name_zh, j.refusal) as reason_zh,
    coalesce(r.name_en, j.refusal) as reason_en,
    r.remedy_zh, r.remedy_en
from {{ ref('int_cells_judged') }} as j
inner join {{ ref('stg_cells') }} as c on c.cell_no = j.cell_no
left join {{ ref('cl_refusals') }} as r on r.refusal = j.refusal
where j.refusal is not null
