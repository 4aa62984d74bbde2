"""Great Expectations as data: the suites under ``expectations/``, run on the rows just read and on the release candidate.

Belongs here: the grammar of a suite, running suites on pandas frames, and the process that does it beside the refresh
(importing Great Expectations takes seconds). Does not belong here: what is expected, which is YAML; what follows from a
failure, which is the refresh's business; any check inside the warehouse, which is dbt's.
"""

from __future__ import annotations

import atexit
import gc
import json
import logging
import os
import signal
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from multiprocessing import connection, get_context, parent_process
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from dagster_project.settings import Settings, quoted

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

    from dagster_project.intake.ledger import Entry

EXAMPLES = 5
PART = 200_000  # rows in memory at once before their texts are numbered
FEW = 0.1  # distinct texts a row up to which a column is taken for one of a code list
NOTHING_ZH, NOTHING_EN = "本次没有新读入的行，无需检查", "nothing was read this time, so there is nothing to check"

REHEARSAL = {
    "suite": "rehearsal", "table": "one_row", "query": "select 1 as number, 'one' as word", "description": {"zh": "预演", "en": "Rehearsal"},
    "expectations": [
        {"id": column, "type": "expect_column_values_to_not_be_null", "kwargs": {"column": column}, "severity": "warning", "owner": "nobody",
         "why_zh": "预演", "why_en": "Rehearsal"}
        for column in ("number", "word")
    ],
}  # fmt: skip

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the same YAML, ten times faster


class SuiteError(ValueError):
    """A suite that can't be used: which file, which key, and what was expected."""


class WorkerDied(RuntimeError):
    """The process that runs Great Expectations ended before it answered."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Described(_Strict):
    """The same sentence in both languages."""

    zh: str = Field(min_length=1)
    en: str = Field(min_length=1)


class Expected(_Strict):
    """One expectation: ``type`` is a Great Expectations class in snake case, ``kwargs`` are its own arguments."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    type: str = Field(pattern=r"^(expect_[a-z0-9_]+|unexpected_rows_expectation)$")
    kwargs: dict[str, Any] = {}
    severity: Literal["critical", "warning"]
    owner: str = Field(min_length=1)
    why_zh: str = Field(min_length=1)
    why_en: str = Field(min_length=1)


class Suite(_Strict):
    """Expectations on one frame. ``query`` says which columns of ``table`` are needed: a wide frame costs time and memory."""

    suite: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    table: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    description: Described
    query: str = Field(min_length=1)
    expectations: tuple[Expected, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _ids_are_unique(self) -> Suite:
        ids = [item.id for item in self.expectations]
        twice = sorted({name for name in ids if ids.count(name) > 1})
        if twice:
            raise ValueError(f"ids used twice: {', '.join(twice)}")
        return self


@dataclass(frozen=True)
class CheckRow:
    """What one check found, an expectation or a dbt data test: both are kept as rows of the release.

    ``success`` is None where it could not be told: ``error`` then says why, or there was nothing to check.
    """

    check_id: str
    suite: str
    table: str
    kind: str
    severity: str
    success: bool | None
    observed: str
    unexpected_count: int
    message_zh: str
    message_en: str
    owner: str
    seconds: float
    error: str

    @property
    def status(self) -> str:
        """``pass``, ``fail``, ``error`` (the expectation itself broke) or ``skipped``."""
        if self.success is None:
            return "error" if self.error else "skipped"
        return "pass" if self.success else "fail"

    @property
    def blocks(self) -> bool:
        """An invariant that fails, or that nobody could test, keeps the last release up."""
        return self.severity == "critical" and self.status in ("fail", "error")


@dataclass(frozen=True)
class Source:
    """Where a suite's query runs: a database file (read-only), or memory with ``relation`` shown under the table's name."""

    database: str = ""
    relation: str = ""


def read_suites(folder: Path) -> tuple[Suite, ...]:
    """The suites of a folder, by file name. Raises :class:`SuiteError`."""
    found = []
    for path in sorted(folder.glob("*.yml")):
        try:
            found.append(Suite.model_validate(yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER)))
        except (ValidationError, yaml.YAMLError) as error:
            raise SuiteError(f"{folder.name}/{path.name}: {error}") from error
    for field, names in (("suite", [item.suite for item in found]), ("table", [item.table for item in found])):
        if len(set(names)) < len(names):
            raise SuiteError(f"{folder.name}: two suites share a `{field}`: {', '.join(sorted(names))}")
    return tuple(found)


