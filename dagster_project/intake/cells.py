"""Sheets through a layout: every cell in scope becomes one row with its text, its labels and its address.

Belongs here: finding the layout's tables by their headings, telling body, sections and notes apart, and handing each body cell its
area, label, unit and period text. Pure functions of a book and a layout. Does not belong here: what the texts mean (``numbers``,
``periods``, and the seeds), files and folders (``ledger``).

No cell is lost: a row with anything in a column of figures is read, a column without a heading that holds something refuses the file.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from typing import Final

import polars as pl

from dagster_project.intake import text as typography
from dagster_project.intake.layouts import Column, Layout, Row
from dagster_project.intake.patterns import LEVELS, ROLES, compiled, first_match, matched
from dagster_project.intake.tables import ROW, Book, Sheet, UnreadableFile, column_letters

TEXT_COLUMNS: Final = ("reference", "area", "indicator", "unit", "period", "kind", "stage", "note", "parent")
CELL_SCHEMA: Final[dict[str, pl.DataType]] = {
    "sheet": pl.String(),
    "row": pl.Int32(),
    "cell": pl.String(),
    **{f"{name}_text": pl.String() for name in TEXT_COLUMNS},
    "base_unit_text": pl.String(),
    "value_text": pl.String(),
    "transformation": pl.String(),
    "precision": pl.String(),
    "coverage": pl.String(),
    "lag": pl.Int8(),
    "hidden": pl.Boolean(),
}
NOTE_SCHEMA: Final[dict[str, pl.DataType]] = {
    "sheet": pl.String(),
    "row": pl.Int32(),
    "kind": pl.String(),  # above, note, and the kinds of remarks
    "mark": pl.String(),
    "text": pl.String(),
}
FILE: Final = "__file__"
_TABLE: Final = "__table__"
_FIGURE: Final = "__figure__"
_PRINTED: Final = "__printed__"
HEAD: Final = 200  # rows among which the first heading is sought
PLAIN: Final = Row.model_validate({})
CONTINUED: Final = ("续表*", "(续*", "接上表*", "续上表*")
_RATES: Final = ("%", "％", "‰", "百分点", "个百分点")
_NOTE_MARK: Final = re.compile(
    r"^\s*(?:注释?|说明|Notes?)?\s*[:：]?\s*(?P<mark>[*＊※†‡§]+|[①-⑳❶-❿➀-➉⑴-⒇]|[\[［【〔(（]?\s*(?:注\s*)?\d{1,2}\s*[\]］】〕)）]?|[⁰¹²³⁴-⁹]+)\s*[.．、:：]?\s*(?P<text>\D.*|\d{4}.*)$",
    re.DOTALL,
)


@dataclass(frozen=True)
class Found:
    """A table that was found: its sheet, the rows of its headings and of its body, and (letters, heading as found, heading of the layout, what it holds)."""

    sheet: str
    header: tuple[int, int]
    body: tuple[int, int]
    columns: tuple[tuple[str, str, str, str], ...]


@dataclass(frozen=True)
class Reading:
    """What a layout makes of a book: cells (``CELL_SCHEMA``), notes (``NOTE_SCHEMA``) and the tables that hold them."""

    cells: pl.DataFrame
    notes: pl.DataFrame
    tables: tuple[Found, ...]


class HeaderMismatch(UnreadableFile):
    """No table has the layout's headings. ``pairs`` are (expected, cell, found) side by side; ``score`` how many agree, in 0 … 1."""

    def __init__(self, layout: str, where: str, pairs: Sequence[tuple[str, str, str]], score: float, why: str = "") -> None:
        self.layout, self.where, self.pairs, self.score = layout, where, tuple(pairs), score
        wide = max([_width("expected 应为"), *(_width(expected) for expected, _cell, _found in pairs)]) + 2
        lines = [f"  {'expected 应为'}{' ' * (wide - _width('expected 应为'))}found 实为 ({where})"]
        for expected, cell, found in pairs:
            agrees = bool(expected and found) and _fits(expected, found)
            lines.append(
                f"  {expected or '—'}{' ' * (wide - _width(expected or '—'))}{f'{cell} {found}' if found else '—'}{'' if agrees else '   ← differs 不符'}"
            )
        super().__init__(
            "header",
            f"the headings are not those of layout {layout}{why and f': {why}'}.\n"
            + "\n".join(lines)
            + "\n  Put the headings back, or give the file a layout of its own.",
        )


def _width(text: str) -> int:
    return sum(2 if character > "\u2e7f" else 1 for character in text)


def _in_one_line(levels: Sequence[str]) -> str:
    """A heading as a message shows it: no line breaks, and what is merged down once."""
    texts = [" ".join(level.split()) for level in levels if level]
    return LEVELS.join(text for number, text in enumerate(texts) if number == 0 or text != texts[number - 1])


def _fits(expected: str, found: str) -> bool:
    wanted, levels = expected.split(LEVELS), found.split(LEVELS)
    return len(wanted) <= len(levels) and all(compiled(pattern).search(level) for pattern, level in zip(wanted, levels, strict=False))


# --- headings -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Heading:
    """A column of a table as matched: its levels as printed, the layout's entry, and the roles its heading gives."""

    name: str
    levels: tuple[str, ...]
    pattern: str
    column: Column
    roles: dict[str, str]
    marks: str = ""

    @property
    def letters(self) -> str:
        return column_letters(int(self.name[1:]))

    @property
    def shown(self) -> str:
        return _in_one_line(self.levels)


@dataclass
class _Table:
    first: int  # rows as people count
    last: int
    headings: tuple[_Heading, ...]
    unheaded: tuple[str, ...]
    end: int = 0
    roles: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Grid:
    """The leading rows (or a few lower down) as Python texts: cleaned of footnote marks for headings, and as printed."""

    rows: list[int]
    clean: list[list[str]]
    printed: list[list[str]]


def _columns(sheet: Sheet) -> list[str]:
    return [name for name in sheet.cells.columns if name != ROW]


def _grid(sheet: Sheet, first: int, count: int, bilingual: bool) -> _Grid:
    numbers, printed = [], []
    for number, *texts in sheet.cells.slice(first, count).iter_rows():
        numbers.append(int(number))
        printed.append([(text or "").strip() for text in texts])
    clean = [[typography.without_marks(text).strip() if typography.MAY_HOLD_MARK.search(text) else text for text in row] for row in printed]
    if bilingual:
        clean = [[typography.without_translation(text) for text in row] for row in clean]
    return _Grid(numbers, clean, printed)


