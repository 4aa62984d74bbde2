{# Tables of a candidate that is always new: made once under their own name. dbt's own way makes a table under another name, asks for its
   columns twice, and renames: half of a small build. The contract is held on the table itself: its columns, their types, no null where
   none may be. #}
{% materialization table, adapter='duckdb' %}
    {%- set target_relation = this.incorporate(type='table') -%}
    {{ run_hooks(pre_hooks) }}
    {% call statement('main') -%}
        create or replace table {{ target_relation }} as (
        {{ compiled_code }}
        )
    {%- endcall %}
    {% if config.get('contract').enforced %}{% do hold_contract(target_relation, model.columns.values() | list) %}{% endif %}
    {% do comment_on(target_relation, model) %}
    {{ run_hooks(post_hooks) }}
    {{ adapter.commit() }}
    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}


{% macro hold_contract(relation, columns) %}
    {%- set found = {} -%}
    {%- set rows = run_query("select column_name, lower(data_type) from duckdb_columns() where database_name = '" ~ relation.database ~ "' and schema_name = '"
        ~ relation.schema ~ "' and table_name = '" ~ relation.identifier ~ "'") -%}
    {%- for row in rows %}{% do found.update({row[0]: row[1]}) %}{% endfor -%}
    {%- set faults = [] -%}
    {%- for column in columns -%}
        {%- if found.get(column.name) is none -%}{% do faults.append(column.name ~ ' is declared and missing') %}
        {%- elif found[column.name] != column.data_type | lower -%}{% do faults.append(column.name ~ ' is ' ~ found[column.name] ~ ', declared ' ~ column.data_type) %}
        {%- endif -%}
    {%- endfor -%}
    {%- for name in found if name not in columns | map(attribute='name') | list -%}{% do faults.append(name ~ ' is not declared') %}{%- endfor -%}
    {%- set required = [] -%}
    {%- for column in columns if column.constraints | selectattr('type', 'equalto', 'not_null') | list -%}{% do required.append(column.name) %}{%- endfor -%}
    {%- if required and not faults -%}
        {%- set nulls = run_query('select ' ~ required | join(' is null or ') ~ ' is null as broken, count(*) from ' ~ relation ~ ' group by 1 having broken') -%}
        {%- if nulls | length > 0 -%}{% do faults.append(nulls[0][1] ~ ' row(s) without ' ~ required | join(' or ')) %}{%- endif -%}
    {%- endif -%}
    {%- if faults -%}{{ exceptions.raise_compiler_error('contract of ' ~ relation.identifier ~ ': ' ~ faults | join('; ')) }}{%- endif -%}
{% endmacro %}


{% macro comment_on(relation, model) %}
    {%- if config.persist_relation_docs() and model.description -%}
        {%- set comments -%}
            comment on {{ relation.type }} {{ relation }} is {{ duckdb_escape_comment(model.description) }};
            {% for column in model.columns.values() if column.description and config.persist_column_docs() -%}
            comment on column {{ relation }}.{{ adapter.quote(column.name) }} is {{ duckdb_escape_comment(column.description) }};
            {% endfor %}
        {%- endset -%}
        {% do run_query(comments) %}
    {%- endif -%}
{% endmacro %}
