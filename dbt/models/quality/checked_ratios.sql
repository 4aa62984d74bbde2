-- Printed shares, growth and changes against the figures that they are made of.
with shares as (
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

printed as (
    select p.*, s.parent_area from {{ ref('quality_prints') }} as p inner join {{ ref('quality_series') }} as s on s.series_id = p.series_id
),

printed_shares as (
    select
        p.*, h.* exclude (indicator, breakdown, currency_scope, transformation, prices),
        {{ series_id("case when h.n_area = 'parent' then p.parent_area else p.ref_area end", 'h.n_indicator', 'h.n_breakdown', 'h.n_scope', "'N'", 'h.n_prices') }} as n_series_id,
        {{ series_id("case when h.d_area = 'parent' then p.parent_area else p.ref_area end", 'h.d_indicator', 'h.d_breakdown', 'h.d_scope', "'N'", 'h.d_prices') }} as d_series_id
    from printed as p
    inner join shares as h
        on h.indicator = p.indicator and h.breakdown = p.breakdown and h.currency_scope = p.currency_scope and h.transformation = p.transformation and h.prices = p.prices
),

with_parts as (
    select
        s.*, s.indicator in (select member_indicator from {{ ref('partitions') }} where total_value is not null) as is_made_to_add, n.obs_value as n_value, n.conflicts or d.conflicts as part_conflicts, d.obs_value as d_value,
        n.lower * s.scale * s.unit_factor / nullif(d.upper, 0) as q_lower, n.upper * s.scale * s.unit_factor / nullif(d.lower, 0) as q_upper,
        n.obs_value * s.scale * s.unit_factor / nullif(d.obs_value, 0) as quotient
    from printed_shares as s
    left join {{ ref('int_period_links') }} as ln on ln.link = s.n_span and ln.out_period_key = s.period_key
    left join {{ ref('int_period_links') }} as ld on ld.link = s.d_span and ld.out_period_key = s.period_key
    left join {{ ref('quality_prints') }} as n on n.publication_id = s.publication_id and n.series_id = s.n_series_id and n.period_key = ln.in_period_key
    left join {{ ref('quality_prints') }} as d on d.publication_id = s.publication_id and d.series_id = s.d_series_id and d.period_key = ld.in_period_key
),

share_tests as (
    select
        'share' as rule_id,
        case
            when quotient is null or conflicts or part_conflicts or d_value <= 0 then 'not_comparable'
            -- shares that must make a hundred are nudged by a unit of the last digit until they do
            when not {{ meet('lower', 'upper', 'q_lower', 'q_upper') }} and is_made_to_add and abs(obs_value - quotient) < upper - lower then 'explained'
            else {{ interval_answer('lower', 'upper', 'q_lower', 'q_upper', 'obs_value') }}
        end as answer,
        series_id, period_key, print_no, publication_id as partner, publication_id, judged_as, obs_value as observed, quotient as expected, q_lower as lower, q_upper as upper,
        {{ apart('lower', 'upper', 'q_lower', 'q_upper') }} as score, quotient as suggested, n_value || ' / ' || d_value as detail,
        obs_value || ' = ' || n_value || ' / ' || d_value as values_seen
    from with_parts
),

-- Where the publication prints only the share: the shares that all vintages in force together would give, of one census basis.
elsewhere as (
    select
        f.reading_no, f.series_id, f.period_key, f.print_no, f.publication_id, f.vintage_no, f.judged_as, f.obs_value, f.lower, f.upper,
        f.indicator in (select member_indicator from {{ ref('partitions') }} where total_value is not null) as is_made_to_add,
        count(*) as candidates,
        count(*) filter (where r.census_basis = -2) as mixed,
        bool_or({{ meet('f.lower', 'f.upper', 'r.lower', 'r.upper') }}) as meets_any,
        bool_or({{ meet('f.lower', 'f.upper', 'r.lower', 'r.upper') }}) filter (where f.census_basis is not distinct from r.census_basis) as meets_same,
        bool_or(f.census_basis is not distinct from r.census_basis) as has_same,
        arg_min(r.obs_value, abs(r.obs_value - f.obs_value)) as nearest, arg_min(r.lower, abs(r.obs_value - f.obs_value)) as n_lower,
        arg_min(r.upper, abs(r.obs_value - f.obs_value)) as n_upper
    from {{ ref('quality_figures') }} as f
    inner join shares as h on h.indicator = f.indicator
    inner join {{ ref('int_formula_results_1') }} as r
        on r.formula_id = h.formula_id and r.series_id = f.series_id and r.period_key = f.period_key and r.obs_value is not null
    group by all
),

elsewhere_tests as (
    select
        'share_elsewhere' as rule_id,
        case
            when meets_any and lower is not null and upper is not null and n_upper - n_lower <= 0.1 * abs(obs_value) then 'consistent'
            when meets_any then 'uninformative'
            when is_made_to_add and abs(obs_value - nearest) < upper - lower then 'explained'
            -- no pair of inputs stands on the share's own basis: nothing to hold it against
            when not has_same then 'not_comparable'
            else 'inconsistent'
        end as answer,
        series_id, period_key, print_no, publication_id as partner, publication_id, vintage_no, judged_as, obs_value as observed, nearest as expected, n_lower as lower,
        n_upper as upper, {{ apart('lower', 'upper', 'n_lower', 'n_upper') }} as score, nearest as suggested, candidates::varchar as detail,
        obs_value || ' / ' || nearest as values_seen
    from elsewhere
),

-- Growth: constant-price growth is never the ratio of current-price levels, so only growth on the levels' own prices is compared.
printed_growth as (
    select p.*, c.series_id as level_series_id
    from printed as p
    left join {{ ref('int_series_all') }} as c on c.growth_series_id = p.series_id
    where p.transformation = 'G1Y'
),

level_now as (
    select
        g.print_no, g.series_id, g.period_key, g.publication_id, g.obs_value, g.lower, g.upper, g.judged_as, g.conflicts, g.prices,
        l.in_period_key as base_key, x.obs_value as x_value, x.lower as x_lower, x.upper as x_upper, g.level_series_id
    from printed_growth as g
    left join {{ ref('int_period_links') }} as l on l.link = 'same_1' and l.out_period_key = g.period_key
    left join {{ ref('quality_prints') }} as x
        on x.publication_id = g.publication_id and x.series_id = g.level_series_id and x.period_key = g.period_key and not x.conflicts and x.obs_value > 0
),

-- The level beside it in the publication, else any vintage of it.
levels_now as (
    select * from level_now where x_value is not null
    union all
    select g.* replace (f.obs_value as x_value, f.lower as x_lower, f.upper as x_upper)
    from level_now as g
    inner join {{ ref('quality_figures') }} as f on f.series_id = g.level_series_id and f.period_key = g.period_key and f.obs_value > 0
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
        arg_min(g.x_upper, abs(b.obs_value * (1 + g.obs_value / 100) - g.x_value)) as x_upper,
        count(*) as bases
    from levels_now as g
    inner join {{ ref('quality_figures') }} as b on b.series_id = g.level_series_id and b.period_key = g.base_key and b.obs_value > 0
    group by all
),

growth_tests as (
    select
        'growth' as rule_id,
        case
            when b.print_no is null or g.conflicts then 'not_comparable'
            when not b.meets_any then 'inconsistent'
            when b.is_open or b.width > 0.1 or g.lower is null or g.upper is null then 'uninformative'
            when not b.meets_current then 'explained'
            else 'consistent'
        end as answer,
        g.series_id, g.period_key, g.print_no, g.publication_id as partner, g.publication_id, g.judged_as, g.obs_value as observed,
        100 * (b.x_value / b.base_value - 1) as expected, 100 * (b.x_lower / b.base_upper - 1) as lower, 100 * (b.x_upper / b.base_lower - 1) as upper,
        {{ apart('g.lower', 'g.upper', '100 * (b.x_lower / b.base_upper - 1)', '100 * (b.x_upper / b.base_lower - 1)') }} as score,
        -- the base that the printed growth implies
        b.x_value / (1 + g.obs_value / 100) as suggested,
        b.x_value || ' / ' || b.base_value as detail,
        g.obs_value || '% ' || b.x_value || ' / ' || b.base_value as values_seen
    from level_now as g
    left join bases as b on b.print_no = g.print_no
),

-- A change since the start of the year against the two stocks.
stock_tests as (
    select
        'stock_flow' as rule_id,
        case
            when not bool_or(s.print_no is not null and b.print_no is not null) then 'not_comparable'
            when not bool_or({{ meet('p.lower', 'p.upper', 's.lower - b.upper', 's.upper - b.lower') }}) then 'inconsistent'
            when min((s.upper - s.lower) + (b.upper - b.lower)) > 0.1 * abs(any_value(p.obs_value)) then 'uninformative'
            else 'consistent'
        end as answer,
        p.series_id, p.period_key, p.print_no, p.publication_id as partner, p.publication_id, p.judged_as, any_value(p.obs_value) as observed,
        arg_min(s.obs_value - b.obs_value, abs(s.obs_value - b.obs_value - p.obs_value)) as expected,
        arg_min(s.lower - b.upper, abs(s.obs_value - b.obs_value - p.obs_value)) as lower,
        arg_min(s.upper - b.lower, abs(s.obs_value - b.obs_value - p.obs_value)) as upper,
        min({{ apart('p.lower', 'p.upper', 's.lower - b.upper', 's.upper - b.lower') }}) as score,
        arg_min(s.obs_value - b.obs_value, abs(s.obs_value - b.obs_value - p.obs_value)) as suggested,
        arg_min(s.obs_value || ' - ' || b.obs_value, abs(s.obs_value - b.obs_value - p.obs_value)) as detail,
        any_value(p.obs_value) || ' = ' || arg_min(s.obs_value || ' - ' || b.obs_value, abs(s.obs_value - b.obs_value - p.obs_value)) as values_seen
    from printed as p
    inner join {{ ref('int_periods') }} as t on t.period_key = p.period_key
    inner join {{ ref('cl_indicators') }} as i on i.indicator = p.indicator and i.kind = 'stock'
    left join {{ ref('quality_figures') }} as s
        on s.series_id = {{ series_id('p.ref_area', 'p.indicator', 'p.breakdown', 'p.currency_scope', "'N'", 'p.prices') }}
        and s.period_key = {{ period_key('null::date', 't.period_end') }}
    left join {{ ref('quality_figures') }} as b
        on b.series_id = {{ series_id('p.ref_area', 'p.indicator', 'p.breakdown', 'p.currency_scope', "'N'", 'p.prices') }}
        and b.period_key = {{ period_key('null::date', "(t.period_start - 1)::date") }}
    where p.transformation = 'DYS'
    group by p.series_id, p.period_key, p.print_no, p.publication_id, p.judged_as
),

tests as (
    select * from share_tests
    union all by name
    select * from elsewhere_tests
    union all by name
    select * from growth_tests
    union all by name
    select * from stock_tests
)

{{ flagged_and_counted('tests') }}
