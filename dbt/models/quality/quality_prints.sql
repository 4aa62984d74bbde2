{{ config(materialized='view') }}
-- What one publication says of one figure: its print, or of several the most precise one. A view, as nearly all prints stand alone; in narrow keys:
-- names are those of quality_series.
with said as (
    select
        p.publication_id, p.series_id, p.period_key, p.print_no, 1 as prints, p.obs_value, p.lower, p.upper, p.decimals, p.qualifier, p.stage, p.is_official,
        false as conflicts, null::double as other_value
    from {{ ref('int_prints') }} as p
    anti join {{ ref('quality_reprints') }} as r on r.publication_id = p.publication_id and r.series_id = p.series_id and r.period_key = p.period_key
    union all
    select
        publication_id, series_id, period_key, print_no, prints, obs_value, lower, upper, decimals, qualifier, stage, is_official,
        conflicts, other_value
    from {{ ref('quality_reprints') }}
)

select * exclude (stage), coalesce(stage, case when is_official then 'unstaged' else 'claim' end) as judged_as
from said
