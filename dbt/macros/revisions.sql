{# Measures of revision, r = final − release, for pairs (group columns, time_period, value_then, value_final): written once, used by
   the table macro `methods.revision_statistics` and by the mart of that name. #}

{# Two-sided p of Student's t for a whole number of degrees of freedom: the regularised incomplete beta function I(ν/(ν+t²); ν/2, ½)
   is then a finite sum (Abramowitz and Stegun 26.7.3 and 26.7.4), so nothing is approximated but the double itself. #}
{% macro t_two_sided(t, df) -%}
    (case
        when ({{ t }}) is null or ({{ df }}) is null or ({{ df }}) < 1 then null
        when isinf(({{ t }})::double) then 0.0
        when ({{ df }}) = 1 then 1 - 2 / pi() * atan(abs(({{ t }})::double))
        when ({{ df }}) % 2 = 0 then greatest(0.0, 1 - abs(({{ t }})::double) / sqrt(({{ df }}) + pow(({{ t }})::double, 2)) * list_sum(list_transform(
            range((({{ df }}) // 2)::bigint),
            lambda k: exp(lgamma(k + 0.5) - lgamma(k + 1.0) - ln(sqrt(pi()))) * pow(({{ df }}) / (({{ df }}) + pow(({{ t }})::double, 2)), k))))
        else greatest(0.0, 1 - 2 / pi() * (
            atan(abs(({{ t }})::double) / sqrt(({{ df }})::double))
            + abs(({{ t }})::double) * sqrt(({{ df }})::double) / (({{ df }}) + pow(({{ t }})::double, 2)) * list_sum(list_transform(
                range(((({{ df }}) - 1) // 2)::bigint),
                lambda k: exp(lgamma(k + 1.0) + ln(sqrt(pi()) / 2) - lgamma(k + 1.5)) * pow(({{ df }}) / (({{ df }}) + pow(({{ t }})::double, 2)), k)))))
    end)
{%- endmacro %}

{# `groups`: the columns that name a group; `also`: further aggregates of the pairs. U2 compares each period with the final of the one before it in
   the same group. #}
{% macro revision_measures(pairs, groups, also=none) %}
    select
        {{ groups }},
        {% if also %}{{ also }},{% endif %}
        count(*)::integer as n,
        avg(r) as mean_revision,
        case when count(*) >= 8 and (stddev_samp(r) > 0 or avg(r) <> 0)
            then {{ t_two_sided("case when stddev_samp(r) > 0 then avg(r) / (stddev_samp(r) / sqrt(count(*))) else 'infinity'::double end", "count(*) - 1") }}
        end as p_value,
        avg(abs(r)) as mean_absolute_revision,
        min(r) as minimum,
        max(r) as maximum,
        stddev_samp(r) as standard_deviation,
        case when stddev_samp(value_final) > 0 then stddev_samp(r) / stddev_samp(value_final) end as noise_to_signal,
        case when avg(value_final * value_final) + avg(value_then * value_then) > 0
            then sqrt(avg(r * r)) / (sqrt(avg(value_final * value_final)) + sqrt(avg(value_then * value_then))) end as theil_u1,
        case when sum(pow((value_final - final_before) / final_before, 2)) > 0
            then sqrt(sum(pow((value_then - value_final) / final_before, 2))) / sqrt(sum(pow((value_final - final_before) / final_before, 2))) end as theil_u2,
        avg(case when value_then <> 0 then 100 * (value_final - value_then) / value_then end) as mean_relative_revision,
        avg(case when value_then <> 0 then abs(100 * (value_final - value_then) / value_then) end) as mean_absolute_relative_revision,
        case when sum(abs(value_final)) > 0 then sum(abs(r)) / sum(abs(value_final)) end as relative_mean_absolute_revision,
        -- how often the change on the period before has the sign that the final gives it
        avg(case when then_before is not null then (sign(value_then - then_before) = sign(value_final - final_before))::integer end) as sign_agreement
    from (
        select
            *,
            value_final - value_then as r,
            nullif(lag(value_final) over in_time, 0) as final_before,
            lag(value_then) over in_time as then_before
        from {{ pairs }}
        window in_time as (partition by {{ groups }} order by time_period)
    ) as revised
    group by {{ groups }}
{% endmacro %}

{# A census round in words: -2 where inputs stand on several, -1 where it can't be told. #}
{% macro census_basis_text(basis) -%}
    (case {{ basis }} when -2 then 'mixed' when -1 then 'unknown' else ({{ basis }})::varchar end)
{%- endmacro %}
