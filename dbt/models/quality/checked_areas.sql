-- Areas side by side: growth beside that of the others, two areas exchanged, a value that stands in the wrong row.
-- Growth of one year; its ratio is measured against the median of all areas.
with growths as (
    select reading_no, group_key, season, year, value, before_1, exp(rate) as ratio, two_years
    from {{ ref('quality_levels') }}
    where rate is not null
),

limits as (
    select distinct i.group_key, u.value as u, a.value as a, c.value as c, c.absolute_floor as floor
    from {{ ref('quality_series') }} as i
    inner join {{ ref('quality_limits') }} as u on u.rule_id = 'hidiroglou_berthelot' and u.parameter = 'u' and u.indicator = i.indicator
    inner join {{ ref('quality_limits') }} as a on a.rule_id = 'hidiroglou_berthelot' and a.parameter = 'a' and a.indicator = i.indicator
    inner join {{ ref('quality_limits') }} as c on c.rule_id = 'hidiroglou_berthelot' and c.parameter = 'c' and c.indicator = i.indicator
),

medians as (
    select m.*, l.u, l.a, l.c, l.floor
    from (
        select group_key, season, year, count(*) as areas, median(ratio) as ratio_median, median(two_years) as two_years_median
        from growths
        group by group_key, season, year
    ) as m
    inner join limits as l on l.group_key = m.group_key
),

-- What grows as the others do is in order, and so is what comes back from where it should not have been the year before.
compared as (
    select
        g.reading_no, g.group_key, g.season, g.year,
        case
            when m.areas < 15 then 'uninformative'
            when abs(g.ratio / m.ratio_median - 1) <= m.floor or abs(g.two_years - m.two_years_median) <= m.floor / 2 then 'consistent'
            else 'in doubt'
        end as answer
    from growths as g
    inner join medians as m on m.group_key = g.group_key and m.season = g.season and m.year = g.year
),

in_doubt as (
    select reading_no, group_key, season, year from compared where answer = 'in doubt'
),

-- Only a group with an area of which neither can be said is worth its quartiles.
doubted as (
    select m.* from medians as m semi join in_doubt as d on d.group_key = m.group_key and d.season = m.season and d.year = m.year
),

-- Both years by way of their logarithms: a finding's answer waits for these very words.
valued as (
    select g.reading_no, g.group_key, g.season, g.year, exp(ln(g.value)) as current_value, exp(g.before_1) as previous_value, g.ratio, m.areas, m.ratio_median, m.u, m.a, m.c, m.floor
    from growths as g
    inner join doubted as m on m.group_key = g.group_key and m.season = g.season and m.year = g.year
),

effects as (
    select
        *,
        (case when ratio < ratio_median then 1 - ratio_median / ratio else ratio / ratio_median - 1 end) * pow(greatest(current_value, previous_value), u) as effect
    from valued
),

quartiles as (
    select group_key, season, year, quantile_cont(effect, 0.25) as q1, median(effect) as q2, quantile_cont(effect, 0.75) as q3
    from effects
    group by group_key, season, year
),

bounded as (
    select
        e.*, q.q2,
        q.q2 - e.c * greatest(q.q2 - q.q1, abs(e.a * q.q2)) as least_effect, q.q2 + e.c * greatest(q.q3 - q.q2, abs(e.a * q.q2)) as most_effect
    from effects as e
    inner join quartiles as q on q.group_key = e.group_key and q.season = e.season and q.year = e.year
    semi join in_doubt as d on d.reading_no = e.reading_no
),

hb_tests as (
    select
        'hidiroglou_berthelot' as rule_id, case when b.effect between b.least_effect and b.most_effect then 'consistent' else 'inconsistent' end as answer,
        f.series_id, f.period_key, f.print_no, 'areas' as partner, f.publication_id, f.vintage_no, f.judged_as, b.current_value as observed,
        b.previous_value * b.ratio_median as expected, b.previous_value * b.ratio_median * (1 - b.floor) as lower, b.previous_value * b.ratio_median * (1 + b.floor) as upper,
        abs(b.effect - b.q2) / nullif(greatest(b.most_effect - b.q2, b.q2 - b.least_effect), 0) as score,
        round(100 * (b.ratio - 1), 1) || '% / ' || round(100 * (b.ratio_median - 1), 1) || '% (' || b.areas || ')' as detail,
        b.previous_value || ' → ' || b.current_value as values_seen
    from bounded as b
    inner join {{ ref('quality_figures') }} as f on f.reading_no = b.reading_no
),

