"""Bytes to text grids: every cell of the file comes out once, whatever the encoding, the line ends and the shape."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.intake.tables import ROW, Sheet, UnreadableFile, column_index, column_letters, read_book
from dagster_project.intake.workbooks import WorkbookProcess
from dagster_project.settings import Limits
from tests.fixtures import hostile
from tests.helpers import write_workbook

ENCODINGS = ("utf-8", "utf-8-sig", "gb18030", "utf-16")
# What a table is written in: letters, digits, signs, Chinese, quotes, commas and line breaks inside a cell.
TEXT = st.text(st.sampled_from("重庆市亿元地区生产总值年末，。％‰①0123456789.,-+%\" abcXYZ'\n　〇"), max_size=8)
GRIDS = st.integers(1, 6).flatmap(lambda width: st.lists(st.lists(TEXT, min_size=width, max_size=width), min_size=1, max_size=8))
# A table prints more than a character or two: the GB18030 bytes of a lone 值 are UTF-8 too, and nothing could tell them apart.
TITLE = "数据库：分省年度数据"
RAGGED = st.lists(st.lists(TEXT, max_size=5), min_size=1, max_size=8)


def sheets_of(data: bytes) -> tuple[Sheet, ...]:
    return read_book(data).sheets


def as_csv(grid: list[list[str]], line_end: str = "\n") -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator=line_end, quoting=csv.QUOTE_ALL).writerows(grid)
    return buffer.getvalue()


def as_page(grid: list[list[str]]) -> str:
    def cell(text: str) -> str:
        escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace("\n", "<br>")
        return f"<td>{escaped}</td>"

    return "<table>" + "".join(f"<tr>{''.join(map(cell, row))}</tr>" for row in grid) + "</table>"


def grid_of(frame: pl.DataFrame) -> list[list[str]]:
    return [list(row[1:]) for row in frame.iter_rows()]


@given(GRIDS, st.sampled_from(ENCODINGS), st.sampled_from(["\n", "\r\n"]))
def test_what_was_written_is_what_is_read(grid: list[list[str]], encoding: str, line_end: str) -> None:
    # a row longer than its cells have commas keeps the comma the separator
    grid = [[TITLE, *grid[0][1:]], *grid]
    text = as_csv(grid, line_end)
    (sheet,) = sheets_of(text.encode(encoding))
    assert grid_of(sheet.cells) == grid
    assert sheet.cells[ROW].to_list() == list(range(1, len(grid) + 1))


@given(RAGGED, st.sampled_from(ENCODINGS))
def test_rows_of_many_widths_keep_their_numbers(grid: list[list[str]], encoding: str) -> None:
    grid = [[TITLE], *grid]
    (sheet,) = sheets_of(as_csv(grid).encode(encoding))
    width = max(len(row) for row in grid)
    expected = [[*row, *[""] * (width - len(row))] for row in grid]
    assert [[text or "" for text in row] for row in grid_of(sheet.cells)] == expected


@given(GRIDS, st.sampled_from(ENCODINGS))
def test_a_page_gives_what_a_browser_shows(grid: list[list[str]], encoding: str) -> None:
    grid = [[TITLE, *grid[0][1:]], *grid]
    (sheet,) = sheets_of(as_page(grid).encode(encoding))
    shown = [
        ["\n".join(line for line in (" ".join(part.split(" ")).strip(" ") for part in text.split("\n")) if line) for text in row] for row in grid
    ]
    assert [[" ".join(text.split(" ")) for text in row] for row in grid_of(sheet.cells)] == [[_run_together(text) for text in row] for row in shown]


def _run_together(text: str) -> str:
    while "  " in text:
        text = text.replace("  ", " ")
    return text


def test_an_old_mac_file_has_lines_too() -> None:
    (sheet,) = sheets_of("地区,2023年\r重庆市,1\r".encode())
    assert grid_of(sheet.cells) == [["地区", "2023年"], ["重庆市", "1"]]


def test_a_workbook_gives_every_sheet_that_holds_something_where_it_stands(tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    write_workbook(path, {"说明": [["数据来源"]], "空": [], "年度": [[], [], ["", "", "地区", "2023年"], ["", "", "重庆市", "112.5"]]})
    first, second = sheets_of(path.read_bytes())
    assert (first.name, second.name) == ("说明", "年度")
    assert second.cells[ROW].to_list() == [3, 4]
    assert second.cells["c2"].to_list() == ["地区", "重庆市"]


def test_numbers_have_the_digits_that_excel_shows() -> None:
    numbers: list[object] = [0.1 + 0.2, 24425.000000000004, 1e15, 5, -0.5, 123456789.12]
    (sheet,) = sheets_of(hostile.workbook(table=[["a"], *[[number] for number in numbers]]))
    assert sheet.cells["c0"].to_list()[1:] == ["0.3", "24425", "1000000000000000", "5", "-0.5", "123456789.12"]


def test_a_page_keeps_spans_captions_and_what_is_hidden() -> None:
    page = (
        '<table><caption><p>存款</p><p>单位：亿元</p></caption><tr><th rowspan=2>地区<th colspan=2>余额</tr><tr><th>甲<th>乙</tr>'
        '<tr hidden><td>万州<td>1<td>2</tr></table><table><tr><td> </td></tr></table><table><tr><td>另</table>'
    )  # fmt: skip
    book = read_book(page.encode("gbk"))
    assert [sheet.name for sheet in book.sheets] == ["table 1", "table 3"]
    first = book.sheets[0]
    assert grid_of(first.cells) == [["地区", "余额", ""], ["", "甲", "乙"], ["万州", "1", "2"]]
    assert (first.caption, first.hidden_rows) == (("存款", "单位：亿元"), frozenset({3}))
    assert first.merged == ((1, 0, 2, 0), (1, 1, 1, 2))


def test_one_process_reads_many_workbooks_and_outlives_a_bad_one() -> None:
    wide = hostile.workbook(lambda _book, sheet: sheet.write(1_048_575, 16_383, 1) and None)
    with WorkbookProcess(Limits()) as process:
        for data, code in ((hostile.workbook(), None), (wide, "crash"), (hostile.workbook()[:2000], "workbook"), (hostile.workbook(), None)):
            try:
                read_book(data, Limits(), process)
                found = None
            except UnreadableFile as problem:
                found = problem.code
            assert found == code


def test_a_workbook_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnreadableFile, match="longer than 0 seconds") as caught:
        read_book(hostile.workbook(), Limits(seconds=0))
    assert caught.value.code == "time"


@pytest.mark.parametrize(
    ("limits", "data", "code"),
    [
        (Limits(cells=5), hostile.workbook(), "cells"),
        (Limits(cells=5), hostile.CSV.encode(), "cells"),
        (Limits(rows=2), hostile.CSV.encode(), "cells"),
        (Limits(columns=2), b"<table><tr><td>a<td>b<td>c</table>", "cells"),
        (Limits(unpacked_bytes=1000), hostile.workbook(), "bomb"),
        (Limits(file_bytes=10), hostile.CSV.encode(), "size"),
    ],
)
def test_each_limit_is_told(limits: Limits, data: bytes, code: str) -> None:
    with pytest.raises(UnreadableFile, match="limit") as caught:
        read_book(data, limits)
    assert caught.value.code == code


@given(st.integers(0, 20_000))
def test_column_letters_count_as_a_spreadsheet_does(index: int) -> None:
    assert column_index(column_letters(index)) == index
    number = 0
    for letter in column_letters(index):
        number = number * 26 + ord(letter) - 64
    assert number == index + 1
