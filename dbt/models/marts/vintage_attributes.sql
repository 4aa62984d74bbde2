-- What is said of vintages in words and codes, once per combination that occurs.
select
    {{ attributes_id('printed', printed_attributes()) }}::ubigint as attributes_id,
    'printed' as origin, null::varchar as formula_id, step::integer as step, decimals::integer as decimals, qualifier::varchar as qualifier,
    stage::varchar as stage, stage_basis::varchar as stage_basis, census_basis::integer as census_basis, is_official,
    known_after_basis::varchar as known_after_basis, known_by_basis::varchar as known_by_basis,
    publication_id::varchar as publication_id, first_publication_id::varchar as first_publication_id, marks::integer as marks
from (select distinct {{ printed_attributes() }} from {{ ref('int_vintages') }})
union all
select
    {{ attributes_id('derived', derived_attributes()) }},
    'derived', formula_id::varchar, 1, null, null,
    null, null, census_basis::integer, (marks & {{ mark('claim') }}) = 0,
    null, case when is_dated then 'inputs' end,
    null, null, marks::integer
from (select distinct {{ derived_attributes() }} from {{ ref('int_derived') }})
