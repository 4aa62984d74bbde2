select
    ref_area, indicator, breakdown, currency_scope, transformation, prices, origin, freq, coverage,
    min(period_end) as first_period_end, max(period_end) as last_period_end,
    min_by(time_period, period_end) as first_period, max_by(time_period, period_end) as last_period,
    count(distinct period_end) as periods, count(*) as vintages,
    min(known_by) as first_known_by, max(known_by) as last_known_by
from {{ ref('observation_vintages') }}
group by all
