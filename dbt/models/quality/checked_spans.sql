-- Flows since January: they never fall within a year where the flow can't be negative, and their steps are the single periods printed.
with flows as (
    select series_id, lower_limit >= 0 as never_falls from {{ ref('quality_series') }} where is_level and kind = 'flow'
),

since_january as (
    select f.reading_no, f.series_id, f.period_key, p.period_end, p.year, p.months, f.obs_value, f.lower, f.upper, f.is_current, s.never_falls
    from {{ ref('quality_figures') }} as f
    inner join flows as s on s.series_id = f.series_id
    inner join {{ ref('quality_periods') }} as p on p.period_key = f.period_key
    where p.span_kind = 'since_january'
),

-- Periods that begin with one year are in order by their keys.
in_sequence as (
    select reading_no, series_id, upper, lag(lower) over in_year as lower_before, lag(reading_no) over in_year as reading_before
    from since_january
    where is_current and never_falls
    window in_year as (partition by series_id, year order by period_key)
),

steady as (
    select
        *,
        case
            when reading_before is null then 'not_comparable'
            when upper is null or lower_before is null then 'uninformative'
            when upper < lower_before then 'inconsistent'
            else 'consistent'
        end as answer
    from in_sequence
),

falls as (
    select * from steady where answer = 'inconsistent'
),

-- The two figures of each fall: few.
of_falls as (
    select reading_no from falls union select reading_before from falls
),

expected as (
    select reading_no, said from {{ ref('quality_levels') }} where reading_no in (select reading_no from of_falls)
),

figures_of_falls as (
    select * from {{ ref('quality_figures') }} where reading_no in (select reading_no from of_falls)
),

-- Of the two, the one that is farther from what its neighbours in other years say.
fallen as (
    select
        s.*, n.obs_value, n.judged_as, o.obs_value as value_before, e.said, b.said as said_before,
        coalesce(abs(case when o.obs_value > 0 then ln(o.obs_value) end - b.said) > abs(case when n.obs_value > 0 then ln(n.obs_value) end - e.said), false) as is_before
    from falls as s
    inner join figures_of_falls as n on n.reading_no = s.reading_no
    inner join figures_of_falls as o on o.reading_no = s.reading_before
    left join expected as e on e.reading_no = s.reading_no
    left join expected as b on b.reading_no = s.reading_before
),

monotone as (
    select
        'ytd_monotone' as rule_id, s.answer, s.series_id, f.period_key, f.print_no, 'ytd' as partner,
        case when not s.is_before then f.publication_id end as publication_id, case when not s.is_before then f.vintage_no end as vintage_no, s.judged_as,
        f.obs_value as observed,
        case when s.is_before then exp(s.said_before) else coalesce(exp(s.said), s.value_before) end as expected,
        case when not s.is_before then s.lower_before end as lower, case when s.is_before then s.upper end as upper,
        (s.value_before - s.obs_value) / greatest(1e-9, s.value_before - s.lower_before) as score,
        s.value_before || ' > ' || s.obs_value as detail, s.value_before || ' > ' || s.obs_value as values_seen
    from fallen as s
    inner join figures_of_falls as f on f.reading_no = case when s.is_before then s.reading_before else s.reading_no end
),

singles as (
    select f.reading_no, f.series_id, f.period_key, p.period_end, p.year, p.months, f.obs_value, f.lower, f.upper, f.is_current
    from {{ ref('quality_figures') }} as f
    inner join flows as s on s.series_id = f.series_id
    inner join {{ ref('quality_periods') }} as p on p.period_key = f.period_key
    where p.span_kind = 'single'
),

steps as (
    select
        f.reading_no,
        bool_or({{ meet('f.lower', 'f.upper', 'd.lower', 'd.upper') }}) as meets,
        min(d.upper - d.lower) as width,
        arg_min(d.obs_value, abs(d.obs_value - f.obs_value)) as nearest, arg_min(d.lower, abs(d.obs_value - f.obs_value)) as d_lower,
        arg_min(d.upper, abs(d.obs_value - f.obs_value)) as d_upper
    from singles as f
    inner join {{ ref('int_spans_derived') }} as d
        on d.series_id = f.series_id and d.period_key = f.period_key and d.formula_id = 'decumulated' and d.census_basis is distinct from -2
    group by f.reading_no
    having count(d.obs_value) > 0
),

