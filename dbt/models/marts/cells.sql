-- Every cell that was read, word for word, at its address; corrections don't touch it. `printed_cells` says what became of the figures in it.
select
    cell_no::bigint as cell_no, publication_id, file, sheet, cell, reference_text as reference, value_text, indicator_text as label_text,
    nullif(parent_text, '') as part_of, area_text, unit_text, period_text, note_text
from {{ source('ledger', 'cells') }}
