-- What the rules find in this build, a row a finding: levels outside the natural limits of their indicator.
with outside as (
    select v.*, i.lower_limit, i.upper_limit, i.name_zh, i.name_en
    from {{ ref('observation_vintages') }} as v
    inner join {{ ref('cl_indicators') }} as i using (indicator)
    where v.is_current and v.transformation = 'N' and (v.upper < i.lower_limit or v.lower > i.upper_limit)
),

placed as (
    select o.*, c.file, c.sheet, c.cell
    from outside as o
    left join (
        select vintage_id, publication_id, any_value({'file': file, 'sheet': sheet, 'cell': cell} order by file, sheet, cell) as address
        from {{ ref('printed_cells') }} where relation = 'represents' group by all
    ) as r on r.vintage_id = o.vintage_id and r.publication_id = o.publication_id,
    lateral (select r.address.file, r.address.sheet, r.address.cell) as c
)

select
    'natural_limits-' || left(md5(concat_ws('|', ref_area, indicator, breakdown, currency_scope, transformation, prices, origin, coalesce(period_start::varchar, ''), period_end)), 12) as finding_id,
    'natural_limits' as rule_id,
    1 as level,
    'high' as severity,
    ref_area, indicator, breakdown, currency_scope, transformation, prices, origin, freq, time_period, coverage, period_start, period_end,
    vintage_no, publication_id, file, sheet, cell,
    obs_value as observed,
    case when upper < lower_limit then lower_limit else upper_limit end as expected,
    lower_limit as lower,
    upper_limit as upper,
    null::double as score,
    '核对原件的符号与单位' as suggestion_zh,
    'Check sign and unit in the original' as suggestion_en,
    name_zh || ' ' || time_period || ' 为 ' || obs_value || '，超出自然界限' as message_zh,
    name_en || ' ' || time_period || ' is ' || obs_value || ', outside its natural limits' as message_en,
    obs_value::varchar as values_seen,
    null::double as impact
from placed
