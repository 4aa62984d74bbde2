{{ config(materialized='table_macro', kind='scalar', parameters='t, df') }}
-- Two-sided p of Student's t, whole degrees of freedom.
{{ t_two_sided('t', 'df') }}
