"""dbt's own `build` and our carrying out of the plan give the same release: relations, types, rows, comments, macros, test results.

Belongs here: holding the two together on the tiny warehouse. Does not belong here: what a release holds.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_project.release import candidate, transform
from dagster_project.release.plan import load_plan
from dagster_project.release.refresh import identify
from dagster_project.settings import Settings
from tests.helpers import copy_root, own_environment, rows, tiny_release

LISTS = {
    "columns": "select schema_name, table_name, column_name, data_type, comment from duckdb_columns() where not internal order by all",
    "relations": "select schema_name, table_name, comment from duckdb_tables() union all select schema_name, view_name, comment from duckdb_views() where not internal order by all",
    "macros": "select schema_name, function_name, parameters::varchar as parameters, macro_definition from duckdb_functions() where not internal order by all",
}


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Settings, Settings, dict[str, str], dict[str, str]]]:
    """The same inputs built by dbt and by us: both roots, and the status of each node."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner

    base, _ = tiny_release(tmp_path_factory.getbasetemp())
    ours, dbts = (copy_root(base, tmp_path_factory.mktemp(name)) for name in ("ours", "dbts"))
    identity = identify(ours)
    candidate.prepare(ours, identity)
    our_results = {result.name: result.status for result in transform.build(ours, load_plan(ours)).results}
    candidate.prepare(dbts, identity)
    with own_environment(), pytest.MonkeyPatch.context() as patch:
        for name, value in dbts.environment().items():
            patch.setenv(name, value)
        project = ["--project-dir", str(dbts.dbt_project), "--profiles-dir", str(dbts.dbt_project), "--quiet", "--no-use-colors"]
        try:
            outcome: Any = dbtRunner().invoke(["build", "--exclude-resource-type", "unit_test", "--exclude-resource-type", "seed", *project])
        finally:
            DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]
        assert outcome.success, outcome.exception
    yield ours, dbts, our_results, {result.node.name: str(result.status) for result in outcome.result.results}


def contents(database: Path) -> dict[str, int]:
    """A hash of the rows of each relation, whatever their order."""
    with duckdb.connect(str(database), read_only=True) as connection:
        listed = connection.execute(f"select schema_name, table_name from ({LISTS['relations']})").fetchall()
        return {
            f"{schema}.{name}": int(connection.execute(f"select coalesce(sum(hash(r)), 0) from {schema}.{name} as r").fetchall()[0][0])
            for schema, name in listed
        }


@pytest.mark.parametrize("what", LISTS)
def test_both_releases_look_alike(both: tuple[Settings, Settings, Any, Any], what: str) -> None:
    ours, dbts = (rows(settings.candidate, LISTS[what]) for settings in both[:2])
    assert ours and ours == dbts


def test_both_releases_hold_the_same_rows(both: tuple[Settings, Settings, Any, Any]) -> None:
    ours, dbts = (contents(settings.candidate) for settings in both[:2])
    assert ours["marts.facts"] and ours == dbts


def test_every_node_and_test_came_out_alike(both: tuple[Any, Any, dict[str, str], dict[str, str]]) -> None:
    assert both[2] == both[3]
