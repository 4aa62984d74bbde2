-- Every cell, either a figure with its whole key and interval, or refused with a reason, or of another kind (a target, a
-- forecast). Cells in = rows out; a ratio such as 6.9:40.1:53.0 gives one row a part. What a cell says word for word is in `cells`.
with units as (
    select u.unit_text, u.unit_measure, m.dimension, u.unit_mult + m.base_exponent as exponent
    from {{ ref('cl_units') }} as u
    inner join {{ ref('cl_unit_measures') }} as m on m.unit_measure = u.unit_measure
),

-- each in its own unit
indicators as (
    select i.indicator, i.span, i.scoped, i.growth_prices, i.census_revised, m.dimension, i.unit_mult + m.base_exponent as exponent
    from {{ ref('cl_indicators') }} as i
    inner join {{ ref('cl_unit_measures') }} as m on m.unit_measure = i.unit_measure
),

exploded as (
    select c.*, m.part,
        coalesce(w.variant, m.indicator) as indicator, m.breakdown, m.currency_scope as alias_scope, m.transformation as alias_transformation,
        m.prices as alias_prices, m.ref_area as alias_area,
        case when m.part > 0 then c.parts[m.part] end as part_text
    from {{ ref('stg_cells') }} as c
    left join {{ ref('int_labels_mapped') }} as m
        on m.source_id = c.source_id and m.label_key = c.label_key
        and (m.part > 0) = coalesce(c.number_status = 'ratio', false)
    -- figures in dollars are a series apart from those in yuan
    left join units as b on b.unit_text = c.base_unit_key
    left join {{ ref('unit_variants') }} as w on w.indicator = m.indicator and w.unit_measure = b.unit_measure
),

mapped as (
    select
        e.*,
        i.span, i.scoped, i.growth_prices, i.census_revised,
        i.dimension as wanted_dimension,
        u.unit_measure as printed_unit,
        u.dimension as printed_dimension,
        x.dimension as glued_dimension,
        coalesce(e.alias_area, a.ref_area) as ref_area,
        coalesce(a.outside_validity, false) as outside_validity,
        p.known_by,
        coalesce(e.alias_transformation, e.transformation) as effective_transformation,
        case when e.part > 0 then len(split_part(e.part_text, '.', 2)) else e.decimals end as printed_decimals,
        case when e.part > 0 then try_cast(replace(e.part_text, '.', '') as bigint) else e.mantissa end as printed_mantissa,
        i.exponent as own_exponent,
        coalesce(u.exponent, case when e.part > 0 then -2 end) + coalesce(e.scale_mult, 0) as printed_exponent,
        e.transformation as column_transformation
    from exploded as e
    left join indicators as i on i.indicator = e.indicator
    left join units as u on u.unit_text = e.unit_key
    left join units as x on x.unit_text = lower(e.unit_in_text)
    left join {{ ref('int_areas_mapped') }} as a
        on a.source_id = e.source_id and a.area_key = e.area_key and a.period_end = e.period_end
    left join {{ ref('stg_publications') }} as p on p.publication_id = e.publication_id and p.source_id = e.source_id
),

spanned as (
    select
        m.* exclude (period_start, period_end),
        m.period_end as printed_period_end,
        -- A stock is known at a moment: a period printed before it ended is the day of publication.
        case
            when m.span = 'end' and m.effective_transformation not in ('DYS', 'AVG') then least(m.period_end, coalesce(m.known_by, m.period_end))
            else m.period_end
        end as period_end,
        case
            when m.span = 'end' and m.effective_transformation not in ('DYS', 'AVG') then null
            when m.effective_transformation = 'DYS' and m.period_form <> 'range' then date_trunc('year', m.period_end)::date
            when m.period_form = 'moment' and month(m.period_end) = 12 and day(m.period_end) = 31 then date_trunc('year', m.period_end)::date
            else m.period_start
        end as period_start,
        case
            when m.effective_transformation = 'G1Y' then 'share'
            when m.effective_transformation in ('DYS', 'D1Y') and m.wanted_dimension = 'share' then 'share_change'
            else m.wanted_dimension
        end as needed_dimension,
        case when m.effective_transformation = 'G1Y' then -2 else m.own_exponent end as target_exponent
    from mapped as m
),

