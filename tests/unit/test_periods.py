"""Which days each printed form of a period means, and what is refused."""

from __future__ import annotations

import calendar
from datetime import date
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.intake.periods import SCHEMA, parse_periods, standard_periods


def read(text: str | None) -> dict[str, Any]:
    return parse_periods(pl.Series([text], dtype=pl.String)).row(0, named=True)


# text, form, start, end
PERIODS: list[tuple[str, str, str | None, str]] = [
    ("2023", "year", "2023-01-01", "2023-12-31"),
    ("2023年", "year", "2023-01-01", "2023-12-31"),
    ("２０２３年", "year", "2023-01-01", "2023-12-31"),
    ("二〇二三年", "year", "2023-01-01", "2023-12-31"),
    ("2023年度", "year", "2023-01-01", "2023-12-31"),
    ("2023年全年", "year", "2023-01-01", "2023-12-31"),
    ("2023-A", "year", "2023-01-01", "2023-12-31"),
    ("到2027年", "year", "2027-01-01", "2027-12-31"),
    ("1900", "year", "1900-01-01", "1900-12-31"),
    ("2100", "year", "2100-01-01", "2100-12-31"),
    ("2023年末", "moment", None, "2023-12-31"),
    ("2023年底", "moment", None, "2023-12-31"),
    ("2023年年末", "moment", None, "2023-12-31"),
    ("2023年 末", "moment", None, "2023-12-31"),
    ("2024年10月末", "moment", None, "2024-10-31"),
    ("2024年2月末", "moment", None, "2024-02-29"),
    ("2009年6月末", "moment", None, "2009-06-30"),
    ("2023年9月底", "moment", None, "2023-09-30"),
    ("二〇二三年十二月末", "moment", None, "2023-12-31"),
    ("2024年一季度末", "moment", None, "2024-03-31"),
    ("到2027年底", "moment", None, "2027-12-31"),
    ("截至2023年", "moment", None, "2023-12-31"),
    ("2023-12", "month", "2023-12-01", "2023-12-31"),
    ("2024.10", "month", "2024-10-01", "2024-10-31"),
    ("201811", "month", "2018-11-01", "2018-11-30"),
    ("2023/5", "month", "2023-05-01", "2023-05-31"),
    ("2023年12月", "month", "2023-12-01", "2023-12-31"),
    ("2023年12月份", "month", "2023-12-01", "2023-12-31"),
    ("2023年十一月", "month", "2023-11-01", "2023-11-30"),
    ("2023年十月", "month", "2023-10-01", "2023-10-31"),
    ("2024年9月前后", "month", "2024-09-01", "2024-09-30"),
    ("2024-Q3", "quarter", "2024-07-01", "2024-09-30"),
    ("2023Q3", "quarter", "2023-07-01", "2023-09-30"),
    ("Q3 2023", "quarter", "2023-07-01", "2023-09-30"),
    ("2023-Q2", "quarter", "2023-04-01", "2023-06-30"),
    ("2024年一季度", "quarter", "2024-01-01", "2024-03-31"),
    ("2024年第3季度", "quarter", "2024-07-01", "2024-09-30"),
    ("2024年三季度", "quarter", "2024-07-01", "2024-09-30"),
    ("2024年四季度", "quarter", "2024-10-01", "2024-12-31"),
    ("2023-H1", "half", "2023-01-01", "2023-06-30"),
    ("2009年上半年", "half", "2009-01-01", "2009-06-30"),
    ("2024年下半年", "half", "2024-07-01", "2024-12-31"),
    ("2024年前三季度", "ytd", "2024-01-01", "2024-09-30"),
    ("2024年前三个季度", "ytd", "2024-01-01", "2024-09-30"),
    ("2023年一至三季度", "ytd", "2023-01-01", "2023-09-30"),
    ("2023年前9个月", "ytd", "2023-01-01", "2023-09-30"),
    ("2023年1-9月", "ytd", "2023-01-01", "2023-09-30"),
    ("2023年1—9月", "ytd", "2023-01-01", "2023-09-30"),
    ("2023年1～9月", "ytd", "2023-01-01", "2023-09-30"),
    ("2023年1月至9月", "ytd", "2023-01-01", "2023-09-30"),
    ("2021年1-4月", "ytd", "2021-01-01", "2021-04-30"),
    ("2023年1-9月累计", "ytd", "2023-01-01", "2023-09-30"),
    ("2023年3-5月", "range", "2023-03-01", "2023-05-31"),
    ("2024年12月25日", "day", "2024-12-25", "2024-12-25"),
    ("2023.12.31", "day", "2023-12-31", "2023-12-31"),
    ("20231201", "day", "2023-12-01", "2023-12-01"),
    ("2023-01-15 00:00:00", "day", "2023-01-15", "2023-01-15"),
    ("2020年11月1日零时（七普）", "day", "2020-11-01", "2020-11-01"),
    ("2012-2021年", "range", "2012-01-01", "2021-12-31"),
    ("2021-2023年", "range", "2021-01-01", "2023-12-31"),
    ("2016/2020", "range", "2016-01-01", "2020-12-31"),
    ("2001-2005年年均", "range", "2001-01-01", "2005-12-31"),
    ("2017年9月-2020年11月累计", "range", "2017-09-01", "2020-11-30"),
    ("2017年-2021年3月累计", "range", "2017-01-01", "2021-03-31"),
    ("2017年9月-2021年", "range", "2017-09-01", "2021-12-31"),
    ("2023年1月1日-10月19日", "range", "2023-01-01", "2023-10-19"),
    ("2023年10月1日至2023年12月5日", "range", "2023-10-01", "2023-12-05"),
    ("2023-01-01/2023-10-19", "range", "2023-01-01", "2023-10-19"),
    ("“十三五”期间", "range", "2016-01-01", "2020-12-31"),
    ("“十四五”期间", "range", "2021-01-01", "2025-12-31"),
    ("“十五五”时期", "range", "2026-01-01", "2030-12-31"),
    ("“十四五”末（2025年）", "moment", None, "2025-12-31"),
    ("过去五年末（2021年）", "moment", None, "2021-12-31"),
    ("（2017年末）", "moment", None, "2017-12-31"),
    ("2015（工作表名）", "year", "2015-01-01", "2015-12-31"),
    ("2020年(页面写2021年)", "year", "2020-01-01", "2020-12-31"),
    ("2022年前三季度(页面原文)", "ytd", "2022-01-01", "2022-09-30"),
    ("截至2023年9月底累计", "since", None, "2023-09-30"),
    ("截至2020年2月29日累计", "since", None, "2020-02-29"),
    ("截至2025年末累计", "since", None, "2025-12-31"),
]


