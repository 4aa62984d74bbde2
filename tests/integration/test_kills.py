"""A refresh killed at any moment leaves a whole release, and the next one finishes; two at once are one.

Belongs here: real processes and real signals on a tiny warehouse. Does not belong here: what a refresh computes.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from dagster_project.settings import REPOSITORY, Settings
from tests.helpers import command, copy_root, figures, rows, tiny_release, tiny_steps, write_source

KILLS = 10
WAIT = 60  # seconds after which a process that was killed, or its helper, is taken to hang
SEED = 20260101
IMPORTS = 2.0  # seconds before the first step begins, about
# Straight to the descriptor: what Python prints may be held back.
RUN = """\
import os, sys
from pathlib import Path
from dagster_project.release.lock import refresh_lock
from dagster_project.release.refresh import Refresh
from dagster_project.settings import Settings
settings = Settings(root=Path(sys.argv[1]))
with refresh_lock(settings):
    Refresh(settings, lambda step: os.write(1, f"step {step}\\n".encode())).run()
"""

# The helper has just been started, and has not got its first job.
BEFORE_THE_FIRST_JOB = """\
import os, signal
from dagster_project.release.expectations import ExpectationWorker
worker = ExpectationWorker()
os.kill(os.getpid(), signal.SIGKILL)
"""


def python(code: str, *arguments: str, folder: Path) -> subprocess.Popen[bytes]:
    """A process, and a process group, of its own."""
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments], cwd=folder, env={**os.environ, "PYTHONPATH": str(REPOSITORY)}, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def start(settings: Settings) -> subprocess.Popen[bytes]:
    """The pure main job under the lock; it prints each step as it begins."""
    return python(RUN, str(settings.root), folder=settings.root)


def wait_for_step(process: subprocess.Popen[bytes], number: int) -> None:
    """Until the step of that number has begun; the first is 0, and -1 is at once."""
    assert process.stdout is not None
    while number >= 0:
        line = process.stdout.readline()
        assert line, "it ended before that step"
        number -= line.startswith(b"step ")


def until(condition: Callable[[], bool], seconds: float = 30) -> bool:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def group_is_gone(process: subprocess.Popen[bytes]) -> bool:
    try:
        os.killpg(process.pid, 0)
    except ProcessLookupError:
        return True
    return False


def readable(settings: Settings) -> str:
    """The release that readers see, after asking it whether it is whole."""
    (row,) = rows(
        settings.released_database,
        "select release_id, vintages, (select count(*) from marts.observation_vintages) as held,"
        " (select count(*) from methods.as_of('2026-01-01')) as known, (select count(*) from quality.check_results) as checks from marts.release",
    )
    assert row["vintages"] == row["held"] > 0 and row["known"] > 0 and row["checks"] > 0
    assert row["release_id"] == settings.current.resolve().name
    return str(row["release_id"])


def moments(chance: random.Random, steps: list[str]) -> list[tuple[float, int]]:
    """When to kill: (seconds after the start, or after the step of that number begins). By step, so that a slow machine kills
    in the same places; the two shortest steps of all, recording and publishing, are always among them."""
    starting = [(chance.uniform(0.2, IMPORTS), -1) for _ in range(4)]
    building = [(chance.uniform(0, 0.1), chance.randrange(len(steps) * part // 4, len(steps) * (part + 1) // 4)) for part in range(4)]
    return [*starting, *building, (chance.uniform(0, 0.02), steps.index("record")), (chance.uniform(0, 0.02), steps.index("publish"))]


@dataclass(frozen=True)
class Killed:
    """What stood after each kill, and after the refresh that was let go on."""

    settings: Settings
    before: str
    after: list[str]
    codes: list[int]
    survivors: int
    last: str
    code: int


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Killed:
    here = tmp_path_factory.getbasetemp()
    settings = copy_root(tiny_release(here)[0], tmp_path_factory.mktemp("kills"))
    before = readable(settings)
    after, codes, survivors = [], [], 0
    for number, (delay, step) in enumerate(moments(random.Random(SEED), tiny_steps(here))):
        year = 2000 + number  # something new each time
        write_source(
            settings.root,
            "bulletins",
            {f"k{year}.csv": figures(f"f1,重庆市,地区生产总值,{year}.5,亿元,{year}年,,observation,,")},
            "figure_list, years",
        )
        process = start(settings)
        wait_for_step(process, step)
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=WAIT)  # until its output is closed, which its helper holds too
        survivors += not until(lambda process=process: group_is_gone(process))  # type: ignore[misc]
        after.append(readable(settings))
        codes.append(process.returncode)
    last = start(settings)
    last.communicate(timeout=300)
    return Killed(settings, before, after, codes, survivors, readable(settings), last.returncode)


def test_every_kill_left_a_whole_release(killed: Killed) -> None:
    assert len(killed.after) == KILLS
    assert killed.codes.count(-signal.SIGKILL) >= KILLS - 1, "the runs must have been cut short"
    for number, release in enumerate(killed.after):
        earlier = killed.after[number - 1] if number else killed.before
        assert release >= earlier, "a release that readers had seen went away"


def test_the_next_refresh_finishes_with_everything_that_was_new(killed: Killed) -> None:
    assert killed.code == 0
    assert killed.last > killed.after[-1]
    found = rows(
        killed.settings.released_database,
        "select count(*) as n from marts.observations where indicator = 'gdp' and time_period < '2010' and transformation = 'N'",
    )
    assert found == [{"n": KILLS}]


def test_no_helper_process_outlives_a_killed_refresh(killed: Killed) -> None:
    assert killed.survivors == 0


def test_a_helper_that_got_no_job_yet_does_not_outlive_it_either(tmp_path: Path) -> None:
    for _ in range(3):
        process = python(BEFORE_THE_FIRST_JOB, folder=tmp_path)
        assert process.wait(WAIT) == -signal.SIGKILL
        try:
            assert until(lambda process=process: group_is_gone(process))  # type: ignore[misc]
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def test_nothing_half_done_lies_about(killed: Killed) -> None:
    settings = killed.settings
    assert all((folder / "release.json").is_file() and (folder / "fincenter.duckdb").is_file() for folder in settings.releases.iterdir())
    assert not settings.candidate.exists() and not settings.candidate_inputs.exists()
    assert not [path.name for path in settings.warehouse.iterdir() if path.name.startswith(".current")]
    assert not [path.name for path in (settings.ledger / "cells").iterdir() if path.suffix != ".parquet" or path.name.startswith(".")]


def test_of_two_refreshes_at_once_the_second_says_who_holds_the_lock(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    base, _summary = tiny_release(tmp_path_factory.getbasetemp())
    settings = copy_root(base, tmp_path)
    settings.lock.unlink(missing_ok=True)
    first = start(settings)
    try:
        assert until(lambda: settings.lock.is_file() and b"since" in settings.lock.read_bytes())
        second = command(settings, "refresh")
        assert first.poll() is None, "the first one still runs"
    finally:
        first.kill()
        first.communicate(timeout=WAIT)
    assert second.returncode == 5
    for words in (f"process {first.pid} on {os.uname().nodename}", "since 20"):
        assert words in second.stderr, second.stderr
    assert until(lambda: group_is_gone(first))
