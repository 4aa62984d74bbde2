-- Printed periods with what the rules ask of a span. `season` is the part of the year that a span is, so that equal seasons of two years may be
-- compared; periods of one `rhythm` follow one another along a series: its stocks, its flows since January, its spans of so many months.
with spans as (
    select
        period_key, period_end,
        year(period_end)::integer as year,
        case when period_start is null then 'stock' when period_start = date_trunc('year', period_end) then 'since_january' else 'single' end as span_kind,
        case when period_start is null then 0 else round((period_end - period_start + 1) / 30.4) end::integer as months
    from {{ ref('int_periods') }}
)

select
    *,
    (month(period_end) * 10000 + (case when period_end = last_day(period_end) then 0 else day(period_end) end) * 100 + least(99, months))::integer as season,
    case span_kind when 'stock' then -1 when 'since_january' then -2 else months end as rhythm
from spans
