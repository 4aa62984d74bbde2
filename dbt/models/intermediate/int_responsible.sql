-- Who is responsible for an indicator of an area, spelled out once per pair that is printed. A table of its own, so that it is known to be
-- small where a million prints ask it.
with pairs as (
    select f.indicator, f.ref_area, i.theme, a.area_type
    from (select distinct indicator, ref_area from {{ ref('int_cells_judged') }} where refusal is null) as f
    inner join {{ ref('cl_indicators') }} as i using (indicator)
    inner join {{ ref('cl_areas') }} as a using (ref_area)
)

select
    p.indicator, p.ref_area, p.theme, r.publisher,
    min(coalesce(r.valid_from, {{ beginning() }})) as valid_from, max(coalesce(r.valid_to, {{ forever() }})) as valid_to
from pairs as p
inner join {{ ref('responsible_publishers') }} as r
    on r.theme in ('*', p.theme) and r.indicator in ('*', p.indicator)
    and r.ref_area in ('*', p.ref_area, 'type:' || p.area_type)
group by p.indicator, p.ref_area, p.theme, r.publisher
