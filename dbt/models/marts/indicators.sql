select
    i.indicator, i.name_zh, i.name_en, i.definition_zh, i.definition_en, i.theme, i.kind, i.span,
    i.unit_measure, i.unit_mult, u.name_zh as unit_name_zh, u.name_en as unit_name_en,
    i.polarity, i.lower_limit, i.upper_limit,
    i.growth_prices, i.growth_computed, i.census_revised, i.scoped, i.parent, i.planned, i.hazards,
    f.formula_zh, f.formula_en
from {{ ref('cl_indicators') }} as i
left join {{ ref('cl_unit_measures') }} as u using (unit_measure)
left join (
    select indicator, arg_min(description_zh, formula_id) as formula_zh, arg_min(description_en, formula_id) as formula_en
    from {{ ref('formulas') }} group by indicator
) as f using (indicator)
