"""Warehouses for the tests: the real figures, and a tiny one of three files whose every number is known.

Belongs here: making a root (raw/, seeds/, a copy of dbt/), refreshing it, and reading a release. Does not belong here: what is to be
true of any of it. Nothing here touches the repository's own warehouse.
"""

from __future__ import annotations

import atexit
import csv
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pytest
import xlsxwriter

from dagster_project.automation.run import RefreshOutcome, run_refresh_job
from dagster_project.release.expectations import ExpectationWorker
from dagster_project.release.refresh import Refresh, Summary
from dagster_project.settings import REPOSITORY, Settings

Row = dict[str, Any]

HEADER = "编号,地区,指标,数值,单位,时期,同比,性质,核算阶段,备注"
SOURCE = """\
source_id: {source_id}
title: {{zh: 统计公报, en: Bulletins}}
publisher: cq_stats
carrier_kind: official_site
trust: 5
fidelity: 5
cadence: annual
licence: none
language: zh
layouts: [{layouts}]
missing_marks: {{"-": M}}
"""
WIDE = """\
layout: years
title: {zh: 各年, en: Years across}
sheets: 年度
columns:
  - 地区: area
  - '{period}': values
fixed: {kind: observation, indicator: 地区生产总值, unit: 亿元}
values: {precision: column}
"""
PUBLICATIONS = "publication_id,file,layout,title,address,publisher,carrier,fidelity,table_id,language,known_after,known_after_basis,known_by,known_by_basis,reason"
# What the tiny warehouse holds. 神秘指标 is in no alias; 各项存款余额 prints no scope.
BULLETIN_2022 = (
    "f1,重庆市,地区生产总值,100.00,亿元,2022年,3.0%,observation,初步核算,",
    "f2,重庆市,金融业增加值,8.00,亿元,2022年,,observation,,",
    "f3,重庆市,各项存款余额,500.0,亿元,2022年末,,observation,,",
    "f4,重庆市,社会消费品零售总额,40.0,亿元,2022年,,observation,,",
    "f5,重庆市,地区生产总值,130,亿元,2025年,,target,,规划目标",
)
BULLETIN_2023 = (
    "f1,重庆市,地区生产总值,110.00,亿元,2023年,5.0%,observation,初步核算,",
    "f2,重庆市,金融业增加值,9.90,亿元,2023年,,observation,,",
    "f3,重庆市,神秘指标,12.0,亿元,2023年,,observation,,",
    "f4,重庆市,上市公司家数,87,家,2023年末,,observation,,",
)
TABLE = (("地区", "2023年", "2022年"), ("重庆市", "112.5", "101.0"))


def figures(*lines: str) -> str:
    """A figure list as its file holds it."""
    return "\n".join([HEADER, *lines]) + "\n"


def write_workbook(path: Path, sheets: dict[str, Sequence[Sequence[str]]]) -> None:
    """An xlsx of text cells."""
    book = xlsxwriter.Workbook(str(path))
    for name, rows in sheets.items():
        sheet = book.add_worksheet(name)
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
    book.close()


def write_source(root: Path, source_id: str, files: dict[str, str | bytes], layouts: str = "figure_list", days: dict[str, str] | None = None) -> Path:
    """A source folder with its files; ``days`` are the publication days of the files that have one."""
    folder = root / "raw" / source_id
    (folder / "files").mkdir(parents=True, exist_ok=True)
    (folder / "source.yml").write_text(SOURCE.format(source_id=source_id, layouts=layouts), encoding="utf-8")
    for name, body in files.items():
        data = body.encode() if isinstance(body, str) else body
        (folder / "files" / name).write_bytes(data)
    for name, day in (days or {}).items():
        publish_day(folder, name, day)
    return folder


def publish_day(folder: Path, name: str, day: str, layout: str = "") -> None:
    """A line of publications.csv."""
    path = folder / "publications.csv"
    if not path.exists():
        path.write_text(PUBLICATIONS + "\n", encoding="utf-8")
    with path.open("a", encoding="utf-8") as handle:
        handle.write(f"{Path(name).stem},{name},{layout},公报,http://example.org/{name},cq_stats,example.org,5,,zh,,,{day},page,页面所示日期\n")


def edit_seed(root: Path, name: str, change: Callable[[list[Row]], list[Row]]) -> None:
    """Rewrite a seed's rows; the header stays."""
    path = next((root / "seeds").glob(f"*/{name}.csv"))
    with path.open(encoding="utf-8", newline="") as handle:
        reader = csv.DictReader(handle)
        rows, header = list(reader), list(reader.fieldnames or ())
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, header, lineterminator="\n")
        writer.writeheader()
        writer.writerows(change(rows))


def add_seed_row(root: Path, name: str, **values: str) -> None:
    """One more row of a seed; columns not named stay empty."""
    edit_seed(root, name, lambda rows: [*rows, {**dict.fromkeys(rows[0] if rows else values, ""), **values}])


