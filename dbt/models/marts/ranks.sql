-- Rank among the members of a group, over the headline figures in force, in narrow keys; `rankings` puts the names to them.
with members as (
    select m.group_id, m.ref_area, coalesce(m.valid_from, {{ beginning() }}) as valid_from, coalesce(m.valid_to, {{ forever() }}) as valid_to
    from {{ ref('cl_area_group_members') }} as m
    inner join {{ ref('cl_area_groups') }} as g using (group_id)
),

-- What members of a group are compared in (a series without its area), and the keys of the periods in which they belong to it: figures meet
-- by integers alone. A key begins with the period's last day, so that the key of a day bounds all those of the periods that end from it on.
member_series as (
    select
        m.group_id, s.series_id,
        {{ period_key('null::date', 'm.valid_from') }} as from_key, {{ period_key('null::date', 'm.valid_to') }} as to_key,
        hash(m.group_id, s.indicator, s.breakdown, s.currency_scope, s.transformation, s.prices) as compared_in,
        case when i.polarity < 0 then -1 else 1 end as direction
    from {{ ref('series') }} as s
    inner join members as m on m.ref_area = s.ref_area
    inner join {{ ref('cl_indicators') }} as i on i.indicator = s.indicator
),

figures as (
    select m.group_id, f.series_id, f.period_key, f.obs_value, m.compared_in, f.obs_value * m.direction as merit
    from {{ ref('facts') }} as f
    inner join {{ ref('vintage_attributes') }} as a on a.attributes_id = f.attributes_id and (a.marks & {{ mark('estimate') }}) = 0
    inner join member_series as m on m.series_id = f.series_id and f.period_key >= m.from_key and f.period_key < m.to_key
    where f.is_headline and f.obs_value is not null
),

sizes as (
    select p.period_key, m.group_id, count(*) as members
    from {{ ref('time_periods') }} as p
    inner join members as m on p.period_end >= m.valid_from and p.period_end < m.valid_to
    group by all
),

-- Place and number of those compared come of one window over narrow rows.
ranked as (
    select
        group_id, series_id, period_key, obs_value,
        rank() over compared as rank, count(*) over (partition by compared_in, period_key) as ranked
    from figures
    window compared as (partition by compared_in, period_key order by merit desc)
)

select
    r.group_id, r.series_id, r.period_key, r.obs_value,
    r.rank::integer as rank, r.ranked::integer as ranked, s.members::integer as members
from ranked as r
inner join sizes as s on s.group_id = r.group_id and s.period_key = r.period_key
where r.ranked > 1
