-- (check, key) rows: a coded column holds what its description doesn't name.
{% set allowed = {
    'origin': ['printed', 'derived'],
    'freq': ['A', 'S', 'Q', 'M', 'D'],
    'coverage': ['period', 'year-to-date', 'last twelve months', 'end of period', 'span'],
    'currency_scope': ['all', 'cny', 'fx', '_U', '_Z'],
    'transformation': ['N', 'G1Y', 'D1Y', 'DYS', 'DDY', 'AVG'],
    'prices': ['current', 'constant', '_Z'],
    'qualifier': ['about', 'over', 'below', 'nearly'],
    'obs_status': ['A', 'P', 'E', 'M'],
    'obs_kind': ['observation', 'estimate'],
    'stage': ['first', 'final', 'census'],
    'stage_basis': ['printed', 'inferred'],
    'known_after_basis': ['period', 'printed', 'page', 'snapshot', 'commit'],
    'known_by_basis': ['printed', 'page', 'snapshot', 'commit', 'stage', 'inputs']
} %}
{% for column, values in allowed.items() %}
select '{{ column }}' as fault, {{ column }} as fault_key
from {{ ref('observation_vintages') }}
where {{ column }} not in ('{{ values | join("', '") }}')
group by {{ column }}
union all
{% endfor %}
select 'census_basis', census_basis
from {{ ref('observation_vintages') }}
where census_basis not in ('mixed', 'unknown')
    and census_basis not in (select census_round::varchar from {{ ref('census_rounds') }})
group by census_basis
union all
select 'relation', relation
from {{ ref('printed_cells') }}
where relation not in ('represents', 'agrees', 'ambiguous', 'contradicts')
group by relation
union all
select 'gap', gap from {{ ref('gaps') }} where gap not in ('never seen', 'hole', 'not since') group by gap
union all
-- a label must be there for people, and mean one span
select 'time_period', concat_ws('/', freq, time_period, coverage, count(*))
from {{ ref('time_periods') }}
group by freq, time_period, coverage, (coverage = 'span')
having time_period is null or (count(*) > 1 and coverage <> 'span')
union all
select 'mark', m.mark
from (select distinct unnest(string_split(marks, ', ')) as mark from {{ ref('observation_vintages') }} where marks <> '') as m
anti join {{ ref('cl_marks') }} as k on k.mark = m.mark
