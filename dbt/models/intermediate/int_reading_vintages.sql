{{ config(materialized='view') }}
-- Which vintage each reading belongs to: its own, but for those that `int_reading_exceptions` has.
select
    r.reading_no,
    case when e.reading_no is null then r.reading_no else e.vintage_reading_no end as vintage_reading_no,
    coalesce(e.relation, 'represents') as relation
from {{ ref('int_readings') }} as r
left join {{ ref('int_reading_exceptions') }} as e on e.reading_no = r.reading_no
