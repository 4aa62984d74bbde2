-- Every vintage of the derived indicators of level 1.
with
{{ combine(ref('int_formula_series_1'), ref('int_inputs_1'), shapes_up_to(var('longest_formula')), had=ref('int_inputs_1')) }}
