"""The main job as plain steps: read → check → build → check → publish. Dagster only calls these in order.

Belongs here: the order of the steps, what each leaves for the next, and the summary. Does not belong here: how a step works
(``intake``, ``candidate``, ``transform``, ``expectations``, ``publish``), Dagster, printing.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import duckdb
import polars as pl

from dagster_project.intake import ledger, seeds
from dagster_project.release import candidate, difference, expectations, findings, fingerprint, publish, transform
from dagster_project.release.candidate import Identity
from dagster_project.release.expectations import CheckRow, ExpectationWorker
from dagster_project.release.plan import Plan, load_plan
from dagster_project.settings import Settings

Progress = Callable[[str], None]


class Blocked(RuntimeError):
    """The candidate is not fit to publish. The last release stays up; the message names each check or model that stopped it."""


@dataclass
class Summary:
    """What a refresh did; the CLI prints it, ``--json`` dumps it."""

    release_id: str
    published: str = ""
    files_read: int = 0
    files_unchanged: int = 0
    files_refused: list[dict[str, str]] = field(default_factory=list)
    files_vanished: list[str] = field(default_factory=list)
    cells: int = 0
    accepted: int = 0
    figures: int = 0
    refused: int = 0
    other_kinds: int = 0
    new: int = 0
    revised: int = 0
    vanished: int = 0
    checks: int = 0
    findings: dict[str, int] = field(default_factory=dict)
    high_unanswered: int = 0
    high_findings: list[dict[str, str]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)


def code_version() -> str:
    """The installed version of this package."""
    try:
        return version("fincenter")
    except PackageNotFoundError:
        return "unpackaged"


def identify(settings: Settings, moment: datetime | None = None) -> Identity:
    """The identity of the release that today's inputs would give."""
    now = moment or datetime.now(UTC)
    found = fingerprint.inputs(settings, now.date())
    whole = fingerprint.fingerprint(found)
    rows = tuple((item.kind, item.path, item.sha256, item.size) for item in found)
    built_at = f"{now:%Y-%m-%d %H:%M:%S}"
    return Identity(f"{now:%Y%m%dT%H%M%S}-{whole[:8]}", built_at, whole, code_version(), findings.moment(settings, whole, built_at), rows)


class Refresh:
    """One refresh. Call the steps in order; each may raise, and nothing before :meth:`publish` touches what readers see.

    ``worker`` is one whose caller refreshes several times, and closes it.
    """

    def __init__(self, settings: Settings, progress: Progress = lambda _message: None, worker: ExpectationWorker | None = None) -> None:
        self.settings = settings
        self.progress = progress
        os.environ.update(settings.environment())
        self.worker = worker or ExpectationWorker()
        self._owns_worker = worker is None
        self.identity = identify(settings)
        self.summary = Summary(self.identity.release_id)
        self.intake: ledger.Intake | None = None
        self.results: tuple[transform.NodeResult, ...] = ()
        self.checks: list[CheckRow] = []
        self._plan: Plan | None = None
        self._intake_checks: Future[list[CheckRow]] | None = None
        self._release_checks: Future[list[CheckRow]] | None = None

    def close(self) -> None:
        """Let the expectation worker go, where it is this refresh's own."""
        if self._owns_worker:
            self.worker.close()

    @contextmanager
    def _timed(self, step: str) -> Iterator[None]:
        self.progress(step)
        started = time.perf_counter()
        try:
            yield
        finally:
            self.summary.seconds[step] = round(time.perf_counter() - started, 3)

    def plan(self) -> Plan:
        """What dbt makes of its project, compiled where that has changed. Raises :class:`dagster_project.release.plan.PlanError`."""
        if self._plan is None:
            with self._timed("plan"):
                self._plan = load_plan(self.settings)
        return self._plan

    def read(self) -> ledger.Intake:
        """Raw files → ledger. A bad file refuses itself and no other."""
        with self._timed("read"):
            intake = ledger.refresh_ledger(self.settings)
        self.intake = intake
        self.summary.files_read = len(intake.read)
        self.summary.files_unchanged = intake.unchanged
        self.summary.files_refused = [{"file": entry.file, "reason": entry.code, "message": entry.message} for entry in intake.refused]
        self.summary.files_vanished = [entry.file for entry in intake.vanished]
        return intake

    def check_seeds(self) -> None:
        """Raises :class:`dagster_project.intake.seeds.SeedError` with every fault and its line."""
        with self._timed("seeds"):
            seeds.check_seeds(self.settings)

    def start_intake_checks(self) -> None:
        """Great Expectations on the rows that this run read, in a process of its own while dbt runs here."""
        read = self.intake.read if self.intake else ()
        folder = self.settings.expectations / "intake"
        self._intake_checks = self.worker.submit(folder, expectations.intake_sources(self.settings, read))

    def check_intake(self) -> list[CheckRow]:
        """Wait for the checks on the rows read. Raises :class:`Blocked` where an invariant does not hold."""
        if self._intake_checks is None:
            self.start_intake_checks()
        assert self._intake_checks is not None
        with self._timed("expectations on intake"):
            rows = self._intake_checks.result()
        self._keep(rows)
        return rows

    def prepare(self) -> None:
        """An empty candidate, and the ledger where dbt sees it."""
        with self._timed("prepare"):
            candidate.prepare(self.settings, self.identity)

    def build(self) -> tuple[transform.NodeResult, ...]:
        """dbt: seeds, models and data tests on the candidate. Raises :class:`Blocked` where a node failed."""
        plan = self.plan()
        with self._timed("dbt"):
            cells = sum(entry.cells for entry in self.intake.entries) if self.intake else None
            outcome = transform.build(self.settings, plan, lambda node, done, of: self.progress(f"dbt {done}/{of} {node}"), cells)
        self.results = outcome.results
        self.checks += [_dbt_row(result) for result in outcome.results if result.resource_type == "test"]
        problems = [result for result in outcome.problems if result.status != "skipped"]
        if problems:
            raise Blocked("\n".join(f"{result.name}: {result.message}" for result in problems))
        return outcome.results

    def start_release_checks(self) -> None:
        """Great Expectations on the headline marts of the candidate file itself, while the build is recorded here."""
        folder = self.settings.expectations / "release"
        self._release_checks = self.worker.submit(folder, expectations.release_sources(self.settings))

    def check_release(self) -> list[CheckRow]:
        """Wait for the checks on the candidate. Raises :class:`Blocked` where an invariant does not hold."""
        if self._release_checks is None:
            self.start_release_checks()
        assert self._release_checks is not None
        with self._timed("expectations on release"):
            rows = self._release_checks.result()
        self._keep(rows)
        return rows

    def _keep(self, rows: list[CheckRow]) -> None:
        self.checks += rows
        if blocking := expectations.blocking(rows):
            raise Blocked("\n".join(f"{row.check_id}: {row.message_en}" for row in blocking))
        self.summary.warnings += [f"{row.check_id}: {row.message_en}" for row in rows if row.status in ("fail", "error")]

    def record(self) -> None:
        """Keep the checks' results as rows of the candidate, and close it for good."""
        with self._timed("record"), duckdb.connect(str(self.settings.candidate)) as connection:
            write_checks(connection, self.settings, self.checks)
            row = connection.sql("select cells, accepted, figures, refused, other_kinds from marts.release").fetchall()[0]
            self.summary.cells, self.summary.accepted, self.summary.figures, self.summary.refused, self.summary.other_kinds = map(int, row)
            self.summary.findings = findings.counts(connection)
            self.summary.high_unanswered, self.summary.high_findings = findings.unanswered(connection)
            connection.execute("checkpoint")
        self.summary.checks = len(self.checks)
        before = self.settings.released_database
        changed = difference.difference(before if before.exists() else None, self.settings.candidate, limit=1)
        self.summary.new, self.summary.revised, self.summary.vanished = changed.new, changed.revised, changed.vanished

    def publish(self) -> Path:
        """Keep the findings in the ledger, move the candidate to its place and swap the link."""
        with self._timed("publish"):
            findings.keep(self.settings, self.identity.release_id)
            folder = publish.publish(self.settings, self.identity)
        self.summary.published = str(folder)
        return folder

    def run(self) -> Summary:
        """All steps in order."""
        try:
            self.read()
            self.check_seeds()
            self.start_intake_checks()
            self.prepare()
            self.build()
            self.check_intake()
            self.check_release()
            self.record()
            self.publish()
        finally:
            self.close()
        return self.summary


