-- Do the targets fit one another, their bases, and what has been seen? Interval tests with three answers.
-- A share and an amount imply the other amount; the formula registry says which share is of what.
with pairs as (
    select
        f.formula_id, f.indicator as share_indicator, f.scale,
        n.indicator as over_indicator, d.indicator as under_indicator, d.area_scope as under_scope
    from {{ ref('formulas') }} as f
    inner join {{ ref('formula_terms') }} as n on n.formula_id = f.formula_id and n.side = 'numerator'
    inner join {{ ref('formula_terms') }} as d on d.formula_id = f.formula_id and d.side = 'denominator'
    inner join {{ ref('indicators') }} as u on u.indicator = n.indicator
    inner join {{ ref('indicators') }} as v on v.indicator = d.indicator
    where n.area_scope = 'self' and d.area_scope in ('self', 'parent') and n.lag = 0 and d.lag = 0
        and n.coefficient = 1 and d.coefficient = 1 and f.breakdown = '_T' and n.breakdown = '_T' and d.breakdown = '_T'
        and n.span in ('same', 'end') and d.span in ('same', 'end')
    -- both amounts are kept in one unit, or what is implied would not be in the unit of what is given
    qualify count(*) over (partition by f.formula_id) = 1 and u.unit_measure = v.unit_measure and u.unit_mult = v.unit_mult
),

levels as (
    select t.*, a.parent
    from {{ ref('targets') }} as t
    inner join {{ ref('areas') }} as a using (ref_area)
    where t.level_rule = 'value' and t.transformation = 'N' and t.breakdown = '_T' and t.scored
),

-- amount and share of one area and year: what the whole must then be
wholes as (
    select
        p.formula_id, 'implied_whole' as test, s.target_id as target_a, n.target_id as target_b, s.period_start, s.period_end,
        case when p.under_scope = 'parent' then s.parent else s.ref_area end as ref_area,
        p.under_indicator as indicator,
        n.target_level / s.target_level * p.scale as implied_value,
        n.target_lower / s.target_upper * p.scale as implied_lower,
        n.target_upper / s.target_lower * p.scale as implied_upper
    from pairs as p
    inner join levels as s on s.indicator = p.share_indicator
    inner join levels as n on n.indicator = p.over_indicator and n.ref_area = s.ref_area and n.period_end = s.period_end
    where s.target_lower > 0
),

-- share and whole: what the part must then be
parts as (
    select
        p.formula_id, 'implied_part' as test, s.target_id as target_a, d.target_id as target_b, s.period_start, s.period_end,
        s.ref_area, p.over_indicator as indicator,
        d.target_level * s.target_level / p.scale as implied_value,
        d.target_lower * s.target_lower / p.scale as implied_lower,
        d.target_upper * s.target_upper / p.scale as implied_upper
    from pairs as p
    inner join levels as s on s.indicator = p.share_indicator
    inner join levels as d
        on d.indicator = p.under_indicator and d.period_end = s.period_end
        and d.ref_area = case when p.under_scope = 'parent' then s.parent else s.ref_area end
),

implied as (
    select * from wholes
    union all
    select * from parts
),

-- Only what a target implies something of is looked up.
observed as (
    select
        v.ref_area, v.indicator, period_start, period_end, obs_value, lower, upper, census_basis, marks,
        lag(obs_value) over in_time as value_before,
        lag(census_basis) over in_time as basis_before,
        lag(period_end) over in_time as end_before
    from {{ ref('observation_vintages') }} as v
    inner join (select distinct ref_area, indicator from implied) as w on w.ref_area = v.ref_area and w.indicator = v.indicator
    where is_headline and transformation = 'N' and breakdown = '_T' and prices <> 'constant' and month(period_end) = 12 and day(period_end) = 31
        and (period_start is null or period_start = date_trunc('year', period_end)) and obs_value > 0
        and currency_scope in ('_Z', 'all')
    window in_time as (partition by v.ref_area, v.indicator order by period_end)
),

-- Growth seen in single years on one census basis, the last five of them.
grown as (
    select ref_area, indicator, min(rate) as seen_lowest, max(rate) as seen_highest, count(*) as years
    from (
        select ref_area, indicator, period_end, obs_value / value_before - 1 as rate
        from observed
        where year(end_before) = year(period_end) - 1 and (census_basis is not distinct from basis_before)
            and coalesce(census_basis, '') not in ('unknown', 'mixed')
        qualify row_number() over (partition by ref_area, indicator order by period_end desc) <= 5
    ) as rates
    group by all
),

last_seen as (
    select distinct on (ref_area, indicator) * from observed order by ref_area, indicator, period_end desc
),

