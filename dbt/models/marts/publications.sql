with counted as (
    select
        publication_id, source_id,
        count(*) filter (where refusal is null) as figures,
        count(*) filter (where refusal is not null) as refused
    from {{ ref('int_cells_judged') }}
    group by all
)

select
    p.publication_id, p.source_id, p.file, p.title, p.address, p.publisher, u.name_zh as publisher_name_zh, u.name_en as publisher_name_en,
    p.carrier, p.fidelity, p.trust, p.table_id, p.language,
    p.known_after, p.known_after_basis, p.known_by, p.known_by_basis, p.reason, p.is_described, p.recorded_at,
    coalesce(c.figures, 0) as figures, coalesce(c.refused, 0) as refused
from {{ ref('stg_publications') }} as p
left join counted as c on c.publication_id = p.publication_id and c.source_id = p.source_id
left join {{ ref('publishers') }} as u using (publisher)
