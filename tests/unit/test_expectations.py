"""Suites of expectations: their grammar, what a result says, and the process that runs them.

Belongs here: that a failure, a broken expectation and an empty reading are told apart, and that a worker's death is survived.
Does not belong here: whether real data meet the suites; a refresh shows that.
"""

from __future__ import annotations

import multiprocessing
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest
import yaml

from dagster_project.release import expectations
from dagster_project.release.expectations import ExpectationWorker, Source, SuiteError, WorkerDied
from dagster_project.settings import REPOSITORY

FOLDERS = ["intake", "release"]


def expected(identifier: str, kind: str, severity: str = "critical", **kwargs: Any) -> dict[str, Any]:
    return {
        "id": identifier, "type": kind, "kwargs": kwargs, "severity": severity, "owner": "statistics",
        "why_zh": "原因", "why_en": "the reason",
    }  # fmt: skip


def write_suite(folder: Path, *items: dict[str, Any], name: str = "people", query: str = "select * from people") -> Path:
    folder.mkdir(exist_ok=True)
    described = {"zh": "人", "en": "people"}
    suite = {"suite": name, "table": name, "description": described, "query": query, "expectations": list(items)}
    (folder / f"{name}.yml").write_text(yaml.safe_dump(suite, allow_unicode=True), encoding="utf-8")
    return folder


PEOPLE = pd.DataFrame({"name": ["a", "b", None], "age": [1.0, 200.0, 300.0], "kind": ["x", "x", "y"]})


def rows_of(folder: Path, frame: pd.DataFrame = PEOPLE) -> dict[str, expectations.CheckRow]:
    return {row.check_id.removeprefix("people."): row for row in expectations.run_suites(folder, {"people": frame})}


def test_pass_and_failure_say_how_many_and_why(tmp_path: Path) -> None:
    folder = write_suite(
        tmp_path / "suites",
        expected("some_rows", "expect_table_row_count_to_be_between", min_value=1),
        expected("age_range", "expect_column_values_to_be_between", column="age", min_value=0, max_value=120),
        expected("name_present", "expect_column_values_to_not_be_null", "warning", column="name"),
    )
    rows = rows_of(folder)
    assert rows["some_rows"].status == "pass" and rows["some_rows"].message_en == "the reason"
    age = rows["age_range"]
    assert (age.status, age.unexpected_count, age.blocks, age.error) == ("fail", 2, True, "")
    assert "2 of 3 rows" in age.message_en and "200.0, 300.0" in age.message_en and "2/3 行不符" in age.message_zh
    assert rows["name_present"].status == "fail" and not rows["name_present"].blocks
    assert expectations.blocking(list(rows.values())) == [age]


def test_a_condition_limits_an_expectation_to_some_rows(tmp_path: Path) -> None:
    condition = {"type": "comparison", "column": {"name": "kind"}, "operator": "==", "parameter": "y"}
    items = [expected("young", "expect_column_values_to_be_between", column="age", max_value=250, row_condition=condition)]
    assert rows_of(write_suite(tmp_path / "suites", *items))["young"].unexpected_count == 1


@pytest.mark.parametrize(
    ("kind", "kwargs", "told"),
    [
        ("expect_column_values_to_not_be_null", {"column": "no_such_column"}, "no_such_column"),
        ("expect_column_values_to_be_between", {"column": "age", "nonsense": 1}, "nonsense"),
        ("expect_nobody_to_know_this", {}, "ExpectNobodyToKnowThis"),
    ],
)
def test_an_expectation_that_breaks_is_an_error_and_not_a_failure(tmp_path: Path, kind: str, kwargs: dict[str, Any], told: str) -> None:
    folder = write_suite(tmp_path / "suites", expected("broken", kind, **kwargs), expected("fine", "expect_table_row_count_to_equal", value=3))
    rows = rows_of(folder)
    assert (rows["broken"].status, rows["broken"].success) == ("error", None)
    assert told in rows["broken"].error and rows["broken"].blocks
    assert rows["fine"].status == "pass"


def test_a_table_that_is_not_there_is_an_error_in_every_row(tmp_path: Path) -> None:
    folder = write_suite(tmp_path / "suites", expected("some_rows", "expect_table_row_count_to_be_between", min_value=1))
    assert [row.status for row in expectations.run_suites(folder, {})] == ["error"]
    assert [row.status for row in expectations.run_sources(folder, {"people": Source(database=str(tmp_path / "none.duckdb"))})] == ["error"]


