{{ config(materialized='table_macro', alias='revision_statistics', parameters='tbl') }}
-- A model of that name is a mart already; callers know this one as methods.revision_statistics.
-- Revision measures of any table (time_period, release, value), named as a string: release 0, 1, 2 … against the latest of each period.
-- A period's latest release is not held against itself: not yet revised is not the same as confirmed.
with pairs as (
    select time_period, release, value::double as value_then, final::double as value_final
    from (
        select
            time_period, release, value,
            max(release) over (partition by time_period) as last_release,
            arg_max(value, release) over (partition by time_period) as final
        from query_table(tbl::varchar)
        where value is not null
    ) as releases
    where release < last_release
),

measured as (
    {{ revision_measures('pairs', 'release') }}
)

select
    release, n, mean_revision, p_value, mean_absolute_revision, minimum, maximum, standard_deviation, noise_to_signal, theil_u1, theil_u2
from measured
order by release
