{# One row an area and period of a theme, a column an indicator: the model's columns in _themes.yml say what each holds (`meta`), so
   that a column more is a line of YAML. Only headline levels, and growth by where it comes from. Stocks stand beside each flow of the
   period that they end; a period with stocks alone has `coverage` 'end of period'. #}
{% macro wide_mart() %}
{%- set filled = [] -%}
{%- for column in model.columns.values() if column.config.meta.get('indicator') -%}{%- do filled.append(column) -%}{%- endfor -%}
{%- set indicators = filled | map(attribute='config') | map(attribute='meta') | map(attribute='indicator') | unique | list -%}
with figures as (
    select
        v.ref_area, v.currency_scope, v.freq, v.time_period, v.period_end, v.coverage, v.indicator, v.transformation, v.origin, v.obs_value,
        v.coverage = 'end of period' as is_stock
    from {{ ref('observation_vintages') }} as v
    where v.indicator in ('{{ indicators | join("', '") }}') and v.breakdown = '_T' and v.coverage <> 'span'
        and ((v.transformation = 'N' and v.is_headline) or (v.transformation = 'G1Y' and v.is_preferred and v.is_current))
),

keys as (
    select distinct ref_area, currency_scope, freq, time_period, period_end, coverage from figures where not is_stock
    union all
    select distinct s.ref_area, s.currency_scope, s.freq, s.time_period, s.period_end, s.coverage
    from figures as s
    anti join figures as f
        on f.ref_area = s.ref_area and f.currency_scope = s.currency_scope and f.freq = s.freq and f.time_period = s.time_period
        and f.period_end = s.period_end and not f.is_stock
    where s.is_stock
)

select
    k.ref_area, a.name_zh as area_name_zh, a.name_en as area_name_en, k.currency_scope, k.freq, k.time_period, k.coverage, k.period_end
    {%- for column in filled %}
    {%- set meta = column.config.meta %},
    max(f.obs_value) filter (
        where f.indicator = '{{ meta.indicator }}' and
        {%- if meta.growth is defined %} f.transformation = 'G1Y' and f.origin = '{{ meta.growth }}'
        {%- else %} f.transformation = 'N'
        {%- endif %}
    ) as {{ column.name }}
    {%- endfor %}
from keys as k
inner join figures as f
    on f.ref_area = k.ref_area and f.currency_scope = k.currency_scope and f.freq = k.freq and f.time_period = k.time_period
    and f.period_end = k.period_end and (f.is_stock or f.coverage = k.coverage)
inner join {{ ref('cl_areas') }} as a on a.ref_area = k.ref_area
group by all
{% endmacro %}
