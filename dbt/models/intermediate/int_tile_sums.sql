-- Longer spans of flows that are printed month by month, or quarter by quarter, and nowhere since January. Any tiling will do: four
-- quarters are a year, and so are twelve months.
with flows as (
    select s.series_id
    from {{ ref('int_series') }} as s
    inner join {{ ref('cl_indicators') }} as i using (indicator)
    where s.transformation = 'N' and i.kind = 'flow' and i.span = 'period'
),

tiles as (
    select i.series_id, i.period_key,
        date '1900-01-01' + (i.period_key // 100000)::integer as tile_end,
        (date '1900-01-01' + (i.period_key // 100000)::integer - (i.period_key % 100000)::integer + 1)::date as tile_start,
        i.period_key % 100000 as days
    from (select distinct series_id, period_key from {{ ref('int_inputs_base') }} where period_key % 100000 between 28 and 92) as i
    semi join flows using (series_id)
),

tile_kinds as (
    select *, case when days <= 31 then 1 when days between 90 and 92 then 3 end as months
    from tiles
    where tile_end = last_day(tile_end) and day(tile_start) = 1
),

spans as (
    select distinct
        k.series_id, k.months as tile_months, s.months,
        (date_trunc('month', k.tile_end) - interval (s.months - 1) month)::date as span_start,
        k.tile_end as span_end
    from tile_kinds as k
    inner join (values (3), (6), (9), (12)) as s(months) on s.months > k.months
    where s.months = 12 or month(k.tile_end) = s.months or (s.months = 3 and month(k.tile_end) % 3 = 0)
    union
    -- since January, month by month
    select k.series_id, k.months, month(k.tile_end)::integer, date_trunc('year', k.tile_end)::date, k.tile_end
    from tile_kinds as k
    where month(k.tile_end) > k.months
),

tile_members as (
    select
        'tiling' as formula_id, s.series_id as out_series_id, {{ period_key('s.span_start', 's.span_end') }} as out_period_key,
        k.series_id as member, k.period_key as member_period_key,
        count(*) over (partition by s.series_id, s.tile_months, s.span_start, s.span_end) as members,
        s.months // s.tile_months as wanted,
        s.tile_months
    from spans as s
    inner join tile_kinds as k
        on k.series_id = s.series_id and k.months = s.tile_months
        and k.tile_start >= s.span_start and k.tile_end <= s.span_end
),

members as (
    select t.formula_id, t.out_series_id, t.out_period_key, t.member, t.member_period_key
    from tile_members as t
    anti join {{ ref('int_inputs_base') }} as printed on printed.series_id = t.out_series_id and printed.period_key = t.out_period_key
    anti join {{ ref('int_spans_derived') }} as spans
        on spans.series_id = t.out_series_id and spans.period_key = t.out_period_key
    where t.members = t.wanted
    -- a span tiled by months and by quarters is taken once, by the longer tiles
    qualify t.tile_months = max(t.tile_months) over (partition by t.out_series_id, t.out_period_key)
),

{{ sum_of_members('members', ref('int_inputs_base')) }}
