{{ config(materialized='view') }}
-- Printed and derived vintages side by side, in narrow keys, numbered and with what is in force today. A view: its rows are stored once,
-- in the mart.
select
    v.vintage_id, v.series_id, v.period_key, 'printed' as origin, null::varchar as formula_id, n.sequence,
    n.vintage_no, v.step, v.obs_value, v.lower, v.upper, v.decimals, v.qualifier, v.stage, v.stage_basis, v.census_basis, v.is_official,
    v.known_after, v.known_after_basis, v.known_by, v.known_by_basis, v.recorded_at, v.valid_from, v.valid_to, v.publication_id,
    v.first_publication_id, null::ubigint[] as inputs, v.marks,
    n.is_latest, n.is_preferred, n.is_latest or n.is_preferred as is_current, n.is_headline
from {{ ref('int_vintages') }} as v
inner join {{ ref('int_fact_flags') }} as n on n.vintage_id = v.vintage_id
union all
select
    d.vintage_id, d.series_id, d.period_key, 'derived', d.formula_id, n.sequence,
    n.vintage_no, 1, d.obs_value, d.lower, d.upper, null, null, null, null, d.census_basis, (d.marks & {{ mark('claim') }}) = 0,
    d.known_after, null,
    case when d.is_dated then d.valid_from end, case when d.is_dated then 'inputs' end,
    d.recorded_at, d.valid_from, d.valid_to, null, null, d.inputs, d.marks,
    n.is_latest, n.is_preferred, n.is_latest or n.is_preferred, n.is_headline
from {{ ref('int_derived') }} as d
inner join {{ ref('int_fact_flags') }} as n on n.vintage_id = d.vintage_id
