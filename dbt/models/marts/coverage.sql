with figures as (
    select
        series_id, period_key, origin, count(*) as vintages, min(known_by) as first_known_by, max(known_by) as last_known_by
    from {{ ref('facts') }}
    group by series_id, period_key, origin
)

select
    s.ref_area, s.indicator, s.breakdown, s.currency_scope, s.transformation, s.prices, f.origin, p.freq, p.coverage,
    min(p.period_end) as first_period_end, max(p.period_end) as last_period_end,
    min_by(p.time_period, p.period_end) as first_period, max_by(p.time_period, p.period_end) as last_period,
    count(distinct p.period_end) as periods, sum(f.vintages)::bigint as vintages,
    min(f.first_known_by) as first_known_by, max(f.last_known_by) as last_known_by
from figures as f
inner join {{ ref('series') }} as s on s.series_id = f.series_id
inner join {{ ref('time_periods') }} as p on p.period_key = f.period_key
group by all
