-- Flows since January: they never fall within a year where the flow can't be negative, and their steps are the single periods printed.
with flows as (
    select f.*, s.lower_limit, s.kind
    from {{ ref('quality_figures') }} as f
    inner join {{ ref('quality_series') }} as s on s.series_id = f.series_id and s.is_level and s.kind = 'flow'
),

since_january as (
    select *,
        lag(obs_value) over in_year as value_before, lag(lower) over in_year as lower_before, lag(print_no) over in_year as print_before,
        lag(period_key) over in_year as key_before
    from flows
    where is_current and span_kind = 'since_january'
    window in_year as (partition by series_id, year order by period_end)
),

falling as (
    select
        s.*, e.expected_lns, b.expected_lns as expected_before,
        abs(ln(s.obs_value) - list_median(e.expected_lns)) as off, abs(ln(s.value_before) - list_median(b.expected_lns)) as off_before
    from since_january as s
    left join {{ ref('quality_expectations') }} as e on e.series_id = s.series_id and e.period_key = s.period_key and s.obs_value > 0
    left join {{ ref('quality_expectations') }} as b on b.series_id = s.series_id and b.period_key = s.key_before and s.value_before > 0
    where s.obs_value < s.value_before
),

monotone as (
    select
        'ytd_monotone' as rule_id,
        case
            when s.value_before is null then 'not_comparable'
            when s.lower_limit is null or s.lower_limit < 0 then 'not_comparable'
            when s.upper is null or s.lower_before is null then 'uninformative'
            when s.upper < s.lower_before then 'inconsistent'
            else 'consistent'
        end as answer,
        -- of the two, the one that is farther from what its neighbours in other years say
        s.series_id, case when f.off_before > f.off then s.key_before else s.period_key end as period_key,
        case when f.off_before > f.off then s.print_before else s.print_no end as print_no,
        'ytd' as partner, case when f.off_before > f.off then null else s.publication_id end as publication_id,
        case when f.off_before > f.off then null else s.vintage_no end as vintage_no, s.judged_as,
        case when f.off_before > f.off then s.value_before else s.obs_value end as observed,
        case when f.off_before > f.off then exp(list_median(f.expected_before)) else coalesce(exp(list_median(f.expected_lns)), s.value_before) end as expected,
        case when f.off_before > f.off then null else s.lower_before end as lower,
        case when f.off_before > f.off then s.upper end as upper,
        (s.value_before - s.obs_value) / greatest(1e-9, s.value_before - s.lower_before) as score,
        s.value_before || ' > ' || s.obs_value as detail, s.value_before || ' > ' || s.obs_value as values_seen
    from since_january as s
    left join falling as f on f.series_id = s.series_id and f.period_key = s.period_key
),

steps as (
    select
        f.reading_no, f.series_id, f.period_key, f.print_no, f.publication_id, f.vintage_no, f.judged_as, f.obs_value, f.lower, f.upper,
        count(d.obs_value) as found,
        bool_or({{ meet('f.lower', 'f.upper', 'd.lower', 'd.upper') }}) as meets,
        min(d.upper - d.lower) as width,
        arg_min(d.obs_value, abs(d.obs_value - f.obs_value)) as nearest, arg_min(d.lower, abs(d.obs_value - f.obs_value)) as d_lower,
        arg_min(d.upper, abs(d.obs_value - f.obs_value)) as d_upper
    from flows as f
    left join {{ ref('int_spans_derived') }} as d
        on d.series_id = f.series_id and d.period_key = f.period_key and d.formula_id = 'decumulated' and d.census_basis is distinct from -2
    where f.span_kind = 'single'
    group by all
),

-- A single period that equals the figure since January of its end was printed under the wrong heading.
taken as (
    select s.reading_no, any_value(y.obs_value) as since_january
    from steps as s
    inner join {{ ref('int_periods') }} as p on p.period_key = s.period_key
    inner join flows as y
        on y.series_id = s.series_id and y.period_end = p.period_end and y.span_kind = 'since_january' and y.obs_value = s.obs_value
    group by s.reading_no
),

telescoping as (
    select
        case when t.reading_no is not null and s.found > 0 then 'ytd_as_period' else 'ytd_telescoping' end as rule_id,
        case
            when s.found = 0 then 'not_comparable'
            when s.d_lower is null or s.d_upper is null or s.lower is null or s.upper is null then 'uninformative'
            when not s.meets then 'inconsistent'
            when s.width > 0.1 * abs(s.obs_value) then 'uninformative'
            else 'consistent'
        end as answer,
        s.series_id, s.period_key, s.print_no, s.publication_id as partner, s.publication_id, s.vintage_no, s.judged_as, s.obs_value as observed, s.nearest as expected,
        s.d_lower as lower, s.d_upper as upper, {{ apart('s.lower', 's.upper', 's.d_lower', 's.d_upper') }} as score, s.nearest as suggested,
        coalesce(t.since_january::varchar, '') as detail, s.obs_value || ' / ' || s.nearest as values_seen
    from steps as s
    left join taken as t using (reading_no)
),

-- Single periods that tile a year so far, against its printed total.
tiles as (
    select
        t.series_id, t.year, t.months, t.period_end,
        sum(t.obs_value::decimal(28, 8)) over so_far as total, sum(t.lower::decimal(28, 8)) over so_far as lower, sum(t.upper::decimal(28, 8)) over so_far as upper,
        count(*) over so_far as found, bool_and(coalesce(d.found, false)) over so_far as has_steps, count(t.lower) over so_far as lowers, count(t.upper) over so_far as uppers
    from flows as t
    left join (select distinct reading_no, found > 0 as found from steps) as d on d.reading_no = t.reading_no
    where t.is_current and t.span_kind = 'single' and t.months in (1, 3)
    window so_far as (partition by t.series_id, t.year, t.months order by t.period_end)
),

-- the first tile of a year is itself since January
first_tiles as (
    select series_id, year, months, obs_value, lower, upper from flows where is_current and span_kind = 'since_january' and months in (1, 3)
),

tiled as (
    select
        y.series_id, y.period_key, y.print_no, y.publication_id, y.vintage_no, y.judged_as, y.obs_value, y.lower, y.upper, t.months,
        (t.total + f.obs_value)::double as total, t.lower::double + f.lower as t_lower, t.upper::double + f.upper as t_upper
    from flows as y
    inner join tiles as t on t.series_id = y.series_id and t.period_end = y.period_end and t.lowers = t.found and t.uppers = t.found
    inner join first_tiles as f on f.series_id = t.series_id and f.year = t.year and f.months = t.months
    -- where every step has been compared, their sum says nothing more
    where y.is_current and y.span_kind = 'since_january' and (t.found + 1) * t.months = y.months and not t.has_steps
),

tilings as (
    select
        'periods_sum' as rule_id, {{ interval_answer('lower', 'upper', 't_lower', 't_upper', 'obs_value') }} as answer,
        series_id, period_key, print_no, 'tiles of ' || months as partner, publication_id, vintage_no, judged_as, obs_value as observed, total as expected,
        t_lower as lower, t_upper as upper, {{ apart('lower', 'upper', 't_lower', 't_upper') }} as score, total as suggested, months::varchar as detail,
        obs_value || ' = ' || total as values_seen
    from tiled
),

tests as (
    select * from monotone
    union all by name
    select * from telescoping
    union all by name
    select * from tilings
)

{{ flagged_and_counted('tests') }}