def _dbt_row(result: transform.NodeResult) -> CheckRow:
    passed = {"pass": True, "fail": False, "warn": False}.get(result.status)
    return CheckRow(
        check_id=result.name, suite="dbt", table="", kind="data test", severity="warning" if result.status == "warn" else "critical",
        success=passed, observed="", unexpected_count=result.failures, message_zh=result.message, message_en=result.message,
        owner="", seconds=result.seconds, error="" if passed is not None else result.message,
    )  # fmt: skip


CHECK_COMMENTS = {
    "check_id": "检查编号。Check.", "suite": "套件。Suite.", "table": "被检查的表。Table checked.",
    "kind": "种类：数据测试或期望。Kind: dbt data test or expectation.",
    "severity": "严重程度：critical 阻止发布。Severity; critical blocks.",
    "success": "是否通过；空为出错。Passed; null means it could not run.", "observed": "所见。What was observed.",
    "unexpected_count": "不合格行数。Rows that failed.", "message_zh": "说明（中文）。Message in Chinese.",
    "message_en": "说明（英文）。Message in English.", "owner": "负责人。Owner.", "seconds": "耗时（秒）。Seconds it took.",
    "error": "未能运行的原因。Why it could not run.",
}  # fmt: skip
CHECK_SCHEMA = {
    name: {"success": pl.Boolean(), "unexpected_count": pl.Int64(), "seconds": pl.Float64()}.get(name, pl.String()) for name in CHECK_COMMENTS
}


def write_checks(connection: duckdb.DuckDBPyConnection, settings: Settings, checks: list[CheckRow]) -> None:
    """``quality.check_results``: a row a check of this build."""
    connection.execute("begin")
    connection.execute("create schema if not exists quality")
    connection.execute("drop table if exists quality.check_results")
    rows = pl.DataFrame([asdict(check) for check in checks], schema=CHECK_SCHEMA)
    candidate.write_table(connection, settings, "quality.check_results", rows)
    connection.execute("comment on table quality.check_results is '本次构建的检查结果，每项一行。Results of this build''s checks, a row each.'")
    for column, comment in CHECK_COMMENTS.items():
        connection.execute(f"comment on column quality.check_results.\"{column}\" is '{comment}'")
    connection.execute("commit")
