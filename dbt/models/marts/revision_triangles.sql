-- What each period's figure was at each release: by stage where stages are known (first 0, final 1, a census by its round), else by
-- the order of vintages. A later stage that printed the same value is a release too, with a revision of nought.
with prints as (
    select
        ref_area, indicator, breakdown, currency_scope, transformation, prices, freq, coverage, time_period, period_start, period_end,
        obs_value, lower, upper, sequence, vintage_no, vintage_id, stage, stage_basis, census_basis, known_by, publication_id
    from {{ ref('observation_vintages') }}
    where origin = 'printed' and vintage_no > 0 and not list_contains(string_split(marks, ', '), 'coarse')
),

released as (
    select *, false as is_confirmation from prints
    union all
    select p.* replace (c.stage as stage, c.stage_basis as stage_basis, c.known_by as known_by, c.publication_id as publication_id), true
    from {{ ref('confirmations') }} as c
    inner join prints as p on p.vintage_id = c.vintage_id
),

keyed as (
    select
        *,
        bool_or(stage is not null) over series as has_stages,
        max(vintage_no) over series as most_vintages
    from released
    window series as (partition by ref_area, indicator, breakdown, currency_scope, transformation, prices, freq, coverage)
),

placed as (
    select
        *,
        case
            when not has_stages then vintage_no - 1
            when stage = 'first' then 0
            when stage = 'final' then 1
            -- a census of unknown round comes after every known one
            else coalesce(try_cast(census_basis as integer), 99)
        end::integer as release,
        case when not has_stages then 'vintage' when stage = 'census' then 'census_' || coalesce(census_basis, 'unknown') else stage end as release_name
    from keyed
    where (has_stages and stage is not null) or (not has_stages and most_vintages > 1)
),

single as (
    select *
    from placed
    qualify row_number() over (
        partition by ref_area, indicator, breakdown, currency_scope, transformation, prices, period_start, period_end, release
        order by sequence desc, is_confirmation
    ) = 1
)

select
    ref_area, indicator, breakdown, currency_scope, transformation, prices, freq, coverage, time_period, period_start, period_end,
    release, release_name, obs_value, lower, upper, stage_basis, census_basis, known_by, publication_id, vintage_id, is_confirmation,
    obs_value - lag(obs_value) over in_time as revision,
    case when lag(obs_value) over in_time <> 0 then 100 * (obs_value / lag(obs_value) over in_time - 1) end as revision_percent,
    row_number() over (partition by ref_area, indicator, breakdown, currency_scope, transformation, prices, period_start, period_end order by release desc) = 1 as is_last_release
from single
window in_time as (partition by ref_area, indicator, breakdown, currency_scope, transformation, prices, period_start, period_end order by release)
