-- Every vintage of the derived indicators of level 2.
with
{{ combine(ref('int_formula_series_2'), ref('int_inputs_2'), shapes_up_to(var('longest_formula'))) }}
