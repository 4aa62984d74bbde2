{{ config(materialized='table_macro', kind='scalar', parameters='base_value, base_year, current_value, current_year, target_value, target_year, direction') }}
-- Why there is no R; null where there is one.
{{ progress_obstacle('base_value', 'base_year', 'current_value', 'current_year', 'target_value', 'target_year', 'direction') }}
