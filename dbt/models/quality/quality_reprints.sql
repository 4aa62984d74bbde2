-- Figures that one publication prints more than once: its most precise print, and whether it says two things that can't both be so. Few of a million.
-- Nearly all are found to stand alone by one number; what shares it may still differ, and is told apart below.
with several as (
    select hash(publication_id, series_id, period_key) as said_of
    from {{ ref('int_prints') }}
    group by hash(publication_id, series_id, period_key)
    having count(*) > 1
)

select
    p.publication_id, p.series_id, p.period_key,
    count(*) as prints,
    arg_min(p.print_no, (p.width, p.print_no)) as print_no, arg_min(p.obs_value, (p.width, p.print_no)) as obs_value,
    arg_min(p.lower, (p.width, p.print_no)) as lower, arg_min(p.upper, (p.width, p.print_no)) as upper,
    arg_min(p.decimals, (p.width, p.print_no)) as decimals, arg_min(p.qualifier, (p.width, p.print_no)) as qualifier,
    arg_min(p.stage, (p.width, p.print_no)) as stage, bool_or(p.is_official) as is_official,
    max(p.lo) >= min(p.hi) as conflicts, arg_max(p.obs_value, (p.width, p.print_no)) as other_value
from {{ ref('int_prints') }} as p
where hash(p.publication_id, p.series_id, p.period_key) in (select said_of from several)
group by p.publication_id, p.series_id, p.period_key
having count(*) > 1
