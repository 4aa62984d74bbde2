"""The memory of findings: which file counts, when a finding was first seen, and what an interruption leaves."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import polars as pl
import pytest

from dagster_project.release import findings
from dagster_project.release.candidate import Identity
from dagster_project.release.publish import publish
from dagster_project.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(root=tmp_path)


def build(settings: Settings, number: int, *found: str) -> Identity:
    """A candidate with these findings, not yet published."""
    settings.candidate.parent.mkdir(parents=True, exist_ok=True)
    settings.candidate.unlink(missing_ok=True)
    rows = [{"finding_id": name, "severity": "high", "values_seen": str(number), "impact": None} for name in found]
    with duckdb.connect(str(settings.candidate)) as connection:
        connection.register("incoming", pl.DataFrame(rows, schema=findings.SCHEMA))
        connection.execute("create schema marts")
        connection.execute("create table marts.findings as select *, 'open' as state from incoming")
    return Identity(f"2026010{number}T000000-abc", f"2026-01-0{number} 00:00:00", f"print {number}", "0", f"2026-01-0{number} 00:00:00")


def kept(settings: Settings) -> list[str]:
    return findings.load(settings)["finding_id"].to_list()


def test_before_the_first_release_there_is_no_memory(settings: Settings) -> None:
    assert findings.load(settings).is_empty() and findings.load(settings).schema == findings.SCHEMA
    assert findings.moment(settings, "print 1", "2026-01-01 00:00:00") == "2026-01-01 00:00:00"


def test_the_memory_is_that_of_the_release_which_readers_see(settings: Settings) -> None:
    for number, found in ((1, ("a", "b")), (2, ("b", "c"))):
        identity = build(settings, number, *found)
        findings.keep(settings, identity.release_id)
        publish(settings, identity)
        assert kept(settings) == list(found)
    # killed between keeping and the swap: the file is there, and doesn't count
    findings.keep(settings, build(settings, 3, "z").release_id)
    assert kept(settings) == ["b", "c"]
    assert sorted(path.name for path in findings.folder(settings).iterdir()) == [f"2026010{n}T000000-abc.parquet" for n in (1, 2, 3)]
    assert findings.load(settings)["values_seen"].to_list() == ["2", "2"]


def test_a_restored_ledger_without_releases_remembers(settings: Settings) -> None:
    findings.keep(settings, build(settings, 1, "a").release_id)
    findings.keep(settings, build(settings, 2, "b").release_id)
    (findings.folder(settings) / ".20260109T000000-abc.parquet.77").write_bytes(b"half")
    assert kept(settings) == ["b"]


def test_a_memory_of_other_columns_is_read_by_name(settings: Settings) -> None:
    path = findings.keep(settings, build(settings, 1, "a").release_id)
    pl.read_parquet(path).drop("suggestion_en").with_columns(pl.lit("x").alias("no_longer")).write_parquet(path)
    frame = findings.load(settings)
    assert frame.schema == findings.SCHEMA and frame["suggestion_en"].to_list() == [None]


def test_the_same_inputs_have_the_moment_of_their_first_release(settings: Settings) -> None:
    publish(settings, build(settings, 1))
    note = json.loads((settings.current / "release.json").read_text(encoding="utf-8"))
    assert note["findings_at"] == "2026-01-01 00:00:00"
    assert findings.moment(settings, "print 1", "2026-02-02 00:00:00") == "2026-01-01 00:00:00"
    assert findings.moment(settings, "print 2", "2026-02-02 00:00:00") == "2026-02-02 00:00:00"


def test_nothing_half_written_stays(settings: Settings) -> None:
    settings.candidate.parent.mkdir(parents=True)
    with duckdb.connect(str(settings.candidate)) as connection:
        connection.execute("create schema marts")
        connection.execute("create table marts.findings as select 'a' as finding_id")
    with pytest.raises(duckdb.BinderException):
        findings.keep(settings, "20260101T000000-abc")
    assert list(findings.folder(settings).iterdir()) == []
