{{ config(materialized='table_macro', parameters='tbl, threshold := 3.5') }}
-- Modified z score (Iglewicz and Hoaglin) over any table (id, value), named as a string. Where the median absolute deviation is nought,
-- 1.2533 × the mean absolute deviation stands for the standard deviation; where that is nought too there is no score.
with figures as (
    select id, case when isfinite("value"::double) then "value"::double end as figure
    from query_table(tbl::varchar)
),

centred as (
    select *, figure - median(figure) over () as deviation
    from figures
),

spreads as (
    select *, median(abs(deviation)) over () as mad, avg(abs(deviation)) over () as mean_deviation
    from centred
),

scored as (
    select
        id,
        case when mad > 0 then 0.6745 * deviation / mad when mean_deviation > 0 then deviation / (1.2533 * mean_deviation) end as score
    from spreads
)

select id, score, case when score > threshold::double then 'high' when score < -(threshold::double) then 'low' end as flag
from scored
