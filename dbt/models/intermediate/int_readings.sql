-- Prints that say the same thing of a series and period: one row an interval. The reading's best print speaks for it.
select
    series_id,
    period_key,
    lo,
    hi,
    width,
    min(print_no) as reading_no,
    count(*) as prints,
    bool_or(is_official) as is_official,
    max(trust * 10 + fidelity) as standing,
    arg_min(print_no, (not is_own, not is_official, -fidelity, coalesce(known_by, {{ forever() }}), publication_id, cell, part)) as best_print_no,
    min(known_by) as known_by,
    arg_min(known_by_basis, (coalesce(known_by, {{ forever() }}), publication_id)) as known_by_basis,
    min(known_after) as known_after,
    arg_min(known_after_basis, (known_after, publication_id)) as known_after_basis,
    arg_min(publication_id, (coalesce(known_by, {{ forever() }}), -fidelity, publication_id)) as first_publication_id,
    min(recorded_at) as recorded_at
from {{ ref('int_prints') }}
group by series_id, period_key, lo, hi, width
