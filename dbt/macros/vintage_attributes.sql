{# What is said of a vintage in words and codes (by whom, at which stage, by which formula, with which marks) repeats from vintage to vintage:
   `vintage_attributes` holds each combination once, `facts` its key. A key is a hash, as a series' is, so that either side makes it alone. #}

{% macro printed_attributes() -%}
    step, decimals, qualifier, stage, stage_basis, census_basis, is_official, known_after_basis, known_by_basis,
    publication_id, first_publication_id, marks
{%- endmacro %}

{% macro derived_attributes() -%}formula_id, census_basis, is_dated, marks{%- endmacro %}

{% macro attributes_id(origin, attributes) -%}hash('{{ origin }}', {{ attributes }}){%- endmacro %}
