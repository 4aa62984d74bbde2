-- Sums within one publication: parts of a declared complete partition against their total, areas of a complete group against theirs; and no part is
-- more than its whole.
-- |T − Σx| ≤ ½·u(T) + Σ½·u(x): the exact bound that rounding leaves. A partition with a part missing is not compared.
-- Which series goes into which sum is said once a series; the sums are then taken over integer keys.
with levels as (
    select * from {{ ref('quality_series') }} where is_level
),

partition_sizes as (
    select partition_id, count(*) as wanted from {{ ref('partitions') }} group by partition_id
),

parts as (
    select
        m.series_id, m.ref_area, t.partition_id, t.total_indicator, t.total_breakdown,
        case when t.total_scope = '*' then m.currency_scope else t.total_scope end as currency_scope, t.total_value,
        case when t.total_value is null then m.prices end as prices,
        concat_ws(' ', t.member_indicator, t.member_breakdown, t.member_scope) as member
    from levels as m
    inner join {{ ref('partitions') }} as t
        on t.member_indicator = m.indicator and t.member_breakdown = m.breakdown and t.member_scope in ('*', m.currency_scope)
),

partition_sums as (
    select
        p.*, hash(p.partition_id, p.total_indicator, p.total_breakdown, p.ref_area, p.currency_scope, p.prices) as sum_id,
        z.wanted, t.series_id as total_id
    from parts as p
    inner join partition_sizes as z on z.partition_id = p.partition_id
    left join levels as t
        on t.ref_area = p.ref_area and t.indicator = p.total_indicator and t.breakdown = p.total_breakdown and t.currency_scope = p.currency_scope
        and t.prices = p.prices
),

part_totals as (
    select distinct sum_id, partition_id, total_id, wanted, total_value from partition_sums
),

part_sums as (
    select
        m.publication_id, s.sum_id, m.period_key, count(*) as found, bool_or(m.conflicts) as conflicts,
        sum(m.obs_value::decimal(28, 8))::double as total, sum(m.lower::decimal(28, 8))::double as lower, sum(m.upper::decimal(28, 8))::double as upper,
        count(m.lower) = count(*) as has_lower, count(m.upper) = count(*) as has_upper
    from {{ ref('quality_prints') }} as m
    inner join partition_sums as s on s.series_id = m.series_id
    group by m.publication_id, s.sum_id, m.period_key
    having count(*) > 1
),

part_answers as (
    select
        s.publication_id, s.sum_id, s.period_key, s.total, s.lower, s.upper, t.print_no as total_print_no,
        coalesce(t.obs_value, w.total_value) as observed, coalesce(t.lower, w.total_value) as t_lower, coalesce(t.upper, w.total_value) as t_upper,
        case
            when s.found < w.wanted or (t.series_id is null and w.total_value is null) or s.conflicts or coalesce(t.conflicts, false) then 'not_comparable'
            else {{ interval_answer('coalesce(t.lower, w.total_value)', 'coalesce(t.upper, w.total_value)', 'case when s.has_lower then s.lower end', 'case when s.has_upper then s.upper end', 'coalesce(t.obs_value, w.total_value)') }}
        end as answer
    from part_sums as s
    inner join part_totals as w on w.sum_id = s.sum_id
    left join {{ ref('quality_prints') }} as t on t.publication_id = s.publication_id and t.series_id = w.total_id and t.period_key = s.period_key
),

-- The parts in words, for those that don't close.
part_texts as (
    select
        a.publication_id, a.sum_id, a.period_key, any_value(t.partition_id) as partition_id, min(m.print_no) as print_no, min(m.judged_as) as judged_as,
        string_agg(m.obs_value::varchar, ' + ' order by t.member) as parts
    from part_answers as a
    inner join partition_sums as t on t.sum_id = a.sum_id
    inner join {{ ref('quality_prints') }} as m on m.publication_id = a.publication_id and m.series_id = t.series_id and m.period_key = a.period_key
    where a.answer = 'inconsistent'
    group by a.publication_id, a.sum_id, a.period_key
),

