"""The hash that decides whether anything is to be done: moved by content, by nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from dagster_project.release import fingerprint
from dagster_project.settings import REPOSITORY, Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    for name, text in {
        "raw/s/source.yml": "source_id: s", "raw/s/files/a.csv": "1,2", "raw/s/files/b.xlsx": "PK", "raw/s/publications.csv": "publication_id",
        "seeds/x/one.csv": "a,b", "seeds/properties.yml": "version: 2", "dbt/models/m.sql": "select 1", "dbt/dbt_project.yml": "name: f",
    }.items():  # fmt: skip
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return Settings(root=tmp_path)


def now(settings: Settings) -> str:
    return fingerprint.fingerprint(fingerprint.inputs(settings))


def test_the_same_inputs_give_the_same_hash(settings: Settings) -> None:
    assert now(settings) == now(settings)


@pytest.mark.parametrize(
    "name",
    ["raw/s/files/a.csv", "raw/s/files/b.xlsx", "raw/s/publications.csv", "raw/s/source.yml", "seeds/x/one.csv", "seeds/properties.yml", "dbt/models/m.sql", "dbt/dbt_project.yml"],
)  # fmt: skip
def test_a_changed_input_gives_another(settings: Settings, name: str) -> None:
    before = now(settings)
    path = settings.root / name
    path.write_text(path.read_text(encoding="utf-8") + " ", encoding="utf-8")
    assert now(settings) != before


def test_a_new_a_lost_and_a_renamed_file_give_others(settings: Settings) -> None:
    path = settings.raw / "s" / "files" / "a.csv"
    seen = [now(settings)]
    path.with_name("c.csv").write_text("3", encoding="utf-8")
    seen.append(now(settings))
    path.with_name("c.csv").rename(path.with_name("d.csv"))
    seen.append(now(settings))
    assert len(set(seen)) == 3
    path.with_name("d.csv").unlink()
    assert now(settings) == seen[0]


@pytest.mark.parametrize(
    "name", ["raw/s/files/.DS_Store", "raw/s/files/~$a.xlsx", "dbt/models/__pycache__/m.py", "seeds/x/notes.txt", "warehouse/ledger/x.parquet"]
)
def test_what_is_no_input_moves_nothing(settings: Settings, name: str) -> None:
    before = now(settings)
    path = settings.root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("x", encoding="utf-8")
    assert now(settings) == before


def test_a_files_time_moves_nothing(settings: Settings) -> None:
    before = now(settings)
    for path in settings.root.rglob("*"):
        os.utime(path, ns=(5, 5))
    assert now(settings) == before


def test_a_raw_file_is_hashed_again_only_where_size_or_time_moved(settings: Settings) -> None:
    path = settings.raw / "s" / "files" / "a.csv"
    stat = path.stat()
    row = {"file": "s/files/a.csv", "size": stat.st_size, "mtime_ns": stat.st_mtime_ns, "sha256": "from the manifest"}
    settings.ledger.mkdir(parents=True)
    (settings.ledger / "manifest.json").write_text(json.dumps({"files": [row]}), encoding="utf-8")

    def hash_now() -> str:
        return next(item.sha256 for item in fingerprint.inputs(settings) if item.path == "s/files/a.csv")

    assert hash_now() == "from the manifest"
    os.utime(path, ns=(9, 9))
    assert len(hash_now()) == 64


def test_the_code_is_an_input(settings: Settings) -> None:
    paths = {item.path for item in fingerprint.inputs(settings) if item.kind == "code"}
    assert {"settings.py", "intake/numbers.py", "release/publish.py"} <= paths
    assert not any(path.startswith("/") for path in paths)


def test_without_a_release_there_is_no_fingerprint(settings: Settings) -> None:
    assert fingerprint.released_fingerprint(settings) == ""


def test_deciding_imports_no_framework() -> None:
    code = "import dagster_project.release.fingerprint, dagster_project.release.lock, sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=REPOSITORY, check=True)
    assert not {"duckdb", "polars", "pydantic", "yaml", "dbt", "dagster", "great_expectations", "pandas"} & set(done.stdout.split())


def test_a_removed_ledger_is_something_to_do(settings: Settings) -> None:
    found = fingerprint.inputs(settings)
    release = settings.warehouse / "releases" / "one"
    release.mkdir(parents=True)
    (release / "release.json").write_text(json.dumps({"fingerprint": fingerprint.fingerprint(found)}), encoding="utf-8")
    settings.current.symlink_to(release)
    settings.ledger.mkdir(parents=True)
    manifest = settings.ledger / "manifest.json"
    manifest.write_text(json.dumps({"files": []}), encoding="utf-8")
    assert fingerprint.up_to_date(settings, found)
    manifest.unlink()
    assert not fingerprint.up_to_date(settings, found)


def test_a_term_that_ends_is_a_change_once(settings: Settings) -> None:
    path = settings.seeds / "judgement" / "acknowledgements.csv"
    path.parent.mkdir(parents=True)
    path.write_text("finding_id,until\na,2026-03-01\nb,2026-06-30\nc,\n", encoding="utf-8")

    def on(*day: int) -> str:
        return fingerprint.fingerprint(fingerprint.inputs(settings, date(*day)))

    assert on(2026, 1, 1) == on(2026, 3, 1), "the last day still counts"
    assert len({on(2026, 3, 1), on(2026, 3, 2), on(2026, 7, 1)}) == 3
    assert on(2026, 3, 2) == on(2026, 6, 30) and on(2026, 7, 1) == on(2030, 1, 1)
    (ended,) = [item for item in fingerprint.inputs(settings, date(2030, 1, 1)) if item.kind == "ended term"]
    assert (ended.path, ended.size) == ("judgement/acknowledgements.csv", 2)
