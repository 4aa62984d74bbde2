-- (check, key) rows: cells in = accepted + refused + other kinds. A ratio cell such as 6.9:40.1:53.0 is a row a part that an
-- alias names, so the parts are compared cell by cell and never by the totals alone.
with parts as (
    select
        j.cell_no, count(*) as judged, min(j.part) as first_part, max(j.part) as last_part,
        count(*) filter (where j.refusal is null) as accepted
    from {{ ref('int_cells_judged') }} as j
    group by j.cell_no
),

prints as (
    select cell_no, count(*) as prints from {{ ref('int_prints') }} group by cell_no
),

refusals as (
    select
        cell_no,
        count(*) filter (where kind = 'refused') as refused,
        count(*) filter (where kind = 'other_kind') as other_kinds
    from {{ ref('int_refusals') }} group by cell_no
)

select 'corrections_change_the_count' as fault, (select count(*) from {{ source('ledger', 'cells') }}) || ' in, ' || count(*) || ' out' as fault_key
from {{ ref('stg_cells') }}
having count(*) <> (select count(*) from {{ source('ledger', 'cells') }})
union all
select 'cell_lost', c.publication_id || ' ' || coalesce(c.reference, c.cell)
from {{ ref('cells') }} as c
anti join parts as p on p.cell_no = c.cell_no
union all
-- nearly every cell is one row: only those of several are looked at part by part
select distinct 'part_twice', j.cell_no::varchar
from {{ ref('int_cells_judged') }} as j
semi join (select cell_no from parts where judged > 1 or first_part is null) as p on p.cell_no = j.cell_no
group by j.cell_no, j.part having count(*) > 1 or j.part is null
union all
-- either one row for the cell, or parts 1 … n of a ratio
select 'parts_incomplete', p.cell_no::varchar
from parts as p
inner join {{ ref('stg_cells') }} as c on c.cell_no = p.cell_no
where (p.first_part = 0 and p.judged <> 1)
    or (p.first_part > 0 and (p.first_part <> 1 or p.last_part <> p.judged or p.judged <> len(c.parts)))
union all
select 'not_accounted_for', p.cell_no::varchar
from parts as p
left join prints as a on a.cell_no = p.cell_no
left join refusals as r on r.cell_no = p.cell_no
where p.judged <> coalesce(a.prints, 0) + coalesce(r.refused, 0) + coalesce(r.other_kinds, 0)
    or p.accepted <> coalesce(a.prints, 0)
union all
select 'released_totals', concat_ws('/', r.cells, r.figures, r.refused, r.other_kinds)
from {{ ref('release') }} as r
where r.figures + r.refused + r.other_kinds <> (select sum(judged) from parts)
    or r.cells <> (select count(*) from parts)
union all
select 'printed_cells', count(*)::varchar
from {{ ref('printed_cells') }}
having count(*) <> (select count(*) from {{ ref('int_prints') }})
union all
select 'rejected_cells', count(*)::varchar
from {{ ref('rejected_cells') }} where kind <> 'file'
having count(*) <> (select count(*) from {{ ref('int_refusals') }})
