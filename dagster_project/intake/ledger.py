"""Files → ledger: append-only Parquet, one immutable file per (content, layout, reader), and the manifest of what is current.

Belongs here: which files are new, reading them in one batch (each distinct text parsed once), writing ledger files and
the manifest. Does not belong here: what a label means, which print is right, or anything after the ledger.

``recorded_at`` lives only here: ``warehouse/ledger`` is data to back up, everything after it can be rebuilt.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from dagster_project.intake import cells, layouts, numbers, periods, tables, text
from dagster_project.settings import Settings

READER_VERSION = "2"
IGNORED_FILES = frozenset({".DS_Store", "Thumbs.db", ".gitkeep"})


@dataclass(frozen=True)
class Entry:
    """One file under ``raw/``, as last read. ``status`` is ``read`` or ``refused``; ``ledger`` names its Parquet file."""

    source_id: str
    file: str
    size: int
    mtime_ns: int
    sha256: str
    layout: str
    layout_hash: str
    reader: str
    ledger: str
    recorded_at: str
    status: str
    code: str
    message: str
    cells: int
    numbers: int
    vanished_at: str = ""

    @property
    def publication_id(self) -> str:
        return Path(self.file).stem


@dataclass(frozen=True)
class Intake:
    """What one run of the reader did. ``entries`` is the whole manifest after it."""

    entries: tuple[Entry, ...]
    read: tuple[Entry, ...]
    unchanged: int
    refused: tuple[Entry, ...]
    vanished: tuple[Entry, ...]


def manifest_path(settings: Settings) -> Path:
    return settings.ledger / "manifest.json"


def load_manifest(settings: Settings) -> dict[str, Entry]:
    """Every file ever read, by its path under raw/."""
    path = manifest_path(settings)
    if not path.is_file():
        return {}
    return {row["file"]: Entry(**row) for row in json.loads(path.read_text(encoding="utf-8"))["files"]}


def _write_atomically(path: Path, write: Callable[[Path], object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    os.close(descriptor)
    try:
        write(Path(name))
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _save_manifest(settings: Settings, entries: Iterable[Entry]) -> None:
    rows = {"files": [asdict(entry) for entry in sorted(entries, key=lambda entry: entry.file)]}
    body = json.dumps(rows, ensure_ascii=False, indent=1)
    _write_atomically(manifest_path(settings), lambda path: path.write_text(body, encoding="utf-8"))


def raw_files(settings: Settings, source_id: str | None = None) -> list[Path]:
    """Data files under ``raw/<source>/files``, links out of ``raw/`` left out (they are reported by the reader)."""
    pattern = f"{source_id or '*'}/files/**/*"
    found = (path for path in settings.raw.glob(pattern) if path.is_file() or path.is_symlink())
    return sorted(path for path in found if path.name not in IGNORED_FILES and not path.name.startswith((".", "~$")))


def source_ids(settings: Settings) -> list[str]:
    """Folders under ``raw/`` that describe a source."""
    return sorted(path.parent.name for path in settings.raw.glob("*/source.yml"))


def _publication_layouts(settings: Settings, source_id: str) -> dict[str, str]:
    path = settings.raw / source_id / "publications.csv"
    if not path.is_file():
        return {}
    frame = pl.read_csv(path, infer_schema=False)
    if not {"file", "layout"} <= set(frame.columns):
        raise layouts.LayoutError(f"{layouts.shown(path)}: columns `file` and `layout` are needed")
    return dict(zip(frame["file"].fill_null(""), frame["layout"].fill_null(""), strict=True))


@dataclass
class _Pending:
    entry: Entry
    frame: pl.DataFrame


class _SourceReader:
    """Reads files of one source; a broken source description refuses that source's files and no others."""

    def __init__(self, settings: Settings, source_id: str) -> None:
        self.problem = ""
        self.missing_marks: dict[str, str] = {}
        try:
            source = layouts.read_source(settings.raw / source_id / "source.yml")
            self.missing_marks = source.missing_marks
            self.layouts = layouts.find_layouts(settings.raw, source)
            self.by_file = _publication_layouts(settings, source_id)
        except (layouts.LayoutError, OSError) as error:
            self.problem = str(error)

    def layout_for(self, path: Path) -> tuple[layouts.ListLayout | layouts.WideLayout, str]:
        name = self.by_file.get(path.name, "")
        if not name:
            fitting = [key for key, (layout, _) in self.layouts.items() if any(path.match(p) for p in layout.files)]
            name = fitting[0] if fitting else ""
        if name not in self.layouts:
            raise tables.UnreadableFile(
                "layout",
                f"no layout {name or 'that fits the name'}: this source has {', '.join(self.layouts)}; name one in publications.csv",
            )
        return self.layouts[name]