judged as (
    select
        s.*,
        s.kind_text in ('target', 'forecast') as is_other_kind,
        case
            when s.number_status not in ('number', 'ratio') then 'number_' || coalesce(s.number_reason, s.number_status)
            when s.period_status <> 'period' then 'period_' || coalesce(s.period_reason, s.period_status)
            when s.indicator is null then 'unmapped_label'
            when s.ref_area is null then 'unmapped_area'
            when s.column_transformation <> 'N' and coalesce(s.alias_transformation, 'N') not in ('N', s.column_transformation, 'AVG') then 'growth_of_a_change'
            when s.unit_key = '' and s.part = 0 then 'unit_missing'
            when s.printed_unit is null and s.part = 0 then 'unmapped_unit'
            when s.part = 0 and s.printed_dimension <> s.needed_dimension then 'unit_dimension'
            when s.part = 0 and s.glued_dimension <> s.printed_dimension then 'unit_conflict'
            when s.printed_mantissa is null then 'number_unreadable'
            when s.span = 'period' and s.period_start is null then 'period_is_a_moment'
            when s.period_start is not null and s.period_end > s.known_by and s.kind_text not in ('estimate', 'target', 'forecast') then 'period_not_ended'
            when s.is_retracted then 'retracted'
        end as fault
    from spanned as s
)

select
    j.cell_no, coalesce(j.part, 0) as part,
    j.source_id, j.publication_id, case when j.is_other_kind then 'other_kind' else j.fault end as refusal, j.fault, j.stage_text,
    j.ref_area, j.indicator, j.breakdown, j.census_revised,
    case when j.scoped then coalesce(j.alias_scope, '_U') else '_Z' end as currency_scope,
    j.effective_transformation as transformation,
    case
        when j.alias_prices is not null then j.alias_prices
        when j.effective_transformation = 'G1Y' then coalesce(nullif(j.growth_prices, ''), '_Z')
        when j.growth_prices = 'constant' then 'current'
        else '_Z'
    end as prices,
    j.period_start, j.period_end, j.printed_period_end,
    j.printed_mantissa as mantissa,
    (j.printed_exponent - j.target_exponent - j.printed_decimals)::integer as exponent,
    greatest(0, j.printed_decimals - (j.printed_exponent - j.target_exponent))::integer as decimals,
    j.qualifier,
    -- in units of the last digit kept: 约7600 rounds to hundreds, 1万2千 to thousands
    case
        when j.part > 0 then 1
        when j.qualifier = 'about' then 2 * pow(10, greatest(j.granularity, j.scale_mult - j.decimals) - (j.scale_mult - j.decimals))
        else pow(10, j.last_place - (j.scale_mult - j.decimals))
    end::bigint as width,
    (case when j.kind_text = 'estimate' then {{ mark('estimate') }} else 0 end)
    | (case when coalesce(j.correction_ids, '') <> '' then {{ mark('corrected') }} else 0 end)
    | (case when j.period_end < j.printed_period_end then {{ mark('as_of_publication') }} else 0 end)
    | (case when j.period_inferred then {{ mark('period_inferred') }} else 0 end)
    | (case when j.outside_validity then {{ mark('area_code_later') }} else 0 end)
    | (case when j.qualifier in ('over', 'below', 'nearly') then {{ mark('open_interval') }} else 0 end)
    | (case when j.precision_of_column then {{ mark('column_precision') }} else 0 end)
    | (case when j.hidden then {{ mark('hidden') }} else 0 end) as marks
from judged as j
