-- (check, key) rows: a printed figure that no cell prints. A coarse print shown before the exact one shares its vintage's cells,
-- so it is looked for by publication, key and value.
with vintages as (
    select f.vintage_id, f.series_id, f.period_key, f.obs_value, a.publication_id, (a.marks & {{ mark('coarse') }}) > 0 as is_coarse
    from {{ ref('facts') }} as f
    inner join {{ ref('vintage_attributes') }} as a on a.attributes_id = f.attributes_id and a.origin = 'printed'
)

select 'no_cell' as fault, v.vintage_id::varchar as fault_key
from vintages as v
anti join {{ ref('prints') }} as p on p.vintage_id = v.vintage_id
where not v.is_coarse
union all
select 'value_not_printed_there', v.vintage_id::varchar
from vintages as v
anti join (
    select p.series_id, p.period_key, p.obs_value, c.publication_id
    from {{ ref('prints') }} as p
    inner join {{ ref('cells') }} as c on c.cell_no = p.cell_no
) as p on p.series_id = v.series_id and p.period_key = v.period_key and p.obs_value = v.obs_value and p.publication_id = v.publication_id
union all
select case when p.vintage_id is not null then 'vintage_unknown' else 'official_in_no_vintage' end, c.file || '!' || coalesce(c.cell, '')
from {{ ref('prints') }} as p
inner join {{ ref('cells') }} as c on c.cell_no = p.cell_no
anti join vintages as v on v.vintage_id = p.vintage_id
-- a responsible publisher's print always enters a vintage, unless it is so coarse that it fits several
where p.vintage_id is not null or (p.is_official and p.relation <> 'ambiguous')
