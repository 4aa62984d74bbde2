-- (check, key) rows: a formula longer than the engine was built for would lose its last terms without a word.
select 'too_long' as fault, formula_id || ': ' || count(*) || ' terms, longest_formula is {{ var("longest_formula") }}' as fault_key
from {{ ref('formula_terms') }}
group by formula_id having count(*) > {{ var('longest_formula') }}
union all
select 'no_numerator', f.formula_id
from {{ ref('formulas') }} as f
anti join {{ ref('formula_terms') }} as t on t.formula_id = f.formula_id and t.side = 'numerator'
union all
-- the engine joins inputs through these links only
select 'link_unknown', t.formula_id || ': ' || t.span || case when t.lag > 0 then '_' || t.lag else '' end
from {{ ref('formula_terms') }} as t
where t.span || case when t.lag > 0 then '_' || t.lag else '' end not in ('same', 'same_1', 'end', 'end_1', 'ltm', 'ltm_1', 'year', 'year_1')
union all
-- two formulas for one series would both claim to be the derived figure
select 'two_formulas', concat_ws('/', indicator, breakdown, currency_scope, transformation, prices)
from {{ ref('formulas') }}
where formula_id not in (select formula_id from {{ ref('formula_terms') }} where area_scope like 'group:%')
group by indicator, breakdown, currency_scope, transformation, prices having count(*) > 1
