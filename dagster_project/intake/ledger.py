"""Files → ledger: append-only Parquet, one immutable file per (content, layout, reader), and the manifest of what is current.

Belongs here: which files are new, reading them in batches (each distinct text of one parsed once), writing ledger files and
the manifest. Does not belong here: what a label means, which print is right, or anything after the ledger.

``recorded_at`` lives only here: ``warehouse/ledger`` is data to back up, everything after it can be rebuilt.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import cache, partial
from pathlib import Path
from typing import TypeVar

import polars as pl

from dagster_project.intake import cells, layouts, numbers, periods, tables, text
from dagster_project.intake.workbooks import WorkbookProcess
from dagster_project.settings import Settings, printable

T = TypeVar("T")

READER_VERSION = "4"
UNFINISHED = ".unfinished"  # how the name of a file ends while it is written
AT_ONCE = 2  # files read or written side by side
BATCH = 16_000_000  # bytes of files whose cells are parsed together while the next are read; most refreshes read less
MANY_ROWS = 4_000  # of a ledger file: from here on the writer's look-ups cost more than looking what is the same throughout
IGNORED_FILES = frozenset({".DS_Store", "Thumbs.db", ".gitkeep"})
_ARROW_SCHEMA = "ARROW:schema"


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
    candidates: str = ""  # hash of the layouts that were tried, in order: another one, or an order, may read the file differently

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


def write_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """A file of the ledger, whole or not at all: written beside its place and renamed. ``write`` is given where; a killed one is swept away."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=UNFINISHED)
    os.close(descriptor)
    try:
        write(Path(name))
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _sweep(settings: Settings) -> None:
    """Away with what a reader that was killed left unfinished; whoever reads holds the refresh's lock."""
    for unfinished in settings.ledger.rglob(f".*{UNFINISHED}"):
        unfinished.unlink(missing_ok=True)


def _side_by_side(tasks: Iterable[Callable[[], T]]) -> Iterator[T]:
    """The results of tasks in their order, the next ones under way meanwhile: polars and hashing hold nobody up."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        begun: deque[Future[T]] = deque()
        for task in tasks:
            begun.append(pool.submit(task))
            if len(begun) > AT_ONCE:
                yield begun.popleft().result()
        while begun:
            yield begun.popleft().result()


def _save_manifest(settings: Settings, entries: Iterable[Entry]) -> None:
    rows = {"files": [vars(entry) for entry in sorted(entries, key=lambda entry: entry.file)]}
    body = json.dumps(rows, ensure_ascii=False, indent=1)
    write_atomically(manifest_path(settings), lambda path: path.write_text(body, encoding="utf-8"))


def raw_files(settings: Settings, source_id: str | None = None) -> list[Path]:
    """Data files under ``raw/<source>/files``, links out of ``raw/`` left out (they are reported by the reader)."""
    pattern = f"{source_id or '*'}/files/**/*"
    found = (path for path in settings.raw.glob(pattern) if path.is_file() or path.is_symlink())
    return sorted(path for path in found if path.name not in IGNORED_FILES and not path.name.startswith((".", "~$")))


def source_ids(settings: Settings) -> list[str]:
    """Folders under ``raw/`` that describe a source."""
    return sorted(path.parent.name for path in settings.raw.glob("*/source.yml"))


def _described(settings: Settings, source_id: str) -> dict[str, tuple[str, date | None]]:
    """By file name, what publications.csv says of it: the layout, if it names one, and the day by which it was public."""
    path = settings.raw / source_id / "publications.csv"
    if not path.is_file():
        return {}
    frame = pl.read_csv(path, infer_schema=False)
    if not {"file", "layout"} <= set(frame.columns):
        raise layouts.LayoutError(f"{layouts.shown(path)}: columns `file` and `layout` are needed")
    day = pl.col("known_by") if "known_by" in frame.columns else pl.lit(None, pl.String)
    rows = frame.select(pl.col("file").fill_null(""), pl.col("layout").fill_null(""), day.str.to_date("%Y-%m-%d", strict=False)).iter_rows()
    return {file: (layout, known_by) for file, layout, known_by in rows}


@dataclass
class _Pending:
    entry: Entry
    located: cells.Located


class _SourceReader:
    """Reads files of one source; a broken source description refuses that source's files and no others."""

    def __init__(self, settings: Settings, source_id: str) -> None:
        self.problem = ""
        self.missing_marks: dict[str, str] = {}
        try:
            source = layouts.read_source(settings.raw / source_id / "source.yml")
            self.missing_marks = source.missing_marks
            self.layouts = layouts.find_layouts(settings.raw, source)
            self.described = _described(settings, source_id)
        except (layouts.LayoutError, OSError) as error:
            self.problem = str(error)

    def candidates(self, path: Path) -> list[tuple[layouts.Layout, str]]:
        """The layouts to try on a file: the one that publications.csv names, else those whose name pattern and days of validity fit, in order."""
        name, known_by = self.described.get(path.name, ("", None))
        if name:
            fitting = [name] if name in self.layouts else []
        else:
            fitting = [key for key, (layout, _) in self.layouts.items() if any(path.match(p) for p in layout.files) and layout.holds_on(known_by)]
        if not fitting:
            raise tables.UnreadableFile(
                "layout",
                f"no layout {name or 'that fits the name'}: this source has {', '.join(self.layouts)}; name one in publications.csv",
            )
        return [self.layouts[key] for key in fitting]


