-- Base vintages in order, each with its days, stage, census basis and the span of days in which it is the figure in force.
-- `vintage_no` counts 1, 2, …; 0 is a claim that was the best to be had before a responsible print. `step` 0 is a coarser print
-- of the same vintage that was public first, 1 the vintage itself.
-- Vintages are put in order by narrow rows of keys and days; what else they say is joined once their order is known.
with stages(stage, stage_rank) as (
    values ('first', 1), ('final', 2), ('census', 3)
),

-- Most vintages rest on one print and say what it says: the earliest, the most precise, the first stage of one is that one. Only what
-- rests on several readings, or on a reading that is printed several times, has anything to be chosen.
gathered as (
    select vintage_reading_no as reading_no from {{ ref('int_reading_vintages') }} where relation = 'agrees'
    union
    select reading_no from {{ ref('int_readings') }} where prints > 1
),

-- Readings that represent nothing.
subordinate as (
    select reading_no from {{ ref('int_reading_vintages') }} where relation in ('agrees', 'ambiguous')
),

members as (
    select m.vintage_reading_no, m.relation, r.*
    from {{ ref('int_reading_vintages') }} as m
    semi join gathered as g on g.reading_no = m.vintage_reading_no
    inner join {{ ref('int_readings') }} as r on r.reading_no = m.reading_no
),

-- The earliest stage that prints a value is its stage; a later one confirms it.
gathered_stages as (
    select
        m.vintage_reading_no,
        min(s.stage_rank) as stage_rank,
        arg_min(p.stage_basis, (s.stage_rank, p.stage_basis <> 'printed')) as stage_basis,
        arg_min(p.census_round, (s.stage_rank, p.census_round is null, -p.census_round)) as census_round,
        arg_min(p.census_round_unknown, (s.stage_rank, not p.census_round_unknown)) as census_round_unknown
    from members as m
    inner join {{ ref('int_prints') }} as p on p.reading_no = m.reading_no
    left join stages as s on s.stage = p.stage
    where p.is_official and (p.stage is not null or p.census_round is not null or p.census_round_unknown)
    group by m.vintage_reading_no
),

-- A vintage is dated by the earliest print at least as precise as the value shown, whoever printed it.
gathered_days as (
    select
        h.reading_no,
        min(r.known_by) as known_by,
        arg_min(r.known_by_basis, (coalesce(r.known_by, {{ forever() }}), r.width, r.lo)) as known_by_basis,
        arg_min(r.first_publication_id, (coalesce(r.known_by, {{ forever() }}), r.width, r.lo)) as first_publication_id,
        min(r.known_after) as known_after,
        arg_min(r.known_after_basis, (r.known_after, r.width, r.lo)) as known_after_basis,
        min(r.recorded_at) as recorded_at
    from members as h
    inner join members as r on r.vintage_reading_no = h.reading_no and r.width <= h.width * (1 + 1e-9)
    where h.reading_no = h.vintage_reading_no
    group by h.reading_no
),

heads as (
    select
        p.reading_no, p.series_id, p.period_key, p.lo, p.width, p.is_official, p.trust * 10 + p.fidelity as standing, p.known_by,
        s.stage_rank, case when p.is_official then p.census_round end as census_round, false as is_gathered
    from {{ ref('int_prints') }} as p
    anti join gathered as g on g.reading_no = p.reading_no
    anti join subordinate as b on b.reading_no = p.reading_no
    left join stages as s on s.stage = case when p.is_official then p.stage end
    union all
    select
        m.reading_no, m.series_id, m.period_key, m.lo, m.width, m.is_official, m.standing, d.known_by,
        s.stage_rank, s.census_round, true
    from members as m
    inner join gathered_days as d on d.reading_no = m.reading_no
    left join gathered_stages as s on s.vintage_reading_no = m.reading_no
    where m.reading_no = m.vintage_reading_no
),

-- Figures that have more than one vintage. A single one has nothing with which to be put in order.
crowded as (
    select series_id, period_key, bool_or(is_official) as has_official
    from heads
    group by series_id, period_key
    having count(*) > 1
),

several as (
    select h.*, c.has_official
    from heads as h
    inner join crowded as c on c.series_id = h.series_id and c.period_key = h.period_key
),

