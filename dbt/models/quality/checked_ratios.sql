-- Printed shares, growth and changes against the figures that they are made of. Which series are such, and of which they are made, is said once a
-- series; only their figures are read.
with formulas as (
    select
        f.formula_id, f.indicator, f.breakdown, f.currency_scope, f.transformation, f.prices, f.scale,
        n.indicator as n_indicator, n.breakdown as n_breakdown, n.currency_scope as n_scope, n.prices as n_prices, n.span as n_span, n.area_scope as n_area,
        d.indicator as d_indicator, d.breakdown as d_breakdown, d.currency_scope as d_scope, d.prices as d_prices, d.span as d_span, d.area_scope as d_area,
        pow(10.0, ni.unit_mult - di.unit_mult - oi.unit_mult) as unit_factor
    from {{ ref('formulas') }} as f
    inner join {{ ref('formula_terms') }} as n on n.formula_id = f.formula_id and n.side = 'numerator'
    inner join {{ ref('formula_terms') }} as d on d.formula_id = f.formula_id and d.side = 'denominator'
    inner join {{ ref('cl_indicators') }} as ni on ni.indicator = n.indicator
    inner join {{ ref('cl_indicators') }} as di on di.indicator = d.indicator
    inner join {{ ref('cl_indicators') }} as oi on oi.indicator = f.indicator
    where f.offset_value = 0 and n.coefficient = 1 and d.coefficient = 1 and n.lag = 0 and d.lag = 0
        and n.area_scope in ('self', 'parent') and d.area_scope in ('self', 'parent')
    qualify count(*) over (partition by f.formula_id) = 1
),

made_to_add as (
    select distinct member_indicator as indicator from {{ ref('partitions') }} where total_value is not null
),

share_series as (
    select
        s.series_id, h.formula_id, h.n_span, h.d_span, h.scale, h.unit_factor, a.indicator is not null as is_made_to_add,
        {{ series_id("case when h.n_area = 'parent' then s.parent_area else s.ref_area end", 'h.n_indicator', 'h.n_breakdown', 'h.n_scope', "'N'", 'h.n_prices') }} as n_series_id,
        {{ series_id("case when h.d_area = 'parent' then s.parent_area else s.ref_area end", 'h.d_indicator', 'h.d_breakdown', 'h.d_scope', "'N'", 'h.d_prices') }} as d_series_id
    from {{ ref('quality_series') }} as s
    inner join formulas as h
        on h.indicator = s.indicator and h.breakdown = s.breakdown and h.currency_scope = s.currency_scope and h.transformation = s.transformation and h.prices = s.prices
    left join made_to_add as a on a.indicator = s.indicator
),

-- Growth: constant-price growth is never the ratio of current-price levels, so only growth on the levels' own prices is compared.
growth_series as (
    select s.series_id, c.series_id as level_series_id
    from {{ ref('quality_series') }} as s
    left join {{ ref('int_series_all') }} as c on c.growth_series_id = s.series_id
    where s.transformation = 'G1Y'
),

-- A change since the start of the year against the two stocks.
change_series as (
    select s.series_id, {{ series_id('s.ref_area', 's.indicator', 's.breakdown', 's.currency_scope', "'N'", 's.prices') }} as stock_id
    from {{ ref('quality_series') }} as s
    where s.transformation = 'DYS' and s.kind = 'stock'
),

-- What these are and what they are made of: few of all figures.
concerned as (
    select series_id from share_series
    union select n_series_id from share_series
    union select d_series_id from share_series
    union select s.series_id from {{ ref('quality_series') }} as s semi join formulas as h on h.indicator = s.indicator
    union select series_id from growth_series
    union select level_series_id from growth_series
    union select series_id from change_series
    union select stock_id from change_series
),

prints as (
    select * from {{ ref('quality_prints') }} where series_id in (select series_id from concerned)
),

figures as (
    select * from {{ ref('quality_figures') }} where series_id in (select series_id from concerned)
),

with_parts as (
    select
        p.print_no, p.series_id, p.period_key, p.publication_id, p.judged_as, p.obs_value, p.lower, p.upper, p.conflicts, s.is_made_to_add,
        n.obs_value as n_value, n.conflicts or d.conflicts as part_conflicts, d.obs_value as d_value,
        n.lower * s.scale * s.unit_factor / nullif(d.upper, 0) as q_lower, n.upper * s.scale * s.unit_factor / nullif(d.lower, 0) as q_upper,
        n.obs_value * s.scale * s.unit_factor / nullif(d.obs_value, 0) as quotient
    from prints as p
    inner join share_series as s on s.series_id = p.series_id
    left join {{ ref('int_period_links') }} as ln on ln.link = s.n_span and ln.out_period_key = p.period_key
    left join {{ ref('int_period_links') }} as ld on ld.link = s.d_span and ld.out_period_key = p.period_key
    left join prints as n on n.publication_id = p.publication_id and n.series_id = s.n_series_id and n.period_key = ln.in_period_key
    left join prints as d on d.publication_id = p.publication_id and d.series_id = s.d_series_id and d.period_key = ld.in_period_key
),

