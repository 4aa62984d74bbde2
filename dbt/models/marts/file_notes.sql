-- What stands around the tables of each file, and what the reader remarked: kept with the file, word for word.
select
    f.source_id, f.publication_id, n.file, nullif(n.sheet, '') as sheet, nullif(n.row, 0)::integer as sheet_row, n.kind, nullif(n.mark, '') as mark,
    n.text as note
from {{ source('ledger', 'notes') }} as n
inner join {{ source('ledger', 'files') }} as f using (file)
