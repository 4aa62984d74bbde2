-- Every vintage's number and flags, had from the keys alone: sorting whole rows, four times, would cost more than all else here.
with keys as (
    select
        vintage_id, series_id, period_key, true as is_printed,
        place * 1000000 + row_number() over (partition by series_id, period_key order by place, step, known_by) as sequence,
        vintage_no,
        obs_value is null or coalesce(census_basis, 0) = -2 as is_second_best,
        obs_value is not null as has_value, is_official
    from {{ ref('int_vintages') }}
    union all
    select
        vintage_id, series_id, period_key, false,
        (valid_from - date '0001-01-01')::bigint,
        row_number() over (partition by series_id, period_key order by valid_from),
        obs_value is null or coalesce(census_basis, 0) = -2,
        obs_value is not null, (marks & {{ mark('claim') }}) = 0
    from {{ ref('int_derived') }}
),

-- The latest, and the latest that is no second best where there is one.
chosen as (
    select
        series_id, period_key, is_printed,
        max(sequence) as latest,
        coalesce(max(sequence) filter (where not is_second_best), max(sequence)) as preferred,
        arg_max(
            case when is_printed and is_official then 0 when not is_printed and has_value then 1 else 2 end,
            (not is_second_best, sequence)
        ) as standing
    from keys
    group by series_id, period_key, is_printed
),

-- Of the two origins' preferred figures, the headline: a responsible publisher's print, else ours, else what there is.
headed as (
    select series_id, period_key, is_printed, latest, preferred,
        count(*) over figure = 1
        or row_number() over (partition by series_id, period_key order by standing, preferred desc) = 1 as has_headline
    from chosen
    window figure as (partition by series_id, period_key)
)

select
    k.vintage_id, k.sequence, k.vintage_no,
    k.sequence = h.latest as is_latest,
    k.sequence = h.preferred as is_preferred,
    k.sequence = h.preferred and h.has_headline as is_headline
from keys as k
inner join headed as h on h.series_id = k.series_id and h.period_key = k.period_key and h.is_printed = k.is_printed
