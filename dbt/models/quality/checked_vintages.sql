-- Vintages of one figure and what others say of it: how far a revision goes, what a later copy left out, who contradicts the publisher.
with rounds as (
    select p.period_key, try_cast(r.first_seen as date) as first_seen
    from {{ ref('census_rounds') }} as r
    inner join {{ ref('quality_periods') }} as p on p.year between r.years_from and r.years_to
),

-- Vintages of a responsible publisher count from 1 without a gap: each beside the one before it.
official as (
    select reading_no, series_id, period_key, vintage_no, obs_value, lower, upper, census_basis, known_by, judged_as
    from {{ ref('quality_figures') }}
    where not is_alone and is_official and is_level and vintage_no >= 1
),

revised as (
    select
        v.*, o.reading_no as old_no, o.obs_value as old_value, o.lower as old_lower, o.upper as old_upper, o.census_basis as old_basis, o.known_by as old_known_by,
        s.indicator, s.census_revised, s.kind = 'ratio' and s.unit_measure in ('PC', 'PM') as is_rate
    from official as v
    inner join official as o on o.series_id = v.series_id and o.period_key = v.period_key and o.vintage_no = v.vintage_no - 1
    inner join {{ ref('quality_series') }} as s on s.series_id = v.series_id
),

-- A revision is a census's where the stage says so, where the two stand on different rounds, or where a round that reaches the year was first
-- seen between them and nothing says which round either stands on.
between_rounds as (
    select distinct v.reading_no
    from revised as v
    inner join rounds as r on r.period_key = v.period_key and r.first_seen <= v.known_by and coalesce(v.old_known_by < r.first_seen, true)
    where v.census_revised and (v.census_basis = -1 or v.old_basis = -1)
),

classed as (
    select
        v.*,
        case when (v.census_basis > v.old_basis and v.old_basis > 0) or b.reading_no is not null then 'census' else v.judged_as end as class,
        case when v.is_rate then v.obs_value - v.old_value else 100 * (v.obs_value / nullif(v.old_value, 0) - 1) end as size
    from revised as v
    left join between_rounds as b on b.reading_no = v.reading_no
),

sized as (
    select
        v.*, l.value as bound,
        case
            when {{ meet('v.lower', 'v.upper', 'v.old_lower', 'v.old_upper') }} then 'consistent'
            when v.size is null then 'uninformative'
            when abs(v.size) > l.value and abs(v.obs_value - v.old_value) > coalesce(l.absolute_floor, 0) then 'inconsistent'
            when v.class = 'census' then 'explained'
            else 'consistent'
        end as answer
    from classed as v
    inner join {{ ref('quality_limits') }} as l
        on l.rule_id = 'revision' and l.indicator = v.indicator and l.parameter = v.class || case when v.is_rate then '_points' else '_percent' end
),

revision_tests as (
    select
        'revision' as rule_id, v.answer,
        v.series_id, v.period_key, f.print_no, 'v' || o.publication_id as partner, f.publication_id, v.vintage_no, v.class as judged_as, v.obs_value as observed,
        v.old_value as expected,
        case when v.is_rate then v.old_value - v.bound else v.old_value - abs(v.old_value) * v.bound / 100 end as lower,
        case when v.is_rate then v.old_value + v.bound else v.old_value + abs(v.old_value) * v.bound / 100 end as upper,
        abs(v.size) / v.bound as score,
        o.publication_id || ': ' || v.old_value || ' → ' || f.publication_id || ': ' || v.obs_value || ' (' || round(v.size, 2) || case when v.is_rate then ' pp)' else '%)' end as detail,
        v.old_value || ' → ' || v.obs_value as values_seen
    from sized as v
    inner join {{ ref('quality_figures') }} as f on f.reading_no = v.reading_no
    inner join {{ ref('quality_figures') }} as o on o.reading_no = v.old_no
    where v.answer = 'inconsistent'
),

-- Copies of one table: what an earlier copy shows and the next leaves out, though it shows periods before and after it.
copies as (
    select distinct p.table_id, p.publication_id, u.known_by
    from {{ ref('int_prints') }} as p
    inner join {{ ref('stg_publications') }} as u on u.publication_id = p.publication_id and u.known_by is not null
    where p.table_id is not null
),

next_copies as (
    select table_id, publication_id, lead(publication_id) over (partition by table_id order by known_by, publication_id) as next_publication
    from copies
),

in_copies as (
    select p.print_no, p.series_id, p.period_key, p.period_end, n.next_publication
    from {{ ref('int_prints') }} as p
    inner join next_copies as n on n.table_id = p.table_id and n.publication_id = p.publication_id and n.next_publication is not null
),

reach as (
    select publication_id, series_id, min(period_end) as first_end, max(period_end) as last_end
    from {{ ref('int_prints') }}
    where table_id is not null
    group by all
),

shown_again as (
    select distinct publication_id, series_id, period_key from {{ ref('int_prints') }} where table_id is not null
),

shown_or_not as (
    select
        i.print_no, i.next_publication,
        case
            when c.publication_id is null then 'not_comparable'
            when a.series_id is not null then 'consistent'
            else 'inconsistent'
        end as answer
    from in_copies as i
    left join reach as c on c.publication_id = i.next_publication and c.series_id = i.series_id and i.period_end between c.first_end and c.last_end
    left join shown_again as a on a.publication_id = i.next_publication and a.series_id = i.series_id and a.period_key = i.period_key
),

