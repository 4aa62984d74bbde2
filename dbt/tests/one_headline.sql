-- (check, key) rows: what readers take as "the" figure is missing or is several. One pass over the facts: figures are named by one of
-- their vintages.
with per_origin as (
    select
        series_id, period_key,
        origin,
        min(vintage_id) as vintage_id,
        count(*) filter (where is_headline) as headlines,
        count(*) filter (where is_preferred) as preferred,
        count(*) filter (where is_latest) as latest,
        bool_or(is_headline and not is_preferred) as headline_not_preferred,
        bool_or(is_current <> (is_latest or is_preferred)) as not_in_force,
        -- a figure on mixed census rounds is shown, never preferred while a same-basis one exists
        bool_or(is_preferred and census_basis = -2)
        and bool_or(coalesce(census_basis, 0) <> -2 and obs_value is not null) as mixed_preferred,
        bool_or(origin = 'printed' and is_preferred and is_official) as has_official,
        bool_or(origin = 'printed' and is_official and is_headline) as official_headline
    from {{ ref('facts') }}
    group by series_id, period_key, origin
),

per_figure as (
    select
        min(vintage_id) as vintage_id,
        sum(headlines) as headlines,
        bool_or(has_official) as has_official,
        bool_or(official_headline) as official_headline
    from per_origin
    group by series_id, period_key
),

faults as (
    select vintage_id, unnest([
        case when preferred <> 1 then 'preferred' end,
        case when latest <> 1 then 'latest' end,
        case when headline_not_preferred then 'headline_not_preferred' end,
        case when not_in_force then 'not_in_force' end,
        case when mixed_preferred then 'mixed_preferred' end
    ]) as fault
    from per_origin
    where preferred <> 1 or latest <> 1 or headline_not_preferred or not_in_force or mixed_preferred
    union all
    select vintage_id, 'headlines' from per_figure where headlines > 1
    union all
    -- ours and claims stand behind a responsible publisher's print
    select vintage_id, 'headline_not_official' from per_figure where has_official and not official_headline
)

select f.fault,
    concat_ws('/', v.ref_area, v.indicator, v.breakdown, v.currency_scope, v.transformation, v.prices, v.period_start, v.period_end, v.origin) as fault_key
from faults as f
inner join {{ ref('observation_vintages') }} as v on v.vintage_id = f.vintage_id
where f.fault is not null
