{{ config(materialized='view') }}
-- What is in force today: the latest vintage of every figure and, where that stands on mixed bases, the latest that does not.
select * exclude (vintage_no, is_latest, is_current, is_official, valid_from, valid_to, sequence, first_publication_id, inputs)
from {{ ref('observation_vintages').include(database=false) }}
where is_current