part_tests as (
    select
        'parts_sum' as rule_id, a.answer, p.series_id, a.period_key, p.print_no, a.publication_id || ' ' || x.partition_id as partner,
        a.publication_id, case when a.total_print_no is null then x.judged_as else p.judged_as end as judged_as,
        a.observed, a.total as expected, a.lower, a.upper,
        {{ apart('a.t_lower', 'a.t_upper', 'a.lower', 'a.upper') }} as score,
        a.total as suggested, x.parts as detail, a.observed::varchar || ' = ' || x.parts as values_seen
    from part_answers as a
    inner join part_texts as x on x.publication_id = a.publication_id and x.sum_id = a.sum_id and x.period_key = a.period_key
    inner join {{ ref('quality_prints') }} as p on p.print_no = coalesce(a.total_print_no, x.print_no)
    where a.answer = 'inconsistent'
),

-- A share of each area does not add up; amounts and counts do. A group's members change: a period's key begins with the day of its end.
area_sums as (
    select
        m.series_id, m.ref_area, m.indicator, g.group_id, t.series_id as total_id, hash(g.group_id, t.series_id) as sum_id,
        {{ period_key('null::date', "coalesce(n.valid_from, " ~ beginning() ~ ")") }} as from_key,
        {{ period_key('null::date', "coalesce(n.valid_to, " ~ forever() ~ ")") }} as to_key
    from {{ ref('cl_area_group_members') }} as n
    inner join {{ ref('cl_area_groups') }} as g on g.group_id = n.group_id and g.complete and g.total_area is not null
    inner join levels as m on m.ref_area = n.ref_area and m.kind in ('flow', 'stock')
    inner join levels as t on t.ref_area = g.total_area and t.group_key = m.group_key
),

group_sizes as (
    select p.period_key, m.group_id, count(*) as wanted
    from {{ ref('int_periods') }} as p
    inner join {{ ref('cl_area_group_members') }} as m
        on p.period_end >= coalesce(m.valid_from, {{ beginning() }}) and p.period_end < coalesce(m.valid_to, {{ forever() }})
    group by p.period_key, m.group_id
),

area_groups as (
    select distinct sum_id, group_id, indicator, total_id from area_sums
),

area_totals as (
    select
        m.publication_id, s.sum_id, m.period_key, count(*) as found, bool_or(m.conflicts) as conflicts,
        sum(m.obs_value::decimal(28, 8))::double as total, sum(m.lower::decimal(28, 8))::double as lower, sum(m.upper::decimal(28, 8))::double as upper,
        count(m.lower) = count(*) as has_lower, count(m.upper) = count(*) as has_upper
    from {{ ref('quality_prints') }} as m
    inner join area_sums as s on s.series_id = m.series_id and m.period_key >= s.from_key and m.period_key < s.to_key
    group by m.publication_id, s.sum_id, m.period_key
    having count(*) > 1
),

