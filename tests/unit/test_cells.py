"""Books through a layout: body cells in, rows out, each with its labels and its address; nothing lost, whatever happened to the file."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dagster_project.intake.cells import CELL_SCHEMA, FILE, HeaderMismatch, Reading, locate, read_through, read_together
from dagster_project.intake.layouts import Layout
from dagster_project.intake.ledger import parsed
from dagster_project.intake.tables import UnreadableFile, column_letters, read_book
from dagster_project.intake.workbooks import WorkbookProcess
from dagster_project.settings import Limits
from tests import fuzz
from tests.fixtures import generated, hostile

BASE: dict[str, Any] = {"layout": "t", "title": {"zh": "表", "en": "table"}}
LIST: list[dict[str, Any]] = [
    {"地区": "area"}, {"指标": "indicator"}, {"数值": "value"}, {"单位": "unit"}, {"时期": "period"},
    {"同比": {"holds": "value", "transformation": "G1Y", "optional": True, "fixed": {"unit": "%"}}},
]  # fmt: skip
WIDE: list[dict[str, Any]] = [{"地区": "area"}, {"{period}": "values"}]


def read(text: str, columns: list[dict[str, Any]] = WIDE, **keys: Any) -> Reading:
    return read_through(Layout.model_validate({**BASE, "columns": columns, **keys}), read_book(text.encode()))


def found(reading: Reading, *names: str) -> list[tuple[Any, ...]]:
    return reading.cells.select(*names).rows()


# --- generated tables of each family ----------------------------------------------------------------------------


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.one_of(*generated.FAMILIES), st.sampled_from(generated.CSV_ENCODINGS), st.sampled_from([",", "\t"]))
def test_every_cell_of_a_generated_text_table_is_read_once(made: generated.Made, encoding: str, separator: str) -> None:
    fuzz.check_made(made, generated.as_csv(made, encoding, separator), None)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.one_of(*generated.FAMILIES), st.sampled_from(["utf-8", "gbk"]))
def test_every_cell_of_a_generated_page_is_read_once(made: generated.Made, encoding: str) -> None:
    fuzz.check_made(made, generated.as_html(made, encoding), None)


def test_every_cell_of_a_generated_workbook_is_read_once() -> None:
    with WorkbookProcess(Limits()) as process:

        @settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
        @given(st.one_of(*generated.FAMILIES))
        def check(made: generated.Made) -> None:
            fuzz.check_made(made, generated.as_xlsx(made), process)

        check()


def test_mangled_files_lose_no_cell_and_raise_nothing_unforeseen() -> None:
    outcomes = fuzz.run(300, random.Random(20261121))
    assert outcomes["unforeseen"] == 0, outcomes
    # else nothing is tested: some are read all the same, some are refused in several ways
    assert outcomes["read"] > 20 and len(outcomes) > 5, outcomes


@settings(max_examples=30, deadline=None)
@given(st.lists(st.decimals(-99999, 99999, places=2), min_size=1, max_size=6))
def test_numbers_and_periods_round_trip(values: list[Any]) -> None:
    text = "地区," + ",".join(f"{2000 + n}年" for n in range(len(values))) + "\n重庆市," + ",".join(map(str, values)) + "\n"
    frame = parsed(read(text), {})
    back = frame.sort("period_start").select(pl.col("mantissa"), pl.col("decimals"), pl.col("period_end").dt.year()).rows()
    assert [(mantissa / 10**decimals, year) for mantissa, decimals, year in back] == [(float(value), 2000 + n) for n, value in enumerate(values)]


# --- headings ---------------------------------------------------------------------------------------------------


def test_a_list_gives_a_row_a_figure_and_one_for_each_printed_growth() -> None:
    text = "地区,指标,数值,单位,时期,同比\n重庆市,地区生产总值,100.5,亿元,2022年,3.0%\n万州区,地区生产总值,,亿元,2022年,\n"
    reading = read(text, LIST)
    assert found(reading, "cell", "value_text", "transformation", "unit_text", "base_unit_text") == [
        ("C2", "100.5", "N", "亿元", "亿元"), ("C3", "", "N", "亿元", "亿元"), ("F2", "3.0%", "G1Y", "%", "亿元"),
    ]  # fmt: skip
    assert reading.cells.schema == pl.Schema(CELL_SCHEMA)


@pytest.mark.parametrize(
    ("header", "pairs"),
    [
        ("区域,2023年,2022年", [("地区", "A1", "区域"), ("{period}", "B1", "2023年"), ("{period}", "C1", "2022年")]),
        ("地区,2023年,备注", [("地区", "A1", "地区"), ("{period}", "B1", "2023年"), ("", "C1", "备注")]),
        ("2023年,地区,2022年", None),
    ],
    ids=["renamed", "added", "moved"],
)
def test_changed_headings_are_refused_side_by_side(header: str, pairs: list[tuple[str, str, str]] | None) -> None:
    with pytest.raises(HeaderMismatch) as caught:
        read(header + "\n重庆市,1,2\n")
    assert caught.value.code == "header" and "differs 不符" in str(caught.value)
    if pairs:
        assert list(caught.value.pairs) == pairs


def test_the_years_may_move_on() -> None:
    assert found(read("地区,2031年\n重庆市,1\n"), "period_text", "value_text") == [("2031年", "1")]


def test_widths_and_blanks_in_headings_do_not_matter() -> None:
    assert read("地　区 ,２０２３年\n重庆市,1\n").cells.height == 1


def test_a_column_without_heading_that_holds_something_refuses_the_file() -> None:
    with pytest.raises(HeaderMismatch, match="column C has no heading, but C2 holds 'x'"):
        read("地区,2023年,\n重庆市,1,x\n")
    assert read("地区,2023年,\n重庆市,1,\n").cells.height == 1


def test_a_figure_without_a_label_is_not_lost() -> None:
    assert found(read("地区,2023年\n重庆市,1\n,2\n"), "area_text", "value_text") == [("重庆市", "1"), ("", "2")]


def test_the_named_sheet_is_read_and_a_missing_one_named() -> None:
    book = read_book(hostile.workbook())
    layout = Layout.model_validate({**BASE, "columns": WIDE, "sheets": "年*"})
    assert read_through(layout, book).cells.height == 4
    with pytest.raises(UnreadableFile, match="no sheet is called '月度'; the file has: 年度"):
        read_through(layout.model_copy(update={"sheets": "月度"}), book)


# --- rows, lines, notes -----------------------------------------------------------------------------------------


def test_sections_lines_and_notes_are_told_apart_and_only_where_no_figure_stands() -> None:
    text = "单位：亿元\n指标,2023年\n一、总量,\n贷款,1\n单位：万元,\n存款,2\n注册资本,3\n注：甲\n乙\n"
    reading = read(text, [{"指标": "indicator"}, {"{period}": "values"}], above=["单位：{unit}"], rows=[{"/^一、/": "section"}])
    assert found(reading, "indicator_text", "unit_text", "parent_text") == [
        ("贷款", "亿元", "一、总量"), ("存款", "万元", "一、总量"), ("注册资本", "万元", "一、总量"),
    ]  # fmt: skip
    assert reading.notes.filter(kind="note")["text"].to_list() == ["注：甲", "乙"]
    assert reading.notes.filter(kind="above")["text"].to_list() == ["单位：亿元", "单位：万元"]


def test_a_figure_after_the_notes_is_still_read() -> None:
    assert found(read("地区,2023年\n重庆市,1\n注：甲\n四川省,2\n"), "area_text", "value_text") == [("重庆市", "1"), ("四川省", "2")]


def test_parts_know_their_whole_and_may_be_qualified_by_it() -> None:
    text = "指标,2023年\n各项存款,9\n　住户存款,5\n　　其中：活期,2\n　企业存款,4\n　　其中：活期,1\n"
    columns = [{"指标": "indicator"}, {"{period}": "values"}]
    rows = [{"其中：{indicator}": "child"}]
    assert found(read(text, columns, rows=rows), "indicator_text", "parent_text")[2] == ("活期", "住户存款")
    qualified = read(text, columns, rows=rows, qualify=True)
    assert [row[0].strip() for row in found(qualified, "indicator_text")] == [
        "各项存款",
        "各项存款：住户存款",
        "住户存款：活期",
        "各项存款：企业存款",
        "企业存款：活期",
    ]


def test_a_footnote_mark_brings_its_note() -> None:
    reading = read("地区,2023年①\n重庆市,12.5*\n四川省,3\n注：①预计数\n* 含郊县\n")
    assert found(reading, "area_text", "note_text") == [("重庆市", "* 含郊县 注：①预计数"), ("四川省", "注：①预计数")]


def test_a_label_that_is_printed_once_stands_for_the_rows_below_where_the_layout_says_so() -> None:
    columns: list[dict[str, Any]] = [{"指标": {"holds": "indicator", "fill": True}}, {"地区": "area"}, {"{period}": "values"}]
    text = "指标,地区,2023年\n贷款,重庆,1\n,四川,2\n存款,重庆,3\n"
    assert found(read(text, columns), "indicator_text", "area_text") == [("贷款", "重庆"), ("贷款", "四川"), ("存款", "重庆")]


def test_a_year_above_and_a_month_below_are_one_period() -> None:
    columns = [{"指标": "indicator"}, {"{year} / {period}": "values"}]
    reading = read("指标,2022年,,2023年\n,11月,12月,1月\n贷款,1,2,3\n", columns, header=2)
    assert [row[0] for row in found(reading, "period_text")] == ["2022年11月", "2022年12月", "2023年1月"]


def test_reading_is_a_function_of_bytes_and_layout() -> None:
    text = "单位：亿元\n地区,2023年\n重庆市,1\n注：甲\n"
    one, two = read(text), read(text)
    assert one.cells.equals(two.cells) and one.notes.equals(two.notes) and one.tables == two.tables


def test_books_that_are_read_together_are_read_as_each_alone() -> None:
    """Lines, sections, marks, headings and indentation of one book say nothing of another, whatever stands where in it."""
    columns: list[dict[str, Any]] = [{"指标": "indicator"}, {"{period}": "values"}]
    keys = {"above": ["单位：{unit}"], "rows": [{"/^一、/": "section"}], "qualify": True}
    layout = Layout.model_validate({**BASE, "columns": columns, **keys})
    texts = [
        "单位：亿元\n指标,2023年①,2022年\n一、总量,,\n贷款,1,2\n单位：万元,,\n存款*,2,3\n　其中：活期,3,4\n注：①预计数\n* 含郊县\n",
        "指标,2021年,2020年\n贷款,5,6*\n　,7,8\n指标,2019年,2018年\n存款①,9,10\n　住户存款,11,12\n",
        "指标,2024年\n贷款,5\n注：* 甲\n",
        "单位：美元\n指标,2021年,2020年\n",
        "指标,2024年\n　存款,-\n",
    ]
    located = [locate(layout, read_book(text.encode())) for text in texts]
    cells, notes = read_together(located)
    for at, text in enumerate(texts):
        alone = read_through(layout, read_book(text.encode()))
        assert cells.filter(pl.col(FILE) == at).drop(FILE).to_dicts() == alone.cells.to_dicts()
        assert notes.filter(pl.col(FILE) == at).drop(FILE).to_dicts() == alone.notes.to_dicts()
    assert cells.height == 16


def test_addresses_are_those_of_the_sheet() -> None:
    reading = read_through(Layout.model_validate({**BASE, "columns": WIDE}), read_book(hostile.workbook()))
    cells = Counter(found(reading, "cell"))
    assert set(cells) == {(f"{column_letters(c)}{r}",) for c in (1, 2) for r in (2, 3)} and set(cells.values()) == {1}
