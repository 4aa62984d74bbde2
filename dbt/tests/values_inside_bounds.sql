-- (check, key) rows: a value outside its own interval, or no finite number at all.
{% set slack = '1e-12 * greatest(abs(f.obs_value), 1)' %}
with faults as (
    select f.vintage_id, unnest([
            case when f.obs_value < f.lower - {{ slack }} or f.obs_value > f.upper + {{ slack }} then 'outside_bounds' end,
            case when not isfinite(f.obs_value) or not isfinite(f.lower) or not isfinite(f.upper) then 'not_finite' end,
            case when a.origin = 'printed' and f.obs_value is null then 'printed_without_value' end,
            -- an open side says so, in the qualifier of a print and in the marks of whatever uses it
            case when a.origin = 'printed' and f.obs_value is not null and (f.lower is null or f.upper is null)
                    and (a.marks & {{ mark('open_interval') }}) = 0 then 'open_side_unmarked' end
        ]) as fault
    from {{ ref('facts') }} as f
    inner join {{ ref('vintage_attributes') }} as a on a.attributes_id = f.attributes_id
    -- a value between two finite bounds, as nearly all are, is none of these
    where not (f.obs_value between f.lower and f.upper and isfinite(f.lower) and isfinite(f.upper)) is true
)

select fault, vintage_id::varchar as fault_key from faults where fault is not null
union all
select 'cell_outside_bounds', c.file || '!' || coalesce(c.cell, '')
from {{ ref('prints') }} as f
inner join {{ ref('cells') }} as c on c.cell_no = f.cell_no
where f.obs_value < f.lower - {{ slack }} or f.obs_value > f.upper + {{ slack }}
