-- Accepted figures with their keys, intervals, publisher's standing, stage and days. One row a printed figure.
with figures as (
    select
        c.*,
        row_number() over () as print_no,
        {{ series_id('c.ref_area', 'c.indicator', 'c.breakdown', 'c.currency_scope', 'c.transformation', 'c.prices') }} as series_id,
        {{ period_key('c.period_start', 'c.period_end') }} as period_key,
        {{ scaled('c.mantissa', 'c.exponent') }} as obs_value,
        {{ printed_lower('c.mantissa', 'c.exponent', 'c.qualifier', 'c.width') }} as lower,
        {{ printed_upper('c.mantissa', 'c.exponent', 'c.qualifier', 'c.width') }} as upper
    from {{ ref('int_cells_judged') }} as c
    where c.refusal is null
),

-- Who is responsible for an indicator of an area, spelled out once per pair.
pairs as (
    select distinct f.indicator, f.ref_area, i.theme, a.area_type
    from figures as f
    inner join {{ ref('cl_indicators') }} as i using (indicator)
    inner join {{ ref('cl_areas') }} as a using (ref_area)
),

responsible as (
    select p.indicator, p.ref_area, r.publisher,
        min(coalesce(r.valid_from, {{ beginning() }})) as valid_from, max(coalesce(r.valid_to, {{ forever() }})) as valid_to
    from pairs as p
    inner join {{ ref('responsible_publishers') }} as r
        on r.theme in ('*', p.theme) and r.indicator in ('*', p.indicator)
        and r.ref_area in ('*', p.ref_area, 'type:' || p.area_type)
    group by all
),

-- Publication × indicator × area: whose print it is.
standing as (
    select
        x.publication_id, x.source_id, x.indicator, x.ref_area,
        min(own.valid_from) as own_from, max(own.valid_to) as own_to,
        min(r.valid_from) as quoted_from, max(r.valid_to) as quoted_to
    from (select distinct publication_id, source_id, indicator, ref_area from figures) as x
    inner join {{ ref('cl_indicators') }} as i on i.indicator = x.indicator
    inner join {{ ref('stg_publications') }} as p on p.publication_id = x.publication_id and p.source_id = x.source_id
    left join responsible as own
        on own.indicator = x.indicator and own.ref_area = x.ref_area and own.publisher = p.publisher
    left join {{ ref('quotations') }} as q
        on q.publication_id = x.publication_id and q.theme in ('*', i.theme) and q.indicator in ('*', x.indicator)
    left join responsible as r
        on r.indicator = x.indicator and r.ref_area = x.ref_area and r.publisher = q.publisher
    group by all
),

-- Stages: printed in the figure's own row first, then the curated row that says most.
stage_rows as (
    select f.print_no, s.stage, s.census_round, s.basis,
        row_number() over (
            partition by f.print_no order by (s.ref_area = '*'), (s.indicator = '*'), s.period_from desc nulls last
        ) as choice
    from figures as f
    inner join {{ ref('stages') }} as s
        on s.publication_id = f.publication_id
        and s.ref_area in ('*', f.ref_area)
        and (s.indicator = f.indicator or (s.indicator = '*' and f.census_revised))
        and f.period_end between coalesce(s.period_from, {{ beginning() }}) and coalesce(s.period_to, {{ forever() }})
    where f.transformation = 'N'
),

-- What the tables' own notes say of the census round on which they stand.
noted as (
    select publication_id, source_id, census_round, year_from, year_to, stage
    from {{ ref('int_note_breaks') }}
),

placed as (
    select
        f.*,
        -- responsibility has dates: what counts is who was responsible for the period
        coalesce(f.period_end >= st.own_from and f.period_end < st.own_to, false) as is_own,
        coalesce(f.period_end >= st.quoted_from and f.period_end < st.quoted_to, false) as is_quotation
    from figures as f
    left join standing as st
        on st.publication_id = f.publication_id and st.source_id = f.source_id and st.indicator = f.indicator and st.ref_area = f.ref_area
),

-- A curated row goes before a note. From the first year that a note names on, the table stands on its round; before, it can't be told.
noted_prints as (
    select
        f.print_no,
        max(n.census_round) filter (where year(f.period_end) >= n.year_from) as census_round,
        coalesce(bool_or(year(f.period_end) between n.year_from and n.year_to), false) as in_years,
        max(n.stage) as stage
    from figures as f
    inner join noted as n on n.publication_id = f.publication_id and n.source_id = f.source_id
    anti join stage_rows as s on s.print_no = f.print_no
    where f.census_revised and f.transformation = 'N'
    group by f.print_no
)

select
    f.print_no, f.cell_no, f.part, f.source_id, f.publication_id, f.sheet, f.cell, f.reference,
    f.series_id, f.period_key, f.ref_area, f.indicator, f.breakdown, f.currency_scope, f.transformation, f.prices,
    f.period_start, f.period_end,
    f.obs_value, f.lower, f.upper,
    coalesce(f.lower, {{ no_lower() }}) as lo,
    coalesce(f.upper, {{ no_upper() }}) as hi,
    coalesce(f.upper - f.lower, {{ no_upper() }}) as width,
    f.decimals, f.qualifier,
    f.is_own or f.is_quotation as is_official,
    f.is_own,
    p.fidelity, p.trust, p.publisher,
    -- nobody knows an observation before its period has ended; an estimate may be known earlier
    case
        when (f.marks & {{ mark('estimate') }}) > 0 then p.known_by
        when p.known_by is not null then greatest(p.known_by, f.period_end)
    end as known_by,
    case when p.known_by is null then null else p.known_by_basis end as known_by_basis,
    case
        when (f.marks & {{ mark('estimate') }}) > 0 then p.known_after
        else greatest(coalesce(p.known_after, f.period_end), f.period_end)
    end as known_after,
    case when p.known_after > f.period_end then p.known_after_basis else 'period' end as known_after_basis,
    p.recorded_at, p.table_id,
    coalesce(l.stage, s.stage, case when n.in_years then n.stage end) as stage,
    case when l.stage is not null or (s.stage is null and n.in_years) then 'printed' else s.basis end as stage_basis,
    coalesce(try_cast(s.census_round as integer), n.census_round) as census_round,
    coalesce(s.census_round = 'unknown', n.census_round is null and n.print_no is not null, false) as census_round_unknown,
    coalesce(f.census_revised and f.transformation = 'N', false) as has_basis,
    f.marks
    | (case when not (f.is_own or f.is_quotation) then {{ mark('claim') }} else 0 end)
    | (case when f.is_quotation and not f.is_own then {{ mark('quotation') }} else 0 end)
    | (case when l.stage is null and s.basis = 'inferred' then {{ mark('stage_inferred') }} else 0 end)
    | (case when n.census_round is not null then {{ mark('basis_noted') }} else 0 end) as marks
from placed as f
inner join {{ ref('stg_publications') }} as p on p.publication_id = f.publication_id and p.source_id = f.source_id
left join stage_rows as s on s.print_no = f.print_no and s.choice = 1
left join noted_prints as n on n.print_no = f.print_no
left join {{ ref('stage_labels') }} as l on l.label = f.stage_text and f.transformation = 'N'
