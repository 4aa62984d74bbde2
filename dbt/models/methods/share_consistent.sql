{{ config(materialized='table_macro', kind='scalar', parameters='share, share_decimals, numerator, numerator_decimals, denominator, denominator_decimals') }}
-- Does a printed share (per cent) fit its numerator and denominator? 'consistent', 'inconsistent' or 'uninformative'.
{{ share_consistent('share', 'share_decimals', 'numerator', 'numerator_decimals', 'denominator', 'denominator_decimals') }}