def locate_with(candidates: list[tuple[layouts.Layout, str]], book: tables.Book) -> tuple[str, cells.Located]:
    """The first layout whose headings a book has: its hash, and where its tables stand. Raises the mismatch that comes nearest."""
    nearest: tables.UnreadableFile | None = None
    for layout, layout_hash in candidates:
        try:
            return layout_hash, cells.locate(layout, book)
        except tables.UnreadableFile as problem:
            score = problem.score if isinstance(problem, cells.HeaderMismatch) else -1.0
            if nearest is None or score > (nearest.score if isinstance(nearest, cells.HeaderMismatch) else -1.0):
                nearest = problem
    assert nearest is not None
    raise nearest


def _hash_of(candidates: list[tuple[layouts.Layout, str]], chosen: str) -> str:
    """Of the layouts that were tried until one fitted: a change further down changes nothing."""
    tried = [f"{layout.layout}:{layout_hash}" for layout, layout_hash in candidates]
    names = [layout.layout for layout, _hash in candidates]
    return hashlib.sha256(" ".join(tried[: names.index(chosen) + 1] if chosen in names else tried).encode()).hexdigest()[:12]


def parse_cells(frame: pl.DataFrame, entries: Sequence[Entry], marks: Mapping[str, Mapping[str, str]]) -> pl.DataFrame:
    """All new cells at once; each distinct text is parsed once. ``cells.FILE`` is a cell's place in ``entries``."""
    commas = numbers.with_decimal_comma(frame.select(cells.FILE, "value_text"), cells.FILE)
    # What a mark means is the source's own matter: 0 or x is a figure in one and a blank in another.
    manners = {at: (at in commas, json.dumps(sorted(marks.get(entry.source_id, {}).items()))) for at, entry in enumerate(entries)}
    known = list(dict.fromkeys(manners.values())) or [(False, "[]")]
    described = {
        "source_id": [entry.source_id for entry in entries],
        "publication_id": [entry.publication_id for entry in entries],
        "file": [entry.file for entry in entries],
        "layout": [entry.layout for entry in entries],
        "manner": [known.index(manners[at]) for at in range(len(entries))],
    }
    of_file = pl.DataFrame(described, schema={**dict.fromkeys(described, pl.String()), "manner": pl.UInt32()}).with_row_index(cells.FILE)
    frame = frame.join(of_file, on=cells.FILE, how="left", maintain_order="left")
    parsed = pl.concat(
        numbers.parse_numbers(
            (frame if len(known) == 1 else frame.filter(pl.col("manner") == at))["value_text"],
            decimal_comma=comma,
            missing_marks=dict(json.loads(meaning)),
        ).with_columns(pl.lit(at, pl.UInt32).alias("manner"))
        for at, (comma, meaning) in enumerate(known)
    )
    keys = ["value_text", "manner"]
    if len(known) == 1:  # polars joins one key far faster than two
        keys, parsed = ["value_text"], parsed.drop("manner")
    frame = frame.join(parsed, on=keys, how="left", nulls_equal=True, maintain_order="left").join(
        periods.parse_periods(frame["period_text"]), on="period_text", how="left", nulls_equal=True, maintain_order="left"
    )
    frame = _column_precision(periods.placed(frame))
    unit = pl.when(pl.col("unit_text") == "").then(pl.col("unit_in_text").fill_null("")).otherwise("unit_text")
    return _with_keys(
        frame.with_columns(unit.alias("unit")),
        label_key=("indicator_text", lambda texts: text.label_key(text.without_footnotes(texts))),
        area_key=("area_text", lambda texts: text.label_key(text.without_footnotes(texts))),
        unit_key=("unit", text.unit_key),
        base_unit_key=("base_unit_text", text.unit_key),
    ).drop("manner", "unit")


