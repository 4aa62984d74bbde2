"""How an explanation is worded: periods as people write them, intervals, three answers to a comparison, the line to quote."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.release.explain import _overlap, _period, interval, quote, shown, unit
from dagster_project.release.say import say, say_findings

Row = dict[str, Any]


def figure(value: float | None = 8.6, half: float | None = 0.05, decimals: int | None = 1, **more: Any) -> Row:
    low, high = (None, None) if value is None or half is None else (value - half, value + half)
    return {
        "origin": "printed", "obs_value": value, "lower": low, "upper": high, "decimals": decimals, "unit_measure": "PC", "unit_mult": 0,
        "qualifier": None, "stage": "first", "stage_basis": "printed", "currency_scope": "_Z", "known_by": date(2024, 9, 3),
        "known_after": date(2023, 12, 31), "known_by_basis": "page", "known_after_basis": "period", "census_basis": "4", "marks": "",
        "formula_id": None, "parts": [], "prints": [], **more,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("written", "label"),
    [
        ("2023", "2023"), ("2023年", "2023"), (" 2024-q3 ", "2024-Q3"), ("2024Q3", "2024-Q3"), ("2024-H1", "2024-Q2"), ("2024H2", "2024-S2"),
        ("2024-09", "2024-09"), ("2024-09-15", "2024-09-15"),
    ],
)  # fmt: skip
def test_periods_as_people_write_them(written: str, label: str) -> None:
    assert _period(written) == label


def test_a_printed_figure_shows_its_printed_decimals() -> None:
    assert shown(21588.8, figure(21588.8, 0.005, 2)) == "21588.80"
    assert shown(2591.0, figure(2591.0, 0.5, 0)) == "2591"
    assert shown(None, figure(None)) == "–"


def test_a_derived_figure_shows_what_its_interval_carries() -> None:
    assert shown(8.594904, figure(8.594904, 0.0017, None, origin="derived")) == "8.595"


@pytest.mark.parametrize(
    ("value", "half", "decimals", "text"),
    [
        (8.6, 0.05, 1, "[8.55, 8.65]"), (2591.0, 0.5, 0, "[2590.5, 2591.5]"), (29129.03, 0.005, 2, "[29129.025, 29129.035]"),
        (20260.8, 0.05, 1, "[20260.75, 20260.85]"), (28576.1, 0.05, 1, "[28576.05, 28576.15]"),
        (123456.78, 0.005, 2, "[123456.775, 123456.785]"),
    ],
)  # fmt: skip
def test_an_interval_shows_both_ends_to_the_half_of_the_last_place(value: float, half: float, decimals: int | None, text: str) -> None:
    assert interval(figure(value, half, decimals)) == text


@given(st.integers(-(10**7), 10**7), st.integers(0, 4))
def test_the_ends_of_an_interval_read_back_as_they_are(mantissa: int, decimals: int) -> None:
    value, half = mantissa / 10**decimals, 0.5 / 10**decimals
    low, high = interval(figure(value, half, decimals)).strip("[]").split(", ")
    assert float(low) == pytest.approx(value - half, abs=half / 100) and float(high) == pytest.approx(value + half, abs=half / 100)


def test_an_open_side_is_shown_as_open() -> None:
    assert interval(figure(lower=1400.0, upper=None, obs_value=1400.0, decimals=0)) in ("[1400, ∞]", "[1400.0, ∞]")
    assert interval(figure(lower=None, upper=2.0, obs_value=2.0, decimals=0)) in ("[-∞, 2]", "[-∞, 2.0]")
    assert interval(figure(lower=None, upper=None)) == ""


def test_a_comparison_has_three_answers() -> None:
    assert _overlap(figure(8.595, 0.002), figure(8.6, 0.05)) == "consistent"
    assert _overlap(figure(8.463, 0.0015), figure(8.6, 0.05)) == "inconsistent"
    assert _overlap(figure(8.5, 3.0), figure(8.6, 0.05)) == "uninformative"
    assert _overlap(figure(lower=8.0, upper=None), figure(8.6, 0.05)) == "uninformative"
    assert _overlap(figure(lower=9.0, upper=None), figure(8.6, 0.05)) == "inconsistent"


def test_units_as_a_chinese_reader_writes_them() -> None:
    assert unit(figure()) == "%"
    assert unit(figure(unit_measure="CNY", unit_mult=8)) == "亿元"
    assert unit(figure(unit_measure="USD", unit_mult=8)) == "亿美元"
    assert unit(figure(unit_measure="ENT", unit_mult=0, unit_zh="家")) == "家"


INDICATOR = {"name_zh": "各项存款", "name_en": "Deposits", "hazards": ""}
PLACE = {"area_zh": "重庆市", "time_period": "2025"}
PUBLICATION = {"publisher_name_zh": "人民银行重庆市分行", "title": "2025年统计报告"}


def test_the_line_to_quote_says_value_unit_stage_scope_source_and_day() -> None:
    row = figure(60400.0, 50.0, 0, unit_measure="CNY", unit_mult=8, currency_scope="_U", stage=None)
    assert quote(row, INDICATOR, PLACE, PUBLICATION) == (
        "重庆市2025各项存款60400亿元（币种口径未印），人民银行重庆市分行《2025年统计报告》，2024-09-03前已公布。"
    )


def test_the_line_to_quote_keeps_inferred_open_and_undated_apart() -> None:
    row = figure(stage_basis="inferred", qualifier="over", known_by=None)
    assert quote(row, INDICATOR, PLACE, PUBLICATION) == (
        "重庆市2025各项存款超8.6%（初步核算（推断）），人民银行重庆市分行《2025年统计报告》，公布日未知。"
    )
    assert "本库按公式计算" in quote(figure(origin="derived"), INDICATOR, PLACE, {})
    assert "来源未登记" in quote(figure(), INDICATOR, PLACE, {})


FINDING = {
    "finding_id": "unit_scale-1", "rule_id": "unit_scale", "state": "answered", "severity": "high", "message_zh": "像是十分之一", "message_en": "looks like a tenth",
    "answer": "explained", "reason": "口径变了", "answered_by": "张三", "answered_on": date(2026, 1, 15),
}  # fmt: skip


def test_what_is_said_is_in_both_languages() -> None:
    answer = {
        "question": {"as_of": date(2024, 12, 31)}, "indicator": {**INDICATOR, "hazards": "scope_not_printed"},
        "series": [{
            "ref_area": "500000", "area_zh": "重庆市", "area_en": "Chongqing", "currency_scope": "_U", "coverage": "end of period",
            "period_start": None, "period_end": date(2025, 12, 31), "figures": [{**figure(), "headline": True, "preferred": True}],
            "not_yet_known": [{**figure(), "first_publication": {}, "possibly_known": True}], "vintages": [], "contradicting_claims": [], "findings": [FINDING], "quote": "一行",
        }],
    }  # fmt: skip
    text = "\n".join(say(answer))
    for words in (
        "各项存款 Deposits",
        "as of 截至 2024-12-31",
        "HEADLINE 首选",
        "8.6 % [8.55, 8.65]",
        "not yet known 尚未可知",
        "币种口径未印",
        "quote 引用: 一行",
        "可疑 (answered, high) unit_scale: 像是十分之一 looks like a tenth",
        "答复 explained: 口径变了 (张三, 2026-01-15)",
    ):
        assert words in text, words


def test_what_waits_is_counted_and_the_first_are_named() -> None:
    assert list(say_findings({}, 0, [])) == []
    lines = list(say_findings({"gone": 2, "open": 7}, 7, [FINDING]))
    assert lines[0] == "findings 可疑: 7 open 待答 · 2 gone 已消失"
    assert "7 high finding(s) wait" in lines[1] and "7 条严重可疑" in lines[1]
    assert lines[2] == "  像是十分之一 looks like a tenth (unit_scale-1)" and lines[3].endswith("6 more 另有 6 条")
