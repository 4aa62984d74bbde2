-- A figure has one latest vintage, so those are the periods. A period's key begins with its last day, so the least key is the earliest.
-- All facts are counted by numbers; the words of frequency, coverage and origin come to the rows that are left.
with kinds as (
    select period_key, dense_rank() over (order by freq, coverage) as kind_no from {{ ref('time_periods') }}
),

origins as (
    select attributes_id, origin = 'printed' as is_printed from {{ ref('vintage_attributes') }}
),

counted as (
    select
        f.series_id, o.is_printed, k.kind_no,
        min(f.period_key) as first_key, max(f.period_key) as last_key,
        count(*) filter (where f.is_latest) as periods, count(*) as vintages,
        min(f.known_by) as first_known_by, max(f.known_by) as last_known_by
    from {{ ref('facts') }} as f
    inner join origins as o on o.attributes_id = f.attributes_id
    inner join kinds as k on k.period_key = f.period_key
    group by f.series_id, o.is_printed, k.kind_no
)

select
    s.ref_area, s.indicator, s.breakdown, s.currency_scope, s.transformation, s.prices,
    case when c.is_printed then 'printed' else 'derived' end as origin, a.freq, a.coverage,
    a.period_end as first_period_end, z.period_end as last_period_end, a.time_period as first_period, z.time_period as last_period,
    c.periods, c.vintages, c.first_known_by, c.last_known_by
from counted as c
inner join {{ ref('series') }} as s on s.series_id = c.series_id
inner join {{ ref('time_periods') }} as a on a.period_key = c.first_key
inner join {{ ref('time_periods') }} as z on z.period_key = c.last_key
