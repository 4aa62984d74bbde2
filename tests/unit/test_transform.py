"""Carrying out a plan: order, contracts, comments, counted faults, and what waits for something broken."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from dagster_project.release import transform
from dagster_project.release.plan import Column, Node, Plan
from dagster_project.release.transform import NodeResult
from dagster_project.settings import Settings
from tests.helpers import rows


def node(name: str, sql: str, *parents: str, kind: str = "table", **more: object) -> Node:
    relation = "" if kind == "test" else f'"fincenter"."marts"."{name}"'
    return Node(name, name, kind, "marts", relation, sql, parents, str(more.pop("description", "")), **more)  # type: ignore[arg-type]


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    found = Settings(root=tmp_path)
    found.candidate.parent.mkdir(parents=True)
    duckdb.connect(str(found.candidate_inputs)).close()
    yield found


def run(settings: Settings, *nodes: Node) -> dict[str, NodeResult]:
    return {result.name: result for result in transform.build(settings, Plan(nodes, {"preserve_insertion_order": "false"}, 2)).results}


def test_relations_are_built_in_order_with_their_comments(settings: Settings) -> None:
    column = Column("n", "integer", "数，其'名'。Its 'name'.", True)
    found = run(
        settings,
        node("base", "select 1 as n", columns=(column,), contract=True, commented=True, description="底 Base."),
        node("seen", "select n from marts.base", "base", kind="view", columns=(column,), contract=True, commented=True, description="见 Seen."),
        node("twice", "select 2 * n as n from marts.base", "base", kind="table_macro", parameters=""),
        node("double", "2 * x", kind="table_macro", parameters="x", scalar=True),
        node("none", "select * from marts.seen where n > 5", "seen", kind="test"),
    )
    assert [result.status for result in found.values()].count("success") == 4 and found["none"].status == "pass"
    sql = "select (select n from marts.seen) as seen, (select n from marts.twice()) as twice, marts.double(4) as double"
    assert rows(settings.candidate, sql) == [{"seen": 1, "twice": 2, "double": 8}]
    comments = rows(settings.candidate, "select table_name, comment from duckdb_columns() where schema_name = 'marts' order by 1")
    assert comments == [{"table_name": name, "comment": "数，其'名'。Its 'name'."} for name in ("base", "seen")]


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ((), "n is not declared"),
        ((Column("n", "varchar", "", False),), "n is integer, declared varchar"),
        ((Column("n", "integer", "", False), Column("m", "integer", "", False)), "m is declared and missing"),
        ((Column("n", "integer", "", True),), "1 row(s) with a null"),
    ],
)
def test_a_broken_contract_leaves_no_relation_and_skips_what_waits(settings: Settings, columns: tuple[Column, ...], words: str) -> None:
    found = run(
        settings,
        node("broken", "select unnest([1, null])::integer as n", columns=columns, contract=True),
        node("waits", "select n from marts.broken", "broken"),
        node("counts", "select n from marts.waits", "waits", kind="test"),
        node("apart", "select 1 as n"),
    )
    assert found["broken"].status == "error" and words in found["broken"].message
    assert (found["waits"].status, found["waits"].message) == ("skipped", "waits for broken")
    assert found["counts"].status == "skipped" and found["apart"].status == "success"
    assert rows(settings.candidate, "select table_name from duckdb_tables()") == [{"table_name": "apart"}]


def test_a_failed_test_shows_the_first_faults(settings: Settings) -> None:
    many = "select 'gdp' as fault, unnest(range(5)) as fault_key"
    found = run(settings, node("five", many, kind="test"), node("warned", many, kind="test", warns=True), node("bad", "selec", kind="test"))
    assert (found["five"].status, found["five"].failures) == ("fail", 5)
    assert "5 row(s), none allowed: gdp, " in found["five"].message
    assert found["warned"].status == "warn" and found["bad"].status == "error"
    outcome = transform.TransformResult(tuple(found.values()))
    assert {result.name for result in outcome.problems} == {"five", "bad"}


def test_a_disk_that_does_not_take_the_candidate_is_an_error(settings: Settings) -> None:
    """Small tables stay in memory until all relations are there: what can't be written then must not pass for a release."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, limits[1]))
    try:
        found = run(settings, node("base", "select random() as n from range(100_000)"), node("none", "select 1 where false", "base", kind="test"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert found["base"].status == "success"
    assert found["candidate"].status == "error" and found["candidate"].message.startswith(transform.UNWRITTEN)


def test_progress_counts_every_node_once(settings: Settings) -> None:
    nodes = tuple(node(f"m{number}", "select 1 as n", *([f"m{number - 1}"] if number % 3 else [])) for number in range(9))
    heard: list[tuple[str, int, int]] = []
    transform.build(settings, Plan(nodes, {}, 2), lambda name, done, of: heard.append((name, done, of)))
    assert sorted(name for name, _, _ in heard) == sorted(one.name for one in nodes)
    assert [(done, of) for _, done, of in heard] == [(number, 9) for number in range(1, 10)]


@pytest.mark.parametrize("kept", [False, True])
def test_scratch_goes_with_its_last_reader_unless_somebody_wants_to_look(settings: Settings, monkeypatch: pytest.MonkeyPatch, kept: bool) -> None:
    def scratch(name: str, sql: str, *parents: str, kind: str = "table") -> Node:
        return Node(name, name, kind, "steps", f'"work"."steps"."{name}"', sql, parents, "")

    if kept:
        monkeypatch.setenv("FINCENTER_WORK", str(settings.root / "work.duckdb"))
    there = "select count(*)::integer as n from duckdb_tables() where database_name = 'work' and table_name in ('base', 'unread')"
    found = run(
        settings,
        scratch("base", "select 1 as n"),
        scratch("seen", "select n from work.steps.base", "base", kind="view"),
        node("first", f"select n, ({there}) as tables from work.steps.base", "base"),
        node("second", f"select n, ({there}) as tables from work.steps.seen", "seen", "first"),
        scratch("unread", "select 2 as n"),
        node("last", there, "second", "unread"),
    )
    assert {result.status for result in found.values()} == {"success"}
    assert rows(settings.candidate, "select (select n from marts.second) as through_a_view") == [{"through_a_view": 1}]
    assert rows(settings.candidate, "select n from marts.last") == [{"n": 2 if kept else 1}]


def test_what_lets_scratch_go_comes_before_what_more_waits_for(settings: Settings) -> None:
    nodes = (
        Node("wide", "wide", "table", "steps", '"work"."steps"."wide"', "select 1 as n", (), ""),
        node("awaited", "select n from work.steps.wide", "wide"),
        *(node(f"m{number}", "select 1 as n", "awaited", *([f"m{number - 1}"] if number else [])) for number in range(3)),
        node("check", "select n from work.steps.wide where n > 1", "awaited", "wide", kind="test"),
    )
    heard: list[str] = []
    transform.build(settings, Plan(nodes, {}, 1), lambda name, _done, _of: heard.append(name))
    assert heard == ["wide", "awaited", "check", "m0", "m1", "m2"]