-- A column over areas in one publication, each figure less what its neighbours in time say, and less what is common to the column (a census, a bad year).
departures as (
    select p.print_no, hash(p.publication_id, e.group_key, p.period_key) as column_id, e.group_key, ln(p.obs_value) as ln_value, e.said
    from {{ ref('quality_prints') }} as p
    inner join {{ ref('quality_levels') }} as e on e.series_id = p.series_id and e.period_key = p.period_key and e.is_compared
    where p.obs_value > 0 and not p.conflicts
),

-- The scale of what is left of growth after its norm; robust, one for all areas of an indicator.
tolerances as (
    select g.group_key, greatest(any_value(l.absolute_floor), any_value(l.value) * coalesce(any_value(g.sigma), 0.0)) as tolerance
    from (select group_key, 1.4826 * median(abs(surprise)) as sigma from {{ ref('quality_levels') }} where is_compared group by group_key) as g
    inner join {{ ref('quality_series') }} as s on s.group_key = g.group_key
    inner join {{ ref('quality_limits') }} as l on l.rule_id = 'swapped_areas' and l.parameter = 'sigmas' and l.indicator = s.indicator
    group by g.group_key
),

common as (
    select c.*, t.tolerance
    from (
        select
            column_id, any_value(group_key) as group_key, count(*) as figures, count(said) as areas,
            case when count(said) >= 5 then median(ln_value - said) else 0 end as drift
        from departures
        group by column_id
    ) as c
    inner join tolerances as t on t.group_key = c.group_key
),

-- What one publication prints of an area, another prints of a second area, and contradicts it of the first.
-- Only a claim is misplaced: a publisher's own second value is a revision. And among so many areas the digits must not agree by chance.
contradicted as (
    select f.series_id, f.period_key, s.group_key, f.obs_value, f.lower, f.upper, f.print_no, f.publication_id
    from {{ ref('quality_figures') }} as f
    inner join {{ ref('quality_series') }} as s on s.series_id = f.series_id
    where not f.is_alone and f.is_level and f.is_telling and (f.upper - f.lower) / f.obs_value < 1e-3
),

misplaced as (
    select
        p.print_no, w.obs_value as right_value, w.lower as right_lower, w.upper as right_upper, w.publication_id as witness,
        s.ref_area as other_area, q.print_no as other_print_no, q.obs_value as other_value, p.obs_value, p.series_id
    from contradicted as w
    inner join {{ ref('quality_prints') }} as p
        on p.series_id = w.series_id and p.period_key = w.period_key and p.publication_id <> w.publication_id and not p.is_official
        and not {{ meet('p.lower', 'p.upper', 'w.lower', 'w.upper') }}
    inner join {{ ref('quality_series') }} as s on s.group_key = w.group_key and s.series_id <> p.series_id
    inner join {{ ref('quality_prints') }} as q
        on q.publication_id = p.publication_id and q.series_id = s.series_id and q.period_key = w.period_key
        and {{ meet('q.lower', 'q.upper', 'w.lower', 'w.upper') }}
    qualify row_number() over (partition by p.print_no order by w.print_no) = 1
),

-- Where the value belongs, somebody else's stands as well.
displaced as (
    select m.other_print_no as print_no, any_value(s.ref_area) as first_area, any_value(m.obs_value) as first_value
    from misplaced as m
    inner join {{ ref('quality_series') }} as s on s.series_id = m.series_id
    group by m.other_print_no
),

-- Far from where they belong, or among what others print of two areas: few, and only they may be exchanged or stand elsewhere.
departed as (
    select
        d.print_no, d.column_id, c.areas, d.said is not null as has_witness, d.ln_value, d.said + c.drift as expected_ln, d.ln_value - d.said - c.drift as off, c.tolerance
    from departures as d
    inner join common as c on c.column_id = d.column_id
    where abs(d.ln_value - d.said - c.drift) > c.tolerance or d.print_no in (select print_no from misplaced union all select print_no from displaced)
),

notable as (
    select d.*, p.publication_id, p.series_id, p.period_key, p.obs_value, p.decimals, p.qualifier, p.judged_as, s.ref_area, s.group_key
    from departed as d
    inner join {{ ref('quality_prints') }} as p on p.print_no = d.print_no
    inner join {{ ref('quality_series') }} as s on s.series_id = p.series_id
),

far as (
    select * from notable where abs(off) > tolerance
),

