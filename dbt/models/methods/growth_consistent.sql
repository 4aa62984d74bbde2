{{ config(materialized='table_macro', kind='scalar', parameters='growth, growth_decimals, current, current_decimals, previous, previous_decimals') }}
-- Does a printed growth (per cent) fit the two levels? 'consistent', 'inconsistent' or 'uninformative'. Not for growth at constant prices.
{{ growth_consistent('growth', 'growth_decimals', '"current"', 'current_decimals', 'previous', 'previous_decimals') }}
