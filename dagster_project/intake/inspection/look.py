"""A file looked at before anything is loaded: what is in it, and what a layout would make of each cell.

Belongs here: one inspection as data – guesses, draft, reading, judged cells, and what each cell of the sheet became. Does not belong here:
how it is shown (``tell`` for the terminal, ``page`` for a browser). Nothing is written and nothing is loaded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import polars as pl

from dagster_project.intake import ledger
from dagster_project.intake.cells import Reading, read_through
from dagster_project.intake.inspection.draft import as_layout, drafted
from dagster_project.intake.inspection.guess import Guess, guessed, main_sheet
from dagster_project.intake.inspection.known import ACCEPTED, MISSING, OTHER, REFUSED, Known, judged, nearest
from dagster_project.intake.layouts import Layout
from dagster_project.intake.tables import Book, UnreadableFile, column_index, read_book
from dagster_project.settings import Limits

OUTCOMES: Final = (ACCEPTED, REFUSED, MISSING, OTHER)
MOST_SUGGESTED: Final = 100  # the nearest spelling is sought for so many texts of a kind
# refusal → (the column that holds what is unknown, the seed to add a line to)
TO_ADD: Final[dict[str, tuple[str, str]]] = {
    "unmapped_label": ("indicator_text", "seeds/mapping/aliases.csv"),
    "unmapped_area": ("area_text", "seeds/codelists/cl_area_names.csv"),
    "unmapped_unit": ("unit_text", "seeds/codelists/cl_units.csv"),
}


@dataclass(frozen=True)
class Unknown:
    """A text that no seed knows: how many cells wait for it, the nearest that is known, and where to add a line."""

    what: str
    text: str
    cells: int
    nearest: str
    seed: str


@dataclass(frozen=True)
class Inspection:
    """What is in a file and what became of it. ``layout`` is the one given or the draft; ``cells`` are judged, None where nothing could be read."""

    book: Book
    known: Known
    guesses: tuple[Guess, ...]
    main: Guess | None
    draft: str
    layout: Layout | None
    drafted: bool
    reading: Reading | None
    cells: pl.DataFrame | None
    problem: UnreadableFile | None
    marks_assumed: tuple[str, ...] = ()

    @property
    def counts(self) -> dict[str, int]:
        """Cells by outcome, each outcome named."""
        found = dict(self.cells.group_by("outcome").len().iter_rows()) if self.cells is not None else {}
        return {outcome: int(found.get(outcome, 0)) for outcome in OUTCOMES}

    @property
    def by_refusal(self) -> list[tuple[str, str, int]]:
        """(outcome, refusal, cells), most first."""
        if self.cells is None:
            return []
        rows = self.cells.filter(pl.col("refusal") != "").group_by("outcome", "refusal").len().sort("len", "refusal", descending=[True, False])
        return [(str(outcome), str(refusal), int(count)) for outcome, refusal, count in rows.iter_rows()]

    @property
    def all_read(self) -> bool:
        """Whether a refresh would take everything that is printed: the file was readable and no cell was refused."""
        return self.problem is None and self.counts[REFUSED] == 0

    def unknown(self) -> Iterator[Unknown]:
        """Labels, areas and units that no seed knows, most frequent first."""
        if self.cells is None:
            return
        vocabulary = {"unmapped_label": self.known.label_keys, "unmapped_area": self.known.area_keys, "unmapped_unit": self.known.unit_keys}
        for refusal, (column, seed) in TO_ADD.items():
            rows = self.cells.filter((pl.col("refusal") == refusal) & (pl.col(column) != ""))
            counted = rows.group_by(pl.col(column).str.strip_chars()).len().sort("len", column, descending=[True, False])
            for number, (text, count) in enumerate(counted.iter_rows()):
                near = nearest(str(text), vocabulary[refusal]) if number < MOST_SUGGESTED else ""
                yield Unknown(refusal.removeprefix("unmapped_"), str(text), int(count), near, seed)


def chosen_sheet(book: Book, name: str) -> Book:
    """The book with that sheet alone. Raises KeyError with the names there are."""
    found = [sheet for sheet in book.sheets if sheet.name == name]
    if not found:
        raise KeyError(", ".join(sheet.name or "(no name)" for sheet in book.sheets))
    return replace(book, sheets=tuple(found))


def inspected(
    data: bytes,
    known: Known,
    name: str,
    layout: Layout | None = None,
    *,
    missing_marks: Mapping[str, str] | None = None,
    sheet: str | None = None,
    limits: Limits | None = None,
) -> Inspection:
    """Look at a file. Without ``layout`` the draft is tried on it. ``missing_marks`` are the source's; without them every mark found counts as one.

    Raises :class:`~dagster_project.intake.tables.UnreadableFile` for a file that is no table at all, and KeyError for a sheet that is not there.
    """
    book = read_book(data, limits)
    if sheet is not None:
        book = chosen_sheet(book, sheet)
    guesses = tuple(guessed(one, known) for one in book.sheets)
    main = main_sheet(book, guesses)
    alone = sum(guess.header is not None for guess in guesses) <= 1
    try:
        draft = drafted(main, name, known, one_sheet=alone) if main is not None else ""
    except ValueError:
        draft = ""
    used = layout or (as_layout(draft) if draft else None)
    assumed = tuple(sorted({mark for guess in guesses for mark in guess.marks})) if missing_marks is None else ()
    marks = dict.fromkeys(assumed, "M") if missing_marks is None else dict(missing_marks)
    reading, cells, problem = None, None, None
    if used is not None:
        try:
            reading = read_through(used, book)
            cells = judged(ledger.parsed(reading, marks), known)
        except UnreadableFile as error:
            problem = error
    return Inspection(book, known, guesses, main, draft, used, layout is None, reading, cells, problem, assumed)


def parts_of_sheet(inspection: Inspection, name: str) -> dict[tuple[int, int], tuple[str, dict[str, Any]]]:
    """(row, column from 0) → what the cell became and, for figures, its row of ``cells``.

    Parts are ``header``, ``area``, ``indicator``, ``unit``, ``period``, ``other`` (labels of other kinds), ``section`` (labels of rows without figures), the outcomes of figures, ``above`` and
    ``note``; a cell that is not there was not read.
    """
    parts: dict[tuple[int, int], tuple[str, dict[str, Any]]] = {}
    reading, cells = inspection.reading, inspection.cells
    if reading is None or cells is None:
        return parts
    spoken = {
        row: kind for sheet, row, kind in reading.notes.select("sheet", "row", "kind").iter_rows() if sheet == name and kind in ("above", "note")
    }
    width = max((len(sheet.cells.columns) + column_index("Z") for sheet in inspection.book.sheets if sheet.name == name), default=0)
    for row, kind in spoken.items():
        for column in range(width):
            parts[row, column] = (kind, {})
    own = cells.filter(pl.col("sheet") == name)
    with_cells = set(own["row"].to_list())
    for table in reading.tables:
        if table.sheet != name:
            continue
        for letters, _found, _pattern, holds in table.columns:
            column = column_index(letters)
            for row in range(table.header[0], table.header[1] + 1):
                parts[row, column] = ("header", {})
            if holds in ("value", "values", "ignore"):
                continue
            part = holds if holds in ("area", "indicator", "unit", "period") else "period" if holds == "year" else "other"
            for row in range(table.body[0], table.body[1] + 1):
                if row not in spoken:
                    parts[row, column] = (part if row in with_cells else "section", {})
    for cell in own.iter_rows(named=True):
        letters = cell["cell"].rstrip("0123456789")
        parts[int(cell["row"]), column_index(letters)] = (str(cell["outcome"]), cell)
    return parts


def what_to_do(inspection: Inspection, cell: Mapping[str, Any]) -> tuple[str, str]:
    """Why a cell was refused and what to do, in Chinese and in English, with the text that no seed knows."""
    what_zh, what_en, do_zh, do_en = inspection.known.reason(str(cell["refusal"]))
    column = TO_ADD.get(str(cell["refusal"]), ("", ""))[0]
    printed = f" “{str(cell[column]).strip()}”" if column else ""
    if column and not str(cell[column]).strip():
        return f"{what_zh}：未印，请在版式 fixed 或 above 中指定", f"{what_en}: none is printed; name it in the layout (fixed, above)"
    return f"{what_zh}{printed}；{do_zh}", f"{what_en}{printed}; {do_en}"


def as_data(inspection: Inspection, shown: int) -> dict[str, Any]:
    """The inspection as plain data, for ``--json``: every refused cell, the first ``shown`` accepted ones."""
    book = inspection.book
    columns = [
        "sheet",
        "cell",
        "area_text",
        "indicator_text",
        "unit_text",
        "period_text",
        "value_text",
        "transformation",
        "indicator",
        "ref_area",
        "outcome",
        "refusal",
    ]
    cells = inspection.cells if inspection.cells is not None else pl.DataFrame(schema=dict.fromkeys(columns, pl.String))
    picked = (
        pl.concat([cells.filter(pl.col("outcome") == REFUSED), cells.filter(pl.col("outcome") == ACCEPTED).head(shown)])
        if inspection.cells is not None
        else cells
    )
    return {
        "kind": book.kind,
        "encoding": book.encoding,
        "remarks": [{"sheet": remark.sheet, "kind": remark.kind, "text": remark.text} for remark in book.remarks],
        "sheets": [_sheet_data(guess) for guess in inspection.guesses],
        "layout": inspection.layout.layout if inspection.layout else None,
        "drafted": inspection.drafted,
        "draft": inspection.draft or None,
        "problem": {"code": inspection.problem.code, "message": str(inspection.problem)} if inspection.problem else None,
        "missing_marks_assumed": list(inspection.marks_assumed),
        "counts": inspection.counts,
        "refusals": [{"outcome": outcome, "refusal": refusal, "cells": count} for outcome, refusal, count in inspection.by_refusal],
        "unknown": [vars(unknown) for unknown in inspection.unknown()],
        "cells": picked.select(columns).to_dicts(),
        "notes": inspection.reading.notes.to_dicts() if inspection.reading else [],
    }


def _sheet_data(guess: Guess) -> dict[str, Any]:
    sheet = guess.sheet
    return {
        "name": sheet.name,
        "hidden": sheet.hidden,
        "hidden_rows": sorted(sheet.hidden_rows),
        "rows": sheet.cells.height,
        "columns": sheet.cells.width - 1,
        "header": guess.header,
        "figures": guess.figures,
        "bilingual": guess.bilingual,
        "marks": guess.marks,
        "headings": [
            {
                "column": column.letters,
                "heading": column.heading,
                "holds": column.holds,
                "recognised": column.recognised,
                "distinct": column.distinct,
                "unknown": list(column.unknown),
            }
            for column in guess.columns
            if column.holds
        ],
        "above": [line.text for line in guess.above],
        "notes": [line.text for line in guess.notes],
    }
