-- What the plans want watched and is not there: planned indicator × area × period, when it was last seen, and whom to ask.
with horizon as (
    -- the last day of which the ledger knows anything: a period that ended later is not yet due
    select max(known_by) as today from {{ ref('stg_publications') }}
),

wanted as (
    select c.indicator, coalesce(m.ref_area, c.ref_area_or_group) as ref_area, c.freq, left(c.first_period, 4)::integer as first_year,
        c.responsible_publisher, c.note, m.valid_from, m.valid_to
    from {{ ref('planned_coverage') }} as c
    left join {{ ref('cl_area_group_members') }} as m on m.group_id = c.ref_area_or_group
),

periods as (
    select w.* exclude (valid_from, valid_to), last_day(make_date(y.year, q.month, 1)) as period_end,
        case when w.freq = 'A' then y.year::varchar else y.year || '-Q' || (q.month // 3) end as time_period
    from wanted as w
    cross join horizon as h
    inner join (select unnest(generate_series(1990, 2100)) as year) as y on y.year >= w.first_year
    inner join (values (3), (6), (9), (12)) as q(month) on q.month = 12 or w.freq = 'Q'
    where last_day(make_date(y.year, q.month, 1)) < h.today
        and last_day(make_date(y.year, q.month, 1)) >= coalesce(w.valid_from, {{ beginning() }})
        and last_day(make_date(y.year, q.month, 1)) < coalesce(w.valid_to, {{ forever() }})
    -- a December wanted of the year and of the quarter is one gap
    qualify row_number() over (partition by w.indicator, ref_area, last_day(make_date(y.year, q.month, 1)) order by w.freq) = 1
),

-- What the plans and the terms of their formulas ask after; which figures there are is asked of those series alone.
asked_after as (
    select indicator from wanted
    union
    select t.indicator from {{ ref('formula_terms') }} as t
    inner join {{ ref('formulas') }} as f using (formula_id)
    where f.indicator in (select indicator from wanted)
),

present as (
    select distinct s.indicator, s.ref_area, t.period_end
    from {{ ref('facts') }} as f
    inner join {{ ref('series') }} as s on s.series_id = f.series_id
    inner join {{ ref('time_periods') }} as t on t.period_key = f.period_key
    where s.transformation = 'N' and s.breakdown = '_T' and s.indicator in (select indicator from asked_after)
        and f.obs_value is not null and (f.is_latest or f.is_preferred)
        and (t.period_start is null or t.freq <> 'A' or year(t.period_start) = year(t.period_end))
),

last_seen as (
    select indicator, ref_area, max(period_end) as last_seen from present group by all
),

-- For a formula, the input that is missing is the reason.
missing_inputs as (
    select p.indicator, p.ref_area, p.period_end,
        array_to_string(list_sort(list(distinct t.indicator || case when t.area_scope = 'parent' then ' (' || a.parent || ')' else '' end)), ', ') as missing
    from periods as p
    inner join {{ ref('formulas') }} as f on f.indicator = p.indicator
    inner join {{ ref('formula_terms') }} as t on t.formula_id = f.formula_id and t.area_scope in ('self', 'parent')
    inner join {{ ref('cl_areas') }} as a on a.ref_area = p.ref_area
    anti join present as x
        on x.indicator = t.indicator and x.period_end = p.period_end
        and x.ref_area = case when t.area_scope = 'parent' then a.parent else p.ref_area end
    group by all
)

select
    p.indicator, i.name_zh as indicator_name_zh, i.name_en as indicator_name_en,
    p.ref_area, a.name_zh as area_name_zh, a.name_en as area_name_en, p.freq, p.time_period, p.period_end,
    case when l.last_seen is null then 'never seen' when l.last_seen < p.period_end then 'not since' else 'hole' end as gap,
    l.last_seen, m.missing as missing_inputs,
    p.responsible_publisher, u.name_zh as ask_zh, u.name_en as ask_en, p.note
from periods as p
inner join {{ ref('cl_indicators') }} as i using (indicator)
inner join {{ ref('cl_areas') }} as a using (ref_area)
anti join present as x on x.indicator = p.indicator and x.ref_area = p.ref_area and x.period_end = p.period_end
left join last_seen as l on l.indicator = p.indicator and l.ref_area = p.ref_area
left join missing_inputs as m on m.indicator = p.indicator and m.ref_area = p.ref_area and m.period_end = p.period_end
left join {{ ref('publishers') }} as u on u.publisher = p.responsible_publisher
