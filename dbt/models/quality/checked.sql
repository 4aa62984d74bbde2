{{ config(materialized='view') }}
-- Every rule's answers: a row a flagged figure, and the other answers counted.
select * from {{ ref('checked_within_figures') }}
union all
select * from {{ ref('checked_sums') }}
union all
select * from {{ ref('checked_ratios') }}
union all
select * from {{ ref('checked_spans') }}
union all
select * from {{ ref('checked_columns') }}
union all
select * from {{ ref('checked_series') }}
union all
select * from {{ ref('checked_areas') }}
union all
select * from {{ ref('checked_vintages') }}
union all
select * from {{ ref('checked_targets') }}