def _levels(sheet: Sheet, layout: Layout, grid: _Grid, at: int) -> list[tuple[str, ...]]:
    """The heading of each column, level by level: a merged heading stands over all its columns."""
    depth = layout.header_rows
    block = [list(row) for row in grid.clean[at : at + depth]]
    first = grid.rows[at]
    names = [int(name[1:]) for name in _columns(sheet)]
    merged = [area for area in sheet.merged if area[0] <= first + depth - 1 and area[2] >= first]
    for top, left, bottom, right in merged:
        if top < first:
            continue
        inside = [position for position, index in enumerate(names) if left <= index <= right]
        if not inside:
            continue
        printed = block[top - first][inside[0]]
        for level in range(top - first, min(bottom - first, depth - 1) + 1):
            for position in inside:
                block[level][position] = printed
    if not merged and depth > 1:
        # No merges are known of a text table: what stands above several headings stands in the first of them.
        for level in range(depth - 1):
            for position in range(1, len(names)):
                if not block[level][position] and block[level][position - 1] and any(block[below][position] for below in range(level + 1, depth)):
                    block[level][position] = block[level][position - 1]
    columns = []
    for position in range(len(names)):
        levels = [block[level][position] for level in range(depth)]
        if isinstance(layout.header, int):
            levels = [level for number, level in enumerate(levels) if level and (number == 0 or level != levels[number - 1])]
        columns.append(tuple(levels))
    return columns


def _heading_roles(layout: Layout, pattern: str, levels: tuple[str, ...]) -> dict[str, str] | None:
    """The roles that a heading gives where it fits the pattern, else None."""
    wanted = pattern.split(LEVELS)
    if isinstance(layout.header, int):
        if len(wanted) != len(levels):
            return None
    elif len(wanted) > len(levels):
        return None
    roles: dict[str, str] = {}
    for part, level in zip(wanted, levels, strict=False):
        found = matched(part, level)
        if found is None:
            return None
        roles.update(found)
    if not isinstance(layout.header, int):
        for gives, level in zip(layout.header, levels, strict=True):
            if gives in ROLES:
                if level:
                    roles.setdefault(gives, level)
            else:
                roles = {**(matched(gives, level) or {}), **roles}
    return roles


def _groups(layout: Layout) -> list[list[tuple[str, Column]]]:
    """Headings in order; consecutive ``values`` are one group that repeats."""
    groups: list[list[tuple[str, Column]]] = []
    for heading in layout.headings:
        if heading[1].holds == "values" and groups and groups[-1][0][1].holds == "values":
            groups[-1].append(heading)
        else:
            groups.append([heading])
    return groups


def _match(layout: Layout, names: Sequence[str], columns: Sequence[tuple[str, ...]]) -> tuple[tuple[_Heading, ...], tuple[str, ...]] | None:
    """The headings as matched and the columns without one, or None where they are not the layout's."""
    groups = _groups(layout)
    found: list[_Heading] = []
    unheaded: list[str] = []
    at, used = 0, set[str]()
    for name, levels in zip(names, columns, strict=True):
        blank = not any(levels)
        while True:
            group = groups[at] if at < len(groups) else []
            if blank:
                if group and group[0][0] == "":
                    found.append(_Heading(name, levels, "", group[0][1], {}))
                    at, used = at + 1, set()
                else:
                    unheaded.append(name)
                break
            if _ended_by(groups, at, used, layout, levels):
                at, used = at + 1, set()
                continue
            fits = [
                (pattern, column, roles) for pattern, column in group if pattern and (roles := _heading_roles(layout, pattern, levels)) is not None
            ]
            if fits:
                pattern, column, roles = fits[0]
                found.append(_Heading(name, levels, pattern, column, roles))
                used.add(pattern)
                if column.holds != "values":
                    at, used = at + 1, set()
                break
            if group and group[0][1].holds == "values" and used == {pattern for pattern, _column in group}:
                at, used = at + 1, set()
                continue
            return None
    if at < len(groups) and groups[at][0][1].holds == "values" and used == {pattern for pattern, _column in groups[at]}:
        at += 1
    return (tuple(found), tuple(unheaded)) if at == len(groups) else None


def _ended_by(groups: list[list[tuple[str, Column]]], at: int, used: set[str], layout: Layout, levels: tuple[str, ...]) -> bool:
    """Whether a heading ends a group that repeats, since it is the next one by its own words: 备注 is no {indicator}."""
    if at + 1 >= len(groups) or groups[at][0][1].holds != "values" or used != {pattern for pattern, _column in groups[at]}:
        return False
    return any(
        pattern and not re.search(r"[{*]|^/", pattern) and _heading_roles(layout, pattern, levels) is not None for pattern, _column in groups[at + 1]
    )


def _tables(layout: Layout, sheet: Sheet) -> list[_Table]:
    """Every table of a sheet that has the layout's headings, top to bottom."""
    names = _columns(sheet)
    depth = layout.header_rows
    grid = _grid(sheet, 0, HEAD + depth, layout.bilingual)
    found: list[_Table] = []
    for at in range(len(grid.rows) - depth + 1):
        if any(grid.clean[at]) and (match := _match(layout, names, _levels(sheet, layout, grid, at))) is not None:
            found.append(_Table(grid.rows[at], grid.rows[at] + depth - 1, *match))
            break
    if not found:
        return []
    for position, number in _like(layout, sheet, grid, found[0]):
        if number <= found[-1].last:
            continue
        lower = _grid(sheet, position, depth, layout.bilingual)
        if len(lower.rows) == depth and (match := _match(layout, names, _levels(sheet, layout, lower, 0))) is not None:
            found.append(_Table(number, number + depth - 1, *match))
    return found


