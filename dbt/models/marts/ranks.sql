-- Rank among the members of a group, over the headline figures in force, in narrow keys; `rankings` puts the names to them.
with members as (
    select group_no, ref_area, coalesce(valid_from, {{ beginning() }}) as valid_from, coalesce(valid_to, {{ forever() }}) as valid_to
    from {{ ref('area_groups') }}
),

-- What members of a group are compared in (a series without its area), and the keys of the periods in which they belong to it: figures meet
-- by integers alone. A key begins with the period's last day, so that the key of a day bounds all those of the periods that end from it on.
member_series as (
    select
        m.group_no, s.series_id,
        {{ period_key('null::date', 'm.valid_from') }} as from_key, {{ period_key('null::date', 'm.valid_to') }} as to_key,
        hash(m.group_no, s.indicator, s.breakdown, s.currency_scope, s.transformation, s.prices) as compared_in,
        case when i.polarity < 0 then -1 else 1 end as direction
    from {{ ref('series') }} as s
    inner join members as m on m.ref_area = s.ref_area
    inner join {{ ref('cl_indicators') }} as i on i.indicator = s.indicator
),

-- all figures are put in order: by one number for what and when they are compared in
figures as (
    select
        m.group_no, f.series_id, f.period_key, f.obs_value,
        hash(m.compared_in, f.period_key) as contest, f.obs_value * m.direction as merit
    from {{ ref('facts') }} as f
    inner join {{ ref('vintage_attributes') }} as a on a.attributes_id = f.attributes_id and (a.marks & {{ mark('estimate') }}) = 0
    inner join member_series as m on m.series_id = f.series_id and f.period_key >= m.from_key and f.period_key < m.to_key
    where f.is_headline and f.obs_value is not null
),

sizes as (
    select p.period_key, m.group_no, count(*) as members
    from {{ ref('time_periods') }} as p
    inner join members as m on p.period_end >= m.valid_from and p.period_end < m.valid_to
    group by all
),

-- Place and number of those compared come of one window over narrow rows.
ranked as (
    select
        group_no, series_id, period_key, obs_value,
        rank() over compared as rank, count(*) over (partition by contest) as ranked
    from figures
    window compared as (partition by contest order by merit desc)
)

select
    r.group_no, r.series_id, r.period_key, r.obs_value,
    r.rank::integer as rank, r.ranked::integer as ranked, s.members::integer as members
from ranked as r
inner join sizes as s on s.group_no = r.group_no and s.period_key = r.period_key
where r.ranked > 1
