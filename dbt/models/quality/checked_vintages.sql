-- Vintages of one figure and what others say of it: how far a revision goes, what a later copy left out, who contradicts the publisher.
with rounds as (
    select census_round, years_from, years_to, try_cast(first_seen as date) as first_seen from {{ ref('census_rounds') }}
),

official as (
    select
        f.*, s.kind, s.unit_measure, s.census_revised,
        lag(f.obs_value) over in_order as old_value, lag(f.lower) over in_order as old_lower, lag(f.upper) over in_order as old_upper,
        lag(f.census_basis) over in_order as old_basis, lag(f.known_by) over in_order as old_known_by, lag(f.publication_id) over in_order as old_publication
    from {{ ref('quality_figures') }} as f
    inner join {{ ref('quality_series') }} as s on s.series_id = f.series_id
    where f.vintage_no >= 1 and f.is_official and s.is_level
    window in_order as (partition by f.series_id, f.period_key order by f.vintage_no)
),

revised as (
    select * from official where old_value is not null
),

-- A revision is a census's where the stage says so, where the two stand on different rounds, or where a round that reaches the year was first
-- seen between them and nothing says which round either stands on.
between_rounds as (
    select distinct v.reading_no
    from revised as v
    inner join rounds as r on v.year between r.years_from and r.years_to and r.first_seen <= v.known_by and coalesce(v.old_known_by < r.first_seen, true)
    where v.census_revised and (v.census_basis = -1 or v.old_basis = -1)
),

classed as (
    select
        v.*,
        case
            when v.stage = 'census' or (v.census_basis > v.old_basis and v.old_basis > 0) or b.reading_no is not null then 'census'
            when v.stage is not null then v.stage
            else 'unstaged'
        end as class,
        case when v.kind = 'ratio' and v.unit_measure in ('PC', 'PM') then v.obs_value - v.old_value else 100 * (v.obs_value / nullif(v.old_value, 0) - 1) end as size,
        v.kind = 'ratio' and v.unit_measure in ('PC', 'PM') as is_rate
    from revised as v
    left join between_rounds as b using (reading_no)
),

