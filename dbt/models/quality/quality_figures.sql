-- What the rules look at: every printed vintage, and every claim that contradicts one. `judged_as` is the stage by which severity goes; `is_alone` says that
-- nobody says anything else of the figure. In narrow keys: names are those of quality_series and quality_periods, for the rows that need them.
-- The preferred print is the latest, but for few figures: only those are asked of facts.
with exceptions as (
    select vintage_id from {{ ref('facts') }} where is_preferred <> is_latest
),

shown as (
    select
        v.vintage_reading_no as reading_no, v.print_no, v.series_id, v.period_key, v.vintage_no::integer as vintage_no, v.obs_value, v.lower, v.upper, v.decimals, v.qualifier,
        v.publication_id, v.stage, v.census_basis, v.is_official, v.known_by,
        (v.valid_to = {{ forever() }}) <> (v.vintage_id in (select vintage_id from exceptions)) as is_current,
        v.vintage_no = 1 and v.valid_to = {{ forever() }} as is_only_vintage
    from {{ ref('int_vintages') }} as v
    where v.step = 1
),

-- few, of all readings
contradictory as (
    select reading_no from {{ ref('int_reading_exceptions') }} where relation = 'contradicts'
),

unused as (
    select reading_no from contradictory
    except
    select vintage_reading_no from {{ ref('int_vintages') }} where step = 1 and vintage_reading_no in (select reading_no from contradictory)
),

contradicting as (
    select
        r.reading_no, p.print_no, r.series_id, r.period_key, null::integer as vintage_no, p.obs_value, p.lower, p.upper, p.decimals, p.qualifier,
        p.publication_id, p.stage, case when p.has_basis then -1 end as census_basis, false as is_official, r.known_by, false as is_current, false as is_only_vintage
    from unused as u
    inner join {{ ref('int_readings') }} as r on r.reading_no = u.reading_no
    inner join {{ ref('int_prints') }} as p on p.print_no = r.best_print_no
),

figures as (
    select * from shown
    union all
    select * from contradicting
),

-- Vintages count from 1, and the last of them is in force for ever: only a claim can stand beside the one that is both. Claims are few.
claimed as (
    select series_id, period_key from {{ ref('int_vintages') }} where step = 1 and vintage_no = 0
    union
    select series_id, period_key from contradicting
)

select
    f.* exclude (qualifier, stage, is_only_vintage), s.is_level,
    coalesce(f.stage, case when f.is_official then 'unstaged' else 'claim' end) as judged_as,
    -- figures in force that are no open bounds: what is compared with its neighbours in time
    f.is_current and coalesce(f.qualifier, '') in ('', 'about') as is_compared,
    -- digits that a chance agreement would have to share
    round(abs(f.obs_value) * pow(10.0, f.decimals)) >= 1000 and coalesce(f.qualifier, '') = '' as is_telling,
    f.is_only_vintage and c.series_id is null as is_alone
from figures as f
inner join {{ ref('quality_series') }} as s on s.series_id = f.series_id
left join claimed as c on c.series_id = f.series_id and c.period_key = f.period_key
