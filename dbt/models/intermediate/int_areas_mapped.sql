-- A printed area of a source, at the end of a period → the area that bore the name then. A name that only one area ever bore
-- is taken outside that area's dates too, and marked; codes are reused, names tell them apart.
with printed as (
    select distinct source_id, area_key, period_end from {{ ref('stg_cells') }} where period_end is not null
),

names as (
    select '*' as source_id, regexp_replace(name_zh, '\s', '', 'g') as name, ref_area, valid_from, valid_to
    from {{ ref('cl_areas') }}
    union
    select '*', regexp_replace(name_en, '\s', '', 'g'), ref_area, valid_from, valid_to from {{ ref('cl_areas') }}
    union
    select n.source_id, regexp_replace(n.name, '\s', '', 'g'), n.ref_area,
        coalesce(n.valid_from, a.valid_from), coalesce(n.valid_to, a.valid_to)
    from {{ ref('cl_area_names') }} as n
    inner join {{ ref('cl_areas') }} as a using (ref_area)
),

candidates as (
    select
        p.*,
        n.ref_area,
        p.period_end >= coalesce(n.valid_from, {{ beginning() }}) and p.period_end < coalesce(n.valid_to, {{ forever() }}) as in_force,
        count(distinct n.ref_area) over (partition by p.source_id, p.area_key, p.period_end) as bearers,
        row_number() over (
            partition by p.source_id, p.area_key, p.period_end
            order by
                (p.period_end >= coalesce(n.valid_from, {{ beginning() }}) and p.period_end < coalesce(n.valid_to, {{ forever() }})) desc,
                (n.source_id = '*'), n.ref_area
        ) as choice
    from printed as p
    inner join names as n on n.name = p.area_key and n.source_id in (p.source_id, '*')
)

select source_id, area_key, period_end, ref_area, not in_force as outside_validity
from candidates
where choice = 1 and (in_force or bearers = 1)
