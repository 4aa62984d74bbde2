-- A figure along its own series: its power of ten, its growth, digits it repeats, years it leaves out.
with readings as (
    select * from {{ ref('quality_figures') }} where is_level and obs_value > 0
),

siblings as (
    -- of a figure that somebody responsible prints, only those prints are witnesses
    select
        series_id, period_key, coalesce(list(ln(obs_value)) filter (where is_official), list(ln(obs_value))) as lns,
        coalesce(min(ln(obs_value)) filter (where is_official), min(ln(obs_value))) as lowest,
        coalesce(max(ln(obs_value)) filter (where is_official), max(ln(obs_value))) as highest
    from readings group by all having count(*) > 1
),

-- Everything that says what the figure should be: its neighbours, and other prints of itself.
witnessed as (
    select
        r.*, ln(r.obs_value) as ln_value,
        least(e.lowest, s.lowest) as lowest, greatest(e.highest, s.highest) as highest,
        e.lowest is not null or s.lowest < ln(r.obs_value) - 1e-12 or s.highest > ln(r.obs_value) + 1e-12 as has_witness
    from readings as r
    left join {{ ref('quality_expectations') }} as e on e.series_id = r.series_id and e.period_key = r.period_key
    left join siblings as s on s.series_id = r.series_id and s.period_key = r.period_key
),

-- Only what some witness puts elsewhere by a power of ten is weighed witness by witness.
weighed as (
    select
        r.*,
        list_concat(coalesce(e.expected_lns, []), list_filter(coalesce(s.lns, []), lambda x: abs(x - r.ln_value) > 1e-12)) as says,
        e.before_1 is null and coalesce(len(s.lns), 1) = 1 as only_later
    from witnessed as r
    left join {{ ref('quality_expectations') }} as e on e.series_id = r.series_id and e.period_key = r.period_key
    left join siblings as s on s.series_id = r.series_id and s.period_key = r.period_key
    where r.ln_value - r.lowest > 1.5 or r.highest - r.ln_value > 1.5
),

usual as (
    select r.series_id, mode(r.decimals) as usual_decimals
    from readings as r
    where r.series_id in (select series_id from weighed)
    group by r.series_id
),

powers as (
    select
        w.*, l.value as band, u.usual_decimals,
        list_median(w.says) as said,
        list_filter(list_transform(w.says, lambda x: (w.ln_value - x) / ln(10.0)), lambda q: abs(q - round(q)) < l.value) as whole_powers
    from weighed as w
    inner join usual as u on u.series_id = w.series_id
    inner join {{ ref('quality_limits') }} as l on l.rule_id = 'unit_scale' and l.parameter = 'band' and l.indicator = w.indicator
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
    union all by name
    select 'unit_scale' as rule_id, case when has_witness then 'consistent' else 'uninformative' end as answer
    from witnessed
    where not coalesce(ln_value - lowest > 1.5 or highest - ln_value > 1.5, false)
),

growths as (
    select
        e.*, f.print_no, f.publication_id, f.vintage_no, f.judged_as, f.obs_value, f.indicator,
        case when e.year - e.before_1_year = 1 then e.current_ln - e.before_1 end as rate,
        case when e.year - e.before_2_year = 2 then (e.current_ln - e.before_2) / 2 end as rate_2
    from {{ ref('quality_expectations') }} as e
    inner join readings as f on f.series_id = e.series_id and f.period_key = e.period_key and f.is_current
),

of_series as (
    select series_id, count(rate) as n, median(rate) as med from growths group by series_id
),

spread_of_series as (
    select g.series_id, median(abs(g.rate - s.med)) as mad, avg(abs(g.rate - s.med)) as mean_deviation
    from growths as g inner join of_series as s on s.series_id = g.series_id
    where s.n >= 8
    group by g.series_id
),

