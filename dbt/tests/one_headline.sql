-- (check, key) rows: what readers take as "the" figure is missing or is several. Figures are named by one of their vintages.
-- No CTE holds all facts: each question reads its own few columns.
with counted as (
    -- one preferred and one latest, in one number so that all figures are counted in one pass
    select
        f.series_id, f.period_key, min(f.vintage_id) as vintage_id,
        sum(case when f.is_preferred then 1 else 0 end + case when f.is_latest then 1000000 else 0 end) as flags
    from {{ ref('facts') }} as f
    inner join {{ ref('vintage_attributes') }} as a on a.attributes_id = f.attributes_id
    group by f.series_id, f.period_key, a.origin
    having flags <> 1000001
),

mixed_preferred as (
    select f.vintage_id, f.series_id, f.period_key, a.origin
    from {{ ref('facts') }} as f
    inner join {{ ref('vintage_attributes') }} as a on a.attributes_id = f.attributes_id and a.census_basis = -2
    where f.is_preferred
),

-- nearly all facts are sound: kept are those of the few figures in question
sound as (
    select f.series_id, f.period_key, a.origin
    from {{ ref('facts') }} as f
    semi join mixed_preferred as m on m.series_id = f.series_id and m.period_key = f.period_key
    inner join {{ ref('vintage_attributes') }} as a on a.attributes_id = f.attributes_id and coalesce(a.census_basis, 0) <> -2
    where f.obs_value is not null
),

headlines as not materialized (
    select f.series_id, f.period_key, f.vintage_id, a.origin
    from {{ ref('facts') }} as f
    inner join {{ ref('vintage_attributes') }} as a on a.attributes_id = f.attributes_id
    where f.is_headline
),

faults as (
    select series_id, period_key, vintage_id, unnest([
        case when flags % 1000000 <> 1 then 'preferred' end,
        case when flags // 1000000 <> 1 then 'latest' end
    ]) as fault
    from counted
    union all
    select series_id, period_key, vintage_id, unnest([
        case when is_headline and not is_preferred then 'headline_not_preferred' end,
        case when is_current <> (is_latest or is_preferred) then 'not_in_force' end
    ])
    from {{ ref('facts') }}
    where (is_headline and not is_preferred) or is_current <> (is_latest or is_preferred)
    union all
    -- ours and claims stand behind a responsible publisher's print
    select f.series_id, f.period_key, f.vintage_id, 'headline_not_official'
    from {{ ref('facts') }} as f
    inner join {{ ref('vintage_attributes') }} as a on a.attributes_id = f.attributes_id and a.origin = 'printed' and a.is_official
    where f.is_preferred and not f.is_headline
    union all
    -- a figure on mixed census rounds is shown, never preferred while a same-basis one exists
    select distinct m.series_id, m.period_key, m.vintage_id, 'mixed_preferred'
    from mixed_preferred as m
    inner join sound as s on s.series_id = m.series_id and s.period_key = m.period_key and s.origin = m.origin
    union all
    -- two of one origin are two preferred, or one that is not: what is left is a headline of either origin
    select d.series_id, d.period_key, d.vintage_id, 'headlines'
    from headlines as d
    semi join headlines as p on p.series_id = d.series_id and p.period_key = d.period_key and p.origin = 'printed'
    where d.origin = 'derived'
)

select f.fault,
    concat_ws('/', s.ref_area, s.indicator, s.breakdown, s.currency_scope, s.transformation, s.prices, p.period_start, p.period_end, f.vintage_id) as fault_key
from faults as f
inner join {{ ref('series') }} as s on s.series_id = f.series_id
inner join {{ ref('time_periods') }} as p on p.period_key = f.period_key
where f.fault is not null
