{{ config(database='fincenter') }}
-- What looks wrong in this build, a row a finding, in words. A rule that says what happened (a power of ten, an exchange) goes before one that only says
-- that something did: `yields_to` of the rules. The id holds no values, so that an answer finds its finding again in the next build.
with flagged as (
    select
        c.* replace (
            coalesce(c.ref_area, s.ref_area) as ref_area, coalesce(c.indicator, s.indicator) as indicator, coalesce(c.breakdown, s.breakdown) as breakdown,
            coalesce(c.currency_scope, s.currency_scope) as currency_scope, coalesce(c.transformation, s.transformation) as transformation,
            coalesce(c.prices, s.prices) as prices, coalesce(c.period_start, p.period_start) as period_start, coalesce(c.period_end, p.period_end) as period_end
        ),
        row_number() over () as finding_no, p.freq, p.time_period, p.coverage, s.parent_area, s.group_key, s.is_level
    from {{ ref('checked') }} as c
    left join {{ ref('quality_series') }} as s on s.series_id = c.series_id
    left join {{ ref('int_periods') }} as p on p.period_key = c.period_key
    where c.kind = 'flagged'
),

-- What a figure goes into: a total and its parts, a share and what it is made of, a whole and its part.
kin as (
    select total_indicator as made, member_indicator as maker from {{ ref('partitions') }} where coalesce(total_indicator, '') <> ''
    union
    select f.indicator, t.indicator from {{ ref('formulas') }} as f inner join {{ ref('formula_terms') }} as t using (formula_id)
    union
    select indicator, parent from {{ ref('cl_indicators') }} where coalesce(parent, '') <> ''
),

-- The same figure, or one that it is made of: of the same column for a sum of areas, of the same row for parts and shares. Once the one is mended, the
-- other is tested again.
yielding as (
    select a.finding_no
    from flagged as a
    inner join {{ ref('cl_rules') }} as r using (rule_id)
    inner join flagged as b
        on b.series_id = a.series_id and b.period_key = a.period_key and list_contains(string_split(r.yields_to, ';'), b.rule_id)
    union
    select a.finding_no
    from flagged as a
    inner join {{ ref('cl_rules') }} as r on r.rule_id = a.rule_id and r.family in ('publication', 'series') and r.yields_to <> ''
    inner join flagged as b
        on b.publication_id = a.publication_id and b.period_key = a.period_key and b.parent_area = a.ref_area and b.group_key = a.group_key
        and list_contains(string_split(r.yields_to, ';'), b.rule_id)
    union
    select a.finding_no
    from flagged as a
    inner join {{ ref('cl_rules') }} as r on r.rule_id = a.rule_id and r.family = 'publication' and r.yields_to <> ''
    inner join kin as k on k.made = a.indicator
    inner join flagged as b
        on b.publication_id = a.publication_id and b.period_key = a.period_key and b.indicator = k.maker and b.ref_area in (a.ref_area, a.parent_area)
        and list_contains(string_split(r.yields_to, ';'), b.rule_id)
),

kept as (
    select f.*
    from flagged as f
    anti join yielding as y on y.finding_no = f.finding_no
    qualify row_number() over (
        partition by f.rule_id, f.ref_area, f.indicator, f.breakdown, f.currency_scope, f.transformation, f.prices, f.period_start, f.period_end, f.partner
        order by f.print_no, f.cell_no
    ) = 1
),

-- What the doubt moves: a share of the total that the area is a part of, or of what is missing to a target that rests on the figure.
gaps as (
    select t.ref_area, t.indicator, g.actual_period_end as period_end, min(abs(g.target_level - g.actual_value)) as gap
    from {{ ref('target_progress') }} as g
    inner join {{ ref('targets') }} as t using (target_id)
    where g.is_today and t.transformation = 'N' and t.breakdown = '_T' and g.target_level <> g.actual_value
    group by all
),

with_whole as (
    select *, {{ series_id('parent_area', 'indicator', 'breakdown', 'currency_scope', 'transformation', 'prices') }} as whole_id from kept
),

wholes as (
    select f.series_id, f.period_key, f.obs_value
    from {{ ref('quality_figures') }} as f
    where f.is_current and f.series_id in (select whole_id from with_whole)
),