def intake_sources(settings: Settings, read: Iterable[Entry]) -> dict[str, Source]:
    """The ledger files this run wrote and the manifest's word on them; empty where nothing was read."""
    entries = [entry for entry in read if entry.ledger]
    if not entries:
        return {}
    cells = _list(sorted({str(settings.ledger / "cells" / entry.ledger) for entry in entries}))
    manifest = _text(str(settings.ledger / "manifest.json"))
    files = f"(select unnest(files, recursive := true) from read_json({manifest}, maximum_object_size = 1073741824))"
    return {
        "cells": Source(relation=f"read_parquet({cells}, union_by_name = true)"),
        "files": Source(relation=f"(select * from {files} where list_contains({_list(entry.file for entry in entries)}, file))"),
    }


def release_sources(settings: Settings) -> dict[str, Source]:
    """Every release suite looks at the candidate file itself."""
    return {suite.table: Source(database=str(settings.candidate)) for suite in read_suites(settings.expectations / "release")}


def _text(value: str) -> str:
    return f"'{quoted(value)}'"


def _list(values: Iterable[str]) -> str:
    return "[" + ", ".join(_text(value) for value in values) + "]"


def _opened(database: str) -> duckdb.DuckDBPyConnection:
    """A file to be read, or memory where there is none."""
    import duckdb

    connection = duckdb.connect(database or ":memory:", read_only=bool(database))
    connection.execute("set enable_progress_bar = false")
    return connection


