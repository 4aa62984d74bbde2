-- Base vintages in order, each with its days, stage, census basis and the span of days in which it is the figure in force.
-- `vintage_no` counts 1, 2, …; 0 is a claim that was the best to be had before a responsible print. `step` 0 is a coarser print
-- of the same vintage that was public first, 1 the vintage itself.
with stages(stage, stage_rank) as (
    values ('first', 1), ('final', 2), ('census', 3)
),

vintage_prints as (
    select m.vintage_reading_no, m.relation, p.*, s.stage_rank
    from {{ ref('int_prints') }} as p
    inner join {{ ref('int_readings') }} as r
        on r.series_id = p.series_id and r.period_key = p.period_key and r.lo = p.lo and r.hi = p.hi
    inner join {{ ref('int_reading_vintages') }} as m on m.reading_no = r.reading_no
    left join stages as s on s.stage = p.stage
    where p.stage is not null or p.census_round is not null or p.census_round_unknown
),

-- The earliest stage that prints a value is its stage; a later one confirms it.
vintage_stages as (
    select
        vintage_reading_no,
        min(stage_rank) as stage_rank,
        arg_min(stage, stage_rank) as stage,
        arg_min(stage_basis, (stage_rank, stage_basis <> 'printed')) as stage_basis,
        arg_min(census_round, (stage_rank, census_round is null, -census_round)) as census_round,
        arg_min(census_round_unknown, (stage_rank, not census_round_unknown)) as census_round_unknown
    from vintage_prints
    where is_official
    group by vintage_reading_no
),

heads as (
    select
        r.*,
        p.obs_value, p.lower, p.upper, p.decimals, p.qualifier, p.publication_id, p.has_basis, p.marks, p.period_end, p.is_official as best_is_official,
        s.stage, s.stage_rank, s.stage_basis, s.census_round, coalesce(s.census_round_unknown, false) as census_round_unknown,
        bool_or(p.is_official) over (partition by r.series_id, r.period_key) as has_official,
        count(*) over (partition by r.series_id, r.period_key) as siblings
    from {{ ref('int_readings') }} as r
    inner join {{ ref('int_reading_vintages') }} as m on m.reading_no = r.reading_no and m.relation in ('represents', 'contradicts')
    inner join {{ ref('int_prints') }} as p on p.print_no = r.best_print_no
    left join vintage_stages as s on s.vintage_reading_no = r.reading_no
),

-- A vintage is dated by the earliest print at least as precise as the value shown, whoever printed it.
precise as (
    select
        h.reading_no,
        min(r.known_by) as known_by,
        arg_min(r.known_by_basis, (coalesce(r.known_by, {{ forever() }}), r.width, r.lo)) as known_by_basis,
        arg_min(r.first_publication_id, (coalesce(r.known_by, {{ forever() }}), r.width, r.lo)) as first_publication_id,
        min(r.known_after) as known_after,
        arg_min(r.known_after_basis, (r.known_after, r.width, r.lo)) as known_after_basis,
        min(r.recorded_at) as recorded_at
    from heads as h
    inner join {{ ref('int_reading_vintages') }} as m on m.vintage_reading_no = h.reading_no
    inner join {{ ref('int_readings') }} as r on r.reading_no = m.reading_no and r.width <= h.width * (1 + 1e-9)
    where h.siblings > 1 or h.prints >= 1
    group by h.reading_no
),

-- The day on which a copy of the same table still lacked the figure.
copies as (
    select distinct table_id, publication_id, known_by, known_by_basis
    from {{ ref('stg_publications') }}
    where table_id is not null and known_by is not null
),

in_table as (
    select distinct m.vintage_reading_no, p.table_id, p.publication_id
    from {{ ref('int_prints') }} as p
    inner join {{ ref('int_readings') }} as r
        on r.series_id = p.series_id and r.period_key = p.period_key and r.lo = p.lo and r.hi = p.hi
    inner join {{ ref('int_reading_vintages') }} as m on m.reading_no = r.reading_no
    where p.table_id is not null and m.vintage_reading_no is not null
),

lacking as (
    select t.vintage_reading_no, max(c.known_by) as known_after, arg_max(c.known_by_basis, (c.known_by, c.known_by_basis)) as known_after_basis
    from (select distinct vintage_reading_no, table_id from in_table) as t
    inner join precise as d on d.reading_no = t.vintage_reading_no
    inner join copies as c on c.table_id = t.table_id and c.known_by < d.known_by
    anti join in_table as has on has.vintage_reading_no = t.vintage_reading_no and has.publication_id = c.publication_id
    group by t.vintage_reading_no
),

dated as (
    select
        h.* exclude (known_by, known_by_basis, first_publication_id, known_after, known_after_basis, recorded_at),
        d.known_by, d.known_by_basis, d.first_publication_id, d.recorded_at,
        case when l.known_after > d.known_after then l.known_after else d.known_after end as known_after,
        case when l.known_after > d.known_after then l.known_after_basis else d.known_after_basis end as known_after_basis
    from heads as h
    inner join precise as d using (reading_no)
    left join lacking as l on l.vintage_reading_no = h.reading_no
),

-- What was superseded by a day was public by that day.
bounded as (
    select v.reading_no, min(w.known_by) as superseded_by
    from dated as v
    inner join dated as w
        on w.series_id = v.series_id and w.period_key = v.period_key and w.reading_no <> v.reading_no
        and (
            (w.stage_rank > v.stage_rank and coalesce(w.census_round, v.census_round, 0) >= coalesce(v.census_round, w.census_round, 0))
            or (w.stage_rank = 3 and v.stage_rank = 3 and w.census_round > v.census_round)
        )
    where v.siblings > 1
    group by v.reading_no
),

