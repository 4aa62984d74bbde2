-- Sums within one publication: parts of a declared complete partition against their total, areas of a complete group against theirs; and no part is
-- more than its whole.
-- |T − Σx| ≤ ½·u(T) + Σ½·u(x): the exact bound that rounding leaves. A partition with a part missing is not compared.
with levels as (
    select * from {{ ref('quality_prints') }} where is_level
),

partition_sizes as (
    select partition_id, count(*) as wanted from {{ ref('partitions') }} group by partition_id
),

part_sums as (
    select
        m.publication_id, m.ref_area, t.partition_id, t.total_indicator, t.total_breakdown,
        case when t.total_scope = '*' then m.currency_scope else t.total_scope end as currency_scope, t.total_value,
        case when t.total_value is null then m.prices end as prices, m.period_key,
        count(*) as found, bool_or(m.conflicts) as conflicts, min(m.print_no) as print_no, arg_min(m.series_id, m.print_no) as series_id, min(m.judged_as) as judged_as,
        sum(m.obs_value::decimal(28, 8))::double as total, sum(m.lower::decimal(28, 8))::double as lower, sum(m.upper::decimal(28, 8))::double as upper,
        count(m.lower) = count(*) as has_lower, count(m.upper) = count(*) as has_upper
    from levels as m
    inner join {{ ref('partitions') }} as t
        on t.member_indicator = m.indicator and t.member_breakdown = m.breakdown and t.member_scope in ('*', m.currency_scope)
    group by all
),

part_answers as (
    select
        'parts_sum' as rule_id, s.partition_id, s.ref_area, s.currency_scope, s.prices,
        case
            when s.found < z.wanted or (t.series_id is null and s.total_value is null) or s.conflicts or coalesce(t.conflicts, false) then 'not_comparable'
            else {{ interval_answer('coalesce(t.lower, s.total_value)', 'coalesce(t.upper, s.total_value)', 'case when s.has_lower then s.lower end', 'case when s.has_upper then s.upper end', 'coalesce(t.obs_value, s.total_value)') }}
        end as answer,
        coalesce(t.series_id, s.series_id) as series_id, s.period_key, coalesce(t.print_no, s.print_no) as print_no, s.publication_id || ' ' || s.partition_id as partner,
        s.publication_id, coalesce(t.judged_as, s.judged_as) as judged_as, coalesce(t.obs_value, s.total_value) as observed, s.total as expected, s.lower, s.upper,
        {{ apart('coalesce(t.lower, s.total_value)', 'coalesce(t.upper, s.total_value)', 's.lower', 's.upper') }} as score,
        s.total as suggested
    from part_sums as s
    inner join partition_sizes as z using (partition_id)
    left join levels as t
        on t.publication_id = s.publication_id and t.ref_area = s.ref_area and t.indicator = s.total_indicator and t.breakdown = s.total_breakdown
        and t.currency_scope = s.currency_scope and t.prices = s.prices and t.period_key = s.period_key
    where s.found > 1
),

-- The parts in words, for those that don't close.
part_texts as (
    select
        a.partner, a.series_id, a.period_key,
        string_agg(m.obs_value::varchar, ' + ' order by t.member_indicator, t.member_breakdown, t.member_scope) as parts
    from part_answers as a
    inner join {{ ref('partitions') }} as t on t.partition_id = a.partition_id
    inner join levels as m
        on m.publication_id = a.publication_id and m.ref_area = a.ref_area and m.period_key = a.period_key and m.indicator = t.member_indicator
        and m.breakdown = t.member_breakdown and m.currency_scope = case when t.member_scope = '*' then a.currency_scope else t.member_scope end
        and m.prices = coalesce(a.prices, m.prices)
    where a.answer = 'inconsistent'
    group by all
),

part_tests as (
    select a.* exclude (partition_id, ref_area, currency_scope, prices), x.parts as detail, a.observed::varchar || ' = ' || x.parts as values_seen
    from part_answers as a
    left join part_texts as x on x.partner = a.partner and x.series_id = a.series_id and x.period_key = a.period_key
),

groups as (
    select m.group_id, m.ref_area, g.total_area, coalesce(m.valid_from, {{ beginning() }}) as valid_from, coalesce(m.valid_to, {{ forever() }}) as valid_to
    from {{ ref('cl_area_group_members') }} as m
    inner join {{ ref('cl_area_groups') }} as g on g.group_id = m.group_id and g.complete and g.total_area is not null
),

group_sizes as (
    select e.period_end, g.group_id, count(*) as wanted
    from (select distinct period_end from {{ ref('int_periods') }}) as e
    inner join groups as g on e.period_end >= g.valid_from and e.period_end < g.valid_to
    group by all
),

-- A share of each area does not add up; amounts and counts do.
area_sums as (
    select
        m.publication_id, m.group_key, m.period_key, g.group_id, g.total_area, p.period_end,
        count(*) as found, bool_or(m.conflicts) as conflicts,
        sum(m.obs_value::decimal(28, 8))::double as total, sum(m.lower::decimal(28, 8))::double as lower, sum(m.upper::decimal(28, 8))::double as upper,
        count(m.lower) = count(*) as has_lower, count(m.upper) = count(*) as has_upper
    from levels as m
    inner join {{ ref('quality_series') }} as s on s.series_id = m.series_id and s.kind in ('flow', 'stock')
    inner join {{ ref('int_periods') }} as p on p.period_key = m.period_key
    inner join groups as g on g.ref_area = m.ref_area and p.period_end >= g.valid_from and p.period_end < g.valid_to
    group by all
    having count(*) > 1
),

