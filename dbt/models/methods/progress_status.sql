{{ config(materialized='table_macro', kind='scalar', parameters='base_value, base_year, current_value, current_year, target_value, target_year, direction, natural_limit := null') }}
-- The class of R: achieved, on_track, acceleration_needed, limited, deterioration or not_available.
{{ progress_status('base_value', 'base_year', 'current_value', 'current_year', 'target_value', 'target_year', 'direction', 'natural_limit') }}
