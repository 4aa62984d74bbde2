-- Every vintage, printed and derived, in narrow keys: numbered, and with what is in force today. The one big table of a release;
-- `observation_vintages` puts the names to it.
with keys as (
    select
        series_id, period_key, true as is_printed, sequence,
        {{ vintage_rank('sequence', "obs_value is null or census_basis = -2", "case when is_official then 0 else 2 end") }} as rank
    from {{ ref('int_vintages') }}
    union all
    select
        series_id, period_key, false, {{ day_sequence('valid_from') }},
        {{ vintage_rank(day_sequence('valid_from'), "obs_value is null or census_basis = -2", "case when obs_value is not null then 1 else 2 end") }}
    from {{ ref('int_derived') }}
),

-- One row a figure: of either origin the latest, and the preferred.
chosen as (
    select
        series_id, period_key,
        count(*) filter (where not is_printed) as derived_vintages,
        max(sequence) filter (where is_printed) as latest_printed,
        max(sequence) filter (where not is_printed) as latest_derived,
        max(rank) filter (where is_printed) as best_printed,
        max(rank) filter (where not is_printed) as best_derived
    from keys
    group by series_id, period_key
),

-- The headline of the two origins' preferred figures: a responsible publisher's print, else ours, else what there is.
figures as (
    select
        series_id, period_key, derived_vintages, latest_printed, latest_derived,
        (best_printed // 4) % {{ sound() }} as preferred_printed,
        (best_derived // 4) % {{ sound() }} as preferred_derived,
        coalesce(best_printed % 4, 9) <= coalesce(best_derived % 4, 9) as heads_printed
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

-- Most results never change: only those that do are worth sorting, by the keys alone.
numbers as (
    select d.series_id, d.period_key, d.valid_from, row_number() over (partition by d.series_id, d.period_key order by d.valid_from) as vintage_no
    from {{ ref('int_derived') }} as d
    semi join (select series_id, period_key from figures where derived_vintages > 1) as f on f.series_id = d.series_id and f.period_key = d.period_key
),

derived as (
    select
        d.vintage_id, d.series_id, d.period_key, 'derived' as origin, d.formula_id, {{ day_sequence('d.valid_from') }} as sequence,
        coalesce(n.vintage_no, 1) as vintage_no, 1 as step,
        d.obs_value, d.lower, d.upper, null as decimals, null as qualifier, null as stage, null as stage_basis, d.census_basis,
        (d.marks & {{ mark('claim') }}) = 0 as is_official, d.known_after, null as known_after_basis,
        case when d.is_dated then d.valid_from end as known_by, case when d.is_dated then 'inputs' end as known_by_basis,
        d.recorded_at, d.valid_from, d.valid_to, null as publication_id, null as first_publication_id, d.inputs, d.marks,
        {{ day_sequence('d.valid_from') }} = f.latest_derived as is_latest,
        {{ day_sequence('d.valid_from') }} = f.preferred_derived as is_preferred,
        {{ day_sequence('d.valid_from') }} = f.preferred_derived and not f.heads_printed as is_headline
    from {{ ref('int_derived') }} as d
    inner join figures as f on f.series_id = d.series_id and f.period_key = d.period_key
    left join numbers as n on n.series_id = d.series_id and n.period_key = d.period_key and n.valid_from = d.valid_from
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