@pytest.mark.parametrize(("text", "form", "start", "end"), PERIODS)
def test_period_forms(text: str, form: str, start: str | None, end: str) -> None:
    got = read(text)
    assert (got["period_status"], got["period_reason"]) == ("period", None)
    assert got["form"] == form
    assert got["period_start"] == (date.fromisoformat(start) if start else None)
    assert got["period_end"] == date.fromisoformat(end)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("第3季度", "year_not_printed"),
        ("三季度", "year_not_printed"),
        ("前三季度", "year_not_printed"),
        ("1-9月", "year_not_printed"),
        ("上半年", "year_not_printed"),
        ("13月", "year_not_printed"),
        ("23年", "year_not_printed"),
        ("undated", "year_not_printed"),
        ("年份未印", "year_not_printed"),
        ("年均", "year_not_printed"),
        ("一季度（年份未印）", "year_not_printed"),
        ("一季度末（年份未印）", "year_not_printed"),
        ("2023年13月", "impossible"),
        ("2023年0月", "impossible"),
        ("202313", "impossible"),
        ("2023年2月30日", "impossible"),
        ("2023年2月29日", "impossible"),
        ("2023-Q5", "impossible"),
        ("2023-Q0", "impossible"),
        ("2023年五季度", "impossible"),
        ("2023-H3", "impossible"),
        ("2023年9-13月", "impossible"),
        ("1899年", "impossible"),
        ("2101年", "impossible"),
        ("2021-2020年", "impossible"),
        ("“十四五”末（2024年）", "contradiction"),
        ("2020年（2021年）", "contradiction"),
        ("2012-2021年末", "several_moments"),
        ("2023年9月累计", "cumulative_from_when"),
        ("2023年初", "unrecognised"),
        ("2023 2024", "unrecognised"),
        ("abc", "unrecognised"),
        ("12345年", "unrecognised"),
    ],
)
def test_what_is_refused(text: str, reason: str) -> None:
    got = read(text)
    assert (got["period_status"], got["period_reason"]) == ("unreadable", reason)
    assert (got["form"], got["period_start"], got["period_end"]) == (None, None, None)


@pytest.mark.parametrize("text", [None, "", " ", "\u3000"])
def test_empty(text: str | None) -> None:
    got = read(text)
    assert (got["period_status"], got["period_reason"]) == ("empty", "year_not_printed")


def test_what_was_not_printed_is_marked() -> None:
    inferred = ["（2017年末）", "（2017年）", "过去五年末（2021年）"]
    printed = ["2017年末", "2015（工作表名）", "“十四五”末（2025年）"]
    frame = parse_periods(pl.Series(inferred + printed))
    assert frame["inferred"].to_list() == [True] * 3 + [False] * 3
    assert frame["remark"].to_list() == [None, None, "2021年", None, "工作表名", "2025年"]
    assert read("2001-2005年年均")["remark"] == "年均"
    assert [read(text)["approximate"] for text in ("2024年9月前后", "2024年9月")] == [True, False]


def test_a_month_that_may_have_lost_its_zero_is_warned_of() -> None:
    assert read("2024.1")["period_reason"] == "january_or_october"
    assert read("2024.01")["period_reason"] is None


