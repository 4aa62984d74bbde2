-- Readings that several prints make: one row an interval of a series and period. The best print speaks for it.
with repeated as (
    select reading_no from {{ ref('int_prints') }} group by reading_no having count(*) > 1
)

select
    p.reading_no, p.series_id, p.period_key, p.lo, p.hi, p.width,
    count(*) as prints, bool_or(p.is_official) as is_official, max(p.trust * 10 + p.fidelity) as standing,
    arg_min(p.print_no, (not p.is_own, not p.is_official, -p.fidelity, coalesce(p.known_by, {{ forever() }}), p.publication_id, p.print_no)) as best_print_no,
    min(p.known_by) as known_by,
    arg_min(p.known_by_basis, (coalesce(p.known_by, {{ forever() }}), p.publication_id)) as known_by_basis,
    min(p.known_after) as known_after,
    arg_min(p.known_after_basis, (p.known_after, p.publication_id)) as known_after_basis,
    arg_min(p.publication_id, (coalesce(p.known_by, {{ forever() }}), -p.fidelity, p.publication_id)) as first_publication_id,
    min(p.recorded_at) as recorded_at
from {{ ref('int_prints') }} as p
semi join repeated as r on r.reading_no = p.reading_no
group by p.reading_no, p.series_id, p.period_key, p.lo, p.hi, p.width
