-- The trajectory that each target asks for, as of today.
{{ target_paths("(select * from " ~ ref('target_progress') ~ " where is_today)") }}