def _like(layout: Layout, sheet: Sheet, grid: _Grid, table: _Table) -> list[tuple[int, int]]:
    """(position, row) of the rows below the first table's headings that may be its headings again, by one of them."""
    anchors = [heading for heading in table.headings if heading.pattern and any(heading.levels)] or list(table.headings[:1])
    if sheet.cells.height <= len(grid.rows):
        wanted = compiled(anchors[0].pattern.split(LEVELS)[0])
        column = _columns(sheet).index(anchors[0].name)
        texts = [texts[column] for texts in grid.clean]
        return [(at, row) for at, (row, text) in enumerate(zip(grid.rows, texts, strict=True)) if row > table.last and text and wanted.search(text)]
    if layout.header_rows == 1 and not sheet.merged and len(anchors) > 1:
        # Every heading stands in a cell of its own row, so any of them tells: best one that few cells are like.
        head = sheet.cells.head(HEAD)
        anchors.sort(key=lambda heading: (bool(compiled(heading.pattern).groups), head[heading.name].n_unique()))
    wanted = compiled(anchors[0].pattern.split(LEVELS)[0])
    below = sheet.cells.select(ROW, pl.col(anchors[0].name).fill_null("").alias("text")).with_row_index("position").filter(pl.col(ROW) > table.last)
    distinct = below["text"].unique().to_list()
    if len(distinct) > 1000 and wanted.groups:
        return []  # a pattern that a thousand cells may fit is no sign of a heading

    def fits(text: str) -> bool:
        clean = typography.without_marks(text).strip()
        return bool(clean) and wanted.search(typography.without_translation(clean) if layout.bilingual else clean) is not None

    again = [text for text in distinct if fits(text)]
    return list(below.filter(pl.col("text").is_in(again)).select("position", ROW).iter_rows()) if again else []


def _mismatch(layout: Layout, sheets: Sequence[Sheet]) -> HeaderMismatch:
    """The row that resembles the layout's headings most, beside them."""
    best: tuple[float, str, list[tuple[str, str, str]]] | None = None
    expected = [heading for heading, _column in layout.headings]
    for sheet in sheets:
        grid = _grid(sheet, 0, HEAD, layout.bilingual)
        names = _columns(sheet)
        for at in range(max(len(grid.rows) - layout.header_rows + 1, 0)):
            filled = sum(map(bool, grid.clean[at]))
            if not filled:
                continue
            columns = _levels(sheet, layout, grid, at)
            pairs, agree = _aligned(layout, expected, names, columns, grid.rows[at])
            score = agree / max(len(expected), 1) + min(filled, 50) / 10_000
            if best is None or score > best[0]:
                best = (score, f"{sheet.name or 'table'}, row {grid.rows[at]}", pairs)
    if best is None:
        best = (0.0, "nothing", [(heading, "", "") for heading in expected])
    return HeaderMismatch(layout.layout, best[1], best[2], best[0])


def _aligned(
    layout: Layout, expected: list[str], names: Sequence[str], columns: Sequence[tuple[str, ...]], row: int
) -> tuple[list[tuple[str, str, str]], int]:
    """Expected and found side by side, agreeing headings on one line (the longest common subsequence; ``values`` repeat)."""
    seen = [
        (f"{column_letters(int(name[1:]))}{row}", _in_one_line(levels), levels) for name, levels in zip(names, columns, strict=True) if any(levels)
    ]
    kinds = [column.holds for _heading, column in layout.headings]
    fits = [[bool(pattern) and _heading_roles(layout, pattern, levels) is not None for _cell, _text, levels in seen] for pattern in expected]
    height, width = len(expected), len(seen)
    best = [[0] * (width + 1) for _ in range(height + 1)]
    for i in range(height - 1, -1, -1):
        for j in range(width - 1, -1, -1):
            again = best[i][j + 1] if kinds[i] == "values" else best[i + 1][j + 1]
            best[i][j] = max(best[i + 1][j], best[i][j + 1], (1 + max(again, best[i + 1][j + 1])) if fits[i][j] else 0)
    pairs: list[tuple[str, str, str]] = []
    agree: set[int] = set()
    i = j = 0
    while i < height or j < width:
        if i < height and j < width and fits[i][j]:
            again = best[i][j + 1] if kinds[i] == "values" else best[i + 1][j + 1]
            if best[i][j] == 1 + max(again, best[i + 1][j + 1]):
                pairs.append((expected[i], seen[j][0], seen[j][1]))
                agree.add(i)
                j += 1
                if not (kinds[i] == "values" and again >= best[i + 1][j]):
                    i += 1
                continue
        if i < height and expected[i] and (j == width or best[i + 1][j] >= best[i][j + 1]):
            if i not in agree:
                pairs.append((expected[i], "", ""))
            i += 1
        elif i < height and not expected[i]:
            i += 1
        else:
            pairs.append(("", seen[j][0], seen[j][1]))
            j += 1
    return _paired(pairs), len(agree)


