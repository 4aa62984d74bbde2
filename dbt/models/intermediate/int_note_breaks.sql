-- Notes under a table that say for which years it stands on a census round: patterns are a seed, the years are the note's own.
with found as (
    select
        f.publication_id, f.source_id, p.stage,
        strpos('一二三四五六七八九', regexp_extract(n.text, p.round_pattern, 1)) as census_round,
        try_cast(regexp_extract(n.text, p.years_pattern, 1) as integer) as year_from,
        try_cast(nullif(regexp_extract(n.text, p.years_pattern, 2), '') as integer) as year_to
    from {{ source('ledger', 'notes') }} as n
    inner join {{ source('ledger', 'files') }} as f using (file)
    inner join {{ ref('note_patterns') }} as p on regexp_matches(n.text, p.pattern)
    where n.kind = 'note'
)

select publication_id, source_id, stage, census_round, year_from, coalesce(year_to, year_from) as year_to
from found
where census_round > 0 and year_from is not null
