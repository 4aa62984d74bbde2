-- What somebody not responsible prints, beside what the responsible publisher does.
select
    c.ref_area, c.indicator, c.breakdown, c.currency_scope, c.transformation, c.prices, t.freq, t.time_period, c.period_start, c.period_end,
    c.obs_value, c.lower, c.upper, c.relation,
    -- the vintage it agrees with, or else the responsible publisher's figure in force
    coalesce(v.obs_value, o.obs_value) as vintage_value, coalesce(v.vintage_no, o.vintage_no)::integer as vintage_no, c.vintage_id,
    coalesce(v.vintage_reading_no is not null and not v.is_official, false) as is_used,
    c.publication_id, p.publisher, p.carrier, p.fidelity, c.known_by, c.file, c.sheet, c.cell, c.value_text
from {{ ref('printed_cells') }} as c
inner join {{ ref('stg_publications') }} as p on p.publication_id = c.publication_id
inner join {{ ref('time_periods') }} as t on t.period_key = {{ period_key('c.period_start', 'c.period_end') }}
left join {{ ref('int_vintages') }} as v on v.vintage_id = c.vintage_id
left join {{ ref('int_vintages') }} as o
    on o.series_id = {{ series_id('c.ref_area', 'c.indicator', 'c.breakdown', 'c.currency_scope', 'c.transformation', 'c.prices') }}
    and o.period_key = t.period_key and o.valid_to = {{ forever() }} and o.is_official
where not c.is_official
