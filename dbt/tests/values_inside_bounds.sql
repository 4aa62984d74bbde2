-- (check, key) rows: a value outside its own interval, or no finite number at all.
{% set slack = '1e-12 * greatest(abs(obs_value), 1)' %}
select 'outside_bounds' as fault, vintage_id::varchar as fault_key
from {{ ref('observation_vintages') }}
where obs_value < lower - {{ slack }} or obs_value > upper + {{ slack }}
union all
select 'not_finite', vintage_id::varchar
from {{ ref('observation_vintages') }}
where not isfinite(obs_value) or not isfinite(lower) or not isfinite(upper)
union all
select 'printed_without_value', vintage_id::varchar
from {{ ref('observation_vintages') }}
where origin = 'printed' and obs_value is null
union all
-- an open side says so, in the qualifier of a print and in the marks of whatever uses it
select 'open_side_unmarked', vintage_id::varchar
from {{ ref('observation_vintages') }}
where obs_value is not null and origin = 'printed' and (lower is null or upper is null) and marks not like '%open_interval%'
union all
select 'cell_outside_bounds', file || '!' || coalesce(cell, '')
from {{ ref('printed_cells') }}
where obs_value < lower - {{ slack }} or obs_value > upper + {{ slack }}
