-- (check, key) rows: a code that no list holds. Facts reach the mart through inner joins, so an unknown series, period or set of attributes
-- would drop the row without a word: the counts are compared. The two codes that the mart makes itself are looked at on the way; what series
-- and attributes name is looked up once each.
with statuses as materialized (
    select obs_status, obs_kind, count(*) as vintages from {{ ref('observation_vintages') }} group by obs_status, obs_kind
)

select 'rows_lost' as fault, (select count(*) from {{ ref('facts') }}) || ' facts, ' || coalesce(sum(vintages), 0) || ' rows' as fault_key
from statuses
having coalesce(sum(vintages), 0) <> (select count(*) from {{ ref('facts') }})
union all
select 'obs_status or obs_kind', obs_status || ' ' || obs_kind
from statuses
where obs_status not in ('A', 'P', 'E', 'M') or obs_kind not in ('observation', 'estimate')
{% for column, list in [('ref_area', 'cl_areas'), ('indicator', 'cl_indicators'), ('breakdown', 'cl_breakdowns'), ('unit_measure', 'cl_unit_measures')] %}
union all
select '{{ column }}', s.{{ column }}
from (select distinct {{ column }} from {{ ref('series') }}) as s
anti join {{ ref(list) }} as c on c.{{ column }} = s.{{ column }}
{% endfor %}
union all
select 'publication_id', a.publication_id
from (
    select distinct unnest([publication_id, first_publication_id]) as publication_id
    from {{ ref('vintage_attributes') }} where origin = 'printed'
) as a
anti join {{ ref('publications') }} as p on p.publication_id = a.publication_id
union all
select 'publisher', p.publication_id || ': ' || coalesce(p.publisher, '')
from {{ ref('publications') }} as p
anti join {{ ref('publishers') }} as u on u.publisher = p.publisher
union all
select 'target', t.target_id
from {{ ref('targets') }} as t
where t.ref_area not in (select ref_area from {{ ref('cl_areas') }})
    or t.indicator not in (select indicator from {{ ref('cl_indicators') }})
    or t.breakdown not in (select breakdown from {{ ref('cl_breakdowns') }})
    or t.plan_title_zh is null
