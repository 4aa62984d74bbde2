-- Which vintage each reading belongs to. Readings whose intervals overlap are one vintage, represented by the most precise that
-- a responsible publisher prints (or that anybody does, where no responsible one prints the figure at all). A coarse reading that
-- fits several vintages belongs to none; a claim that fits none contradicts.
with readings as (
    select
        *,
        count(*) over (partition by series_id, period_key) as siblings,
        bool_or(is_official) over (partition by series_id, period_key) as has_official
    from {{ ref('int_readings') }}
),

alone as (
    select reading_no, reading_no as vintage_reading_no, 'represents' as relation
    from readings
    where siblings = 1
),

several as (
    select * from readings where siblings > 1
),

candidates as (
    select * from several where is_official or not has_official
),

-- Pairs of candidates of one figure whose intervals overlap, the narrower one first. Joined on equal keys and then sifted: an anti
-- join on anything but equality would compare everything with everything.
overlapping as (
    select narrow.reading_no as narrow_no, wide.reading_no as wide_no
    from candidates as wide
    inner join candidates as narrow
        on narrow.series_id = wide.series_id and narrow.period_key = wide.period_key
    where (narrow.width < wide.width or (narrow.width = wide.width and narrow.lo < wide.lo))
        and {{ overlaps('narrow.lo', 'narrow.hi', 'wide.lo', 'wide.hi') }}
),

-- First the readings that no narrower candidate overlaps …
narrowest as (
    select c.reading_no from candidates as c anti join overlapping as o on o.wide_no = c.reading_no
),

-- … then those that overlap a narrower candidate, but none of the chosen ones.
leftover as (
    select distinct o.wide_no as reading_no
    from overlapping as o
    anti join (select c.wide_no from overlapping as c semi join narrowest as n on n.reading_no = c.narrow_no) as covered
        on covered.wide_no = o.wide_no
),

representatives as (
    select s.* from several as s
    semi join (
        select reading_no from narrowest
        union all
        select l.reading_no
        from leftover as l
        anti join (
            select o.wide_no from overlapping as o semi join leftover as q on q.reading_no = o.narrow_no
        ) as behind on behind.wide_no = l.reading_no
    ) as chosen on chosen.reading_no = s.reading_no
),

-- A representative fits itself; any other reading fits those that it overlaps.
fitting as (
    select
        s.reading_no, r.reading_no as vintage_reading_no
    from several as s
    inner join representatives as r on r.series_id = s.series_id and r.period_key = s.period_key
    where r.reading_no = s.reading_no or {{ overlaps('r.lo', 'r.hi', 's.lo', 's.hi') }}
),

fits as (
    select
        s.reading_no,
        count(f.vintage_reading_no) as fitting,
        min(f.vintage_reading_no) as vintage_reading_no,
        coalesce(bool_or(f.vintage_reading_no = s.reading_no), false) as is_representative
    from several as s
    left join fitting as f on f.reading_no = s.reading_no
    group by s.reading_no
)

select * from alone
union all
select
    reading_no,
    case when is_representative or fitting = 0 then reading_no when fitting = 1 then vintage_reading_no end,
    case
        when is_representative then 'represents'
        when fitting = 1 then 'agrees'
        when fitting > 1 then 'ambiguous'
        else 'contradicts'
    end
from fits
