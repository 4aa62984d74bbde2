{{ config(materialized='view') }}
-- What a row of the seed corrections calls a cell's value. A view on the ledger, for the few cells that are asked about.
select cell_no, case transformation when 'N' then 'value_text' when 'G1Y' then 'growth_text' end as value_field
from {{ source('ledger', 'cells') }}
