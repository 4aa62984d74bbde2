{# Formulas of target tracking, each written once: the scalar macros of schema `methods` and the marts are made of the same text.
   Years are numbers and may have fractions (the end of 2023 is 2023, the end of September 2024 is 2023.75). Whatever can't be computed is NULL, never an error. #}

{# Compound rate from one value to another; NULL unless both make sense for a compound rate. #}
{% macro compound_rate(from_value, from_year, to_value, to_year) -%}
    (case when ({{ from_value }})::double > 0 and ({{ to_value }})::double >= 0 and ({{ to_year }})::double > ({{ from_year }})::double
          then pow(({{ to_value }})::double / ({{ from_value }})::double, 1 / (({{ to_year }})::double - ({{ from_year }})::double)) - 1 end)
{%- endmacro %}

{# A target of nought has no compound rate: it is taken as 0.001. #}
{% macro aimed_at(target_value) -%}
    (case when ({{ target_value }})::double = 0 then 0.001 else ({{ target_value }})::double end)
{%- endmacro %}

{# Why R can't be computed; NULL where it can. The order is the order in which a reader would ask. #}
{% macro progress_obstacle(base_value, base_year, current_value, current_year, target_value, target_year, direction) -%}
    (case
        when ({{ base_value }}) is null or ({{ base_year }}) is null then 'base_missing'
        when ({{ current_value }}) is null or ({{ current_year }}) is null then 'no_actual'
        when ({{ direction }}) is null or ({{ direction }})::double not in (-1, 1) then 'no_direction'
        when ({{ current_year }})::double = ({{ base_year }})::double then 'one_point'
        when ({{ current_year }})::double < ({{ base_year }})::double then 'base_after_current'
        when ({{ base_value }})::double <= 0 then 'zero_or_negative_base'
        when ({{ current_value }})::double < 0 then 'negative_current'
        when ({{ target_value }}) is null then null
        when ({{ target_year }}) is null or ({{ target_year }})::double <= ({{ base_year }})::double then 'target_not_after_base'
        when ({{ target_value }})::double < 0 then 'negative_target'
        when {{ aimed_at(target_value) }} = ({{ base_value }})::double then 'target_equals_base'
        when ({{ direction }})::double * ({{ aimed_at(target_value) }} - ({{ base_value }})::double) < 0 then 'target_met_at_base'
    end)
{%- endmacro %}

{# R = direction × observed rate / |required rate|; without a target the observed rate signed by the direction. `obstacle` is a column that
   holds the obstacle already, so that a long text does not stand in the SQL twice. #}
{% macro progress_ratio(base_value, base_year, current_value, current_year, target_value, target_year, direction, obstacle=none) -%}
    (case
        when {{ obstacle or progress_obstacle(base_value, base_year, current_value, current_year, target_value, target_year, direction) }} is not null then null
        else ({{ direction }})::double * {{ compound_rate(base_value, base_year, current_value, current_year) }}
            / (case when ({{ target_value }}) is null then 1.0
                    else abs({{ compound_rate(base_value, base_year, aimed_at(target_value), target_year) }}) end)
    end)
{%- endmacro %}

{# C = 1 − (base / limit)^4.44, between 0 and 1: near a limit that nature sets, even good progress is slow. #}
{% macro limit_factor(base_value, natural_limit) -%}
    (case when ({{ natural_limit }})::double > 0 and ({{ base_value }})::double > 0
          then greatest(0.0, 1 - pow(least(1.0, ({{ base_value }})::double / ({{ natural_limit }})::double), 4.44))
          else 1.0 end)
{%- endmacro %}

{# The class of R, which is named often: let `ratio` be a column. #}
{% macro progress_class(ratio, base_value, current_value, target_value, direction, natural_limit='null') -%}
    (case
        when {{ ratio }} is null then 'not_available'
        when ({{ target_value }}) is not null then case
            when ({{ direction }})::double * (({{ current_value }})::double - {{ aimed_at(target_value) }}) >= 0 then 'achieved'
            when {{ ratio }} >= 0.95 then 'on_track'
            when {{ ratio }} >= 0.60 then 'acceleration_needed'
            when {{ ratio }} >= 0 then 'limited'
            else 'deterioration' end
        when {{ ratio }} < 0 then 'deterioration'
        when {{ ratio }} >= 0.015 * {{ limit_factor(base_value, natural_limit) }} then 'on_track'
        when {{ ratio }} >= 0.005 * {{ limit_factor(base_value, natural_limit) }} then 'acceleration_needed'
        else 'limited'
    end)
{%- endmacro %}

{% macro progress_status(base_value, base_year, current_value, current_year, target_value, target_year, direction, natural_limit='null') -%}
    {{ progress_class(
        progress_ratio(base_value, base_year, current_value, current_year, target_value, target_year, direction),
        base_value, current_value, target_value, direction, natural_limit) }}
{%- endmacro %}

{# What is still needed a year: a compound rate, or with `linear` an amount (percentage points for a share). #}
{% macro required_rate(current_value, current_year, target_value, target_year, kind) -%}
    (case
        when ({{ target_year }})::double <= ({{ current_year }})::double then null
        when {{ kind }} = 'linear' then (({{ target_value }})::double - ({{ current_value }})::double) / (({{ target_year }})::double - ({{ current_year }})::double)
        when {{ kind }} = 'geometric' and ({{ target_value }})::double > 0 then {{ compound_rate(current_value, current_year, target_value, target_year) }}
    end)
{%- endmacro %}

{# The required trajectory at a year between base and target; nothing beyond them. #}
{% macro path_value(base_value, base_year, target_value, target_year, at_year, kind) -%}
    (case
        when ({{ target_year }})::double <= ({{ base_year }})::double or ({{ at_year }})::double < ({{ base_year }})::double
            or ({{ at_year }})::double > ({{ target_year }})::double then null
        when ({{ at_year }})::double = ({{ base_year }})::double then ({{ base_value }})::double
        when ({{ at_year }})::double = ({{ target_year }})::double then ({{ target_value }})::double
        when {{ kind }} = 'linear' then ({{ base_value }})::double + (({{ target_value }})::double - ({{ base_value }})::double)
            * (({{ at_year }})::double - ({{ base_year }})::double) / (({{ target_year }})::double - ({{ base_year }})::double)
        when {{ kind }} = 'geometric' and ({{ base_value }})::double > 0 and ({{ target_value }})::double > 0 then ({{ base_value }})::double
            * pow(({{ target_value }})::double / ({{ base_value }})::double, (({{ at_year }})::double - ({{ base_year }})::double) / (({{ target_year }})::double - ({{ base_year }})::double))
    end)
{%- endmacro %}

{# A day as a year with fractions: the last day of March is a quarter on, and so for every month's end. #}
{% macro year_position(day) -%}
    (year({{ day }}) + case when ({{ day }}) = last_day({{ day }}) then month({{ day }}) / 12.0
                            else dayofyear({{ day }}) / (case when year({{ day }}) % 4 = 0 and (year({{ day }}) % 100 <> 0 or year({{ day }}) % 400 = 0) then 366.0 else 365.0 end) end
        - 1)::double
{%- endmacro %}
