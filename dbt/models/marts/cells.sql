-- Every cell that was read, word for word, at its address; corrections don't touch it. `printed_cells` says what became of the figures in it.
select
    cell_no::bigint as cell_no, publication_id, file, sheet, cell, reference, value_text, label_text, part_of, area_text, unit_text, period_text
from {{ ref('stg_cells') }}
