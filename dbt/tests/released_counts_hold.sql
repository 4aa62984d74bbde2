-- (check, key) rows: a count that the release tells of itself and that its marts don't hold.
with told as (
    select cells, accepted, figures, refused, other_kinds from {{ ref('release') }}
),

held as (
    select
        (select count(*) from {{ ref('cells') }}) as cells,
        (select count(distinct cell_no) from {{ ref('prints') }}) as accepted,
        (select count(*) from {{ ref('printed_cells') }}) as figures,
        (select count(*) from {{ ref('rejected_cells') }} where kind = 'refused') as refused,
        (select count(*) from {{ ref('rejected_cells') }} where kind = 'other_kind') as other_kinds
)

{% for count in ['cells', 'accepted', 'figures', 'refused', 'other_kinds'] -%}
select '{{ count }}' as fault, told.{{ count }} || ' told, ' || held.{{ count }} || ' held' as fault_key
from told, held
where told.{{ count }} <> held.{{ count }}
{{ 'union all' if not loop.last }}
{% endfor %}
