-- (check, key) rows: a rank beyond those ranked, more ranked than there are members, or an area ranked twice for one figure.
with faults as (
    select 'rank' as fault, group_no, series_id, period_key
    from {{ ref('ranks') }}
    where not (rank between 1 and ranked and ranked <= members)
    union all
    select 'ranked_twice', group_no, series_id, period_key
    from (
        select group_no, series_id, period_key, row_number() over (partition by series_id, period_key, group_no) as nth
        from {{ ref('ranks') }}
    )
    where nth = 2
)

select f.fault, concat_ws('/', g.group_id, f.series_id, f.period_key) as fault_key
from faults as f
left join (select distinct group_no, group_id from {{ ref('area_groups') }}) as g on g.group_no = f.group_no
