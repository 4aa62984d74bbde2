-- (check, key) rows: a coded column holds what its description doesn't name. Codes stand in the dictionaries that facts are keyed by, once
-- each; the two that `observation_vintages` makes of a figure's value and marks are looked at in `codes_exist`.
{% set allowed = {
    'vintage_attributes': {
        'origin': ['printed', 'derived'],
        'qualifier': ['about', 'over', 'below', 'nearly'],
        'stage': ['first', 'final', 'census'],
        'stage_basis': ['printed', 'inferred'],
        'known_after_basis': ['period', 'printed', 'page', 'snapshot', 'commit'],
        'known_by_basis': ['printed', 'page', 'snapshot', 'commit', 'stage', 'inputs']
    },
    'time_periods': {
        'freq': ['A', 'S', 'Q', 'M', 'D'],
        'coverage': ['period', 'year-to-date', 'last twelve months', 'end of period', 'span']
    },
    'series': {
        'currency_scope': ['all', 'cny', 'fx', '_U', '_Z'],
        'transformation': ['N', 'G1Y', 'D1Y', 'DYS', 'DDY', 'AVG'],
        'prices': ['current', 'constant', '_Z']
    },
    'prints': {
        'relation': ['represents', 'agrees', 'ambiguous', 'contradicts'],
        'stage': ['first', 'final', 'census']
    },
    'gaps': {
        'gap': ['never seen', 'hole', 'not since']
    }
} %}
{% for relation, columns in allowed.items() %}
{% for column, values in columns.items() %}
select '{{ column }}' as fault, {{ column }} as fault_key
from {{ ref(relation) }}
where {{ column }} not in ('{{ values | join("', '") }}')
group by {{ column }}
union all
{% endfor %}
{% endfor %}
-- -2 stands for mixed, -1 for unknown
select 'census_basis', census_basis::varchar
from {{ ref('vintage_attributes') }}
where census_basis not in (-2, -1) and census_basis::varchar not in (select census_round::varchar from {{ ref('census_rounds') }})
group by census_basis
union all
-- a label must be there for people, and mean one span
select 'time_period', concat_ws('/', freq, time_period, coverage, count(*))
from {{ ref('time_periods') }}
group by freq, time_period, coverage, (coverage = 'span')
having time_period is null or (count(*) > 1 and coverage <> 'span')
union all
select 'mark', m.mark
from (select distinct unnest(string_split(marks, ', ')) as mark from {{ ref('mark_sets') }} where marks <> '') as m
anti join {{ ref('cl_marks') }} as k on k.mark = m.mark
