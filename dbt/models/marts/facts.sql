-- Every vintage, printed and derived, in keys, numbers and days, and with what is in force today. The one big table of a release;
-- `observation_vintages` puts the names to it.
--
-- Each later vintage of a figure ends the one before, so the latest is the one without an end (`validity_without_overlap` holds this).
-- By `vintage_rank` the preferred one of either origin is the latest, too, unless the latest is second best: only for such figures,
-- which are few, are ranks compared.
{% set is_latest = 'valid_to = ' ~ forever() %}
{% set day = day_sequence('valid_from') %}
{% set preferred_print = 'case when c.printed_sequence is null then v.' ~ is_latest ~ ' else v.sequence = c.printed_sequence end' %}
{% set preferred_result = 'case when c.derived_sequence is null then d.' ~ is_latest ~ ' else ' ~ day_sequence('d.valid_from') ~ ' = c.derived_sequence end' %}
with contested as (
    select series_id, period_key from {{ ref('int_vintages') }} where {{ is_latest }} and {{ second_best() }}
    union
    select series_id, period_key from {{ ref('int_derived') }} where {{ is_latest }} and {{ second_best() }}
),

chosen as (
    select series_id, period_key, max(printed_sequence) as printed_sequence, max(derived_sequence) as derived_sequence
    from (
        select v.series_id, v.period_key, {{ sequence_of('max(' ~ vintage_rank('sequence', second_best(), 0) ~ ')') }} as printed_sequence, null as derived_sequence
        from {{ ref('int_vintages') }} as v
        semi join contested as c on c.series_id = v.series_id and c.period_key = v.period_key
        group by all
        union all
        select d.series_id, d.period_key, null, {{ sequence_of('max(' ~ vintage_rank(day, second_best(), 0) ~ ')') }}
        from {{ ref('int_derived') }} as d
        semi join contested as c on c.series_id = d.series_id and c.period_key = d.period_key
        group by all
    )
    group by series_id, period_key
),

-- The headline of the two preferred figures: a responsible publisher's print, else ours, else what there is. So ours gives way to every
-- responsible print, and to a claim where we have no value; only claims have to ask whether we have one.
preferred_prints as (
    select v.series_id, v.period_key, v.vintage_id, v.is_official as is_responsible
    from {{ ref('int_vintages') }} as v
    left join chosen as c on c.series_id = v.series_id and c.period_key = v.period_key
    where {{ preferred_print }}
),

outdone_claims as (
    select p.vintage_id
    from preferred_prints as p
    inner join {{ ref('int_derived') }} as d on d.series_id = p.series_id and d.period_key = p.period_key
    left join chosen as c on c.series_id = d.series_id and c.period_key = d.period_key
    where not p.is_responsible and d.obs_value is not null
        and {{ preferred_result }}
),

-- Most results never change. Of those that do, the latest is counted after the earlier ones, and three of these are told apart by the first and
-- the last of the days on which they came into force. Only what changes oftener has to be put in order.
changed as (
    select series_id, period_key, min(valid_from) as first_day, max(valid_from) as last_day, count(*) as changes
    from {{ ref('int_derived') }}
    where not {{ is_latest }}
    group by series_id, period_key
),

in_between as (
    select d.vintage_id, row_number() over (partition by d.series_id, d.period_key order by d.valid_from) as vintage_no
    from {{ ref('int_derived') }} as d
    semi join (select series_id, period_key from changed where changes > 3) as c on c.series_id = d.series_id and c.period_key = d.period_key
    where not d.{{ is_latest }}
),

printed as (
    select
        v.vintage_id, v.series_id, v.period_key, {{ attributes_id('printed', printed_attributes()) }} as attributes_id, v.sequence, v.vintage_no,
        v.obs_value, v.lower, v.upper, v.known_after, v.known_by, v.recorded_at, v.valid_from, v.valid_to, null::ubigint[] as inputs,
        v.{{ is_latest }} as is_latest,
        {{ preferred_print }} as is_preferred,
        {{ preferred_print }} and o.vintage_id is null as is_headline
    from {{ ref('int_vintages') }} as v
    left join chosen as c on c.series_id = v.series_id and c.period_key = v.period_key
    left join outdone_claims as o on o.vintage_id = v.vintage_id
),

derived as (
    select
        d.vintage_id, d.series_id, d.period_key, {{ attributes_id('derived', derived_attributes()) }} as attributes_id,
        {{ day_sequence('d.valid_from') }} as sequence,
        case
            when d.{{ is_latest }} then coalesce(h.changes, 0) + 1
            when d.valid_from = h.first_day then 1
            when d.valid_from = h.last_day then h.changes
            when h.changes = 3 then 2
            else b.vintage_no
        end as vintage_no,
        d.obs_value, d.lower, d.upper, d.known_after, case when d.is_dated then d.valid_from end as known_by, d.recorded_at,
        d.valid_from, d.valid_to, d.inputs,
        d.{{ is_latest }} as is_latest,
        {{ preferred_result }} as is_preferred,
        {{ preferred_result }}
            and (p.vintage_id is null or (not p.is_responsible and d.obs_value is not null)) as is_headline
    from {{ ref('int_derived') }} as d
    left join chosen as c on c.series_id = d.series_id and c.period_key = d.period_key
    left join preferred_prints as p on p.series_id = d.series_id and p.period_key = d.period_key
    left join changed as h on h.series_id = d.series_id and h.period_key = d.period_key
    left join in_between as b on b.vintage_id = d.vintage_id
)

{% for origin in ['printed', 'derived'] %}
select
    vintage_id::ubigint as vintage_id, series_id::ubigint as series_id, period_key::bigint as period_key, attributes_id::ubigint as attributes_id,
    sequence::bigint as sequence, vintage_no::integer as vintage_no,
    obs_value::double as obs_value, lower::double as lower, upper::double as upper,
    known_after, known_by, recorded_at, valid_from, valid_to, inputs,
    is_latest, is_preferred, is_headline
from {{ origin }}
{{ 'union all' if not loop.last }}
{% endfor %}
