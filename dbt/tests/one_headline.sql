-- (check, key) rows: what readers take as "the" figure is missing or is several. Figures are named by one of their vintages.
with flagged as (
    select
        f.series_id, f.period_key, f.vintage_id, f.obs_value, f.is_headline, f.is_preferred, f.is_latest, f.is_current,
        a.origin, a.origin = 'printed' and a.is_official as is_responsible, coalesce(a.census_basis, 0) = -2 as is_mixed
    from {{ ref('facts') }} as f
    inner join {{ ref('vintage_attributes') }} as a on a.attributes_id = f.attributes_id
),

-- one preferred and one latest, in one number so that all figures are counted in one pass
counted as (
    select series_id, period_key, min(vintage_id) as vintage_id, sum(is_preferred::integer + 1000000 * is_latest::bigint) as flags
    from flagged
    group by series_id, period_key, origin
    having flags <> 1000001
),

mixed_preferred as (
    select m.vintage_id
    from flagged as m
    semi join (select series_id, period_key, origin from flagged where not is_mixed and obs_value is not null) as s
        on s.series_id = m.series_id and s.period_key = m.period_key and s.origin = m.origin
    where m.is_mixed and m.is_preferred
),

faults as (
    select vintage_id, unnest([
        case when flags % 1000000 <> 1 then 'preferred' end,
        case when flags // 1000000 <> 1 then 'latest' end
    ]) as fault
    from counted
    union all
    select vintage_id, unnest([
        case when is_headline and not is_preferred then 'headline_not_preferred' end,
        case when is_current <> (is_latest or is_preferred) then 'not_in_force' end,
        -- ours and claims stand behind a responsible publisher's print
        case when is_responsible and is_preferred and not is_headline then 'headline_not_official' end
    ])
    from flagged
    where (is_headline and not is_preferred) or is_current <> (is_latest or is_preferred) or (is_responsible and is_preferred and not is_headline)
    union all
    -- a figure on mixed census rounds is shown, never preferred while a same-basis one exists
    select vintage_id, 'mixed_preferred' from mixed_preferred
    union all
    select min(vintage_id), 'headlines' from flagged where is_headline group by series_id, period_key having count(*) > 1
)

select f.fault,
    concat_ws('/', v.ref_area, v.indicator, v.breakdown, v.currency_scope, v.transformation, v.prices, v.period_start, v.period_end, v.origin) as fault_key
from faults as f
inner join {{ ref('observation_vintages') }} as v on v.vintage_id = f.vintage_id
where f.fault is not null
