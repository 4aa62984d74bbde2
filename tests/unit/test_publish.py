"""Publishing: readers see the old release or the new one, never something in between; the lock names who holds it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import duckdb
import pytest

from dagster_project.release import publish as publishing
from dagster_project.release.candidate import Identity
from dagster_project.release.lock import Locked, refresh_lock
from dagster_project.release.publish import publish
from dagster_project.settings import REPOSITORY, Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(root=tmp_path, keep_releases=3)


def candidate(settings: Settings, number: int) -> Identity:
    settings.candidate.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(settings.candidate)) as connection:
        connection.execute(f"create or replace table number as select {number} as n")
    settings.candidate_inputs.write_text("scratch", encoding="utf-8")
    return Identity(
        f"2026010{number}T000000-abc", "2026-01-01 00:00:00", f"print {number}", "0", "2026-01-01 00:00:00", (("raw", "a.csv", "0" * 64, 1),)
    )


def released(settings: Settings) -> int:
    with duckdb.connect(str(settings.released_database), read_only=True) as connection:
        return int(connection.sql("select n from number").fetchall()[0][0])


def test_a_release_is_where_readers_look(settings: Settings) -> None:
    folder = publish(settings, candidate(settings, 1))
    assert released(settings) == 1
    assert settings.current.is_symlink() and not settings.current.readlink().is_absolute()
    note = json.loads((folder / "release.json").read_text(encoding="utf-8"))
    assert (note["release_id"], note["fingerprint"], note["inputs"]) == (folder.name, "print 1", 1)
    assert not settings.candidate.exists() and not settings.candidate_inputs.exists()


def test_a_moved_warehouse_still_opens(settings: Settings, tmp_path: Path) -> None:
    publish(settings, candidate(settings, 1))
    settings.warehouse.rename(tmp_path / "elsewhere")
    assert (tmp_path / "elsewhere" / "current" / "fincenter.duckdb").is_file()


def test_a_published_file_can_not_be_written(settings: Settings) -> None:
    publish(settings, candidate(settings, 1))
    assert settings.released_database.stat().st_mode & 0o222 == 0


def test_an_open_reader_keeps_its_release_and_the_next_one_sees_the_new(settings: Settings) -> None:
    publish(settings, candidate(settings, 1))
    with duckdb.connect(str(settings.released_database.resolve()), read_only=True) as reader:
        publish(settings, candidate(settings, 2))
        assert reader.sql("select n from number").fetchall() == [(1,)]
        assert released(settings) == 2


def test_only_the_newest_releases_are_kept(settings: Settings) -> None:
    for number in range(1, 6):
        publish(settings, candidate(settings, number))
    assert sorted(path.name for path in settings.releases.iterdir()) == [f"2026010{number}T000000-abc" for number in (3, 4, 5)]


def test_a_folder_that_a_killed_run_left_is_cleared_away(settings: Settings) -> None:
    left = settings.releases / "20250101T000000-dead"
    left.mkdir(parents=True)
    (left / "fincenter.duckdb").write_bytes(b"half")
    publish(settings, candidate(settings, 1))
    assert not left.exists()


def test_a_candidate_that_is_still_open_is_not_published(settings: Settings) -> None:
    identity = candidate(settings, 1)
    settings.candidate.with_name(settings.candidate.name + ".wal").write_bytes(b"unfinished")
    with pytest.raises(RuntimeError, match="was not closed"):
        publish(settings, identity)
    assert not settings.current.exists()


@pytest.mark.parametrize("step", ["os.replace", "_sync", "_swap"])
def test_an_interruption_before_the_swap_leaves_the_last_release(settings: Settings, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    publish(settings, candidate(settings, 1))
    identity = candidate(settings, 2)

    def stops(*_arguments: object, **_options: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os if step == "os.replace" else publishing, step.removeprefix("os."), stops)
        with pytest.raises(KeyboardInterrupt):
            publish(settings, identity)
    assert released(settings) == 1
    publish(settings, candidate(settings, 3))
    assert released(settings) == 3


def test_the_link_is_swapped_and_never_missing(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(settings, candidate(settings, 1))
    identity = candidate(settings, 2)
    replace, seen = os.replace, []

    def watched(source: Path, target: Path) -> None:
        if target == settings.current:
            seen.append(released(settings))
        replace(source, target)

    monkeypatch.setattr(os, "replace", watched)
    publish(settings, identity)
    assert seen == [1] and released(settings) == 2, "up to the very swap readers find the old release"


def test_readers_find_a_whole_release_at_every_moment(settings: Settings) -> None:
    publish(settings, candidate(settings, 1))
    seen: list[int] = []
    failed: list[str] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            try:
                seen.append(released(settings))
            except duckdb.Error as error:
                failed.append(str(error))

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for number in range(2, 8):
            publish(settings, candidate(settings, number))
    finally:
        done.set()
        reader.join()
    assert failed == []
    assert seen == sorted(seen) and len(seen) > 1


def test_the_lock_is_free_again_after_use(settings: Settings) -> None:
    for _ in range(2):
        with refresh_lock(settings):
            pass


def test_a_second_refresh_hears_who_holds_the_lock(settings: Settings) -> None:
    with refresh_lock(settings), pytest.raises(Locked) as caught, refresh_lock(settings):
        pass
    assert f"process {os.getpid()} on " in str(caught.value) and "since 20" in str(caught.value)


def test_a_killed_holder_leaves_no_lock(settings: Settings) -> None:
    code = (
        "import sys, time; from pathlib import Path; from dagster_project.settings import Settings;"
        "from dagster_project.release.lock import refresh_lock\n"
        "with refresh_lock(Settings(root=Path(sys.argv[1]))): print('held', flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen([sys.executable, "-c", code, str(settings.root)], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None and holder.stdout.readline() == "held\n"
        with pytest.raises(Locked, match=f"process {holder.pid} on "), refresh_lock(settings):
            pass
    finally:
        holder.kill()
        holder.communicate()
    with refresh_lock(settings):
        pass
