-- How far each release was from the latest, and from every later stage, by indicator and area.
{% set series = 'ref_area, indicator, breakdown, currency_scope, transformation, prices, freq, coverage' %}
{% set key = 'ref_area, indicator, breakdown, currency_scope, transformation, prices, freq, coverage, release, release_name, compared_with' %}
with triangle as (
    select * from {{ ref('revision_triangles') }}
),

pairs as (
    select
        h.{{ series.replace(', ', ', h.') }}, h.release, h.release_name, 'latest' as compared_with,
        h.period_end as time_period, h.obs_value as value_then, f.obs_value as value_final,
        h.stage_basis as basis_then, h.census_basis as round_then, f.census_basis as round_final
    from triangle as h
    inner join triangle as f using ({{ series }}, period_end)
    where f.is_last_release and not h.is_last_release and f.period_start is not distinct from h.period_start
    union all
    select
        h.{{ series.replace(', ', ', h.') }}, h.release, h.release_name, f.release_name,
        h.period_end, h.obs_value, f.obs_value, h.stage_basis, h.census_basis, f.census_basis
    from triangle as h
    inner join triangle as f using ({{ series }}, period_end)
    where f.release > h.release and f.release_name <> 'vintage' and f.period_start is not distinct from h.period_start
),

measured as (
    {{ revision_measures('pairs', key) }}
),

based as (
    select
        {{ key }},
        min(time_period) as first_period_end, max(time_period) as last_period_end,
        count(*) filter (where basis_then = 'printed')::integer as stages_printed,
        count(*) filter (where basis_then = 'inferred')::integer as stages_inferred,
        string_agg(distinct round_then, ', ' order by round_then) as census_bases,
        string_agg(distinct round_final, ', ' order by round_final) as compared_census_bases
    from pairs
    group by {{ key }}
)

select
    {{ key }}, b.first_period_end, b.last_period_end, b.stages_printed, b.stages_inferred, b.census_bases, b.compared_census_bases,
    n, mean_revision, p_value, mean_absolute_revision, minimum, maximum, standard_deviation, noise_to_signal, theil_u1, theil_u2,
    mean_relative_revision, mean_absolute_relative_revision, relative_mean_absolute_revision, sign_agreement
from measured
inner join based as b using ({{ key }})
