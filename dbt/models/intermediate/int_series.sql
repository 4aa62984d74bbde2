-- The dictionary of printed series.
select distinct series_id, ref_area, indicator, breakdown, currency_scope, transformation, prices
from {{ ref('int_prints') }}
