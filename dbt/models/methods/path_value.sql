{{ config(materialized='table_macro', kind='scalar', parameters="base_value, base_year, target_value, target_year, at_year, kind := 'geometric'") }}
-- The required trajectory at a year.
{{ path_value('base_value', 'base_year', 'target_value', 'target_year', 'at_year', 'kind') }}
