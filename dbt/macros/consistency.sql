{# Printed figures against each other: interval tests with three answers, and outlier scores. Written once, used by the scalar and
   table macros of schema `methods` and by the models of `quality`. #}

{# Half of the last printed unit. Without decimals the value is no rounded print but exact. #}
{% macro half_unit(decimals) -%}
    coalesce(0.5 * pow(10.0, -({{ decimals }})), 0.0)
{%- endmacro %}

{# What a printed figure allows, [printed_lo, printed_hi], against what the others imply, [implied_lo, implied_hi]. Closed intervals that
   touch agree (slack 1e-12, relative); intervals apart contradict, however wide. What agrees but is wider than a tenth of the value,
   and wider than the printed digits themselves, would have agreed with nearly anything: uninformative, as is an open side (null). #}
{% macro verdict(value, printed_lo, printed_hi, implied_lo, implied_hi) -%}
    (case
        when ({{ printed_lo }}) is null or ({{ printed_hi }}) is null or ({{ implied_lo }}) is null or ({{ implied_hi }}) is null then 'uninformative'
        when ({{ implied_lo }}) > ({{ printed_hi }}) + 1e-12 * greatest(abs({{ printed_hi }}), abs({{ implied_lo }}))
            or ({{ implied_hi }}) < ({{ printed_lo }}) - 1e-12 * greatest(abs({{ printed_lo }}), abs({{ implied_hi }})) then 'inconsistent'
        when (({{ implied_hi }}) - ({{ implied_lo }})) > greatest(0.1 * abs({{ value }}), ({{ printed_hi }}) - ({{ printed_lo }})) * (1 + 1e-9) then 'uninformative'
        else 'consistent'
    end)
{%- endmacro %}

{# One end of 100 × a / b for rounded a and b; null where b may be nought or less. #}
{% macro quotient_end(pick, a, a_decimals, b, b_decimals) -%}
    (case when ({{ b }})::double - {{ half_unit(b_decimals) }} > 0 then {{ pick }}(
        100 * (({{ a }})::double {{ '-' if pick == 'least' else '+' }} {{ half_unit(a_decimals) }}) / (({{ b }})::double - {{ half_unit(b_decimals) }}),
        100 * (({{ a }})::double {{ '-' if pick == 'least' else '+' }} {{ half_unit(a_decimals) }}) / (({{ b }})::double + {{ half_unit(b_decimals) }})) end)
{%- endmacro %}

{# A share in per cent: numerator over denominator. #}
{% macro share_consistent(share, share_decimals, numerator, numerator_decimals, denominator, denominator_decimals) -%}
    {{ verdict(
        '(' ~ share ~ ')::double',
        '(' ~ share ~ ')::double - ' ~ half_unit(share_decimals),
        '(' ~ share ~ ')::double + ' ~ half_unit(share_decimals),
        quotient_end('least', numerator, numerator_decimals, denominator, denominator_decimals),
        quotient_end('greatest', numerator, numerator_decimals, denominator, denominator_decimals)) }}
{%- endmacro %}

{# Growth in per cent. Both sides are compared as 100 + growth, so that nothing cancels; the width is still held against the growth itself. #}
{% macro growth_consistent(growth, growth_decimals, current_value, current_decimals, previous_value, previous_decimals) -%}
    {{ verdict(
        '(' ~ growth ~ ')::double',
        '100 + (' ~ growth ~ ')::double - ' ~ half_unit(growth_decimals),
        '100 + (' ~ growth ~ ')::double + ' ~ half_unit(growth_decimals),
        quotient_end('least', current_value, current_decimals, previous_value, previous_decimals),
        quotient_end('greatest', current_value, current_decimals, previous_value, previous_decimals)) }}
{%- endmacro %}

{# The sum in decimal; a part without a value leaves the sum open. `parts_decimals` null: all parts exact. #}
{% macro exact_sum(parts) -%}
    (case when list_count({{ parts }}) = len({{ parts }}) then list_sum(list_transform({{ parts }}, lambda part: part::decimal(38, 10)))::double end)
{%- endmacro %}
{% macro half_units(parts, parts_decimals) -%}
    (case
        when {{ parts_decimals }} is null then 0.0
        when len({{ parts_decimals }}) = len({{ parts }}) then list_sum(list_transform({{ parts_decimals }}, lambda places: {{ half_unit('places') }}))
        else error('parts and parts_decimals must be lists of one length')
    end)
{%- endmacro %}

{% macro sum_consistent(total, total_decimals, parts, parts_decimals) -%}
    {{ verdict(
        '(' ~ total ~ ')::double',
        '(' ~ total ~ ')::double - ' ~ half_unit(total_decimals),
        '(' ~ total ~ ')::double + ' ~ half_unit(total_decimals),
        exact_sum(parts) ~ ' - ' ~ half_units(parts, parts_decimals),
        exact_sum(parts) ~ ' + ' ~ half_units(parts, parts_decimals)) }}
{%- endmacro %}

{# The median of up to four values, nulls left out: what `list_median` gives, without a list a row. Of two sorted pairs the middle two are the greater
   of the lower ends and the lesser of the upper ends; three values have one in the middle. #}
{% macro median_of_four(a, b, c, d) -%}
    (case
        when ({{ a }} is null) <> ({{ b }} is null) and {{ c }} is not null and {{ d }} is not null
            then greatest(least({{ c }}, {{ d }}), least(greatest({{ c }}, {{ d }}), {{ a }}, {{ b }}))
        when ({{ c }} is null) <> ({{ d }} is null) and {{ a }} is not null and {{ b }} is not null
            then greatest(least({{ a }}, {{ b }}), least(greatest({{ a }}, {{ b }}), {{ c }}, {{ d }}))
        else (greatest(least({{ a }}, {{ b }}), least({{ c }}, {{ d }})) + least(greatest({{ a }}, {{ b }}), greatest({{ c }}, {{ d }}))) / 2
    end)
{%- endmacro %}
