{# Narrow integer keys, mapped once: a series is its whole key, a period is its span. Both can be computed on either side of a
   join, so no dictionary has to be looked up on a hot path. #}

{% macro series_id(ref_area, indicator, breakdown, currency_scope, transformation, prices) -%}
    hash({{ ref_area }}, {{ indicator }}, {{ breakdown }}, {{ currency_scope }}, {{ transformation }}, {{ prices }})
{%- endmacro %}

{# Days since 1900 of the end, then the length in days; 0 for a stock at its day. #}
{% macro period_key(period_start, period_end) -%}
    ((({{ period_end }}) - date '1900-01-01')::bigint * 100000 + coalesce(({{ period_end }}) - ({{ period_start }}) + 1, 0)::bigint)
{%- endmacro %}

{# A printed figure: its cell, and the part of it that it is. For joins within one build. #}
{% macro print_no(cell_no, part) -%}(({{ cell_no }}) * 1000 + ({{ part }})){%- endmacro %}

{# What is printed of a figure: its series, its period and the interval of what rounds to the print. #}
{% macro reading_no(series_id, period_key, lo, hi) -%}
    hash({{ series_id }}, {{ period_key }}, {{ lo }}, {{ hi }})
{%- endmacro %}

{# The same day `years` earlier; the last day of a month stays the last day. #}
{% macro years_before(day, years) -%}
    (case when ({{ day }}) = last_day({{ day }}) then last_day((({{ day }}) - interval ({{ years }}) year)::date)
          else (({{ day }}) - interval ({{ years }}) year)::date end)
{%- endmacro %}

{% macro forever() %}date '9999-12-31'{% endmacro %}
{% macro beginning() %}date '0001-01-01'{% endmacro %}

{# Order of a result among the vintages of its figure: by the day it comes into force. #}
{% macro day_sequence(day) -%}(({{ day }}) - {{ beginning() }})::bigint{%- endmacro %}
