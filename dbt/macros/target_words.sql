{# What the board says, in both languages: verdicts, reasons, and what a verdict rests on. One list, so that no text is written twice. #}
{% macro target_words() %}
    {{ return({
        'attained': ('达到', 'attained'),
        'attained_early': ('提前达到', 'attained before it falls due'),
        'attained_as_printed': ('按所印末位达到', 'attained to the printed digit'),
        'possibly_attained': ('可能达到，所印精度不足以判定', 'possibly attained, the print cannot tell'),
        'short': ('未达到', 'short'),
        'not_yet': ('尚未到期', 'not due yet'),
        'due_unreported': ('已到期，当期数未见', 'due, no figure of the due period seen'),
        'not_scored': ('定性目标，只记录不评分', 'qualitative, recorded and not scored'),
        'not_available': ('无法判定', 'not available'),
        'superseded': ('已被新目标取代', 'superseded by a later target'),
        'achieved': ('已达目标', 'achieved'),
        'on_track': ('进度正常', 'on track'),
        'acceleration_needed': ('需要加快', 'acceleration needed'),
        'limited': ('进展有限', 'limited progress'),
        'deterioration': ('倒退', 'deterioration'),
        'qualitative': ('定性目标', 'a qualitative target'),
        'target_undated': ('目标无公布日，只在今天的看板中列示', 'the target has no date: shown as of today only'),
        'target_possibly_known': ('此日目标可能已公布，未能确定', 'on that day the target may have been public, not for certain'),
        'target_not_public': ('此日目标尚未公布', 'the target was not public yet on that day'),
        'no_actual': ('没有实际数', 'no actual figure'),
        'scope_does_not_fit': ('有数但口径不合，且没有假定允许替代', 'there are figures, of a scope that does not fit and no assumption lets stand for it'),
        'part_year_only': ('只有不足一年的累计数，不与年度目标比', 'only part-year figures, never held against a yearly target'),
        'base_missing': ('没有基期数，规划未印', 'no base: the plan prints none and no figure of the base period or after it stands in'),
        'actual_open': ('实际数只有一侧界限，不能算进度', 'the actual is a bound only: its pace cannot be told'),
        'base_open': ('基期数只有一侧界限', 'the base is a bound only'),
        'no_direction': ('方向未定', 'no direction is given'),
        'one_point': ('除基期外没有第二个数', 'one point: nothing after the base'),
        'base_after_current': ('最新的数早于基期', 'the latest figure is of before the base'),
        'zero_or_negative_base': ('基期为零或负', 'the base is nought or negative'),
        'negative_current': ('实际数为负', 'the actual is negative'),
        'negative_target': ('目标为负', 'the target is negative'),
        'target_not_after_base': ('目标期不晚于基期', 'the target falls due no later than its base'),
        'target_equals_base': ('目标等于基期数', 'the target equals its base'),
        'target_met_at_base': ('基期已达目标', 'already met at the base'),
        'single_period': ('单期增速目标，没有路径', 'growth of a single period has no path'),
        'adds_up_from_zero': ('累计类目标从零起，不算复合增速', 'adds up from nought: no compound rate'),
        'window_without_figures': ('窗口期内没有数', 'no figure within the window'),
        'no_level': ('没有数值目标，只有方向', 'no level aimed at, only a direction'),
        'too_few_past_years': ('过去同口径且各季累计齐全的年份不足三年，不按四分之一平摊', 'fewer than three past years with all quarters-to-date on one basis; a quarter each would be wrong'),
        'not_split_within_year': ('占比与速度只对全年，不分季', 'a share or rate of a year is not split within it'),
        'scope_assumed': ('口径为假定', 'scope assumed'),
        'scope_not_printed': ('目标与实际数均未印币种口径', 'currency scope printed for neither'),
        'listed_scope_not_printed': ('上市口径未印', 'listing scope not printed'),
        'counts_differ': ('所计机构类别未必相同', 'kinds counted may differ'),
        'concept_not_printed': ('概念未印明', 'concept not delimited in print'),
        'claim': ('非责任单位发布', 'printed by somebody not responsible'),
        'estimate': ('预计数', 'an estimate'),
        'as_of_publication': ('时点为发布日', 'taken at the publication day'),
        'provisional': ('初步核算数', 'first release'),
        'basis_differs': ('基期与现期普查口径不同', 'base and actual on different census rounds'),
        'basis_unknown': ('普查口径不明', 'census basis unknown'),
        'base_inferred': ('基期为推断', 'base year inferred'),
        'base_first_after': ('以基期之后首个数为基数', 'first figure after the base year used as base'),
        'base_printed_only': ('基数只见于规划', 'base seen in the plan only'),
        'open_interval': ('实际数一侧开放', 'actual open on one side'),
        'years_missing': ('窗口内有年份缺数', 'years of the window missing'),
    }) }}
{% endmacro %}

{# The words as a CTE of one row, a map a language: looked up wherever a word is said, so that the SQL holds each text once. A macro that says
   words has this CTE in its `with` and `words` in its `from`. #}
{% macro words_said() -%}
words as (
    select map(list(code), list(zh)) as zh, map(list(code), list(en)) as en
    from (
        values
        {% for code, texts in target_words().items() -%}
        ('{{ code }}', '{{ texts[0] }}', '{{ texts[1] }}'){{ ',' if not loop.last }}
        {% endfor %}
    ) as said(code, zh, en)
)
{%- endmacro %}

{% macro said(code, language) -%}
words.{{ language }}[{{ code }}]
{%- endmacro %}
