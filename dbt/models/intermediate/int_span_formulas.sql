-- Decumulation and last twelve months, as formulas that every flow has.
with flows as (
    select s.series_id
    from {{ ref('int_series') }} as s
    inner join {{ ref('cl_indicators') }} as i using (indicator)
    where s.transformation = 'N' and i.kind = 'flow' and i.span = 'period'
    union
    select s.series_id
    from (select distinct series_id from {{ ref('int_inputs_base') }}) as s
    anti join {{ ref('int_series') }} as k using (series_id)
),

terms as (
    select * from (values
        ('decumulated', '2_0', 1, 'ytd', 1.0), ('decumulated', '2_0', 2, 'ytd_before', -1.0),
        ('last_twelve_months', '3_0', 1, 'ytd', 1.0), ('last_twelve_months', '3_0', 2, 'year_before', 1.0),
        ('last_twelve_months', '3_0', 3, 'ytd_last_year', -1.0)
    ) as t(formula_id, shape, slot, link, factor)
)

select
    hash(t.formula_id, f.series_id) as result_no,
    t.formula_id, t.slot, t.shape, t.link,
    f.series_id as in_series_id, t.factor::double as factor, 1.0::double as scale, 0.0::double as offset_value,
    f.series_id as out_series_id
from flows as f
cross join terms as t