def _with_keys(frame: pl.DataFrame, **keys: tuple[str, Callable[[pl.Series], pl.Series]]) -> pl.DataFrame:
    """Columns computed from another's distinct texts."""
    for name, (column, spelled) in keys.items():
        distinct = frame[column].unique()
        spelt = spelled(distinct)
        same = spelt.eq_missing(distinct).all()  # most tables are printed as they are looked up
        key = pl.col(column) if same else pl.col(column).replace_strict(distinct, spelt, return_dtype=pl.String)
        frame = frame.with_columns(key.alias(name))
    return frame


def no_cells() -> pl.DataFrame:
    """A ledger file without rows: what the columns are, for a warehouse that has read nothing yet."""
    return parse_cells(pl.DataFrame(schema={cells.FILE: pl.UInt32(), **cells.CELL_SCHEMA}), [], {}).drop(cells.FILE)


def parsed(reading: cells.Reading, missing_marks: dict[str, str]) -> pl.DataFrame:
    """A reading's cells as the ledger would hold them, without a file: numbers, periods and keys parsed."""
    entry = Entry("", "", 0, 0, "", "", "", READER_VERSION, "", "", "read", "", "", 0, 0)
    frame = reading.cells.select(pl.lit(0, pl.UInt32).alias(cells.FILE), pl.all())
    return parse_cells(frame, [entry], {"": missing_marks}).drop(cells.FILE)


def no_notes() -> pl.DataFrame:
    """A file without notes."""
    return pl.DataFrame(schema={**cells.NOTE_SCHEMA, "file": pl.String})


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


def _read_file(settings: Settings, reader: _SourceReader, path: Path, entry: Entry, data: bytes, process: WorkbookProcess) -> _Pending | Entry:
    if reader.problem:
        return _refused(entry, "source", reader.problem)
    try:
        candidates = reader.candidates(path)
        layout_hash, located = locate_with(candidates, tables.read_book(data, settings.limits, process))
    except tables.UnreadableFile as problem:
        return _refused(entry, problem.code, str(problem))
    name = located.layout.layout
    return _Pending(replace(entry, layout=name, layout_hash=layout_hash, candidates=_hash_of(candidates, name)), located)


def _unforeseen(entry: Entry, error: Exception) -> Entry:
    return _refused(entry, "unforeseen", f"the reader failed on it ({type(error).__name__}): please report the file")


def _read_together(pending: Sequence[_Pending]) -> tuple[list[_Pending], pl.DataFrame, pl.DataFrame, list[Entry]]:
    """The files that could be read, their cells and notes, and the refused: where our own code fails on one, it alone is left out."""
    refused: list[Entry] = []
    good = list(pending)
    try:
        frame, notes = cells.read_together([item.located for item in good])
    except Exception:
        for item in pending:
            try:
                cells.read_together([item.located])
            except Exception as error:
                good.remove(item)
                refused.append(_unforeseen(item.entry, error))
        if not refused:
            raise
        frame, notes = cells.read_together([item.located for item in good])
    return good, frame, notes, refused


