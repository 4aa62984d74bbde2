"""Bytes to text grids: what stands in which cell, before anybody says what it means.

Belongs here: telling a file's true type and encoding, and giving every sheet as a frame of strings with its row numbers. The bytes
decide, never the file's name. Does not belong here: the process that opens workbooks (``workbooks``), layouts, numbers, periods, or a
judgement on any cell.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass, field
from typing import Any, Final

import polars as pl

from dagster_project.intake.workbooks import WorkbookProcess
from dagster_project.intake.worker import SEPARATOR
from dagster_project.settings import Limits

ROW: Final = "__row__"
SMALL: Final = 1 << 16  # bytes of a text table that are split here and not by polars
_MISTAKES: Final = ("�",)
_HTML: Final = re.compile(
    r"\s*(?:<\?xml[^>]*\?>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body|table|style|meta|div|script|title|center|p|span|font|tr|td)\b",
    re.IGNORECASE | re.DOTALL,
)
_BLANK: Final = b" \t\r\n\x00\xef\xbb\xbf"
_PRIVATE: Final = re.compile("[\ue000-\uf8ff]")
_CHARSET: Final = re.compile(rb"charset\s*=\s*[\"']?\s*([\w-]+)", re.IGNORECASE)
# What else people drop in: (first bytes, code, what it is and what to do).
_OTHERS: Final = (
    (b"%PDF", "pdf", "a PDF: copy its table into a workbook or a CSV and drop that in"),
    (b"{\\rtf", "document", "a text document (RTF): copy its table into a workbook and drop that in"),
    (b"\x89PNG", "image", "a picture: type its figures into a figure list"),
    (b"\xff\xd8\xff", "image", "a picture: type its figures into a figure list"),
    (b"GIF8", "image", "a picture: type its figures into a figure list"),
    (b"\x1f\x8b", "archive", "a compressed file (gzip): unpack it and drop the table in"),
    (b"Rar!", "archive", "an archive (RAR): unpack it and drop the tables in"),
    (b"7z\xbc\xaf", "archive", "an archive (7z): unpack it and drop the tables in"),
    (b"SQLite format 3", "binary", "a database, not a table: export the table as CSV"),
    (b"MIME-Version:", "mhtml", "a saved web page (MHTML): save it as .html or .xlsx and drop that in"),
)


class UnreadableFile(ValueError):
    """A file that gives no table at all. ``code`` is stable; the message says what it is and what to do."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Sheet:
    """A sheet: its name and a frame of text columns ``c0 … cn`` plus ``__row__`` (1-based, as a person counts).

    ``merged`` are (first row, first column, last row, last column), rows as in ``__row__``, columns from 0; the text stands in the first
    cell and the others are blank. ``formulas`` are the cells (``B7``) whose formula has no computed value; their text is the formula.
    """

    name: str
    cells: pl.DataFrame
    hidden: bool = False
    hidden_rows: frozenset[int] = frozenset()
    merged: tuple[tuple[int, int, int, int], ...] = ()
    formulas: tuple[str, ...] = ()
    caption: tuple[str, ...] = ()


@dataclass(frozen=True)
class Remark:
    """What a person should know of a file that is read nevertheless: macros, a hidden sheet. ``kind`` is stable."""

    sheet: str
    kind: str
    text: str


@dataclass(frozen=True)
class Book:
    """A file's sheets, those without any text left out. ``kind`` is csv, html, xlsx or xls; ``encoding`` is empty for workbooks."""

    kind: str
    sheets: tuple[Sheet, ...]
    encoding: str = ""
    remarks: tuple[Remark, ...] = field(default=())


def column_letters(index: int) -> str:
    """0 → A, 25 → Z, 26 → AA."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def column_index(letters: str) -> int:
    """A → 0, AA → 26."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


# --- text -----------------------------------------------------------------------------------------------------


