-- Every vintage, printed and derived, in narrow keys: numbered, and with what is in force today. The one big table of a release;
-- `observation_vintages` puts the names to it.
with keys as (
    select
        series_id, period_key, true as is_printed, sequence,
        obs_value is null or coalesce(census_basis, 0) = -2 as is_second_best,
        case when is_official then 0 else 2 end as standing
    from {{ ref('int_vintages') }}
    union all
    select
        series_id, period_key, false, {{ day_sequence('valid_from') }},
        obs_value is null or coalesce(census_basis, 0) = -2,
        case when obs_value is not null then 1 else 2 end
    from {{ ref('int_derived') }}
),

-- One row a figure: of either origin the latest, and the latest that is no second best where there is one.
chosen as (
    select
        series_id, period_key,
        count(*) filter (where not is_printed) as derived_vintages,
        max(sequence) filter (where is_printed) as latest_printed,
        max(sequence) filter (where not is_printed) as latest_derived,
        max(sequence) filter (where is_printed and not is_second_best) as sound_printed,
        max(sequence) filter (where not is_printed and not is_second_best) as sound_derived,
        arg_max(standing, (not is_second_best, sequence)) filter (where is_printed) as standing_printed,
        arg_max(standing, (not is_second_best, sequence)) filter (where not is_printed) as standing_derived
    from keys
    group by series_id, period_key
),

-- The headline of the two origins' preferred figures: a responsible publisher's print, else ours, else what there is.
figures as (
    select
        series_id, period_key, derived_vintages, latest_printed, latest_derived,
        coalesce(sound_printed, latest_printed) as preferred_printed,
        coalesce(sound_derived, latest_derived) as preferred_derived,
        coalesce(standing_printed, 9) <= coalesce(standing_derived, 9) as heads_printed
    from chosen
),

printed as (
    select
        v.vintage_id, v.series_id, v.period_key, 'printed' as origin, null::varchar as formula_id, v.sequence, v.vintage_no, v.step,
        v.obs_value, v.lower, v.upper, v.decimals, v.qualifier, v.stage, v.stage_basis, v.census_basis, v.is_official,
        v.known_after, v.known_after_basis, v.known_by, v.known_by_basis, v.recorded_at, v.valid_from, v.valid_to, v.publication_id,
        v.first_publication_id, null::ubigint[] as inputs, v.marks,
        v.sequence = f.latest_printed as is_latest,
        v.sequence = f.preferred_printed as is_preferred,
        v.sequence = f.preferred_printed and f.heads_printed as is_headline
    from {{ ref('int_vintages') }} as v
    inner join figures as f on f.series_id = v.series_id and f.period_key = v.period_key
),

derived_keys as (
    select
        d.*, {{ day_sequence('d.valid_from') }} as sequence, f.derived_vintages,
        f.latest_derived, f.preferred_derived, not f.heads_printed as heads
    from {{ ref('int_derived') }} as d
    inner join figures as f on f.series_id = d.series_id and f.period_key = d.period_key
),

-- Most results never change: only those that do are worth sorting.
numbered as (
    select *, 1::bigint as vintage_no from derived_keys where derived_vintages = 1
    union all
    select *, row_number() over (partition by series_id, period_key order by valid_from) from derived_keys where derived_vintages > 1
),

derived as (
    select
        vintage_id, series_id, period_key, 'derived' as origin, formula_id, sequence, vintage_no, 1 as step,
        obs_value, lower, upper, null as decimals, null as qualifier, null as stage, null as stage_basis, census_basis, (marks & {{ mark('claim') }}) = 0 as is_official,
        known_after, null as known_after_basis,
        case when is_dated then valid_from end as known_by, case when is_dated then 'inputs' end as known_by_basis,
        recorded_at, valid_from, valid_to, null as publication_id, null as first_publication_id, inputs, marks,
        sequence = latest_derived as is_latest,
        sequence = preferred_derived as is_preferred,
        sequence = preferred_derived and heads as is_headline
    from numbered
)

{% for origin in ['printed', 'derived'] %}
select
    vintage_id::ubigint as vintage_id, series_id::ubigint as series_id, period_key::bigint as period_key, origin, formula_id,
    sequence::bigint as sequence, vintage_no::integer as vintage_no, step::integer as step,
    obs_value::double as obs_value, lower::double as lower, upper::double as upper, decimals::integer as decimals, qualifier::varchar as qualifier,
    stage::varchar as stage, stage_basis::varchar as stage_basis, census_basis::integer as census_basis, is_official,
    known_after, known_after_basis::varchar as known_after_basis, known_by, known_by_basis::varchar as known_by_basis, recorded_at, valid_from, valid_to,
    publication_id::varchar as publication_id, first_publication_id::varchar as first_publication_id, inputs, marks::integer as marks,
    is_latest, is_preferred, is_latest or is_preferred as is_current, is_headline
from {{ origin }}
{{ 'union all' if not loop.last }}
{% endfor %}
