-- (check, key) rows: cells in = accepted + refused + other kinds. A ratio cell such as 6.9:40.1:53.0 is a row a part that an alias names. Each
-- part is looked for by its number among the prints or the refusals, and there are as many of these as of parts, so none has doubled either.
with judged as (
    select cell_no, part, {{ print_no('cell_no', 'part') }} as print_no, refusal is null as is_accepted from {{ ref('int_cells_judged') }}
),

found as (
    select print_no, true as is_accepted from {{ ref('int_prints') }}
    union all
    select {{ print_no('cell_no', 'part') }}, false from {{ ref('int_refusals') }} where kind in ('refused', 'other_kind')
),

-- nearly every cell is one row: only those of several are looked at part by part
parts as (
    select cell_no, count(*) as judged, min(part) as first_part, max(part) as last_part
    from {{ ref('int_cells_judged') }}
    where cell_no in (select cell_no from judged where part <> 0)
    group by cell_no
),

totals as (
    select
        count(*) as judged, count(*) filter (where part <= 1) as cells, count(*) filter (where is_accepted) as accepted,
        (select count(*) from {{ ref('cells') }}) as released,
        (select count(*) from found where is_accepted) as prints, (select count(*) from found where not is_accepted) as refusals
    from judged
)

select 'corrections_change_the_count' as fault, (select count(*) from {{ source('ledger', 'cells') }}) || ' in, ' || count(*) || ' out' as fault_key
from {{ ref('stg_cells') }}
having count(*) <> (select count(*) from {{ source('ledger', 'cells') }})
union all
select 'words_lost', (select count(*) from {{ source('ledger', 'cells') }}) || ' in, ' || count(*) || ' out'
from {{ ref('cells') }}
having count(*) <> (select count(*) from {{ source('ledger', 'cells') }})
union all
select 'cell_lost', c.publication_id || ' ' || coalesce(c.reference, c.cell)
from {{ ref('cells') }} as c
anti join judged as j on j.cell_no = c.cell_no
union all
select 'part_twice', cell_no::varchar
from (select cell_no, part, row_number() over (partition by cell_no, part) as nth from judged)
where nth = 2 or part is null
union all
-- either one row for the cell, or parts 1 … n of a ratio
select 'parts_incomplete', p.cell_no::varchar
from parts as p
inner join {{ ref('stg_cells') }} as c on c.cell_no = p.cell_no
where p.first_part <> 1 or p.last_part <> p.judged or p.judged <> len(c.parts)
union all
select 'not_accounted_for', j.cell_no::varchar
from judged as j
anti join found as f on f.print_no = j.print_no and f.is_accepted = j.is_accepted
union all
select 'counts_differ', concat_ws('/', released, cells, judged, accepted, prints, refusals)
from totals
where cells <> released or prints <> accepted or refusals <> judged - accepted