against_targets as (
    select
        i.*, t.target_id as target_c, 'target' as compared_with, t.target_level as other_value, t.target_lower as other_lower, t.target_upper as other_upper
    from implied as i
    inner join levels as t on t.indicator = i.indicator and t.ref_area = i.ref_area and t.period_end = i.period_end
),

against_figures as (
    select
        i.*, null::varchar as target_c, 'observation' as compared_with, o.obs_value as other_value, o.lower as other_lower, o.upper as other_upper, o.marks
    from implied as i
    inner join observed as o on o.indicator = i.indicator and o.ref_area = i.ref_area and o.period_end = i.period_end
),

against_growth as (
    select
        i.*, null::varchar as target_c, 'growth_seen' as compared_with, l.obs_value as other_value, l.lower as other_lower, l.upper as other_upper,
        l.marks, l.period_end as seen_until, g.seen_lowest, g.seen_highest, g.years,
        pow(i.implied_value / l.obs_value, 1.0 / (year(i.period_end) - year(l.period_end))) - 1 as needed_growth,
        pow(i.implied_lower / coalesce(l.upper, l.obs_value), 1.0 / (year(i.period_end) - year(l.period_end))) - 1 as needed_lower,
        pow(i.implied_upper / coalesce(l.lower, l.obs_value), 1.0 / (year(i.period_end) - year(l.period_end))) - 1 as needed_upper
    from implied as i
    inner join last_seen as l on l.indicator = i.indicator and l.ref_area = i.ref_area and l.period_end < i.period_end
    left join grown as g on g.indicator = i.indicator and g.ref_area = i.ref_area
),

-- Every figure or target that an implied amount could have been held against, and none there.
against_nothing as (
    select i.*, null::varchar as target_c, 'nothing' as compared_with
    from implied as i
    anti join (
        select target_a, target_b from against_targets
        union all
        select target_a, target_b from against_figures
        union all
        select target_a, target_b from against_growth
    ) as a on a.target_a = i.target_a and a.target_b = i.target_b
),

below_base as (
    select
        'below_base' as test, t.target_id as target_a, t.ref_area, t.indicator, t.period_start, t.period_end,
        t.target_level as implied_value, t.target_lower as implied_lower, t.target_upper as implied_upper,
        'base' as compared_with, p.base_value as other_value, p.base_lower as other_lower, p.base_upper as other_upper, t.direction
    from levels as t
    inner join {{ ref('target_progress') }} as p on p.target_id = t.target_id and p.is_today
    where p.base_source in ('vintage', 'printed')
),

needed as (
    select
        'needed_growth' as test, p.target_id as target_a, p.ref_area, p.indicator, t.period_start, t.period_end,
        p.target_level as implied_value, 'growth_since_base' as compared_with, p.actual_value as other_value, p.actual_lower as other_lower, p.actual_upper as other_upper,
        t.direction,
        p.observed_rate as seen_growth,
        {{ compound_rate('p.actual_value', year_position('p.actual_period_end'), 'p.target_level', year_position('t.period_end')) }} as needed_growth,
        {{ compound_rate('p.actual_upper', year_position('p.actual_period_end'), 'p.target_level', year_position('t.period_end')) }} as needed_lower,
        {{ compound_rate('p.actual_lower', year_position('p.actual_period_end'), 'p.target_level', year_position('t.period_end')) }} as needed_upper,
        {{ compound_rate('p.base_upper', year_position('p.base_period_end'), 'p.actual_lower', year_position('p.actual_period_end')) }} as seen_lowest,
        {{ compound_rate('p.base_lower', year_position('p.base_period_end'), 'p.actual_upper', year_position('p.actual_period_end')) }} as seen_highest
    from {{ ref('target_progress') }} as p
    inner join {{ ref('targets') }} as t using (target_id)
    where p.is_today and p.ratio is not null and not p.is_final and p.attainment <> 'certain'
),

wordings as (
    select
        'conflicting_wordings' as test, a.target_id as target_a, b.target_id as target_b, a.ref_area, a.indicator, a.period_start, a.period_end,
        a.target_level - a.direction * a.band_half_width as implied_value,
        'target' as compared_with, b.target_level - b.direction * b.band_half_width as other_value
    from {{ ref('targets') }} as a
    inner join {{ ref('targets') }} as b on b.conflict_group = a.conflict_group and a.is_ruling and not b.is_ruling
),

inside as (
    select
        'district_in_city' as test, d.target_id as target_a, c.target_id as target_b, d.ref_area, d.indicator, d.period_start, d.period_end,
        d.target_level as implied_value, d.target_lower as implied_lower, d.target_upper as implied_upper,
        'target' as compared_with, c.target_level as other_value, c.target_lower as other_lower, c.target_upper as other_upper
    from levels as d
    inner join levels as c on c.ref_area = d.parent and c.indicator = d.indicator and c.period_end = d.period_end
    where d.path_kind = 'geometric'
),