-- What falls back from an outlier is not one: two years together are then ordinary.
z_tests as (
    select
        'robust_z' as rule_id,
        case
            when g.rate is null or s.n < 8 then 'uninformative'
            when d.mad = 0 and d.mean_deviation = 0 then 'consistent'
            when abs(case when d.mad > 0 then 0.6745 * (g.rate - s.med) / d.mad else (g.rate - s.med) / (1.253314 * d.mean_deviation) end) <= l.value then 'consistent'
            when abs(g.rate - s.med) <= l.absolute_floor then 'consistent'
            when abs(g.rate_2 - s.med) <= l.absolute_floor / 2 then 'consistent'
            else 'inconsistent'
        end as answer,
        g.series_id, g.period_key, g.print_no, 'z' as partner, g.publication_id, g.vintage_no, g.judged_as, g.obs_value as observed,
        exp(g.before_1 + s.med) as expected,
        exp(g.before_1 + s.med - greatest(l.absolute_floor, l.value * d.mad / 0.6745)) as lower, exp(g.before_1 + s.med + greatest(l.absolute_floor, l.value * d.mad / 0.6745)) as upper,
        abs(g.rate - s.med) / greatest(l.absolute_floor, l.value * d.mad / 0.6745) as score,
        round(100 * (exp(g.rate) - 1), 1) || '% / ' || round(100 * (exp(s.med) - 1), 1) || '%' as detail,
        round(exp(g.before_1), 4) || ' → ' || g.obs_value as values_seen
    from growths as g
    inner join {{ ref('quality_limits') }} as l on l.rule_id = 'robust_z' and l.parameter = 'threshold' and l.indicator = g.indicator
    left join of_series as s on s.series_id = g.series_id
    left join spread_of_series as d on d.series_id = g.series_id
),

of_season as (
    select series_id, season, count(rate) as n, median(rate) as med from growths group by series_id, season
),

spread_of_season as (
    select g.series_id, g.season, 1.4826 * median(abs(g.rate - s.med)) as spread
    from growths as g inner join of_season as s on s.series_id = g.series_id and s.season = g.season
    where s.n >= 5
    group by g.series_id, g.season
),

season_tests as (
    select
        'same_season' as rule_id,
        case
            when g.rate is null or s.n < 5 then 'uninformative'
            when abs(g.rate - s.med) <= greatest(l.absolute_floor, l.value * d.spread) then 'consistent'
            when abs(g.rate_2 - s.med) <= l.absolute_floor / 2 then 'consistent'
            else 'inconsistent'
        end as answer,
        g.series_id, g.period_key, g.print_no, 'season' as partner, g.publication_id, g.vintage_no, g.judged_as, g.obs_value as observed,
        exp(g.before_1 + s.med) as expected,
        exp(g.before_1 + s.med - greatest(l.absolute_floor, l.value * d.spread)) as lower, exp(g.before_1 + s.med + greatest(l.absolute_floor, l.value * d.spread)) as upper,
        abs(g.rate - s.med) / greatest(l.absolute_floor, l.value * d.spread) as score,
        round(100 * (exp(g.rate) - 1), 1) || '% / ' || round(100 * (exp(s.med) - 1), 1) || '%' as detail,
        round(exp(g.before_1), 4) || ' → ' || g.obs_value as values_seen
    from growths as g
    inner join {{ ref('quality_limits') }} as l on l.rule_id = 'same_season' and l.parameter = 'deviations' and l.indicator = g.indicator
    left join of_season as s on s.series_id = g.series_id and s.season = g.season
    left join spread_of_season as d on d.series_id = g.series_id and d.season = g.season
),

-- Digits repeated from the period before, or taken from the one after. Which of the two is out of place, their other neighbours say.
in_sequence as (
    select
        series_id, period_key, span_kind, months,
        lag(period_key) over in_time as before_key, lag(year) over in_time as before_year, year
    from (select distinct series_id, period_key, span_kind, period_end, year, case when span_kind = 'single' then months end as months from readings) as keys
    window in_time as (partition by series_id, span_kind, months order by period_end)
),

paired as (
    select
        f.reading_no, f.series_id, f.period_key, f.print_no, f.publication_id, f.vintage_no, f.judged_as, f.obs_value, f.is_telling, f.indicator, f.decimals, q.before_key,
        g.reading_no as before_no, g.print_no as before_print_no, g.publication_id as before_publication_id, g.vintage_no as before_vintage_no, g.judged_as as before_judged_as
    from readings as f
    inner join in_sequence as q on q.series_id = f.series_id and q.period_key = f.period_key and q.year - q.before_year <= 1
    left join readings as g on g.series_id = f.series_id and g.period_key = q.before_key and g.obs_value = f.obs_value
    qualify row_number() over (partition by f.reading_no order by g.vintage_no nulls last) = 1
),

