-- Figures that one publication prints more than once: its most precise print, and whether it says two things that can't both be so. Few of a million.
with several as (
    select publication_id, series_id, period_key
    from {{ ref('int_prints') }}
    group by publication_id, series_id, period_key
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
inner join several as s on s.publication_id = p.publication_id and s.series_id = p.series_id and s.period_key = p.period_key
group by p.publication_id, p.series_id, p.period_key
