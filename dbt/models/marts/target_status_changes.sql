-- Each day on which a target's standing changed, and what moved it. Only dated targets and dated figures have a history.
with states as (
    select
        *,
        lag(as_of) over in_time as as_of_before, lag(status) over in_time as status_before, lag(verdict) over in_time as verdict_before,
        lag(attainment) over in_time as attainment_before, lag(ratio) over in_time as ratio_before,
        lag(actual_period_end) over in_time as actual_period_before, lag(actual_value) over in_time as actual_before,
        lag(actual_vintage_id) over in_time as actual_vintage_before,
        lag(base_value) over in_time as base_before, lag(base_period_end) over in_time as base_period_before,
        lag(base_source) over in_time as base_source_before,
        lag(target_level) over in_time as level_before, lag(target_status) over in_time as target_status_before
    from {{ ref('target_progress') }}
    where not is_today
    window in_time as (partition by target_id order by as_of)
),

moved as (
    select
        *,
        list_filter([
            case when as_of_before is null or target_status <> target_status_before then 'target' end,
            case when as_of_before is not null and actual_period_end is distinct from actual_period_before then 'new_period' end,
            case when actual_period_end = actual_period_before and actual_value <> actual_before then 'revision_of_actual' end,
            case when base_period_end = base_period_before and base_value <> base_before then 'revision_of_base' end,
            case when as_of_before is not null and (base_period_end is distinct from base_period_before or (base_before is null) <> (base_value is null)) then 'base_became_known' end
        ], lambda c: c is not null) as found
    from states
    where as_of_before is null or status <> status_before or verdict is distinct from verdict_before or attainment is distinct from attainment_before
        or target_status <> target_status_before
)

select
    target_id, plan_id, ref_area, indicator, as_of, as_of_before,
    status_before, status, verdict_before, verdict, attainment_before, attainment, ratio_before, ratio,
    -- nothing it is judged by changed: the day itself came, or a coarser print gave way to a finer one of the same value
    case
        when len(found) > 0 then array_to_string(found, ', ')
        when as_of_before <= period_end and as_of > period_end then 'fell_due'
        else 'finer_print'
    end as moved_by,
    actual_period_before, actual_period_end, actual_before, actual_value, base_before, base_value, level_before, target_level
from moved
