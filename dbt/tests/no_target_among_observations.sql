-- (check, key) rows: a target or forecast that became a figure, or an estimate that doesn't say so.
with printed as (
    select s.kind_text, p.marks, p.publication_id || ' ' || coalesce(c.reference, c.cell) as address
    from {{ ref('int_prints') }} as p
    inner join {{ source('ledger', 'cells') }} as s on s.cell_no = p.cell_no
    inner join {{ ref('cells') }} as c on c.cell_no = p.cell_no
    where s.kind_text in ('target', 'forecast', 'estimate')
)

select 'target_or_forecast' as fault, address as fault_key
from printed
where kind_text in ('target', 'forecast')
union all
select 'estimate_unmarked', address
from printed
where kind_text = 'estimate' and (marks & {{ mark('estimate') }}) = 0
union all
select 'kind_and_mark_differ', vintage_id::varchar
from {{ ref('observation_vintages') }}
where (obs_kind = 'estimate') <> (marks like '%estimate%')
