"""Sheets through a layout: every cell in scope becomes one row with its text, its labels and its address.

Belongs here: finding the layout's tables by their headings, telling body, sections and notes apart, and handing each body cell its
area, label, unit and period text. Pure functions of a book and a layout. Does not belong here: what the texts mean (``numbers``,
``periods``, and the seeds), files and folders (``ledger``).

No cell is lost: a row with anything in a column of figures is read, a column without a heading that holds something refuses the file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
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
    clean = [list(row) for row in printed]
    marked = [(at, position) for at, row in enumerate(clean) for position, text in enumerate(row) if typography.MAY_HOLD_MARK.search(text)]
    if marked:
        texts = typography.without_footnotes(pl.Series([clean[at][position] for at, position in marked], dtype=pl.String)).to_list()
        for (at, position), text in zip(marked, texts, strict=True):
            clean[at][position] = text.strip()
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
    anchor = next((heading for heading in found[0].headings if heading.pattern and any(heading.levels)), found[0].headings[0])
    texts = sheet.cells.select(ROW, pl.col(anchor.name).fill_null("").alias("text")).with_row_index("position")
    wanted = anchor.pattern.split(LEVELS)[0]
    distinct = texts["text"].unique().to_list()
    if len(distinct) > 1000 and compiled(wanted).groups:
        distinct = []  # a pattern that a thousand cells may fit is no sign of a heading
    spelled = typography.without_footnotes(pl.Series("text", distinct, dtype=pl.String)).to_list()
    again = [
        raw
        for raw, clean in zip(distinct, spelled, strict=True)
        if clean.strip() and compiled(wanted).search(typography.without_translation(clean.strip()) if layout.bilingual else clean.strip())
    ]
    for position, number in texts.filter(pl.col("text").is_in(again) & (pl.col(ROW) > found[0].last)).select("position", ROW).iter_rows():
        if number <= found[-1].last:
            continue
        lower = _grid(sheet, position, depth, layout.bilingual)
        if len(lower.rows) == depth and (match := _match(layout, names, _levels(sheet, layout, lower, 0))) is not None:
            found.append(_Table(number, number + depth - 1, *match))
    return found


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


# --- body -----------------------------------------------------------------------------------------------------


def _nonblank(names: Sequence[str]) -> pl.Expr:
    return pl.any_horizontal([pl.col(name).str.contains(r"\S") for name in names]) if names else pl.lit(False)


@dataclass
class _Lines:
    """Rows without figures: which are notes, which say something for the rows below, which are no row of the body."""

    notes: list[tuple[int, str, str]] = field(default_factory=list)  # row, kind, text
    changes: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    outside: set[int] = field(default_factory=set)


def _lines(layout: Layout, part: pl.DataFrame, figures: list[str], is_last: bool) -> _Lines:
    names = [name for name in part.columns if name != ROW]
    marked = part.select(pl.col(ROW), _nonblank(figures).alias("figure"), _nonblank(names).alias("any"))
    lines = _Lines()
    quiet = part.filter(~marked["figure"] & marked["any"])
    if quiet.is_empty():
        return lines
    figure_rows = marked.filter(pl.col("figure"))[ROW]
    last_figure = int(figure_rows[-1]) if len(figure_rows) else 0
    sections = [pattern for pattern, row in layout.row_patterns if row.holds == "section"]
    above = (*layout.above, *CONTINUED)
    note_from = 0
    for number, *texts in quiet.iter_rows():
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
        elif note_from and not len(figure_rows.filter((figure_rows > note_from) & (figure_rows < number))):
            lines.notes.append((number, "note", " ".join(printed)))
        elif number > last_figure and not is_last and len(printed) == 1:
            lines.notes.append((number, "above", printed[0]))  # the title of the next table
        else:
            continue
        lines.outside.add(int(number))
    return lines


def _filled(part: pl.DataFrame, sheet: Sheet, heading: _Heading) -> pl.Expr:
    """A column of labels, what is merged down or printed once standing in every row that it speaks for."""
    label = pl.col(heading.name).fill_null("")
    index = int(heading.name[1:])
    low, high = (part[ROW][0], part[ROW][-1]) if part.height else (0, -1)
    spans = [(top, bottom) for top, left, bottom, right in sheet.merged if left <= index <= right and bottom > top and top <= high and bottom >= low]
    if spans:
        anchors = dict(zip(part[ROW].to_list(), part[heading.name].to_list(), strict=True))
        texts = {row: anchors.get(top) or "" for top, bottom in spans for row in range(max(top, low), min(bottom, high) + 1)}
        over = pl.col(ROW).replace_strict(list(texts), list(texts.values()), default=None, return_dtype=pl.String)
        label = pl.when(label.str.contains(r"\S")).then(label).otherwise(pl.coalesce(over, label))
    if heading.column.fill:
        label = pl.when(label.str.contains(r"\S")).then(label).otherwise(None).forward_fill().fill_null("")
    return label


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
    return pl.coalesce(*[pl.when(text.str.contains(r"\S")).then(text) for text in texts], pl.lit(""))


def _body(layout: Layout, sheet: Sheet, table: _Table, is_last: bool) -> tuple[pl.DataFrame, list[tuple[int, str, str]], dict[str, str]]:
    """Cells of one table, its notes, and what its lines said at the end (for the table below)."""
    stubs = [heading for heading in table.headings if heading.column.holds not in ("value", "values", "ignore")]
    figures = [heading for heading in table.headings if heading.column.holds in ("value", "values")]
    names = [heading.name for heading in figures]
    part = sheet.cells.filter((pl.col(ROW) > table.last) & (pl.col(ROW) <= table.end)).with_columns(pl.exclude(ROW).fill_null(""))
    lines = _lines(layout, part, names, is_last)
    used = [heading.name for heading in table.headings]
    body = part.filter(_nonblank(used) & ~pl.col(ROW).is_in(list(lines.outside)))
    _no_unheaded(layout, sheet, table, body)

    by_role: dict[str, list[pl.Expr]] = {}
    for heading in stubs:
        by_role.setdefault(heading.column.holds, []).append(_filled(part, sheet, heading))
    rows = body.select(
        ROW,
        *names,
        *[(_first(*labels) if len(labels) > 1 else labels[0]).alias(f"s_{role}") for role, labels in by_role.items()],
    )
    main = next((role for role in ("indicator", "area", *by_role) if role in by_role), None)
    rows, row_roles = _with_labels(layout, rows, main)
    rows, line_roles = _with_lines(rows, lines, table.roles)
    said = {role: text for _number, roles in lines.changes for role, text in roles.items()}

    cells = _unpivoted(sheet, table, rows, figures)
    fixed = {heading.name: heading.column.fixed for heading in figures}
    column = pl.col("column")

    def of_column(texts: dict[str, str]) -> pl.Expr:
        return column.replace_strict(list(texts), list(texts.values()), default="", return_dtype=pl.String)

    expressions: dict[str, list[pl.Expr]] = {}
    over: dict[str, pl.Expr] = {}
    for role in ("year", *TEXT_COLUMNS):
        choices: list[pl.Expr] = []
        if any(role in texts for texts in fixed.values()):
            over[role] = of_column({name: texts[role] for name, texts in fixed.items() if role in texts})
        if role in row_roles:
            choices.append(pl.col(f"r_{role}").fill_null(""))
        if role == main and "r_own" in cells.columns:
            choices.append(pl.col("r_own").fill_null(""))
        if role in by_role:
            choices.append(pl.col(f"s_{role}"))
        from_heading = {heading.name: heading.roles[role] for heading in figures if role in heading.roles}
        if from_heading:
            choices.append(of_column(from_heading))
        if role in line_roles:
            choices.append(pl.col(f"l_{role}").fill_null(""))
        if role in layout.fixed:
            choices.append(pl.lit(layout.fixed[role]))
        if role == "parent" and "parent" in cells.columns:
            choices.insert(0, pl.col("parent"))
        expressions[role] = choices

    def settled(role: str, *, with_fixed: bool = True) -> pl.Expr:
        choices = [*([over[role]] if with_fixed and role in over else []), *expressions[role]]
        return pl.lit("") if not choices else choices[0] if len(choices) == 1 else _first(*choices)

    cells = cells.with_columns(
        *[settled(role).alias(f"{role}_text") for role in ("year", *TEXT_COLUMNS)], settled("unit", with_fixed=False).alias("base_unit_text")
    )
    return _finished(layout, cells, figures, sheet), lines.notes, {**table.roles, **said}


def _no_unheaded(layout: Layout, sheet: Sheet, table: _Table, body: pl.DataFrame) -> None:
    for name in table.unheaded:
        held = body.filter(pl.col(name).str.contains(r"\S"))
        if held.height:
            letters = column_letters(int(name[1:]))
            cell = f"{letters}{held[ROW][0]}"
            pairs = [(heading.pattern, f"{heading.letters}{table.first}", heading.shown) for heading in table.headings]
            where = f"{sheet.name or 'table'}, row {table.first}"
            why = f"column {letters} has no heading, but {cell} holds {held[name][0]!r}"
            raise HeaderMismatch(layout.layout, where, pairs, 0.9, why)


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
    if main == "indicator" and (made["child"].any() or made["deep"].n_unique() > 1):
        own = rows.select(
            _first(pl.col("r_indicator").fill_null(""), pl.col("r_own").fill_null(""), pl.col("s_indicator").str.strip_chars())
        ).to_series()
        parents = _parents(own.to_list(), rows["child"].to_list(), rows["deep"].to_list())
        rows = rows.with_columns(pl.Series("parent", parents, dtype=pl.String))
        if layout.qualify:
            rows = rows.with_columns(pl.when(pl.col("parent") != "").then(pl.col("parent") + pl.lit("：") + own).otherwise(own).alias("r_indicator"))
            given.add("indicator")
    return rows, given


def _with_lines(rows: pl.DataFrame, lines: _Lines, before: dict[str, str]) -> tuple[pl.DataFrame, set[str]]:
    """What lines above and between the rows say, in each row below them."""
    roles = set(before) | {role for _number, said in lines.changes for role in said}
    for role in sorted(roles):
        changes = [(0, before.get(role, ""))] + [(number, said[role]) for number, said in lines.changes if role in said]
        if len(changes) == 1:
            rows = rows.with_columns(pl.lit(changes[0][1]).alias(f"l_{role}"))
            continue
        frame = pl.DataFrame(changes, schema={ROW: rows.schema[ROW], f"l_{role}": pl.String}, orient="row")
        rows = rows.sort(ROW).join_asof(frame, on=ROW)
    return rows, roles


def _unpivoted(sheet: Sheet, table: _Table, rows: pl.DataFrame, figures: list[_Heading]) -> pl.DataFrame:
    names = [heading.name for heading in figures]
    cells = rows.unpivot(on=names, index=[name for name in rows.columns if name not in names], variable_name="column", value_name="value_text")
    optional = [heading.name for heading in figures if heading.column.optional]
    if optional:
        cells = cells.filter(~pl.col("column").is_in(optional) | pl.col("value_text").str.contains(r"\S"))
    covered = [
        (row, f"c{index}")
        for top, left, bottom, right in sheet.merged
        if bottom > table.last and top <= table.end
        for row in range(max(top, table.last + 1), min(bottom, table.end) + 1)
        for index in range(left, right + 1)
        if (row, index) != (top, left) and f"c{index}" in names
    ]
    if covered:  # the other cells of a merged figure are no cells of their own
        frame = pl.DataFrame(covered, schema={ROW: cells.schema[ROW], "column": pl.String}, orient="row")
        cells = cells.join(frame, on=[ROW, "column"], how="anti", maintain_order="left")
    return cells


def _finished(layout: Layout, cells: pl.DataFrame, figures: list[_Heading], sheet: Sheet) -> pl.DataFrame:
    column = pl.col("column")

    def property_of(of: Callable[[_Heading], str | int | None], kind: pl.DataType) -> pl.Expr:
        texts = {heading.name: of(heading) for heading in figures}
        if len(set(texts.values())) == 1:
            return pl.lit(next(iter(texts.values())), kind)
        return column.replace_strict(list(texts), list(texts.values()), default=None, return_dtype=kind)

    period = pl.col("period_text")
    if cells["year_text"].str.contains(r"\S").any():
        year = pl.col("year_text").str.strip_chars()
        year = pl.when(year.str.contains("年")).then(year).otherwise(year + "年")
        lacking = (pl.col("year_text") != "") & ~period.str.contains(r"[12]\d{3}")
        cells = cells.with_columns(pl.when(lacking).then(year + period.str.replace(r"^年", "")).otherwise(period).alias("period_text"))
    if layout.dates != "day":
        cells = cells.with_columns(_mapped(period, cells["period_text"], lambda text: _as_period(text, layout.dates)).alias("period_text"))
    base = layout.values
    transformation = property_of(lambda heading: heading.column.transformation or base.transformation, pl.String())
    coverage = property_of(lambda heading: heading.column.coverage or base.coverage or "", pl.String())
    lag = property_of(lambda heading: heading.column.lag, pl.Int8())
    if "row_lag" in cells.columns:
        transformation = pl.coalesce("row_transformation", transformation)
        coverage = pl.coalesce("row_coverage", coverage)
        lag = lag + pl.col("row_lag").fill_null(0)
    if any(heading.column.rates for heading in figures):
        rate = pl.col("base_unit_text").str.strip_chars().is_in(_RATES)
        instead = property_of(lambda heading: heading.column.rates.transformation if heading.column.rates else None, pl.String())
        unit = property_of(lambda heading: heading.column.rates.unit if heading.column.rates else None, pl.String())
        transformation = pl.when(rate & instead.is_not_null()).then(instead).otherwise(transformation)
        cells = cells.with_columns(pl.when(rate & unit.is_not_null()).then(unit).otherwise("unit_text").alias("unit_text"))
    letters = {heading.name: heading.letters for heading in figures}
    hidden = pl.lit(True) if sheet.hidden else pl.col(ROW).is_in(sorted(sheet.hidden_rows)) if sheet.hidden_rows else pl.lit(False)
    cells = cells.with_columns(
        pl.lit(sheet.name).alias("sheet"),
        pl.col(ROW).alias("row"),
        (column.replace_strict(letters, return_dtype=pl.String) + pl.col(ROW).cast(pl.String)).alias("cell"),
        transformation.alias("transformation"),
        property_of(lambda heading: heading.column.precision or base.precision, pl.String()).alias("precision"),
        coverage.alias("coverage"),
        lag.alias("lag"),
        hidden.alias("hidden"),
    )
    # What marks may stand in: the label as printed, which a pattern or a dropped translation may have shortened.
    printed = [pl.col(name) for name in cells.columns if name.startswith("s_")]
    marks = pl.concat_str([*printed, pl.col("value_text")], separator=" ") if printed else pl.col("value_text")
    return cells.select(*[pl.col(name).cast(kind) for name, kind in CELL_SCHEMA.items()], marks.alias(_PRINTED))


# --- notes ----------------------------------------------------------------------------------------------------


def _mark_key(mark: str) -> str:
    return re.sub(r"[\[\]【】〔〕()（）\s.:：、注註]", "", typography.normalise(pl.Series([mark]))[0])


def _marked_notes(notes: Sequence[tuple[int, str, str]]) -> list[tuple[int, str, str, str]]:
    """Notes with the mark that each begins with: (row, kind, mark, text)."""
    marked = []
    for row, kind, text in notes:
        found = _NOTE_MARK.match(text) if kind == "note" else None
        marked.append((row, kind, _mark_key(found["mark"]) if found else "", text))
    return marked


def _resolved(cells: pl.DataFrame, notes: Sequence[tuple[int, str, str, str]], headings: dict[str, str]) -> pl.DataFrame:
    """``note_text`` gets the notes that a cell's value, labels or heading refer to by a mark."""
    texts = {mark: text for _row, kind, mark, text in notes if kind == "note" and mark}
    plain = cells.drop(_PRINTED)
    if not texts or cells.is_empty():
        return plain
    printed = pl.concat_str(
        [
            pl.col(_PRINTED),
            pl.col("cell").str.extract(r"^([A-Z]+)").replace_strict(headings, default=""),
        ],
        separator=" ",
    )
    marked = cells.select(printed.alias("printed")).with_row_index("at")
    marks = marked.select("at", typography.footnotes(pl.col("printed")).alias("mark")).filter(pl.col("mark").list.len() > 0).explode("mark")
    if marks.is_empty():
        return plain
    distinct = marks["mark"].unique().to_list()
    told = {mark: texts.get(_mark_key(mark), "") for mark in distinct}
    said = (
        marks.with_columns(pl.col("mark").replace_strict(list(told), list(told.values()), return_dtype=pl.String).alias("told"))
        .filter(pl.col("told") != "")
        .group_by("at", maintain_order=True)
        .agg(pl.col("told").unique(maintain_order=True).str.join(" "))
    )
    joined = plain.with_row_index("at").join(said, on="at", how="left", maintain_order="left")
    return joined.with_columns(
        _first(pl.concat_str(pl.col("note_text"), pl.col("told").fill_null(""), separator=" ").str.strip_chars()).alias("note_text")
    ).select(list(CELL_SCHEMA))


