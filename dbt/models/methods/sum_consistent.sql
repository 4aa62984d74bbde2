{{ config(materialized='table_macro', kind='scalar', parameters='total, total_decimals, parts, parts_decimals') }}
-- Does a printed total fit the sum of its parts (lists)? 'consistent', 'inconsistent' or 'uninformative'.
{{ sum_consistent('total', 'total_decimals', 'parts', 'parts_decimals') }}