unprinted as (
    select coalesce(list(target_id), []) as targets from {{ ref('targets') }} where currency_scope = '_U'
),

answered as (
    -- an implied amount wider than a tenth of itself can't tell anything
    select
        *,
        case
            when compared_with = 'nothing' then 'uninformative'
            when implied_upper - implied_lower > 0.1 * implied_value then 'uninformative'
            when compared_with = 'growth_seen' then case
                when seen_lowest is null then 'uninformative'
                when needed_lower > seen_highest or needed_upper < seen_lowest then 'inconsistent'
                when needed_lower >= seen_lowest and needed_upper <= seen_highest then 'consistent'
                else 'uninformative' end
            when implied_lower > coalesce(other_upper, {{ no_upper() }}) or implied_upper < coalesce(other_lower, {{ no_lower() }}) then 'inconsistent'
            else 'consistent'
        end as answer
    from (
        select * from against_targets
        union all by name
        select * from against_figures
        union all by name
        select * from against_growth
        union all by name
        select * from against_nothing
    ) as implied_tests
    union all by name
    select
        *,
        case
            when direction * implied_value < direction * case when direction > 0 then other_lower else other_upper end then 'inconsistent'
            when direction * implied_value > direction * case when direction > 0 then other_upper else other_lower end then 'consistent'
            else 'uninformative'
        end as answer
    from below_base
    union all by name
    select
        *,
        case
            when needed_lower is null or needed_upper is null or seen_lowest is null or seen_highest is null then 'uninformative'
            when direction > 0 and seen_lowest >= needed_upper or direction < 0 and seen_highest <= needed_lower then 'consistent'
            when direction > 0 and seen_highest < needed_lower or direction < 0 and seen_lowest > needed_upper then 'inconsistent'
            else 'uninformative'
        end as answer
    from needed
    union all by name
    select *, case when implied_value = other_value then 'consistent' else 'inconsistent' end as answer from wordings
    union all by name
    select
        *,
        case
            when implied_upper <= other_lower then 'consistent'
            when implied_lower > other_upper then 'inconsistent'
            else 'uninformative'
        end as answer
    from inside
)

select
    test, compared_with, target_a, target_b, target_c, formula_id, ref_area, indicator, period_end,
    implied_value, implied_lower, implied_upper, other_value, other_lower, other_upper,
    seen_until, needed_growth, needed_lower, needed_upper, seen_lowest, seen_highest, years::integer as years_seen,
    answer,
    array_to_string(list_sort(list_distinct(list_filter([
        case when list_has_any(u.targets, [target_a, target_b, target_c]) then 'scope_not_printed' end,
        case when marks like '%scope_assumed%' then 'scope_assumed' end,
        case when list_contains(string_split(marks, ', '), 'claim') then 'claim' end
    ], lambda w: w is not null))), ', ') as assumed,
    case test
        when 'implied_whole' then '金额与占比两个目标合起来意味着 '
        when 'implied_part' then '占比与总量两个目标合起来意味着 '
        when 'below_base' then case when answer = 'inconsistent' then '目标劣于基期：目标 ' else '目标与基期：目标 ' end
        when 'needed_growth' then '余下年份所需增速与基期以来增速：目标 '
        when 'conflicting_wordings' then '同一目标两种说法，以严者为准，界限 '
        else '区县目标与全市目标：区县 '
    end || round(implied_value, 2)
    || case when other_value is not null then '，相比 ' || round(other_value, 2) else '' end
    || case when needed_growth is not null then '，年均需 ' || round(100 * needed_growth, 2) || '%' else '' end
    || case when seen_lowest is not null and seen_highest is not null then '，所见 ' || round(100 * seen_lowest, 2) || '% 至 ' || round(100 * seen_highest, 2) || '%' else '' end as text_zh,
    case test
        when 'implied_whole' then 'amount and share together imply '
        when 'implied_part' then 'share and whole together imply '
        when 'below_base' then case when answer = 'inconsistent' then 'target worse than its base: ' else 'target and base: ' end
        when 'needed_growth' then 'growth still needed against growth since the base: target '
        when 'conflicting_wordings' then 'two wordings of one target, the stricter one rules, bound '
        else 'target of the district and of its city: district '
    end || round(implied_value, 2)
    || case when other_value is not null then ' against ' || round(other_value, 2) else '' end
    || case when needed_growth is not null then ', needs ' || round(100 * needed_growth, 2) || ' % a year' else '' end
    || case when seen_lowest is not null and seen_highest is not null then ', seen ' || round(100 * seen_lowest, 2) || ' to ' || round(100 * seen_highest, 2) || ' %' else '' end as text_en
from answered as t
cross join unprinted as u