def _parse(pending: list[_Pending], marks: dict[str, dict[str, str]]) -> pl.DataFrame:
    """All new cells at once: distinct texts parsed once, then joined back."""
    frames = []
    for item in pending:
        frames.append(
            item.frame.with_columns(
                pl.lit(item.entry.source_id).alias("source_id"),
                pl.lit(item.entry.publication_id).alias("publication_id"),
                pl.lit(item.entry.file).alias("file"),
                pl.lit(item.entry.layout).alias("layout"),
                pl.lit(numbers.has_decimal_comma(item.frame["value_text"])).alias("decimal_comma"),
            )
        )
    frame = pl.concat(frames)
    all_marks = {mark: status for by_source in marks.values() for mark, status in by_source.items()}
    commas = frame["decimal_comma"].unique().to_list() or [False]
    parsed = [
        numbers.parse_numbers(
            frame.filter(pl.col("decimal_comma") == comma)["value_text"], decimal_comma=bool(comma), missing_marks=all_marks
        ).with_columns(pl.lit(bool(comma)).alias("decimal_comma"))
        for comma in commas
    ]
    own_marks = pl.DataFrame(
        [(source, mark, status) for source, by_source in marks.items() for mark, status in by_source.items()],
        schema={"source_id": pl.String, "value_text": pl.String, "own_status": pl.String},
        orient="row",
    )
    frame = (
        frame.join(pl.concat(parsed), on=["value_text", "decimal_comma"], how="left")
        .join(own_marks, on=["source_id", "value_text"], how="left")
        .with_columns(pl.when(pl.col("number_status") == "missing").then("own_status").otherwise("obs_status").alias("obs_status"))
        .join(periods.parse_periods(frame["period_text"]), on="period_text", how="left")
    )
    frame = _column_precision(frame)
    return frame.with_columns(
        text.label_key(pl.col("indicator_text")).alias("label_key"),
        text.label_key(pl.col("area_text")).alias("area_key"),
        text.unit_key(pl.when(pl.col("unit_text") == "").then(pl.col("unit_in_text").fill_null("")).otherwise("unit_text")).alias("unit_key"),
        text.unit_key(pl.col("base_unit_text")).alias("base_unit_key"),
    ).drop("decimal_comma", "own_status")


def no_cells() -> pl.DataFrame:
    """A ledger file without rows: what the columns are, for a warehouse that has read nothing yet."""
    entry = Entry("", "", 0, 0, "", "", "", READER_VERSION, "", "", "read", "", "", 0, 0)
    return _parse([_Pending(entry, pl.DataFrame(schema=cells.CELL_SCHEMA))], {})


def _column_precision(frame: pl.DataFrame) -> pl.DataFrame:
    """Number cells that lost trailing zeros take the most decimals that their column shows."""
    shortened = (pl.col("precision") == "column") & (pl.col("number_status") == "number")
    column = ["file", "sheet", "transformation", "indicator_text", "unit_text"]
    usual = frame.filter(shortened).group_by(column).agg(pl.col("decimals").max().alias("usual"))
    if usual.is_empty():
        return frame.with_columns(pl.lit(False).alias("precision_of_column"))
    lifted = shortened & (pl.col("usual") > pl.col("decimals"))
    return (
        frame.join(usual, on=column, how="left")
        .with_columns(
            pl.when(lifted)
            .then(pl.col("mantissa") * pl.lit(10, dtype=pl.Int64).pow((pl.col("usual") - pl.col("decimals")).clip(0, 15)))
            .otherwise("mantissa")
            .cast(pl.Int64)
            .alias("mantissa"),
            pl.when(lifted).then("usual").otherwise("decimals").cast(pl.Int8).alias("decimals"),
            pl.when(lifted).then(pl.col("scale_mult") - pl.col("usual")).otherwise("last_place").cast(pl.Int8).alias("last_place"),
            lifted.fill_null(False).alias("precision_of_column"),
        )
        .drop("usual")
    )


def _refused(entry: Entry, code: str, message: str) -> Entry:
    return replace(entry, status="refused", code=code, message=message, ledger="", cells=0, numbers=0)


def _read_file(settings: Settings, reader: _SourceReader, path: Path, entry: Entry, data: bytes) -> _Pending | Entry:
    if reader.problem:
        return _refused(entry, "source", reader.problem)
    try:
        layout, layout_hash = reader.layout_for(path)
        entry = replace(entry, layout=layout.layout, layout_hash=layout_hash)
        frame = cells.cells_in_scope(layout, tables.read_sheets(data))
    except tables.UnreadableFile as problem:
        return _refused(entry, problem.code, str(problem))
    if frame.is_empty():
        return _refused(entry, "no_cells", "the header is there but no row follows it")
    return _Pending(entry, frame)


