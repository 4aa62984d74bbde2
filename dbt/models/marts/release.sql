select
    r.release_id, r.built_at, r.fingerprint, r.code_version,
    -- of the facts, which are as many as the vintages: the test `codes_exist` holds that no name is lacking
    (select count(*) from {{ ref('facts') }}) as vintages,
    (select count(*) from {{ ref('facts') }} where is_latest or is_preferred) as observations,
    (select count(*) from {{ ref('cells') }}) as cells,
    -- a ratio such as 6.9:40.1:53.0 is one cell and three figures
    (select count(distinct cell_no) from {{ ref('int_prints') }}) as accepted,
    (select count(*) from {{ ref('int_prints') }}) as figures,
    (select count(*) from {{ ref('int_refusals') }} where kind = 'refused') as refused,
    (select count(*) from {{ ref('int_refusals') }} where kind = 'other_kind') as other_kinds,
    (select max(known_by) from {{ ref('stg_publications') }}) as latest_known_by
from {{ source('ledger', 'release') }} as r
