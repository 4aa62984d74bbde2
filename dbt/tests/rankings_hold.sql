-- (check, key) rows: a rank beyond those ranked, more ranked than there are members, or an area that is a member twice at a time: as a figure has
-- one headline (`one_headline`), nothing else could rank it twice.
with memberships as (
    select
        group_id, ref_area, coalesce(valid_to, {{ forever() }}) as valid_to,
        lead(coalesce(valid_from, {{ beginning() }})) over (partition by group_id, ref_area order by valid_from nulls first, valid_to) as next_from
    from {{ ref('area_groups') }}
)

select 'rank' as fault, concat_ws('/', g.group_id, r.series_id, r.period_key) as fault_key
from {{ ref('ranks') }} as r
left join (select distinct group_no, group_id from {{ ref('area_groups') }}) as g on g.group_no = r.group_no
where not (r.rank between 1 and r.ranked and r.ranked <= r.members)
union all
select 'member_twice', group_id || '/' || ref_area
from memberships
where valid_to > next_from