def ledger_name(entry: Entry) -> str:
    return f"{entry.sha256[:16]}-{entry.layout_hash}-{READER_VERSION}-{entry.publication_id}.parquet"


def refresh_ledger(
    settings: Settings,
    sources: Iterable[str] | None = None,
    progress: Callable[[str], None] = lambda _message: None,
    now: datetime | None = None,
) -> Intake:
    """Read what is new under ``raw/``; a bad file refuses itself and nothing else. Returns what was done.

    A file whose size and time are as before is not opened; one whose bytes, layout and reader are as before is not read.
    """
    moment = (now or datetime.now(UTC)).isoformat(timespec="seconds")
    before = load_manifest(settings)
    after = dict(before)
    wanted = list(sources) if sources is not None else source_ids(settings)
    pending: list[_Pending] = []
    refused: list[Entry] = []
    unchanged = 0
    seen: set[str] = set()
    marks: dict[str, dict[str, str]] = {}
    first_recorded = {entry.sha256: entry.recorded_at for entry in sorted(before.values(), key=lambda e: e.recorded_at, reverse=True)}
    for source_id in wanted:
        reader = _SourceReader(settings, source_id)
        marks[source_id] = reader.missing_marks
        for path in raw_files(settings, source_id):
            file = path.relative_to(settings.raw).as_posix()
            seen.add(file)
            known = before.get(file)
            blank = Entry(source_id, file, 0, 0, "", "", "", READER_VERSION, "", moment, "read", "", "", 0, 0)
            if path.is_symlink() and not path.resolve().is_relative_to(settings.raw.resolve()):
                refused.append(_refused(blank, "link", "a link that leads out of raw/: put the file itself here"))
                continue
            stat = path.stat()
            blank = replace(blank, size=stat.st_size, mtime_ns=stat.st_mtime_ns)
            if stat.st_size > settings.max_file_bytes:
                refused.append(_refused(blank, "size", f"{stat.st_size} bytes: over the limit of {settings.max_file_bytes}"))
                continue
            current = known is not None and not reader.problem and _current(settings, known, reader, path)
            if known and current and (known.size, known.mtime_ns) == (stat.st_size, stat.st_mtime_ns):
                unchanged += 1
                after[file] = replace(known, vanished_at="")
                continue
            data = path.read_bytes()
            blank = replace(blank, sha256=hashlib.sha256(data).hexdigest())
            blank = replace(blank, recorded_at=first_recorded.get(blank.sha256, moment))
            if known and current and known.sha256 == blank.sha256:
                unchanged += 1
                after[file] = replace(known, size=blank.size, mtime_ns=blank.mtime_ns, vanished_at="")
                continue
            progress(file)
            outcome = _read_file(settings, reader, path, blank, data)
            if isinstance(outcome, Entry):
                refused.append(outcome)
            else:
                pending.append(outcome)
    read: list[Entry] = []
    if pending:
        frame = _parse(pending, marks)
        for (file,), part in frame.group_by("file", maintain_order=True):
            entry = next(item.entry for item in pending if item.entry.file == file)
            name = ledger_name(entry)
            accepted = int((part["number_status"].is_in(["number", "ratio"])).sum())
            _write_atomically(settings.ledger / "cells" / name, lambda path, part=part: part.write_parquet(path))  # type: ignore[misc]
            read.append(replace(entry, ledger=name, cells=part.height, numbers=accepted))
    for entry in read:
        after[entry.file] = entry
    for entry in refused:
        # A refused new version of a file leaves the figures of its last readable version in place.
        last = before.get(entry.file)
        after[entry.file] = replace(entry, ledger=last.ledger, cells=last.cells, numbers=last.numbers) if last and last.ledger else entry
    vanished = []
    for file, entry in before.items():
        if file not in seen and (sources is None or entry.source_id in wanted):
            if not entry.ledger:  # it never gave a figure: nothing is lost with it
                del after[file]
                continue
            after[file] = replace(entry, vanished_at=entry.vanished_at or moment)
            vanished.append(after[file])
    if after != before:
        _save_manifest(settings, after.values())
    return Intake(tuple(after.values()), tuple(read), unchanged, tuple(refused), tuple(vanished))


def _current(settings: Settings, known: Entry, reader: _SourceReader, path: Path) -> bool:
    """Is the ledger file of this entry what reading it today would give?"""
    if known.status == "refused" or known.reader != READER_VERSION:
        return False
    try:
        layout, layout_hash = reader.layout_for(path)
    except tables.UnreadableFile:
        return False
    same = (known.layout, known.layout_hash) == (layout.layout, layout_hash)
    return same and (settings.ledger / "cells" / known.ledger).is_file()
