{{ config(materialized='view') }}
-- Every accepted figure at its address, and what it did: `prints` with the names of their keys, and the words of the cell. A view, so that
-- names and words are stored once.
select
    p.vintage_id, p.coarse_vintage_id,
    s.ref_area, s.indicator, s.breakdown, s.currency_scope, s.transformation, s.prices, t.period_start, t.period_end,
    p.relation, p.is_official, p.obs_value, p.lower, p.upper,
    c.value_text, c.label_text, c.part_of, c.area_text, c.unit_text, c.period_text,
    c.publication_id, c.file, c.sheet, c.cell, c.reference, p.known_by, p.stage, m.marks
from {{ ref('prints').include(database=false) }} as p
inner join {{ ref('cells').include(database=false) }} as c on c.cell_no = p.cell_no
inner join {{ ref('series').include(database=false) }} as s on s.series_id = p.series_id
inner join {{ ref('time_periods').include(database=false) }} as t on t.period_key = p.period_key
inner join {{ ref('mark_sets').include(database=false) }} as m on m.bits = p.marks