area_compared as (
    select
        s.*, z.wanted, t.series_id, t.print_no, t.obs_value as t_value, t.lower as t_lower, t.upper as t_upper, t.judged_as, t.conflicts as t_conflicts,
        coalesce(l.value, 0) / 100 * t.obs_value as slack
    from area_sums as s
    inner join group_sizes as z on z.group_id = s.group_id and z.period_end = s.period_end
    inner join levels as t
        on t.publication_id = s.publication_id and t.group_key = s.group_key and t.period_key = s.period_key and t.ref_area = s.total_area
    left join {{ ref('quality_limits') }} as l on l.rule_id = 'areas_sum' and l.parameter = 'slack_percent' and l.indicator = t.indicator
),

area_answers as (
    select
        *,
        case
            when found < wanted or conflicts or t_conflicts then 'not_comparable'
            when slack >= t_value then 'not_comparable'
            else {{ interval_answer('t_lower', 't_upper', 'case when has_lower then lower - slack end', 'case when has_upper then upper + slack end', 't_value') }}
        end as answer
    from area_compared
),

-- Whose figure would account for the gap: left out of the total, or counted twice.
gap_makers as (
    select
        a.publication_id, a.group_key, a.period_key, a.group_id,
        arg_min(m.ref_area, abs(abs(m.obs_value) - abs(a.total - a.t_value))) as ref_area,
        count(*) filter (where abs(m.obs_value) between abs(a.total - a.t_value) - a.room and abs(a.total - a.t_value) + a.room) as makers,
        left(md5(string_agg(m.ref_area || m.obs_value, ' ' order by m.ref_area)), 16) as fingerprint
    from (select *, (upper - lower + t_upper - t_lower) / 2 as room from area_answers where answer = 'inconsistent') as a
    inner join groups as g on g.group_id = a.group_id and a.period_end >= g.valid_from and a.period_end < g.valid_to
    inner join levels as m on m.publication_id = a.publication_id and m.group_key = a.group_key and m.period_key = a.period_key and m.ref_area = g.ref_area
    group by all
),

area_tests as (
    select
        'areas_sum' as rule_id, a.answer, a.series_id, a.period_key, a.print_no, a.publication_id || ' ' || a.group_id as partner, a.publication_id, a.judged_as,
        a.t_value as observed, a.total as expected, a.lower - a.slack as lower, a.upper + a.slack as upper,
        {{ apart('a.t_lower', 'a.t_upper', 'a.lower - a.slack', 'a.upper + a.slack') }} as score,
        a.total as suggested,
        a.found || '; ' || round(100 * (a.total / nullif(a.t_value, 0) - 1), 3) || '%' || case when k.makers = 1 then '; ' || k.ref_area else '' end as detail,
        a.t_value::varchar || ' = ' || a.total::varchar || ' #' || k.fingerprint as values_seen
    from area_answers as a
    left join gap_makers as k using (publication_id, group_key, period_key, group_id)
),

-- A part is never more than its whole: a child indicator or breakdown against its parent, both in force.
wholes as (
    select
        f.series_id, f.period_key, f.print_no, f.publication_id, f.vintage_no, f.judged_as, f.obs_value, f.lower, f.upper, f.census_basis,
        {{ series_id('s.ref_area', "case when s.breakdown <> '_T' then s.indicator else s.whole_indicator end", "coalesce(b.parent, '_T')", 's.currency_scope', 's.transformation', 's.prices') }} as whole_id
    from {{ ref('quality_figures') }} as f
    inner join {{ ref('quality_series') }} as s on s.series_id = f.series_id and s.kind in ('flow', 'stock')
    left join {{ ref('cl_breakdowns') }} as b on b.breakdown = s.breakdown
    where f.is_level and f.is_current and (s.breakdown <> '_T' or coalesce(s.whole_indicator, '') <> '')
),

whole_tests as (
    select
        'part_over_whole' as rule_id,
        case
            when w.series_id is null or pi.unit_measure <> wi.unit_measure or pi.unit_mult <> wi.unit_mult or p.census_basis is distinct from w.census_basis then 'not_comparable'
            when p.lower is null or w.upper is null then 'uninformative'
            when p.lower > w.upper then 'inconsistent'
            else 'consistent'
        end as answer,
        p.series_id, p.period_key, p.print_no, 'whole' as partner, p.publication_id, p.vintage_no, p.judged_as, p.obs_value as observed, w.obs_value as expected,
        w.upper, (p.obs_value - w.obs_value) / nullif(abs(w.obs_value), 0) / 0.01 as score, coalesce(wi.indicator, '') || ' ' || w.obs_value || coalesce(', ' || w.publication_id, '') as detail,
        p.obs_value || ' > ' || w.obs_value as values_seen
    from wholes as p
    inner join {{ ref('quality_series') }} as pi on pi.series_id = p.series_id
    left join {{ ref('quality_figures') }} as w on w.series_id = p.whole_id and w.period_key = p.period_key and w.is_current
    left join {{ ref('quality_series') }} as wi on wi.series_id = w.series_id
),

tests as (
    select * from whole_tests
    union all by name
    select * from part_tests
    union all by name
    select * from area_tests
)

{{ flagged_and_counted('tests') }}
