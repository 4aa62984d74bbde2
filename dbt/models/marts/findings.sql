-- Every suspicion of this build and every one that a former release held, with the answer that stands and what became of it.
-- The ledger keeps the findings of the last release (`release/findings.py`); what is here is what it will keep of this one.
{% set kept = ['finding_id', 'rule_id', 'level', 'severity', 'ref_area', 'indicator', 'breakdown', 'currency_scope', 'transformation', 'prices',
    'origin', 'freq', 'time_period', 'coverage', 'period_start', 'period_end', 'vintage_no', 'publication_id', 'file', 'sheet', 'cell', 'observed',
    'expected', 'lower', 'upper', 'score', 'suggestion_zh', 'suggestion_en', 'message_zh', 'message_en', 'values_seen', 'impact'] %}
with moment as (
    select findings_at from {{ source('ledger', 'release') }}
),

seen as (
    select {% for column in kept %}s.{{ column }}, {% endfor %}
        coalesce(h.first_seen, m.findings_at) as first_seen, m.findings_at as last_seen, true as is_present
    from {{ ref('suspicions') }} as s
    cross join moment as m
    left join {{ source('ledger', 'findings_history') }} as h on h.finding_id = s.finding_id
    union all
    select {% for column in kept %}h.{{ column }}, {% endfor %}
        h.first_seen, h.last_seen, false
    from {{ source('ledger', 'findings_history') }} as h
    anti join {{ ref('suspicions') }} as s on s.finding_id = h.finding_id
),

answers as (
    select * from {{ ref('acknowledgements') }}
    qualify row_number() over (partition by finding_id order by answered_on desc) = 1
),

judged as (
    select
        s.*, a.answer, a.reason, a.answered_by, a.answered_on, a.until as ignore_until, a.correction_id,
        case
            when a.finding_id is null or not s.is_present then null
            when coalesce(a.values_seen, '') <> coalesce(s.values_seen, '') then 'values_changed'
            when a.until < m.findings_at::date then 'term_ended'
            when a.correction_id is not null then 'still_there'
        end as returned_because
    from seen as s
    cross join moment as m
    left join answers as a on a.finding_id = s.finding_id
)

select
    j.finding_id, j.rule_id, j.level, j.severity,
    case
        when not j.is_present and j.correction_id is not null then 'corrected'
        when not j.is_present then 'gone'
        when j.returned_because is not null then 'returned'
        when j.answer is not null then 'answered'
        else 'open'
    end as state,
    j.returned_because, j.answer, j.reason, j.answered_by, j.answered_on, j.ignore_until, j.correction_id, j.first_seen, j.last_seen,
    j.ref_area, j.indicator, j.breakdown, j.currency_scope, j.transformation, j.prices, j.origin, j.freq, j.time_period, j.coverage,
    j.period_start, j.period_end, j.vintage_no, j.publication_id, j.file, j.sheet, j.cell,
    j.observed, j.expected, j.lower, j.upper, j.score, j.impact, j.values_seen,
    j.message_zh, j.message_en, j.suggestion_zh, j.suggestion_en
from judged as j
