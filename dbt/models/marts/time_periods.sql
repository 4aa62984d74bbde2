select period_key, freq, time_period, coverage, period_start, period_end from {{ ref('int_periods') }}
