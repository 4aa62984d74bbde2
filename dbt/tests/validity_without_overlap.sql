-- (check, key) rows: two vintages of one figure in force on the same day or in one place of the order, a last one that ends, or not exactly
-- one latest and one preferred of an origin.
with origins as (
    select attributes_id, origin = 'printed' as is_printed from {{ ref('vintage_attributes') }}
),

-- All facts are put in order, so as little as can be is carried: a figure of an origin is one number. Two figures that shared one would be
-- found here, too, having two latest.
numbered as (
    select
        f.vintage_id, hash(f.series_id, f.period_key, a.is_printed) as figure, f.sequence, f.valid_from, f.valid_to, f.is_latest, f.is_preferred,
        a.is_printed
    from {{ ref('facts') }} as f
    inner join origins as a on a.attributes_id = f.attributes_id
),

chain as (
    select *, lead(valid_from) over later as next_from, lead(sequence) over later = sequence as is_tied
    from numbered
    window later as (partition by figure order by sequence)
),

-- nearly every vintage ends as the next begins, and the last and no other is both latest and preferred
in_question as (
    select * from chain
    where valid_to <> coalesce(next_from, {{ forever() }}) or valid_from > valid_to or is_tied
        or is_latest <> (next_from is null) or is_preferred <> is_latest
),

faults as (
    select vintage_id, unnest([
            case when is_tied then 'sequence' end,
            case when valid_to > next_from then 'overlap' end,
            case when valid_from > valid_to then 'ends_before_it_starts' end,
            case when is_latest <> (next_from is null) then 'latest_not_last' end,
            case when next_from is null and valid_to <> {{ forever() }} then 'latest_not_in_force' end,
            -- prints follow each other without a day between; a derived figure may lapse while an input is missing
            case when is_printed and valid_to < next_from then 'hole' end
        ]) as fault
    from in_question
    union all
    -- a last one that is not in question is the one latest and the one preferred; figures are named by one of their vintages
    select min(vintage_id), unnest([
            case when count(*) filter (where is_latest) + (not bool_or(next_from is null))::integer <> 1 then 'latest' end,
            case when count(*) filter (where is_preferred) + (not bool_or(next_from is null))::integer <> 1 then 'preferred' end
        ])
    from in_question
    group by figure
)

select f.fault,
    concat_ws('/', s.ref_area, s.indicator, s.breakdown, s.currency_scope, s.transformation, s.prices, p.period_start, p.period_end, f.vintage_id) as fault_key
from faults as f
inner join {{ ref('facts') }} as v on v.vintage_id = f.vintage_id
inner join {{ ref('series') }} as s on s.series_id = v.series_id
inner join {{ ref('time_periods') }} as p on p.period_key = v.period_key
where f.fault is not null
