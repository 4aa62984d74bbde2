{# Printed numbers as exact decimals and intervals. A figure is `mantissa` × 10^`exponent`; one multiplication or division by
   an exact power of ten gives the double nearest to the decimal. #}

{% macro scaled(mantissa, exponent) -%}
    (case when {{ exponent }} >= 0 then ({{ mantissa }})::double * pow(10.0, {{ exponent }})
          else ({{ mantissa }})::double / pow(10.0, -({{ exponent }})) end)
{%- endmacro %}

{# `width` is the printed interval's whole width in units of the last digit of `mantissa`: 1 for an exact print (half a unit either
   way), 2 × what the source rounds to for 约; 超 is open above, 近 and 以下 are open below. #}
{% macro printed_lower(mantissa, exponent, qualifier, width) -%}
    (case {{ qualifier }}
        when 'below' then null
        when 'nearly' then null
        when 'over' then {{ scaled(mantissa, exponent) }}
        else {{ scaled('2 * (' ~ mantissa ~ ') - ' ~ width, exponent) }} / 2 end)
{%- endmacro %}

{% macro printed_upper(mantissa, exponent, qualifier, width) -%}
    (case {{ qualifier }}
        when 'over' then null
        when 'below' then {{ scaled(mantissa, exponent) }}
        when 'nearly' then {{ scaled(mantissa, exponent) }}
        else {{ scaled('2 * (' ~ mantissa ~ ') + ' ~ width, exponent) }} / 2 end)
{%- endmacro %}

{# Strict overlap of two printed intervals (neighbouring roundings only touch), with a relative slack of 1e-12. #}
{% macro overlaps(a_lower, a_upper, b_lower, b_upper) -%}
    ({{ a_lower }} < {{ b_upper }} - 1e-12 * abs({{ b_upper }}) and {{ b_lower }} < {{ a_upper }} - 1e-12 * abs({{ a_upper }}))
{%- endmacro %}

{% macro no_lower() %}'-infinity'::double{% endmacro %}
{% macro no_upper() %}'infinity'::double{% endmacro %}
