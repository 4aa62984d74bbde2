-- What gave no observation: cells, each with its address, and whole files that could not be read.
select
    r.kind, r.refusal, r.reason_zh, r.reason_en, r.remedy_zh, r.remedy_en, r.source_id, r.publication_id, c.file, c.sheet, c.cell,
    c.reference, c.area_text, c.label_text, c.value_text, c.unit_text, c.period_text
from {{ ref('int_refusals') }} as r
inner join {{ ref('cells') }} as c on c.cell_no = r.cell_no
union all
select
    'file', 'file_' || f.code, f.message, f.message, null, null, f.source_id, f.publication_id, f.file, null, null,
    null, null, null, null, null, null
from {{ source('ledger', 'files') }} as f
where f.status = 'refused'
