{# Nearly every reading represents a vintage of its own; what it does else is a row of `int_reading_exceptions`, left joined as `exception`. #}

{% macro reading_relation(exception) -%}coalesce({{ exception }}.relation, 'represents'){%- endmacro %}

{# Null where it fits several vintages. #}
{% macro vintage_reading_no(reading_no, exception) -%}
    case when {{ exception }}.reading_no is null then {{ reading_no }} else {{ exception }}.vintage_reading_no end
{%- endmacro %}
