{{ config(materialized='table_macro', parameters='as_of_date') }}
-- What was certainly known on a day: the columns of `observations`, each figure in the vintage then in force. The choice is made among
-- whole rows, so that a reader's filter on area or indicator reaches the facts before anything is chosen.
with known as (
    select
        v.*,
        {{ vintage_rank('v.sequence', "v.obs_value is null or v.census_basis = 'mixed'",
                        "case when v.origin = 'printed' and v.is_official then 0 when v.origin = 'derived' and v.obs_value is not null then 1 else 2 end") }} as rank
    from {{ ref('observation_vintages') }} as v
    where v.known_by <= as_of_date::date
),

placed as (
    select
        *,
        max(rank) over origins as best_rank,
        max(sequence) over origins as latest,
        max(rank) filter (where origin = 'printed') over figure as best_printed,
        max(rank) filter (where origin = 'derived') over figure as best_derived
    from known
    window
        figure as (partition by ref_area, indicator, breakdown, currency_scope, transformation, prices, period_start, period_end),
        origins as (partition by ref_area, indicator, breakdown, currency_scope, transformation, prices, period_start, period_end, origin)
)

select * exclude (
        vintage_no, is_latest, is_current, is_official, valid_from, valid_to, sequence, first_publication_id, inputs,
        rank, best_rank, latest, best_printed, best_derived
    ) replace (
        rank = best_rank as is_preferred,
        rank = best_rank and (coalesce(best_printed % 4, 9) <= coalesce(best_derived % 4, 9)) = (origin = 'printed') as is_headline
    )
from placed
where rank = best_rank or sequence = latest
