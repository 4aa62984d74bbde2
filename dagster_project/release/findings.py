"""The memory of findings: what the last release suspected, kept beside the ledger, and what the summary says of it.

Belongs here: the history file, the moment that a build's findings count from, and counts for the summary. Does not belong here: rules
and states (dbt: ``quality``, ``marts.findings``), the workbook (``review``).

``warehouse/ledger/findings/<release_id>.parquet`` is written once, under a temporary name, just before the release it belongs to is
swapped in. The history of a build is that of the release which readers see then, so the swap decides for both: a file whose release
was never published is not read while there is another. Old files stay; without them ``first_seen`` is lost.
"""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import polars as pl

from dagster_project.intake import ledger
from dagster_project.settings import Settings, quoted

# The contract of quality.suspicions, and when each was seen.
SCHEMA: dict[str, pl.DataType] = {
    **dict.fromkeys(("finding_id", "rule_id"), pl.String()),
    "level": pl.Int32(),
    **dict.fromkeys(
        ("severity", "ref_area", "indicator", "breakdown", "currency_scope", "transformation", "prices", "origin", "freq", "time_period", "coverage"),
        pl.String(),
    ),
    **dict.fromkeys(("period_start", "period_end"), pl.Date()),
    "vintage_no": pl.Int32(),
    **dict.fromkeys(("publication_id", "file", "sheet", "cell"), pl.String()),
    **dict.fromkeys(("observed", "expected", "lower", "upper", "score"), pl.Float64()),
    **dict.fromkeys(("suggestion_zh", "suggestion_en", "message_zh", "message_en", "values_seen"), pl.String()),
    "impact": pl.Float64(),
    **dict.fromkeys(("first_seen", "last_seen"), pl.Datetime("us")),
}
NAMED = 5  # findings that the summary of a refresh spells out


def folder(settings: Settings) -> Path:
    """Where the history files are: data to back up, like all of the ledger."""
    return settings.ledger / "findings"


def history_file(settings: Settings) -> Path | None:
    """The history of the release that readers see now; where there is none (a restored ledger), the newest."""
    own = folder(settings) / f"{settings.current.resolve().name}.parquet"
    if own.is_file():
        return own
    return max(folder(settings).glob("[!.]*.parquet"), default=None)


def load(settings: Settings) -> pl.DataFrame:
    """Every finding that the last release kept, columns as in :data:`SCHEMA`; empty before the first."""
    path = history_file(settings)
    if path is None:
        return pl.DataFrame(schema=SCHEMA)
    return pl.scan_parquet(path, schema=SCHEMA, missing_columns="insert", extra_columns="ignore").collect()


def moment(settings: Settings, fingerprint: str, built_at: str) -> str:
    """When the findings of a build count as seen: now, or where the inputs are those of the release at hand, when it was."""
    note = settings.current / "release.json"
    released = json.loads(note.read_text(encoding="utf-8")) if note.is_file() else {}
    return str(released["findings_at"]) if released.get("fingerprint") == fingerprint and "findings_at" in released else built_at


def keep(settings: Settings, release_id: str) -> Path:
    """Write the findings of the finished candidate under its release's name. Call it just before the swap."""
    target = folder(settings) / f"{release_id}.parquet"
    kept = f"select {', '.join(SCHEMA)} from marts.findings order by finding_id"
    with duckdb.connect(str(settings.candidate), read_only=True) as connection:
        ledger.write_atomically(target, lambda path: connection.execute(f"copy ({kept}) to '{quoted(path)}' (format parquet)"))
    return target


def counts(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Findings by state, in this release; those on record only, which nobody is asked about, are ``noted``."""
    state = "case when severity = 'info' and state in ('open', 'returned') then 'noted' else state end"
    return dict(connection.sql(f"select {state}, count(*)::integer from marts.findings group by 1 order by 1").fetchall())


def unanswered(connection: duckdb.DuckDBPyConnection) -> tuple[int, list[dict[str, str]]]:
    """How many high findings wait for an answer, and the first few in queue order: id, rule, state, message in both languages."""
    high = connection.sql("select finding_id, rule_id, state, message_zh, message_en, rank from marts.review_queue where severity = 'high'")
    named = high.order("rank").limit(NAMED).project("* exclude (rank)")
    return int(high.count("*").fetchall()[0][0]), [dict(zip(named.columns, row, strict=True)) for row in named.fetchall()]
