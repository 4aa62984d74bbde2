-- Thresholds of the rules for each indicator: its own row of the seed before the common one.
select
    i.indicator, t.rule_id, t.parameter,
    arg_min(t.value, (t.indicator = '*')::integer) as value,
    arg_min(t.absolute_floor, (t.indicator = '*')::integer) as absolute_floor
from {{ ref('rule_thresholds') }} as t
inner join {{ ref('cl_indicators') }} as i on t.indicator in ('*', i.indicator)
group by all
