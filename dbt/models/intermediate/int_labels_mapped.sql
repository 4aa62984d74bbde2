-- A printed label of a source → indicator and dimensions. A source's own alias wins over the common one.
with labels as (
    select distinct source_id, label_key from {{ ref('stg_cells') }}
),

candidates as (
    select
        l.source_id,
        l.label_key,
        coalesce(a.part, 0) as part,
        a.indicator,
        coalesce(nullif(a.breakdown, ''), '_T') as breakdown,
        nullif(a.currency_scope, '') as currency_scope,
        nullif(a.transformation, '') as transformation,
        nullif(a.prices, '') as prices,
        nullif(a.ref_area, '') as ref_area,
        row_number() over (partition by l.source_id, l.label_key, coalesce(a.part, 0) order by (a.source_id = '*')) as choice
    from labels as l
    inner join {{ ref('aliases') }} as a on a.label = l.label_key and a.source_id in (l.source_id, '*')
)

select c.* exclude (choice) from candidates as c where c.choice = 1
