-- (check, key) rows: a mark whose bit in the macro is not its bit in the code list, or that only one of the two knows.
with coded(mark, bit) as (
    values
    {% for name, bit in mark_bits().items() %}
    ('{{ name }}', {{ bit }}){{ ',' if not loop.last }}
    {% endfor %}
)

select 'mark' as fault, coalesce(c.mark, s.mark) || ': ' || coalesce(c.bit::varchar, 'none') || ' in the macro, ' || coalesce(s.bit::varchar, 'none') || ' in the seed' as fault_key
from coded as c
full join {{ ref('cl_marks') }} as s on s.mark = c.mark
where c.bit is distinct from s.bit
union all
select 'not_one_bit', mark from coded where bit_count(bit) <> 1