exchanged as (
    select
        a.print_no, b.ref_area as other_area, b.obs_value as other_value
    from far as a
    inner join far as b
        on b.column_id = a.column_id and b.ref_area <> a.ref_area and sign(b.off) <> sign(a.off)
        and abs(b.ln_value - a.expected_ln) < greatest(a.tolerance / 2, abs(a.off) / 3) and abs(a.ln_value - b.expected_ln) < greatest(b.tolerance / 2, abs(b.off) / 3)
    qualify row_number() over (partition by a.print_no order by abs(b.ln_value - a.expected_ln) + abs(a.ln_value - b.expected_ln)) = 1
),

swapped as (
    select
        d.*, x.print_no is not null as is_exchanged, m.witness, m.right_value, m.right_lower, m.right_upper,
        coalesce(x.other_area, m.other_area, o.first_area) as other_area, coalesce(x.other_value, m.other_value, o.first_value) as seen_value,
        coalesce(m.right_value, x.other_value, o.first_value) as suggested
    from notable as d
    left join exchanged as x on x.print_no = d.print_no
    left join misplaced as m on m.print_no = d.print_no
    left join displaced as o on o.print_no = d.print_no
    where coalesce(x.print_no, m.print_no, o.print_no) is not null
),

swap_tests as (
    select
        'swapped_areas' as rule_id, 'inconsistent' as answer, d.series_id, d.period_key, d.print_no,
        d.publication_id || ' ' || d.other_area as partner, d.publication_id, d.judged_as, d.obs_value as observed, d.suggested as expected,
        coalesce(d.right_lower, case when d.is_exchanged then exp(d.expected_ln - d.tolerance) end) as lower,
        coalesce(d.right_upper, case when d.is_exchanged then exp(d.expected_ln + d.tolerance) end) as upper,
        coalesce(case when d.is_exchanged then abs(d.off) / d.tolerance end, abs(d.off) / nullif(d.tolerance, 0)) as score, d.suggested,
        d.other_area || coalesce(', ' || d.witness || ': ' || d.right_value, '') as detail,
        d.obs_value || ' / ' || d.seen_value as values_seen
    from swapped as d
),

-- A value far from its own place that stands, digit for digit, in another of the same column or of the same row.
strays as (
    select * from far where round(abs(obs_value) * pow(10.0, decimals)) >= 1000 and coalesce(qualifier, '') = ''
),

homes as (
    select s.print_no, i.ref_area as home_area, t.period_end as home_end
    from strays as s
    inner join {{ ref('quality_series') }} as i on i.group_key = s.group_key
    inner join {{ ref('quality_figures') }} as f
        on f.series_id = i.series_id and f.obs_value = s.obs_value and f.is_telling
        and ((f.period_key = s.period_key and f.series_id <> s.series_id) or (f.series_id = s.series_id and f.period_key <> s.period_key))
    inner join {{ ref('quality_periods') }} as t on t.period_key = f.period_key
    qualify row_number() over (partition by s.print_no order by (f.period_key <> s.period_key), f.is_current desc, i.ref_area, f.period_key) = 1
),

stray_tests as (
    select
        'value_elsewhere' as rule_id, 'inconsistent' as answer,
        d.series_id, d.period_key, d.print_no, d.publication_id || ' ' || h.home_area || ' ' || strftime(h.home_end, '%Y-%m-%d') as partner, d.publication_id, d.judged_as,
        d.obs_value as observed, exp(d.expected_ln) as expected, exp(d.expected_ln - d.tolerance) as lower, exp(d.expected_ln + d.tolerance) as upper,
        abs(d.off) / d.tolerance as score, h.home_area || ' ' || strftime(h.home_end, '%Y-%m-%d') as detail, d.obs_value::varchar as values_seen
    from strays as d
    inner join homes as h on h.print_no = d.print_no
),

tests as (
    select * from hb_tests
    union all by name
    select * from swap_tests
    union all by name
    select * from stray_tests
),

counted as (
    select 'hidiroglou_berthelot' as rule_id, answer, count(*) as figures from compared where answer <> 'in doubt' group by answer
    union all
    -- a column's figures, less those that are flagged; what is flagged as standing elsewhere has a witness
    select 'swapped_areas', 'consistent', sum(areas) from common where areas > 1
    union all
    select 'swapped_areas', 'uninformative', sum(figures - case when areas > 1 then areas else 0 end) from common
    union all
    select 'swapped_areas', case when has_witness and areas > 1 then 'consistent' else 'uninformative' end, -count(*) from swapped group by 2
    union all
    select 'value_elsewhere', 'consistent', sum(areas) from common
    union all
    select 'value_elsewhere', 'uninformative', sum(figures - areas) from common
    union all
    select 'value_elsewhere', 'consistent', -count(*) from homes
)

{{ flagged_and_counted('tests', 'counted') }}