shares as (
    select
        *,
        case
            when quotient is null or conflicts or part_conflicts or d_value <= 0 then 'not_comparable'
            -- shares that must make a hundred are nudged by a unit of the last digit until they do
            when not {{ meet('lower', 'upper', 'q_lower', 'q_upper') }} and is_made_to_add and abs(obs_value - quotient) < upper - lower then 'explained'
            else {{ interval_answer('lower', 'upper', 'q_lower', 'q_upper', 'obs_value') }}
        end as answer
    from with_parts
),

share_tests as (
    select
        'share' as rule_id, answer, series_id, period_key, print_no, publication_id as partner, publication_id, judged_as, obs_value as observed,
        quotient as expected, q_lower as lower, q_upper as upper,
        {{ apart('lower', 'upper', 'q_lower', 'q_upper') }} as score, quotient as suggested, n_value || ' / ' || d_value as detail,
        obs_value || ' = ' || n_value || ' / ' || d_value as values_seen
    from shares
    where answer = 'inconsistent'
),

-- Where the publication prints only the share: the shares that all vintages in force together would give, of one census basis.
results as (
    select formula_id, series_id, period_key, obs_value, lower, upper, census_basis
    from {{ ref('int_formula_results_1') }}
    where obs_value is not null
),

elsewhere as (
    select
        f.reading_no, f.obs_value, f.lower, f.upper,
        bool_or(a.indicator is not null) as is_made_to_add,
        count(*) as candidates,
        bool_or({{ meet('f.lower', 'f.upper', 'r.lower', 'r.upper') }}) as meets_any,
        bool_or(f.census_basis is not distinct from r.census_basis) as has_same,
        arg_min(r.obs_value, abs(r.obs_value - f.obs_value)) as nearest, arg_min(r.lower, abs(r.obs_value - f.obs_value)) as n_lower,
        arg_min(r.upper, abs(r.obs_value - f.obs_value)) as n_upper
    from {{ ref('quality_series') }} as s
    inner join formulas as h on h.indicator = s.indicator
    inner join figures as f on f.series_id = s.series_id
    inner join results as r on r.formula_id = h.formula_id and r.series_id = f.series_id and r.period_key = f.period_key
    left join made_to_add as a on a.indicator = s.indicator
    group by f.reading_no, f.obs_value, f.lower, f.upper
),

shares_elsewhere as (
    select
        *,
        case
            when meets_any and lower is not null and upper is not null and n_upper - n_lower <= 0.1 * abs(obs_value) then 'consistent'
            when meets_any then 'uninformative'
            when is_made_to_add and abs(obs_value - nearest) < upper - lower then 'explained'
            -- no pair of inputs stands on the share's own basis: nothing to hold it against
            when not has_same then 'not_comparable'
            else 'inconsistent'
        end as answer
    from elsewhere
),

elsewhere_tests as (
    select
        'share_elsewhere' as rule_id, e.answer,
        f.series_id, f.period_key, f.print_no, f.publication_id as partner, f.publication_id, f.vintage_no, f.judged_as, e.obs_value as observed, e.nearest as expected,
        e.n_lower as lower, e.n_upper as upper, {{ apart('e.lower', 'e.upper', 'e.n_lower', 'e.n_upper') }} as score, e.nearest as suggested,
        e.candidates::varchar as detail, e.obs_value || ' / ' || e.nearest as values_seen
    from shares_elsewhere as e
    inner join figures as f on f.reading_no = e.reading_no
    where e.answer = 'inconsistent'
),

level_now as (
    select
        g.print_no, g.series_id, g.period_key, g.publication_id, g.obs_value, g.lower, g.upper, g.judged_as, g.conflicts,
        l.in_period_key as base_key, x.obs_value as x_value, x.lower as x_lower, x.upper as x_upper, s.level_series_id
    from prints as g
    inner join growth_series as s on s.series_id = g.series_id
    left join {{ ref('int_period_links') }} as l on l.link = 'same_1' and l.out_period_key = g.period_key
    left join prints as x
        on x.publication_id = g.publication_id and x.series_id = s.level_series_id and x.period_key = g.period_key and not x.conflicts and x.obs_value > 0
),

-- The level beside it in the publication, else any vintage of it.
levels_now as (
    select * from level_now where x_value is not null
    union all
    select g.* replace (f.obs_value as x_value, f.lower as x_lower, f.upper as x_upper)
    from level_now as g
    inner join figures as f on f.series_id = g.level_series_id and f.period_key = g.period_key and f.obs_value > 0
    where g.x_value is null
),

