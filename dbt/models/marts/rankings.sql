{{ config(materialized='view') }}
-- Rank among the members of a group, over the headline figures in force; says how many of the members are known.
select
    g.group_id, s.ref_area, s.indicator, s.breakdown, s.currency_scope, s.transformation, s.prices, p.freq, p.time_period, p.coverage,
    p.period_end, r.obs_value, r.rank, r.ranked, r.members
from {{ ref('ranks').include(database=false) }} as r
inner join (select distinct group_no, group_id from {{ ref('area_groups').include(database=false) }}) as g on g.group_no = r.group_no
inner join {{ ref('series').include(database=false) }} as s on s.series_id = r.series_id
inner join {{ ref('time_periods').include(database=false) }} as p on p.period_key = r.period_key
