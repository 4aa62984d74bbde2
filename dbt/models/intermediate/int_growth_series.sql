-- Growth on the year, for every level whose indicator asks for it: x / x a year before × 100 − 100.
with levels as (
    select series_id, growth_series_id
    from {{ ref('int_series_all') }}
    where growth_series_id is not null
),

terms as (
    select * from (values (1, 'same'), (2, 'same_1')) as t(slot, link)
)

select
    l.series_id as result_no,
    'growth_on_year' as formula_id, t.slot, '2_1' as shape, t.link,
    l.series_id as in_series_id, 1.0::double as factor, 100.0::double as scale, -100.0::double as offset_value,
    l.growth_series_id as out_series_id
from levels as l
cross join terms as t
