-- Quarters, months and last twelve months out of figures since January.
with
{{ combine(ref('int_span_formulas'), ref('int_inputs_base'), [(2, 0), (3, 0)], had=ref('int_inputs_base')) }}
