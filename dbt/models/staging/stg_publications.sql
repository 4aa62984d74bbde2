-- Publications with typed days; a file without a row in publications.csv is a publication nobody has described yet.
select
    coalesce(p.publication_id, f.publication_id) as publication_id,
    f.source_id,
    f.file,
    coalesce(p.title, f.publication_id) as title,
    p.address,
    coalesce(nullif(p.publisher, ''), s.publisher) as publisher,
    p.carrier,
    coalesce(try_cast(p.fidelity as integer), s.fidelity) as fidelity,
    coalesce(pub.trust, s.trust) as trust,
    nullif(p.table_id, '') as table_id,
    coalesce(p.language, s.language) as language,
    try_cast(nullif(p.known_after, '') as date) as known_after,
    nullif(p.known_after_basis, '') as known_after_basis,
    try_cast(nullif(p.known_by, '') as date) as known_by,
    nullif(p.known_by_basis, '') as known_by_basis,
    p.reason,
    p.publication_id is not null as is_described,
    f.recorded_at::timestamp as recorded_at,
    f.sha256
from {{ source('ledger', 'files') }} as f
left join {{ source('ledger', 'publications') }} as p
    on p.source_id = f.source_id and p.publication_id = f.publication_id
left join {{ source('ledger', 'sources') }} as s on s.source_id = f.source_id
left join {{ ref('publishers') }} as pub on pub.publisher = coalesce(nullif(p.publisher, ''), s.publisher)
where f.ledger <> ''
