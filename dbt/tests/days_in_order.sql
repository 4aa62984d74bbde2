-- (check, key) rows: days that can't be.
select 'known_before_period_end' as fault, vintage_id::varchar as fault_key
from {{ ref('observation_vintages') }} where obs_kind = 'observation' and known_by < period_end
union all
select 'known_after_later_than_known_by', vintage_id::varchar
from {{ ref('observation_vintages') }} where known_after > known_by
union all
select 'period_ends_before_it_starts', vintage_id::varchar
from {{ ref('observation_vintages') }} where period_start > period_end
union all
select 'day_without_basis', vintage_id::varchar
from {{ ref('observation_vintages') }} where (known_by is null) <> (known_by_basis is null)
union all
-- as-of asks both: in force from a day on which it wasn't yet known
select 'in_force_before_known', vintage_id::varchar
from {{ ref('observation_vintages') }} where valid_from < known_by
union all
-- a day after the build is a typing error in publications.csv
select 'published_after_the_build', p.publication_id
from {{ ref('publications') }} as p
cross join {{ ref('release') }} as r
where p.known_by > r.built_at::date + 1
