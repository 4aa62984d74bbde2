{{ config(materialized='view') }}
-- Releases with the names of their keys. A view, as `observation_vintages` is; its relations are named without the database.
select
    s.ref_area, s.indicator, s.breakdown, s.currency_scope, s.transformation, s.prices, p.freq, p.coverage, p.time_period, p.period_start, p.period_end,
    r.release, r.release_name, r.obs_value, r.lower, r.upper, r.stage_basis, {{ census_basis_text('r.census_basis') }} as census_basis,
    r.known_by, r.publication_id, r.vintage_id, r.is_confirmation, r.revision, r.revision_percent, r.is_last_release
from {{ ref('revision_releases').include(database=false) }} as r
inner join {{ ref('series').include(database=false) }} as s on s.series_id = r.series_id
inner join {{ ref('time_periods').include(database=false) }} as p on p.period_key = r.period_key
