-- What one publication says of one figure: its most precise print, and whether it says two things that can't both be so.
with prints as (
    select publication_id, series_id, period_key, print_no, obs_value, lower, upper, lo, hi, width, decimals, qualifier, stage, is_official
    from {{ ref('int_prints') }}
),

said as (
    select
        publication_id, series_id, period_key,
        min(print_no) as print_no, count(*) as prints,
        any_value(obs_value) as obs_value, any_value(lower) as lower, any_value(upper) as upper, any_value(decimals) as decimals,
        any_value(qualifier) as qualifier, any_value(stage) as stage, any_value(is_official) as is_official,
        false as conflicts, null::double as other_value
    from prints
    group by all
    having count(*) = 1
    union all
    select
        publication_id, series_id, period_key,
        arg_min(print_no, (width, print_no)), count(*),
        arg_min(obs_value, (width, print_no)), arg_min(lower, (width, print_no)), arg_min(upper, (width, print_no)), arg_min(decimals, (width, print_no)),
        arg_min(qualifier, (width, print_no)), arg_min(stage, (width, print_no)), bool_or(is_official),
        max(lo) >= min(hi), arg_max(obs_value, (width, print_no))
    from prints
    group by all
    having count(*) > 1
)

select
    d.*, s.group_key, s.ref_area, s.indicator, s.breakdown, s.currency_scope, s.transformation, s.prices, s.is_level,
    coalesce(d.stage, case when d.is_official then 'unstaged' else 'claim' end) as judged_as
from said as d
inner join {{ ref('quality_series') }} as s on s.series_id = d.series_id
