{{ config(materialized='table_macro', parameters='as_of_date := null') }}
-- The trajectories as of a day: the columns of `target_paths`, from the base and the past shares known then.
{{ target_paths("(" ~ target_progress(day_asked_for('as_of_date')) ~ ")") }}