def _paired(pairs: list[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    """One heading too few next to one too many is a heading that was renamed: one line."""
    joined: list[tuple[str, str, str]] = []
    for pair in pairs:
        if joined and joined[-1][0] and not joined[-1][2] and not pair[0]:
            joined[-1] = (joined[-1][0], pair[1], pair[2])
        elif joined and joined[-1][2] and not joined[-1][0] and not pair[2]:
            joined[-1] = (pair[0], joined[-1][1], joined[-1][2])
        else:
            joined.append(pair)
    return joined


# --- bodies ---------------------------------------------------------------------------------------------------
#
# Bodies of one shape (a layout's same columns in the same places) are read under each other, however many files they come from: what
# costs is a step, not a row, and most files are small. ``_TABLE`` numbers the table that a row is of.


@dataclass
class _Lines:
    """Rows without figures: which are notes, which say something for the rows below, which are no row of the body."""

    notes: list[tuple[int, str, str]] = field(default_factory=list)  # row, kind, text
    changes: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    outside: set[int] = field(default_factory=set)

    @property
    def said(self) -> dict[str, str]:
        """What holds below the last line."""
        return {role: text for _number, roles in self.changes for role, text in roles.items()}


@dataclass
class _Part:
    """One table of a sheet on its way through the batch: where it comes from, and what was found out so far."""

    layout: Layout
    sheet: Sheet
    table: _Table
    is_last: bool
    number: int = 0
    file: int = 0
    sheet_number: int = 0
    roles: dict[str, str] = field(default_factory=dict)  # what holds above its first row
    sheet_roles: dict[str, str] = field(default_factory=dict)  # what the sheet's name says
    lines: _Lines = field(default_factory=_Lines)

    @property
    def figures(self) -> list[_Heading]:
        return [heading for heading in self.table.headings if heading.column.holds in ("value", "values")]

    @property
    def stubs(self) -> list[_Heading]:
        return [heading for heading in self.table.headings if heading.column.holds not in ("value", "values", "ignore")]

    @property
    def shape(self) -> tuple[object, ...]:
        """Tables alike in this are read together. The layout's own columns stand in it, so all that they say is alike too."""
        held = tuple((heading.name, id(heading.column)) for heading in self.table.headings)
        return (id(self.layout), tuple(self.sheet.cells.columns), held)

    @property
    def body(self) -> pl.DataFrame:
        """The rows below its headings, as they stand."""
        first = int(self.sheet.cells[ROW][0]) if self.sheet.cells.height else 0
        return self.sheet.cells.slice(self.table.last + 1 - first, max(self.table.end - self.table.last, 0))


def _stacked(parts: Sequence[_Part]) -> pl.DataFrame:
    bodies = [part.body for part in parts]
    heights = pl.DataFrame(
        [(part.number, body.height) for part, body in zip(parts, bodies, strict=True) if body.height],
        {_TABLE: pl.UInt32, "rows": pl.UInt32},
        orient="row",
    )
    numbers = heights.select(pl.col(_TABLE).repeat_by("rows").explode())
    frame = pl.concat(bodies)
    frame = frame.with_columns(pl.col(name).fill_null("") for name in frame.columns if frame[name].null_count())
    return pl.concat([numbers, frame], how="horizontal")


def _is_filled(text: pl.Expr) -> pl.Expr:
    return text.str.contains(r"\S")


def _nonblank(names: Sequence[str]) -> pl.Expr:
    return pl.any_horizontal([_is_filled(pl.col(name)) for name in names]) if names else pl.lit(False)


def _tell_lines(parts: Sequence[_Part], frame: pl.DataFrame) -> pl.Series:
    """In which rows a figure stands; each part gets its lines, the rows that hold something else."""
    figure = frame.select(_nonblank([heading.name for heading in parts[0].figures])).to_series()
    silent = frame.filter(~figure)
    if silent.is_empty():
        return figure
    rows: dict[int, list[tuple[int, list[str]]]] = {}
    for number, row, *texts in silent.filter(_nonblank([name for name in frame.columns if name not in (ROW, _TABLE)])).iter_rows():
        rows.setdefault(number, []).append((row, texts))
    said = frame.filter(figure & frame[_TABLE].is_in(list(rows))).select(_TABLE, ROW)
    figure_rows = {number: group[ROW].to_list() for (number,), group in said.partition_by(_TABLE, as_dict=True).items()}
    for part in parts:
        if part.number in rows:
            part.lines = _lines(part, rows[part.number], figure_rows.get(part.number, []))
    return figure


def _lines(part: _Part, quiet: Sequence[tuple[int, list[str]]], figure_rows: Sequence[int]) -> _Lines:
    layout = part.layout
    lines = _Lines()
    last_figure = figure_rows[-1] if figure_rows else 0
    sections = [pattern for pattern, row in layout.row_patterns if row.holds == "section"]
    above = (*layout.above, *CONTINUED)
    note_from = 0
    for number, texts in quiet:
        printed = [text.strip() for text in texts if text and text.strip()]
        said = [found[1] for text in printed if (found := first_match(above, text)) is not None]
        heading = first_match(sections, printed[0]) if sections and len(printed) == 1 else None
        if said:
            lines.changes.append((number, {role: text for roles in said for role, text in roles.items()}))
            lines.notes.append((number, "above", " ".join(printed)))
        elif any(first_match(layout.below, text) for text in printed[:1]):
            note_from = number
            lines.notes.append((number, "note", " ".join(printed)))
        elif heading is not None:
            lines.changes.append((number, heading[1] or {"parent": printed[0]}))
        elif note_from and bisect_right(figure_rows, note_from) == bisect_left(figure_rows, number):
            lines.notes.append((number, "note", " ".join(printed)))
        elif number > last_figure and not part.is_last and len(printed) == 1:
            lines.notes.append((number, "above", printed[0]))  # the title of the next table
        else:
            continue
        lines.outside.add(number)
    return lines


def _no_unheaded(part: _Part) -> None:
    """Raises where a column without a heading holds something in a row of the body."""
    body = part.body
    suspects = [name for name in part.table.unheaded if body[name].str.contains(r"\S").any()]
    if not suspects:
        return
    frame = _stacked([part])
    _tell_lines([part], frame)
    body = frame.filter(_nonblank([heading.name for heading in part.table.headings]) & ~pl.col(ROW).is_in(list(part.lines.outside)))
    for name in suspects:
        held = body.filter(_is_filled(pl.col(name)))
        if held.height:
            letters = column_letters(int(name[1:]))
            cell = f"{letters}{held[ROW][0]}"
            pairs = [(heading.pattern, f"{heading.letters}{part.table.first}", heading.shown) for heading in part.table.headings]
            where = f"{part.sheet.name or 'table'}, row {part.table.first}"
            why = f"column {letters} has no heading, but {cell} holds {held[name][0]!r}"
            raise HeaderMismatch(part.layout.layout, where, pairs, 0.9, why)


def _placed(records: Sequence[tuple[object, ...]], *names: str) -> pl.DataFrame:
    """Texts by table and row (or column), to be joined."""
    kinds = {_TABLE: pl.UInt32(), ROW: pl.UInt32()}
    return pl.DataFrame(records, schema={name: kinds.get(name, pl.String()) for name in names}, orient="row")


def _with_stub(parts: Sequence[_Part], rows: pl.DataFrame, heading: _Heading) -> pl.DataFrame:
    """A column of labels, what is merged down or printed once standing in every row that it speaks for."""
    label = pl.col(heading.name)
    index = int(heading.name[1:])
    over: dict[tuple[int, int], str] = {}
    for part in parts:
        low, high = part.table.last + 1, part.table.end
        spans = [(top, bottom) for top, left, bottom, right in part.sheet.merged if left <= index <= right and top < bottom >= low and top <= high]
        if spans:
            anchors = dict(part.body.select(ROW, heading.name).iter_rows())
            over |= {(part.number, row): anchors.get(top) or "" for top, bottom in spans for row in range(max(top, low), min(bottom, high) + 1)}
    if over:
        texts = _placed([(*place, text) for place, text in over.items()], _TABLE, ROW, "over")
        rows = rows.join(texts, on=[_TABLE, ROW], how="left", maintain_order="left")
        label = pl.when(_is_filled(label)).then(label).otherwise(pl.coalesce("over", label))
    if heading.column.fill:
        label = pl.when(_is_filled(label)).then(label).otherwise(None).forward_fill().over(_TABLE).fill_null("")
    return rows.with_columns(label.alias(heading.name)).drop("over", strict=False)


def _labelled(layout: Layout, texts: pl.Series) -> pl.DataFrame:
    """Each distinct row label with what the row patterns make of it: columns ``r_<role>``, lag, transformation, coverage, child, deep."""
    distinct = texts.unique().sort()
    clean = typography.without_footnotes(distinct).to_list()
    patterns = dict(layout.row_patterns)
    records = []
    for printed, cleaned in zip(distinct.to_list(), clean, strict=True):
        label = cleaned.strip()
        if layout.bilingual:
            label = typography.without_translation(label)
        part = re.match(typography.OF_WHICH, label)
        found = first_match(patterns, label)
        row = patterns[found[0]] if found else PLAIN
        roles = dict(found[1]) if found else {}
        if not roles and layout.bilingual:
            roles = {"": label}
        records.append(
            {
                "label": printed,
                **{f"r_{role}": roles.get(role) for role in ROLES},
                "r_own": roles.get(""),
                "row_lag": row.lag,
                "row_transformation": row.transformation,
                "row_coverage": row.coverage,
                "child": row.holds == "child" or part is not None,
                "deep": len(printed) - len(printed.lstrip(" \u3000\t\xa0")),
            }
        )
    schema = {
        "label": pl.String(), **{f"r_{role}": pl.String() for role in ROLES}, "r_own": pl.String(), "row_lag": pl.Int8(), "row_transformation": pl.String(),
        "row_coverage": pl.String(), "child": pl.Boolean(), "deep": pl.Int32(),
    }  # fmt: skip
    return pl.DataFrame(records, schema=schema)


def _parents(labels: Sequence[str], child: Sequence[bool], deep: Sequence[int]) -> list[str]:
    """For each row the label of the row above that it is a part of: less indented, or in front of a run of 其中."""
    found = []
    stack: list[tuple[int, str]] = []
    whole, before = "", -1
    for label, part, depth in zip(labels, child, deep, strict=True):
        while stack and stack[-1][0] >= depth:
            stack.pop()
        if part:
            # Parts that are not indented more than their whole follow it directly.
            parent = stack[-1][1] if stack else whole
        else:
            parent = stack[-1][1] if stack else ""
            whole = label
        before = depth
        found.append(parent)
        stack.append((depth + (1 if part and depth == before else 0), label)) if not part or depth > 0 else None
    return found


_SERIAL_START: Final = date(1899, 12, 30)


def _as_period(text: str, stands_for: str) -> str:
    """A date, or the serial number of one, as the month, quarter or year that it stands for."""
    text = text.strip()
    if re.fullmatch(r"[1-6]\d{4}(?:\.0+)?", text):
        day = _SERIAL_START + timedelta(days=int(float(text)))
    elif found := re.fullmatch(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?: 00:00:00)?", text):
        try:
            day = date(int(found[1]), int(found[2]), int(found[3]))
        except ValueError:
            return text
    else:
        return text
    return {"month": f"{day.year}年{day.month}月", "quarter": f"{day.year}年第{(day.month + 2) // 3}季度", "year": f"{day.year}年"}[stands_for]


def _mapped(expression: pl.Expr, values: pl.Series, change: Callable[[str], str]) -> pl.Expr:
    distinct = [value for value in values.unique().to_list() if value is not None]
    return (
        expression.replace_strict(distinct, [change(value) for value in distinct], default=expression, return_dtype=pl.String)
        if distinct
        else expression
    )


def _first(*texts: pl.Expr) -> pl.Expr:
    """The first text that is not blank, else an empty one."""
    return pl.coalesce(*[pl.when(_is_filled(text)).then(text) for text in texts], pl.lit("")) if texts else pl.lit("")


def _of_table(parts: Sequence[_Part], of: Callable[[_Part], object], kind: pl.DataType) -> pl.Expr:
    """What a table says of all its cells."""
    values = {part.number: of(part) for part in parts}
    if len(set(values.values())) == 1:
        return pl.lit(next(iter(values.values())), kind)
    return pl.col(_TABLE).replace_strict(list(values), list(values.values()), return_dtype=kind)


def _of_column(figures: Sequence[_Heading], of: Callable[[_Heading], object], kind: pl.DataType | None = None) -> pl.Expr:
    """What the layout, or the place, says of all cells of a column."""
    values = {heading.name: of(heading) for heading in figures}
    if len(set(values.values())) == 1:
        return pl.lit(next(iter(values.values())), kind or pl.String())
    return pl.col("column").replace_strict(list(values), list(values.values()), return_dtype=kind or pl.String())


def _cells(parts: Sequence[_Part], frame: pl.DataFrame, printed: bool) -> pl.DataFrame:
    """The cells of bodies of one shape, column by column; ``printed`` adds all that a mark may stand in."""
    layout, figures = parts[0].layout, parts[0].figures
    rows = frame.filter(pl.col(_FIGURE) | _nonblank([heading.name for heading in parts[0].table.headings])) if not frame[_FIGURE].all() else frame
    outside = [(part.number, row) for part in parts for row in part.lines.outside]
    if outside:
        rows = rows.join(_placed(outside, _TABLE, ROW), on=[_TABLE, ROW], how="anti", maintain_order="left")
    by_role: dict[str, list[pl.Expr]] = {}
    for heading in parts[0].stubs:
        rows = _with_stub(parts, rows, heading)
        by_role.setdefault(heading.column.holds, []).append(pl.col(heading.name))
    names = [heading.name for heading in figures]
    rows = rows.select(
        _TABLE, ROW, *names, *[(_first(*labels) if len(labels) > 1 else labels[0]).alias(f"s_{role}") for role, labels in by_role.items()]
    )
    main = next((role for role in ("indicator", "area", *by_role) if role in by_role), None)
    rows, row_roles = _with_labels(layout, rows, main)
    rows, line_roles = _with_lines(parts, rows)
    cells, heading_roles = _with_headings(parts, _unpivoted(parts, rows))

    over: dict[str, pl.Expr] = {}
    expressions: dict[str, list[pl.Expr]] = {}
    for role in ("year", *TEXT_COLUMNS):
        choices = [pl.col("parent").fill_null("")] if role == "parent" and "parent" in cells.columns else []
        if any(role in heading.column.fixed for heading in figures):
            over[role] = _of_column(figures, lambda heading, role=role: heading.column.fixed.get(role, ""))  # type: ignore[misc]
        if role in row_roles:
            choices.append(pl.col(f"r_{role}").fill_null(""))
        if role == main and "r_own" in cells.columns:
            choices.append(pl.col("r_own").fill_null(""))
        if role in by_role:
            choices.append(pl.col(f"s_{role}"))
        if role in heading_roles:
            choices.append(pl.col(f"h_{role}"))
        if role in line_roles:
            choices.append(pl.col(f"l_{role}").fill_null(""))
        if role in layout.fixed:
            choices.append(pl.lit(layout.fixed[role]))
        if role in TEXT_COLUMNS and any(role in part.sheet_roles for part in parts):
            choices.append(_of_table(parts, lambda part, role=role: part.sheet_roles.get(role, ""), pl.String()))  # type: ignore[misc]
        expressions[role] = choices
    cells = cells.with_columns(
        *[_first(*[over[role]] if role in over else [], *choices).alias(f"{role}_text") for role, choices in expressions.items()],
        _first(*expressions["unit"]).alias("base_unit_text"),
    )
    return _finished(parts, cells, printed)


def _with_labels(layout: Layout, rows: pl.DataFrame, main: str | None) -> tuple[pl.DataFrame, set[str]]:
    """Row patterns, 其中 and indentation: the roles that labels give, and of which row each is a part."""
    if main is None or rows.is_empty():
        return rows, set()
    labels = rows[f"s_{main}"]
    plain = not layout.rows and not layout.bilingual
    if plain and not labels.str.contains(typography.OF_WHICH + r"|^[ \u3000\t\xa0]").any():
        return rows, set()
    made = _labelled(layout, labels)
    given = {role for role in ROLES if made[f"r_{role}"].is_not_null().any()}
    rows = rows.join(made, left_on=f"s_{main}", right_on="label", how="left", maintain_order="left")
    if main == "indicator":
        nested = rows.group_by(_TABLE).agg((pl.col("child").any() | (pl.col("deep").n_unique() > 1)).alias("nested")).filter("nested")[_TABLE]
        if len(nested):
            rows = _nested(layout, rows, pl.col(_TABLE).is_in(nested.to_list()))
            given |= {"indicator"} if layout.qualify else set()
    return rows, given


def _nested(layout: Layout, rows: pl.DataFrame, where: pl.Expr) -> pl.DataFrame:
    """Rows with the label of the row that each is a part of, in the tables that have such rows."""
    own = _first(pl.col("r_indicator").fill_null(""), pl.col("r_own").fill_null(""), pl.col("s_indicator").str.strip_chars())
    said = rows.filter(where).select(_TABLE, ROW, own.alias("own"), "child", "deep")
    parents = [
        parent
        for part in said.partition_by(_TABLE, maintain_order=True)
        for parent in _parents(part["own"].to_list(), part["child"].to_list(), part["deep"].to_list())
    ]
    said = said.select(_TABLE, ROW, "own", pl.Series("parent", parents, dtype=pl.String))
    rows = rows.join(said, on=[_TABLE, ROW], how="left", maintain_order="left")
    if layout.qualify:
        qualified = pl.when(pl.col("parent") != "").then(pl.col("parent") + pl.lit("：") + pl.col("own")).otherwise("own")
        rows = rows.with_columns(pl.when(where).then(qualified).otherwise("r_indicator").alias("r_indicator"))
    return rows.drop("own")


def _with_lines(parts: Sequence[_Part], rows: pl.DataFrame) -> tuple[pl.DataFrame, set[str]]:
    """What lines above and between the rows say, in each row below them."""
    roles = {role for part in parts for role in (*part.roles, *part.lines.said)}
    for role in sorted(roles):
        changes = [
            (part.number, row, text)
            for part in parts
            for row, text in [(0, part.roles.get(role, "")), *((row, said[role]) for row, said in part.lines.changes if role in said)]
        ]
        rows = rows.join_asof(_placed(changes, _TABLE, ROW, f"l_{role}"), on=ROW, by=_TABLE, check_sortedness=False)
    return rows, roles


def _with_headings(parts: Sequence[_Part], cells: pl.DataFrame) -> tuple[pl.DataFrame, list[str]]:
    """What the heading above says, in each cell of the column."""
    roles = sorted({role for part in parts for heading in part.figures for role in heading.roles})
    if not roles:
        return cells, roles
    said = [(part.number, heading.name, *(heading.roles.get(role, "") for role in roles)) for part in parts for heading in part.figures]
    texts = _placed(said, _TABLE, "column", *(f"h_{role}" for role in roles))
    return cells.join(texts, on=[_TABLE, "column"], how="left", maintain_order="left"), roles


def _unpivoted(parts: Sequence[_Part], rows: pl.DataFrame) -> pl.DataFrame:
    figures = parts[0].figures
    names = [heading.name for heading in figures]
    index = [name for name in rows.columns if name not in names]

    def of(heading: _Heading) -> pl.DataFrame:
        filled = rows.filter(_is_filled(pl.col(heading.name))) if heading.column.optional else rows
        return filled.select(*index, pl.lit(heading.name).alias("column"), pl.col(heading.name).alias("value_text"))

    cells = pl.concat([of(heading) for heading in figures])  # copies nothing, as unpivoting would
    if len(parts) > 1 and len(figures) > 1:
        cells = cells.sort(_TABLE, maintain_order=True)  # within a table column by column
    covered = [
        (part.number, row, f"c{index}")
        for part in parts
        for top, left, bottom, right in part.sheet.merged
        if bottom > part.table.last and top <= part.table.end
        for row in range(max(top, part.table.last + 1), min(bottom, part.table.end) + 1)
        for index in range(left, right + 1)
        if (row, index) != (top, left) and f"c{index}" in names
    ]
    if covered:  # the other cells of a merged figure are no cells of their own
        cells = cells.join(_placed(covered, _TABLE, ROW, "column"), on=[_TABLE, ROW, "column"], how="anti", maintain_order="left")
    return cells


def _finished(parts: Sequence[_Part], cells: pl.DataFrame, printed: bool) -> pl.DataFrame:
    layout, figures = parts[0].layout, parts[0].figures
    period = pl.col("period_text")
    if (cells["year_text"] != "").any():
        year = pl.col("year_text").str.strip_chars()
        year = pl.when(year.str.contains("年")).then(year).otherwise(year + "年")
        lacking = (pl.col("year_text") != "") & ~period.str.contains(r"[12]\d{3}")
        cells = cells.with_columns(pl.when(lacking).then(year + period.str.replace(r"^年", "")).otherwise(period).alias("period_text"))
    if layout.dates != "day":
        cells = cells.with_columns(_mapped(period, cells["period_text"], lambda text: _as_period(text, layout.dates)).alias("period_text"))
    base = layout.values
    transformation = _of_column(figures, lambda heading: heading.column.transformation or base.transformation)
    coverage = _of_column(figures, lambda heading: heading.column.coverage or base.coverage or "")
    lag = _of_column(figures, lambda heading: heading.column.lag, pl.Int8())
    if "row_lag" in cells.columns:
        transformation = pl.coalesce("row_transformation", transformation)
        coverage = pl.coalesce("row_coverage", coverage)
        lag = lag + pl.col("row_lag").fill_null(0)
    if any(heading.column.rates for heading in figures):
        rate = pl.col("base_unit_text").str.strip_chars().is_in(_RATES)
        instead = _of_column(figures, lambda heading: heading.column.rates.transformation if heading.column.rates else None)
        unit = _of_column(figures, lambda heading: heading.column.rates.unit if heading.column.rates else None)
        transformation = pl.when(rate & instead.is_not_null()).then(instead).otherwise(transformation)
        cells = cells.with_columns(pl.when(rate & unit.is_not_null()).then(unit).otherwise("unit_text").alias("unit_text"))
    hidden_rows = [(part.number, row, "") for part in parts for row in sorted(part.sheet.hidden_rows) if part.table.last < row <= part.table.end]
    hidden = _of_table(parts, lambda part: part.sheet.hidden, pl.Boolean())
    if hidden_rows:
        cells = cells.join(_placed(hidden_rows, _TABLE, ROW, "hidden_row"), on=[_TABLE, ROW], how="left", maintain_order="left")
        hidden = hidden | pl.col("hidden_row").is_not_null()
    # What marks may stand in: the label as printed, which a pattern or a dropped translation may have shortened.
    stood = [pl.col(name) for name in cells.columns if name.startswith("s_")] if printed else []
    return cells.with_columns(
        _of_table(parts, lambda part: part.sheet.name, pl.String()).alias("sheet"),
        pl.col(ROW).alias("row"),
        (_of_column(figures, lambda heading: heading.letters) + pl.col(ROW).cast(pl.String)).alias("cell"),
        transformation.alias("transformation"),
        _of_column(figures, lambda heading: heading.column.precision or base.precision).alias("precision"),
        coverage.alias("coverage"),
        lag.alias("lag"),
        hidden.alias("hidden"),
    ).select(
        _TABLE,
        *[pl.col(name).cast(kind) for name, kind in CELL_SCHEMA.items()],
        *([pl.concat_str([*stood, pl.col("value_text")], separator=" ").alias(_PRINTED)] if printed else []),
    )


# --- notes ----------------------------------------------------------------------------------------------------


@cache
def _mark_key(mark: str) -> str:
    return re.sub(r"[\[\]【】〔〕()（）\s.:：、注註]", "", typography.normalise(pl.Series([mark]))[0])


def _marked_notes(notes: Sequence[tuple[int, str, str]]) -> list[tuple[int, str, str, str]]:
    """Notes with the mark that each begins with: (row, kind, mark, text)."""
    marked = []
    for row, kind, text in notes:
        found = _NOTE_MARK.match(text) if kind == "note" else None
        marked.append((row, kind, _mark_key(found["mark"]) if found else "", text))
    return marked


def _printed_headings(part: _Part) -> list[tuple[str, str]]:
    """(letters, all that stands above) of each column."""
    raw = _grid(part.sheet, part.table.first - int(part.sheet.cells[ROW][0]), part.layout.header_rows, False).printed
    return [(column_letters(int(name[1:])), " ".join(row[position] for row in raw)) for position, name in enumerate(_columns(part.sheet))]


def _resolved(parts: Sequence[_Part], cells: pl.DataFrame, texts: Mapping[int, Mapping[str, str]]) -> pl.DataFrame:
    """``note_text`` gets the notes that a cell's value, labels or heading refer to by a mark; ``texts`` are those of each sheet."""
    told = [part for part in parts if part.sheet_number in texts]
    headings: dict[tuple[int, str], str] = {}
    for sheet in {part.sheet_number: part for part in told}:
        above = {letters: text for part in told if part.sheet_number == sheet for letters, text in _printed_headings(part)}
        headings |= {(part.number, letters): text for part in told if part.sheet_number == sheet for letters, text in above.items()}
    cells = cells.with_row_index("at")
    above_cells = _placed([(number, letters, text) for (number, letters), text in headings.items()], _TABLE, "letters", "heading")
    marked = (
        cells.filter(pl.col(_TABLE).is_in([part.number for part in told]))
        .with_columns(pl.col("cell").str.extract(r"^([A-Z]+)").alias("letters"))
        .join(above_cells, on=[_TABLE, "letters"], how="left", maintain_order="left")
        .select("at", _TABLE, typography.footnotes(pl.concat_str([_PRINTED, pl.col("heading").fill_null("")], separator=" ")).alias("mark"))
        .filter(pl.col("mark").list.len() > 0)
        .explode("mark")
    )
    sheets = {part.number: part.sheet_number for part in told}
    notes = [
        (number, mark, text)
        for number, mark in marked.select(_TABLE, "mark").unique().iter_rows()
        if (text := texts[sheets[number]].get(_mark_key(mark)))
    ]
    said = (
        marked.join(_placed(notes, _TABLE, "mark", "told"), on=[_TABLE, "mark"], how="inner", maintain_order="left")
        .group_by("at", maintain_order=True)
        .agg(pl.col("told").unique(maintain_order=True).str.join(" "))
    )
    joined = cells.join(said, on="at", how="left", maintain_order="left")
    return joined.with_columns(
        _first(pl.concat_str(pl.col("note_text"), pl.col("told").fill_null(""), separator=" ").str.strip_chars()).alias("note_text")
    ).select(_TABLE, *CELL_SCHEMA)


# --- books ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Located:
    """A book whose sheets were looked through: by sheet the tables that a layout finds there, none where it reads nothing."""

    layout: Layout
    book: Book
    tables: tuple[tuple[_Part, ...], ...]


def locate(layout: Layout, book: Book) -> Located:
    """Where in a book the tables of a layout stand: those sheets whose name fits ``layout.sheets``, each of which must hold one.

    Without ``layout.sheets`` all that hold one. Raises :class:`HeaderMismatch` (expected and found headings side by side) and
    :class:`UnreadableFile`.
    """
    named = [sheet for sheet in book.sheets if layout.sheets is None or matched(layout.sheets, sheet.name) is not None]
    if not named:
        names = ", ".join(sheet.name for sheet in book.sheets)
        raise UnreadableFile("sheet", f"no sheet is called {layout.sheets!r}; the file has: {names}")
    found = []
    for sheet in book.sheets:
        wanted = any(sheet is one for one in named)
        tables = _tables(layout, sheet) if wanted else []
        if not tables and layout.sheets is not None and wanted:
            raise _mismatch(layout, [sheet])
        parts = []
        for number, table in enumerate(tables):
            is_last = number + 1 == len(tables)
            table.end = int(sheet.cells[ROW][-1]) if is_last else tables[number + 1].first - 1
            parts.append(_Part(layout, sheet, table, is_last))
            _no_unheaded(parts[-1])
        found.append(tuple(parts))
    if not any(found):
        raise _mismatch(layout, named)
    return Located(layout, book, tuple(found))


def read_together(located: Sequence[Located]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Every cell in scope of books that were looked through, and the notes that stand around them.

    ``CELL_SCHEMA`` and ``NOTE_SCHEMA``, each with ``FILE``, the place of the book in the sequence, by which they are sorted.
    """
    parts = [part for one in located for sheet in one.tables for part in sheet]
    shapes: dict[tuple[object, ...], list[_Part]] = {}
    sheet_number = 0
    for file, one in enumerate(located):
        for sheet in one.tables:
            sheet_number += 1
            for part in sheet:
                part.file, part.sheet_number = file, sheet_number
    for number, part in enumerate(parts):
        part.number = number
        shapes.setdefault(part.shape, []).append(part)
    stacks = []
    for alike in shapes.values():
        frame = _stacked(alike)
        stacks.append((alike, frame.with_columns(_tell_lines(alike, frame).alias(_FIGURE))))
    notes, texts = _all_notes(located)
    read = []
    for alike, frame in stacks:
        marked = any(part.sheet_number in texts for part in alike)
        cells = _cells(alike, frame, marked)
        read.append(_resolved(alike, cells, texts) if marked else cells)
    cells = pl.concat(read) if read else pl.DataFrame(schema={_TABLE: pl.UInt32(), **CELL_SCHEMA})
    if len(read) > 1:
        cells = cells.sort(_TABLE, maintain_order=True)
    cells = cells.with_columns(_of_table(parts, lambda part: part.file, pl.UInt32()).alias(FILE)).select(FILE, *CELL_SCHEMA)
    return cells, notes


def _all_notes(located: Sequence[Located]) -> tuple[pl.DataFrame, dict[int, dict[str, str]]]:
    """The notes of all books; and by sheet those that a mark refers to. Each table learns what holds above it."""
    rows: list[tuple[int, str, int, str, str, str]] = []
    texts = {}
    for file, one in enumerate(located):
        rows += [(file, remark.sheet, 0, remark.kind, "", remark.text) for remark in one.book.remarks]
        for sheet, parts in zip(one.book.sheets, one.tables, strict=True):
            if not parts:
                rows.append((file, sheet.name, 0, "sheet_not_read", "", f"{sheet.cells.height} rows that the layout does not read"))
                continue
            marked = _marked_notes(_notes(sheet, parts))
            rows += [(file, sheet.name, *note) for note in marked]
            if by_mark := {mark: text for _row, kind, mark, text in marked if kind == "note" and mark}:
                texts[parts[0].sheet_number] = by_mark
            if sheet.hidden_rows:
                rows.append((file, sheet.name, min(sheet.hidden_rows), "hidden_rows", "", f"{len(sheet.hidden_rows)} hidden rows; they were read"))
    return pl.DataFrame(rows, schema={FILE: pl.UInt32(), **NOTE_SCHEMA}, orient="row"), texts


def _notes(sheet: Sheet, parts: Sequence[_Part]) -> list[tuple[int, str, str]]:
    """The notes of a sheet top to bottom. What a line says holds until another says otherwise, in the tables below too."""
    layout = parts[0].layout
    grid = _grid(sheet, 0, parts[0].table.first - int(sheet.cells[ROW][0]), False)
    above = [(0, line) for line in sheet.caption]
    above += [(number, text) for number, texts in zip(grid.rows, grid.printed, strict=True) for text in texts if text]
    roles: dict[str, str] = {}
    for _number, text in above:
        if found := first_match(layout.above, text):
            roles.update(found[1])
    notes = [(number, "above", text) for number, text in above]
    sheet_roles = (matched(layout.sheets, sheet.name) or {}) if layout.sheets else {}
    for part in parts:
        part.roles, part.sheet_roles = roles, sheet_roles
        roles = {**roles, **part.lines.said}
        notes += part.lines.notes
    return notes


def _shown(part: _Part) -> Found:
    return Found(
        part.sheet.name,
        (part.table.first, part.table.last),
        (part.table.last + 1, part.table.end),
        tuple((heading.letters, heading.shown, heading.pattern, heading.column.holds) for heading in part.table.headings),
    )


def read_through(layout: Layout, book: Book) -> Reading:
    """Every cell in scope of a layout, with the notes that stand around them. Raises as :func:`locate` does."""
    located = locate(layout, book)
    cells, notes = read_together([located])
    return Reading(cells.drop(FILE), notes.drop(FILE), tuple(_shown(part) for sheet in located.tables for part in sheet))
