{{ config(materialized='view') }}
-- Prints that say the same thing of a series and period: one row an interval. Nearly every reading has one print, and is what that print
-- says; only where there are several is anything to be chosen.
select
    p.reading_no, p.series_id, p.period_key, p.lo, p.hi, p.width, 1 as prints, p.is_official, p.trust * 10 + p.fidelity as standing,
    p.print_no as best_print_no, p.known_by, p.known_by_basis, p.known_after, p.known_after_basis,
    p.publication_id as first_publication_id, p.recorded_at
from {{ ref('int_prints') }} as p
anti join {{ ref('int_repeated_readings') }} as r on r.reading_no = p.reading_no
union all
select
    reading_no, series_id, period_key, lo, hi, width, prints, is_official, standing, best_print_no, known_by, known_by_basis, known_after,
    known_after_basis, first_publication_id, recorded_at
from {{ ref('int_repeated_readings') }}
