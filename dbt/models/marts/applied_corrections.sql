-- Each correction as it is applied, a row a cell: what the source prints, what is read instead, and the figure that comes of it. The ledger keeps the print.
with figures as (
    select
        publication_id, reference, cell, coalesce(sheet, '') as sheet, min(vintage_id) as vintage_id, min(obs_value) as obs_value,
        any_value(indicator order by indicator) as indicator, any_value(ref_area order by indicator) as ref_area, max(period_end) as period_end
    from {{ ref('printed_cells') }}
    where list_contains(string_split(marks, ', '), 'corrected')
    group by all
),

answered as (
    select correction_id, string_agg(distinct finding_id, ', ' order by finding_id) as finding_ids
    from {{ ref('acknowledgements') }} where correction_id is not null
    group by correction_id
)

select
    k.correction_id, k.field, k.publication_id, k.reference, c.file, c.sheet, c.cell,
    case k.field
        when 'unit_text' then c.unit_text when 'period_text' then c.period_text when 'label' then c.indicator_text when 'area' then c.area_text
        else c.value_text end as printed_text,
    k.value as corrected_text,
    {{ scaled('c.mantissa', 'c.scale_mult - c.decimals') }} as printed_value,
    case when v.correction_ids is null then {{ scaled('c.mantissa', 'c.scale_mult - c.decimals') }}
        else {{ scaled('v.mantissa', 'v.scale_mult - v.decimals') }} end as corrected_value,
    f.vintage_id, f.indicator, f.ref_area, f.period_end, f.obs_value,
    a.finding_ids, k.reason, k.author, k.decided_on
from {{ ref('corrections') }} as k
left join {{ source('ledger', 'cells') }} as c
    on c.publication_id = k.publication_id and c.reference_text = k.reference
    and c.transformation = case when k.field = 'growth_text' then 'G1Y' else 'N' end
left join {{ source('ledger', 'value_corrections') }} as v
    on v.publication_id = k.publication_id and v.reference = k.reference and k.field in ('value_text', 'growth_text')
    and v.transformation = case when k.field = 'growth_text' then 'G1Y' else 'N' end
left join figures as f
    on f.publication_id = c.publication_id and f.reference = c.reference_text and f.cell = c.cell and f.sheet = coalesce(c.sheet, '')
left join answered as a on a.correction_id = k.correction_id
