-- Labels for people: frequency, SDMX time period and what the span covers. Derived from the two days, never joined on.
with keys as (
    select distinct period_key from {{ ref('int_vintages') }}
    union
    select distinct period_key from {{ ref('int_derived') }}
),

days as (
    select
        period_key,
        case when period_key % 100000 > 0
            then (date '1900-01-01' + (period_key // 100000)::integer - (period_key % 100000)::integer + 1)::date end as period_start,
        (date '1900-01-01' + (period_key // 100000)::integer)::date as period_end
    from keys
),

shapes as (
    select
        *,
        year(period_end) as y,
        month(period_end) as m,
        period_end = last_day(period_end) as ends_month,
        period_start = date_trunc('year', period_end) as since_january,
        case when period_end = last_day(period_end) and day(period_start) = 1
            then date_diff('month', period_start, period_end) + 1 end as months
    from days
)

select
    period_key, period_start, period_end,
    case
        when period_start is null and not ends_month then 'D'
        when period_start is null then case when m = 12 then 'A' when m % 3 = 0 then 'Q' else 'M' end
        when months = 12 and m = 12 then 'A'
        when months is null then 'D'
        when months % 12 = 0 and m = 12 then 'A'
        when months = 6 and m = 12 then 'S'
        when m % 3 = 0 and (months % 3 = 0) then 'Q'
        else 'M'
    end as freq,
    case
        when period_start is null and not ends_month then strftime(period_end, '%Y-%m-%d')
        when period_start is null and m = 12 or (months = 12 and m = 12) then y::varchar
        when months > 12 and months % 12 = 0 and m = 12 then year(period_start) || '/' || y
        when months = 6 and m = 12 then y || '-S2'
        when period_start is not null and months is null then strftime(period_start, '%Y-%m-%d') || '/' || strftime(period_end, '%Y-%m-%d')
        when m % 3 = 0 and (period_start is null or months % 3 = 0) then y || '-Q' || (m // 3)
        else strftime(period_end, '%Y-%m')
    end as time_period,
    case
        when period_start is null then 'end of period'
        when months in (1, 3) or (months = 12 and m = 12) or (months = 6 and m = 12) then 'period'
        when since_january then 'year-to-date'
        when months = 12 then 'last twelve months'
        else 'span'
    end as coverage
from shapes
