-- What a level should be by its neighbours: the same season one and two years before and after, each carried to this year by growth (the
-- median of all areas in that year where there are five, else the series' own, else the indicator's). The median of up to four is not moved by
-- one wrong neighbour. In logarithms; only positive levels.
with current_levels as (
    select
        f.reading_no, f.series_id, f.period_key, f.group_key, f.season, f.year, ln(f.obs_value) as ln_value,
        case when c.series_id is null then ln(f.obs_value) end as ln_trusted, case when c.series_id is null then f.year end as year_trusted
    from {{ ref('quality_figures') }} as f
    left join {{ ref('quality_crowds') }} as c on c.series_id = f.series_id and c.period_key = f.period_key and c.is_contested
    where f.is_level and f.obs_value > 0 and {{ is_compared() }}
),

neighbours as (
    select
        *,
        lag(year) over by_season as previous_year, lead(year) over by_season as next_year,
        lag(ln_trusted ignore nulls) over by_season as before_1, lag(year_trusted ignore nulls) over by_season as before_1_year,
        lag(ln_trusted, 2 ignore nulls) over by_season as before_2, lag(year_trusted, 2 ignore nulls) over by_season as before_2_year,
        lead(ln_trusted ignore nulls) over by_season as after_1, lead(year_trusted ignore nulls) over by_season as after_1_year,
        lead(ln_trusted, 2 ignore nulls) over by_season as after_2, lead(year_trusted, 2 ignore nulls) over by_season as after_2_year
    from current_levels
    window by_season as (partition by series_id, season order by year)
),

growths as (
    select *, case when year - before_1_year <= 3 then (ln_value - before_1) / (year - before_1_year) end as growth
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

-- The scale of what is left of growth after its norm; robust, one for all areas of an indicator.
spread as (
    select group_key, 1.4826 * median(abs(growth - norm)) as sigma from normed where growth is not null group by group_key
),

carried as (
    select
        *,
        case when year - before_1_year <= 3 then before_1 + (year - before_1_year) * norm end as says_1,
        case when year - before_2_year <= 3 then before_2 + (year - before_2_year) * norm end as says_2,
        case when after_1_year - year <= 3 then after_1 - (after_1_year - year) * norm_after end as says_3,
        case when after_2_year - year <= 3 then after_2 - (after_2_year - year) * norm_after end as says_4
    from normed
)

select
    n.reading_no, n.series_id, n.period_key, n.group_key, n.season, n.year, n.ln_value as current_ln, n.previous_year, n.before_1,
    -- growth on the year, and of the two years together
    case when n.year - n.before_1_year = 1 then n.ln_value - n.before_1 end as rate,
    case when n.year - n.before_2_year = 2 then n.ln_value - n.before_2 end as two_years,
    n.says_1, n.says_2, n.says_3, n.says_4,
    {{ median_of_four('n.says_1', 'n.says_2', 'n.says_3', 'n.says_4') }} as said,
    greatest(n.says_1, n.says_2, n.says_3, n.says_4, n.ln_value) - least(n.says_1, n.says_2, n.says_3, n.says_4, n.ln_value) as scatter,
    coalesce(s.sigma, 0.0) as sigma
from carried as n
left join spread as s on s.group_key = n.group_key