vanished_tests as (
    select
        'vanished' as rule_id, v.answer,
        p.series_id, p.period_key, p.print_no, v.next_publication as partner, p.publication_id, coalesce(p.stage, case when p.is_official then 'unstaged' else 'claim' end) as judged_as,
        p.obs_value as observed, 1.0 as score, p.publication_id || ' → ' || v.next_publication as detail, p.obs_value::varchar as values_seen
    from shown_or_not as v
    inner join {{ ref('int_prints') }} as p on p.print_no = v.print_no
    where v.answer = 'inconsistent'
),

-- A file that went from its folder keeps its figures; somebody should say whether it ought to.
vanished_files as (
    select
        'vanished' as rule_id, 'inconsistent' as answer, f.file as partner, f.publication_id, 'unstaged' as judged_as, f.numbers::double as observed,
        1.0 as score, f.file || ' (' || f.vanished_at || ')' as detail, f.sha256 as values_seen
    from {{ source('ledger', 'files') }} as f
    where coalesce(f.vanished_at, '') <> ''
),

claims as (
    select f.reading_no, f.series_id, f.period_key, f.obs_value, f.lower, f.upper, f.census_basis, s.indicator, s.census_revised, s.is_level
    from {{ ref('quality_figures') }} as f
    inner join {{ ref('quality_series') }} as s on s.series_id = f.series_id
    where not f.is_alone and not f.is_official
),

-- Everything that is said of those figures; few.
said as (
    select f.reading_no, f.series_id, f.period_key, f.obs_value, f.lower, f.upper, f.census_basis, f.publication_id, f.is_official, f.is_current
    from {{ ref('quality_figures') }} as f
    semi join claims as c on c.series_id = f.series_id and c.period_key = f.period_key
),

-- A claim against the responsible publisher's vintages; where nobody responsible prints the figure, against the claim that stands for it.
against as (
    select
        c.reading_no, c.indicator, c.census_revised, c.is_level, c.obs_value,
        bool_or({{ meet('c.lower', 'c.upper', 'o.lower', 'o.upper') }}) as meets_any,
        arg_min(o.obs_value, abs(o.obs_value - c.obs_value)) as nearest, arg_min(o.lower, abs(o.obs_value - c.obs_value)) as o_lower,
        arg_min(o.upper, abs(o.obs_value - c.obs_value)) as o_upper, arg_min(o.publication_id, abs(o.obs_value - c.obs_value)) as o_publication,
        -- a claim and the figure nearest to it on one known round have no census between them
        bool_or(c.census_basis > 0 and o.census_basis > 0 and c.census_basis = o.census_basis) as same_round
    from claims as c
    left join (select distinct series_id, period_key from said where is_official) as r on r.series_id = c.series_id and r.period_key = c.period_key
    inner join said as o
        on o.series_id = c.series_id and o.period_key = c.period_key and o.reading_no <> c.reading_no
        and case when r.series_id is not null then o.is_official else o.is_current end
    group by c.reading_no, c.indicator, c.census_revised, c.is_level, c.obs_value
),

claim_answers as (
    select
        a.*,
        case
            when a.meets_any then 'consistent'
            when a.is_level and a.census_revised and abs(a.obs_value / nullif(a.nearest, 0) - 1) * 100 <= case when a.same_round then final.value else census.value end then 'explained'
            else 'inconsistent'
        end as answer
    from against as a
    inner join {{ ref('quality_limits') }} as final on final.rule_id = 'revision' and final.indicator = a.indicator and final.parameter = 'final_percent'
    inner join {{ ref('quality_limits') }} as census on census.rule_id = 'revision' and census.indicator = a.indicator and census.parameter = 'census_percent'
),

claim_tests as (
    select
        'claim' as rule_id, a.answer,
        f.series_id, f.period_key, f.print_no, f.publication_id || ' ' || a.o_publication as partner, f.publication_id, f.vintage_no,
        case when a.is_level and a.census_revised and not coalesce(a.same_round, false) then 'census' else 'claim' end as judged_as,
        a.obs_value as observed, a.nearest as expected, a.o_lower as lower, a.o_upper as upper,
        abs(a.obs_value - a.nearest) / nullif(abs(a.nearest), 0) / 0.01 as score, a.nearest as suggested,
        f.publication_id || ': ' || a.obs_value || '; ' || a.o_publication || ': ' || a.nearest as detail, a.obs_value || ' / ' || a.nearest as values_seen
    from claim_answers as a
    inner join {{ ref('quality_figures') }} as f on f.reading_no = a.reading_no
    where a.answer = 'inconsistent'
),

tests as (
    select * from revision_tests
    union all by name
    select * from vanished_tests
    union all by name
    select * from vanished_files
    union all by name
    select * from claim_tests
),

counted as (
    {% for rule, answers in (('revision', 'sized'), ('vanished', 'shown_or_not'), ('claim', 'claim_answers')) %}
    select '{{ rule }}' as rule_id, answer, count(*) as figures from {{ answers }} where answer <> 'inconsistent' group by answer
    {{ 'union all' if not loop.last }}
    {% endfor %}
)

{{ flagged_and_counted('tests', 'counted') }}
