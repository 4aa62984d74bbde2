{{ config(materialized='table_macro', kind='scalar', parameters="current_value, current_year, target_value, target_year, kind := 'geometric'") }}
-- What is still needed a year.
{{ required_rate('current_value', 'current_year', 'target_value', 'target_year', 'kind') }}
