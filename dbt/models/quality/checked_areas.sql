-- Areas side by side: growth beside that of the others, two areas exchanged, a value that stands in the wrong row.
with growths as (
    select
        e.series_id, e.period_key, e.group_key, e.season, e.year, e.current_ln, e.before_1,
        exp(e.current_ln) as current_value, exp(e.before_1) as previous_value, exp(e.current_ln - e.before_1) as ratio,
        case when e.year - e.before_2_year = 2 then e.current_ln - e.before_2 end as two_years,
        i.indicator
    from {{ ref('quality_expectations') }} as e
    inner join {{ ref('int_series') }} as i on i.series_id = e.series_id
    where e.year - e.before_1_year = 1
),

medians as (
    select group_key, season, year, count(*) as areas, median(ratio) as ratio_median, median(two_years) as two_years_median from growths group by all
),

scored as (
    select
        g.*, m.areas, m.ratio_median, m.two_years_median,
        (case when g.ratio < m.ratio_median then 1 - m.ratio_median / g.ratio else g.ratio / m.ratio_median - 1 end)
        * pow(greatest(g.current_value, g.previous_value), u.value) as effect
    from growths as g
    inner join medians as m on m.group_key = g.group_key and m.season = g.season and m.year = g.year
    inner join {{ ref('quality_limits') }} as u on u.rule_id = 'hidiroglou_berthelot' and u.parameter = 'u' and u.indicator = g.indicator
),

quartiles as (
    select group_key, season, year, quantile_cont(effect, 0.25) as q1, median(effect) as q2, quantile_cont(effect, 0.75) as q3
    from scored
    where areas >= 15
    group by all
),

bounded as (
    select
        s.*, c.value as c, c.absolute_floor as floor,
        q.q2 - c.value * greatest(q.q2 - q.q1, abs(a.value * q.q2)) as least_effect, q.q2 + c.value * greatest(q.q3 - q.q2, abs(a.value * q.q2)) as most_effect,
        q.q2
    from scored as s
    inner join {{ ref('quality_limits') }} as a on a.rule_id = 'hidiroglou_berthelot' and a.parameter = 'a' and a.indicator = s.indicator
    inner join {{ ref('quality_limits') }} as c on c.rule_id = 'hidiroglou_berthelot' and c.parameter = 'c' and c.indicator = s.indicator
    left join quartiles as q on q.group_key = s.group_key and q.season = s.season and q.year = s.year
),

hb_tests as (
    select
        'hidiroglou_berthelot' as rule_id,
        case
            when b.areas < 15 then 'uninformative'
            when b.effect between b.least_effect and b.most_effect then 'consistent'
            when abs(b.ratio / b.ratio_median - 1) <= b.floor then 'consistent'
            -- it comes back from where it should not have been the year before
            when abs(b.two_years - b.two_years_median) <= b.floor / 2 then 'consistent'
            else 'inconsistent'
        end as answer,
        b.series_id, b.period_key, f.print_no, 'areas' as partner, f.publication_id, f.vintage_no, f.judged_as, b.current_value as observed,
        b.previous_value * b.ratio_median as expected, b.previous_value * b.ratio_median * (1 - b.floor) as lower, b.previous_value * b.ratio_median * (1 + b.floor) as upper,
        abs(b.effect - b.q2) / nullif(greatest(b.most_effect - b.q2, b.q2 - b.least_effect), 0) as score,
        round(100 * (b.ratio - 1), 1) || '% / ' || round(100 * (b.ratio_median - 1), 1) || '% (' || b.areas || ')' as detail,
        b.previous_value || ' → ' || b.current_value as values_seen
    from bounded as b
    inner join {{ ref('quality_figures') }} as f on f.series_id = b.series_id and f.period_key = b.period_key and f.is_current
),