-- A single period that equals the figure since January of its end was printed under the wrong heading.
taken as (
    select s.reading_no, any_value(y.obs_value) as since_january
    from singles as s
    inner join since_january as y on y.series_id = s.series_id and y.period_end = s.period_end and y.obs_value = s.obs_value
    group by s.reading_no
),

telescoped as (
    select
        f.reading_no, f.lower, f.upper, s.nearest, s.d_lower, s.d_upper, t.since_january,
        case when t.reading_no is not null and s.reading_no is not null then 'ytd_as_period' else 'ytd_telescoping' end as rule_id,
        case
            when s.reading_no is null then 'not_comparable'
            when s.d_lower is null or s.d_upper is null or f.lower is null or f.upper is null then 'uninformative'
            when not s.meets then 'inconsistent'
            when s.width > 0.1 * abs(f.obs_value) then 'uninformative'
            else 'consistent'
        end as answer
    from singles as f
    left join steps as s on s.reading_no = f.reading_no
    left join taken as t on t.reading_no = f.reading_no
),

telescoping as (
    select
        s.rule_id, s.answer, f.series_id, f.period_key, f.print_no, f.publication_id as partner, f.publication_id, f.vintage_no, f.judged_as,
        f.obs_value as observed, s.nearest as expected, s.d_lower as lower, s.d_upper as upper, {{ apart('s.lower', 's.upper', 's.d_lower', 's.d_upper') }} as score,
        s.nearest as suggested, coalesce(s.since_january::varchar, '') as detail, f.obs_value || ' / ' || s.nearest as values_seen
    from telescoped as s
    inner join {{ ref('quality_figures') }} as f on f.reading_no = s.reading_no
    where s.answer = 'inconsistent'
),

-- Single periods that tile a year so far, against its printed total.
tiles as (
    select
        t.series_id, t.year, t.months, t.period_end,
        sum(t.obs_value::decimal(28, 8)) over so_far as total, sum(t.lower::decimal(28, 8)) over so_far as lower, sum(t.upper::decimal(28, 8)) over so_far as upper,
        count(*) over so_far as found, bool_and(d.reading_no is not null) over so_far as has_steps, count(t.lower) over so_far as lowers, count(t.upper) over so_far as uppers
    from singles as t
    left join steps as d on d.reading_no = t.reading_no
    where t.is_current and t.months in (1, 3)
    window so_far as (partition by t.series_id, t.year, t.months order by t.period_end)
),

-- the first tile of a year is itself since January
first_tiles as (
    select series_id, year, months, obs_value, lower, upper from since_january where is_current and months in (1, 3)
),

tilings as (
    select
        'periods_sum' as rule_id, {{ interval_answer('y.lower', 'y.upper', 't.lower::double + f.lower', 't.upper::double + f.upper', 'y.obs_value') }} as answer,
        y.series_id, y.period_key, y.print_no, 'tiles of ' || t.months as partner, y.publication_id, y.vintage_no, y.judged_as, y.obs_value as observed,
        (t.total + f.obs_value)::double as expected, t.lower::double + f.lower as lower, t.upper::double + f.upper as upper,
        {{ apart('y.lower', 'y.upper', 't.lower::double + f.lower', 't.upper::double + f.upper') }} as score,
        (t.total + f.obs_value)::double as suggested, t.months::varchar as detail, y.obs_value || ' = ' || (t.total + f.obs_value)::double as values_seen
    from tiles as t
    inner join first_tiles as f on f.series_id = t.series_id and f.year = t.year and f.months = t.months
    inner join {{ ref('quality_periods') }} as p on p.period_end = t.period_end and p.span_kind = 'since_january' and p.months = (t.found + 1) * t.months
    inner join {{ ref('quality_figures') }} as y on y.series_id = t.series_id and y.period_key = p.period_key and y.is_current
    -- where every step has been compared, their sum says nothing more
    where t.lowers = t.found and t.uppers = t.found and not t.has_steps
),

tests as (
    select * from monotone
    union all by name
    select * from telescoping
    union all by name
    select * from tilings
),

counted as (
    select 'ytd_monotone' as rule_id, answer, count(*) as figures from steady where answer <> 'inconsistent' group by answer
    union all
    select 'ytd_monotone', 'not_comparable', count(*) from since_january where is_current and not coalesce(never_falls, false)
    union all
    select rule_id, answer, count(*) from telescoped where answer <> 'inconsistent' group by rule_id, answer
)

{{ flagged_and_counted('tests', 'counted') }}
