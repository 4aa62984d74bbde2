{{ config(materialized='table_macro', parameters='as_of_date := null') }}
-- The board as of a day: the columns of `target_progress`. Without a day, today, which also shows what has no date.
{% set days %}
select
        target_id,
        coalesce(as_of_date::date, (select max(known_by) from {{ ref('observation_vintages') }})) as as_of,
        as_of_date::date is null as is_today
    from {{ ref('targets') }}
{% endset %}
{{ target_progress(days) }}
