-- (check, key) rows: something that must be one is several. All facts are looked through for a second of an id: a table of as many groups as
-- there are rows would cost twice as much.
select 'vintage_id' as fault, vintage_id::varchar as fault_key
from (select vintage_id, row_number() over (partition by vintage_id) as nth from {{ ref('facts') }})
where nth = 2
union all
-- vintage 0 is any number of claims; a vintage may have several coarse prints before it, each of its own day
select 'vintage_no', concat_ws('/', f.series_id, f.period_key, 'printed', f.vintage_no, a.step)
from {{ ref('facts') }} as f
inner join {{ ref('vintage_attributes') }} as a on a.attributes_id = f.attributes_id and a.origin = 'printed'
where f.vintage_no > 0
group by f.series_id, f.period_key, f.vintage_no, a.step, case when a.step = 0 then f.known_by end having count(*) > 1
union all
-- two series in one hash would share vintages
select 'series_id', series_id::varchar
from {{ ref('int_series_all') }}
group by series_id having count(*) > 1
union all
-- two sets of attributes in one hash would double whatever has them
select 'attributes_id', attributes_id::varchar
from {{ ref('vintage_attributes') }}
group by attributes_id having count(*) > 1
union all
-- stages, quotations and corrections name a publication without its source
select 'publication_id', publication_id
from {{ ref('publications') }}
group by publication_id having count(*) > 1
