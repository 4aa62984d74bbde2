-- (check, key) rows: a derived figure without inputs, with inputs that are nowhere, or in force before one of them.
-- Figures of one set of attributes are counted together, and named by one that is at fault.
with groups as (
    select
        attributes_id, min(vintage_id) as vintage_id,
        min(vintage_id) filter (where coalesce(len(inputs), 0) = 0) as without_inputs,
        min(vintage_id) filter (where inputs is not null) as with_inputs
    from {{ ref('facts') }}
    group by attributes_id
),

links as (
    select vintage_id, valid_from, known_by, unnest(inputs) as input_id
    from {{ ref('facts') }}
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
    left join {{ ref('facts') }} as i on i.vintage_id = l.input_id
)

select 'no_inputs' as fault, coalesce(g.without_inputs, g.vintage_id)::varchar as fault_key
from groups as g
inner join {{ ref('vintage_attributes') }} as a on a.attributes_id = g.attributes_id
where a.origin = 'derived' and (a.formula_id is null or g.without_inputs is not null)
union all
select 'printed_with_inputs', coalesce(g.with_inputs, g.vintage_id)::varchar
from groups as g
inner join {{ ref('vintage_attributes') }} as a on a.attributes_id = g.attributes_id
where a.origin = 'printed' and (a.formula_id is not null or g.with_inputs is not null)
union all
select fault, vintage_id::varchar from joined where fault is not null
union all
select 'formula_unknown', formula_id
from {{ ref('vintage_attributes') }}
where origin = 'derived' and formula_id not in (select formula_id from {{ ref('formulas') }})
    and formula_id not in ('growth_on_year', 'decumulated', 'last_twelve_months', 'tiling')