def load_frame(suite: Suite, source: Source, connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """The frame of a suite. Through polars: DuckDB's own way to pandas makes a Python object of every text.

    A column of few texts becomes a categorical: its rows are small numbers, which are hashed, copied and compared as such. Rows come in
    parts, so that the texts themselves are never all in memory.
    """
    import polars as pl

    if source.relation:
        connection.execute(f'create temp view "{suite.table}" as select * from {source.relation}')
    relation = connection.sql(suite.query)
    few: list[str] = []
    found: pl.DataFrame | None = None
    for batch in relation.to_arrow_reader(PART):
        part = pl.DataFrame(batch)
        if found is None:
            few = [column.name for column in part if column.dtype == pl.String and column.n_unique() <= part.height * FEW]
        part = part.with_columns(pl.col(few).cast(pl.Categorical))
        found = part if found is None else found.extend(part)  # copied: a column of a part would keep all of it in memory
    return (relation.pl() if found is None else found).to_pandas()


def not_run(suites: Iterable[Suite], error: str = "") -> list[CheckRow]:
    """A row for each expectation of suites that were not run: for want of rows, or because of ``error``."""
    zh, en = (f"无法检查：{error}", f"could not be checked: {error}") if error else (NOTHING_ZH, NOTHING_EN)
    return [_row(suite, item, None, error=error, message=(zh, en)) for suite in suites for item in suite.expectations]


def _row(
    suite: Suite,
    item: Expected,
    success: bool | None,
    *,
    observed: str = "",
    unexpected: int = 0,
    seconds: float = 0.0,
    error: str = "",
    message: tuple[str, str],
) -> CheckRow:
    return CheckRow(
        check_id=f"{suite.suite}.{item.id}", suite=suite.suite, table=suite.table, kind="expectation", severity=item.severity,
        success=success, observed=observed, unexpected_count=unexpected, message_zh=message[0], message_en=message[1],
        owner=item.owner, seconds=round(seconds, 4), error=error,
    )  # fmt: skip


def run_suites(folder: Path, frames: Mapping[str, pd.DataFrame]) -> list[CheckRow]:
    """Run every suite of a folder on the frame of its table. A broken expectation is a row with an error, never an exception."""
    rows: list[CheckRow] = []
    for suite in read_suites(folder):
        if suite.table in frames:
            rows += _run_suite(suite, frames[suite.table])
        else:
            rows += not_run([suite], f"there is no table `{suite.table}` to check")
    return rows


def run_sources(folder: Path, sources: Mapping[str, Source]) -> list[CheckRow]:
    """As :func:`run_suites`, one frame in memory at a time. No sources at all: nothing was read, every check is skipped."""
    suites = read_suites(folder)
    if not sources:
        return not_run(suites)
    rows: list[CheckRow] = []
    with ExitStack() as until_the_end:
        connect = cache(lambda database: until_the_end.enter_context(_opened(database)))  # opening a file takes longer than most frames
        for suite in suites:
            try:
                source = sources[suite.table]
                frame = load_frame(suite, source, connect(source.database))
            except Exception as error:
                rows += not_run([suite], f"table `{suite.table}`: {error}")
            else:
                rows += _run_suite(suite, frame)
    return rows


def _great_expectations() -> Any:
    """The library, imported late; analytics and its chatter off."""
    os.environ.update({"GX_ANALYTICS_ENABLED": "false", "DO_NOT_TRACK": "1"})
    gc.disable()  # thousands of classes are made, none of them garbage: looking for it takes a sixth of the import
    try:
        import great_expectations as gx
    finally:
        gc.freeze()
        gc.enable()
    # It logs each broken metric at length; the same text is in the result, where a person finds it.
    logging.getLogger("great_expectations").setLevel(logging.CRITICAL)
    return gx


@cache
def _any_frame() -> Any:
    """The batch definition that every frame is handed to: one for all, since a context writes itself down with each change."""
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context = _great_expectations().get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    return context.data_sources.add_pandas("frames").add_dataframe_asset("frame").add_batch_definition_whole_dataframe("whole")


def _run_suite(suite: Suite, frame: pd.DataFrame) -> list[CheckRow]:
    rows: dict[str, CheckRow] = {}
    built: dict[str, Any] = {}
    for item in suite.expectations:
        try:
            built[item.id] = _expectation(item)
        except Exception as error:
            rows[item.id] = _broken(suite, item, f"{type(error).__name__}: {error}")
    for columns, items in _looks(suite, frame):
        batch = _any_frame().get_batch({"dataframe": frame[columns]})
        rows |= _validated(batch, suite, [(item, built[item.id]) for item in items if item.id in built], len(frame))
    return [rows[item.id] for item in suite.expectations]


def _expectation(item: Expected) -> Any:
    """The expectation as Great Expectations has it. Raises where it knows no such class or argument."""
    kind = getattr(_great_expectations().expectations, "".join(part.title() for part in item.type.split("_")))
    return kind(**item.kwargs, severity=item.severity, meta={"id": item.id})


def _named(value: Any) -> Iterator[str]:
    """Every text among the arguments of an expectation: the columns that it reads are among them."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list | tuple):
        for part in value.values() if isinstance(value, Mapping) else value:
            yield from _named(part)


def _looks(suite: Suite, frame: pd.DataFrame) -> list[tuple[list[str], list[Expected]]]:
    """The expectations by what they look at, each group with the columns that it reads: every group is one batch.

    Great Expectations hashes the frame of a batch, and each metric that leaves rows out (a condition, pairs and keys with a part missing)
    copies it: so those have frames of their few columns, and only what looks at every row of a single column has the wide one.
    """
    groups: dict[str, list[Expected]] = {}
    for item in suite.expectations:
        several = len({*_named([item.kwargs.get(key) for key in ("column_A", "column_B", "column_list")])}) > 1
        groups.setdefault(json.dumps([several, item.kwargs.get("row_condition")], default=str), []).append(item)
    read = [({*_named([item.kwargs for item in items])}, items) for items in groups.values()]
    return [([name for name in frame.columns if name in named] or list(frame.columns), items) for named, items in read]


def _validated(batch: Any, suite: Suite, items: Sequence[tuple[Expected, Any]], rows: int) -> dict[str, CheckRow]:
    """What a batch says to expectations that share it; the seconds are shared too, since it computes their metrics together."""
    if not items:
        return {}
    started = time.perf_counter()
    try:
        together = _great_expectations().ExpectationSuite(suite.suite, expectations=[expectation for _item, expectation in items])
        results = {result.expectation_config.meta["id"]: result for result in batch.validate(together, result_format="SUMMARY").results}
    except Exception as error:
        return {item.id: _broken(suite, item, f"{type(error).__name__}: {error}") for item, _expectation in items}
    seconds = (time.perf_counter() - started) / len(items)
    return {item.id: _told(suite, item, results[item.id], rows, seconds) for item, _expectation in items}


def _told(suite: Suite, item: Expected, result: Any, rows: int, seconds: float) -> CheckRow:
    problem = _raised(result.exception_info)
    if problem:
        return _broken(suite, item, problem, seconds)
    found = result.result or {}
    unexpected = int(found.get("unexpected_count") or 0)
    if "observed_value" in found:
        observed = str(found["observed_value"])
    else:
        listed = found.get("partial_unexpected_list", []) if unexpected else []
        observed = ", ".join(list(dict.fromkeys(_printed(value) for value in listed))[:EXAMPLES])
    examples = _shorten(observed)
    if result.success:
        message = (item.why_zh, item.why_en)
    else:
        counted_zh = f"{unexpected}/{rows} 行不符" if unexpected else "不符"
        counted_en = f"{unexpected} of {rows} rows break it" if unexpected else "broken"
        message = (f"{item.why_zh}（{counted_zh}：{examples}）", f"{item.why_en} ({counted_en}: {examples})")
    return _row(suite, item, bool(result.success), observed=examples, unexpected=unexpected, seconds=seconds, message=message)


def _printed(value: Any) -> str:
    return " / ".join(map(str, value)) if isinstance(value, tuple | list) else str(value)


def _shorten(text: str, limit: int = 200) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _broken(suite: Suite, item: Expected, problem: str, seconds: float = 0.0) -> CheckRow:
    message = (f"检查本身出错：{problem}", f"the check itself broke: {problem}")
    return _row(suite, item, None, seconds=seconds, error=problem, message=message)


def _raised(info: Mapping[str, Any] | None) -> str:
    """Great Expectations reports an exception as a failure; its text is flat, or one entry a metric."""
    if not info:
        return ""
    entries = [info] if "raised_exception" in info else [entry for entry in info.values() if isinstance(entry, Mapping)]
    raised = [entry for entry in entries if entry.get("raised_exception", True)]
    messages = [str(entry.get("exception_message") or "an exception without a message") for entry in raised]
    return "; ".join(dict.fromkeys(messages))


# --- the process beside the refresh ---------------------------------------------------------------------------


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


def _begin() -> None:
    """Before the worker waits for its first job: no life without the parent, no keyboard interrupts (the parent has them).

    At the end the process just ends: taking all its modules apart would keep the refresh waiting for a second.
    """
    threading.Thread(target=_end_with_parent, daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    atexit.register(os._exit, 0)


def _warm() -> None:
    """First job of the worker: the slow import, and a row checked for nothing.

    So what is set up at the first check is there while the refresh has other work.
    """
    _great_expectations()
    rehearsal = Suite.model_validate(REHEARSAL)
    with _opened("") as memory:
        _run_suite(rehearsal, load_frame(rehearsal, Source(), memory))


class ExpectationWorker:
    """One process that imports Great Expectations while the refresh reads files and runs dbt, then runs suites.

    A worker that dies (memory, a signal) makes the futures it owed raise :class:`WorkerDied`; the next ``submit`` starts
    another. Use it as a context manager.
    """

    def __init__(self) -> None:
        self._pool: ProcessPoolExecutor | None = self._start()

    @staticmethod
    def _start() -> ProcessPoolExecutor:
        # Spawned: a fork would copy the locks of DuckDB's, polars' and dbt's threads.
        # The worker holds both ends of its queue, so a parent that dies leaves it waiting unless it watches from the start, before any job.
        pool = ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn"), initializer=_begin)
        pool.submit(_warm)
        return pool

    def submit(self, folder: Path, sources: Mapping[str, Source]) -> Future[list[CheckRow]]:
        """Run a folder of suites over there. The future gives the rows, or raises :class:`WorkerDied`."""
        promise: Future[list[CheckRow]] = Future()
        promise.set_running_or_notify_cancel()

        def keep(done: Future[list[CheckRow]]) -> None:
            error = done.exception() if not done.cancelled() else WorkerDied("the checks were called off")
            if isinstance(error, BrokenProcessPool):
                dead = WorkerDied(
                    "the process that runs the expectations ended before it answered (memory, or someone ended it); "
                    "nothing was published, run the refresh again"
                )
                dead.__cause__ = error
                promise.set_exception(dead)
            elif error is not None:
                promise.set_exception(error)
            else:
                promise.set_result(done.result())

        if self._pool is None:
            raise RuntimeError("this worker was closed")
        try:
            answer = self._pool.submit(run_sources, folder, dict(sources))
        except BrokenProcessPool:
            self._pool = self._start()
            answer = self._pool.submit(run_sources, folder, dict(sources))
        answer.add_done_callback(keep)
        return promise

    def close(self) -> None:
        """End the process; checks not yet started are called off."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(wait=True, cancel_futures=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()


def blocking(rows: Sequence[CheckRow]) -> list[CheckRow]:
    """The rows that keep a release back."""
    return [row for row in rows if row.blocks]
