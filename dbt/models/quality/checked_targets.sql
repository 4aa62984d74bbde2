-- Targets against their base, one another and what growth can reach. The tests themselves are the mart target_coherence; here they become answers
-- of rules. Whether a target will be met is tracking, not doubt: `needed_growth` is none of these.
with coherence as (
    select
        c.*,
        case c.test
            when 'below_base' then 'target_below_base'
            when 'conflicting_wordings' then 'target_wordings'
            when 'district_in_city' then 'target_part_over_whole'
            when 'implied_whole' then 'target_implied'
            when 'implied_part' then 'target_implied'
        end as rule_id
    from {{ ref('target_coherence') }} as c
    where c.test <> 'needed_growth'
),

tests as (
    select
        c.rule_id,
        case when c.compared_with = 'nothing' then 'not_comparable' else c.answer end as answer,
        concat_ws(' ', c.target_a, c.target_b, c.target_c, c.compared_with, c.formula_id) as partner, t.document_id as publication_id, 'unstaged' as judged_as,
        c.implied_value as observed, c.other_value as expected,
        case when c.compared_with = 'growth_seen' then null else c.other_lower end as lower, case when c.compared_with = 'growth_seen' then null else c.other_upper end as upper,
        case
            when c.compared_with = 'growth_seen' then greatest(c.needed_lower - c.seen_highest, c.seen_lowest - c.needed_upper) / 0.01
            else abs(c.implied_value - c.other_value) / nullif(abs(c.other_value), 0) / 0.01
        end as score,
        c.target_a || coalesce(' + ' || c.target_b, '') || coalesce(' ⇔ ' || c.target_c, '')
        || case when c.needed_growth is not null then '; ' || round(100 * c.needed_growth, 2) || '% (' || coalesce(round(100 * c.seen_lowest, 2) || '–' || round(100 * c.seen_highest, 2) || '%', '?') || ')' else '' end as detail,
        coalesce(round(c.implied_value, 6)::varchar, '') || ' / ' || coalesce(round(c.other_value, 6)::varchar, '') as values_seen,
        c.ref_area, c.indicator, '_T' as breakdown, t.currency_scope, 'N' as transformation, t.prices, t.period_start, c.period_end
    from coherence as c
    inner join {{ ref('targets') }} as t on t.target_id = c.target_a
)

{{ flagged_and_counted('tests') }}
