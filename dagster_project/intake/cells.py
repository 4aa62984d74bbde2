"""Sheets through a layout: every cell in scope becomes one row with its text, its labels and its address.

Belongs here: finding the header, the stub and the body, and handing each body cell its area, label, unit and period
text. Pure functions of sheets and layout. Does not belong here: what the texts mean (``numbers``, ``periods``, and the
seeds), files and folders (``ledger``).
"""

from __future__ import annotations

import re

import polars as pl

from dagster_project.intake.layouts import ListLayout, WideLayout
from dagster_project.intake.tables import ROW, Sheet, UnreadableFile, column_letters

TEXT_COLUMNS = ("reference", "area", "indicator", "unit", "period", "kind", "stage", "note")
CELL_SCHEMA: dict[str, pl.DataType] = {
    "sheet": pl.String(),
    "row": pl.Int32(),
    "cell": pl.String(),
    **{f"{name}_text": pl.String() for name in TEXT_COLUMNS},
    "base_unit_text": pl.String(),
    "value_text": pl.String(),
    "transformation": pl.String(),
    "precision": pl.String(),
}


def _header_row(sheet: Sheet, wanted: tuple[str, ...]) -> tuple[int, dict[str, str]] | None:
    """The first of the leading rows that holds every wanted header, and which column holds which."""
    columns = [name for name in sheet.cells.columns if name != ROW]
    for number, *texts in sheet.cells.head(60).iter_rows():
        positions = {(text or "").strip(): column for column, text in reversed(list(zip(columns, texts, strict=True)))}
        if all(name in positions for name in wanted):
            return int(number), {name: positions[name] for name in wanted}
    return None


def _missing_header(wanted: list[str], sheets: list[Sheet]) -> UnreadableFile:
    seen = [
        f"{sheet.name or 'table'}, row {row[0]}: {' | '.join(text for text in row[1:] if text)}"
        for sheet in sheets[:3]
        for row in sheet.cells.head(3).iter_rows()
    ]
    return UnreadableFile(
        "header",
        "no row holds the header that the layout expects.\n  expected: "
        + " | ".join(wanted)
        + "\n  found:    "
        + "\n            ".join(seen or ["nothing"])
        + "\n  Put the header back, or give the file its own layout.",
    )


def _fixed(layout: ListLayout | WideLayout) -> list[pl.Expr]:
    return [pl.lit(text).alias(f"{role}_text") for role, text in layout.fixed.items()]


def _complete(frame: pl.DataFrame) -> pl.DataFrame:
    absent = [pl.lit("").cast(kind).alias(name) for name, kind in CELL_SCHEMA.items() if name not in frame.columns]
    return frame.with_columns(absent).select([pl.col(name).cast(kind) for name, kind in CELL_SCHEMA.items()])


def _list_cells(layout: ListLayout, sheet: Sheet) -> pl.DataFrame | None:
    found = _header_row(sheet, layout.header)
    if found is None:
        return None
    header, positions = found
    body = sheet.cells.filter(pl.col(ROW) > header)
    body = body.filter(pl.any_horizontal(pl.exclude(ROW).fill_null("").str.strip_chars() != ""))
    roles = [pl.col(positions[column]).fill_null("").alias(f"{role}_text") for role, column in layout.roles.items()]
    # A growth rate's own unit is %; the unit of the figure beside it tells which currency it grew in.
    base_unit = [pl.col(positions[layout.roles["unit"]]).fill_null("").alias("base_unit_text")] if "unit" in layout.roles else []
    parts = []
    for order, value in enumerate(layout.values):
        column = positions[value.column]
        letters = column_letters(int(column[1:]))
        unit = [] if value.unit is None else [pl.lit(value.unit).alias("unit_text")]
        part = body.select(
            pl.lit(sheet.name).alias("sheet"),
            pl.col(ROW).cast(pl.Int32).alias("row"),
            (pl.lit(letters) + pl.col(ROW).cast(pl.String)).alias("cell"),
            *roles,
            *base_unit,
            pl.col(column).fill_null("").alias("value_text"),
            pl.lit(value.transformation).alias("transformation"),
            pl.lit(value.precision).alias("precision"),
        ).with_columns(*_fixed(layout), *unit)
        # The first value column is the table's purpose: blank there is a refusal. A blank in a column beside it
        # (a growth that was not printed) is no cell at all.
        parts.append(part if order == 0 else part.filter(pl.col("value_text").str.strip_chars() != ""))
    return _complete(pl.concat(parts))


def _wide_cells(layout: WideLayout, sheet: Sheet) -> pl.DataFrame | None:
    columns = [name for name in sheet.cells.columns if name != ROW]
    first = sheet.cells[columns[0]].fill_null("").str.strip_chars()
    starts = (first == layout.header_starts).arg_true()
    if not len(starts):
        return None
    header = int(starts[0])
    labels = dict(zip(columns[1:], sheet.cells.row(header)[2:], strict=True))
    roles = dict(layout.fixed)
    for line in first.head(header):
        for pattern in layout.preamble:
            if match := re.search(pattern, line or ""):
                roles.update({name: text for name, text in match.groupdict().items() if text})  # type: ignore[misc]
    body = sheet.cells.slice(header + 1)
    stub = body[columns[0]].fill_null("").str.strip_chars()
    stops = [index for index, text in enumerate(stub) if any(re.search(pattern, text) for pattern in layout.stop)]
    end = stops[0] if stops else len(stub)
    notes = " ".join(text for text in stub[end:] if text)
    body = body.head(end).filter(stub.head(end) != "")
    used = [column for column, label in labels.items() if (label or "").strip()]
    letters = {column: column_letters(int(column[1:])) for column in used}
    cells = (
        body.rename({columns[0]: "stub"})
        .unpivot(on=used, index=[ROW, "stub"], variable_name="column", value_name="value_text")
        .with_columns(pl.col("value_text").fill_null(""))
        .select(
            pl.lit(sheet.name).alias("sheet"),
            pl.col(ROW).cast(pl.Int32).alias("row"),
            (pl.col("column").replace_strict(letters, return_dtype=pl.String) + pl.col(ROW).cast(pl.String)).alias("cell"),
            pl.col("stub").alias(f"{layout.stub}_text"),
            pl.col("column").replace_strict({c: labels[c] for c in used}, return_dtype=pl.String).alias(f"{layout.columns}_text"),
            "value_text",
            pl.lit(layout.values.transformation).alias("transformation"),
            pl.lit(layout.values.precision).alias("precision"),
            pl.lit(notes).alias("note_text"),
        )
        .with_columns([pl.lit(text).alias(f"{role}_text") for role, text in roles.items()])
    )
    return _complete(cells)


def cells_in_scope(layout: ListLayout | WideLayout, sheets: list[Sheet]) -> pl.DataFrame:
    """Body cells of the first sheet (or of the one the layout names) in which the layout's header is found.

    Columns: ``CELL_SCHEMA``. Raises :class:`UnreadableFile` with expected and found headers where no sheet has them.
    """
    if layout.sheet is not None:
        named = [sheet for sheet in sheets if sheet.name == layout.sheet]
        if not named:
            names = ", ".join(sheet.name for sheet in sheets)
            raise UnreadableFile("sheet", f"no sheet {layout.sheet!r}; the file has: {names}")
        sheets = named
    for sheet in sheets:
        cells = _list_cells(layout, sheet) if isinstance(layout, ListLayout) else _wide_cells(layout, sheet)
        if cells is not None:
            return cells
    wanted = list(layout.header) if isinstance(layout, ListLayout) else [layout.header_starts, "…"]
    raise _missing_header(wanted, sheets)
