-- Every accepted figure in narrow keys, and what it did: represent a vintage, agree, fit several, contradict. `printed_cells` puts the
-- names and the cell's words to it.
select
    v.vintage_id,
    -- a coarser print that was public first stands for a step of its own
    e.vintage_id as coarse_vintage_id,
    p.series_id::ubigint as series_id, p.period_key::bigint as period_key, p.cell_no::bigint as cell_no,
    case
        when r.best_print_no = p.print_no and m.relation in ('represents', 'contradicts') then m.relation
        when m.relation in ('represents', 'agrees') then 'agrees'
        else m.relation
    end as relation,
    p.is_official, p.obs_value, p.lower, p.upper, p.known_by, p.stage::varchar as stage, p.marks::integer as marks
from {{ ref('int_prints') }} as p
inner join {{ ref('int_readings') }} as r on r.reading_no = p.reading_no
inner join {{ ref('int_reading_vintages') }} as m on m.reading_no = p.reading_no
left join {{ ref('int_vintages') }} as v on v.vintage_reading_no = m.vintage_reading_no and v.step = 1
left join {{ ref('int_vintages') }} as e on e.reading_no = p.reading_no and e.step = 0