def copy_seeds(root: Path) -> None:
    """The repository's seeds, without the rows that speak of publications and sources which this root doesn't have."""
    shutil.copytree(REPOSITORY / "seeds", root / "seeds")
    publications = {path.stem for path in root.glob("raw/*/files/*")}
    sources = {"*", *(path.parent.name for path in root.glob("raw/*/source.yml"))}
    for path in sorted((root / "seeds").glob("*/*.csv")):
        edit_seed(
            root,
            path.stem,
            lambda rows: [row for row in rows if row.get("publication_id", "") in publications | {""} and row.get("source_id", "*") in sources],
        )


def tiny_root(root: Path) -> Settings:
    """Three files of one source, the full code lists, a copy of dbt."""
    shutil.copytree(REPOSITORY / "raw" / "_layouts", root / "raw" / "_layouts")
    folder = write_source(
        root,
        "bulletins",
        {"b2022.csv": figures(*BULLETIN_2022), "b2023.csv": figures(*BULLETIN_2023)},
        "figure_list, years",
        {"b2022.csv": "2023-03-01", "b2023.csv": "2024-03-01"},
    )
    (folder / "layouts").mkdir()
    (folder / "layouts" / "years.yml").write_text(WIDE, encoding="utf-8")
    write_workbook(folder / "files" / "table.xlsx", {"说明": [["说明"]], "年度": TABLE})
    publish_day(folder, "table.xlsx", "2025-01-15", "years")
    copy_seeds(root)
    shutil.copytree(REPOSITORY / "dbt", root / "dbt")
    return Settings(root=root)


def real_root(root: Path) -> Settings:
    """The repository's raw figures, seeds and models, in a root of their own."""
    for name in ("raw", "seeds", "dbt"):
        shutil.copytree(REPOSITORY / name, root / name)
    return Settings(root=root)


@contextmanager
def own_environment() -> Iterator[None]:
    """A refresh sets variables for dbt and Dagster; the next test must not find them."""
    before = dict(os.environ)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@cache
def expectation_worker() -> ExpectationWorker:
    """One process with Great Expectations for all refreshes of this one: importing it takes longer than most of them."""
    worker = ExpectationWorker()
    atexit.register(worker.close)
    return worker


def refresh(settings: Settings, progress: Callable[[str], None] = lambda _step: None) -> Summary:
    """The main job, in this process."""
    with own_environment():
        return Refresh(settings, progress, expectation_worker()).run()


def refresh_in_dagster(settings: Settings) -> RefreshOutcome:
    """The same as Dagster's job, in this process."""
    return run_refresh_job(settings, worker=expectation_worker())


@cache
def real_release(base: Path) -> tuple[Settings, Summary]:
    """The release of the real figures, built once a test run. Give that run's base folder; change nothing below it."""
    settings = real_root(base / "real")
    return settings, refresh(settings)


@cache
def tiny_release(base: Path) -> tuple[Settings, Summary]:
    """A release of the tiny warehouse, built once a test run: to be copied (see :func:`copy_root`), not changed."""
    settings = tiny_root(base / "tiny")
    steps: list[str] = []
    summary = refresh(settings, steps.append)
    (base / "tiny_steps.txt").write_text("\n".join(steps), encoding="utf-8")
    return settings, summary


def tiny_steps(base: Path) -> list[str]:
    """What the refresh of the tiny warehouse said it was doing, step by step."""
    tiny_release(base)
    return (base / "tiny_steps.txt").read_text(encoding="utf-8").splitlines()


def copy_root(settings: Settings, root: Path) -> Settings:
    """A warehouse's whole folder, times and links kept: what was released there is released here, and nothing is waiting."""
    shutil.copytree(settings.root, root, symlinks=True, dirs_exist_ok=True)
    return Settings(root=root)


def rows(database: Path, sql: str, *parameters: Any) -> list[Row]:
    """What a reader of the release gets."""
    with duckdb.connect(str(database), read_only=True) as connection:
        found = connection.execute(sql, list(parameters))
        names = [column[0] for column in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def command(settings: Settings, *arguments: str, timeout: float = 180) -> subprocess.CompletedProcess[str]:
    """``fincenter`` as a person starts it: a process of its own."""
    environment = {**os.environ, "FINCENTER_ROOT": str(settings.root), "PYTHONPATH": str(REPOSITORY), "COLUMNS": "200"}
    return subprocess.run(
        [sys.executable, "-m", "dagster_project.cli", *arguments],
        capture_output=True, text=True, encoding="utf-8", env=environment, cwd=settings.root, timeout=timeout, check=False,
    )  # fmt: skip


def answer(settings: Settings, *arguments: str) -> tuple[int, Any]:
    """Exit code and JSON of a command that runs in this process (``status``, ``explain``, ``diff``)."""
    from typer.testing import CliRunner

    from dagster_project.cli import app

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FINCENTER_ROOT", str(settings.root))
        result = CliRunner().invoke(app, [*arguments, "--json"])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, json.loads(result.stdout)
