-- Positive levels, a row a series and period: the figure in force, within what its prints lie, and what it should be by its neighbours: the same season one
-- and two years before and after, each carried to this year by growth (the median of all areas in that year where there are five, else the series' own, else
-- the indicator's). The median of up to four is not moved by one wrong neighbour. What neighbours say is in logarithms, and only of levels that are
-- compared: figures in force that are no open bounds.
-- Of some levels several things are said. Prints of one standing that differ by half make the figure no witness for others; a claim does not shake a
-- responsible print.
with crowds as (
    select
        series_id, period_key, max(reading_no) filter (where is_current) as reading_no, max(obs_value) filter (where is_current) as value,
        ln(min(obs_value)) as least_ln, ln(max(obs_value)) as most_ln, bool_or(is_compared) as is_compared,
        coalesce(max(obs_value) filter (where is_official), max(obs_value)) > 1.5 * coalesce(min(obs_value) filter (where is_official), min(obs_value)) as is_contested
    from {{ ref('quality_figures') }}
    where not is_alone and is_level and obs_value > 0
    group by series_id, period_key
),

said as (
    select series_id, period_key, reading_no, value, least_ln, most_ln, is_compared, is_contested from crowds
    union all
    select series_id, period_key, reading_no, case when is_current then obs_value end, ln(obs_value), ln(obs_value), is_compared, false
    from {{ ref('quality_figures') }}
    where is_alone and is_level and obs_value > 0
),

levels as (
    select
        l.*, s.group_key, p.season, p.year,
        case when l.is_compared and not l.is_contested then ln(l.value) end as ln_trusted, case when l.is_compared and not l.is_contested then p.year end as year_trusted
    from said as l
    inner join {{ ref('quality_series') }} as s on s.series_id = l.series_id
    inner join {{ ref('quality_periods') }} as p on p.period_key = l.period_key
),

-- What is not compared stands by itself.
neighbours as (
    select
        series_id, period_key, reading_no, group_key, season, year, value, least_ln, most_ln, is_compared, ln(value) as ln_value,
        case when is_compared then lag(year) over by_season end as previous_year, lead(year) over by_season as next_year,
        lag(ln_trusted ignore nulls) over by_season as before_1, year - lag(year_trusted ignore nulls) over by_season as before_1_years,
        lag(ln_trusted, 2 ignore nulls) over by_season as before_2, year - lag(year_trusted, 2 ignore nulls) over by_season as before_2_years,
        lead(ln_trusted ignore nulls) over by_season as after_1, lead(year_trusted ignore nulls) over by_season - year as after_1_years,
        lead(ln_trusted, 2 ignore nulls) over by_season as after_2, lead(year_trusted, 2 ignore nulls) over by_season - year as after_2_years
    from levels
    window by_season as (partition by series_id, season, is_compared order by year)
),

growths as (
    select *, case when before_1_years <= 3 then (ln_value - before_1) / before_1_years end as growth
    from neighbours
),

of_year as (
    select group_key, season, year, median(growth) as growth from growths group by group_key, season, year having count(growth) >= 5
),

-- Where too few areas tell what a year did, the series itself does, or its group: asked only there. Nothing is carried into a year without one
-- before it.
untold as (
    select g.group_key, g.series_id, g.growth
    from growths as g
    semi join (
        select t.series_id
        from growths as t
        anti join of_year as y on y.group_key = t.group_key and y.season = t.season and y.year = t.year
        where t.previous_year is not null
    ) as u on u.series_id = g.series_id
),

of_series as (
    select series_id, median(growth) as growth from untold group by series_id having count(growth) >= 3
),

of_group as (
    select g.group_key, median(g.growth) as growth
    from growths as g
    semi join (select u.group_key from untold as u anti join of_series as s on s.series_id = u.series_id) as w on w.group_key = g.group_key
    group by g.group_key
    having count(g.growth) >= 3
),

normed as (
    select
        g.*,
        coalesce(y.growth, s.growth, o.growth, 0.0) as norm,
        coalesce(z.growth, s.growth, o.growth, 0.0) as norm_after
    from growths as g
    left join of_year as y on y.group_key = g.group_key and y.season = g.season and y.year = g.year
    left join of_year as z on z.group_key = g.group_key and z.season = g.season and z.year = g.next_year
    left join of_series as s on s.series_id = g.series_id
    left join of_group as o on o.group_key = g.group_key
),

carried as (
    select
        *,
        case when before_1_years <= 3 then before_1 + before_1_years * norm end as says_1,
        case when before_2_years <= 3 then before_2 + before_2_years * norm end as says_2,
        case when after_1_years <= 3 then after_1 - after_1_years * norm_after end as says_3,
        case when after_2_years <= 3 then after_2 - after_2_years * norm_after end as says_4
    from normed
)

select
    series_id, period_key, reading_no, group_key, season, year, value, least_ln, most_ln, is_compared, previous_year, before_1,
    -- growth on the year, and of the two years together
    case when before_1_years = 1 then ln_value - before_1 end as rate,
    case when before_2_years = 2 then ln_value - before_2 end as two_years,
    -- what is left of growth after its norm
    growth - norm as surprise,
    {{ median_of_four('says_1', 'says_2', 'says_3', 'says_4') }} as said,
    -- what each says, only where some of all that is said, prints and neighbours, lies far from other
    case
        when greatest(greatest(says_1, says_2), greatest(says_3, says_4), most_ln) - least(least(says_1, says_2), least(says_3, says_4), least_ln) > {{ far_off() }}
            then list_filter([says_1, says_2, says_3, says_4], lambda x: x is not null)
    end as says
from carried
