{# Which vintage of a figure speaks for it: one rule for today (`facts`) and for any day (`as_of`). #}

{% macro sound() %}4000000000000{% endmacro %}

{# No vintage for a figure that has a better one: on mixed census rounds, or without a value. #}
{% macro second_best(relation='') -%}({{ relation }}obs_value is null or {{ relation }}census_basis = -2){%- endmacro %}

{# One number to take the greatest of: no second best while there is better, then the order, then who says it: 0 a responsible publisher,
   1 we, 2 a claim or nothing. #}
{% macro vintage_rank(sequence, is_second_best, standing) -%}
    ((case when {{ is_second_best }} then 0 else {{ sound() }} end + {{ sequence }}) * 4 + {{ standing }})
{%- endmacro %}

{# The order within a rank. #}
{% macro sequence_of(rank) -%}(({{ rank }}) // 4) % {{ sound() }}{%- endmacro %}
