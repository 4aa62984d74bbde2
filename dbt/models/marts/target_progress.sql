-- Every target today and on each day on which something that it is judged by became known.
{% set horizon = last_day_known() %}
{% set days %}
select target_id, {{ horizon }} as as_of, true as is_today from {{ ref('targets') }}
    union
    select t.target_id, greatest(t.known_by, f.known_by, f.period_end), false
    from {{ ref('targets') }} as t
    inner join {{ ref('target_figures') }} as f on f.target_id = t.target_id and f.fit <> 'other'
    where t.known_by is not null and f.known_by is not null and f.period_end <= {{ horizon }}
    union
    select target_id, known_by, false from {{ ref('targets') }} where known_by is not null
    union
    -- the day after it fell due: from then on a missing figure is late
    select target_id, period_end + 1, false from {{ ref('targets') }} where known_by <= period_end and period_end < {{ horizon }}
    union
    -- a target that takes another's place changes where that one stands
    select supersedes, known_by, false from {{ ref('targets') }} where supersedes is not null and known_by is not null
{% endset %}
{{ target_progress(days) }}