def _decoded(data: bytes) -> tuple[str, str]:
    """The text and its encoding: a mark at the beginning, else UTF-8 if all of it is, else GB18030."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        candidates: tuple[str, ...] = ("utf-16",)
    else:
        declared = _CHARSET.search(data[:2048]) if b"<" in data[:512] else None
        named = declared.group(1).decode("ascii").lower() if declared else ""
        first = ("gb18030",) if named in ("gb2312", "gbk", "gb18030", "gb_2312-80") else ("big5",) if named == "big5" else ()
        candidates = ("utf-8-sig", *first, "gb18030")
    for encoding in candidates:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        private = len(_PRIVATE.findall(text, 0, 200_000))
        if any(mark in text for mark in _MISTAKES) or private > 0.001 * min(len(text), 200_000) + 1:
            continue
        return text, encoding
    raise UnreadableFile("encoding", "neither UTF-8 nor GB18030: save the file as UTF-8 (Excel: “CSV UTF-8”) and drop it in again")


def _numbered(frame: pl.DataFrame, first_row: int = 1) -> pl.DataFrame:
    renamed = frame.rename({name: f"c{position}" for position, name in enumerate(frame.columns)})
    return renamed.with_row_index(ROW, offset=first_row)


def _separator(text: str) -> str:
    """Comma, tab or semicolon: whichever the leading lines hold most of; a comma where they hold none."""
    head = text[:20_000].split("\n")[:50]
    counts = {mark: sum(line.count(mark) for line in head) for mark in (",", "\t", ";")}
    best = max(counts, key=lambda mark: counts[mark])
    return best if counts[best] else ","


def _csv_sheet(text: str, utf8: bytes, limits: Limits) -> Sheet:
    if b"\r" in utf8:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        utf8 = text.encode()
    separator = _separator(text)
    width = len(next(csv.reader([text.split("\n", 1)[0]], delimiter=separator), []))
    if width > limits.columns:
        raise UnreadableFile("cells", f"its first line has {width} columns: over the limit of {limits.columns}")
    lines = utf8.count(b"\n") + 1
    if lines > limits.rows or lines * width > limits.cells:
        raise UnreadableFile(
            "cells", f"{lines} lines of {width} columns: over the limit of {limits.rows} lines and {limits.cells} cells; split the file"
        )
    # Without quotation marks both ways give the same; what the fast one takes before it begins is more than a small table costs.
    small = len(utf8) < SMALL and b'"' not in utf8
    frame = None if small else _rectangular(utf8, separator, width)
    return Sheet("", _numbered(_ragged(text.rstrip("\n") if small else text, separator, limits) if frame is None else frame))


def _rectangular(utf8: bytes, separator: str, width: int) -> pl.DataFrame | None:
    """The fast way: every row as wide as the first and no blank line in between; else None."""
    if b"\n\n" in utf8[: len(utf8.rstrip(b"\n")) if utf8.endswith(b"\n\n") else None] or utf8.count(b'"') % 2:
        return None
    try:
        return pl.read_csv(
            utf8,
            has_header=False,
            separator=separator,
            schema={f"c{position}": pl.String for position in range(width)},
            infer_schema=False,
            empty_string_is_null=False,
        )
    except pl.exceptions.PolarsError:
        return None


def _ragged(text: str, separator: str, limits: Limits) -> pl.DataFrame:
    """A preamble, notes and blank lines make rows of many widths: the patient way, which keeps every row's number."""
    try:
        rows = list(csv.reader(io.StringIO(text), delimiter=separator, strict=True))
    except csv.Error as error:
        raise UnreadableFile("csv", f"not a table of separated values: {error}. A quotation mark may be missing, or the end of the file") from error
    width = max((len(row) for row in rows), default=0)
    if not width:
        raise UnreadableFile("empty", "the file has lines but nothing in them")
    if width > limits.columns or width * len(rows) > limits.cells:
        raise UnreadableFile(
            "cells", f"{len(rows)} rows of up to {width} columns: over the limit of {limits.columns} columns and {limits.cells} cells"
        )
    padded = [row + [""] * (width - len(row)) for row in rows]
    return pl.DataFrame(padded, schema={f"c{position}": pl.String for position in range(width)}, orient="row")


# --- html -----------------------------------------------------------------------------------------------------

_BREAK: Final = "\x0b"
_BLANKS: Final = re.compile(r"[ \t\r\n\f]+")


def _html_text(pieces: str) -> str:
    """Source blanks run together, a break is a new line; other blanks (U+3000) are printed ones."""
    if _BREAK not in pieces:
        return _BLANKS.sub(" ", pieces).strip(" ")
    return "\n".join(line for line in (_BLANKS.sub(" ", line).strip(" ") for line in pieces.split(_BREAK)) if line)