def test_standard_periods_are_every_span_once() -> None:
    table = standard_periods(2023, 2024)
    assert table.height == 2 * (1 + 2 + 4 + 12 + 8)
    assert not table.select("period_start", "period_end").is_duplicated().any()
    by_label = {row["label"]: row for row in table.iter_rows(named=True)}
    assert by_label["2024-02"]["period_end"] == date(2024, 2, 29)
    assert by_label["2024-YTD09"]["label_zh"] == "2024年前三季度"
    assert by_label["2024-YTD09"]["coverage"] == "ytd"
    for column in ("label", "label_zh"):
        read_back = parse_periods(table[column])
        assert read_back["period_start"].to_list() == table["period_start"].to_list()
        assert read_back["period_end"].to_list() == table["period_end"].to_list()
        assert read_back["form"].to_list() == table["form"].to_list()


# --- properties ---------------------------------------------------------------------------------------------

years = st.integers(1900, 2100)
months = st.integers(1, 12)
dashes = st.sampled_from(["-", "—", "－", "～", "至", "–"])


def _last(year: int, month: int) -> date:
    return date(year, month, calendar.monthrange(year, month)[1])


@st.composite
def printed_period(draw: st.DrawFn) -> tuple[str, str, date | None, date]:
    """A period in one of many typographies, with what it says."""
    year, month, dash = draw(years), draw(months), draw(dashes)
    other = draw(st.integers(month, 12))
    later = draw(st.integers(year, 2100))
    quarter = draw(st.integers(1, 4))
    day = draw(st.integers(1, calendar.monthrange(year, month)[1]))
    first, end = date(year, 1, 1), date(year, 12, 31)
    cases: list[tuple[str, str, date | None, date]] = [
        (f"{year}年", "year", first, end),
        (f"{year}", "year", first, end),
        (f"{year}年末", "moment", None, end),
        (f"{year}年{month}月", "month", date(year, month, 1), _last(year, month)),
        (f"{year}-{month:02d}", "month", date(year, month, 1), _last(year, month)),
        (f"{year}{month:02d}", "month", date(year, month, 1), _last(year, month)),
        (f"{year}年{month}月末", "moment", None, _last(year, month)),
        (f"截至{year}年{month}月底累计", "since", None, _last(year, month)),
        (f"{year}年{month}月{day}日", "day", date(year, month, day), date(year, month, day)),
        (f"{year}-{month:02d}-{day:02d}", "day", date(year, month, day), date(year, month, day)),
        (f"{year}年1{dash}{month}月", "ytd", first, _last(year, month)),
        (
            f"{year}年{month}{dash}{other}月",
            "ytd" if month == 1 else "range",
            date(year, month, 1),
            _last(year, other),
        ),
        (
            f"{year}年{'一二三四'[quarter - 1]}季度",
            "quarter",
            date(year, quarter * 3 - 2, 1),
            _last(year, quarter * 3),
        ),
        (f"{year}-Q{quarter}", "quarter", date(year, quarter * 3 - 2, 1), _last(year, quarter * 3)),
        (f"{year}{dash}{later}年", "range", first, date(later, 12, 31)),
        (f"{year}年1月{dash}{later}年{month}月", "range", first, _last(later, month)),
    ]
    text, form, start, stop = draw(st.sampled_from(cases))
    if draw(st.booleans()):
        text = text.translate(str.maketrans("0123456789", "０１２３４５６７８９"))
    if draw(st.booleans()):
        text = text.replace("年", "年 ").replace("月", "\u3000月")
    return text + draw(st.sampled_from(["", " ", "\u200b", "（页面原文）"])), form, start, stop


@settings(max_examples=200, deadline=None)
@given(printed_period())
def test_round_trip(case: tuple[str, str, date | None, date]) -> None:
    text, form, start, end = case
    got = read(text)
    assert got["period_status"] == "period", (text, got["period_reason"])
    assert (got["form"], got["period_start"], got["period_end"]) == (form, start, end), text


anything = st.text(
    alphabet=st.one_of(
        st.sampled_from("0123456789-/.~() 　:TQHAP“”"),
        st.sampled_from("年月日末底初季度半上下前第一二三四五十至到截累计均期间（）〇"),
        st.characters(exclude_categories=["Cs"]),
    ),
    max_size=16,
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(st.none(), anything, printed_period().map(lambda case: case[0])), max_size=30))
def test_any_text_is_one_row(texts: list[str | None]) -> None:
    frame = parse_periods(pl.Series(texts, dtype=pl.String))
    assert frame.schema == pl.Schema(SCHEMA)
    assert frame["period_text"].to_list() == list(dict.fromkeys(texts))
    good = frame.filter(pl.col("period_status") == "period")
    assert good["period_end"].null_count() == 0 and good["form"].null_count() == 0
    assert (good["period_start"].is_null() == good["form"].is_in(["moment", "since"])).all()
    assert (good["period_start"] <= good["period_end"]).drop_nulls().all()
    assert good["period_end"].dt.year().is_between(1900, 2100).all()
    bad = frame.filter(pl.col("period_status") != "period")
    assert bad["period_end"].null_count() == bad.height and bad["period_reason"].null_count() == 0


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([row[0] for row in PERIODS] + ["2023年13月", "三季度", ""]), min_size=2))
def test_a_text_reads_the_same_in_any_company(texts: list[str]) -> None:
    for row in parse_periods(pl.Series(texts)).iter_rows(named=True):
        assert row == read(row["period_text"])
