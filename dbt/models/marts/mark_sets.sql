-- Marks as text, once per combination that occurs.
with combinations as (
    select distinct marks as bits from {{ ref('vintage_attributes') }}
    union
    select distinct marks from {{ ref('int_prints') }}
)

select c.bits::integer as bits, coalesce(string_agg(m.mark, ', ' order by m.bit), '') as marks
from combinations as c
left join {{ ref('cl_marks') }} as m on (c.bits & m.bit) = m.bit
group by c.bits
