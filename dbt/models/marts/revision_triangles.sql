-- What each period's figure was at each release: by stage where stages are known (first 0, final 1, a census by its round), else by
-- the order of vintages. A later stage that printed the same value is a release too, with a revision of nought.
with released as (
    select
        vintage_id, stage, stage_basis, census_basis, known_by, publication_id, false as is_confirmation
    from {{ ref('observation_vintages') }}
    where origin = 'printed' and vintage_no > 0 and not list_contains(string_split(marks, ', '), 'coarse')
    union all
    select c.vintage_id, c.stage, c.stage_basis, null, c.known_by, c.publication_id, true
    from {{ ref('confirmations') }} as c
),

keyed as (
    select
        v.ref_area, v.indicator, v.breakdown, v.currency_scope, v.transformation, v.prices, v.freq, v.coverage,
        v.time_period, v.period_start, v.period_end, v.obs_value, v.lower, v.upper, v.sequence, v.vintage_no,
        r.vintage_id, r.stage, r.stage_basis, coalesce(r.census_basis, v.census_basis) as census_basis, r.known_by, r.publication_id, r.is_confirmation,
        bool_or(r.stage is not null) over series as has_stages,
        max(v.vintage_no) over series as most_vintages
    from released as r
    inner join {{ ref('observation_vintages') }} as v on v.vintage_id = r.vintage_id
    window series as (partition by v.ref_area, v.indicator, v.breakdown, v.currency_scope, v.transformation, v.prices, v.freq, v.coverage)
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
