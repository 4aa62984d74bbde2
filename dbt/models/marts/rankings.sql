-- Rank among the members of a group, over the headline figures in force; says how many of the members are known.
with members as (
    select m.group_id, m.ref_area, m.valid_from, m.valid_to, g.complete
    from {{ ref('cl_area_group_members') }} as m
    inner join {{ ref('cl_area_groups') }} as g using (group_id)
),

figures as (
    select m.group_id, m.complete, o.ref_area, o.indicator, o.breakdown, o.currency_scope, o.transformation, o.prices,
        o.freq, o.time_period, o.coverage, o.period_start, o.period_end, o.obs_value, i.polarity
    from {{ ref('observation_vintages') }} as o
    inner join members as m
        on m.ref_area = o.ref_area and o.period_end >= coalesce(m.valid_from, {{ beginning() }}) and o.period_end < coalesce(m.valid_to, {{ forever() }})
    inner join {{ ref('cl_indicators') }} as i on i.indicator = o.indicator
    where o.is_headline and o.obs_value is not null and o.obs_kind = 'observation'
),

sizes as (
    select f.group_id, f.period_end, count(*) as members
    from (select distinct group_id, period_end from figures) as f
    inner join members as m
        on m.group_id = f.group_id and f.period_end >= coalesce(m.valid_from, {{ beginning() }}) and f.period_end < coalesce(m.valid_to, {{ forever() }})
    group by all
)

select
    f.group_id, f.ref_area, f.indicator, f.breakdown, f.currency_scope, f.transformation, f.prices, f.freq, f.time_period, f.coverage,
    f.period_end, f.obs_value,
    rank() over (
        partition by f.group_id, f.indicator, f.breakdown, f.currency_scope, f.transformation, f.prices, f.period_start, f.period_end
        order by f.obs_value * (case when f.polarity < 0 then -1 else 1 end) desc
    )::integer as rank,
    (count(*) over (
        partition by f.group_id, f.indicator, f.breakdown, f.currency_scope, f.transformation, f.prices, f.period_start, f.period_end
    ))::integer as ranked,
    s.members::integer as members
from figures as f
inner join sizes as s on s.group_id = f.group_id and s.period_end = f.period_end
qualify ranked > 1
