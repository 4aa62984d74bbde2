-- Levels of which several things are said: within what they lie. Prints of one standing that differ by half make the figure no witness for others; a claim
-- does not shake a responsible print.
select
    series_id, period_key, any_value(year) as year, any_value({{ rhythm() }}) as rhythm,
    max(obs_value) filter (where is_current) as value, min(obs_value) as least, max(obs_value) as most,
    coalesce(max(obs_value) filter (where is_official), max(obs_value)) > 1.5 * coalesce(min(obs_value) filter (where is_official), min(obs_value)) as is_contested,
    bool_or({{ is_compared() }}) as is_compared
from {{ ref('quality_figures') }}
where not is_alone and is_level and obs_value > 0
group by series_id, period_key
