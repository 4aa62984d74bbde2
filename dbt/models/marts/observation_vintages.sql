-- Every vintage of every figure, printed and derived.
select
    f.vintage_id,
    s.ref_area, a.area_code, s.indicator, s.breakdown, s.currency_scope, s.transformation, s.prices,
    f.origin,
    p.freq, p.time_period, p.coverage, p.period_start, p.period_end,
    f.vintage_no::integer as vintage_no,
    f.obs_value, f.lower, f.upper,
    case
        when s.transformation = 'G1Y' then 'PC'
        when s.transformation in ('DYS', 'D1Y') and u.dimension = 'share' then 'PP'
        else i.unit_measure
    end as unit_measure,
    case when s.transformation = 'G1Y' then 0 else i.unit_mult end::integer as unit_mult,
    f.decimals::integer as decimals,
    f.qualifier,
    case
        when f.obs_value is null then 'M'
        when (f.marks & {{ mark('estimate') }}) > 0 then 'E'
        when f.stage = 'first' then 'P'
        else 'A'
    end as obs_status,
    case when (f.marks & {{ mark('estimate') }}) > 0 then 'estimate' else 'observation' end as obs_kind,
    f.stage, f.stage_basis,
    case f.census_basis when -2 then 'mixed' when -1 then 'unknown' else f.census_basis::varchar end as census_basis,
    f.is_current and f.is_headline as is_headline,
    f.is_preferred, f.is_latest, f.is_current, f.is_official,
    f.known_after, f.known_after_basis, f.known_by, f.known_by_basis, f.recorded_at,
    f.valid_from, f.valid_to, f.sequence,
    f.publication_id, f.first_publication_id,
    f.formula_id,
    f.inputs,
    m.marks
from {{ ref('int_facts') }} as f
inner join {{ ref('int_series_all') }} as s on s.series_id = f.series_id
inner join {{ ref('int_periods') }} as p on p.period_key = f.period_key
inner join {{ ref('cl_areas') }} as a on a.ref_area = s.ref_area
inner join {{ ref('cl_indicators') }} as i on i.indicator = s.indicator
inner join {{ ref('cl_unit_measures') }} as u on u.unit_measure = i.unit_measure
inner join {{ ref('int_mark_texts') }} as m on m.bits = f.marks
