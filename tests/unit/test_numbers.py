"""What each printed form of a number becomes, and that nothing printed is lost or invented."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.intake.numbers import (
    SCHEMA,
    chinese_numeral,
    has_decimal_comma,
    parse_numbers,
    with_bounds,
)
from dagster_project.intake.text import (
    footnotes,
    label_key,
    normalise,
    unit_key,
    without_footnotes,
    without_marks,
)


def read(text: str | None, **options: Any) -> dict[str, Any]:
    return parse_numbers(pl.Series([text], dtype=pl.String), **options).row(0, named=True)


# text, mantissa, decimals, scale_mult, qualifier, unit_in_text
NUMBERS: list[tuple[str, int, int, int, str | None, str | None]] = [
    ("29129.03", 2912903, 2, 0, None, None),
    ("-3.2", -32, 1, 0, None, None),
    ("+2.6", 26, 1, 0, None, None),
    ("3.2%", 32, 1, 0, None, "%"),
    ("10.0", 100, 1, 0, None, None),
    ("0", 0, 0, 0, None, None),
    ("007", 7, 0, 0, None, None),
    (".5", 5, 1, 0, None, None),
    (" 12 ", 12, 0, 0, None, None),
    # widths, dashes, spaces, zero-width characters
    ("１２．５％", 125, 1, 0, None, "%"),
    ("－１．９", -19, 1, 0, None, None),
    ("−1.9", -19, 1, 0, None, None),
    ("–1.9", -19, 1, 0, None, None),
    ("1\u200b2.3", 123, 1, 0, None, None),
    ("\ufeff12", 12, 0, 0, None, None),
    ("二〇二三", 2023, 0, 0, None, None),
    # thousands
    ("17,558.76", 1755876, 2, 0, None, None),
    ("1,073.113", 1073113, 3, 0, None, None),
    ("1,234,567", 1234567, 0, 0, None, None),
    ("572,111", 572111, 0, 0, None, None),
    ("19 278.1", 192781, 1, 0, None, None),
    ("5\u3000582.9", 55829, 1, 0, None, None),
    ("12\u00a0345", 12345, 0, 0, None, None),
    ("1\u2009234\u2009567.8", 12345678, 1, 0, None, None),
    ("17，558.76", 1755876, 2, 0, None, None),
    # a comma that cannot be a thousands mark
    ("1445,837", 1445837, 3, 0, None, None),
    ("1434,789", 1434789, 3, 0, None, None),
    ("12,5", 125, 1, 0, None, None),
    ("0,123", 123, 3, 0, None, None),
    ("1.234,56", 123456, 2, 0, None, None),
    # qualifiers
    ("超70", 70, 0, 0, "over", None),
    ("超过3", 3, 0, 0, "over", None),
    ("突破1400", 1400, 0, 0, "over", None),
    ("逾8000", 8000, 0, 0, "over", None),
    ("至少500", 500, 0, 0, "over", None),
    ("不低于9", 9, 0, 0, "over", None),
    ("达到500以上", 500, 0, 0, "over", None),
    ("达9.3", 93, 1, 0, None, None),
    ("≥5", 5, 0, 0, "over", None),
    ("over 500", 500, 0, 0, "over", None),
    ("more than 500", 500, 0, 0, "over", None),
    ("460余", 460, 0, 0, "over", None),
    ("460餘家", 460, 0, 0, "over", "家"),
    ("490多", 490, 0, 0, "over", None),
    ("60余家", 60, 0, 0, "over", "家"),
    ("10余万家", 10, 0, 0, "over", "万家"),
    ("5亿多元", 5, 0, 0, "over", "亿元"),
    ("6.5以上", 65, 1, 0, "over", None),
    ("15以上", 15, 0, 0, "over", None),
    ("100+", 100, 0, 0, "over", None),
    ("100+家", 100, 0, 0, "over", "家"),
    ("170億元超", 170, 0, 0, "over", "亿元"),
    ("超50余家", 50, 0, 0, "over", "家"),
    ("约9.3", 93, 1, 0, "about", None),
    ("约31%", 31, 0, 0, "about", "%"),
    ("大约12", 12, 0, 0, "about", None),
    ("6%左右", 6, 0, 0, "about", "%"),
    ("about 12", 12, 0, 0, "about", None),
    ("近200", 200, 0, 0, "nearly", None),
    ("将近200", 200, 0, 0, "nearly", None),
    ("nearly 3%", 3, 0, 0, "nearly", "%"),
    ("不足3%", 3, 0, 0, "below", "%"),
    ("2以下", 2, 0, 0, "below", None),
    ("2%以内", 2, 0, 0, "below", "%"),
    ("不超过5", 5, 0, 0, "below", None),
    ("超10%", 10, 0, 0, "over", "%"),
    # direction and sign
    ("下降3.2%", -32, 1, 0, None, "%"),
    ("同比下降3.2%", -32, 1, 0, None, "%"),
    ("减少27.87亿元", -2787, 2, 0, None, "亿元"),
    ("同比少增10亿元", -10, 0, 0, None, "亿元"),
    ("同比多增296亿元", 296, 0, 0, None, "亿元"),
    ("增长2.6%", 26, 1, 0, None, "%"),
    ("比上年增长2.6%", 26, 1, 0, None, "%"),
    ("上升0.3个百分点", 3, 1, 0, None, "个百分点"),
    ("增长约5%", 5, 0, 0, "about", "%"),
    ("增长-1.5%", -15, 1, 0, None, "%"),
    ("下降超3%", -3, 0, 0, "below", "%"),
    ("下降不足3%", -3, 0, 0, "over", "%"),
    ("下降近3%", -3, 0, 0, "over", "%"),
    ("（12.3）", -123, 1, 0, None, None),
    ("(3.2)%", -32, 1, 0, None, "%"),
    ("（3.2％）", -32, 1, 0, None, "%"),
    # units and powers of ten
    ("2.5‰", 25, 1, 0, None, "‰"),
    ("+17.6点", 176, 1, 0, None, "点"),
    ("3.5万", 35, 1, 4, None, None),
    ("3.5萬", 35, 1, 4, None, None),
    ("1.2万亿", 12, 1, 12, None, None),
    ("3.5万台", 35, 1, 0, None, "万台"),
    ("同比多28.1 billion", 281, 1, 9, None, None),
    ("430.2 billion yuan", 4302, 1, 0, None, "billion yuan"),
    ("1.4倍", 14, 1, 0, None, "倍"),
    # Chinese numerals
    ("六", 6, 0, 0, None, None),
    ("十五", 15, 0, 0, None, None),
    ("三百二十", 320, 0, 0, None, None),
    ("一千零五", 1005, 0, 0, None, None),
    ("百余", 100, 0, 0, "over", None),
    ("百余家", 100, 0, 0, "over", "家"),
    ("二十余家", 20, 0, 0, "over", "家"),
    ("五百家以上", 500, 0, 0, "over", "家"),
    ("1万2千", 12000, 0, 0, None, None),
    ("1万2千台超", 12000, 0, 0, "over", "台"),
    ("十五亿元", 15, 0, 0, None, "亿元"),
    ("三万", 3, 0, 4, None, None),
    ("3亿5000万", 350000000, 0, 0, None, None),
    ("近千", 1000, 0, 0, "nearly", None),
    # footnotes do not touch the number
    ("4.53*万人", 453, 2, 0, None, "万人"),
    ("8700*人", 8700, 0, 0, None, "人"),
    ("1.2%*", 12, 1, 0, None, "%"),
    ("12.3¹", 123, 1, 0, None, None),
    ("12.3①", 123, 1, 0, None, None),
    ("123456789012345678", 123456789012345678, 0, 0, None, None),
]


@pytest.mark.parametrize("row", NUMBERS, ids=lambda row: repr(row[0]))
def test_number_forms(row: tuple[str, int, int, int, str | None, str | None]) -> None:
    text, *expected = row
    got = read(text)
    assert got["number_status"] == "number", got["number_reason"]
    columns = ("mantissa", "decimals", "scale_mult", "qualifier", "unit_in_text")
    assert [got[column] for column in columns] == expected
    assert got["number_reason"] is None


UNREADABLE = [
    ("达千", "words"),
    ("正增长", "words"),
    ("近五成", "words"),
    ("超三成", "words"),
    ("数百家", "words"),
    ("预计全年5%左右", "words"),
    ("三分之一", "words"),
    ("百分之五", "words"),
    ("一般", "words"),
    ("七八", "words"),
    ("三万五", "words"),
    ("降到2%以下", "words"),
    ("N/A", "words"),
    ("一", "one_or_dash"),
    ("-", "no_number"),
    ("…", "no_number"),
    ("增长1.1倍", "multiple"),
    ("增长一倍", "multiple"),
    ("117.1(上年=100)", "index"),
    ("是2011年的2倍", "other_base"),
    ("较2020年末增长36.84%", "other_base"),
    ("比2000年增长69.0%（五年累计，可比价）", "other_scope|other_base"),
    ("比2010年高74%", "other_base"),
    ("up 88.7% over 2010", "other_base"),
    ("环比+21.8", "other_base"),
    ("五年年均7.4%", "other_base"),
    ("同口径增长15.5%", "other_scope"),
    ("扣除留抵退税后5.4%", "other_scope"),
    ("5-6%", "range"),
    ("5%～6%", "range"),
    ("2023 2024", "several_numbers"),
    ("12家银行5家保险", "several_numbers"),
    ("1e5", "scientific"),
    ("1.2E+05", "scientific"),
    ("1.2×10", "scientific"),
    ("inf", "not_finite"),
    ("-Infinity", "not_finite"),
    ("NaN", "not_finite"),
    ("1234567890123456789", "too_many_digits"),
    ("0.0000000000000000001", "too_many_digits"),
    ("1,23,4", "bad_grouping"),
    ("12.", "bad_grouping"),
    ("1.2.3", "bad_grouping"),
    ("约5000以上", "qualifiers_conflict"),
    ("超-3", "qualified_negative"),
    ("下降-3%", "two_signs"),
    ("12*3", "mark_inside_number"),
    ("12①3", "mark_inside_number"),
    ("5%年均", "other_base"),
]


@pytest.mark.parametrize(("text", "reason"), UNREADABLE)
def test_unreadable_says_why(text: str, reason: str) -> None:
    got = read(text)
    assert got["number_status"] == "unreadable"
    assert got["number_reason"] in reason.split("|")
    assert got["mantissa"] is None and got["qualifier"] is None and got["unit_in_text"] is None


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("6.9:40.1:53.0", ["6.9", "40.1", "53.0"]),
        ("0.5∶37.1∶62.4", ["0.5", "37.1", "62.4"]),
        ("６．９：４０．１：５３", ["6.9", "40.1", "53"]),
        ("7.4 : 44.2 : 48.4", ["7.4", "44.2", "48.4"]),
    ],
)
def test_ratios(text: str, parts: list[str]) -> None:
    got = read(text)
    assert (got["number_status"], got["parts"], got["mantissa"]) == ("ratio", parts, None)


@pytest.mark.parametrize(
    ("text", "marks"),
    [
        ("4.53*万人", ["*"]),
        ("12.3【1】", ["【1】"]),
        ("12.3[2]", ["[2]"]),
        ("12.3［２］", ["[2]"]),
        ("12.3①", ["①"]),
        ("12.3¹", ["¹"]),
        ("45注1", ["注1"]),
        ("45（注1）", ["(注1)"]),
        ("45", []),
    ],
)
def test_footnote_marks_are_kept(text: str, marks: list[str]) -> None:
    got = read(text)
    assert (got["number_status"], got["footnotes"]) == ("number", marks)


@pytest.mark.parametrize(
    ("text", "granularity"),
    [
        ("约7600", 2),
        ("约880", 1),
        ("约9.3", -1),
        ("2.036", -3),
        ("10.0", -1),
        ("约3.5万", 3),
        ("0", 0),
        ("1万2千", 3),
    ],
)
def test_granularity(text: str, granularity: int) -> None:
    assert read(text)["granularity"] == granularity


def test_missing_marks_belong_to_the_source() -> None:
    marks = {"…": "N", "-": "M", "": "O", "9999": "L"}
    got = {text: read(text, missing_marks=marks) for text in ("…", "……", "—", "－", "", "9999", "5")}
    assert [(row["number_status"], row["obs_status"]) for row in got.values()] == [
        ("missing", "N"),
        ("missing", "N"),
        ("missing", "M"),
        ("missing", "M"),
        ("empty", "O"),
        ("missing", "L"),
        ("number", None),
    ]
    assert read("…")["obs_status"] is None


def test_a_star_is_a_mark_where_the_source_says_so() -> None:
    assert read("*", missing_marks={"*": "C"})["obs_status"] == "C"
    assert read("*")["number_status"] == "unreadable"


@pytest.mark.parametrize("text", [None, "", " ", "\u3000", "\u200b"])
def test_empty(text: str | None) -> None:
    assert read(text)["number_status"] == "empty"


def test_decimal_comma_is_a_property_of_the_column() -> None:
    assert has_decimal_comma(pl.Series(["572,111", "1445,837"]))
    assert has_decimal_comma(pl.Series(["12,5%"]))
    assert has_decimal_comma(pl.Series(["1.234,567"]))
    assert not has_decimal_comma(pl.Series(["572,111", "1,073.113", "17,558.76", "1,234,567", "12.5", None]))
    got = read("572,111", decimal_comma=True)
    assert (got["mantissa"], got["decimals"]) == (572111, 3)
    assert read("17,558.76", decimal_comma=True)["mantissa"] == 1755876
    assert read("1,234,567", decimal_comma=True)["decimals"] == 0


BOUNDS: list[tuple[str, float, float | None, float | None]] = [
    ("5.36", 5.36, 5.355, 5.365),
    ("-5.36", -5.36, -5.365, -5.355),
    ("29129.03", 29129.03, 29129.025, 29129.035),
    ("20", 20.0, 19.5, 20.5),
    ("超6200", 6200.0, 6200.0, None),
    ("近15", 15.0, None, 15.0),
    ("2以下", 2.0, None, 2.0),
    ("约7600", 7600.0, 7500.0, 7700.0),
    ("约9.3", 9.3, 9.2, 9.4),
    ("约3.5万", 35000.0, 34000.0, 36000.0),
    ("3.5万", 35000.0, 34500.0, 35500.0),
    ("3万", 30000.0, 25000.0, 35000.0),
    ("1万2千", 12000.0, 11500.0, 12500.0),
    ("下降超3%", -3.0, None, -3.0),
    ("十五", 15.0, 14.5, 15.5),
    ("123456789012345678", 123456789012345678.0, 123456789012345677.5, 123456789012345678.5),
    ("1234567890123456.78", 1234567890123456.78, 1234567890123456.775, 1234567890123456.785),
]


def test_the_value_is_rounded_once() -> None:
    # Integer to double and then a division would round twice and miss the nearest double here.
    for text in ("581632598.916087791", "34409545123229157.5", "7505149907093126.92"):
        assert with_bounds(parse_numbers(pl.Series([text])))["value"].item() == float(text)


@pytest.mark.parametrize(("text", "value", "lower", "upper"), BOUNDS)
def test_bounds(text: str, value: float, lower: float | None, upper: float | None) -> None:
    row = with_bounds(parse_numbers(pl.Series([text]))).row(0, named=True)
    assert (row["value"], row["lower"], row["upper"]) == (value, lower, upper)


def test_bounds_of_what_is_no_number_are_null() -> None:
    frame = with_bounds(parse_numbers(pl.Series(["6:4", "words", None])))
    assert frame.select("value", "lower", "upper").null_count().row(0) == (3, 3, 3)


@pytest.mark.parametrize("numeral", ["百五", "三百二", "1万2", "十十", "万万", "", "零", "十五十", "1.2万3千", "千百", "一二"])
def test_numerals_that_are_refused(numeral: str) -> None:
    assert chinese_numeral(numeral) is None


def test_keys_and_marks_of_labels() -> None:
    labels = pl.Series("label", ["综　合\n（亿元）", "地区生产总值【1】", "Billion Yuan", "人口①"])
    assert label_key(labels).to_list()[:2] == ["综合(亿元)", "地区生产总值【1】"]
    assert unit_key(labels)[2] == "billionyuan"
    assert without_footnotes(labels).to_list()[1::2] == ["地区生产总值", "人口"]
    assert footnotes(labels).to_list() == [[], ["【1】"], [], ["①"]]
    assert normalise(pl.Series(["億元　〇—～∶"])).to_list() == ["亿元 0-~:"]
    assert without_footnotes(pl.Series(["km²"])).to_list() == ["km²"]


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="注註(（[［【12１%)）*＊①❶¹²⁴年km\ue000\ufffd "))
def test_one_text_loses_the_marks_that_a_column_loses(text: str) -> None:
    assert without_marks(text) == without_footnotes(pl.Series([text]))[0]
    assert pl.DataFrame({"x": ["Ａ"]}).select(normalise(pl.col("x"))).item() == "A"


# --- properties ---------------------------------------------------------------------------------------------

decimals = st.builds(
    lambda mantissa, places: Decimal(mantissa).scaleb(-places),
    st.integers(-(10**12) + 1, 10**12 - 1),
    st.integers(0, 6),
)


def _grouped(plain: str, separator: str) -> str:
    whole, point, rest = plain.partition(".")
    return f"{int(whole):,}".replace(",", separator) + point + rest


@st.composite
def typeset(draw: st.DrawFn) -> tuple[str, Decimal, str | None, str | None]:
    """A number in one of many typographies, with what it says."""
    number = draw(decimals)
    plain = f"{abs(number):f}"
    style = draw(st.sampled_from(["plain", ",", " ", "\u3000", "\u00a0", "\u2009", "wide"]))
    if style == "wide":
        plain = plain.translate(str.maketrans("0123456789.", "０１２３４５６７８９．"))
    elif style != "plain":
        plain = _grouped(plain, style)
    unit = draw(st.sampled_from(["", "%", "％", "‰", "亿元", "億元", "家", "万美元", "个百分点"]))
    if number < 0:
        sign = draw(st.sampled_from(["-", "－", "−", "–", "下降", "减少"]))
        qualifier = ""
    else:
        sign = draw(st.sampled_from(["", "+", "增长", "提高"]))
        qualifier = draw(st.sampled_from(["", "超", "突破", "约", "近", "不足"]))
    mark = draw(st.sampled_from(["", "*", "①", "【1】", "[2]"]))
    blank = draw(st.sampled_from(["", " ", "\u3000"]))
    folded = {"％": "%", "億元": "亿元", "": None}.get(unit, unit)
    said = {"超": "over", "突破": "over", "约": "about", "近": "nearly", "不足": "below", "": None}[qualifier]
    context = draw(st.sampled_from(["", "同比", "比上年"]))
    return f"{blank}{context}{qualifier}{sign}{plain}{mark}{unit}{blank}", number, folded, said


@settings(max_examples=200, deadline=None)
@given(typeset())
def test_round_trip(case: tuple[str, Decimal, str | None, str | None]) -> None:
    text, number, unit, said = case
    row = with_bounds(parse_numbers(pl.Series([text]))).row(0, named=True)
    assert row["number_status"] == "number", (text, row["number_reason"])
    assert Decimal(row["mantissa"]).scaleb(row["scale_mult"] - row["decimals"]) == number
    assert row["decimals"] == -int(number.as_tuple().exponent)
    assert (row["unit_in_text"], row["qualifier"]) == (unit, said)


@settings(max_examples=200, deadline=None)
@given(st.integers(-(10**18) + 1, 10**18 - 1), st.integers(0, 18), st.sampled_from(["", "约"]))
def test_bounds_are_the_nearest_doubles_and_hold_the_value(mantissa: int, places: int, about: str) -> None:
    number = Decimal(mantissa).scaleb(-places)
    row = with_bounds(parse_numbers(pl.Series([f"{about}{number:f}"]))).row(0, named=True)
    assert row["number_status"] == "number"
    exact = Fraction(mantissa, 10**places)
    step = Fraction(10) ** row["granularity"] if about else Fraction(1, 2 * 10**places)
    assert row["value"] == float(exact)
    assert row["lower"] == float(exact - step) and row["upper"] == float(exact + step)
    assert row["lower"] <= row["value"] <= row["upper"]


printable = st.text(
    alphabet=st.one_of(
        st.sampled_from("0123456789.,%-+() eE\ue000\u200b\u3000*①²∶:…"),
        st.sampled_from("十百千万亿一二三余多超约近下降增长元家年比较倍"),
        st.characters(exclude_categories=["Cs"]),
    ),
    max_size=14,
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(st.none(), printable), max_size=30), st.booleans())
def test_any_text_is_one_row(texts: list[str | None], decimal_comma: bool) -> None:
    series = pl.Series(texts, dtype=pl.String)
    marks = {"-": "M", "…": "N"}
    frame = with_bounds(parse_numbers(series, decimal_comma=decimal_comma, missing_marks=marks))
    assert frame["value_text"].to_list() == list(dict.fromkeys(texts))
    assert frame["number_status"].is_in(["number", "ratio", "missing", "unreadable", "empty"]).all()
    assert (frame["mantissa"].is_not_null() == (frame["number_status"] == "number")).all()
    assert (frame["number_reason"].is_not_null() == (frame["number_status"] == "unreadable")).all()
    assert (frame["obs_status"].is_not_null() >= (frame["number_status"] == "missing")).all()
    assert all(math.isfinite(value) for value in frame["value"].drop_nulls())
    has_decimal_comma(series)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from([row[0] for row in NUMBERS] + [row[0] for row in UNREADABLE]), min_size=2))
def test_a_text_reads_the_same_in_any_company(texts: list[str]) -> None:
    frame = parse_numbers(pl.Series(texts))
    assert frame.schema == pl.Schema(SCHEMA)
    for row in frame.iter_rows(named=True):
        assert row == read(row["value_text"])


@given(st.integers(1, 99_999_999))
@settings(max_examples=300, deadline=None)
def test_spoken_numerals_come_back(number: int) -> None:
    said = _spoken(number)
    read_back = chinese_numeral(said)
    assert read_back is not None, said
    magnitude, big, _, bare = read_back
    assert not bare
    assert magnitude * {"": 1, "万": 10**4}[big] == number


def _spoken(number: int) -> str:
    """The full spoken form: 10 → 一十, zeros said once."""
    high, low = divmod(number, 10_000)
    if high:
        tail = "" if not low else ("零" if low < 1000 else "") + _spoken_section(low)
        return _spoken_section(high) + "万" + tail
    return _spoken_section(low)


def _spoken_section(number: int) -> str:
    said, gap = "", False
    for worth, sign in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit = number // worth % 10
        if digit:
            said += ("零" if gap and said else "") + "零一二三四五六七八九"[digit] + sign
            gap = False
        else:
            gap = True
    return said