alone as (
    select h.*
    from heads as h
    anti join crowded as c on c.series_id = h.series_id and c.period_key = h.period_key
),

-- What was superseded by a day was public by that day.
bounded as (
    select v.reading_no, min(w.known_by) as superseded_by
    from several as v
    inner join several as w
        on w.series_id = v.series_id and w.period_key = v.period_key and w.reading_no <> v.reading_no
        and (
            (w.stage_rank > v.stage_rank and coalesce(w.census_round, v.census_round, 0) >= coalesce(v.census_round, w.census_round, 0))
            or (w.stage_rank = 3 and v.stage_rank = 3 and w.census_round > v.census_round)
        )
    where v.stage_rank is not null and w.stage_rank is not null
    group by v.reading_no
),

days as (
    select
        v.* exclude (known_by),
        case when v.known_by is null or b.superseded_by < v.known_by then b.superseded_by else v.known_by end as known_by,
        b.superseded_by is not null and coalesce(b.superseded_by < v.known_by, true) as is_bounded
    from several as v
    left join bounded as b on b.reading_no = v.reading_no
),

-- Claims stand behind every responsible print; among themselves the better standing comes later, then the day.
ranked as (
    select
        *,
        is_official or not has_official as is_counted,
        min(case when is_official then coalesce(known_by, {{ beginning() }}) end) over figure as first_official,
        count(*) filter (where has_official and not is_official) over figure as claims,
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
    from days
    window figure as (partition by series_id, period_key)
),

numbered as (
    select
        reading_no, series_id, period_key, width, is_gathered, known_by, is_bounded, place,
        case when is_counted then place - claims else 0 end as vintage_no
    from ranked
    where is_counted or known_by < first_official
    union all
    select reading_no, series_id, period_key, width, is_gathered, known_by, false, 1, 1
    from alone
    where is_gathered
),

-- Coarser prints of a vintage, public before its exact one: each in its turn, the most precise yet.
earlier as (
    select
        n.reading_no as vintage_reading_no, n.series_id, n.period_key, n.vintage_no, n.place, m.reading_no, m.known_by, m.width,
        min(m.width) over (
            partition by n.reading_no order by m.known_by, m.width rows between unbounded preceding and 1 preceding
        ) as narrowest_before
    from members as m
    inner join numbered as n on n.reading_no = m.vintage_reading_no
    where m.relation = 'agrees' and m.known_by < coalesce(n.known_by, {{ forever() }}) and m.width > n.width * (1 + 1e-9)
        -- a claim may stand before the first vintage, never push a responsible print aside
        and (m.is_official or n.vintage_no = 1)
),

steps as (
    select series_id, period_key, reading_no as vintage_reading_no, reading_no, is_gathered, vintage_no, place, 1 as step, known_by, is_bounded
    from numbered
    union all
    select series_id, period_key, vintage_reading_no, reading_no, true, vintage_no, place, 0, known_by, false
    from earlier
    where narrowest_before is null or width < narrowest_before
),

-- In force from the day it is known until anything later in the order is: whatever comes later in the order is better. The only print of a
-- figure is overtaken by nothing.
chained as (
    select
        *,
        coalesce(known_by, {{ beginning() }}) as valid_from,
        min(coalesce(known_by, {{ beginning() }})) over (later rows between 1 following and unbounded following) as overtaken,
        place * 1000000 + row_number() over later as sequence
    from steps
    window later as (partition by series_id, period_key order by place, step, known_by)
    union all
    select
        series_id, period_key, reading_no, reading_no, false, 1, 1, 1, known_by, false,
        coalesce(known_by, {{ beginning() }}), null, 1000001
    from alone
    where not is_gathered
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
    inner join {{ ref('int_reading_vintages') }} as m on m.reading_no = p.reading_no
    where p.table_id is not null and m.vintage_reading_no is not null
),

lacking as (
    select t.vintage_reading_no, max(c.known_by) as known_after, arg_max(c.known_by_basis, (c.known_by, c.known_by_basis)) as known_after_basis
    from (select distinct vintage_reading_no, table_id from in_table) as t
    inner join heads as h on h.reading_no = t.vintage_reading_no
    inner join copies as c on c.table_id = t.table_id and c.known_by < h.known_by
    anti join in_table as has on has.vintage_reading_no = t.vintage_reading_no and has.publication_id = c.publication_id
    group by t.vintage_reading_no
),

