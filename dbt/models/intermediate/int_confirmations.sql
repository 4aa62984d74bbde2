-- A later stage that prints the same value: a revision of zero.
select
    v.vintage_id,
    p.stage,
    min(p.known_by) as known_by,
    arg_min(p.stage_basis, coalesce(p.known_by, {{ forever() }})) as stage_basis,
    arg_min(p.publication_id, coalesce(p.known_by, {{ forever() }})) as publication_id
from {{ ref('int_vintages') }} as v
inner join {{ ref('int_reading_vintages') }} as m on m.vintage_reading_no = v.vintage_reading_no
inner join {{ ref('int_readings') }} as r on r.reading_no = m.reading_no
inner join {{ ref('int_prints') }} as p
    on p.series_id = r.series_id and p.period_key = r.period_key and p.lo = r.lo and p.hi = r.hi
where v.step = 1 and v.vintage_no > 0 and v.stage is not null
    and p.is_official and p.stage is not null
    and (p.stage = 'final')::integer + 2 * (p.stage = 'census')::integer > (v.stage = 'final')::integer + 2 * (v.stage = 'census')::integer
group by v.vintage_id, p.stage
