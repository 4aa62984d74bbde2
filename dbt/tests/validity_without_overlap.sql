-- (check, key) rows: two vintages of one figure in force on the same day or in one place of the order, or a last one that ends.
-- As the last of a figure and origin is the latest and no other is, this is also where each is found to have exactly one.
with origins as (
    -- all facts are put in order: by a flag, not by a word
    select attributes_id, origin = 'printed' as is_printed from {{ ref('vintage_attributes') }}
),

chain as (
    select
        f.series_id, f.period_key, f.vintage_id, f.valid_from, f.valid_to, f.is_latest, a.is_printed,
        lead(f.valid_from) over later as next_from, lead(f.sequence) over later = f.sequence as is_tied
    from {{ ref('facts') }} as f
    inner join origins as a on a.attributes_id = f.attributes_id
    window later as (partition by f.series_id, f.period_key, a.is_printed order by f.sequence)
),

faults as (
    select series_id, period_key, vintage_id, unnest([
            case when is_tied then 'sequence' end,
            case when valid_to > next_from then 'overlap' end,
            case when valid_from > valid_to then 'ends_before_it_starts' end,
            case when is_latest <> (next_from is null) then 'latest_not_last' end,
            case when next_from is null and valid_to <> {{ forever() }} then 'latest_not_in_force' end,
            -- prints follow each other without a day between; a derived figure may lapse while an input is missing
            case when is_printed and valid_to < next_from then 'hole' end
        ]) as fault
    from chain
    where valid_to <> coalesce(next_from, {{ forever() }}) or valid_from > valid_to or is_tied or is_latest <> (next_from is null)
)

select f.fault,
    concat_ws('/', s.ref_area, s.indicator, s.breakdown, s.currency_scope, s.transformation, s.prices, p.period_start, p.period_end, f.vintage_id) as fault_key
from faults as f
inner join {{ ref('series') }} as s on s.series_id = f.series_id
inner join {{ ref('time_periods') }} as p on p.period_key = f.period_key
where f.fault is not null