-- What each step says besides its place.
told as (
    select
        c.*, p.print_no, p.obs_value, p.lower, p.upper, p.decimals, p.qualifier, p.publication_id, p.publication_id as first_publication_id,
        p.known_by_basis, p.known_after, p.known_after_basis, p.recorded_at, case when p.is_official then p.stage end as stage,
        case when p.is_official and (p.stage is not null or p.census_round is not null or p.census_round_unknown) then p.stage_basis end as stage_basis,
        case when p.is_official then p.census_round end as census_round,
        p.is_official and p.census_round_unknown as census_round_unknown,
        p.has_basis, p.is_official, p.marks
    from {{ ref('int_prints') }} as p
    inner join chained as c on c.reading_no = p.reading_no and not c.is_gathered
    union all
    select
        c.*, p.print_no, p.obs_value, p.lower, p.upper, p.decimals, p.qualifier, p.publication_id,
        case when c.step = 1 then d.first_publication_id else m.first_publication_id end,
        case when c.step = 1 then d.known_by_basis else m.known_by_basis end,
        case when c.step = 1 then d.known_after else m.known_after end,
        case when c.step = 1 then d.known_after_basis else m.known_after_basis end,
        case when c.step = 1 then d.recorded_at else m.recorded_at end,
        n.stage, s.stage_basis, s.census_round, coalesce(s.census_round_unknown, false),
        h.has_basis, v.is_official, p.marks | (case when c.step = 0 then {{ mark('coarse') }} else 0 end)
    from chained as c
    inner join members as m on m.reading_no = c.reading_no
    inner join members as v on v.reading_no = c.vintage_reading_no
    inner join gathered_days as d on d.reading_no = c.vintage_reading_no
    inner join {{ ref('int_prints') }} as p on p.print_no = m.best_print_no
    inner join {{ ref('int_prints') }} as h on h.print_no = v.best_print_no
    left join gathered_stages as s on s.vintage_reading_no = c.vintage_reading_no
    left join stages as n on n.stage_rank = s.stage_rank
    where c.is_gathered
),

-- By dates: a figure public before any copy showed a round stands on the round before; between the last day without and the
-- first day with it, it can't be told.
rounds as (
    select
        census_round,
        try_cast(first_seen as date) as first_seen,
        coalesce(try_cast(known_after as date), try_cast(first_seen as date)) as known_after
    from {{ ref('census_rounds') }}
),

bases as (
    select
        d.known_by,
        max(r.census_round) filter (where r.first_seen <= d.known_by) as certain,
        max(r.census_round) filter (where r.known_after < d.known_by or r.first_seen <= d.known_by) as possible
    from (select distinct known_by from chained where known_by is not null) as d
    cross join rounds as r
    group by d.known_by
),

based as (
    select
        t.* exclude (is_gathered, overtaken, known_by_basis, known_after, known_after_basis),
        greatest(t.valid_from, coalesce(t.overtaken, {{ forever() }})) as valid_to,
        case when t.is_bounded then 'stage' else t.known_by_basis end as known_by_basis,
        case when l.known_after > t.known_after then l.known_after else t.known_after end as known_after,
        case when l.known_after > t.known_after then l.known_after_basis else t.known_after_basis end as known_after_basis,
        -- null: no census basis to speak of; -1: can't be told
        case
            when not t.has_basis then null
            when t.census_round is not null then t.census_round
            when t.census_round_unknown then -1
            when b.certain = b.possible then b.certain
            else -1
        end as census_basis
    from told as t
    left join bases as b on b.known_by = t.known_by
    left join lacking as l on l.vintage_reading_no = t.vintage_reading_no and t.step = 1
)

select
    hash(series_id, period_key, 'printed', obs_value, lower, upper, step) as vintage_id,
    * exclude (place, is_bounded, has_basis, census_round, census_round_unknown, marks),
    marks
    | (case when is_bounded then {{ mark('date_by_stage') }} else 0 end)
    | (case when census_basis = -1 then {{ mark('basis_unknown') }} else 0 end)
    | (case when known_by is null then {{ mark('undated') }} else 0 end) as marks
from based
