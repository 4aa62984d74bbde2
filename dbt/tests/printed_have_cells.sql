-- (check, key) rows: a printed figure that no cell prints. A coarse print shown before the exact one shares its vintage's cells,
-- so it is looked for by publication, key and value.
select 'no_cell' as fault, v.vintage_id::varchar as fault_key
from {{ ref('observation_vintages') }} as v
anti join {{ ref('printed_cells') }} as c on c.vintage_id = v.vintage_id
where v.origin = 'printed' and v.marks not like '%coarse%'
union all
select 'value_not_printed_there', v.vintage_id::varchar
from {{ ref('observation_vintages') }} as v
anti join {{ ref('printed_cells') }} as c
    on c.publication_id = v.publication_id and c.ref_area = v.ref_area and c.indicator = v.indicator and c.breakdown = v.breakdown
    and c.currency_scope = v.currency_scope and c.transformation = v.transformation and c.prices = v.prices
    and c.period_start is not distinct from v.period_start and c.period_end = v.period_end and c.obs_value = v.obs_value
where v.origin = 'printed'
union all
select 'vintage_unknown', c.file || '!' || coalesce(c.cell, '')
from {{ ref('printed_cells') }} as c
anti join {{ ref('observation_vintages') }} as v on v.vintage_id = c.vintage_id
where c.vintage_id is not null
union all
-- a responsible publisher's print always enters a vintage, unless it is so coarse that it fits several
select 'official_in_no_vintage', c.file || '!' || coalesce(c.cell, '')
from {{ ref('printed_cells') }} as c
where c.is_official and c.vintage_id is null and c.relation <> 'ambiguous'
