{{ config(materialized='table_macro', parameters='indicator_code, area, period, as_of_date := null') }}
-- A figure with everything it was computed from, down to the cells that print it. `area` is a ref_area or an area code (the area
-- that bore it then); `period` a time_period label. One row a step and printed cell; `depth` 0 is the figure itself.
with recursive chosen as (
    select v.vintage_id
    from {{ ref('observation_vintages') }} as v
    inner join {{ ref('areas') }} as a on a.ref_area = v.ref_area
    where v.indicator = indicator_code
        and v.time_period = period::varchar
        and (
            v.ref_area = area::varchar
            or (v.area_code = area::varchar
                and v.period_end >= coalesce(a.valid_from, {{ beginning() }}) and v.period_end < coalesce(a.valid_to, {{ forever() }}))
        )
        and (
            (as_of_date is null and v.is_current)
            -- one rule for what was in force on a day: as_of's, asked of this indicator alone
            or v.vintage_id in (select k.vintage_id from {{ ref('as_of') }}(as_of_date) as k where k.indicator = indicator_code)
        )
),

steps as (
    select c.vintage_id, 0 as depth, [c.vintage_id] as path from chosen as c
    union all
    select s.input_id, s.depth + 1, list_append(s.path, s.input_id)
    from (
        select p.depth, p.path, unnest(f.inputs) as input_id
        from steps as p
        inner join {{ ref('facts') }} as f on f.vintage_id = p.vintage_id
        where p.depth < 6
    ) as s
),

-- a print may stand for a coarse step of its own besides its vintage: two joins on equal ids rather than one on either
cells as (
    select v.vintage_id as step_id, c.*
    from (select distinct vintage_id from steps) as v
    inner join {{ ref('printed_cells') }} as c on c.vintage_id = v.vintage_id
    union all
    select v.vintage_id, c.*
    from (select distinct vintage_id from steps) as v
    inner join {{ ref('printed_cells') }} as c on c.coarse_vintage_id = v.vintage_id
)

select
    s.depth, s.path, v.ref_area, v.indicator, v.breakdown, v.currency_scope, v.transformation, v.prices, v.origin, v.time_period, v.coverage,
    v.obs_value, v.lower, v.upper, v.unit_measure, v.unit_mult, v.stage, v.stage_basis, v.census_basis, v.is_headline, v.is_preferred,
    v.known_after, v.known_by, v.known_by_basis, v.formula_id, v.marks, v.vintage_id,
    c.publication_id, c.relation, c.file, c.sheet, c.cell, c.value_text, c.unit_text
from steps as s
inner join {{ ref('observation_vintages') }} as v on v.vintage_id = s.vintage_id
left join cells as c on c.step_id = v.vintage_id and v.origin = 'printed'
order by s.path, c.relation desc, c.known_by
