-- Which input period a formula's term means for a period of its result. Spans, not labels: every link is arithmetic on two days.
with printed as (
    select distinct period_start, period_end from {{ ref('int_prints') }}
),

-- Spans that can be had from figures since January: the quarter, the month and the twelve months that end there. A stock asks
-- for the twelve months before it too.
wanted as (
    select period_start, period_end from printed
    union
    select date_trunc('quarter', period_end)::date, period_end from printed
    where period_start is not null and period_end = last_day(period_end) and month(period_end) % 3 = 0
    union
    select date_trunc('month', period_end)::date, period_end from printed
    where period_start is not null and period_end = last_day(period_end)
    union
    select date_trunc('year', period_end)::date, period_end from printed
    where period_start is not null and period_end = last_day(period_end)
    union
    select ({{ years_before('period_end', 1) }} + 1)::date, period_end from printed where period_end = last_day(period_end)
),

spans as (
    select
        period_start, period_end,
        {{ period_key('period_start', 'period_end') }} as out_period_key,
        date_trunc('year', period_end)::date as january,
        {{ years_before('period_end', 1) }} as end_before,
        {{ years_before('(period_start - 1)::date', 1) }} as start_before,
        period_start = {{ years_before('period_end', 1) }} + 1 as is_twelve_months,
        period_start = date_trunc('year', period_end) as is_since_january
    from wanted
)

select 'same' as link, out_period_key, out_period_key as in_period_key from spans
union all
select 'calendar_year', out_period_key, out_period_key
from spans where is_since_january and is_twelve_months
union all
select 'same_1', out_period_key, {{ period_key('start_before + 1', 'end_before') }}
from spans where period_start is null or is_since_january or not is_twelve_months
union all
select 'end', out_period_key, {{ period_key('null::date', 'period_end') }} from spans
union all
select 'end_1', out_period_key, {{ period_key('null::date', 'end_before') }} from spans
union all
select 'ltm', out_period_key, {{ period_key('end_before + 1', 'period_end') }} from spans
union all
select 'ltm_1', out_period_key, {{ period_key("(" ~ years_before('end_before', 1) ~ " + 1)", 'end_before') }} from spans
union all
select 'year', out_period_key, {{ period_key('january', "(january + interval 1 year - interval 1 day)::date") }} from spans
union all
select 'year_1', out_period_key, {{ period_key("(january - interval 1 year)::date", "(january - 1)::date") }} from spans
union all
-- decumulation: same start, two ends
select 'ytd', out_period_key, {{ period_key('january', 'period_end') }}
from spans where period_start > january or is_twelve_months and not is_since_january
union all
select 'ytd_before', out_period_key, {{ period_key('january', '(period_start - 1)::date') }}
from spans where period_start > january
union all
-- last twelve months: since January, plus last year, less last year's same months
select 'year_before', out_period_key, {{ period_key("(january - interval 1 year)::date", "(january - 1)::date") }}
from spans where is_twelve_months and not is_since_january
union all
select 'ytd_last_year', out_period_key, {{ period_key("(january - interval 1 year)::date", 'end_before') }}
from spans where is_twelve_months and not is_since_january
