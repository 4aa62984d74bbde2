{{ config(materialized='table_macro', parameters='as_of_date') }}
-- What was certainly known on a day: the columns of `observations`, each figure in the vintage then in force.
with known as (
    select * from {{ ref('observation_vintages') }} where known_by <= as_of_date::date
),

placed as (
    select
        *,
        row_number() over (
            partition by ref_area, indicator, breakdown, currency_scope, transformation, prices, period_start, period_end, origin
            order by sequence desc
        ) = 1 as latest_then,
        row_number() over (
            partition by ref_area, indicator, breakdown, currency_scope, transformation, prices, period_start, period_end, origin
            order by (coalesce(census_basis, '') = 'mixed' or obs_value is null), sequence desc
        ) = 1 as preferred_then
    from known
),

headed as (
    select
        *,
        preferred_then and row_number() over (
            partition by ref_area, indicator, breakdown, currency_scope, transformation, prices, period_start, period_end
            order by
                preferred_then desc,
                case when origin = 'printed' and is_official then 0 when origin = 'derived' and obs_value is not null then 1 else 2 end,
                sequence desc
        ) = 1 as headline_then
    from placed
    where latest_then or preferred_then
)

select * exclude (
        vintage_no, is_latest, is_current, is_official, valid_from, valid_to, sequence, first_publication_id, inputs,
        latest_then, preferred_then, headline_then
    ) replace (headline_then as is_headline, preferred_then as is_preferred)
from headed
