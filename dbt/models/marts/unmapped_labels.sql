-- Labels, areas and units that no seed knows, with the nearest that one does.
with unmapped as (
    select 'label' as what, source_id, label_key as printed, count(*) as cells, min(publication_id) as seen_in
    from {{ ref('int_refusals') }} where refusal = 'unmapped_label' group by all
    union all
    select 'area', source_id, area_key, count(*), min(publication_id) from {{ ref('int_refusals') }} where refusal = 'unmapped_area' group by all
    union all
    select 'unit', source_id, unit_key, count(*), min(publication_id) from {{ ref('int_refusals') }} where refusal = 'unmapped_unit' group by all
),

known as (
    select 'label' as what, label as printed, indicator as code from {{ ref('aliases') }}
    union
    select 'area', name_zh, ref_area from {{ ref('cl_areas') }}
    union
    select 'area', name, ref_area from {{ ref('cl_area_names') }}
    union
    select 'unit', unit_text, unit_measure from {{ ref('cl_units') }}
),

nearest as (
    select
        u.what, u.source_id, u.printed,
        arg_max(k.printed, jaro_winkler_similarity(u.printed, k.printed)) as suggestion,
        arg_max(k.code, jaro_winkler_similarity(u.printed, k.printed)) as suggested_code,
        max(jaro_winkler_similarity(u.printed, k.printed)) as similarity
    from unmapped as u
    inner join known as k on k.what = u.what
    group by all
)

select
    u.what, u.source_id, u.printed, u.cells, u.seen_in,
    case when n.similarity >= 0.6 then n.suggestion end as suggestion,
    case when n.similarity >= 0.6 then n.suggested_code end as suggested_code,
    case u.what
        when 'label' then 'seeds/mapping/aliases.csv'
        when 'area' then 'seeds/codelists/cl_area_names.csv'
        else 'seeds/codelists/cl_units.csv'
    end as add_a_line_to
from unmapped as u
left join nearest as n on n.what = u.what and n.source_id = u.source_id and n.printed = u.printed
