{{ config(materialized='view') }}
-- What was parsed of every ledger cell, with corrections and retractions laid over it. The ledger itself is never touched; what a cell says
-- word for word, and where, is in `cells`. A view: the ledger's files hold each distinct text once, a table would spell it out a row, and only
-- `int_cells_judged` reads more than a few columns.
select
    c.cell_no,
    c.source_id,
    c.publication_id,
    c.kind_text,
    c.stage_text,
    c.hidden,
    c.transformation,
    coalesce(k.area_key, c.area_key) as area_key,
    coalesce(k.label_key, c.label_key) as label_key,
    coalesce(k.unit_key, c.unit_key) as unit_key,
    coalesce(k.unit_key, nullif(c.base_unit_key, ''), c.unit_key) as base_unit_key,
    case when v.correction_ids is null then c.number_status else v.number_status end as number_status,
    case when v.correction_ids is null then c.number_reason else v.number_reason end as number_reason,
    case when v.correction_ids is null then c.mantissa else v.mantissa end as mantissa,
    case when v.correction_ids is null then c.decimals else v.decimals end as decimals,
    case when v.correction_ids is null then c.scale_mult else v.scale_mult end as scale_mult,
    case when v.correction_ids is null then c.qualifier else v.qualifier end as qualifier,
    case when v.correction_ids is null then c.unit_in_text else v.unit_in_text end as unit_in_text,
    case when v.correction_ids is null then c.granularity else v.granularity end as granularity,
    case when v.correction_ids is null then c.last_place else v.last_place end as last_place,
    c.parts,
    case when k.period_status is null then c.period_status else k.period_status end as period_status,
    case when k.period_status is null then c.period_reason else k.period_reason end as period_reason,
    case when k.period_status is null then c.form else k.form end as period_form,
    case when k.period_status is null then c.period_start else k.period_start end as period_start,
    case when k.period_status is null then c.period_end else k.period_end end as period_end,
    coalesce(c.inferred, false) as period_inferred,
    c.precision_of_column,
    concat_ws(',', k.correction_ids, v.correction_ids) as correction_ids,
    r.retraction_id is not null as is_retracted
from {{ source('ledger', 'cells') }} as c
left join {{ source('ledger', 'label_corrections') }} as k
    on k.publication_id = c.publication_id and k.reference = c.reference_text
left join {{ source('ledger', 'value_corrections') }} as v
    on v.publication_id = c.publication_id and v.reference = c.reference_text and v.transformation = c.transformation
left join {{ ref('retractions') }} as r on r.publication_id = c.publication_id and r.reference = c.reference_text
