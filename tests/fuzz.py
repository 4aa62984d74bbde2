"""Mangled files by the thousand: ``make fuzz`` (or ``python -m tests.fuzz COUNT SEED``); the suite runs a few hundred.

Belongs here: what must be true of any file: it is read whole or refused with a message, and the process lives. Does not belong here:
how files are made or mangled (``tests/fixtures/generated.py``).
"""

from __future__ import annotations

import random
import sys
import time
from collections import Counter
from pathlib import Path

import polars as pl

from dagster_project.intake.cells import read_through
from dagster_project.intake.layouts import Layout, read_layout
from dagster_project.intake.ledger import parsed
from dagster_project.intake.numbers import SCHEMA
from dagster_project.intake.tables import UnreadableFile, column_letters, read_book
from dagster_project.intake.workbooks import WorkbookProcess
from dagster_project.settings import REPOSITORY, Limits
from tests.fixtures import generated

MARKS = {"…": "N", "—": "M", "": "O"}
PUBLISHED = REPOSITORY / "tests" / "fixtures" / "published" / "raw"
LIMITS = Limits(cells=200_000, rows=20_000, seconds=20, memory_bytes=1 << 30)


def check_made(made: generated.Made, data: bytes, process: WorkbookProcess | None) -> None:
    """Every cell of a generated table comes out once, with its labels; each is a figure or refused with a reason."""
    reading = read_through(Layout.model_validate(made.layout), read_book(data, Limits(), process))
    columns = reading.cells.select("cell", "value_text", "area_text", "indicator_text", "period_text").rows()
    got = {cell: tuple(text.strip() for text in texts) for cell, *texts in columns}
    wanted = {f"{column_letters(c)}{r + 1}": texts for (r, c), texts in made.expected.items()}
    assert len(columns) == len(got), "a cell was read twice"
    assert got == wanted, (made.family, {cell: (got.get(cell), wanted.get(cell)) for cell in {*got, *wanted} if got.get(cell) != wanted.get(cell)})
    frame = parsed(reading, MARKS)
    assert frame.height == len(wanted), "cells in scope are rows out"
    status = pl.col("number_status")
    assert frame.filter(status.is_null() | (status.is_in(["number"]) & pl.col("mantissa").is_null())).is_empty()


def _scope(data: bytes, layout: Layout, process: WorkbookProcess) -> str:
    """What becomes of a file: ``read``, the code it was refused with, or ``unforeseen``."""
    try:
        book = read_book(data, LIMITS, process)
        reading = read_through(layout, book)
    except UnreadableFile as refusal:
        assert str(refusal).strip(), "a refusal says why"
        return refusal.code
    names = {heading[0] for table in reading.tables for heading in table.columns if heading[3] in ("value", "values")}
    frame = parsed(reading, MARKS)
    assert frame.height == reading.cells.height and set(SCHEMA) <= set(frame.columns)
    # nothing lost: whatever stands in a column of figures below the headings of its table is a cell of the reading
    read = set(reading.cells.select("sheet", "cell").iter_rows())
    for table in reading.tables:
        sheet = next(sheet for sheet in book.sheets if sheet.name == table.sheet)
        for letters, _shown, _pattern, holds in table.columns:
            if holds in ("value", "values"):
                column = next(name for name in sheet.cells.columns if name.startswith("c") and column_letters(int(name[1:])) == letters)
                body = sheet.cells.filter((pl.col("__row__") >= table.body[0]) & (pl.col("__row__") <= table.body[1]))
                for row in body.filter(pl.col(column).str.contains(r"\S"))["__row__"]:
                    assert (table.sheet, f"{letters}{row}") in read, f"{letters}{row} is lost"
    assert names
    return "read"


def seeds() -> list[tuple[bytes, Layout]]:
    """The published fixtures with their layouts: real shapes and formats."""
    found = []
    for source in sorted(PUBLISHED.iterdir()):
        layout, _hash = read_layout(next((source / "layouts").glob("*.yml")))
        found += [(path.read_bytes(), layout) for path in sorted((source / "files").iterdir())]
    return found


def run(count: int, chance: random.Random, keep: Path | None = None) -> Counter[str]:
    """Mangle ``count`` files and read them; by outcome how many. ``keep``: where a file goes that raised something unforeseen."""
    files = seeds()
    outcomes: Counter[str] = Counter()
    with WorkbookProcess(LIMITS) as process:
        for number in range(count):
            data, layout = files[number % len(files)]
            for _ in range(chance.choice((1, 1, 2))):
                data = generated.mangled(data, chance) or b" "
            try:
                outcomes[_scope(data, layout, process)] += 1
            except Exception as error:  # that is what is looked for
                outcomes["unforeseen"] += 1
                outcomes[f"unforeseen: {type(error).__name__}: {str(error)[:120]}"] += 1
                if keep is not None:
                    keep.mkdir(parents=True, exist_ok=True)
                    (keep / f"{number}.bin").write_bytes(data)
    return outcomes


def main() -> None:
    """Print outcomes; exit code 1 where something unforeseen happened."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else time.time_ns()
    start = time.perf_counter()
    outcomes = run(count, random.Random(seed), Path("warehouse") / "fuzz")
    print(f"{count} files, seed {seed}, {time.perf_counter() - start:.1f} s")
    for outcome, times in outcomes.most_common():
        print(f"  {times:6d}  {outcome}")
    sys.exit(1 if outcomes["unforeseen"] else 0)


if __name__ == "__main__":
    main()