def _read_sheet(layout: Layout, sheet: Sheet, tables: list[_Table]) -> tuple[pl.DataFrame, list[tuple[int, str, str, str]], list[Found]]:
    grid = _grid(sheet, 0, tables[0].first - int(sheet.cells[ROW][0]), False)
    above = [(0, line) for line in sheet.caption]
    above += [(number, text) for number, texts in zip(grid.rows, grid.printed, strict=True) for text in texts if text]
    roles: dict[str, str] = {}
    for _number, text in above:
        if found := first_match(layout.above, text):
            roles.update(found[1])
    notes: list[tuple[int, str, str]] = [(number, "above", text) for number, text in above]
    parts, shown, printed = [], [], {}
    last_row = int(sheet.cells[ROW][-1])
    for number, table in enumerate(tables):
        is_last = number + 1 == len(tables)
        table.end = last_row if is_last else tables[number + 1].first - 1
        table.roles = roles
        cells, said, roles = _body(layout, sheet, table, is_last)
        parts.append(cells)
        notes += said
        shown.append(
            Found(
                sheet.name, (table.first, table.last), (table.last + 1, table.end),
                tuple((heading.letters, heading.shown, heading.pattern, heading.column.holds) for heading in table.headings),
            )
        )  # fmt: skip
        raw = _grid(sheet, table.first - int(sheet.cells[ROW][0]), layout.header_rows, False).printed
        names = _columns(sheet)
        printed.update({column_letters(int(name[1:])): " ".join(row[position] for row in raw) for position, name in enumerate(names)})
    marked = _marked_notes(notes)
    return _resolved(pl.concat(parts), marked, printed), marked, shown


