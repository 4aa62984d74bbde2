{{ config(materialized='view') }}
-- From a vintage to what it was computed from, or to the cells that print it.
select
    vintage_id, 'input' as kind, unnest(inputs) as input_vintage_id, generate_subscripts(inputs, 1)::integer as position, formula_id,
    null::varchar as relation, null::varchar as publication_id, null::varchar as file, null::varchar as sheet,
    null::varchar as cell, null::varchar as reference, null::varchar as value_text
from {{ ref('observation_vintages').include(database=false) }}
where inputs is not null
union all
select
    vintage_id, 'cell', null, null, null, relation, publication_id, file, sheet, cell, reference, value_text
from {{ ref('printed_cells').include(database=false) }}
where vintage_id is not null
union all
select
    coarse_vintage_id, 'cell', null, null, null, 'represents', publication_id, file, sheet, cell, reference, value_text
from {{ ref('printed_cells').include(database=false) }}
where coarse_vintage_id is not null
