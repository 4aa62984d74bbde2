-- (check, key) rows: a derived figure without inputs, with inputs that are nowhere, or in force before one of them.
with links as (
    select d.vintage_id, d.valid_from, d.known_by, unnest(d.inputs) as input_id
    from {{ ref('observation_vintages') }} as d
    where d.origin = 'derived'
),

-- one join answers both: whether an input is known, and since when
joined as (
    select
        l.vintage_id,
        case
            when i.vintage_id is null then 'input_unknown'
            when l.valid_from < i.valid_from or l.valid_from >= i.valid_to or l.known_by < i.known_by
                or (i.known_by is null and l.known_by is not null) then 'in_force_before_its_input'
        end as fault
    from links as l
    left join {{ ref('observation_vintages') }} as i on i.vintage_id = l.input_id
)

select 'no_inputs' as fault, vintage_id::varchar as fault_key
from {{ ref('observation_vintages') }}
where origin = 'derived' and (formula_id is null or coalesce(len(inputs), 0) = 0)
union all
select 'printed_with_inputs', vintage_id::varchar
from {{ ref('observation_vintages') }}
where origin = 'printed' and (formula_id is not null or inputs is not null)
union all
select fault, vintage_id::varchar from joined where fault is not null
union all
select 'formula_unknown', d.formula_id
from (select distinct formula_id from {{ ref('observation_vintages') }} where origin = 'derived') as d
where d.formula_id not in (select formula_id from {{ ref('formulas') }})
    and d.formula_id not in ('growth_on_year', 'decumulated', 'last_twelve_months', 'tiling')
