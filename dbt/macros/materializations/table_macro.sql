{# A model that becomes a DuckDB macro in the release: a parameterised view that analysts call or, with `kind: scalar`, a formula.
   Its references carry the catalog's name, so it works when the release is opened and when it is attached from another session. #}
{% materialization table_macro, adapter='duckdb' %}
    {%- set target_relation = this.incorporate(type='view') -%}
    {%- set scalar = config.get('kind') == 'scalar' -%}
    {{ run_hooks(pre_hooks) }}
    {% do create_schema(this) %}
    {% call statement('main') -%}
        create or replace macro {{ this.database }}.{{ this.schema }}.{{ this.identifier }}({{ config.require('parameters') }}) as
        {%- if scalar %} ({{ sql }}){% else %} table
        {{ sql }}{% endif %}
    {%- endcall %}
    {{ run_hooks(post_hooks) }}
    {{ adapter.commit() }}
    {{ return({'relations': []}) }}
{% endmaterialization %}
