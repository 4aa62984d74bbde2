-- (check, key) rows: days that can't be.
with faults as (
    select f.vintage_id, unnest([
            case when (a.marks & {{ mark('estimate') }}) = 0 and f.known_by < t.period_end then 'known_before_period_end' end,
            case when f.known_after > f.known_by then 'known_after_later_than_known_by' end,
            case when (f.known_by is null) <> (a.known_by_basis is null) then 'day_without_basis' end,
            -- as-of asks both: in force from a day on which it wasn't yet known
            case when f.valid_from < f.known_by then 'in_force_before_known' end
        ]) as fault
    from {{ ref('facts') }} as f
    inner join {{ ref('time_periods') }} as t on t.period_key = f.period_key
    inner join {{ ref('vintage_attributes') }} as a on a.attributes_id = f.attributes_id
    where f.known_by < t.period_end or f.known_after > f.known_by or (f.known_by is null) <> (a.known_by_basis is null) or f.valid_from < f.known_by
)

select fault, vintage_id::varchar as fault_key from faults where fault is not null
union all
select 'period_ends_before_it_starts', time_period || ' ' || period_key
from {{ ref('time_periods') }} where period_start > period_end
union all
-- a day after the build is a typing error in publications.csv
select 'published_after_the_build', p.publication_id
from {{ ref('publications') }} as p
cross join {{ ref('release') }} as r
where p.known_by > r.built_at::date + 1