area_compared as (
    select
        s.*, g.group_id, z.wanted, t.series_id, t.print_no, t.obs_value as t_value, t.lower as t_lower, t.upper as t_upper, t.judged_as, t.conflicts as t_conflicts,
        coalesce(l.value, 0) / 100 * t.obs_value as slack
    from area_totals as s
    inner join area_groups as g on g.sum_id = s.sum_id
    inner join group_sizes as z on z.group_id = g.group_id and z.period_key = s.period_key
    inner join {{ ref('quality_prints') }} as t on t.publication_id = s.publication_id and t.series_id = g.total_id and t.period_key = s.period_key
    left join {{ ref('quality_limits') }} as l on l.rule_id = 'areas_sum' and l.parameter = 'slack_percent' and l.indicator = g.indicator
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
        a.publication_id, a.sum_id, a.period_key,
        arg_min(g.ref_area, abs(abs(m.obs_value) - abs(a.total - a.t_value))) as ref_area,
        count(*) filter (where abs(m.obs_value) between abs(a.total - a.t_value) - a.room and abs(a.total - a.t_value) + a.room) as makers,
        left(md5(string_agg(g.ref_area || m.obs_value, ' ' order by g.ref_area)), 16) as fingerprint
    from (select *, (upper - lower + t_upper - t_lower) / 2 as room from area_answers where answer = 'inconsistent') as a
    inner join area_sums as g on g.sum_id = a.sum_id and a.period_key >= g.from_key and a.period_key < g.to_key
    inner join {{ ref('quality_prints') }} as m on m.publication_id = a.publication_id and m.series_id = g.series_id and m.period_key = a.period_key
    group by a.publication_id, a.sum_id, a.period_key
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
    left join gap_makers as k using (publication_id, sum_id, period_key)
    where a.answer = 'inconsistent'
),

-- A part is never more than its whole: a child indicator or breakdown against its parent, both in force.
wholes as (
    select
        s.series_id,
        {{ series_id('s.ref_area', "case when s.breakdown <> '_T' then s.indicator else s.whole_indicator end", "coalesce(b.parent, '_T')", 's.currency_scope', 's.transformation', 's.prices') }} as whole_id,
        s.unit_measure, s.unit_mult
    from levels as s
    left join {{ ref('cl_breakdowns') }} as b on b.breakdown = s.breakdown
    where s.kind in ('flow', 'stock') and (s.breakdown <> '_T' or coalesce(s.whole_indicator, '') <> '')
),

whole_answers as (
    select
        p.reading_no, w.reading_no as whole_no, s.whole_id,
        case
            when w.series_id is null or s.unit_measure <> i.unit_measure or s.unit_mult <> i.unit_mult or p.census_basis is distinct from w.census_basis then 'not_comparable'
            when p.lower is null or w.upper is null then 'uninformative'
            when p.lower > w.upper then 'inconsistent'
            else 'consistent'
        end as answer
    from {{ ref('quality_figures') }} as p
    inner join wholes as s on s.series_id = p.series_id
    left join {{ ref('quality_series') }} as i on i.series_id = s.whole_id
    left join {{ ref('quality_figures') }} as w on w.series_id = s.whole_id and w.period_key = p.period_key and w.is_current
    where p.is_current
),

whole_tests as (
    select
        'part_over_whole' as rule_id, a.answer,
        p.series_id, p.period_key, p.print_no, 'whole' as partner, p.publication_id, p.vintage_no, p.judged_as, p.obs_value as observed, w.obs_value as expected,
        w.upper, (p.obs_value - w.obs_value) / nullif(abs(w.obs_value), 0) / 0.01 as score, coalesce(i.indicator, '') || ' ' || w.obs_value || coalesce(', ' || w.publication_id, '') as detail,
        p.obs_value || ' > ' || w.obs_value as values_seen
    from whole_answers as a
    inner join {{ ref('quality_figures') }} as p on p.reading_no = a.reading_no
    inner join {{ ref('quality_figures') }} as w on w.reading_no = a.whole_no
    left join {{ ref('quality_series') }} as i on i.series_id = a.whole_id
    where a.answer = 'inconsistent'
),

tests as (
    select * from whole_tests
    union all by name
    select * from part_tests
    union all by name
    select * from area_tests
),

counted as (
    {% for rule, answers in (('part_over_whole', 'whole_answers'), ('parts_sum', 'part_answers'), ('areas_sum', 'area_answers')) %}
    select '{{ rule }}' as rule_id, answer, count(*) as figures from {{ answers }} where answer <> 'inconsistent' group by answer
    {{ 'union all' if not loop.last }}
    {% endfor %}
)

{{ flagged_and_counted('tests', 'counted') }}