def _html_sheets(text: str, limits: Limits) -> list[Sheet]:
    from lxml import etree

    # A closing </br> is read as a break by browsers and dropped by the parser; zero bytes end its reading.
    text = re.sub(r"<\s*/?\s*br\b[^>]*>", _BREAK, text.replace(_BREAK, " "), flags=re.IGNORECASE)
    parser = etree.HTMLParser(no_network=True, huge_tree=False, remove_comments=True, remove_pis=True, encoding="utf-8")
    try:
        root = etree.fromstring(text.encode("utf-8"), parser)
    except etree.XMLSyntaxError as error:
        raise UnreadableFile("html", f"a page that no browser would show: {error.msg}") from error
    if any("depth" in str(entry.message).lower() or "huge" in str(entry.message).lower() for entry in parser.error_log):
        raise UnreadableFile("deep", "a page nested deeper than any table: save the table alone (copy it into a workbook) and drop it in")
    if root is None:
        raise UnreadableFile("html", "a page without any table")
    budget = limits.cells
    sheets = []
    for number, table in enumerate(root.iter("table"), start=1):
        sheet, used = _html_table(table, f"table {number}", budget, limits)
        budget -= used
        if sheet is not None:
            sheets.append(sheet)
    return sheets


def _own_rows(table: Any) -> list[Any]:
    rows = []
    for child in table:
        if child.tag == "tr":
            rows.append(child)
        elif child.tag in ("thead", "tbody", "tfoot"):
            rows.extend(row for row in child if row.tag == "tr")
    return rows


def _span(cell: Any, name: str, most: int) -> int:
    written = cell.get(name)
    if written is None:
        return 1
    return max(1, min(int(written), most)) if written.strip().isdigit() and len(written) < 10 else 1


def _hidden(node: Any) -> bool:
    return node.get("hidden") is not None or "display:none" in (node.get("style") or "").replace(" ", "").lower()


def _html_table(table: Any, name: str, budget: int, limits: Limits) -> tuple[Sheet | None, int]:
    nested = any(inner is not table for inner in table.iter("table"))
    own = _own_rows(table)
    grid: list[dict[int, str]] = []
    merged: list[tuple[int, int, int, int]] = []
    hidden: list[int] = []
    taken: dict[int, int] = {}  # column → first row (0-based) that a cell above does not reach
    width = used = 0
    for number, row in enumerate(own):
        texts: dict[int, str] = {}
        column = 0
        for cell in row:
            if cell.tag not in ("td", "th"):
                continue
            while taken.get(column, 0) > number:
                column += 1
            if nested:
                for inner in cell.iter("table"):
                    if inner is not cell:
                        inner.clear(keep_tail=True)
            texts[column] = _html_text(cell.text or "" if not len(cell) else "".join(cell.itertext()))
            if cell.get("colspan") is not None or cell.get("rowspan") is not None:
                across = _span(cell, "colspan", 1000)
                down = _span(cell, "rowspan", len(own) - number)
                if across > 1 or down > 1:
                    merged.append((number + 1, column, number + down, column + across - 1))
                    for covered in range(column, column + across):
                        taken[covered] = number + down
                column += across
            else:
                column += 1
            if column > limits.columns:
                raise UnreadableFile("cells", f"{name}, row {number + 1} has more columns than the limit of {limits.columns}")
        width = max(width, column)
        used = width * (number + 1)
        if used > budget or number >= limits.rows:
            raise UnreadableFile("cells", f"{name} is over the limit of {limits.cells} cells or {limits.rows} rows: split it")
        if _hidden(row):
            hidden.append(number + 1)
        grid.append(texts)
    caption = [line for node in table if node.tag == "caption" for line in _lines(node)]
    if not any(text for texts in grid for text in texts.values()):
        return None, used
    columns = {f"c{position}": [texts.get(position, "") for texts in grid] for position in range(width)}
    frame = pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String)).with_row_index(ROW, offset=1)
    return Sheet(name, frame, _hidden(table), frozenset(hidden), tuple(merged), (), tuple(caption)), used


def _lines(node: Any) -> list[str]:
    """The texts of a caption, block by block: each part of it is a line of its own."""
    pieces = [_html_text(piece) for piece in node.itertext()]
    return [line for piece in pieces for line in piece.split("\n") if line.strip()]


# --- workbooks ------------------------------------------------------------------------------------------------


