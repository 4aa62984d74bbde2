-- Quarters, months and last twelve months out of figures since January.
with
{{ combine(ref('int_span_formulas'), ref('int_inputs_base'), 3, had=ref('int_inputs_base')) }}