def read_through(layout: Layout, book: Book) -> Reading:
    """Every cell in scope of a layout, with the notes that stand around them.

    Read are the sheets whose name fits ``layout.sheets``, each of which must hold the table; without it all those that hold it. Raises
    :class:`HeaderMismatch` (expected and found headings side by side) and :class:`UnreadableFile`.
    """
    named = [sheet for sheet in book.sheets if layout.sheets is None or matched(layout.sheets, sheet.name) is not None]
    if not named:
        names = ", ".join(sheet.name for sheet in book.sheets)
        raise UnreadableFile("sheet", f"no sheet is called {layout.sheets!r}; the file has: {names}")
    parts: list[pl.DataFrame] = []
    notes: list[tuple[str, int, str, str, str]] = [(remark.sheet, 0, remark.kind, "", remark.text) for remark in book.remarks]
    tables: list[Found] = []
    for sheet in book.sheets:
        found = _tables(layout, sheet) if any(sheet is one for one in named) else []
        if not found:
            if layout.sheets is not None and any(sheet is one for one in named):
                raise _mismatch(layout, [sheet])
            notes.append((sheet.name, 0, "sheet_not_read", "", f"{sheet.cells.height} rows that the layout does not read"))
            continue
        cells, marked, shown = _read_sheet(layout, sheet, found)
        sheet_roles = (matched(layout.sheets, sheet.name) or {}) if layout.sheets else {}
        for role, text in sheet_roles.items():
            if role in TEXT_COLUMNS:
                cells = cells.with_columns(_first(pl.col(f"{role}_text"), pl.lit(text)).alias(f"{role}_text"))
        parts.append(cells)
        notes += [(sheet.name, row, kind, mark, text) for row, kind, mark, text in marked]
        if sheet.hidden_rows:
            hidden = sorted(sheet.hidden_rows)
            notes.append((sheet.name, hidden[0], "hidden_rows", "", f"{len(hidden)} hidden rows; they were read"))
        tables += shown
    if not parts:
        raise _mismatch(layout, named)
    return Reading(pl.concat(parts), pl.DataFrame(notes, schema=NOTE_SCHEMA, orient="row"), tuple(tables))