-- A column over areas in one publication, each figure less what its neighbours in time say, and less what is common to the column (a census, a bad year).
departures as (
    select
        p.publication_id, p.group_key, p.period_key, p.ref_area, p.indicator, p.series_id, p.print_no, p.obs_value, p.judged_as, p.decimals, p.qualifier,
        ln(p.obs_value) as ln_value, list_median(e.expected_lns) as said, len(e.expected_lns) as witnesses, e.sigma
    from {{ ref('quality_prints') }} as p
    inner join {{ ref('quality_expectations') }} as e on e.series_id = p.series_id and e.period_key = p.period_key
    where p.is_level and p.obs_value > 0 and not p.conflicts
),

common as (
    select publication_id, group_key, period_key, median(ln_value - said) as drift, count(said) as areas from departures group by all
),

departed as (
    select d.*, c.areas, d.said + case when c.areas >= 5 then c.drift else 0 end as expected_ln,
        d.ln_value - d.said - case when c.areas >= 5 then c.drift else 0 end as off,
        greatest(l.absolute_floor, l.value * d.sigma) as tolerance
    from departures as d
    inner join common as c on c.publication_id = d.publication_id and c.group_key = d.group_key and c.period_key = d.period_key
    inner join {{ ref('quality_limits') }} as l on l.rule_id = 'swapped_areas' and l.parameter = 'sigmas' and l.indicator = d.indicator
),

pairs as (
    select
        a.publication_id, a.group_key, a.period_key, a.series_id, a.print_no, a.judged_as, a.obs_value, a.expected_ln, a.tolerance, a.off, b.ref_area as other_area,
        b.obs_value as other_value, b.series_id as other_series_id, b.print_no as other_print_no, b.judged_as as other_judged_as, b.off as other_off, b.expected_ln as other_expected_ln,
        abs(b.ln_value - a.expected_ln) as off_exchanged, abs(a.ln_value - b.expected_ln) as other_off_exchanged
    from departed as a
    inner join departed as b
        on b.publication_id = a.publication_id and b.group_key = a.group_key and b.period_key = a.period_key and b.ref_area <> a.ref_area
        and abs(b.off) > b.tolerance and sign(b.off) <> sign(a.off)
    where abs(a.off) > a.tolerance
        and abs(b.ln_value - a.expected_ln) < greatest(a.tolerance / 2, abs(a.off) / 3) and abs(a.ln_value - b.expected_ln) < greatest(b.tolerance / 2, abs(b.off) / 3)
),

exchanged as (
    select *
    from pairs
    qualify row_number() over (partition by print_no order by off_exchanged + other_off_exchanged) = 1
),

-- What one publication prints of an area, another prints of a second area, and contradicts it of the first.
contradicted as (
    select f.series_id, f.period_key, f.group_key, f.ref_area, f.obs_value, f.lower, f.upper, f.print_no, f.publication_id, f.is_telling
    from {{ ref('quality_figures') }} as f
    inner join (select series_id, period_key from {{ ref('quality_figures') }} group by all having count(*) > 1) as m
        on m.series_id = f.series_id and m.period_key = f.period_key
    where f.is_level and f.obs_value is not null
),

misplaced as (
    select
        p.publication_id, p.series_id, p.period_key, p.print_no, p.obs_value, p.judged_as, w.obs_value as right_value,  w.publication_id as witness,
        q.ref_area as other_area, q.series_id as other_series_id, q.print_no as other_print_no, q.judged_as as other_judged_as, q.obs_value as other_value,
        w.lower as right_lower, w.upper as right_upper
    from contradicted as w
    inner join {{ ref('quality_prints') }} as p
        on p.series_id = w.series_id and p.period_key = w.period_key and p.publication_id <> w.publication_id and not {{ meet('p.lower', 'p.upper', 'w.lower', 'w.upper') }}
    inner join {{ ref('quality_prints') }} as q
        on q.publication_id = p.publication_id and q.group_key = w.group_key and q.period_key = w.period_key and q.ref_area <> p.ref_area
        and {{ meet('q.lower', 'q.upper', 'w.lower', 'w.upper') }}
    -- only a claim is misplaced: a publisher's own second value is a revision. And among so many areas the digits must not agree by chance.
    where w.is_telling and not p.is_official and (w.upper - w.lower) / w.obs_value < 1e-3
    qualify row_number() over (partition by p.print_no order by w.print_no) = 1
),