def test_nothing_read_is_skipped_and_blocks_nothing(tmp_path: Path) -> None:
    folder = write_suite(tmp_path / "suites", expected("some_rows", "expect_table_row_count_to_be_between", min_value=1))
    (row,) = expectations.run_sources(folder, {})
    assert (row.status, row.blocks, row.message_en) == ("skipped", False, expectations.NOTHING_EN)


@pytest.mark.parametrize(
    "fault",
    [
        {"severity": "grave"},
        {"why_zh": ""},
        {"id": "Not A Name"},
        {"surprise": 1},
        {"type": "expectcolumn"},
    ],
)
def test_a_faulty_suite_names_its_file(tmp_path: Path, fault: dict[str, Any]) -> None:
    folder = write_suite(tmp_path / "suites", expected("some_rows", "expect_table_row_count_to_equal", value=1) | fault)
    with pytest.raises(SuiteError, match=r"suites/people\.yml"):
        expectations.read_suites(folder)


def test_an_id_is_used_once(tmp_path: Path) -> None:
    twice = expected("same", "expect_table_row_count_to_equal", value=1)
    with pytest.raises(SuiteError, match="ids used twice: same"):
        expectations.read_suites(write_suite(tmp_path / "suites", twice, twice))


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_real_suites_are_well_formed_and_name_real_expectations(folder: str) -> None:
    gx = pytest.importorskip("great_expectations")
    suites = expectations.read_suites(REPOSITORY / "expectations" / folder)
    assert suites
    for suite in suites:
        assert suite.suite == f"{folder}_{suite.table}"
        for item in suite.expectations:
            class_name = "".join(part.title() for part in item.type.split("_"))
            getattr(gx.expectations, class_name)(**item.kwargs, severity=item.severity)  # raises on an argument it doesn't know


@pytest.fixture(scope="module")
def worker() -> Any:
    with ExpectationWorker() as running:
        yield running


def people_file(folder: Path) -> Source:
    path = folder / "people.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("create table people as select * from (values ('a', 1), ('b', 200)) as t (name, age)")
    return Source(database=str(path))


def test_the_worker_finds_what_this_process_finds(worker: ExpectationWorker, tmp_path: Path) -> None:
    folder = write_suite(tmp_path / "suites", expected("age_range", "expect_column_values_to_be_between", column="age", max_value=120))
    source = people_file(tmp_path)
    (there,) = worker.submit(folder, {"people": source}).result(timeout=120)
    (here,) = expectations.run_sources(folder, {"people": source})
    assert (there.check_id, there.status, there.observed, there.unexpected_count) == (here.check_id, "fail", "200", 1)


def test_parquet_files_stand_under_the_table_s_name(worker: ExpectationWorker, tmp_path: Path) -> None:
    paths = [tmp_path / "it's one.parquet", tmp_path / "two.parquet"]
    for path in paths:
        pd.DataFrame({"age": [1, 2]}).to_parquet(path)
    folder = write_suite(tmp_path / "suites", expected("four", "expect_table_row_count_to_equal", value=4))
    listed = ", ".join("'" + str(path).replace("'", "''") + "'" for path in paths)
    (row,) = worker.submit(folder, {"people": Source(relation=f"read_parquet([{listed}])")}).result(timeout=120)
    assert row.status == "pass"


def test_a_faulty_suite_comes_back_from_the_worker(worker: ExpectationWorker, tmp_path: Path) -> None:
    folder = write_suite(tmp_path / "suites", expected("x", "expect_table_row_count_to_equal", value=1) | {"severity": "grave"})
    with pytest.raises(SuiteError, match=r"people\.yml"):
        worker.submit(folder, {}).result(timeout=120)


def test_a_worker_that_dies_says_so_and_the_next_one_works(tmp_path: Path) -> None:
    folder = write_suite(tmp_path / "suites", expected("some_rows", "expect_table_row_count_to_be_between", min_value=1))
    source = people_file(tmp_path)
    before = set(multiprocessing.active_children())
    with ExpectationWorker() as running:
        pending = running.submit(folder, {"people": source})
        (process,) = set(multiprocessing.active_children()) - before
        process.kill()
        with pytest.raises(WorkerDied, match="nothing was published"):
            pending.result(timeout=120)
        (row,) = running.submit(folder, {"people": source}).result(timeout=120)
        assert row.status == "pass"
    assert set(multiprocessing.active_children()) <= before
    with pytest.raises(RuntimeError, match="closed"):
        running.submit(folder, {})
