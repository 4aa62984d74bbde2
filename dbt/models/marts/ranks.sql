-- Rank among the members of a group, over the headline figures in force, in narrow keys; `rankings` puts the names to them.
with members as (
    select m.group_id, m.ref_area, coalesce(m.valid_from, {{ beginning() }}) as valid_from, coalesce(m.valid_to, {{ forever() }}) as valid_to
    from {{ ref('cl_area_group_members') }} as m
    inner join {{ ref('cl_area_groups') }} as g using (group_id)
),

-- What members are compared in: a series without its area.
member_series as (
    select
        m.group_id, m.valid_from, m.valid_to, s.series_id,
        hash(s.indicator, s.breakdown, s.currency_scope, s.transformation, s.prices) as compared_in,
        case when i.polarity < 0 then -1 else 1 end as direction
    from {{ ref('series') }} as s
    inner join members as m on m.ref_area = s.ref_area
    inner join {{ ref('cl_indicators') }} as i on i.indicator = s.indicator
),

figures as (
    select m.group_id, f.series_id, f.period_key, f.obs_value, m.compared_in, f.obs_value * m.direction as merit
    from {{ ref('facts') }} as f
    inner join member_series as m on m.series_id = f.series_id
    inner join {{ ref('time_periods') }} as p
        on p.period_key = f.period_key and p.period_end >= m.valid_from and p.period_end < m.valid_to
    where f.is_headline and f.obs_value is not null and (f.marks & {{ mark('estimate') }}) = 0
),

ranked as (
    select
        *,
        rank() over (partition by group_id, compared_in, period_key order by merit desc) as rank,
        count(*) over (partition by group_id, compared_in, period_key) as ranked
    from figures
),

sizes as (
    select f.group_id, f.period_key, count(*) as members
    from (select distinct group_id, period_key from figures) as f
    inner join {{ ref('time_periods') }} as p on p.period_key = f.period_key
    inner join members as m on m.group_id = f.group_id and p.period_end >= m.valid_from and p.period_end < m.valid_to
    group by all
)

select
    r.group_id, r.series_id, r.period_key, r.obs_value, r.rank::integer as rank, r.ranked::integer as ranked, s.members::integer as members
from ranked as r
inner join sizes as s on s.group_id = r.group_id and s.period_key = r.period_key
where r.ranked > 1
