-- A figure by itself: its unit, what nature allows it, and how many digits it has beside its column.
-- Parts of a ratio have no unit of their own.
with cells as (
    select null as refusal, count(*) as figures
    from {{ ref('int_prints') }}
    where print_no = {{ print_no('cell_no', 0) }}
    having count(*) > 0
    union all
    select refusal, count(*)
    from {{ ref('int_refusals') }}
    where indicator is not null and part = 0
    group by refusal
),

unit_of_cell as (
    select
        'unit_dimension' as rule_id, 'inconsistent' as answer,
        r.cell_no, r.publication_id as partner, r.publication_id, r.ref_area, r.indicator, r.breakdown, r.currency_scope, r.transformation, r.prices,
        r.period_start, r.period_end, 'unstaged' as judged_as, try_cast(replace(c.value_text, ',', '') as double) as observed, 1.0 as score,
        r.unit_key as detail, c.value_text || ' ' || r.unit_key as values_seen
    from {{ ref('int_refusals') }} as r
    inner join {{ ref('cells') }} as c on c.cell_no = r.cell_no
    where r.refusal = 'unit_dimension' and r.indicator is not null and r.part = 0
),

-- A plan prints a target's unit; where it measures another thing than its indicator, one of the two is wrong.
unit_of_target as (
    select
        'unit_dimension' as rule_id,
        case when pm.dimension is null then 'uninformative' when pm.dimension = im.dimension then 'consistent' else 'inconsistent' end as answer,
        t.target_id as partner, t.document_id as publication_id, t.ref_area, t.indicator, t.breakdown, t.currency_scope, t.transformation,
        '_Z' as prices, t.period_start, t.period_end, 'unstaged' as judged_as, t.target_value as observed, 1.0 as score, t.unit_text as detail,
        t.value_text || ' ' || t.unit_text as values_seen
    from {{ ref('plan_targets') }} as t
    inner join {{ ref('cl_target_operators') }} as o on o.comparator = t.comparator and o.level_rule = 'value'
    inner join {{ ref('cl_indicators') }} as i on i.indicator = t.indicator
    inner join {{ ref('cl_unit_measures') }} as im on im.unit_measure = i.unit_measure
    left join {{ ref('cl_units') }} as u on u.unit_text = lower(t.unit_text)
    left join {{ ref('cl_unit_measures') }} as pm on pm.unit_measure = u.unit_measure
    where t.transformation = 'N'
),

bounds as (
    select
        series_id,
        case when transformation = 'G1Y' then -100.0 when is_level then lower_limit end as least_allowed,
        case when is_level then upper_limit end as most_allowed
    from {{ ref('quality_series') }}
),

bounded as (
    select b.least_allowed is not null or b.most_allowed is not null as has_bounds, count(*) as figures
    from {{ ref('quality_figures') }} as f
    inner join bounds as b on b.series_id = f.series_id
    group by 1
),

limits as (
    select
        'natural_limits' as rule_id, 'inconsistent' as answer,
        f.series_id, f.period_key, f.print_no, f.publication_id as partner, f.publication_id, f.vintage_no, f.judged_as, f.obs_value as observed,
        b.least_allowed as lower, b.most_allowed as upper,
        greatest(coalesce(b.least_allowed - f.obs_value, 0), coalesce(f.obs_value - b.most_allowed, 0)) / greatest(1.0, abs(coalesce(b.most_allowed, b.least_allowed))) as score,
        f.obs_value::varchar as values_seen
    from {{ ref('quality_figures') }} as f
    inner join bounds as b on b.series_id = f.series_id
    where coalesce(f.upper, f.obs_value) < b.least_allowed or coalesce(f.lower, f.obs_value) > b.most_allowed
),

-- One table prints one indicator to one precision. A zero lost at the end (7 for 7.0) is common and harmless, so few digits alone are not enough.
digits as (
    select p.publication_id, s.group_key, p.decimals, coalesce(p.qualifier, '') = '' as is_plain, count(*) as figures
    from {{ ref('int_prints') }} as p
    inner join {{ ref('quality_series') }} as s on s.series_id = p.series_id
    group by p.publication_id, s.group_key, p.decimals, coalesce(p.qualifier, '') = ''
),

columns_of_digits as (
    select publication_id, group_key, arg_max(decimals, figures) as usual, max(figures) as alike, sum(figures) as figures, count(*) as kinds
    from digits
    where is_plain
    group by publication_id, group_key
),

-- By chance a figure of d decimals ends in k noughts once in 10^k: what is expected of the column is no finding.
precise as (
    select
        d.publication_id, d.group_key, d.decimals, d.is_plain, c.usual, d.figures,
        case
            when not d.is_plain or c.figures < 8 then 'uninformative'
            when c.kinds = 1 then 'consistent'
            when c.alike < 0.9 * c.figures then 'uninformative'
            when c.usual - d.decimals >= 2 and c.figures * pow(10.0, d.decimals - c.usual) < 0.5 then 'inconsistent'
            when d.decimals - c.usual >= 2 then 'inconsistent'
            else 'consistent'
        end as answer
    from digits as d
    left join columns_of_digits as c on c.publication_id = d.publication_id and c.group_key = d.group_key
),

imprecise as (
    select
        'precision' as rule_id, 'inconsistent' as answer,
        p.series_id, p.period_key, p.print_no, p.publication_id as partner, p.publication_id, 'unstaged' as judged_as, p.obs_value as observed,
        abs(c.usual - p.decimals)::double as score, p.decimals || ' / ' || c.usual as detail, p.obs_value::varchar || ' (' || p.decimals || ')' as values_seen
    from {{ ref('int_prints') }} as p
    inner join {{ ref('quality_series') }} as s on s.series_id = p.series_id
    inner join precise as c
        on c.answer = 'inconsistent' and c.publication_id = p.publication_id and c.group_key = s.group_key and c.decimals = p.decimals
    where coalesce(p.qualifier, '') = ''
),

tests as (
    select * from unit_of_cell
    union all by name
    select * from unit_of_target
    union all by name
    select * from limits
    union all by name
    select * from imprecise
),

counted as (
    select 'unit_dimension' as rule_id, case when refusal is null then 'consistent' else 'not_comparable' end as answer, figures
    from cells
    where refusal is distinct from 'unit_dimension'
    union all
    select 'natural_limits', case when has_bounds then 'consistent' else 'not_comparable' end, figures from bounded
    union all
    select 'natural_limits', 'consistent', -count(*) from limits
    union all
    select 'precision', answer, figures from precise where answer <> 'inconsistent'
)

{{ flagged_and_counted('tests', 'counted') }}
