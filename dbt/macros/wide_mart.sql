{# One row an area and period of a theme, a column an indicator: the model's columns in _themes.yml say what each holds (`meta`), so
   that a column more is a line of YAML. Only headline levels, and growth by where it comes from. Stocks stand beside each flow of the
   period that they end; a period with stocks alone has `coverage` 'end of period'. Figures are brought into columns by their integer
   keys; names come to the rows that are left. #}
{% macro wide_mart() %}
{%- set filled = [] -%}
{%- for column in model.columns.values() if column.config.meta.get('indicator') -%}{%- do filled.append(column) -%}{%- endfor -%}
with filled(column_no, indicator, transformation, origin) as (
    values
    {% for column in filled -%}
    {%- set growth = column.config.meta.get('growth') -%}
    ({{ loop.index }}, '{{ column.config.meta.indicator }}', '{{ 'G1Y' if growth else 'N' }}', {{ "'" ~ growth ~ "'" if growth else 'null' }}){{ ',' if not loop.last }}
    {% endfor %}
),

-- which series and origin fills which column
members as (
    select s.series_id, s.ref_area, s.currency_scope, s.transformation, c.origin, c.column_no
    from {{ ref('series') }} as s
    inner join filled as c on c.indicator = s.indicator and c.transformation = s.transformation
    where s.breakdown = '_T'
),

periods as (
    select period_key, freq, time_period, period_end, coverage, dense_rank() over (order by freq, time_period, period_end) as label_no
    from {{ ref('time_periods') }}
    where coverage <> 'span'
),

-- one row an area, scope and span, stocks at their day apart
spans as (
    select
        m.ref_area, m.currency_scope, f.period_key
        {%- for column in filled %},
        max(case when m.column_no = {{ loop.index }} then f.obs_value end) as {{ column.name }}
        {%- endfor %}
    from {{ ref('facts') }} as f
    inner join members as m on m.series_id = f.series_id
    inner join {{ ref('vintage_attributes') }} as a on a.attributes_id = f.attributes_id
    where (m.transformation = 'N' and f.is_headline) or (f.is_preferred and a.origin = m.origin)
    group by m.ref_area, m.currency_scope, f.period_key
),

labelled as (
    select s.*, p.label_no, p.coverage = 'end of period' as is_stock
    from spans as s
    inner join periods as p on p.period_key = s.period_key
),

combined as (
    select
        f.ref_area, f.currency_scope, f.period_key
        {%- for column in filled %}, greatest(f.{{ column.name }}, s.{{ column.name }}) as {{ column.name }}{%- endfor %}
    from labelled as f
    left join labelled as s on s.is_stock and s.ref_area = f.ref_area and s.currency_scope = f.currency_scope and s.label_no = f.label_no
    where not f.is_stock
    union all
    select
        s.ref_area, s.currency_scope, s.period_key
        {%- for column in filled %}, s.{{ column.name }}{%- endfor %}
    from labelled as s
    anti join labelled as f on not f.is_stock and f.ref_area = s.ref_area and f.currency_scope = s.currency_scope and f.label_no = s.label_no
    where s.is_stock
)

select
    c.ref_area, a.name_zh as area_name_zh, a.name_en as area_name_en, c.currency_scope, p.freq, p.time_period, p.coverage, p.period_end
    {%- for column in filled %}, c.{{ column.name }}{%- endfor %}
from combined as c
inner join periods as p on p.period_key = c.period_key
inner join {{ ref('cl_areas') }} as a on a.ref_area = c.ref_area
{% endmacro %}
