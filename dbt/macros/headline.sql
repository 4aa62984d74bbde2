{# Which vintage of a figure speaks for it: one rule for today (`facts`) and for any day (`as_of`). #}

{% macro sound() %}4000000000000{% endmacro %}

{# One number to take the greatest of: no second best (mixed census rounds, no value) while there is better, then the order, then who
   says it: 0 a responsible publisher, 1 we, 2 a claim or nothing. #}
{% macro vintage_rank(sequence, is_second_best, standing) -%}
    ((case when {{ is_second_best }} then 0 else {{ sound() }} end + {{ sequence }}) * 4 + {{ standing }})
{%- endmacro %}
