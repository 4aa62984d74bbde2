{# Where each target stands on each day: the mart `target_progress` and the table macro `methods.target_progress_as_of` are this text.
   `days` is a query for (target_id, as_of, is_today). Today also shows what has no date; any other day only what was certainly known. #}

{# Today: the last day on which anything became known. #}
{% macro last_day_known() -%}(select max(known_by) from {{ ref('facts') }}){%- endmacro %}

{# A day asked for, of every target; none is today, which also shows what has no date. #}
{% macro day_asked_for(day) -%}
select target_id, coalesce({{ day }}::date, {{ last_day_known() }}) as as_of, {{ day }}::date is null as is_today from {{ ref('targets') }}
{%- endmacro %}

{% macro level_from(base, base_year) -%}
    (case t.level_rule
        when 'value' then t.target_level
        when 'sum_of_window' then t.target_level
        when 'added_to_base' then case when t.aggregation = 'sum' then t.target_level else {{ base }} + t.target_level end
        when 'times_base' then t.target_value * {{ base }}
        when 'below_base' then (1 - t.target_value / 100) * {{ base }}
        when 'growth_from_base' then {{ base }} * pow(1 + t.target_value / 100, t.target_year - {{ base_year }})
    end)
{%- endmacro %}

{# The figure that a reader would have quoted on that day, one a period: the columns of `in_force`. #}
{% macro figures_in_force(days_and_targets) %}
seen as (
    select t.as_of, t.is_today, f.*
    from {{ days_and_targets }} as t
    inner join {{ ref('target_figures') }} as f on f.target_id = t.target_id
    where f.fit <> 'other' and f.obs_value is not null and (t.is_today or f.known_by <= t.as_of)
        -- an estimate of a year that still runs is no actual
        and f.period_end <= t.as_of
),

placed as (
    select *
    from seen
    qualify row_number() over (
        partition by target_id, as_of, is_today, period_start, period_end, fit, origin
        order by (coalesce(census_basis, '') = 'mixed'), sequence desc
    ) = 1
),

in_force as (
    select *
    from placed
    qualify row_number() over (
        partition by target_id, as_of, is_today, period_start, period_end
        order by
            (fit = 'assumed'),
            case when origin = 'printed' and is_official then 0 when origin = 'derived' then 1 else 2 end,
            sequence desc
    ) = 1
)
{% endmacro %}

{% macro target_progress(days) %}
{%- set b = ['b.base_value', 'b.base_year'] -%}
with days as (
    {{ days }}
),

{{ words_said() }},

standing as (
    select
        d.as_of, d.is_today, t.* exclude (status),
        {{ year_position('t.period_end') }} as target_year,
        case
            when d.is_today or t.known_by <= d.as_of then null
            when t.known_by is null then 'target_undated'
            when t.known_after < d.as_of then 'target_possibly_known'
            else 'target_not_public'
        end as not_shown,
        exists (
            select 1 from {{ ref('targets') }} as n
            where n.supersedes = t.target_id and (d.is_today or n.known_by <= d.as_of)
        ) as is_superseded
    from days as d
    inner join {{ ref('targets') }} as t using (target_id)
),

shown as (
    select * from standing where not_shown is null and scored
),

{{ figures_in_force('shown') }},

comparable as (
    select * from in_force where is_comparable
),

-- The base as known on the day; else as the plan prints it; else the first figure after it.
bases as (
    select
        t.target_id, t.as_of, t.is_today, t.base_printed,
        x.vintage_id as exact_vintage, x.obs_value as exact_value, x.lower as exact_lower, x.upper as exact_upper, x.census_basis as exact_basis,
        n.vintage_id as next_vintage, n.obs_value as next_value, n.lower as next_lower, n.upper as next_upper, n.census_basis as next_basis,
        n.period_end as next_end,
        case
            when x.vintage_id is not null then 'vintage'
            when t.base_printed is not null then 'printed'
            when n.vintage_id is not null then 'first_after'
        end as base_source
    from shown as t
    left join comparable as x
        on x.target_id = t.target_id and x.as_of = t.as_of and x.is_today = t.is_today and x.period_end = t.base_end
    left join comparable as n
        on n.target_id = t.target_id and n.as_of = t.as_of and n.is_today = t.is_today
        and n.period_end > t.base_end and n.period_end <= t.period_end
    qualify row_number() over (partition by t.target_id, t.as_of, t.is_today order by n.period_end) = 1
),

based as (
    select
        t.*, b.base_source, b.exact_vintage, b.exact_value,
        case b.base_source when 'vintage' then b.exact_value when 'printed' then t.base_printed when 'first_after' then b.next_value end as base_value,
        case b.base_source when 'vintage' then b.exact_lower when 'printed' then t.base_printed_lower when 'first_after' then b.next_lower end as base_lower,
        case b.base_source when 'vintage' then b.exact_upper when 'printed' then t.base_printed_upper when 'first_after' then b.next_upper end as base_upper,
        case b.base_source when 'vintage' then b.exact_vintage when 'first_after' then b.next_vintage end as base_vintage_id,
        case b.base_source when 'vintage' then b.exact_basis when 'first_after' then b.next_basis end as base_census_basis,
        case when b.base_source = 'first_after' then b.next_end else t.base_end end as base_period_end
    from shown as t
    inner join bases as b on b.target_id = t.target_id and b.as_of = t.as_of and b.is_today = t.is_today
),

-- The latest figure up to the day the target falls due.
latest as (
    select *
    from (
        select
            c.*,
            row_number() over (partition by c.target_id, c.as_of, c.is_today order by c.period_end desc) as back
        from comparable as c
        inner join shown as t on t.target_id = c.target_id and t.as_of = c.as_of and t.is_today = c.is_today
        where c.period_end <= t.period_end
            -- growth of one year says nothing of another
            and (t.transformation = 'N' or c.period_end = t.period_end)
    ) as ordered
    where back = 1
),

-- Windows: what adds up, and what must hold in every period.
windowed as (
    select
        t.target_id, t.as_of, t.is_today,
        count(*) as periods_seen,
        count(*) filter (where t.direction * (case when t.direction > 0 then c.lower else c.upper end) >= t.direction * t.target_level - t.band_half_width) as periods_met,
        count(*) filter (where t.direction * (case when t.direction > 0 then c.upper else c.lower end) < t.direction * t.target_level - t.band_half_width) as periods_missed,
        sum(c.obs_value::decimal(38, 8))::double as total,
        case when count(c.lower) = count(*) then sum(c.lower::decimal(38, 8))::double end as total_lower,
        case when count(c.upper) = count(*) then sum(c.upper::decimal(38, 8))::double end as total_upper,
        max(c.period_end) as last_end,
        bool_or(c.fit = 'assumed' or c.marks like '%scope_assumed%') as any_assumed, bool_or(c.marks like '%claim%') as any_claim
    from shown as t
    inner join comparable as c
        on c.target_id = t.target_id and c.as_of = t.as_of and c.is_today = t.is_today
        and c.period_end between t.window_start and least(t.window_end, t.period_end)
    where t.aggregation in ('sum', 'every')
    group by all
),

others as (
    select
        t.target_id, t.as_of, t.is_today,
        bool_or(f.fit = 'other' and f.obs_value is not null) as other_scope,
        bool_or(f.fit <> 'other' and not f.is_comparable) as part_year
    from shown as t
    inner join {{ ref('target_figures') }} as f on f.target_id = t.target_id
    where (t.is_today or f.known_by <= t.as_of) and f.period_end <= t.as_of
    group by all
),

met as (
    select
        t.*,
        {{ year_position('t.base_period_end') }} as base_year,
        {{ year_position('t.base_end') }} as plan_base_year,
        l.vintage_id as actual_vintage_id, l.period_end as actual_period_end, l.time_period as actual_time_period,
        case when t.aggregation = 'sum' then w.total else l.obs_value end as actual_value,
        case when t.aggregation = 'sum' then w.total_lower else l.lower end as actual_lower,
        case when t.aggregation = 'sum' then w.total_upper else l.upper end as actual_upper,
        l.year_position as actual_year, l.known_by as actual_known_by, l.publication_id as actual_publication_id,
        l.fit, l.currency_scope as actual_scope, l.census_basis as actual_basis, l.stage as actual_stage, l.marks as actual_marks,
        coalesce(l.period_end = t.period_end, false) as is_final,
        w.periods_seen, w.periods_met, w.periods_missed, coalesce(w.any_assumed, false) as any_assumed, coalesce(w.any_claim, false) as any_claim,
        -- whole years, or year-ends, that the window asks for up to the last one seen
        case when t.aggregation in ('sum', 'every') then year(least(t.window_end, t.period_end)) - year(t.window_start) + 1 end as window_periods,
        o.other_scope, o.part_year
    from based as t
    left join latest as l on l.target_id = t.target_id and l.as_of = t.as_of and l.is_today = t.is_today
    left join windowed as w on w.target_id = t.target_id and w.as_of = t.as_of and w.is_today = t.is_today
    left join others as o on o.target_id = t.target_id and o.as_of = t.as_of and o.is_today = t.is_today
),

-- What must be reached, in the indicator's own unit, with what the base's own interval makes of it.
aimed as (
    select
        t.*,
        {{ level_from('t.base_value', 't.base_year') }} as level,
        {{ level_from('t.base_lower', 't.base_year') }} as level_lower,
        {{ level_from('t.base_upper', 't.base_year') }} as level_upper,
        {{ level_from('t.base_printed', 't.plan_base_year') }} as level_plan_base
    from met as t
),

tested as (
    select
        t.*,
        direction * level - band_half_width as threshold,
        case when direction > 0 then level_upper else -level_lower end - band_half_width as threshold_certain,
        case when direction > 0 then level_lower else -level_upper end - band_half_width as threshold_possible,
        case when direction > 0 then actual_lower else -actual_upper end as worst,
        case when direction > 0 then actual_upper else -actual_lower end as best
    from aimed as t
),

attained as (
    select
        t.*,
        case
            when actual_value is null or level is null then null
            -- what is relative to a base can't be tested by the base itself
            when base_source = 'first_after' and level_rule not in ('value', 'sum_of_window') and actual_period_end <= base_period_end then null
            when aggregation = 'every' then case
                when periods_seen is null then null
                when periods_missed > 0 then 'no'
                when periods_met = periods_seen and periods_seen >= window_periods then 'certain'
                else 'possible' end
            -- a sum that has not all its years is a lower bound, as what is newly added never falls
            when aggregation = 'sum' and periods_seen < window_periods then case when worst >= threshold_certain then 'certain' else 'possible' end
            when (worst > threshold_certain + 1e-12 * abs(threshold_certain)) or (not strict and worst >= threshold_certain - 1e-12 * abs(threshold_certain)) then 'certain'
            when best is null or (best > threshold_possible + 1e-12 * abs(threshold_possible))
                or (not strict and best >= threshold_possible - 1e-12 * abs(threshold_possible)) then 'possible'
            else 'no'
        end as attainment,
        comparator in ('about', 'hold_about') and structural
            and direction * actual_value > direction * level + band_half_width
            and (aggregation <> 'every' or periods_seen > 0) as is_overshoot
    from tested as t
),

-- Obstacle, R, class: each is made of the one before, and stands in a column as the next one names it often.
hindered as (
    select
        t.*,
        {{ progress_obstacle('base_value', 'base_year', 'actual_value', 'actual_year', 'level', 'target_year', 'direction') }} as obstacle_any,
        {{ progress_obstacle('base_printed', 'plan_base_year', 'actual_value', 'actual_year', 'level_plan_base', 'target_year', 'direction') }} as obstacle_plan
    from attained as t
),

paced as (
    select
        t.*,
        {{ progress_ratio('base_value', 'base_year', 'actual_value', 'actual_year', 'level', 'target_year', 'direction', 'obstacle_any') }} as ratio_any,
        {{ progress_ratio('base_printed', 'plan_base_year', 'actual_value', 'actual_year', 'level_plan_base', 'target_year', 'direction', 'obstacle_plan') }} as ratio_plan
    from hindered as t
),

rated as (
    select
        t.*,
        case
            when actual_value is null and coalesce(part_year, false) then 'part_year_only'
            when actual_value is null and coalesce(other_scope, false) then 'scope_does_not_fit'
            when actual_value is null then 'no_actual'
            when aggregation = 'sum' then 'adds_up_from_zero'
            when aggregation = 'every' and periods_seen is null then 'window_without_figures'
            when aggregation = 'every' then null
            when transformation <> 'N' and base_value is null then 'single_period'
            else obstacle_any
        end as obstacle_to_r,
        {{ progress_class('ratio_any', 'base_value', 'actual_value', 'level', 'direction', 'natural_limit') }} as class_any,
        {{ progress_class('ratio_plan', 'base_printed', 'actual_value', 'level_plan_base', 'direction', 'natural_limit') }} as class_plan,
        {{ compound_rate('base_value', 'base_year', 'actual_value', 'actual_year') }} as observed_rate,
        {{ compound_rate('base_value', 'base_year', 'level', 'target_year') }} as required_rate,
        {{ required_rate('actual_value', 'actual_year', 'level', 'target_year', 'path_kind') }} as remaining_rate
    from paced as t
),

-- A bound is no figure: R of one says something only where it can't get worse.
opened as (
    select
        *,
        coalesce(obstacle_to_r, case
            when aggregation = 'every' then null
            when base_lower is null or base_upper is null then 'base_open'
            when worst is null or (best is null and class_any not in ('achieved', 'on_track')) then 'actual_open'
        end) as obstacle
    from rated
),

-- The milestones of a chain bend the path: base → 2025 → 2027.
legs as (
    select
        t.target_id, t.as_of, t.is_today, m.target_id as milestone_id, m.target_level as milestone_level, {{ year_position('m.period_end') }} as milestone_year
    from shown as t
    inner join {{ ref('targets') }} as m
        on m.milestone_chain = t.milestone_chain and m.period_end < t.period_end and (t.is_today or m.known_by <= t.as_of)
),

bent as (
    select
        r.target_id, r.as_of, r.is_today,
        max_by({'at': l.milestone_year, 'level': l.milestone_level}, l.milestone_year) filter (where l.milestone_year <= r.actual_year) as leg_from,
        min_by({'at': l.milestone_year, 'level': l.milestone_level}, l.milestone_year) filter (where l.milestone_year > r.actual_year) as leg_to,
        min_by(l.milestone_id, l.milestone_year) filter (where l.milestone_year > r.actual_year) as next_milestone
    from opened as r
    inner join legs as l on l.target_id = r.target_id and l.as_of = r.as_of and l.is_today = r.is_today
    group by all
),

placed_on_path as (
    select
        r.*,
        g.next_milestone,
        case
            when r.aggregation = 'every' then r.level
            when r.aggregation = 'sum' then case when r.periods_seen > 0 then r.level * r.periods_seen / r.window_periods end
            when r.obstacle in ('single_period', 'base_missing') then null
            when r.actual_year > r.base_year then {{ path_value(
                'coalesce(g.leg_from.level, r.base_value)', 'coalesce(g.leg_from.at, r.base_year)',
                'coalesce(g.leg_to.level, r.level)', 'coalesce(g.leg_to.at, r.target_year)', 'r.actual_year', 'r.path_kind') }}
        end as path_at_actual
    from opened as r
    left join bent as g on g.target_id = r.target_id and g.as_of = r.as_of and g.is_today = r.is_today
),

-- A held target has no pace: the share of periods met takes R's thresholds.
classed as (
    select
        t.*,
        case when obstacle is null and aggregation <> 'every' then ratio_any end as ratio,
        case
            when obstacle is not null then 'not_available'
            when aggregation = 'every' then case
                when attainment = 'certain' then 'achieved'
                when periods_met >= 0.95 * periods_seen then 'on_track'
                when periods_met >= 0.60 * periods_seen then 'acceleration_needed'
                else 'limited' end
            when attainment = 'certain' then 'achieved'
            else class_any
        end as status,
        case when obstacle is null and aggregation <> 'every' and base_printed is not null then ratio_plan end as ratio_plan_base,
        case
            when base_printed is null or aggregation <> 'point' then null
            when obstacle in ('actual_open', 'base_open') then 'not_available'
            when attainment = 'certain' and class_plan <> 'not_available' then 'achieved'
            else class_plan
        end as status_plan_base,
        case
            when comparator = 'improve' then case when obstacle is null then 'not_yet' else 'not_available' end
            when attainment is null and is_final then 'not_available'
            when attainment is null and as_of > period_end then case when actual_value is null and coalesce(other_scope or part_year, false) then 'not_available' else 'due_unreported' end
            when attainment is null then 'not_available'
            when aggregation = 'sum' and periods_seen < window_periods and attainment <> 'certain' then case when as_of > period_end then 'due_unreported' else 'not_yet' end
            when attainment = 'certain' then case when is_final then 'attained' else 'attained_early' end
            when is_final and attainment = 'possible' then case when printed_suffices and best is not null and aggregation = 'point' then 'attained_as_printed' else 'possibly_attained' end
            when is_final then 'short'
            when as_of > period_end then 'due_unreported'
            else 'not_yet'
        end as verdict,
        list_filter([
            case when fit = 'assumed' or actual_marks like '%scope_assumed%' or any_assumed then 'scope_assumed' end,
            case when actual_scope = '_U' and currency_scope = '_U' then 'scope_not_printed' end,
            case when open_questions like '%listed_scope_not_printed%' and actual_value is not null then 'listed_scope_not_printed' end,
            case when open_questions like '%counts_differ%' and actual_value is not null then 'counts_differ' end,
            case when open_questions like '%concept_not_printed%' and actual_value is not null then 'concept_not_printed' end,
            case when list_contains(string_split(actual_marks, ', '), 'claim') or any_claim then 'claim' end,
            case when list_contains(string_split(actual_marks, ', '), 'estimate') then 'estimate' end,
            case when list_contains(string_split(actual_marks, ', '), 'as_of_publication') then 'as_of_publication' end,
            case when list_contains(string_split(actual_marks, ', '), 'open_interval') then 'open_interval' end,
            case when actual_stage = 'first' then 'provisional' end,
            case when list_contains(['unknown', 'mixed'], actual_basis) or list_contains(['unknown', 'mixed'], base_census_basis) then 'basis_unknown'
                when actual_period_end > base_period_end and actual_basis <> base_census_basis then 'basis_differs' end,
            case when base_basis = 'inferred' and base_value is not null and actual_period_end > base_period_end then 'base_inferred' end,
            case when base_source = 'first_after' and actual_period_end > base_period_end then 'base_first_after' end,
            case when base_source = 'printed' then 'base_printed_only' end,
            case when aggregation in ('sum', 'every') and periods_seen < window_periods then 'years_missing' end
        ], lambda c: c is not null) as rests_on
    from placed_on_path as t
),

judged as (
    select
        target_id, as_of, is_today, is_superseded, level, base_source, base_period_end, base_value, base_lower, base_upper, base_vintage_id, base_census_basis,
        actual_period_end, actual_time_period, actual_value, actual_lower, actual_upper, actual_vintage_id, actual_known_by, actual_publication_id, actual_basis,
        is_final, attainment, is_overshoot, periods_seen, periods_met, path_at_actual, actual_value - path_at_actual as path_gap,
        observed_rate, required_rate, case when attainment = 'certain' then null else remaining_rate end as remaining_rate,
        ratio, status, ratio_plan_base, status_plan_base, obstacle as reason, verdict, rests_on, next_milestone,
        case when ratio is not null and observed_rate is not null and level <> base_value
            then actual_value * pow(1 + observed_rate, target_year - actual_year) end as projected_value
    from classed
    union all by name
    select
        target_id, as_of, is_today, is_superseded, 'not_available' as status, []::varchar[] as rests_on,
        coalesce(not_shown, 'qualitative') as reason,
        case when not_shown is null then 'not_scored' else 'not_available' end as verdict
    from standing
    where not_shown is not null or not scored
)

select
    t.target_id, t.plan_id, j.as_of, j.is_today,
    t.ref_area, t.indicator, t.breakdown, t.currency_scope, t.transformation, t.comparator, t.value_text, t.unit_text, t.period_text, t.period_end,
    j.level as target_level, t.conflict_group, t.is_ruling,
    case when j.is_superseded then 'superseded' else t.status end as target_status,
    t.base_basis, j.base_source, j.base_period_end, t.base_printed as plan_base_value, j.base_value, j.base_lower, j.base_upper, j.base_vintage_id,
    j.actual_period_end, j.actual_time_period, j.actual_value, j.actual_lower, j.actual_upper, j.actual_vintage_id, j.actual_known_by, j.actual_publication_id,
    j.base_census_basis, j.actual_basis as actual_census_basis,
    coalesce(j.is_final, false) as is_final, j.attainment, coalesce(j.is_overshoot, false) as is_overshoot,
    j.periods_seen::integer as periods_seen, j.periods_met::integer as periods_met,
    t.path_kind, j.path_at_actual as path_value, j.path_gap,
    j.observed_rate, j.required_rate, j.remaining_rate,
    j.ratio, j.status, j.reason, j.ratio_plan_base, j.status_plan_base,
    j.projected_value,
    case when j.level <> j.base_value then (j.projected_value - j.base_value) / (j.level - j.base_value) end as projected_share,
    j.next_milestone,
    case when j.is_superseded then 'superseded' else j.verdict end as verdict,
    array_to_string(j.rests_on, ', ') as assumed,
    (j.verdict = 'short' or j.status in ('acceleration_needed', 'limited', 'deterioration')) and not j.is_superseded as is_off_course,
    {{ said("case when j.is_superseded then 'superseded' else j.verdict end", 'zh') }}
        || case when j.is_overshoot then '，超出左右的范围' else '' end
        || case when len(j.rests_on) > 0 then '，' || array_to_string(list_transform(j.rests_on, lambda c: {{ said('c', 'zh') }}), '，') else '' end as verdict_zh,
    {{ said("case when j.is_superseded then 'superseded' else j.verdict end", 'en') }}
        || case when j.is_overshoot then ', beyond what “about” allows' else '' end
        || case when len(j.rests_on) > 0 then ', ' || array_to_string(list_transform(j.rests_on, lambda c: {{ said('c', 'en') }}), ', ') else '' end as verdict_en,
    {{ said('j.reason', 'zh') }} as reason_zh,
    {{ said('j.reason', 'en') }} as reason_en
from judged as j
inner join {{ ref('targets') }} as t using (target_id)
cross join words
{% endmacro %}
