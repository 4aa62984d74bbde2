-- How far each release was from the latest, and from every later stage, by indicator and area. Measured over integer keys, named at the end:
-- within a series in one kind of period a release has one name.
{% set key = 'series_id, kind_no, release, compared_with' %}
with kinds as (
    select period_key, freq, coverage, period_end, dense_rank() over (order by freq, coverage) as kind_no from {{ ref('time_periods') }}
),

later as (
    select
        h.series_id, s.kind_no, h.release, f.release as later, h.release_name, f.release_name as later_name, f.is_last_release,
        h.period_key as time_period, s.period_end, h.obs_value as value_then, f.obs_value as value_final,
        h.stage_basis as basis_then, h.census_basis as round_then, f.census_basis as round_final
    from {{ ref('revision_releases') }} as h
    inner join {{ ref('revision_releases') }} as f on f.series_id = h.series_id and f.period_key = h.period_key and f.release > h.release
    inner join kinds as s on s.period_key = h.period_key
),

-- null: with the latest, whichever that is
pairs as (
    select * exclude (later, later_name, is_last_release), null as compared_with, 'latest' as compared_name from later where is_last_release
    union all
    select * exclude (later, later_name, is_last_release), later, later_name from later where later_name <> 'vintage'
),

{% set based %}
        min(period_end) as first_period_end, max(period_end) as last_period_end,
        count(*) filter (where basis_then = 'printed')::integer as stages_printed,
        count(*) filter (where basis_then = 'inferred')::integer as stages_inferred,
        any_value(release_name) as release_name, any_value(compared_name) as compared_name,
        list(round_then) as rounds_then, list(round_final) as rounds_final
{% endset %}
measured as (
    {{ revision_measures('pairs', key, based) }}
)

select
    s.ref_area, s.indicator, s.breakdown, s.currency_scope, s.transformation, s.prices, t.freq, t.coverage, m.release, m.release_name, m.compared_name as compared_with,
    m.first_period_end, m.last_period_end, m.stages_printed, m.stages_inferred,
    {% for rounds, name in (('rounds_then', 'census_bases'), ('rounds_final', 'compared_census_bases')) %}
    nullif(array_to_string(list_sort(list_transform(list_distinct(m.{{ rounds }}), lambda basis: {{ census_basis_text('basis') }})), ', '), '') as {{ name }},
    {% endfor %}
    n, mean_revision, p_value, mean_absolute_revision, minimum, maximum, standard_deviation, noise_to_signal, theil_u1, theil_u2,
    mean_relative_revision, mean_absolute_relative_revision, relative_mean_absolute_revision, sign_agreement
from measured as m
inner join {{ ref('series') }} as s on s.series_id = m.series_id
inner join (select distinct kind_no, freq, coverage from kinds) as t on t.kind_no = m.kind_no
