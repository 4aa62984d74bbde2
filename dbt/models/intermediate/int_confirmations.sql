-- A later stage that prints the same value: a revision of zero.
with confirming as (
    select reading_no, stage, (stage = 'final')::integer + 2 * (stage = 'census')::integer as stage_rank, known_by, stage_basis, publication_id
    from {{ ref('int_prints') }}
    where is_official and stage in ('final', 'census')
)

select
    v.vintage_id,
    p.stage,
    min(p.known_by) as known_by,
    arg_min(p.stage_basis, coalesce(p.known_by, {{ forever() }})) as stage_basis,
    arg_min(p.publication_id, coalesce(p.known_by, {{ forever() }})) as publication_id
from confirming as p
inner join {{ ref('int_reading_vintages') }} as m on m.reading_no = p.reading_no
inner join {{ ref('int_vintages') }} as v
    on v.vintage_reading_no = m.vintage_reading_no and v.step = 1 and v.vintage_no > 0
    and p.stage_rank > (v.stage = 'final')::integer + 2 * (v.stage = 'census')::integer
group by v.vintage_id, p.stage
