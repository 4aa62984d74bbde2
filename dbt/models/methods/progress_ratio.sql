{{ config(materialized='table_macro', kind='scalar', parameters='base_value, base_year, current_value, current_year, target_value, target_year, direction') }}
-- R: how fast it has gone, over how fast it must go; 1 is the required pace.
{{ progress_ratio('base_value', 'base_year', 'current_value', 'current_year', 'target_value', 'target_year', 'direction') }}
