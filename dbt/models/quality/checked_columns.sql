-- One publication's columns: a figure printed twice with two values, and a column that repeats another.
with prints as (
    select *, round(abs(obs_value) * pow(10.0, decimals)) >= 100 and coalesce(qualifier, '') = '' as is_telling
    from {{ ref('quality_prints') }}
),

two_values as (
    select
        'two_values' as rule_id,
        case when prints = 1 then 'not_comparable' when conflicts then 'inconsistent' else 'consistent' end as answer,
        series_id, period_key, print_no, publication_id as partner, publication_id, judged_as, obs_value as observed, other_value as expected, lower, upper,
        abs(obs_value - other_value) / nullif(upper - lower, 0) as score, other_value::varchar as detail,
        least(obs_value, other_value) || ' / ' || greatest(obs_value, other_value) as values_seen
    from prints
),

-- A column over areas, and a column over indicators: the same values in the same order under another heading. Three digits in each of
-- four cells do not agree by chance.
columns_seen as (
    select
        'areas' as axis, publication_id, hash(group_key, period_key) as column_id, group_key as of_group, period_key, null::varchar as of_area,
        count(*) filter (where is_telling) as telling, count(*) as cells,
        hash(list((ref_area, obs_value) order by ref_area)) as content, arg_max(print_no, obs_value) as print_no
    from prints
    group by publication_id, group_key, period_key
    union all
    select
        'indicators', publication_id, hash(ref_area, period_key), null, period_key, ref_area,
        count(*) filter (where is_telling), count(*), hash(list((group_key, obs_value) order by group_key)), arg_max(print_no, obs_value)
    from prints
    group by publication_id, ref_area, period_key
),

repeats as (
    select a.axis, a.publication_id, a.column_id, a.of_group, a.period_key, a.of_area, a.print_no, b.column_id as other_id, b.of_group as other_group, b.period_key as other_key
    from columns_seen as a
    inner join columns_seen as b
        on b.axis = a.axis and b.publication_id = a.publication_id and b.content = a.content and b.column_id <> a.column_id
    where a.telling >= 4
),

-- Of the two, the one that is farther from what its neighbours say.
off as (
    select r.axis, r.publication_id, r.column_id, median(abs(ln(p.obs_value) - list_median(e.expected_lns))) as off, count(*) as cells
    from (select distinct axis, publication_id, column_id, of_group, period_key, of_area from repeats) as r
    inner join prints as p
        on p.publication_id = r.publication_id and p.period_key = r.period_key and p.obs_value > 0
        and (r.axis = 'areas' and p.group_key = r.of_group or r.axis = 'indicators' and p.ref_area = r.of_area)
    left join {{ ref('quality_expectations') }} as e on e.series_id = p.series_id and e.period_key = p.period_key
    group by all
),

judged as (
    select r.*, a.off, a.cells,
        coalesce(a.off, 0) > coalesce(b.off, 0) or (coalesce(a.off, 0) = coalesce(b.off, 0) and r.column_id > r.other_id) as is_the_odd_one
    from repeats as r
    inner join off as a on a.axis = r.axis and a.publication_id = r.publication_id and a.column_id = r.column_id
    inner join off as b on b.axis = r.axis and b.publication_id = r.publication_id and b.column_id = r.other_id
),

duplicated as (
    select
        'duplicated_column' as rule_id, 'inconsistent' as answer, p.series_id, p.period_key, p.print_no,
        j.publication_id || ' ' || j.axis || ' ' || o.indicator || ' ' || o.currency_scope || ' ' || coalesce(strftime(t.period_end, '%Y-%m-%d'), '') as partner, j.publication_id, p.judged_as,
        p.obs_value as observed, j.cells::double as score,
        o.indicator || ' ' || t.time_period || ' (' || j.cells || ')' as detail,
        j.cells || ' ' || p.obs_value as values_seen
    from judged as j
    inner join prints as p on p.print_no = j.print_no
    inner join repeats as r on r.axis = j.axis and r.publication_id = j.publication_id and r.column_id = j.other_id and r.other_id = j.column_id
    inner join prints as o on o.print_no = r.print_no
    inner join {{ ref('int_periods') }} as t on t.period_key = o.period_key
    where j.is_the_odd_one
    qualify row_number() over (partition by j.axis, j.publication_id, j.column_id order by o.print_no) = 1
),

looked_at as (
    select 'duplicated_column' as rule_id, case when telling >= 4 then 'consistent' else 'uninformative' end as answer, column_id as series_id
    from columns_seen
    where cells > 1
),

tests as (
    select * from two_values
    union all by name
    select * from duplicated
    union all by name
    select * from looked_at
)

{{ flagged_and_counted('tests') }}
