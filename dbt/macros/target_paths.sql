{# The required trajectory of each target, year by year and quarter by quarter: the mart `target_paths` and the table macro
   `methods.target_paths_as_of` are this text. Amounts are decimals, so that the quarters of a year add up to it exactly. #}
{% macro target_paths(progress) %}
with progress as (
    select * from {{ progress }}
),

{{ words_said() }},

aimed as (
    select
        t.*, p.as_of, p.is_today, p.target_level as level, p.base_value, p.base_source, p.base_period_end, p.reason as not_rated, p.verdict,
        {{ year_position('p.base_period_end') }} as base_year,
        {{ year_position('t.period_end') }} as target_year,
        p.target_status
    from progress as p
    inner join {{ ref('targets') }} as t on t.target_id = p.target_id
    where t.scored and p.reason is distinct from 'target_undated' and p.reason is distinct from 'target_possibly_known'
        and p.reason is distinct from 'target_not_public'
),

-- Where a path starts and why there may be none. What is held has the same level throughout; what adds up starts from nought.
started as (
    select
        a.* exclude (base_value, base_year),
        case when aggregation = 'every' then level when aggregation = 'sum' then 0 else base_value end as start_value,
        case
            when aggregation in ('sum', 'every') then year(window_start) - 1
            else base_year
        end as start_year,
        case
            when comparator = 'improve' then 'no_level'
            when transformation <> 'N' and base_value is null then 'single_period'
            when level is null and base_value is null then 'base_missing'
            when aggregation in ('sum', 'every') then null
            when base_value is null then 'base_missing'
            when base_year >= target_year then 'target_not_after_base'
            when path_kind = 'geometric' and (base_value <= 0 or level <= 0) then 'zero_or_negative_base'
        end as no_path
    from aimed as a
),

-- Corners: the start, the milestones of the chain, the target.
corners as (
    select target_id, start_year::double as at_year, start_value as corner_value from started where no_path is null
    union all
    select s.target_id, {{ year_position('m.period_end') }}, m.target_level
    from started as s
    inner join {{ ref('targets') }} as m
        on m.milestone_chain = s.milestone_chain and m.period_end < s.period_end and (s.is_today or m.known_by <= s.as_of)
    where s.no_path is null and {{ year_position('m.period_end') }} > s.start_year
    union all
    select target_id, target_year, level from started where no_path is null
),

legs as (
    select
        *,
        lead(at_year) over (partition by target_id order by at_year) as to_year,
        lead(corner_value) over (partition by target_id order by at_year) as to_value
    from corners
),

years as (
    select
        s.*, y.at_year,
        (case when s.aggregation = 'sum' then s.level * (y.at_year - s.start_year) / (s.target_year - s.start_year)
            else {{ path_value('l.corner_value', 'l.at_year', 'l.to_value', 'l.to_year', 'y.at_year', "s.path_kind") }}
        end)::decimal(28, 8) as required_value
    from started as s
    inner join lateral (select unnest(range(ceil(s.start_year)::bigint, floor(s.target_year)::bigint + 1))::double as at_year) as y on true
    inner join legs as l on l.target_id = s.target_id and y.at_year >= l.at_year and y.at_year <= l.to_year
    where s.no_path is null and y.at_year > s.start_year
    qualify row_number() over (partition by s.target_id, y.at_year order by l.at_year) = 1
),

yearly as (
    select
        target_id, 'A' as freq, at_year::integer as of_year, 4 as quarter,
        required_value, required_value as required_to_date,
        null::double as share_of_year, null::integer as years_of_shares, null::varchar as basis, null::varchar as reason
    from years
),

-- Stocks: the same trajectory at the quarters' ends.
moments as (
    select
        s.target_id, floor(q.at_year - 0.125)::integer + 1 as of_year, ((round(q.at_year * 4)::integer - 1) % 4 + 1)::integer as quarter,
        (case when s.aggregation = 'every' then s.level
            else {{ path_value('l.corner_value', 'l.at_year', 'l.to_value', 'l.to_year', 'q.at_year', "s.path_kind") }} end)::decimal(28, 8) as level_then
    from started as s
    inner join lateral (
        select unnest(range((ceil(s.start_year * 4))::bigint, floor(s.target_year * 4)::bigint + 1)) / 4.0::double as at_year
    ) as q on true
    inner join legs as l on l.target_id = s.target_id and q.at_year >= l.at_year and q.at_year <= l.to_year
    where s.no_path is null and s.span = 'end' and s.aggregation <> 'sum' and q.at_year >= s.start_year
    qualify row_number() over (partition by s.target_id, q.at_year order by l.at_year) = 1
),

stocks as (
    select
        target_id, 'Q' as freq, of_year, quarter,
        level_then - lag(level_then) over (partition by target_id order by of_year, quarter) as required_value,
        level_then as required_to_date, null::double as share_of_year, null::integer as years_of_shares, 'interpolated' as basis, null::varchar as reason
    from moments
    qualify lag(level_then) over (partition by target_id order by of_year, quarter) is not null
),

-- Flows: what share of its year each quarter-to-date was in past years. Both stand on one census round, or the year doesn't count.
usable as (
    select f.*, s.as_of, s.is_today
    from started as s
    inner join {{ ref('target_figures') }} as f on f.target_id = s.target_id
    where s.span = 'period' and s.path_kind = 'geometric' and f.fit <> 'other' and f.obs_value > 0 and (s.is_today or f.known_by <= s.as_of)
        and f.period_end <= s.as_of and coalesce(f.census_basis, '') <> 'mixed' and f.lower is not null and f.upper is not null
),

past as (
    select
        d.target_id, year(d.period_end) as past_year, month(d.period_end) // 3 as quarter,
        d.obs_value / y.obs_value as share
    from usable as d
    inner join usable as y
        on y.target_id = d.target_id and y.span_kind = 'year' and year(y.period_end) = year(d.period_end)
        and y.census_basis is not distinct from d.census_basis
    where d.span_kind = 'year_to_date' and month(d.period_end) < 12
    qualify row_number() over (
        partition by d.target_id, d.period_end
        order by (d.origin = 'printed') desc, d.is_official desc, d.sequence desc, (y.origin = 'printed') desc, y.is_official desc, y.sequence desc
    ) = 1
),

-- The last three years that show all three quarters-to-date.
whole as (
    select target_id, past_year
    from past
    group by target_id, past_year
    having count(distinct quarter) = 3
    qualify row_number() over (partition by target_id order by past_year desc) <= 3
),

shares as (
    select p.target_id, p.quarter, median(p.share) as share, count(*)::integer as years
    from past as p
    semi join whole as w on w.target_id = p.target_id and w.past_year = p.past_year
    group by all
),

flow_quarters as (
    select
        y.target_id, y.at_year::integer as of_year, q.quarter, y.required_value as year_value,
        case when q.quarter = 4 then y.required_value else (y.required_value::double * h.share)::decimal(28, 8) end as to_date,
        case when q.quarter = 4 then 1.0 else h.share end as share, coalesce(h.years, n.years, 0) as years
    from years as y
    cross join (values (1), (2), (3), (4)) as q(quarter)
    left join shares as h on h.target_id = y.target_id and h.quarter = q.quarter
    left join (select target_id, max(years) as years from shares group by target_id) as n on n.target_id = y.target_id
    where y.span = 'period' and y.path_kind = 'geometric'
),

flows as (
    select
        target_id, 'Q' as freq, of_year, quarter,
        case when years >= 3 then to_date - coalesce(lag(to_date) over (partition by target_id, of_year order by quarter), 0) end as required_value,
        case when years >= 3 then to_date end as required_to_date,
        case when years >= 3 then share end as share_of_year, years as years_of_shares,
        case when years >= 3 then 'median_shares' end as basis,
        case when years < 3 then 'too_few_past_years' end as reason
    from flow_quarters
),

-- A share or a rate of a year has no quarters; what has no path at all says why, in one row.
points as (
    select * from yearly
    union all by name
    select * from stocks
    union all by name
    select * from flows
    union all by name
    select y.target_id, 'Q' as freq, y.at_year::integer as of_year, 4 as quarter, 'not_split_within_year' as reason
    from years as y
    where y.span = 'period' and y.path_kind <> 'geometric'
    union all by name
    select target_id, 'A' as freq, year(period_end)::integer as of_year, 4 as quarter, no_path as reason from started where no_path is not null
)

select
    s.target_id, s.plan_id, s.as_of, s.is_today, s.ref_area, s.indicator, p.freq,
    case when p.freq = 'A' then p.of_year::varchar else p.of_year || '-Q' || p.quarter end as time_period,
    case
        when s.span = 'end' and s.aggregation <> 'sum' then 'end of period'
        when p.freq = 'A' then 'period'
        else 'year-to-date'
    end as coverage,
    last_day(make_date(p.of_year::bigint, (p.quarter * 3)::bigint, 1)) as period_end,
    s.path_kind, s.base_source,
    p.required_value::decimal(28, 8) as required_value, p.required_to_date::decimal(28, 8) as required_to_date,
    p.share_of_year, p.years_of_shares, p.basis, coalesce(p.reason, '') as reason,
    f.obs_value as actual_value, f.lower as actual_lower, f.upper as actual_upper, f.vintage_id as actual_vintage_id,
    -- the path against the interval of the actual, in the direction wanted
    case
        when f.obs_value is null or p.required_to_date is null then null
        when s.direction * (case when s.direction > 0 then f.lower else f.upper end) >= s.direction * p.required_to_date::double then 'ahead'
        when s.direction * (case when s.direction > 0 then f.upper else f.lower end) < s.direction * p.required_to_date::double then 'behind'
        else 'within print'
    end as against_path,
    {{ said("p.reason", 'zh') }} as reason_zh, {{ said("p.reason", 'en') }} as reason_en
from points as p
inner join started as s on s.target_id = p.target_id
cross join words
left join lateral (
    select f.*
    from {{ ref('target_figures') }} as f
    where f.target_id = p.target_id and f.fit <> 'other' and f.obs_value is not null and (s.is_today or f.known_by <= s.as_of)
        and f.period_end <= s.as_of and s.aggregation <> 'sum'
        and f.period_end = last_day(make_date(p.of_year::bigint, (p.quarter * 3)::bigint, 1))
        and (f.span_kind = case when s.span = 'end' then 'moment' when p.quarter = 4 then 'year' else 'year_to_date' end)
    order by (coalesce(f.census_basis, '') = 'mixed'), (f.fit = 'assumed'), case when f.origin = 'printed' and f.is_official then 0 when f.origin = 'derived' then 1 else 2 end, f.sequence desc
    limit 1
) as f on true
{% endmacro %}
