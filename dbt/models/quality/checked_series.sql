-- A figure along its own series: its power of ten, its growth, digits it repeats, years it leaves out. Each rule first asks in numbers what can't be
-- out of line; only the rest is weighed, with the particulars of a finding.
{% set consistent, uninformative, not_comparable, in_doubt = 0, 1, 2, 3 %}  {# answers of all figures, in numbers #}
with readings as not materialized (
    select reading_no, series_id, period_key, obs_value, decimals, is_official, is_telling
    from {{ ref('quality_figures') }}
    where is_level and obs_value > 0
),

-- Everything that says what a figure should be: its neighbours, and other prints of itself; of a figure that somebody responsible prints, only those
-- prints. Asked print by print only where some of all that lies far from other, or where no neighbour says anything.
asked as (
    select series_id, period_key, before_1, said, coalesce(says, []) as says
    from {{ ref('quality_levels') }}
    where said is null or says is not null
),

among_prints as (
    select
        r.reading_no, r.series_id, r.period_key, r.is_official, a.said is not null as is_expected, ln(r.obs_value) as ln_value, a.says,
        coalesce(min(case when r.is_official then ln(r.obs_value) end) over figure, min(ln(r.obs_value)) over figure) as least_ln,
        coalesce(max(case when r.is_official then ln(r.obs_value) end) over figure, max(ln(r.obs_value)) over figure) as most_ln
    from readings as r
    inner join asked as a on a.series_id = r.series_id and a.period_key = r.period_key
    window figure as (partition by r.series_id, r.period_key)
),

witnessed as (
    select
        reading_no,
        is_expected or least_ln < ln_value - 1e-12 or most_ln > ln_value + 1e-12 as has_witness,
        ln_value - least(list_min(says), least_ln) > {{ far_off() }}
            or greatest(list_max(says), most_ln) - ln_value > {{ far_off() }} as is_far
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
        list_concat(a.says, list_filter(coalesce(s.lns, []), lambda x: abs(x - f.ln_value) > 1e-12)) as says,
        a.before_1 is null and coalesce(len(s.lns), 1) = 1 as only_later
    from far as f
    inner join asked as a on a.series_id = f.series_id and a.period_key = f.period_key
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
    select series_id, count(rate) as n, median(rate) as med from {{ ref('quality_levels') }} where is_compared group by series_id
),

of_season as (
    select series_id, season, count(rate) as n, median(rate) as med, count(*) as years, max(year) - min(year) + 1 as span
    from {{ ref('quality_levels') }}
    where is_compared
    group by series_id, season
),

usual_growth as (
    select
        t.series_id, t.season, s.n, s.med, t.n as season_n, t.med as season_med, t.years >= 5 and t.years >= 0.8 * t.span as has_all_years,
        z.value as z_value, z.absolute_floor as z_floor, d.value as s_value, d.absolute_floor as s_floor
    from of_season as t
    inner join of_series as s on s.series_id = t.series_id
    inner join {{ ref('quality_series') }} as i on i.series_id = t.series_id
    left join {{ ref('quality_limits') }} as z on z.rule_id = 'robust_z' and z.parameter = 'threshold' and z.indicator = i.indicator
    left join {{ ref('quality_limits') }} as d on d.rule_id = 'same_season' and d.parameter = 'deviations' and d.indicator = i.indicator
),

-- What falls back from an outlier is not one: two years together are then ordinary. What neither this nor the floor lets pass is in doubt.
growths as (
    select
        g.reading_no, g.series_id,
        case
            when u.z_value is null then null
            when g.rate is null or u.n < 8 then {{ uninformative }}
            when abs(g.rate - u.med) <= u.z_floor or abs(g.two_years / 2 - u.med) <= u.z_floor / 2 then {{ consistent }}
            else {{ in_doubt }}
        end::tinyint as by_series,
        case
            when u.s_value is null then null
            when g.rate is null or u.season_n < 5 then {{ uninformative }}
            when abs(g.rate - u.season_med) <= u.s_floor or abs(g.two_years / 2 - u.season_med) <= u.s_floor / 2 then {{ consistent }}
            else {{ in_doubt }}
        end::tinyint as by_season,
        -- a year left out of a series that otherwise has them all
        case
            when g.previous_year is null then {{ not_comparable }}
            when g.year - g.previous_year = 1 then {{ consistent }}
            when u.has_all_years then {{ in_doubt }}
            else {{ uninformative }}
        end::tinyint as by_year
    from {{ ref('quality_levels') }} as g
    inner join usual_growth as u on u.series_id = g.series_id and u.season = g.season
    where g.is_compared
),

growth_answers as (
    select by_series, by_season, by_year, count(*) as figures from growths group by by_series, by_season, by_year
),

-- Few, and only their figures are looked at again.
doubted as (
    select * from growths where by_series = {{ in_doubt }} or by_season = {{ in_doubt }} or by_year = {{ in_doubt }}
),

rates as (
    select series_id, season, rate from {{ ref('quality_levels') }} where is_compared and series_id in (select series_id from doubted)
),

doubtful as (
    select
        g.*, e.season, e.year, e.previous_year, e.before_1, e.rate, f.period_key, f.print_no, f.publication_id, f.vintage_no, f.judged_as, f.obs_value,
        round(exp(e.before_1), 4) || ' → ' || f.obs_value as values_seen
    from doubted as g
    inner join {{ ref('quality_levels') }} as e on e.reading_no = g.reading_no
    inner join {{ ref('quality_figures') }} as f on f.reading_no = g.reading_no
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
            when abs(case when d.mad > 0 then 0.6745 * (g.rate - u.med) / d.mad else (g.rate - u.med) / (1.253314 * d.mean_deviation) end) <= u.z_value then 'consistent'
            else 'inconsistent'
        end as answer,
        g.series_id, g.period_key, g.print_no, 'z' as partner, g.publication_id, g.vintage_no, g.judged_as, g.obs_value as observed,
        exp(g.before_1 + u.med) as expected,
        exp(g.before_1 + u.med - greatest(u.z_floor, u.z_value * d.mad / 0.6745)) as lower, exp(g.before_1 + u.med + greatest(u.z_floor, u.z_value * d.mad / 0.6745)) as upper,
        abs(g.rate - u.med) / greatest(u.z_floor, u.z_value * d.mad / 0.6745) as score,
        round(100 * (exp(g.rate) - 1), 1) || '% / ' || round(100 * (exp(u.med) - 1), 1) || '%' as detail, g.values_seen
    from doubtful as g
    inner join usual_growth as u on u.series_id = g.series_id and u.season = g.season
    inner join spread_of_series as d on d.series_id = g.series_id
    where g.by_series = {{ in_doubt }}
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
        case when abs(g.rate - u.season_med) <= u.s_value * d.spread then 'consistent' else 'inconsistent' end as answer,
        g.series_id, g.period_key, g.print_no, 'season' as partner, g.publication_id, g.vintage_no, g.judged_as, g.obs_value as observed,
        exp(g.before_1 + u.season_med) as expected,
        exp(g.before_1 + u.season_med - greatest(u.s_floor, u.s_value * d.spread)) as lower, exp(g.before_1 + u.season_med + greatest(u.s_floor, u.s_value * d.spread)) as upper,
        abs(g.rate - u.season_med) / greatest(u.s_floor, u.s_value * d.spread) as score,
        round(100 * (exp(g.rate) - 1), 1) || '% / ' || round(100 * (exp(u.season_med) - 1), 1) || '%' as detail, g.values_seen
    from doubtful as g
    inner join usual_growth as u on u.series_id = g.series_id and u.season = g.season
    inner join spread_of_season as d on d.series_id = g.series_id and d.season = g.season
    where g.by_season = {{ in_doubt }}
),

gap_tests as (
    select
        'gap' as rule_id, 'inconsistent' as answer,
        g.series_id, g.period_key, g.print_no, 'gap' as partner, g.publication_id, g.vintage_no, g.judged_as, (g.year - g.previous_year - 1)::double as score,
        (g.previous_year + 1) || case when g.year - g.previous_year > 2 then '–' || (g.year - 1) else '' end as detail,
        g.previous_year || '–' || g.year as values_seen
    from doubtful as g
    where g.by_year = {{ in_doubt }}
),

-- Figures in time, the one in force and within what its prints lie: only what lies within the prints of the period before may repeat one of them.
in_sequence as (
    select
        l.series_id, l.period_key, l.value - lag(l.value ignore nulls) over in_time as step,
        case when p.year - lag(p.year) over in_time <= 1 then lag(l.period_key) over in_time end as before_key,
        l.said, lag(l.said) over in_time as said_before,
        l.least_ln <= lag(l.most_ln) over in_time and l.most_ln >= lag(l.least_ln) over in_time as may_repeat
    from {{ ref('quality_levels') }} as l
    inner join {{ ref('quality_periods') }} as p on p.period_key = l.period_key
    window in_time as (partition by l.series_id, p.rhythm order by l.period_key)
),

-- Digits repeated from the period before, or taken from the one after. Which of the two is out of place, their other neighbours say.
may_repeat as materialized (
    select p.reading_no, p.series_id, p.obs_value, p.decimals, p.is_telling, k.before_key, k.said, k.said_before
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
        p.series_id, p.reading_no, p.before_no, p.obs_value,
        coalesce(abs(ln(p.obs_value) - p.said), 0) as off, coalesce(abs(ln(p.obs_value) - p.said_before), 0) as off_before,
        not p.is_telling or coalesce(pow(10.0, -p.decimals) / nullif(h.step, 0), 1.0) > h.most_chance
            -- a series that stands still now and then says nothing by standing still
            or (h.repeats > 1 and h.repeats > 0.2 * h.pairs) as says_nothing
    from same_digits as p
    inner join habit as h on h.series_id = p.series_id
),

repeat_tests as (
    select
        case when r.off_before > r.off then 'shifted_period' else 'stale' end as rule_id, 'inconsistent' as answer,
        r.series_id, f.period_key, f.print_no, 'next' as partner, f.publication_id, f.vintage_no, f.judged_as,
        r.obs_value as observed, greatest(r.off, r.off_before) as score, r.obs_value::varchar as detail, r.obs_value::varchar as values_seen
    from repeated as r
    inner join {{ ref('quality_figures') }} as f on f.reading_no = case when r.off_before > r.off then r.before_no else r.reading_no end
    where not coalesce(r.says_nothing, false)
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
    select '{{ rule }}', case {{ answer }} when {{ consistent }} then 'consistent' when {{ uninformative }} then 'uninformative' else 'not_comparable' end, sum(figures) from growth_answers where {{ answer }} <> {{ in_doubt }} group by 2
    {% endfor %}
    union all
    select rule_id, answer, figures from fresh
    union all
    select case when off_before > off then 'shifted_period' else 'stale' end, 'uninformative', count(*) from repeated where says_nothing group by 1
)

{{ flagged_and_counted('tests', 'counted') }}
