{{ config(materialized='table_macro', parameters='as_of_date := null') }}
-- The board as of a day: the columns of `target_progress`. Without a day, today, which also shows what has no date.
{{ target_progress(day_asked_for('as_of_date')) }}
