{{ config(materialized='table_macro', parameters='tbl, u := 0.5, a := 0.05, c := 4') }}
-- Ratio edit of Hidiroglou and Berthelot over any table (id, previous, current), named as a string. `score` is the effect E; `lower` and
-- `upper` are the bounds that it must keep, the same for all rows. A pair that is null or not positive has no ratio, score or flag.
with pairs as (
    select id, "previous"::double as before, "current"::double as after
    from query_table(tbl::varchar)
),

ratios as (
    select *, case when before > 0 and after > 0 and isfinite(before) and isfinite(after) then after / before end as ratio
    from pairs
),

centred as (
    select *, median(ratio) over () as middle
    from ratios
),

effects as (
    select
        id, ratio,
        case when ratio < middle then 1 - middle / ratio else ratio / middle - 1 end * pow(greatest(before, after), u::double) as effect
    from centred
),

-- quantile_cont interpolates as type 7 does
quartiles as (
    select quantile_cont(effect, 0.25) as q1, quantile_cont(effect, 0.5) as q2, quantile_cont(effect, 0.75) as q3
    from effects
    where effect is not null
),

bounds as (
    select
        q2 - c::double * greatest(q2 - q1, abs(a::double * q2)) as lowest,
        q2 + c::double * greatest(q3 - q2, abs(a::double * q2)) as highest
    from quartiles
)

select
    effects.id, effects.ratio, effects.effect as score, bounds.lowest as lower, bounds.highest as upper,
    case when effects.effect < bounds.lowest then 'low' when effects.effect > bounds.highest then 'high' end as flag
from effects
cross join bounds
