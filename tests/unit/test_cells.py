"""Sheets through a layout: body cells in, rows out, each with its labels and its address."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from dagster_project.intake.cells import CELL_SCHEMA, cells_in_scope
from dagster_project.intake.layouts import Layout, ListLayout, WideLayout
from dagster_project.intake.tables import Sheet, UnreadableFile, column_letters, read_sheets

TITLE = {"zh": "表", "en": "table"}
LIST: dict[str, Any] = {
    "layout": "list", "version": 1, "title": TITLE, "shape": "list", "header": ["地区", "指标", "数值", "单位", "时期", "同比"],
    "roles": {"area": "地区", "indicator": "指标", "unit": "单位", "period": "时期"},
    "values": [{"column": "数值"}, {"column": "同比", "transformation": "G1Y", "unit": "%"}],
}  # fmt: skip
WIDE: dict[str, Any] = {
    "layout": "wide", "version": 1, "title": TITLE, "shape": "wide", "header_starts": "地区", "stub": "area", "columns": "period",
    "preamble": [r"^指标[:：](?P<indicator>.+?)[(（](?P<unit>.+?)[)）]$"], "stop": ["^注", "^数据来源"], "fixed": {"kind": "observation"},
}  # fmt: skip
WORD = st.text(st.sampled_from("重庆万州0123456789.超近约-"), min_size=1, max_size=6)


def layout(grammar: dict[str, Any], **changes: Any) -> ListLayout | WideLayout:
    adapter: TypeAdapter[ListLayout | WideLayout] = TypeAdapter(Layout)
    return adapter.validate_python({**grammar, **changes})


def sheets(text: str) -> list[Sheet]:
    return read_sheets(text.encode())


@dataclass(frozen=True)
class Cell:
    """Where a figure stands and what it says."""

    cell: str
    value_text: str
    transformation: str


def found(frame: pl.DataFrame) -> list[Cell]:
    return [Cell(row["cell"], row["value_text"], row["transformation"]) for row in frame.iter_rows(named=True)]


def test_a_list_gives_a_row_a_figure_and_one_for_each_printed_growth() -> None:
    text = "地区,指标,数值,单位,时期,同比\n重庆市,地区生产总值,100.5,亿元,2022年,3.0%\n万州区,地区生产总值,,亿元,2022年,\n"
    frame = cells_in_scope(layout(LIST), sheets(text))
    assert found(frame) == [Cell("C2", "100.5", "N"), Cell("C3", "", "N"), Cell("F2", "3.0%", "G1Y")]
    assert frame["unit_text"].to_list() == ["亿元", "亿元", "%"]
    assert frame["base_unit_text"].to_list() == ["亿元"] * 3
    assert frame.schema == pl.Schema(CELL_SCHEMA)


def test_a_header_lower_down_and_in_another_order_is_found() -> None:
    text = "统计公报,,,,,\n,,,,,\n时期,单位,数值,指标,地区,同比\n2022年,亿元,7,存款,重庆市,\n"
    frame = cells_in_scope(layout(LIST), sheets(text))
    assert found(frame) == [Cell("C4", "7", "N")]
    assert frame.row(0, named=True)["area_text"] == "重庆市"


@given(st.lists(st.lists(WORD, min_size=3, max_size=3), min_size=1, max_size=12))
def test_every_body_cell_of_a_wide_table_is_a_row(body: list[list[str]]) -> None:
    years = ["2023年", "2022年", "2021年"]
    lines = ["数据库：分省年度数据", "指标：地区生产总值(亿元)", ",".join(["地区", *years])]
    lines += [",".join([f"地区{number}", *row]) for number, row in enumerate(body)]
    lines += ["注：末行", "数据来源：国家统计局"]
    frame = cells_in_scope(layout(WIDE), sheets("\n".join(lines) + "\n"))
    assert frame.height == 3 * len(body)
    got = {(row["area_text"], row["period_text"]): (row["value_text"], row["cell"]) for row in frame.iter_rows(named=True)}
    for number, row in enumerate(body):
        for position, year in enumerate(years):
            assert got[f"地区{number}", year] == (row[position], f"{column_letters(position + 1)}{number + 4}")
    assert set(frame["indicator_text"]) == {"地区生产总值"} and set(frame["unit_text"]) == {"亿元"}
    assert set(frame["note_text"]) == {"注：末行 数据来源：国家统计局"}


def test_a_column_without_a_heading_and_a_row_without_a_stub_are_out_of_scope() -> None:
    frame = cells_in_scope(layout(WIDE), sheets("地区,2023年,,备注\n重庆市,1,x,y\n,2,x,y\n"))
    assert [(row["period_text"], row["value_text"]) for row in frame.iter_rows(named=True)] == [("2023年", "1"), ("备注", "y")]


def test_a_missing_header_says_what_was_expected_and_what_was_found() -> None:
    with pytest.raises(UnreadableFile) as caught:
        cells_in_scope(layout(LIST), sheets("区县,项目,数额\n重庆市,存款,7\n"))
    assert caught.value.code == "header"
    assert "expected: 地区 | 指标 | 数值 | 单位 | 时期 | 同比" in str(caught.value)
    assert "row 1: 区县 | 项目 | 数额" in str(caught.value)


def test_the_named_sheet_is_read_and_a_missing_one_named() -> None:
    both = [Sheet("甲", sheets("地区,2023年\n重庆市,1\n")[0].cells), Sheet("乙", sheets("地区,2023年\n重庆市,2\n")[0].cells)]
    assert cells_in_scope(layout(WIDE, sheet="乙"), both)["value_text"].to_list() == ["2"]
    assert cells_in_scope(layout(WIDE), both)["sheet"].to_list() == ["甲"]
    with pytest.raises(UnreadableFile, match="no sheet '丙'; the file has: 甲, 乙"):
        cells_in_scope(layout(WIDE, sheet="丙"), both)
