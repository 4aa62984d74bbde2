-- Every accepted figure in narrow keys, and what it did: represent a vintage, agree, fit several, contradict. `printed_cells` puts the
-- names and the cell's words to it.
with read as (
    select
        p.*,
        -- nearly every print is alone in its reading
        coalesce(r.best_print_no, p.print_no) = p.print_no as is_best,
        {{ reading_relation('e') }} as reading_relation,
        {{ vintage_reading_no('p.reading_no', 'e') }} as vintage_reading_no
    from {{ ref('int_prints') }} as p
    left join {{ ref('int_repeated_readings') }} as r on r.reading_no = p.reading_no
    left join {{ ref('int_reading_exceptions') }} as e on e.reading_no = p.reading_no
)

select
    v.vintage_id,
    -- a coarser print that was public first stands for a step of its own
    s.vintage_id as coarse_vintage_id,
    p.series_id::ubigint as series_id, p.period_key::bigint as period_key, p.cell_no::bigint as cell_no,
    case
        when p.is_best and p.reading_relation in ('represents', 'contradicts') then p.reading_relation
        when p.reading_relation in ('represents', 'agrees') then 'agrees'
        else p.reading_relation
    end as relation,
    p.is_official, p.obs_value, p.lower, p.upper, p.known_by, p.stage::varchar as stage, p.marks::integer as marks
from read as p
left join {{ ref('int_vintages') }} as v on v.vintage_reading_no = p.vintage_reading_no and v.step = 1
left join {{ ref('int_vintages') }} as s on s.reading_no = p.reading_no and s.step = 0
