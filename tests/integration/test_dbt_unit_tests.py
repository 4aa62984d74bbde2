"""Every dbt unit test passes, and together they say what each formula of the registry computes.

Belongs here: running dbt's unit tests against an empty warehouse (dbt reads the column types of their inputs from relations,
so those are built once, without rows), and holding the tests to the registry. Does not belong here: any rule of its own.
"""

from __future__ import annotations

import csv
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from dagster_project.intake import ledger
from dagster_project.release import candidate
from dagster_project.settings import REPOSITORY, Settings

MODELS = REPOSITORY / "dbt" / "models"
AT_LEAST = 140

SOURCE = """\
source_id: one_figure
title: {zh: 一个数, en: One figure}
publisher: nbs
carrier_kind: document
trust: 3
fidelity: 3
cadence: irregular
licence: none
language: zh
layouts: [figure_list]
missing_marks: {}
"""
FIGURE = "编号,地区,指标,数值,单位,时期,同比,性质,核算阶段,备注\nf1,重庆市,地区生产总值,1.0,亿元,2023年,,observation,,\n"


def declared() -> list[dict[str, Any]]:
    """The unit tests as written, anchors resolved."""
    return [test for path in sorted(MODELS.glob("*/unit_tests/*.yml")) for test in yaml.safe_load(path.read_text(encoding="utf-8"))["unit_tests"]]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse with one figure, and copies of the seeds and the dbt project, so that the repository's stay untouched."""
    root = tmp_path_factory.mktemp("unit_tests")
    for name in ("dbt", "seeds"):
        shutil.copytree(REPOSITORY / name, root / name)
    shutil.copytree(REPOSITORY / "raw" / "_layouts", root / "raw" / "_layouts")
    files = root / "raw" / "one_figure" / "files"
    files.mkdir(parents=True)
    (files.parent / "source.yml").write_text(SOURCE, encoding="utf-8")
    (files / "p1.csv").write_text(FIGURE, encoding="utf-8")
    return root


@pytest.fixture(scope="module")
def results(root: Path) -> Iterator[list[Any]]:
    """What each unit test did, run in process against relations that have types and no rows."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner

    settings = Settings(root=root)
    ledger.refresh_ledger(settings)
    candidate.prepare(settings, candidate.Identity("unit_tests", "2026-01-01 00:00:00", "none", "none", "2026-01-01 00:00:00"))
    common = ["--project-dir", str(settings.dbt_project), "--profiles-dir", str(settings.dbt_project), "--quiet", "--no-use-colors"]
    with pytest.MonkeyPatch.context() as patch:
        for name, value in settings.environment().items():
            patch.setenv(name, value)
        try:
            relations = dbtRunner().invoke(
                ["build", "--empty", "--select", "+path:models/intermediate", "+path:models/marts", "--exclude-resource-type", "unit_test",
                 "--exclude-resource-type", "test", "--exclude-resource-type", "seed", *common]
            )  # fmt: skip
            assert relations.success, relations.exception
            tests: Any = dbtRunner().invoke(["test", "--select", "test_type:unit", *common])
            assert tests.exception is None and tests.result is not None, tests.exception
            yield list(tests.result.results)
        finally:
            DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]


def test_every_unit_test_passes(results: list[Any]) -> None:
    failed = [f"{result.node.name}: {result.status}\n{result.message}" for result in results if str(result.status) != "pass"]
    assert not failed, "\n\n".join(failed)


def test_every_declared_unit_test_ran(results: list[Any]) -> None:
    assert sorted(result.node.name for result in results) == sorted(test["name"] for test in declared())
    assert len(results) >= AT_LEAST


def test_every_formula_is_expected_somewhere() -> None:
    with (REPOSITORY / "seeds" / "registry" / "formulas.csv").open(encoding="utf-8", newline="") as handle:
        registry = {row["formula_id"] for row in csv.DictReader(handle)}
    values = {
        row["formula_id"]
        for test in declared()
        if isinstance(test["expect"].get("rows"), list)
        for row in test["expect"]["rows"]
        if row.get("formula_id") and row.get("obs_value") is not None
    }
    assert registry - values == set(), "formulas whose result no unit test states"


def test_every_rule_is_said_in_both_languages() -> None:
    for test in declared():
        assert re.search(r"[\u4e00-\u9fff]", test["description"]), test["name"]
        assert re.search(r"[A-Za-z]{3,} [a-z]+", test["description"]), test["name"]
