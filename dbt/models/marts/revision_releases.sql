-- What each period's figure was at each release: by stage where stages are known (first 0, final 1, then each census), else by
-- the order of vintages. A later stage that printed the same value is a release too, with a revision of nought.
-- In narrow keys: `revision_triangles` puts the names to it.
with kinds as (
    select period_key, dense_rank() over (order by freq, coverage) as kind_no from {{ ref('int_periods') }}
),

vintages as (
    select
        v.series_id, v.period_key, v.vintage_id, v.vintage_no, v.sequence, v.obs_value, v.lower, v.upper, v.stage, v.stage_basis, v.census_basis,
        v.known_by, v.publication_id
    from {{ ref('int_vintages') }} as v
    where v.step = 1 and v.vintage_no > 0
),

released as (
    select *, false as is_confirmation from vintages
    union all
    select v.* replace (c.stage as stage, c.stage_basis as stage_basis, c.known_by as known_by, c.publication_id as publication_id), true
    from {{ ref('int_confirmations') }} as c
    inner join vintages as v on v.vintage_id = c.vintage_id
),

-- A series in one kind of period goes by stages or by vintages, not by both.
ways as (
    select r.series_id, s.kind_no, bool_or(r.stage is not null) as has_stages, max(r.vintage_no) as most_vintages
    from released as r
    inner join kinds as s on s.period_key = r.period_key
    group by r.series_id, s.kind_no
),

placed as (
    select
        r.*, w.has_stages,
        case
            when not w.has_stages then r.vintage_no - 1
            when r.stage = 'first' then 0
            when r.stage = 'final' then 1
            -- after the final figure, even the first census; one of unknown round comes after every known one
            when r.census_basis >= 0 then r.census_basis + 1
            else 99
        end::integer as release
    from released as r
    inner join kinds as s on s.period_key = r.period_key
    inner join ways as w on w.series_id = r.series_id and w.kind_no = s.kind_no
    where case when w.has_stages then r.stage is not null else w.most_vintages > 1 end
),

-- Few stages print a figure twice; only those are put in order.
twice as (
    select series_id, period_key, release from placed group by series_id, period_key, release having count(*) > 1
),

single as (
    select p.* from placed as p anti join twice as t on t.series_id = p.series_id and t.period_key = p.period_key and t.release = p.release
    union all
    select p.*
    from placed as p
    semi join twice as t on t.series_id = p.series_id and t.period_key = p.period_key and t.release = p.release
    qualify row_number() over (partition by p.series_id, p.period_key, p.release order by p.sequence desc, p.is_confirmation) = 1
)

select
    series_id, period_key, release,
    case
        when not has_stages then 'vintage'
        when stage = 'census' then 'census_' || coalesce({{ census_basis_text('census_basis') }}, 'unknown')
        else stage
    end::varchar as release_name,
    obs_value, lower, upper, stage_basis::varchar as stage_basis, census_basis::integer as census_basis, known_by, publication_id::varchar as publication_id, vintage_id, is_confirmation,
    obs_value - before as revision,
    case when before <> 0 then 100 * (obs_value / before - 1) end as revision_percent,
    is_last_release
from (
    select *, lag(obs_value) over in_time as before, lead(release) over in_time is null as is_last_release
    from single
    window in_time as (partition by series_id, period_key order by release)
)
