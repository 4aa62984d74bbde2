-- A figure along its own series: its power of ten, its growth, digits it repeats, years it leaves out. Each rule first asks in numbers what can't be
-- out of line; only the rest is weighed, with the particulars of a finding.
{% set far_off = 1.5 %}  {# in logarithms: well short of a power of ten, which is 2.3 #}
with readings as (
    select reading_no, series_id, period_key, obs_value, decimals, is_official, is_telling
    from {{ ref('quality_figures') }}
    where is_level and obs_value > 0
),

-- Everything that says what a figure should be: its neighbours, and other prints of itself; of a figure that somebody responsible prints, only those
-- prints. Asked print by print only where they may be far apart, or where no neighbour says anything: neighbours and prints that lie within half of
-- what is far off around the figure in force are nowhere far off one another.
asked as (
    select series_id, period_key from {{ ref('quality_expectations') }} where scatter > {{ far_off / 2 }} or said is null
    union
    select series_id, period_key from {{ ref('quality_crowds') }} where ln(most / least) > {{ far_off / 2 }} or not is_compared
    union
    select series_id, period_key from {{ ref('quality_figures') }} where is_alone and is_level and obs_value > 0 and not {{ is_compared() }}
),

among_prints as (
    select
        r.reading_no, r.series_id, r.period_key, r.is_official, e.said is not null as is_expected, ln(r.obs_value) as ln_value, e.says_1, e.says_2, e.says_3, e.says_4,
        coalesce(min(case when r.is_official then ln(r.obs_value) end) over figure, min(ln(r.obs_value)) over figure) as least_ln,
        coalesce(max(case when r.is_official then ln(r.obs_value) end) over figure, max(ln(r.obs_value)) over figure) as most_ln
    from readings as r
    inner join asked as a on a.series_id = r.series_id and a.period_key = r.period_key
    left join {{ ref('quality_expectations') }} as e on e.series_id = a.series_id and e.period_key = a.period_key
    window figure as (partition by r.series_id, r.period_key)
),

witnessed as (
    select
        reading_no,
        is_expected or least_ln < ln_value - 1e-12 or most_ln > ln_value + 1e-12 as has_witness,
        ln_value - least(says_1, says_2, says_3, says_4, least_ln) > {{ far_off }}
            or greatest(says_1, says_2, says_3, says_4, most_ln) - ln_value > {{ far_off }} as is_far
    from among_prints
),

-- Only what some witness puts elsewhere by a power of ten is weighed witness by witness.
far as (
    select f.*, ln(f.obs_value) as ln_value
    from {{ ref('quality_figures') }} as f
    semi join (select reading_no from witnessed where is_far) as w on w.reading_no = f.reading_no
),

prints_of_asked as (
    select series_id, period_key, coalesce(list(ln_value) filter (where is_official), list(ln_value)) as lns
    from among_prints
    group by series_id, period_key
    having count(*) > 1
),

weighed as (
    select
        f.*,
        list_filter(list_concat([e.says_1, e.says_2, e.says_3, e.says_4], list_filter(coalesce(s.lns, []), lambda x: abs(x - f.ln_value) > 1e-12)), lambda x: x is not null) as says,
        e.before_1 is null and coalesce(len(s.lns), 1) = 1 as only_later
    from far as f
    left join {{ ref('quality_expectations') }} as e on e.series_id = f.series_id and e.period_key = f.period_key
    left join prints_of_asked as s on s.series_id = f.series_id and s.period_key = f.period_key
),

usual as (
    select r.series_id, mode(r.decimals) as usual_decimals
    from readings as r
    where r.series_id in (select distinct series_id from weighed)
    group by r.series_id
),

powers as (
    select
        w.*, l.value as band, u.usual_decimals,
        list_median(w.says) as said,
        list_filter(list_transform(w.says, lambda x: (w.ln_value - x) / ln(10.0)), lambda q: abs(q - round(q)) < l.value) as whole_powers
    from weighed as w
    inner join usual as u on u.series_id = w.series_id
    inner join {{ ref('quality_series') }} as i on i.series_id = w.series_id
    inner join {{ ref('quality_limits') }} as l on l.rule_id = 'unit_scale' and l.parameter = 'band' and l.indicator = i.indicator
),

power_of_ten as (
    select *, list_mode(list_transform(whole_powers, lambda q: round(q)::integer)) as k
    from powers
),

-- More than half of the witnesses agree on the same power; one alone counts only against the later figure.
scaled as (
    select
        *,
        k <> 0 and 2 * len(list_filter(whole_powers, lambda q: round(q) = k)) > len(says) and not (len(says) = 1 and only_later) as is_off,
        case when k > 0 and usual_decimals - decimals = k then 'lost_decimal_point' else 'unit_scale' end as kind_of_slip
    from power_of_ten
),

scale_tests as (
    select
        case when is_off then kind_of_slip else 'unit_scale' end as rule_id,
        case
            when len(says) = 0 or (len(says) = 1 and only_later) then 'uninformative'
            when is_off and (kind_of_slip = 'lost_decimal_point' or abs(k) in (1, 3, 4, 8, 12)) then 'inconsistent'
            else 'consistent'
        end as answer,
        series_id, period_key, print_no, publication_id as partner, publication_id, vintage_no, judged_as, obs_value as observed, exp(said) as expected,
        exp(said) / pow(10.0, band) as lower, exp(said) * pow(10.0, band) as upper, abs((ln_value - said) / ln(10.0)) / band as score,
        obs_value / pow(10.0, k) as suggested,
        case when k > 0 then '' else '1/' end || pow(10, abs(k))::bigint as detail,
        obs_value::varchar as values_seen
    from scaled
),

-- Growth on the year against the usual one of the series, and of the series in that season.
of_series as (
    select series_id, count(rate) as n, median(rate) as med from {{ ref('quality_expectations') }} group by series_id
),

of_season as (
    select series_id, season, count(rate) as n, median(rate) as med, count(*) as years, max(year) - min(year) + 1 as span
    from {{ ref('quality_expectations') }}
    group by series_id, season
),

limits as (
    select
        i.series_id, z.value as z_value, z.absolute_floor as z_floor, s.value as s_value, s.absolute_floor as s_floor
    from {{ ref('quality_series') }} as i
    left join {{ ref('quality_limits') }} as z on z.rule_id = 'robust_z' and z.parameter = 'threshold' and z.indicator = i.indicator
    left join {{ ref('quality_limits') }} as s on s.rule_id = 'same_season' and s.parameter = 'deviations' and s.indicator = i.indicator
),

-- What falls back from an outlier is not one: two years together are then ordinary. What neither this nor the floor lets pass is in doubt.
growths as (
    select
        g.reading_no, g.series_id, g.season, g.year, g.previous_year, g.before_1, g.rate,
        case
            when l.z_value is null then null
            when g.rate is null or s.n < 8 then 'uninformative'
            when abs(g.rate - s.med) <= l.z_floor or abs(g.two_years / 2 - s.med) <= l.z_floor / 2 then 'consistent'
            else 'in doubt'
        end as by_series,
        case
            when l.s_value is null then null
            when g.rate is null or t.n < 5 then 'uninformative'
            when abs(g.rate - t.med) <= l.s_floor or abs(g.two_years / 2 - t.med) <= l.s_floor / 2 then 'consistent'
            else 'in doubt'
        end as by_season,
        -- a year left out of a series that otherwise has them all
        case
            when g.previous_year is null then 'not_comparable'
            when g.year - g.previous_year = 1 then 'consistent'
            when t.years >= 5 and t.years >= 0.8 * t.span then 'inconsistent'
            else 'uninformative'
        end as by_year
    from {{ ref('quality_expectations') }} as g
    inner join of_series as s on s.series_id = g.series_id
    inner join of_season as t on t.series_id = g.series_id and t.season = g.season
    inner join limits as l on l.series_id = g.series_id
),

growth_answers as (
    select by_series, by_season, by_year, count(*) as figures from growths group by by_series, by_season, by_year
),

-- Series with a growth in doubt: few, and only their figures are looked at again.
doubted as (
    select distinct series_id from growths where by_series = 'in doubt' or by_season = 'in doubt' or by_year = 'inconsistent'
),

rates as (
    select series_id, season, rate from {{ ref('quality_expectations') }} where series_id in (select series_id from doubted)
),

doubtful as (
    select
        g.*, f.period_key, f.print_no, f.publication_id, f.vintage_no, f.judged_as, f.obs_value,
        round(exp(g.before_1), 4) || ' → ' || f.obs_value as values_seen
    from growths as g
    inner join (select * from {{ ref('quality_figures') }} where series_id in (select series_id from doubted)) as f on f.reading_no = g.reading_no
    where g.by_series = 'in doubt' or g.by_season = 'in doubt' or g.by_year = 'inconsistent'
),

spread_of_series as (
    select e.series_id, median(abs(e.rate - s.med)) as mad, avg(abs(e.rate - s.med)) as mean_deviation
    from rates as e
    inner join of_series as s on s.series_id = e.series_id
    group by e.series_id
),

z_tests as (
    select
        'robust_z' as rule_id,
        case
            when d.mad = 0 and d.mean_deviation = 0 then 'consistent'
            when abs(case when d.mad > 0 then 0.6745 * (g.rate - s.med) / d.mad else (g.rate - s.med) / (1.253314 * d.mean_deviation) end) <= l.z_value then 'consistent'
            else 'inconsistent'
        end as answer,
        g.series_id, g.period_key, g.print_no, 'z' as partner, g.publication_id, g.vintage_no, g.judged_as, g.obs_value as observed,
        exp(g.before_1 + s.med) as expected,
        exp(g.before_1 + s.med - greatest(l.z_floor, l.z_value * d.mad / 0.6745)) as lower, exp(g.before_1 + s.med + greatest(l.z_floor, l.z_value * d.mad / 0.6745)) as upper,
        abs(g.rate - s.med) / greatest(l.z_floor, l.z_value * d.mad / 0.6745) as score,
        round(100 * (exp(g.rate) - 1), 1) || '% / ' || round(100 * (exp(s.med) - 1), 1) || '%' as detail, g.values_seen
    from doubtful as g
    inner join limits as l on l.series_id = g.series_id
    inner join of_series as s on s.series_id = g.series_id
    inner join spread_of_series as d on d.series_id = g.series_id
    where g.by_series = 'in doubt'
),

spread_of_season as (
    select e.series_id, e.season, 1.4826 * median(abs(e.rate - s.med)) as spread
    from rates as e
    inner join of_season as s on s.series_id = e.series_id and s.season = e.season
    group by e.series_id, e.season
),

season_tests as (
    select
        'same_season' as rule_id,
        case when abs(g.rate - s.med) <= l.s_value * d.spread then 'consistent' else 'inconsistent' end as answer,
        g.series_id, g.period_key, g.print_no, 'season' as partner, g.publication_id, g.vintage_no, g.judged_as, g.obs_value as observed,
        exp(g.before_1 + s.med) as expected,
        exp(g.before_1 + s.med - greatest(l.s_floor, l.s_value * d.spread)) as lower, exp(g.before_1 + s.med + greatest(l.s_floor, l.s_value * d.spread)) as upper,
        abs(g.rate - s.med) / greatest(l.s_floor, l.s_value * d.spread) as score,
        round(100 * (exp(g.rate) - 1), 1) || '% / ' || round(100 * (exp(s.med) - 1), 1) || '%' as detail, g.values_seen
    from doubtful as g
    inner join limits as l on l.series_id = g.series_id
    inner join of_season as s on s.series_id = g.series_id and s.season = g.season
    inner join spread_of_season as d on d.series_id = g.series_id and d.season = g.season
    where g.by_season = 'in doubt'
),

gap_tests as (
    select
        'gap' as rule_id, 'inconsistent' as answer,
        g.series_id, g.period_key, g.print_no, 'gap' as partner, g.publication_id, g.vintage_no, g.judged_as, (g.year - g.previous_year - 1)::double as score,
        (g.previous_year + 1) || case when g.year - g.previous_year > 2 then '–' || (g.year - 1) else '' end as detail,
        g.previous_year || '–' || g.year as values_seen
    from doubtful as g
    where g.by_year = 'inconsistent'
),

-- Figures in time: a row a period, the figure in force and within what its prints lie.
levels as (
    select series_id, period_key, rhythm, year, value, least, most from {{ ref('quality_crowds') }}
    union all
    select series_id, period_key, {{ rhythm() }}, year, case when is_current then obs_value end, obs_value, obs_value
    from {{ ref('quality_figures') }}
    where is_alone and is_level and obs_value > 0
),

-- Only what lies within the prints of the period before may repeat one of them.
in_sequence as (
    select
        series_id, period_key, value - lag(value ignore nulls) over in_time as step,
        case when year - lag(year) over in_time <= 1 then lag(period_key) over in_time end as before_key,
        least <= lag(most) over in_time and most >= lag(least) over in_time as may_repeat
    from levels
    window in_time as (partition by series_id, rhythm order by period_key)
),

-- Digits repeated from the period before, or taken from the one after. Which of the two is out of place, their other neighbours say.
may_repeat as materialized (
    select p.reading_no, p.series_id, p.period_key, p.obs_value, p.decimals, p.is_telling, k.before_key
    from readings as p
    inner join in_sequence as k on k.series_id = p.series_id and k.period_key = p.period_key
    where k.may_repeat
),

same_digits as (
    select p.*, g.reading_no as before_no
    from may_repeat as p
    inner join {{ ref('quality_figures') }} as g on g.series_id = p.series_id and g.period_key = p.before_key and g.obs_value = p.obs_value
    where g.is_level
    qualify row_number() over (partition by p.reading_no order by g.vintage_no nulls last) = 1
),

-- Two neighbours agree by chance as often as a unit of the last digit goes into the usual step.
steps as (
    select series_id, median(abs(step)) as step from in_sequence group by series_id
),

repeats as (
    select series_id, decimals, is_telling, count(*) as repeats from same_digits group by series_id, decimals, is_telling
),

pairs as (
    select p.series_id, p.decimals, p.is_telling, count(*) as figures
    from readings as p
    anti join (select series_id, period_key from in_sequence where before_key is null) as k on k.series_id = p.series_id and k.period_key = p.period_key
    group by p.series_id, p.decimals, p.is_telling
),

habit as (
    select p.series_id, sum(p.figures) as pairs, coalesce(sum(r.repeats), 0) as repeats, any_value(s.step) as step, any_value(l.value) as most_chance
    from pairs as p
    left join repeats as r on r.series_id = p.series_id and r.decimals is not distinct from p.decimals and r.is_telling is not distinct from p.is_telling
    inner join steps as s on s.series_id = p.series_id
    inner join {{ ref('quality_series') }} as i on i.series_id = p.series_id
    inner join {{ ref('quality_limits') }} as l on l.rule_id = 'stale' and l.parameter = 'chance' and l.indicator = i.indicator
    group by p.series_id
),

fresh as (
    select
        'stale' as rule_id,
        case when not p.is_telling or coalesce(pow(10.0, -p.decimals) / nullif(h.step, 0), 1.0) > h.most_chance then 'uninformative' else 'consistent' end as answer,
        p.figures - coalesce(r.repeats, 0) as figures
    from pairs as p
    inner join habit as h on h.series_id = p.series_id
    left join repeats as r on r.series_id = p.series_id and r.decimals is not distinct from p.decimals and r.is_telling is not distinct from p.is_telling
),

repeated as (
    select
        p.*, h.repeats, h.pairs, coalesce(pow(10.0, -p.decimals) / nullif(h.step, 0), 1.0) as chance, h.most_chance,
        abs(ln(p.obs_value) - e.said) as off, abs(ln(p.obs_value) - b.said) as off_before
    from same_digits as p
    inner join habit as h on h.series_id = p.series_id
    left join {{ ref('quality_expectations') }} as e on e.series_id = p.series_id and e.period_key = p.period_key
    left join {{ ref('quality_expectations') }} as b on b.series_id = p.series_id and b.period_key = p.before_key
),

repeat_tests as (
    select
        case when coalesce(r.off_before, 0) > coalesce(r.off, 0) then 'shifted_period' else 'stale' end as rule_id,
        case
            when not r.is_telling or r.chance > r.most_chance then 'uninformative'
            -- a series that stands still now and then says nothing by standing still
            when r.repeats > 1 and r.repeats > 0.2 * r.pairs then 'uninformative'
            else 'inconsistent'
        end as answer,
        r.series_id, f.period_key, f.print_no, 'next' as partner, f.publication_id, f.vintage_no, f.judged_as,
        r.obs_value as observed, greatest(coalesce(r.off, 0), coalesce(r.off_before, 0)) as score, r.obs_value::varchar as detail, r.obs_value::varchar as values_seen
    from repeated as r
    inner join {{ ref('quality_figures') }} as f on f.reading_no = case when coalesce(r.off_before, 0) > coalesce(r.off, 0) then r.before_no else r.reading_no end
),

tests as (
    select * from scale_tests
    union all by name
    select * from z_tests
    union all by name
    select * from season_tests
    union all by name
    select * from repeat_tests
    union all by name
    select * from gap_tests
),

counted as (
    select 'unit_scale' as rule_id, 'consistent' as answer, (select count(*) from readings) - (select count(*) from witnessed) as figures
    union all
    select 'unit_scale', case when has_witness then 'consistent' else 'uninformative' end, count(*) from witnessed where not is_far group by 2
    {% for rule, answer in (('robust_z', 'by_series'), ('same_season', 'by_season'), ('gap', 'by_year')) %}
    union all
    select '{{ rule }}', {{ answer }}, sum(figures) from growth_answers where {{ answer }} not in ('in doubt', 'inconsistent') group by 2
    {% endfor %}
    union all
    select rule_id, answer, figures from fresh
)

{{ flagged_and_counted('tests', 'counted') }}