bases as (
    select
        g.print_no,
        bool_or({{ meet('g.x_lower / nullif(1 + g.upper / 100, 0)', 'g.x_upper / nullif(1 + g.lower / 100, 0)', 'b.lower', 'b.upper') }}) as meets_any,
        bool_or({{ meet('g.x_lower / nullif(1 + g.upper / 100, 0)', 'g.x_upper / nullif(1 + g.lower / 100, 0)', 'b.lower', 'b.upper') }} and b.is_current) as meets_current,
        bool_or(b.lower is null or b.upper is null or g.x_lower is null or g.x_upper is null) as is_open,
        min((g.x_upper - g.x_lower) / g.x_value + (b.upper - b.lower) / nullif(b.obs_value, 0)) as width,
        arg_min(b.obs_value, abs(b.obs_value * (1 + g.obs_value / 100) - g.x_value)) as base_value,
        arg_min(b.lower, abs(b.obs_value * (1 + g.obs_value / 100) - g.x_value)) as base_lower,
        arg_min(b.upper, abs(b.obs_value * (1 + g.obs_value / 100) - g.x_value)) as base_upper,
        arg_min(g.x_value, abs(b.obs_value * (1 + g.obs_value / 100) - g.x_value)) as x_value,
        arg_min(g.x_lower, abs(b.obs_value * (1 + g.obs_value / 100) - g.x_value)) as x_lower,
        arg_min(g.x_upper, abs(b.obs_value * (1 + g.obs_value / 100) - g.x_value)) as x_upper
    from levels_now as g
    inner join figures as b on b.series_id = g.level_series_id and b.period_key = g.base_key and b.obs_value > 0
    group by g.print_no
),

growths as (
    select
        g.print_no, g.series_id, g.period_key, g.publication_id, g.judged_as, g.obs_value, g.lower as g_lower, g.upper as g_upper,
        b.x_value, b.base_value, b.x_lower, b.x_upper, b.base_lower, b.base_upper,
        case
            when b.print_no is null or g.conflicts then 'not_comparable'
            when not b.meets_any then 'inconsistent'
            when b.is_open or b.width > 0.1 or g.lower is null or g.upper is null then 'uninformative'
            when not b.meets_current then 'explained'
            else 'consistent'
        end as answer
    from level_now as g
    left join bases as b on b.print_no = g.print_no
),

growth_tests as (
    select
        'growth' as rule_id, answer, series_id, period_key, print_no, publication_id as partner, publication_id, judged_as, obs_value as observed,
        100 * (x_value / base_value - 1) as expected, 100 * (x_lower / base_upper - 1) as lower, 100 * (x_upper / base_lower - 1) as upper,
        {{ apart('g_lower', 'g_upper', '100 * (x_lower / base_upper - 1)', '100 * (x_upper / base_lower - 1)') }} as score,
        -- the base that the printed growth implies
        x_value / (1 + obs_value / 100) as suggested,
        x_value || ' / ' || base_value as detail,
        obs_value || '% ' || x_value || ' / ' || base_value as values_seen
    from growths
    where answer = 'inconsistent'
),

stocks as (
    select
        p.print_no,
        case
            when not bool_or(s.print_no is not null and b.print_no is not null) then 'not_comparable'
            when not bool_or({{ meet('p.lower', 'p.upper', 's.lower - b.upper', 's.upper - b.lower') }}) then 'inconsistent'
            when min((s.upper - s.lower) + (b.upper - b.lower)) > 0.1 * abs(any_value(p.obs_value)) then 'uninformative'
            else 'consistent'
        end as answer,
        arg_min(s.obs_value, abs(s.obs_value - b.obs_value - p.obs_value)) as end_value, arg_min(b.obs_value, abs(s.obs_value - b.obs_value - p.obs_value)) as start_value,
        arg_min(s.lower - b.upper, abs(s.obs_value - b.obs_value - p.obs_value)) as lower,
        arg_min(s.upper - b.lower, abs(s.obs_value - b.obs_value - p.obs_value)) as upper,
        min({{ apart('p.lower', 'p.upper', 's.lower - b.upper', 's.upper - b.lower') }}) as score
    from prints as p
    inner join change_series as c on c.series_id = p.series_id
    inner join {{ ref('int_periods') }} as t on t.period_key = p.period_key
    left join figures as s on s.series_id = c.stock_id and s.period_key = {{ period_key('null::date', 't.period_end') }}
    left join figures as b on b.series_id = c.stock_id and b.period_key = {{ period_key('null::date', "(t.period_start - 1)::date") }}
    group by p.print_no
),

stock_tests as (
    select
        'stock_flow' as rule_id, t.answer, p.series_id, p.period_key, p.print_no, p.publication_id as partner, p.publication_id, p.judged_as,
        p.obs_value as observed, t.end_value - t.start_value as expected, t.lower, t.upper, t.score, t.end_value - t.start_value as suggested,
        t.end_value || ' - ' || t.start_value as detail,
        p.obs_value || ' = ' || t.end_value || ' - ' || t.start_value as values_seen
    from stocks as t
    inner join prints as p on p.print_no = t.print_no
    where t.answer = 'inconsistent'
),

tests as (
    select * from share_tests
    union all by name
    select * from elsewhere_tests
    union all by name
    select * from growth_tests
    union all by name
    select * from stock_tests
),

counted as (
    {% for rule, answers in (('share', 'shares'), ('share_elsewhere', 'shares_elsewhere'), ('growth', 'growths'), ('stock_flow', 'stocks')) %}
    select '{{ rule }}' as rule_id, answer, count(*) as figures from {{ answers }} where answer <> 'inconsistent' group by answer
    {{ 'union all' if not loop.last }}
    {% endfor %}
)

{{ flagged_and_counted('tests', 'counted') }}