days as (
    select
        v.* replace (
            case when b.superseded_by < v.known_by or v.known_by is null then coalesce(b.superseded_by, v.known_by) else v.known_by end as known_by,
            case when b.superseded_by < v.known_by or (v.known_by is null and b.superseded_by is not null) then 'stage' else v.known_by_basis end as known_by_basis,
            v.marks
            | (case when b.superseded_by < v.known_by or (v.known_by is null and b.superseded_by is not null) then {{ mark('date_by_stage') }} else 0 end) as marks
        )
    from dated as v
    left join bounded as b using (reading_no)
),

-- Claims stand behind every responsible print; among themselves the better standing comes later, then the day.
ranked as (
    select
        d.*,
        case when has_official then is_official end as tier,
        min(case when is_official then coalesce(known_by, {{ beginning() }}) end) over (partition by series_id, period_key) as first_official,
        row_number() over (
            partition by series_id, period_key
            order by
                (is_official or not has_official),
                case when is_official then 0 else standing end,
                coalesce(known_by, {{ beginning() }}),
                coalesce(census_round, 0) * (stage_rank = 3)::integer,
                coalesce(stage_rank, 9),
                width, lo
        ) as place
    from days as d
),

used as (
    select *
    from ranked
    where is_official or not has_official or known_by < first_official
),

numbered as (
    select
        *,
        case when is_official or not has_official
            then row_number() over (partition by series_id, period_key, (is_official or not has_official) order by place)
            else 0 end as vintage_no
    from used
),

-- Coarser prints of a vintage, public before its exact one: each in its turn, the most precise yet.
earlier as (
    select
        n.reading_no as vintage_reading_no, n.vintage_no, n.place, r.reading_no, r.best_print_no, r.width, r.known_by, r.known_by_basis,
        r.first_publication_id, r.known_after, r.known_after_basis, r.recorded_at,
        min(r.width) over (
            partition by n.reading_no order by r.known_by, r.width rows between unbounded preceding and 1 preceding
        ) as narrowest_before
    from numbered as n
    inner join {{ ref('int_reading_vintages') }} as m on m.vintage_reading_no = n.reading_no and m.relation = 'agrees'
    inner join {{ ref('int_readings') }} as r on r.reading_no = m.reading_no
    where r.known_by < coalesce(n.known_by, {{ forever() }}) and r.width > n.width * (1 + 1e-9)
        -- a claim may stand before the first vintage, never push a responsible print aside
        and (r.is_official or n.vintage_no = 1)
),

steps as (
    select
        series_id, period_key, reading_no as vintage_reading_no, reading_no, vintage_no, place, 1 as step,
        obs_value, lower, upper, decimals, qualifier, publication_id, first_publication_id,
        known_by, known_by_basis, known_after, known_after_basis, recorded_at,
        stage, stage_rank, stage_basis, census_round, census_round_unknown, has_basis, is_official, marks
    from numbered
    union all
    select
        n.series_id, n.period_key, n.reading_no, e.reading_no, n.vintage_no, n.place, 0,
        p.obs_value, p.lower, p.upper, p.decimals, p.qualifier, p.publication_id, e.first_publication_id,
        e.known_by, e.known_by_basis, e.known_after, e.known_after_basis, e.recorded_at,
        n.stage, n.stage_rank, n.stage_basis, n.census_round, n.census_round_unknown, n.has_basis, n.is_official, p.marks | {{ mark('coarse') }}
    from earlier as e
    inner join numbered as n on n.reading_no = e.vintage_reading_no
    inner join {{ ref('int_prints') }} as p on p.print_no = e.best_print_no
    where e.narrowest_before is null or e.width < e.narrowest_before
),

-- By dates: a figure public before any copy showed a round stands on the round before; between the last day without and the
-- first day with it, it can't be told.
rounds as (
    select
        census_round,
        try_cast(first_seen as date) as first_seen,
        coalesce(try_cast(known_after as date), try_cast(first_seen as date)) as known_after,
        years_from
    from {{ ref('census_rounds') }}
),

bases as (
    select
        d.known_by,
        max(r.census_round) filter (where r.first_seen <= d.known_by) as certain,
        max(r.census_round) filter (where r.known_after < d.known_by or r.first_seen <= d.known_by) as possible
    from (select distinct known_by from steps where has_basis and census_round is null and known_by is not null) as d
    cross join rounds as r
    group by d.known_by
),

-- In force from the day it is known until anything later in the order is: whatever comes later in the order is better.
chained as (
    select
        s.*,
        coalesce(s.known_by, {{ beginning() }}) as valid_from,
        min(coalesce(s.known_by, {{ beginning() }})) over (later rows between 1 following and unbounded following) as overtaken,
        s.place * 1000000 + row_number() over later as sequence
    from steps as s
    window later as (partition by s.series_id, s.period_key order by s.place, s.step, s.known_by)
),

based as (
    select
        c.* exclude (overtaken),
        greatest(c.valid_from, coalesce(c.overtaken, {{ forever() }})) as valid_to,
        -- null: no census basis to speak of; -1: can't be told
        case
            when not c.has_basis then null
            when c.census_round is not null then c.census_round
            when c.census_round_unknown then -1
            when b.certain = b.possible then b.certain
            else -1
        end as census_basis
    from chained as c
    left join bases as b on b.known_by = c.known_by
)

select
    hash(series_id, period_key, 'printed', obs_value, lower, upper, step) as vintage_id,
    * exclude (has_basis, census_round, census_round_unknown, marks),
    marks
    | (case when census_basis = -1 then {{ mark('basis_unknown') }} else 0 end)
    | (case when known_by is null then {{ mark('undated') }} else 0 end) as marks
from based
