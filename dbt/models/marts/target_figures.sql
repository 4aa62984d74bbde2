-- Every vintage that a target can be held against, with how well it fits: `exact`, `assumed` (a row of the assumptions lets an
-- unprinted scope stand for the target's), or `other` (another scope or breakdown: never used, but a reader should know it is there).
with voices as (
    select publication_id, publisher from {{ ref('publications') }}
    union
    select publication_id, publisher from {{ ref('quotations') }}
),

lets as (
    select distinct w.publication_id, a.assumption_id, a.indicator, a.ref_area, a.from_value, a.to_value, coalesce(a.valid_until, {{ forever() }}) as valid_until
    from {{ ref('assumptions') }} as a
    inner join voices as w on a.publisher in ('*', w.publisher)
    where a.kind = 'scope'
),

fitted as (
    select
        t.target_id, v.vintage_id, v.period_start, v.period_end,
        case
            when v.breakdown <> t.breakdown then 'other'
            when v.currency_scope = t.currency_scope then 'exact'
            when l.assumption_id is not null then 'assumed'
            else 'other'
        end as fit,
        l.assumption_id, v.breakdown, v.currency_scope, v.time_period,
        v.origin, v.obs_value, v.lower, v.upper, v.qualifier, v.stage, v.stage_basis, v.census_basis, v.obs_status, v.is_official,
        v.known_by, v.sequence, v.marks, v.publication_id, t.span
    from {{ ref('targets') }} as t
    inner join {{ ref('observation_vintages') }} as v
        on v.ref_area = t.ref_area and v.indicator = t.indicator and v.transformation = t.transformation and v.prices = t.prices
    left join lets as l
        on l.publication_id = v.publication_id and l.indicator = v.indicator and l.ref_area in ('*', v.ref_area)
        and l.from_value = v.currency_scope and l.to_value = t.currency_scope and v.origin = 'printed'
        and l.valid_until >= coalesce(v.known_by, {{ beginning() }})
)

select distinct on (target_id, vintage_id)
    target_id, vintage_id, fit, assumption_id, breakdown, currency_scope, period_start, period_end, time_period,
    case
        when period_start is null then 'moment'
        when period_start = date_trunc('year', period_end) and month(period_end) = 12 and day(period_end) = 31 then 'year'
        when period_start = date_trunc('year', period_end) and period_end = last_day(period_end) and month(period_end) % 3 = 0 then 'year_to_date'
        else 'part'
    end as span_kind,
    (period_start is null) = (span = 'end') and (period_start is null or (period_start = date_trunc('year', period_end) and month(period_end) = 12 and day(period_end) = 31)) as is_comparable,
    {{ year_position('period_end') }} as year_position,
    origin, obs_value, lower, upper, qualifier, stage, stage_basis, census_basis, obs_status, is_official, known_by, sequence, marks, publication_id
from fitted
order by target_id, vintage_id, assumption_id
