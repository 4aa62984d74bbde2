-- The rules that look for what is wrong, with what each did in this build.
with answers as (
    select
        rule_id,
        sum(figures) as looked_at,
        sum(figures) filter (where answer = 'consistent') as passed,
        sum(figures) filter (where answer = 'explained') as explained,
        sum(figures) filter (where answer = 'inconsistent') as flagged,
        sum(figures) filter (where answer = 'uninformative') as uninformative,
        sum(figures) filter (where answer = 'not_comparable') as not_comparable
    from {{ ref('checked') }}
    group by rule_id
),

found as (
    select rule_id, count(*) as findings from {{ ref('suspicions') }} group by rule_id
),

parameters as (
    select rule_id,
        string_agg(concat_ws(' ', parameter, case when indicator <> '*' then '(' || indicator || ')' end, '=', value, case when absolute_floor is not null then '≥ ' || absolute_floor end), '; '
            order by parameter, indicator <> '*', indicator) as parameters
    from {{ ref('rule_thresholds') }}
    group by rule_id
)

select
    r.rule_id, r.level::integer as level, r.family, r.name_zh, r.name_en, r.formula_zh, r.formula_en, p.parameters, r.scope_zh, r.scope_en,
    r.severity_first, r.severity_final, r.severity_census, r.severity_unstaged, r.severity_claim, r.yields_to, r.owner, r.source,
    {% for column in ('looked_at', 'passed', 'explained', 'flagged', 'uninformative', 'not_comparable') %}
    coalesce(a.{{ column }}, 0)::bigint as {{ column }},
    {% endfor %}
    coalesce(f.findings, 0)::bigint as findings
from {{ ref('cl_rules') }} as r
left join answers as a using (rule_id)
left join found as f using (rule_id)
left join parameters as p using (rule_id)
