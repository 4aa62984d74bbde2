-- Sums over the areas of a group, where a formula asks for it and the group is declared a complete partition.
with area_sets as (
    select
        t.formula_id,
        {{ series_id('g.total_area', 't.indicator', 't.breakdown', 't.currency_scope', 't.transformation', 't.prices') }} as out_series_id,
        {{ series_id('m.ref_area', 't.indicator', 't.breakdown', 't.currency_scope', 't.transformation', 't.prices') }} as in_series_id,
        try_cast(m.valid_from as date) as member_from,
        try_cast(m.valid_to as date) as member_to
    from {{ ref('formula_terms') }} as t
    inner join {{ ref('cl_area_groups') }} as g on 'group:' || g.group_id = t.area_scope and g.complete
    inner join {{ ref('cl_area_group_members') }} as m on m.group_id = g.group_id
),

-- Of a million figures, those that a group adds up.
inputs as (
    select *, date '1900-01-01' + (period_key // 100000)::integer as period_end
    from {{ ref('int_inputs_0') }}
    where series_id in (select in_series_id from area_sets)
),

area_members as (
    select s.formula_id, s.out_series_id, i.period_key as out_period_key, i.series_id as member, i.period_key as member_period_key,
        count(*) over (partition by s.formula_id, s.out_series_id, i.period_key) as members
    from area_sets as s
    inner join (
        select distinct series_id, period_key, period_end from inputs
    ) as i
        on i.series_id = s.in_series_id
        and i.period_end >= coalesce(s.member_from, {{ beginning() }}) and i.period_end < coalesce(s.member_to, {{ forever() }})
),

area_wanted as (
    select formula_id, out_series_id, p.period_end, count(*) as wanted
    from area_sets
    cross join (select distinct period_end from inputs) as p
    where p.period_end >= coalesce(member_from, {{ beginning() }}) and p.period_end < coalesce(member_to, {{ forever() }})
    group by all
),

members as (
    select m.formula_id, m.out_series_id, m.out_period_key, m.member, m.member_period_key
    from area_members as m
    inner join area_wanted as w
        on w.formula_id = m.formula_id and w.out_series_id = m.out_series_id and w.wanted = m.members
        and w.period_end = date '1900-01-01' + (m.out_period_key // 100000)::integer
),

{{ sum_of_members('members', 'inputs', had=ref('int_inputs_0')) }}
