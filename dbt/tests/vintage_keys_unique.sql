-- (check, key) rows: something that must be one is several.
select 'vintage_id' as fault, vintage_id::varchar as fault_key
from {{ ref('facts') }}
group by vintage_id having count(*) > 1
union all
-- vintage 0 is any number of claims; a vintage may have several coarse prints before it, each of its own day
select 'vintage_no', concat_ws('/', series_id, period_key, origin, vintage_no, step)
from {{ ref('facts') }}
where vintage_no > 0 and origin = 'printed'
group by series_id, period_key, origin, vintage_no, step, case when step = 0 then known_by end having count(*) > 1
union all
-- two series in one hash would share vintages
select 'series_id', series_id::varchar
from {{ ref('int_series_all') }}
group by series_id having count(*) > 1
union all
-- stages, quotations and corrections name a publication without its source
select 'publication_id', publication_id
from {{ ref('publications') }}
group by publication_id having count(*) > 1
