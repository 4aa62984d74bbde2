-- (check, key) rows: a printed figure that no cell prints. A coarse print shown before the exact one shares its vintage's cells,
-- so it is looked for by publication, key and value.
with vintages as (
    select f.vintage_id, f.series_id, f.period_key, f.obs_value, a.publication_id, (a.marks & {{ mark('coarse') }}) > 0 as is_coarse
    from {{ ref('facts') }} as f
    inner join {{ ref('vintage_attributes') }} as a on a.attributes_id = f.attributes_id and a.origin = 'printed'
),

prints as (
    select p.vintage_id, p.series_id, p.period_key, p.obs_value, p.is_official, p.relation, p.cell_no, c.publication_id
    from {{ ref('prints') }} as p
    inner join {{ ref('cells') }} as c on c.cell_no = p.cell_no
),

-- Each vintage beside its own prints: nearly every one says just what its vintage does, and only the others are looked at again.
paired as (
    select
        v.vintage_id, v.series_id, v.period_key, v.obs_value, v.publication_id, v.is_coarse,
        p.vintage_id as named_id, p.is_official, p.relation, p.cell_no
    from vintages as v
    full join prints as p on p.vintage_id = v.vintage_id
    where (
        p.series_id = v.series_id and p.period_key = v.period_key and p.obs_value = v.obs_value and p.publication_id = v.publication_id
    ) is not true
),

in_question as (
    select distinct vintage_id, series_id, period_key, obs_value, publication_id from paired where vintage_id is not null
)

select 'no_cell' as fault, vintage_id::varchar as fault_key
from paired
where cell_no is null and not is_coarse
union all
select 'value_not_printed_there', q.vintage_id::varchar
from in_question as q
anti join (
    select p.series_id, p.period_key, p.obs_value, c.publication_id
    from {{ ref('prints') }} as p
    inner join {{ ref('cells') }} as c on c.cell_no = p.cell_no
    where p.series_id in (select series_id from in_question)
) as p on p.series_id = q.series_id and p.period_key = q.period_key and p.obs_value = q.obs_value and p.publication_id = q.publication_id
union all
select case when p.named_id is not null then 'vintage_unknown' else 'official_in_no_vintage' end, c.file || '!' || coalesce(c.cell, '')
from paired as p
inner join {{ ref('cells') }} as c on c.cell_no = p.cell_no
-- a responsible publisher's print always enters a vintage, unless it is so coarse that it fits several
where p.vintage_id is null and (p.named_id is not null or (p.is_official and p.relation <> 'ambiguous'))
