-- The dictionary of printed series.
select
    {{ series_id('ref_area', 'indicator', 'breakdown', 'currency_scope', 'transformation', 'prices') }} as series_id,
    ref_area, indicator, breakdown, currency_scope, transformation, prices
from (
    select distinct ref_area, indicator, breakdown, currency_scope, transformation, prices
    from {{ ref('int_cells_judged') }}
    where refusal is null
) as printed