revision_tests as (
    select
        'revision' as rule_id,
        case
            when {{ meet('v.lower', 'v.upper', 'v.old_lower', 'v.old_upper') }} then 'consistent'
            when v.size is null then 'uninformative'
            when abs(v.size) > l.value and abs(v.obs_value - v.old_value) > coalesce(l.absolute_floor, 0) then 'inconsistent'
            when v.class = 'census' then 'explained'
            else 'consistent'
        end as answer,
        v.series_id, v.period_key, v.print_no, 'v' || v.old_publication as partner, v.publication_id, v.vintage_no, v.class as judged_as, v.obs_value as observed,
        v.old_value as expected,
        case when v.is_rate then v.old_value - l.value else v.old_value - abs(v.old_value) * l.value / 100 end as lower,
        case when v.is_rate then v.old_value + l.value else v.old_value + abs(v.old_value) * l.value / 100 end as upper,
        abs(v.size) / l.value as score,
        v.old_publication || ': ' || v.old_value || ' → ' || v.publication_id || ': ' || v.obs_value || ' (' || round(v.size, 2) || case when v.is_rate then ' pp)' else '%)' end as detail,
        v.old_value || ' → ' || v.obs_value as values_seen
    from classed as v
    inner join {{ ref('quality_limits') }} as l
        on l.rule_id = 'revision' and l.indicator = v.indicator and l.parameter = v.class || case when v.is_rate then '_points' else '_percent' end
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
    select p.publication_id, p.series_id, p.period_key, p.period_end, p.print_no, p.obs_value, p.is_official, p.stage, n.next_publication
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

vanished_tests as (
    select
        'vanished' as rule_id,
        case
            when c.publication_id is null then 'not_comparable'
            when a.series_id is not null then 'consistent'
            else 'inconsistent'
        end as answer,
        i.series_id, i.period_key, i.print_no, i.next_publication as partner, i.publication_id, coalesce(i.stage, case when i.is_official then 'unstaged' else 'claim' end) as judged_as,
        i.obs_value as observed, 1.0 as score, i.publication_id || ' → ' || i.next_publication as detail, i.obs_value::varchar as values_seen
    from in_copies as i
    left join reach as c on c.publication_id = i.next_publication and c.series_id = i.series_id and i.period_end between c.first_end and c.last_end
    left join shown_again as a on a.publication_id = i.next_publication and a.series_id = i.series_id and a.period_key = i.period_key
),

-- A file that went from its folder keeps its figures; somebody should say whether it ought to.
vanished_files as (
    select
        'vanished' as rule_id, 'inconsistent' as answer, f.file as partner, f.publication_id, 'unstaged' as judged_as, f.numbers::double as observed,
        1.0 as score, f.file || ' (' || f.vanished_at || ')' as detail, f.sha256 as values_seen
    from {{ source('ledger', 'files') }} as f
    where coalesce(f.vanished_at, '') <> ''
),

several as (
    select f.*, s.census_revised, s.kind, bool_or(f.is_official) over same as has_official
    from {{ ref('quality_figures') }} as f
    inner join {{ ref('quality_series') }} as s on s.series_id = f.series_id
    window same as (partition by f.series_id, f.period_key)
    qualify count(*) over same > 1
),

-- A claim against the responsible publisher's vintages; where nobody responsible prints the figure, against the claim that stands for it.
against as (
    select
        c.reading_no, c.series_id, c.period_key, c.print_no, c.publication_id, c.vintage_no, c.obs_value, c.lower, c.upper, c.indicator, c.census_revised, c.is_level,
        bool_or({{ meet('c.lower', 'c.upper', 'o.lower', 'o.upper') }}) as meets_any,
        arg_min(o.obs_value, abs(o.obs_value - c.obs_value)) as nearest, arg_min(o.lower, abs(o.obs_value - c.obs_value)) as o_lower,
        arg_min(o.upper, abs(o.obs_value - c.obs_value)) as o_upper, arg_min(o.publication_id, abs(o.obs_value - c.obs_value)) as o_publication,
        -- a claim and the figure nearest to it on one known round have no census between them
        bool_or(c.census_basis > 0 and o.census_basis > 0 and c.census_basis = o.census_basis) as same_round
    from several as c
    inner join several as o
        on o.series_id = c.series_id and o.period_key = c.period_key and o.reading_no <> c.reading_no
        and case when c.has_official then o.is_official else o.is_current end
    where not c.is_official
    group by all
),

claim_tests as (
    select
        'claim' as rule_id,
        case
            when a.meets_any then 'consistent'
            when a.is_level and a.census_revised and abs(a.obs_value / nullif(a.nearest, 0) - 1) * 100 <= case when a.same_round then final.value else census.value end then 'explained'
            else 'inconsistent'
        end as answer,
        a.series_id, a.period_key, a.print_no, a.publication_id || ' ' || a.o_publication as partner, a.publication_id, a.vintage_no,
        case when a.is_level and a.census_revised and not coalesce(a.same_round, false) then 'census' else 'claim' end as judged_as,
        a.obs_value as observed, a.nearest as expected, a.o_lower as lower, a.o_upper as upper,
        abs(a.obs_value - a.nearest) / nullif(abs(a.nearest), 0) / 0.01 as score, a.nearest as suggested,
        a.publication_id || ': ' || a.obs_value || '; ' || a.o_publication || ': ' || a.nearest as detail, a.obs_value || ' / ' || a.nearest as values_seen
    from against as a
    inner join {{ ref('quality_limits') }} as final on final.rule_id = 'revision' and final.indicator = a.indicator and final.parameter = 'final_percent'
    inner join {{ ref('quality_limits') }} as census on census.rule_id = 'revision' and census.indicator = a.indicator and census.parameter = 'census_percent'
),

tests as (
    select * from revision_tests
    union all by name
    select * from vanished_tests
    union all by name
    select * from vanished_files
    union all by name
    select * from claim_tests
)

{{ flagged_and_counted('tests') }}
