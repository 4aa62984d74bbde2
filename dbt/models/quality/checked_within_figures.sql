-- A figure by itself: its unit, what nature allows it, and how many digits it has beside its column.
with cells as (
    select
        cell_no, part, publication_id, ref_area, indicator, breakdown, currency_scope, transformation, prices, period_start, period_end, value_text, unit_key,
        refusal
    from {{ ref('int_cells_judged') }}
),

unit_of_cell as (
    select
        'unit_dimension' as rule_id,
        case when refusal = 'unit_dimension' then 'inconsistent' when refusal is null then 'consistent' else 'not_comparable' end as answer,
        cell_no, publication_id as partner, publication_id, ref_area, indicator, breakdown, currency_scope, transformation, prices, period_start, period_end,
        'unstaged' as judged_as, try_cast(replace(value_text, ',', '') as double) as observed, 1.0 as score, unit_key as detail,
        value_text || ' ' || unit_key as values_seen
    from cells
    where indicator is not null and part = 0
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

limited as (
    select
        f.*,
        case when s.transformation = 'G1Y' then -100.0 when s.is_level then s.lower_limit end as least_allowed,
        case when s.is_level then s.upper_limit end as most_allowed
    from {{ ref('quality_figures') }} as f
    inner join {{ ref('quality_series') }} as s on s.series_id = f.series_id
),

limits as (
    select
        'natural_limits' as rule_id,
        case
            when least_allowed is null and most_allowed is null then 'not_comparable'
            when coalesce(upper, obs_value) < least_allowed or coalesce(lower, obs_value) > most_allowed then 'inconsistent'
            else 'consistent'
        end as answer,
        series_id, period_key, print_no, publication_id as partner, publication_id, vintage_no, judged_as, obs_value as observed,
        least_allowed as lower, most_allowed as upper,
        greatest(coalesce(least_allowed - obs_value, 0), coalesce(obs_value - most_allowed, 0)) / greatest(1.0, abs(coalesce(most_allowed, least_allowed))) as score,
        obs_value::varchar as values_seen
    from limited
),

-- One table prints one indicator to one precision. A zero lost at the end (7 for 7.0) is common and harmless, so few digits alone are not enough.
printed as (
    select p.print_no, p.series_id, p.period_key, p.publication_id, p.decimals, p.obs_value, p.qualifier, p.lower, p.upper, s.group_key
    from {{ ref('int_prints') }} as p
    inner join {{ ref('quality_series') }} as s on s.series_id = p.series_id
),

digits as (
    select publication_id, group_key, decimals, count(*) as figures from printed where coalesce(qualifier, '') = '' group by all
),

columns_of_digits as (
    select publication_id, group_key, arg_max(decimals, figures) as usual, max(figures) as alike, sum(figures) as figures, count(*) as kinds
    from digits
    group by all
),

-- By chance a figure of d decimals ends in k noughts once in 10^k: what is expected of the column is no finding.
precise as (
    select
        'precision' as rule_id,
        case
            when coalesce(p.qualifier, '') <> '' or c.figures < 8 then 'uninformative'
            when c.kinds = 1 then 'consistent'
            when c.alike < 0.9 * c.figures then 'uninformative'
            when c.usual - p.decimals >= 2 and c.figures * pow(10.0, p.decimals - c.usual) < 0.5 then 'inconsistent'
            when p.decimals - c.usual >= 2 then 'inconsistent'
            else 'consistent'
        end as answer,
        p.series_id, p.period_key, p.print_no, p.publication_id as partner, p.publication_id, 'unstaged' as judged_as, p.obs_value as observed,
        abs(c.usual - p.decimals)::double as score, p.decimals || ' / ' || c.usual as detail, p.obs_value::varchar || ' (' || p.decimals || ')' as values_seen
    from printed as p
    left join columns_of_digits as c on c.publication_id = p.publication_id and c.group_key = p.group_key
),

tests as (
    select * from unit_of_cell
    union all by name
    select * from unit_of_target
    union all by name
    select * from limits
    union all by name
    select * from precise
)

{{ flagged_and_counted('tests') }}
