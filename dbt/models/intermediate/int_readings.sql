-- Prints that say the same thing of a series and period: one row an interval. The reading's best print speaks for it.
-- Nearly every reading has one print, and is what that print says; only where there are several is anything to be chosen.
with repeated as (
    select reading_no from {{ ref('int_prints') }} group by reading_no having count(*) > 1
)

select
    p.reading_no, p.series_id, p.period_key, p.lo, p.hi, p.width, 1 as prints, p.is_official, p.trust * 10 + p.fidelity as standing,
    p.print_no as best_print_no, p.known_by, p.known_by_basis, p.known_after, p.known_after_basis,
    p.publication_id as first_publication_id, p.recorded_at
from {{ ref('int_prints') }} as p
anti join repeated as r on r.reading_no = p.reading_no
union all
select
    p.reading_no, p.series_id, p.period_key, p.lo, p.hi, p.width,
    count(*), bool_or(p.is_official), max(p.trust * 10 + p.fidelity),
    arg_min(p.print_no, (not p.is_own, not p.is_official, -p.fidelity, coalesce(p.known_by, {{ forever() }}), p.publication_id, p.print_no)),
    min(p.known_by),
    arg_min(p.known_by_basis, (coalesce(p.known_by, {{ forever() }}), p.publication_id)),
    min(p.known_after),
    arg_min(p.known_after_basis, (p.known_after, p.publication_id)),
    arg_min(p.publication_id, (coalesce(p.known_by, {{ forever() }}), -p.fidelity, p.publication_id)),
    min(p.recorded_at)
from {{ ref('int_prints') }} as p
semi join repeated as r on r.reading_no = p.reading_no
group by p.reading_no, p.series_id, p.period_key, p.lo, p.hi, p.width
