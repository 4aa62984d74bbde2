-- Readings that are no vintage of their own. Readings whose intervals overlap are one vintage, represented by the most precise that
-- a responsible publisher prints (or that anybody does, where no responsible one prints the figure at all). A coarse reading that
-- fits several vintages belongs to none; a claim that fits none contradicts. All others represent a vintage.
with readings as (
    select reading_no, series_id, period_key, lo, hi, width, is_official from {{ ref('int_readings') }}
),

figures as (
    select series_id, period_key, bool_or(is_official) as has_official
    from readings
    group by series_id, period_key
    having count(*) > 1
),

several as (
    select r.*, r.is_official or not f.has_official as is_candidate
    from readings as r
    inner join figures as f on f.series_id = r.series_id and f.period_key = r.period_key
),

-- Readings of one figure whose intervals overlap, in both directions. Joined on equal keys and then sifted: an anti join on anything
-- but equality would compare everything with everything.
overlapping as (
    select
        a.reading_no, b.reading_no as other_no,
        a.is_candidate and b.is_candidate and (b.width < a.width or (b.width = a.width and b.lo < a.lo)) as is_narrower
    from several as a
    inner join several as b on b.series_id = a.series_id and b.period_key = a.period_key and b.reading_no <> a.reading_no
    where {{ overlaps('a.lo', 'a.hi', 'b.lo', 'b.hi') }}
),

touched as (
    select s.reading_no, s.is_candidate
    from several as s
    semi join overlapping as o on o.reading_no = s.reading_no
),

-- Pairs of candidates of one figure, the narrower one second.
behind as (
    select reading_no, other_no as narrower_no from overlapping where is_narrower
),

-- First the readings that no narrower candidate overlaps …
narrowest as (
    select t.reading_no from touched as t
    anti join behind as b on b.reading_no = t.reading_no
    where t.is_candidate
),

-- … then those that overlap a narrower candidate, but none of the chosen ones.
leftover as (
    select distinct b.reading_no
    from behind as b
    anti join (select c.reading_no from behind as c semi join narrowest as n on n.reading_no = c.narrower_no) as covered
        on covered.reading_no = b.reading_no
),

representatives as (
    select reading_no from narrowest
    union all
    select l.reading_no
    from leftover as l
    anti join (
        select b.reading_no from behind as b semi join leftover as q on q.reading_no = b.narrower_no
    ) as later on later.reading_no = l.reading_no
),

-- A representative fits itself; any other reading fits those that it overlaps.
fits as (
    select t.reading_no, count(r.reading_no) as fitting, min(r.reading_no) as vintage_reading_no
    from touched as t
    inner join overlapping as o on o.reading_no = t.reading_no
    left join representatives as r on r.reading_no = o.other_no
    anti join representatives as self on self.reading_no = t.reading_no
    group by t.reading_no
)

-- a claim that overlaps nothing fits nothing
select s.reading_no, s.reading_no as vintage_reading_no, 'contradicts' as relation
from several as s
anti join overlapping as o on o.reading_no = s.reading_no
where not s.is_candidate
union all
select
    reading_no,
    case when fitting = 0 then reading_no when fitting = 1 then vintage_reading_no end,
    case when fitting = 1 then 'agrees' when fitting > 1 then 'ambiguous' else 'contradicts' end
from fits
