-- Accepted figures with their keys, intervals, publisher's standing, stage and days. One row a printed figure.
with figures as (
    select
        c.*,
        {{ print_no('c.cell_no', 'c.part') }} as print_no,
        {{ series_id('c.ref_area', 'c.indicator', 'c.breakdown', 'c.currency_scope', 'c.transformation', 'c.prices') }} as series_id,
        {{ period_key('c.period_start', 'c.period_end') }} as period_key,
        {{ scaled('c.mantissa', 'c.exponent') }} as obs_value,
        {{ printed_lower('c.mantissa', 'c.exponent', 'c.qualifier', 'c.width') }} as lower,
        {{ printed_upper('c.mantissa', 'c.exponent', 'c.qualifier', 'c.width') }} as upper
    from {{ ref('int_cells_judged') }} as c
    where c.refusal is null
),

-- Whose figures a publication counts as quoting.
quoted as (
    select q.publication_id, r.indicator, r.ref_area, min(r.valid_from) as valid_from, max(r.valid_to) as valid_to
    from {{ ref('quotations') }} as q
    inner join {{ ref('int_responsible') }} as r
        on r.publisher = q.publisher and q.theme in ('*', r.theme) and q.indicator in ('*', r.indicator)
    group by all
),

-- Stages: printed in the figure's own row first, then the curated row that says most: the one of least precedence.
curated as (
    select
        publication_id, ref_area, indicator, stage, census_round, basis,
        coalesce(period_from, {{ beginning() }}) as period_from, coalesce(period_to, {{ forever() }}) as period_to,
        row_number() over (order by (ref_area = '*'), (indicator = '*'), period_from desc nulls last, stage, census_round) as precedence
    from {{ ref('stages') }}
),

staged as (
    select {{ print_no('f.cell_no', 'f.part') }} as print_no, min(s.precedence) as precedence
    from {{ ref('int_cells_judged') }} as f
    inner join curated as s
        on s.publication_id = f.publication_id
        and s.ref_area in ('*', f.ref_area)
        and (s.indicator = f.indicator or (s.indicator = '*' and f.census_revised))
        and f.period_end between s.period_from and s.period_to
    where f.refusal is null and f.transformation = 'N'
    group by 1
),

-- What the tables' own notes say of the census round on which they stand. A curated row goes before a note. From the first year that
-- a note names on, the table stands on its round; before, it can't be told.
noted as (
    select
        {{ print_no('f.cell_no', 'f.part') }} as print_no,
        max(n.census_round) filter (where year(f.period_end) >= n.year_from) as census_round,
        coalesce(bool_or(year(f.period_end) between n.year_from and n.year_to), false) as in_years,
        max(n.stage) as stage
    from {{ ref('int_cells_judged') }} as f
    inner join {{ ref('int_note_breaks') }} as n on n.publication_id = f.publication_id and n.source_id = f.source_id
    anti join staged as s on s.print_no = {{ print_no('f.cell_no', 'f.part') }}
    where f.refusal is null and f.census_revised and f.transformation = 'N'
    group by 1
),

placed as (
    select
        f.*,
        p.fidelity, p.trust, p.publisher, p.known_by as published_by, p.known_by_basis as published_by_basis,
        p.known_after as published_after, p.known_after_basis as published_after_basis, p.recorded_at, p.table_id,
        -- responsibility has dates: what counts is who was responsible for the period
        coalesce(f.period_end >= o.valid_from and f.period_end < o.valid_to, false) as is_own,
        coalesce(f.period_end >= q.valid_from and f.period_end < q.valid_to, false) as is_quotation
    from figures as f
    inner join {{ ref('stg_publications') }} as p on p.publication_id = f.publication_id and p.source_id = f.source_id
    left join {{ ref('int_responsible') }} as o on o.indicator = f.indicator and o.ref_area = f.ref_area and o.publisher = p.publisher
    left join quoted as q on q.publication_id = f.publication_id and q.indicator = f.indicator and q.ref_area = f.ref_area
)

select
    f.print_no, f.cell_no, f.publication_id, f.series_id, f.period_key, f.period_start, f.period_end,
    f.obs_value, f.lower, f.upper,
    coalesce(f.lower, {{ no_lower() }}) as lo,
    coalesce(f.upper, {{ no_upper() }}) as hi,
    {{ reading_no('f.series_id', 'f.period_key', 'f.lower', 'f.upper') }} as reading_no,
    coalesce(f.upper - f.lower, {{ no_upper() }}) as width,
    f.decimals, f.qualifier,
    f.is_own or f.is_quotation as is_official,
    f.is_own,
    f.fidelity, f.trust,
    -- nobody knows an observation before its period has ended; an estimate may be known earlier
    case
        when (f.marks & {{ mark('estimate') }}) > 0 then f.published_by
        when f.published_by is not null then greatest(f.published_by, f.period_end)
    end as known_by,
    case when f.published_by is not null then f.published_by_basis end as known_by_basis,
    case
        when (f.marks & {{ mark('estimate') }}) > 0 then f.published_after
        else greatest(coalesce(f.published_after, f.period_end), f.period_end)
    end as known_after,
    case when f.published_after > f.period_end then f.published_after_basis else 'period' end as known_after_basis,
    f.recorded_at, f.table_id,
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
left join staged as c on c.print_no = f.print_no
left join curated as s on s.precedence = c.precedence
left join noted as n on n.print_no = f.print_no
left join {{ ref('stage_labels') }} as l on l.label = case when f.transformation = 'N' then f.stage_text end