-- Two neighbours agree by chance as often as a unit of the last digit goes into the usual step.
steps as (
    select series_id, median(step) as step
    from (
        select series_id, abs(obs_value - lag(obs_value) over (partition by series_id, span_kind, case when span_kind = 'single' then months end order by period_end)) as step
        from readings
        where is_current
    ) as one
    group by series_id
),

habit as (
    select p.series_id, count(p.before_no) as repeats, count(*) as pairs, any_value(s.step) as step, any_value(l.value) as most_chance
    from paired as p
    inner join steps as s on s.series_id = p.series_id
    inner join {{ ref('quality_limits') }} as l on l.rule_id = 'stale' and l.parameter = 'chance' and l.indicator = p.indicator
    group by p.series_id
),

agreeing as (
    select
        p.reading_no, abs(ln(p.obs_value) - list_median(e.expected_lns)) as off, abs(ln(p.obs_value) - list_median(b.expected_lns)) as off_before
    from paired as p
    left join {{ ref('quality_expectations') }} as e on e.series_id = p.series_id and e.period_key = p.period_key
    left join {{ ref('quality_expectations') }} as b on b.series_id = p.series_id and b.period_key = p.before_key
    where p.before_no is not null
),

repeated as (
    select p.*, h.repeats, h.pairs, coalesce(pow(10.0, -p.decimals) / nullif(h.step, 0), 1.0) as chance, h.most_chance, a.off, a.off_before
    from paired as p
    inner join habit as h on h.series_id = p.series_id
    left join agreeing as a on a.reading_no = p.reading_no
),

repeat_tests as (
    select
        case when coalesce(off_before, 0) > coalesce(off, 0) then 'shifted_period' else 'stale' end as rule_id,
        case
            when not is_telling or chance > most_chance then 'uninformative'
            when before_no is null then 'consistent'
            -- a series that stands still now and then says nothing by standing still
            when repeats > 1 and repeats > 0.2 * pairs then 'uninformative'
            else 'inconsistent'
        end as answer,
        series_id, case when coalesce(off_before, 0) > coalesce(off, 0) then before_key else period_key end as period_key,
        case when coalesce(off_before, 0) > coalesce(off, 0) then before_print_no else print_no end as print_no,
        'next' as partner,
        case when coalesce(off_before, 0) > coalesce(off, 0) then before_publication_id else publication_id end as publication_id,
        case when coalesce(off_before, 0) > coalesce(off, 0) then before_vintage_no else vintage_no end as vintage_no,
        case when coalesce(off_before, 0) > coalesce(off, 0) then before_judged_as else judged_as end as judged_as,
        obs_value as observed, greatest(coalesce(off, 0), coalesce(off_before, 0)) as score, obs_value::varchar as detail, obs_value::varchar as values_seen
    from repeated
),

-- A year left out of a series that otherwise has them all.
whole as (
    select series_id, season, count(*) as years, max(year) - min(year) + 1 as span from growths group by series_id, season
),

gap_tests as (
    select
        'gap' as rule_id,
        case
            when g.previous_year is null then 'not_comparable'
            when g.year - g.previous_year = 1 then 'consistent'
            when w.years >= 5 and w.years >= 0.8 * w.span then 'inconsistent'
            else 'uninformative'
        end as answer,
        g.series_id, g.period_key, g.print_no, 'gap' as partner, g.publication_id, g.vintage_no, g.judged_as, (g.year - g.previous_year - 1)::double as score,
        (g.previous_year + 1) || case when g.year - g.previous_year > 2 then '–' || (g.year - 1) else '' end as detail,
        g.previous_year || '–' || g.year as values_seen
    from growths as g
    inner join whole as w on w.series_id = g.series_id and w.season = g.season
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
)

{{ flagged_and_counted('tests') }}
