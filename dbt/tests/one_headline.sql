-- (check, key) rows: what readers take as "the" figure is the wrong one or is several. Figures are named by one of their vintages; that an
-- origin has one latest and one preferred is counted where its vintages are put in order, in `validity_without_overlap`.
with mixed_preferred as (
    select f.vintage_id, f.series_id, f.period_key, a.origin
    from {{ ref('facts') }} as f
    inner join {{ ref('vintage_attributes') }} as a on a.attributes_id = f.attributes_id and a.census_basis = -2
    where f.is_preferred
),

headlines as not materialized (
    select f.series_id, f.period_key, f.vintage_id, a.origin
    from {{ ref('facts') }} as f
    inner join {{ ref('vintage_attributes') }} as a on a.attributes_id = f.attributes_id
    where f.is_headline
),

faults as (
    select series_id, period_key, vintage_id, 'headline_not_preferred' as fault
    from {{ ref('facts') }}
    where is_headline and not is_preferred
    union all
    -- ours and claims stand behind a responsible publisher's print
    select f.series_id, f.period_key, f.vintage_id, 'headline_not_official'
    from {{ ref('facts') }} as f
    inner join {{ ref('vintage_attributes') }} as a on a.attributes_id = f.attributes_id and a.origin = 'printed' and a.is_official
    where f.is_preferred and not f.is_headline
    union all
    -- a figure on mixed census rounds is shown, never preferred while a same-basis one exists
    select distinct m.series_id, m.period_key, m.vintage_id, 'mixed_preferred'
    from mixed_preferred as m
    inner join {{ ref('facts') }} as f on f.series_id = m.series_id and f.period_key = m.period_key and f.obs_value is not null
    inner join {{ ref('vintage_attributes') }} as a
        on a.attributes_id = f.attributes_id and a.origin = m.origin and coalesce(a.census_basis, 0) <> -2
    union all
    -- two of one origin are two preferred, or one that is not: what is left is a headline of either origin
    select d.series_id, d.period_key, d.vintage_id, 'headlines'
    from headlines as d
    semi join headlines as p on p.series_id = d.series_id and p.period_key = d.period_key and p.origin = 'printed'
    where d.origin = 'derived'
)

select f.fault,
    concat_ws('/', s.ref_area, s.indicator, s.breakdown, s.currency_scope, s.transformation, s.prices, p.period_start, p.period_end, f.vintage_id) as fault_key
from faults as f
inner join {{ ref('series') }} as s on s.series_id = f.series_id
inner join {{ ref('time_periods') }} as p on p.period_key = f.period_key