def _written(settings: Settings, pending: Sequence[_Pending], marks: Mapping[str, Mapping[str, str]]) -> list[Entry]:
    """Reads what was looked through and writes a ledger file for each; gives their entries, read or refused."""
    good, frame, notes, entries = _read_together(pending)
    frame = parse_cells(frame, [item.entry for item in good], marks)
    accepted = pl.col("number_status").is_in(["number", "ratio"]).sum()
    counts = {at: (rows, numbers) for at, rows, numbers in frame.group_by(cells.FILE).agg(pl.len(), accepted.alias("numbers")).iter_rows()}
    files = pl.Series([item.entry.file for item in good], dtype=pl.String)
    notes = notes.with_columns(files.gather(notes[cells.FILE]).alias("file"))
    noted = dict(notes.group_by(cells.FILE).len().iter_rows())
    frame, notes = frame.drop(cells.FILE), notes.drop(cells.FILE)
    first = first_note = 0
    writing: list[Callable[[], None]] = []
    for at, item in enumerate(good):
        rows_noted = noted.get(at, 0)
        own_notes = notes.slice(first_note, rows_noted)
        first_note += rows_noted
        if at not in counts:
            entries.append(_refused(item.entry, "no_cells", "the header is there but no row follows it"))
            continue
        rows, accepted_numbers = counts[at]
        name = ledger_name(item.entry)
        for folder, part in (("cells", frame.slice(first, rows)), ("notes", own_notes)):
            if part.height:
                writing.append(partial(write_atomically, settings.ledger / folder / name, partial(_write, part)))
        entries.append(replace(item.entry, ledger=name, cells=rows, numbers=accepted_numbers))
        first += rows
    list(_side_by_side(writing))  # what fails is raised here
    return entries


def _write(frame: pl.DataFrame, path: Path) -> None:
    """A ledger file is read whole: it has no statistics. Its texts are texts to every reader, however they were held when written."""
    if frame.height < MANY_ROWS:
        frame.write_parquet(path, statistics=False)
    else:
        _said_once(frame).write_parquet(path, statistics=False, metadata={_ARROW_SCHEMA: _arrow_schema(tuple(frame.schema.items()))})


def _said_once(frame: pl.DataFrame) -> pl.DataFrame:
    """Columns that hold one text throughout, with that as their whole dictionary: else the writer looks each of their rows up."""
    texts = pl.col(pl.String)
    firsts = frame.select(texts.first()).row(0, named=True)
    same = frame.select(texts.eq_missing(texts.first()).all()).row(0, named=True)
    whole = {name: pl.Enum([] if text is None else [text]) for name, text in firsts.items() if same[name]}
    return frame.with_columns(pl.lit(firsts[name], kind).alias(name) for name, kind in whole.items())


@cache
def _arrow_schema(columns: tuple[tuple[str, pl.DataType], ...]) -> str:
    """What Parquet says of these columns to Arrow's readers."""
    empty = io.BytesIO()
    pl.DataFrame(schema=columns).write_parquet(empty)
    empty.seek(0)
    return pl.read_parquet_metadata(empty)[_ARROW_SCHEMA]


def ledger_name(entry: Entry) -> str:
    """Content, layout, reader and place: a file's own name may be longer than a file system allows."""
    return f"{entry.sha256[:16]}-{entry.layout_hash}-{READER_VERSION}-{hashlib.sha256(entry.file.encode()).hexdigest()[:12]}.parquet"


def _leads_out(path: Path, raw: Path) -> bool:
    try:
        return not path.resolve().is_relative_to(raw.resolve()) or (path.is_symlink() and not path.exists())
    except (OSError, RuntimeError):  # a link that leads to itself
        return True


def _outcome(
    settings: Settings, reader: _SourceReader, path: Path, blank: Entry, known: Entry | None, first_recorded: Mapping[str, str], process: WorkbookProcess
) -> _Pending | Entry:  # fmt: skip
    """What a file gives: cells to parse, a refusal, or the known entry where nothing has changed. Raises nothing: one bad file is one refusal."""
    try:
        return _looked_at(settings, reader, path, blank, known, first_recorded, process)
    except OSError as error:
        return _refused(blank, "unreadable", f"the system does not let it be read: {error.strerror or type(error).__name__}")
    except Exception as error:  # whatever a file does to our own code, the others are read
        return _unforeseen(blank, error)


