-- One publication's columns: a figure printed twice with two values, and a column that repeats another.
with two_values as (
    select
        'two_values' as rule_id,
        case when conflicts then 'inconsistent' else 'consistent' end as answer,
        series_id, period_key, print_no, publication_id as partner, publication_id,
        coalesce(stage, case when is_official then 'unstaged' else 'claim' end) as judged_as, obs_value as observed, other_value as expected, lower, upper,
        abs(obs_value - other_value) / nullif(upper - lower, 0) as score, other_value::varchar as detail,
        least(obs_value, other_value) || ' / ' || greatest(obs_value, other_value) as values_seen
    from {{ ref('quality_reprints') }}
),

prints as (
    select
        p.print_no, p.publication_id, p.period_key, p.obs_value, s.group_key, s.ref_area,
        round(abs(p.obs_value) * pow(10.0, p.decimals)) >= 100 and coalesce(p.qualifier, '') = '' as is_telling
    from {{ ref('quality_prints') }} as p
    inner join {{ ref('quality_series') }} as s on s.series_id = p.series_id
),

-- A column over areas, and a column over indicators: the same values in the same order under another heading. Three digits in each of
-- four cells do not agree by chance. A column has each place once, so that the hashes of its cells make one of the whole in any order.
columns_seen as (
    select
        'areas' as axis, publication_id, hash(group_key, period_key) as column_id, any_value(group_key) as of_group, any_value(period_key) as period_key, null::varchar as of_area,
        count(*) filter (where is_telling) as telling, count(*) as cells, bit_xor(hash(ref_area, obs_value)) as content
    from prints
    group by publication_id, hash(group_key, period_key)
    union all
    select
        'indicators', publication_id, hash(ref_area, period_key), null, any_value(period_key), any_value(ref_area),
        count(*) filter (where is_telling), count(*), bit_xor(hash(group_key, obs_value))
    from prints
    group by publication_id, hash(ref_area, period_key)
),

repeats as (
    select a.axis, a.publication_id, a.column_id, a.of_group, a.period_key, a.of_area, b.column_id as other_id
    from columns_seen as a
    inner join columns_seen as b
        on b.axis = a.axis and b.publication_id = a.publication_id and b.content = a.content and b.cells = a.cells and b.column_id <> a.column_id
    where a.telling >= 4 and b.telling >= 4
),

-- Of the two, the one that is farther from what its neighbours say.
off as (
    select
        r.axis, r.publication_id, r.column_id, arg_max(p.print_no, p.obs_value) as print_no, count(*) filter (where p.obs_value > 0) as cells,
        median(abs(ln(case when p.obs_value > 0 then p.obs_value end) - e.said)) as off
    from (select distinct axis, publication_id, column_id, of_group, period_key, of_area from repeats) as r
    inner join {{ ref('quality_prints') }} as p on p.publication_id = r.publication_id and p.period_key = r.period_key
    inner join {{ ref('quality_series') }} as s
        on s.series_id = p.series_id and (r.axis = 'areas' and s.group_key = r.of_group or r.axis = 'indicators' and s.ref_area = r.of_area)
    left join {{ ref('quality_levels') }} as e on e.series_id = p.series_id and e.period_key = p.period_key
    group by r.axis, r.publication_id, r.column_id
),

judged as (
    select r.*, a.cells, a.print_no, b.print_no as other_print_no,
        coalesce(a.off, 0) > coalesce(b.off, 0) or (coalesce(a.off, 0) = coalesce(b.off, 0) and r.column_id > r.other_id) as is_the_odd_one
    from repeats as r
    inner join off as a on a.axis = r.axis and a.publication_id = r.publication_id and a.column_id = r.column_id
    inner join off as b on b.axis = r.axis and b.publication_id = r.publication_id and b.column_id = r.other_id
    where a.cells > 0 and b.cells > 0
),

duplicated as (
    select
        'duplicated_column' as rule_id, 'inconsistent' as answer, p.series_id, p.period_key, p.print_no,
        j.publication_id || ' ' || j.axis || ' ' || s.indicator || ' ' || s.currency_scope || ' ' || coalesce(strftime(t.period_end, '%Y-%m-%d'), '') as partner, j.publication_id, p.judged_as,
        p.obs_value as observed, j.cells::double as score,
        s.indicator || ' ' || t.time_period || ' (' || j.cells || ')' as detail,
        j.cells || ' ' || p.obs_value as values_seen
    from judged as j
    inner join {{ ref('quality_prints') }} as p on p.print_no = j.print_no
    inner join {{ ref('quality_prints') }} as o on o.print_no = j.other_print_no
    inner join {{ ref('quality_series') }} as s on s.series_id = o.series_id
    inner join {{ ref('int_periods') }} as t on t.period_key = o.period_key
    where j.is_the_odd_one
    qualify row_number() over (partition by j.axis, j.publication_id, j.column_id order by o.print_no) = 1
),

tests as (
    select * from two_values
    union all by name
    select * from duplicated
),

counted as (
    select 'two_values' as rule_id, 'not_comparable' as answer, count(*) as figures from {{ ref('quality_prints') }} where prints = 1
    union all
    select 'duplicated_column', case when telling >= 4 then 'consistent' else 'uninformative' end, count(*)
    from columns_seen
    where cells > 1
    group by 2
)

{{ flagged_and_counted('tests', 'counted') }}
