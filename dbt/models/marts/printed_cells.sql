-- Every accepted figure at its address, and what it did: represent a vintage, agree, fit several, contradict.
select
    v.vintage_id,
    -- a coarser print that was public first stands for a step of its own
    e.vintage_id as coarse_vintage_id,
    p.ref_area, p.indicator, p.breakdown, p.currency_scope, p.transformation, p.prices, p.period_start, p.period_end,
    case
        when r.best_print_no = p.print_no and m.relation in ('represents', 'contradicts') then m.relation
        when m.relation in ('represents', 'agrees') then 'agrees'
        else m.relation
    end as relation,
    p.is_official, p.obs_value, p.lower, p.upper,
    j.value_text, c.label_text, c.part_of, c.area_text, c.unit_text, c.period_text,
    p.publication_id, c.file, p.sheet, p.cell, p.reference, p.known_by, p.stage,
    k.marks
from {{ ref('int_prints') }} as p
inner join {{ ref('int_readings') }} as r
    on r.series_id = p.series_id and r.period_key = p.period_key and r.lo = p.lo and r.hi = p.hi
inner join {{ ref('int_reading_vintages') }} as m on m.reading_no = r.reading_no
inner join {{ ref('stg_cells') }} as c on c.cell_no = p.cell_no
inner join {{ ref('int_cells_judged') }} as j on j.cell_no = p.cell_no and j.part = p.part
inner join {{ ref('mark_sets') }} as k on k.bits = p.marks
left join {{ ref('int_vintages') }} as v on v.vintage_reading_no = m.vintage_reading_no and v.step = 1
left join {{ ref('int_vintages') }} as e on e.reading_no = r.reading_no and e.step = 0
