-- A figure has one latest vintage, so those are the periods. A period's key begins with its last day, so the least key is the earliest.
with counted as (
    select
        f.series_id, a.origin, p.freq, p.coverage,
        min(f.period_key) as first_key, max(f.period_key) as last_key,
        count(*) filter (where f.is_latest) as periods, count(*) as vintages,
        min(f.known_by) as first_known_by, max(f.known_by) as last_known_by
    from {{ ref('facts') }} as f
    inner join {{ ref('vintage_attributes') }} as a on a.attributes_id = f.attributes_id
    inner join {{ ref('time_periods') }} as p on p.period_key = f.period_key
    group by all
)

select
    s.ref_area, s.indicator, s.breakdown, s.currency_scope, s.transformation, s.prices, c.origin, c.freq, c.coverage,
    a.period_end as first_period_end, z.period_end as last_period_end, a.time_period as first_period, z.time_period as last_period,
    c.periods, c.vintages, c.first_known_by, c.last_known_by
from counted as c
inner join {{ ref('series') }} as s on s.series_id = c.series_id
inner join {{ ref('time_periods') }} as a on a.period_key = c.first_key
inner join {{ ref('time_periods') }} as z on z.period_key = c.last_key
