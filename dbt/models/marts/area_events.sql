select event_id, event_date, kind, from_area, to_area, note, source from {{ ref('cl_area_events') }}
