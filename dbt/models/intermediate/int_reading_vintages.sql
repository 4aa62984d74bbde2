{{ config(materialized='view') }}
-- Which vintage each reading belongs to: its own, but for those that `int_reading_exceptions` has.
select
    r.reading_no,
    {{ vintage_reading_no('r.reading_no', 'e') }} as vintage_reading_no,
    {{ reading_relation('e') }} as relation
from {{ ref('int_readings') }} as r
left join {{ ref('int_reading_exceptions') }} as e on e.reading_no = r.reading_no
