-- Level 2 of the registry, spelled out: a row a term and result series whose inputs exist.
{{ formula_series(2, ref('int_inputs_2')) }}
