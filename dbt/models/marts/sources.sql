select
    s.source_id, s.title_zh, s.title_en, s.publisher, p.name_zh as publisher_name_zh, p.name_en as publisher_name_en,
    s.carrier_kind, s.trust, s.fidelity, s.cadence, s.licence, s.language,
    count(f.file) as files,
    count(f.file) filter (where f.status = 'refused') as files_refused,
    count(f.file) filter (where f.vanished_at <> '') as files_vanished,
    coalesce(sum(f.cells), 0)::bigint as cells
from {{ source('ledger', 'sources') }} as s
left join {{ source('ledger', 'files') }} as f using (source_id)
left join {{ ref('publishers') }} as p using (publisher)
group by all