weighed as (
    select
        k.*,
        coalesce(abs(k.observed - k.expected), 0) as moved,
        case when k.is_level and k.indicator is not null then coalesce(w.obs_value, abs(k.expected)) end as total,
        g.gap
    from with_whole as k
    left join wholes as w on w.series_id = k.whole_id and w.period_key = k.period_key
    left join gaps as g on g.ref_area = k.ref_area and g.indicator = k.indicator and g.period_end = k.period_end and k.breakdown = '_T' and k.is_level
),

worded as (
    select
        w.*, r.level,
        case w.judged_as
            when 'first' then r.severity_first when 'final' then r.severity_final when 'census' then r.severity_census
            when 'claim' then r.severity_claim else r.severity_unstaged
        end as severity,
        i.name_zh as indicator_zh, i.name_en as indicator_en, a.name_zh as area_zh, a.name_en as area_en,
        r.message_zh, r.message_en, r.suggestion_zh, r.suggestion_en,
        coalesce(case when abs(w.observed) >= 1e15 then w.observed::varchar else rtrim(rtrim(format('{:.4f}', w.observed), '0'), '.') end, '—') as observed_text,
        coalesce(rtrim(rtrim(format('{:.4f}', w.expected), '0'), '.'), '—') as expected_text,
        coalesce(rtrim(rtrim(format('{:.4f}', w.lower), '0'), '.'), '—') as lower_text, coalesce(rtrim(rtrim(format('{:.4f}', w.upper), '0'), '.'), '—') as upper_text,
        coalesce(rtrim(rtrim(format('{:.4f}', w.suggested), '0'), '.'), '—') as suggested_text
    from weighed as w
    inner join {{ ref('cl_rules') }} as r using (rule_id)
    left join {{ ref('cl_indicators') }} as i on i.indicator = w.indicator
    left join {{ ref('cl_areas') }} as a on a.ref_area = w.ref_area
),

-- a handful of a million: found first, then joined
cells as (
    select p.print_no, p.cell_no, p.publication_id
    from {{ ref('int_prints') }} as p
    where p.print_no in (select print_no from kept)
),

addresses as (
    select s.cell_no, s.file, s.sheet, s.cell
    from {{ ref('cells') }} as s
    where s.cell_no in (select cell_no from cells union select cell_no from kept where cell_no is not null)
)

select
    left(md5(concat_ws('|', w.rule_id, coalesce(w.ref_area, ''), coalesce(w.indicator, ''), coalesce(w.breakdown, ''), coalesce(w.currency_scope, ''),
        coalesce(w.transformation, ''), coalesce(w.prices, ''), coalesce(w.period_start::varchar, ''), coalesce(w.period_end::varchar, ''), coalesce(w.partner, ''))), 16) as finding_id,
    w.rule_id, w.level::integer as level, w.severity,
    w.ref_area, w.indicator, w.breakdown, w.currency_scope, w.transformation, w.prices,
    'printed' as origin, w.freq, w.time_period, w.coverage, w.period_start, w.period_end, w.vintage_no,
    coalesce(w.publication_id, c.publication_id) as publication_id, s.file, s.sheet, s.cell,
    w.observed, w.expected, w.lower, w.upper, w.score,
    {% for language in ('zh', 'en') %}
    {% for text in ('suggestion', 'message') %}
    replace(replace(replace(replace(replace(replace(replace(replace(w.{{ text }}_{{ language }},
        '{observed}', w.observed_text), '{expected}', w.expected_text), '{lower}', w.lower_text), '{upper}', w.upper_text),
        '{suggested}', w.suggested_text), '{detail}', coalesce(w.detail, '')),
        '{figure}', concat_ws(' ', w.area_{{ language }}, w.indicator_{{ language }}, coalesce(w.time_period, w.period_end::varchar))),
        '{publication}', coalesce(w.publication_id, '')) as {{ text }}_{{ language }},
    {% endfor %}
    {% endfor %}
    w.values_seen,
    nullif(least(1000.0, greatest(
        case when w.is_level and w.total > 0 then w.moved / w.total else 0 end,
        case when w.gap > 0 then w.moved / w.gap else 0 end)), 0) as impact
from worded as w
left join cells as c on c.print_no = w.print_no
left join addresses as s on s.cell_no = coalesce(w.cell_no, c.cell_no)