swap_tests as (
    select
        'swapped_areas' as rule_id,
        case
            when x.print_no is not null or m.print_no is not null or o.other_print_no is not null then 'inconsistent'
            when d.witnesses = 0 or d.areas < 2 then 'uninformative'
            else 'consistent'
        end as answer,
        d.series_id, d.period_key, d.print_no, d.publication_id || ' ' || coalesce(x.other_area, m.other_area, o.first_area) as partner, d.publication_id, d.judged_as,
        d.obs_value as observed, coalesce(m.right_value, x.other_value, o.first_value) as expected,
        coalesce(m.right_lower, exp(x.expected_ln - x.tolerance)) as lower, coalesce(m.right_upper, exp(x.expected_ln + x.tolerance)) as upper,
        coalesce(abs(x.off) / x.tolerance, abs(d.off) / nullif(d.tolerance, 0)) as score, coalesce(m.right_value, x.other_value, o.first_value) as suggested,
        coalesce(x.other_area, m.other_area, o.first_area) || coalesce(', ' || m.witness || ': ' || m.right_value, '') as detail,
        d.obs_value || ' / ' || coalesce(x.other_value, m.other_value, o.first_value) as values_seen
    from departed as d
    left join exchanged as x on x.print_no = d.print_no
    left join misplaced as m on m.print_no = d.print_no
    left join (
        select v.other_print_no, any_value(s.ref_area) as first_area, any_value(v.obs_value) as first_value
        from misplaced as v inner join {{ ref('quality_series') }} as s on s.series_id = v.series_id
        group by v.other_print_no
    ) as o on o.other_print_no = d.print_no
),

-- A value far from its own place that stands, digit for digit, in another of the same column or of the same row.
strays as (
    select d.*
    from departed as d
    where abs(d.off) > d.tolerance and round(abs(d.obs_value) * pow(10.0, d.decimals)) >= 1000 and coalesce(d.qualifier, '') = ''
),

homes as (
    select
        s.print_no, f.ref_area as home_area, f.period_end as home_end, f.obs_value,
        row_number() over (partition by s.print_no order by (f.period_key <> s.period_key), f.is_current desc, f.reading_no) as choice
    from strays as s
    inner join {{ ref('quality_figures') }} as f
        on f.group_key = s.group_key and f.obs_value = s.obs_value and f.is_telling
        and ((f.period_key = s.period_key and f.series_id <> s.series_id) or (f.series_id = s.series_id and f.period_key <> s.period_key))
),

stray_tests as (
    select
        'value_elsewhere' as rule_id,
        case
            when d.witnesses = 0 then 'uninformative'
            when h.print_no is not null then 'inconsistent'
            else 'consistent'
        end as answer,
        d.series_id, d.period_key, d.print_no, d.publication_id || ' ' || h.home_area || ' ' || strftime(h.home_end, '%Y-%m-%d') as partner, d.publication_id, d.judged_as,
        d.obs_value as observed, exp(d.expected_ln) as expected, exp(d.expected_ln - d.tolerance) as lower, exp(d.expected_ln + d.tolerance) as upper,
        abs(d.off) / d.tolerance as score, h.home_area || ' ' || strftime(h.home_end, '%Y-%m-%d') as detail, d.obs_value::varchar as values_seen
    from departed as d
    left join homes as h on h.print_no = d.print_no and h.choice = 1
),

tests as (
    select * from hb_tests
    union all by name
    select * from swap_tests
    union all by name
    select * from stray_tests
)

{{ flagged_and_counted('tests') }}
