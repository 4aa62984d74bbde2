{{ config(materialized='table_macro', parameters='as_of_date := null') }}
-- The trajectories as of a day: the columns of `target_paths`, from the base and the past shares known then.
{% set days %}
select
        target_id,
        coalesce(as_of_date::date, (select max(known_by) from {{ ref('observation_vintages') }})) as as_of,
        as_of_date::date is null as is_today
    from {{ ref('targets') }}
{% endset %}
{{ target_paths("(" ~ target_progress(days) ~ ")") }}
