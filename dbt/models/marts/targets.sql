-- Targets as typed data: each with the rule by which it is judged, in the indicator's own unit, beside what the plan prints.
with typed as (
    select
        t.*,
        p.title_zh as plan_title_zh, p.title_en as plan_title_en,
        o.level_rule, o.scored, o.strict, o.printed_suffices,
        i.unit_measure as own_unit_measure, i.unit_mult as own_unit_mult,
        case when t.transformation = 'G1Y' then i.growth_prices when i.growth_prices = 'constant' then 'current' else '_Z' end as prices,
        case when t.transformation = 'N' then i.span else 'period' end as span,
        case when t.direction < 0 then i.lower_limit else i.upper_limit end as natural_limit,
        -- what can touch nought or is a share, a rate or an index moves on a line; a magnitude on a curve
        case when i.kind in ('ratio', 'index') or t.transformation <> 'N' or t.comparator = 'cumulative' or t.aggregation = 'sum' then 'linear' else 'geometric' end as path_kind,
        t.baseline_text is not null as base_is_printed,
        -- a relative target (a multiple, a rate) is in units of its own
        o.level_rule in ('value', 'sum_of_window', 'added_to_base') as in_own_unit,
        case when t.transformation <> 'N' then 0 else t.unit_mult - i.unit_mult end as shift,
        length(regexp_extract(replace(t.baseline_text, ',', ''), '\.(\d+)', 1)) as base_decimals,
        coalesce(array_to_string(list_sort(list_intersect(
            string_split(i.hazards, ';'), (select list(hazard) from {{ ref('cl_hazards') }} where assumed_by_targets))), ', '), '') as open_questions,
        length(regexp_extract(replace(t.value_text, ',', ''), '\.(\d+)', 1)) as value_decimals
    from {{ ref('plan_targets') }} as t
    left join {{ ref('plans') }} as p using (plan_id)
    inner join {{ ref('cl_target_operators') }} as o using (comparator)
    inner join {{ ref('cl_indicators') }} as i using (indicator)
),

levelled as (
    select
        t.*,
        case when in_own_unit then {{ scaled('t.target_value', 't.shift') }} end as target_level,
        case when in_own_unit then {{ scaled('t.target_value - 0.5 * pow(10.0, -t.value_decimals)', 't.shift') }} end as target_lower,
        case when in_own_unit then {{ scaled('t.target_value + 0.5 * pow(10.0, -t.value_decimals)', 't.shift') }} end as target_upper,
        {{ scaled("try_cast(replace(t.baseline_text, ',', '') as double)", 't.unit_mult - t.own_unit_mult') }} as base_printed,
        {{ scaled("try_cast(replace(t.baseline_text, ',', '') as double) - 0.5 * pow(10.0, -t.base_decimals)", 't.unit_mult - t.own_unit_mult') }} as base_printed_lower,
        {{ scaled("try_cast(replace(t.baseline_text, ',', '') as double) + 0.5 * pow(10.0, -t.base_decimals)", 't.unit_mult - t.own_unit_mult') }} as base_printed_upper
    from typed as t
),

banded as (
    select
        l.*,
        -- 约 and 左右 have a width, which is data
        case when l.comparator in ('about', 'hold_about')
            then case when b.relative then abs(l.target_level) * b.half_width / 100 else b.half_width end
            else 0 end as band_half_width
    from levelled as l
    left join {{ ref('cl_target_bands') }} as b
        on b.kind = case when l.own_unit_measure in ('PC', 'PP') or l.transformation = 'G1Y' then 'share' else 'magnitude' end
        and l.target_level >= coalesce(b.from_value, {{ no_lower() }}) and l.target_level < coalesce(b.to_value, {{ no_upper() }})
)

select
    target_id, plan_id, plan_title_zh, plan_title_en, document_id, locator,
    ref_area, indicator, breakdown, currency_scope, transformation, prices, comparator,
    value_text, target_value, unit_text, unit_measure, unit_mult,
    period_text, period_start, period_end, baseline_text, baseline_period_start, baseline_period_end,
    direction, structural, aggregation, level_rule, scored, strict, printed_suffices, path_kind, span,
    target_level, target_lower, target_upper, band_half_width, natural_limit,
    coalesce(baseline_period_start, inferred_base_start) as base_start,
    coalesce(baseline_period_end, inferred_base_end) as base_end,
    case when base_is_printed then 'printed' when inferred_base_end is not null then 'inferred' else 'none' end as base_basis,
    inferred_base_reason as base_reason,
    base_printed, base_printed_lower, base_printed_upper,
    window_start, window_end, window_basis, milestone_chain, open_questions,
    -- of wordings that conflict the stricter one rules
    conflict_group is null or row_number() over (
        partition by conflict_group
        order by direction * (target_level - direction * band_half_width) desc, strict desc, band_half_width, target_id
    ) = 1 as is_ruling,
    conflict_group, status, supersedes, known_after, known_by, note
from banded