def _workbook(data: bytes, process: WorkbookProcess) -> Book:
    answer = process.read(data)
    if "error" in answer:
        raise UnreadableFile(*answer["error"])
    sheets = []
    remarks = [Remark(*remark) for remark in answer["remarks"]]
    for found in answer["sheets"]:
        first_row, first_column = found["start"]
        columns = {f"c{first_column + position}": column.split(SEPARATOR) for position, column in enumerate(found["columns"])}
        formulas: dict[str, str] = found["formulas"]
        for cell, formula in formulas.items():
            if place := re.fullmatch(r"([A-Z]+)([0-9]+)", cell):
                column, row = columns.get(f"c{column_index(place[1])}", []), int(place[2]) - 1 - first_row
                if 0 <= row < len(column):
                    column[row] = formula
        frame = pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String)).with_row_index(ROW, offset=first_row + 1)
        merged = tuple((top + 1, left, bottom + 1, right) for top, left, bottom, right in found["merged"])
        sheets.append(Sheet(found["name"], frame, found["hidden"], frozenset(found["hidden_rows"]), merged, tuple(formulas)))
        if found["hidden"]:
            remarks.append(Remark(found["name"], "hidden_sheet", "the sheet is hidden in the workbook; it was read"))
    return Book(answer["kind"], tuple(sheets), "", tuple(remarks))


def read_book(data: bytes, limits: Limits | None = None, process: WorkbookProcess | None = None) -> Book:
    """Every non-empty sheet of a workbook (xlsx, xls), a page (html) or a text table (csv, tsv). The bytes decide, not the name.

    ``process`` opens workbooks; give one for many files. Raises :class:`UnreadableFile`.
    """
    limits = limits or Limits()
    if len(data) > limits.file_bytes:
        raise UnreadableFile("size", f"{len(data)} bytes: over the limit of {limits.file_bytes}")
    if not data[:4096].strip(_BLANK) and not data.strip(_BLANK):
        raise UnreadableFile("empty", "the file is empty: nothing was saved into it")
    for start, code, message in _OTHERS:
        if data.startswith(start):
            raise UnreadableFile(code, message)
    if data[:2] == b"PK" or data[:8] == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        if process is not None:
            book = _workbook(data, process)
        else:
            with WorkbookProcess(limits) as own:
                book = _workbook(data, own)
        if not book.sheets:
            raise UnreadableFile("empty", "the workbook has no cell with anything in it")
    else:
        book = _text_book(data, limits)
    return book


def _plain_table(data: bytes, limits: Limits) -> Book | None:
    """The fast way for what most text tables are: UTF-8, a line a row, all of one width. None where it is anything else."""
    head = data[:20_000].decode("utf-8-sig", "ignore")
    strange = data[:2] in (b"\xff\xfe", b"\xfe\xff") or any(mark in data for mark in (b"\r", b"\x00", b"\xef\xbf\xbd")) or "<" in head[:200]
    if len(data) < 1_000_000 or strange or len(_PRIVATE.findall(head)) > 1:
        return None
    body = data.removeprefix(b"\xef\xbb\xbf")
    separator = _separator(head)
    width = len(next(csv.reader([head.split("\n", 1)[0]], delimiter=separator), []))
    lines = body.count(b"\n") + 1
    if width > limits.columns or lines * max(width, 1) > limits.cells or lines > limits.rows:
        return None
    frame = _rectangular(body, separator, width)  # polars refuses bytes that are no UTF-8
    return None if frame is None else Book("csv", (Sheet("", _numbered(frame)),), "utf-8-sig")


def _text_book(data: bytes, limits: Limits) -> Book:
    if (plain := _plain_table(data, limits)) is not None:
        return plain
    text, encoding = _decoded(data)
    if b"\x00" in data and "\x00" in text:
        raise UnreadableFile("binary", "not a text table: zero bytes inside")
    if _HTML.match(text[:20_000]):
        sheets = _html_sheets(text, limits)
        if not sheets:
            raise UnreadableFile("html", "a page without any table that holds text: the figures may be in a picture, or loaded by a program")
        return Book("html", tuple(sheets), encoding)
    if re.match(r"\s*<\?xml", text):
        raise UnreadableFile("xml", "an XML file, not a table: open it in Excel and save it as .xlsx")
    return Book("csv", (_csv_sheet(text, data.removeprefix(b"\xef\xbb\xbf") if encoding == "utf-8-sig" else text.encode(), limits),), encoding)
