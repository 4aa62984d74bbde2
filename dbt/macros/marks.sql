{# Marks travel as bits, so that a result's marks are the bitwise or of its inputs'. Names and texts are in the seed `marks`;
   the test `marks_seed_matches_macro` holds the two together. #}
{% macro mark_bits() %}
    {{ return({
        'claim': 1, 'quotation': 2, 'scope_assumed': 4, 'mixed_basis': 8, 'basis_unknown': 16, 'coarse': 32, 'estimate': 64,
        'corrected': 128, 'as_of_publication': 256, 'period_inferred': 512, 'area_code_later': 1024, 'open_interval': 2048,
        'date_by_stage': 4096, 'undated': 8192, 'stage_inferred': 16384, 'column_precision': 32768,
        'basis_noted': 65536, 'hidden': 131072}) }}
{% endmacro %}

{% macro mark(name) -%}{{ mark_bits()[name] }}{%- endmacro %}
