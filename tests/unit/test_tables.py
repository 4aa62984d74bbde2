"""Bytes to text grids: every cell of the file comes out once, whatever the encoding, the line ends and the shape."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.intake.tables import ROW, UnreadableFile, column_letters, read_sheets
from tests.helpers import write_workbook

ENCODINGS = ("utf-8", "utf-8-sig", "gb18030")
# What a table is written in: letters, digits, signs, Chinese, quotes, commas and line breaks inside a cell.
TEXT = st.text(st.sampled_from("重庆市亿元地区生产总值年末，。％‰①0123456789.,-+%\" abcXYZ'\n　〇"), max_size=8)
GRIDS = st.integers(1, 6).flatmap(lambda width: st.lists(st.lists(TEXT, min_size=width, max_size=width), min_size=1, max_size=8))
# A table prints more than a character or two: the GB18030 bytes of a lone 值 are UTF-8 too, and nothing could tell them apart.
TITLE = "数据库：分省年度数据"
RAGGED = st.lists(st.lists(TEXT, max_size=5), min_size=1, max_size=8)


def as_csv(grid: list[list[str]], line_end: str = "\n") -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator=line_end, quoting=csv.QUOTE_ALL).writerows(grid)
    return buffer.getvalue()


def grid_of(frame: pl.DataFrame) -> list[list[str]]:
    return [list(row[1:]) for row in frame.iter_rows()]


@given(GRIDS, st.sampled_from(ENCODINGS), st.sampled_from(["\n", "\r\n"]))
def test_what_was_written_is_what_is_read(grid: list[list[str]], encoding: str, line_end: str) -> None:
    grid = [[TITLE, *grid[0][1:]], *grid]
    (sheet,) = read_sheets(as_csv(grid, line_end).encode(encoding))
    assert grid_of(sheet.cells) == grid
    assert sheet.cells[ROW].to_list() == list(range(1, len(grid) + 1))


@given(RAGGED, st.sampled_from(ENCODINGS))
def test_rows_of_many_widths_keep_their_numbers(grid: list[list[str]], encoding: str) -> None:
    grid = [[TITLE], *grid]
    (sheet,) = read_sheets(as_csv(grid).encode(encoding))
    width = max(len(row) for row in grid)
    expected = [[*row, *[""] * (width - len(row))] for row in grid]
    assert [[text or "" for text in row] for row in grid_of(sheet.cells)] == expected


def test_an_old_mac_file_has_lines_too() -> None:
    (sheet,) = read_sheets("地区,2023年\r重庆市,1\r".encode())
    assert grid_of(sheet.cells) == [["地区", "2023年"], ["重庆市", "1"]]


def test_a_workbook_gives_every_sheet_that_holds_something(tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    write_workbook(path, {"说明": [["数据来源"]], "空": [], "年度": [["地区", "2023年"], ["重庆市", "112.5"]]})
    sheets = read_sheets(path.read_bytes())
    assert [sheet.name for sheet in sheets] == ["说明", "年度"]
    assert grid_of(sheets[1].cells) == [["地区", "2023年"], ["重庆市", "112.5"]]


def test_a_workbook_keeps_the_row_numbers_of_a_table_that_starts_lower(tmp_path: Path) -> None:
    path = tmp_path / "low.xlsx"
    write_workbook(path, {"年度": [[], [], ["地区", "2023年"], ["重庆市", "1"]]})
    (sheet,) = read_sheets(path.read_bytes())
    header = sheet.cells.filter(pl.col("c0") == "地区")
    assert header[ROW].to_list() == [3]


def test_a_workbook_keeps_the_letters_of_a_table_that_starts_further_right(tmp_path: Path) -> None:
    path = tmp_path / "right.xlsx"
    write_workbook(path, {"年度": [["", "", "地区", "2023年"], ["", "", "重庆市", "1"]]})
    (sheet,) = read_sheets(path.read_bytes())
    assert sheet.cells["c2"].to_list() == ["地区", "重庆市"]


def test_the_bytes_decide_what_a_file_is(tmp_path: Path) -> None:
    path = tmp_path / "book.csv"
    write_workbook(path.with_suffix(".xlsx"), {"年度": [["地区"]]})
    path.write_bytes(path.with_suffix(".xlsx").read_bytes())
    assert read_sheets(path.read_bytes())[0].name == "年度"


@pytest.mark.parametrize(
    ("data", "code", "said"),
    [
        (b"", "empty", "empty"),
        (b" \n\n", "empty", "empty"),
        (b"PK\x03\x04 and then nothing", "workbook", "damaged"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 64, "xls", ".xlsx"),
        ("重慶市,1\n".encode("big5") + b"\xff\xff\x80", "encoding", "UTF-8"),
        ("地区,1\n".encode("utf-16"), "encoding", "UTF-8"),
        (b"a,b\n\x00\x01,2\n", "binary", "zero bytes"),
    ],
    ids=["nothing", "only blanks", "damaged workbook", "old workbook", "another encoding", "utf-16", "zero bytes"],
)
def test_what_is_no_table_says_so(data: bytes, code: str, said: str) -> None:
    with pytest.raises(UnreadableFile) as caught:
        read_sheets(data)
    assert caught.value.code == code
    assert said in str(caught.value)


@given(st.integers(0, 20_000))
def test_column_letters_count_as_a_spreadsheet_does(index: int) -> None:
    number = 0
    for letter in column_letters(index):
        number = number * 26 + ord(letter) - 64
    assert number == index + 1
