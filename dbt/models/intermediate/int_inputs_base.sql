-- Printed vintages as inputs of formulas, each with the days in which it is in force. A figure without a printed currency scope
-- joins nothing, unless a row of `assumptions` lets it stand for one that is not printed; that is marked on every result.
with vintages as (
    select
        vintage_id, series_id, period_key, valid_from, valid_to, obs_value, lower, upper, census_basis, marks,
        known_by is not null as is_dated, known_after, recorded_at, publication_id
    from {{ ref('int_vintages') }}
    where valid_from < valid_to
),

-- Whose figure a publication carries: its own publisher's, and those it counts as a print of.
voices as (
    select publication_id, publisher from {{ ref('stg_publications') }}
    union
    select publication_id, publisher from {{ ref('quotations') }}
),

assumed as (
    select distinct
        v.* replace (
            {{ series_id('s.ref_area', 's.indicator', 's.breakdown', 'a.to_value', 's.transformation', 's.prices') }} as series_id,
            v.marks | {{ mark('scope_assumed') }} as marks
        )
    from vintages as v
    inner join {{ ref('int_series') }} as s on s.series_id = v.series_id and s.currency_scope = '_U'
    inner join (
        select distinct indicator, ref_area, publisher, from_value, to_value, coalesce(valid_until, {{ forever() }}) as valid_until
        from {{ ref('assumptions') }}
        where kind = 'scope'
    ) as a
        on a.indicator = s.indicator and a.from_value = s.currency_scope and a.ref_area in ('*', s.ref_area)
        and a.valid_until >= v.valid_from
    inner join voices as w on w.publication_id = v.publication_id and a.publisher in ('*', w.publisher)
)

select * exclude (publication_id) from vintages
union all
select a.* exclude (publication_id)
from assumed as a
anti join vintages as v on v.series_id = a.series_id and v.period_key = a.period_key
