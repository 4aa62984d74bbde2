-- (check, key) rows: a derived figure without inputs, with inputs that are nowhere, or in force before one of them.
with links as (
    select vintage_id, valid_from, known_by, unnest(inputs) as input_id
    from {{ ref('facts') }}
),

-- what is in force on no day is no input
usable as (
    select vintage_id, valid_from, valid_to, known_by from {{ ref('facts') }} where valid_from < valid_to
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
    left join usable as i on i.vintage_id = l.input_id
)

select case when a.origin = 'derived' then 'no_inputs' else 'printed_with_inputs' end as fault, f.vintage_id::varchar as fault_key
from {{ ref('facts') }} as f
inner join {{ ref('vintage_attributes') }} as a on a.attributes_id = f.attributes_id
where (a.origin = 'derived' and (a.formula_id is null or coalesce(len(f.inputs), 0) = 0))
    or (a.origin = 'printed' and (a.formula_id is not null or f.inputs is not null))
union all
select fault, vintage_id::varchar from joined where fault is not null
union all
select 'formula_unknown', formula_id
from {{ ref('vintage_attributes') }}
where origin = 'derived' and formula_id not in (select formula_id from {{ ref('formulas') }})
    and formula_id not in ('growth_on_year', 'decumulated', 'last_twelve_months', 'tiling')
