-- Computed growth on the year for every vintage: materialised, because readers should not pay for it.
with
{{ combine(ref('int_growth_series'), ref('int_inputs_2'), [(2, 1)]) }}
