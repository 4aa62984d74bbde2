"""Bytes to text grids: what stands in which cell, before anybody says what it means.

Belongs here: telling a file's true type and encoding, and giving every sheet as a frame of strings with its row numbers.
Does not belong here: layouts, numbers, periods, or a judgement on any cell.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time

import polars as pl

ROW = "__row__"
_MISTAKES = ("�",)


class UnreadableFile(ValueError):
    """A file that gives no table at all. ``code`` is stable; the message says what it is and what to do."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Sheet:
    """A sheet: its name and a frame of text columns ``c0 … cn`` plus ``__row__`` (1-based, as a person counts)."""

    name: str
    cells: pl.DataFrame


def column_letters(index: int) -> str:
    """0 → A, 25 → Z, 26 → AA."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def _decode(data: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        private = sum("\ue000" <= character <= "\uf8ff" for character in text[:200_000])
        if any(mark in text for mark in _MISTAKES) or private > 0.001 * min(len(text), 200_000) + 1:
            continue
        return text
    raise UnreadableFile("encoding", "neither UTF-8 nor GB18030: save the file as UTF-8 (Excel: “CSV UTF-8”) and drop it in again")


def _numbered(frame: pl.DataFrame, first_row: int = 1) -> pl.DataFrame:
    renamed = frame.rename({name: f"c{position}" for position, name in enumerate(frame.columns)})
    return renamed.with_row_index(ROW, offset=first_row)


def _read_csv(data: bytes) -> list[Sheet]:
    text = _decode(data)
    if "\x00" in text:
        raise UnreadableFile("binary", "not a text table: zero bytes inside")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    frame = _rectangular(text)
    return [Sheet("", _numbered(_ragged(text) if frame is None else frame))]


def _rectangular(text: str) -> pl.DataFrame | None:
    """The fast way: every row as wide as the first and no blank line in between; else None."""
    if "\n\n" in text.rstrip("\n"):
        return None
    width = len(next(csv.reader([text.split("\n", 1)[0]])))
    try:
        return pl.read_csv(
            text.encode(),
            has_header=False,
            schema={f"c{position}": pl.String for position in range(width)},
            infer_schema=False,
            empty_string_is_null=False,
        )
    except pl.exceptions.PolarsError:
        return None


def _ragged(text: str) -> pl.DataFrame:
    """A preamble, notes and blank lines make rows of many widths: the patient way, which keeps every row's number."""
    try:
        rows = list(csv.reader(io.StringIO(text)))
    except csv.Error as error:
        raise UnreadableFile("csv", f"not a table of comma-separated values: {error}") from error
    width = max((len(row) for row in rows), default=0)
    if not width:
        raise UnreadableFile("empty", "the file has lines but nothing in them")
    padded = [row + [""] * (width - len(row)) for row in rows]
    return pl.DataFrame(padded, schema={f"c{position}": pl.String for position in range(width)}, orient="row")


def _read_workbook(data: bytes) -> list[Sheet]:
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError

    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(data))
        found = [(name, book.get_sheet_by_name(name)) for name in book.sheet_names]
        grids = [(name, sheet.start, sheet.to_python(skip_empty_area=True)) for name, sheet in found if sheet.start is not None]
    except PasswordError as error:
        raise UnreadableFile("password", "the workbook asks for a password: save it without one and drop it in again") from error
    except CalamineError as error:
        raise UnreadableFile("workbook", f"not a workbook that Excel would open (damaged): {error}") from error
    return [_placed(name, start, grid) for name, start, grid in grids if grid]


def _placed(name: str, start: tuple[int, int], grid: Sequence[Sequence[object]]) -> Sheet:
    """A grid that begins at ``start``, with the rows and columns that a person sees in Excel."""
    first_row, first_column = start
    width = max(len(row) for row in grid)
    names = [f"c{first_column + position}" for position in range(width)]
    rows = [[_text(value) for value in row] + [""] * (width - len(row)) for row in grid]
    return Sheet(name, pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row").with_row_index(ROW, offset=first_row + 1))


def _text(value: object) -> str:
    """A cell as its digits: a number cell has no more than the shortest text that gives it back."""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(sep=" ")
    return value if isinstance(value, str) else str(value)


def read_sheets(data: bytes) -> list[Sheet]:
    """Every non-empty sheet of a CSV (UTF-8, UTF-8 with mark, GB18030) or xlsx. The bytes decide, not the file's name.

    Raises :class:`UnreadableFile`.
    """
    if not data.strip():
        raise UnreadableFile("empty", "the file is empty: nothing was saved into it")
    if data[:4] == b"PK\x03\x04":
        sheets = _read_workbook(data)
    elif data[:8] == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        raise UnreadableFile("xls", "an old Excel workbook (.xls): save it as .xlsx and drop it in again")
    else:
        sheets = _read_csv(data)
    if not sheets:
        raise UnreadableFile("empty", "the workbook has no cell with anything in it")
    return sheets
