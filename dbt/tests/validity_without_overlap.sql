-- (check, key) rows: two vintages of one figure in force on the same day, or a last one that ends.
with chain as (
    select
        vintage_id, valid_from, valid_to, is_latest, origin,
        lead(valid_from) over (
            partition by hash(ref_area, indicator, breakdown, currency_scope, transformation, prices, period_start, period_end), origin
            order by sequence
        ) as next_from
    from {{ ref('observation_vintages') }}
),

faults as (
    select 'overlap' as fault, vintage_id from chain where valid_to > next_from
    union all
    select 'ends_before_it_starts', vintage_id from chain where valid_from > valid_to
    union all
    select 'latest_not_in_force', vintage_id from chain where is_latest and valid_to <> {{ forever() }}
    union all
    -- prints follow each other without a day between; a derived figure may lapse while an input is missing
    select 'hole', vintage_id from chain where origin = 'printed' and valid_to < next_from
)

select f.fault,
    concat_ws('/', v.ref_area, v.indicator, v.breakdown, v.currency_scope, v.transformation, v.prices, v.period_start, v.period_end, v.origin) as fault_key
from faults as f
inner join {{ ref('observation_vintages') }} as v on v.vintage_id = f.vintage_id
