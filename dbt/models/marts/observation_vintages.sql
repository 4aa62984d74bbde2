{{ config(materialized='view') }}
-- Every vintage of every figure, printed and derived: `facts` with the names of its keys. A view, so that the names are stored once;
-- its relations are named without the database, so that it opens under whatever name a release is attached.
select
    f.vintage_id,
    s.ref_area, s.area_code, s.indicator, s.breakdown, s.currency_scope, s.transformation, s.prices,
    a.origin,
    p.freq, p.time_period, p.coverage, p.period_start, p.period_end,
    f.vintage_no,
    f.obs_value, f.lower, f.upper,
    s.unit_measure, s.unit_mult,
    a.decimals,
    a.qualifier,
    case
        when f.obs_value is null then 'M'
        when (a.marks & {{ mark('estimate') }}) > 0 then 'E'
        when a.stage = 'first' then 'P'
        else 'A'
    end as obs_status,
    case when (a.marks & {{ mark('estimate') }}) > 0 then 'estimate' else 'observation' end as obs_kind,
    a.stage, a.stage_basis,
    case a.census_basis when -2 then 'mixed' when -1 then 'unknown' else a.census_basis::varchar end as census_basis,
    f.is_headline, f.is_preferred, f.is_latest, f.is_latest or f.is_preferred as is_current, a.is_official,
    f.known_after, a.known_after_basis, f.known_by, a.known_by_basis, f.recorded_at,
    f.valid_from, f.valid_to, f.sequence,
    a.publication_id, a.first_publication_id,
    a.formula_id,
    f.inputs,
    m.marks
from {{ ref('facts').include(database=false) }} as f
inner join {{ ref('series').include(database=false) }} as s on s.series_id = f.series_id
inner join {{ ref('time_periods').include(database=false) }} as p on p.period_key = f.period_key
inner join {{ ref('vintage_attributes').include(database=false) }} as a on a.attributes_id = f.attributes_id
inner join {{ ref('mark_sets').include(database=false) }} as m on m.bits = a.marks
