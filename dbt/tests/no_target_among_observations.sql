-- (check, key) rows: a target or forecast that became a figure, or an estimate that doesn't say so.
select 'target_or_forecast' as fault, p.publication_id || ' ' || coalesce(w.reference, w.cell) as fault_key
from {{ ref('int_prints') }} as p
inner join {{ ref('stg_cells') }} as c on c.cell_no = p.cell_no
inner join {{ ref('cells') }} as w on w.cell_no = p.cell_no
where c.kind_text in ('target', 'forecast')
union all
select 'estimate_unmarked', p.publication_id || ' ' || coalesce(w.reference, w.cell)
from {{ ref('int_prints') }} as p
inner join {{ ref('stg_cells') }} as c on c.cell_no = p.cell_no
inner join {{ ref('cells') }} as w on w.cell_no = p.cell_no
where c.kind_text = 'estimate' and (p.marks & {{ mark('estimate') }}) = 0
union all
select 'kind_and_mark_differ', vintage_id::varchar
from {{ ref('observation_vintages') }}
where (obs_kind = 'estimate') <> (marks like '%estimate%')