def _looked_at(
    settings: Settings, reader: _SourceReader, path: Path, blank: Entry, known: Entry | None, first_recorded: Mapping[str, str], process: WorkbookProcess
) -> _Pending | Entry:  # fmt: skip
    if _leads_out(path, settings.raw):
        return _refused(blank, "link", "a link that leads out of raw/ or nowhere: put the file itself here")
    if not path.is_file():
        return _refused(blank, "no_file", "a folder or a device and no file: put the files themselves here")
    stat = path.stat()
    blank = replace(blank, size=stat.st_size, mtime_ns=stat.st_mtime_ns)
    if stat.st_size > settings.limits.file_bytes:
        return _refused(blank, "size", f"{stat.st_size} bytes: over the limit of {settings.limits.file_bytes}")
    current = known is not None and not reader.problem and _current(settings, known, reader, path)
    if known and current and (known.size, known.mtime_ns) == (stat.st_size, stat.st_mtime_ns):
        return replace(known, vanished_at="")
    data = path.read_bytes()
    sha256 = hashlib.sha256(data).hexdigest()
    if known and current and known.sha256 == sha256:
        return replace(known, size=blank.size, mtime_ns=blank.mtime_ns, vanished_at="")
    return _read_file(settings, reader, path, replace(blank, sha256=sha256, recorded_at=first_recorded.get(sha256, blank.recorded_at)), data, process)


def refresh_ledger(settings: Settings, sources: Iterable[str] | None = None, now: datetime | None = None) -> Intake:
    """Read what is new under ``raw/``; a bad file refuses itself and nothing else. Returns what was done.

    A file whose size and time are as before is not opened; one whose bytes, layout and reader are as before is not read.
    """
    moment = (now or datetime.now(UTC)).isoformat(timespec="seconds")
    _sweep(settings)
    before = load_manifest(settings)
    after = dict(before)
    wanted = list(sources) if sources is not None else source_ids(settings)
    pending: list[_Pending] = []
    refused: list[Entry] = []
    unchanged = 0
    seen: set[str] = set()
    marks: dict[str, dict[str, str]] = {}
    first_recorded = {entry.sha256: entry.recorded_at for entry in sorted(before.values(), key=lambda e: e.recorded_at, reverse=True)}
    # A publication's id is its file's name: the first to have it keeps it.
    owners = {entry.publication_id: entry.file for entry in before.values() if entry.ledger}

    def files(process: WorkbookProcess) -> Iterator[Callable[[], _Pending | Entry]]:
        for source_id in wanted:
            reader = _SourceReader(settings, source_id)
            marks[source_id] = reader.missing_marks
            for path in raw_files(settings, source_id):
                file = printable(path.relative_to(settings.raw))
                seen.add(file)
                blank = Entry(source_id, file, 0, 0, "", "", "", READER_VERSION, "", moment, "read", "", "", 0, 0)
                owner = owners.setdefault(blank.publication_id, file)
                if owner == file:
                    yield partial(_outcome, settings, reader, path, blank, before.get(file), first_recorded, process)
                else:
                    message = (
                        f"another file, {owner}, has the same name before the dot, which is the publication's id: give this one a name of its own"
                    )
                    yield partial(_refused, blank, "same_id", message)

    batches: list[Future[list[Entry]]] = []

    def hand_over() -> None:
        batches.append(writer.submit(_written, settings, pending.copy(), marks))
        pending.clear()

    with ThreadPoolExecutor(AT_ONCE) as writer:
        with WorkbookProcess(settings.limits) as process:
            for outcome in _side_by_side(files(process)):
                if isinstance(outcome, _Pending):
                    pending.append(outcome)
                    if sum(item.entry.size for item in pending) >= BATCH:
                        hand_over()
                elif outcome.status == "refused":
                    refused.append(outcome)
                else:
                    unchanged += 1
                    after[outcome.file] = outcome
        if pending:
            hand_over()
    read: list[Entry] = []
    for entry in (entry for batch in batches for entry in batch.result()):
        (refused if entry.status == "refused" else read).append(entry)
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
        same = known.candidates == _hash_of(reader.candidates(path), known.layout)
    except tables.UnreadableFile:
        return False
    return same and (settings.ledger / "cells" / known.ledger).is_file()
