-- Level 1 of the registry, spelled out: a row a term and result series whose inputs exist.
{{ formula_series(1, ref('int_inputs_1')) }}
