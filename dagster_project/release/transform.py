"""The plan on the candidate: models and data tests, in the order that dbt found, on as many threads as its profile says.

Belongs here: opening the candidate with its inputs and scratch, building each relation with its contract and comments, counting the
rows of each data test. Does not belong here: SQL of a model, compiling (``plan``), what a failed check means.

dbt itself does the same with the same SQL (``dbt build``); a test holds the two together.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from graphlib import TopologicalSorter

import duckdb

from dagster_project.release.plan import Node, Plan
from dagster_project.settings import IN_MEMORY, Settings, quoted

SHOWN = 3  # rows of a failed test that its message quotes
SMALL = 20_000  # cells whose figures, derived ones included, are about one row group of DuckDB's, which is one thread's work
AT_THE_END = "1TB"  # until so much waits to be written into the candidate, no statement stops to write it
UNWRITTEN = "the file of the release can't be written; is the disk full? 发布文件写不下，请查磁盘空间"
RELATIONS = frozenset({"table", "view", "table_macro"})
BUILT = RELATIONS | {"test"}


@dataclass(frozen=True)
class NodeResult:
    """What one node did. ``status`` is dbt's word: success, pass, fail, warn, error, skipped."""

    unique_id: str
    name: str
    resource_type: str
    status: str
    seconds: float
    failures: int
    message: str


@dataclass(frozen=True)
class TransformResult:
    """Every node's result; ``problems`` are those that block a release."""

    results: tuple[NodeResult, ...]

    @property
    def problems(self) -> tuple[NodeResult, ...]:
        return tuple(result for result in self.results if result.status in ("error", "fail", "skipped"))


class ContractError(RuntimeError):
    """A relation is not what its model declares."""


def build(settings: Settings, plan: Plan, progress: Callable[[str, int, int], None] | None = None, cells: int | None = None) -> TransformResult:
    """Models and data tests into the candidate (the seeds are there already). ``progress`` hears (node, done, of).

    ``cells`` is how many the ledger has, where that is known: few give each statement one thread, so that none is woken for nothing.
    """
    with _opened(settings, plan) as connection:
        if cells is not None and cells < SMALL:
            connection.execute("set threads = 1")
        for schema in sorted({node.relation.rpartition(".")[0] for node in plan.nodes if node.kind in RELATIONS}):
            connection.execute(f"create schema if not exists {schema}")
        return TransformResult(tuple(_run(connection, settings, plan, progress or (lambda *_: None))))


@contextmanager
def _opened(settings: Settings, plan: Plan) -> Iterator[duckdb.DuckDBPyConnection]:
    """The candidate, with the inputs and the scratch database beside it as ``profiles.yml`` has them.

    The candidate keeps no log: one that a killed refresh leaves behind is thrown away, so nothing is written twice to be recovered.
    """
    with duckdb.connect(IN_MEMORY) as connection:
        for name, value in {"temp_directory": f"{settings.candidate}.tmp", "checkpoint_threshold": AT_THE_END, **plan.settings}.items():
            connection.execute(f"set {name} = '{quoted(value)}'")
        connection.execute(f"attach '{quoted(settings.candidate)}' as fincenter (recovery_mode no_wal_writes)")
        connection.execute(f"attach '{quoted(settings.candidate_inputs)}' as inputs (read_only)")
        connection.execute(f"attach '{quoted(settings.scratch)}' as work")
        yield connection


def _run(connection: duckdb.DuckDBPyConnection, settings: Settings, plan: Plan, progress: Callable[[str, int, int], None]) -> list[NodeResult]:
    nodes = {node.unique_id: node for node in plan.nodes}
    total = sum(node.kind in BUILT for node in plan.nodes)
    order = TopologicalSorter({node.unique_id: node.parents for node in plan.nodes})
    order.prepare()
    waiting_for = _descendants(plan)
    readers = _readers(plan) if settings.scratch == IN_MEMORY else {}
    ready: list[Node] = []
    running: dict[Future[NodeResult], Node] = {}
    results: dict[str, NodeResult] = {}
    relations = {node.unique_id for node in plan.nodes if node.kind in RELATIONS}
    written: Future[NodeResult | None] | None = None
    with ThreadPoolExecutor(plan.threads) as pool:
        while order.is_active():
            ready += [nodes[name] for name in order.get_ready()]
            # first what lets a scratch table go, for its memory; then what most waits for; tests last
            freeing = _freeing(readers, {node.unique_id for node in (*ready, *running.values())})
            ready.sort(key=lambda node: (node.unique_id not in freeing, node.kind == "test", -waiting_for[node.unique_id], node.name))
            while ready and len(running) < plan.threads:
                node = ready.pop(0)
                if node.kind not in BUILT:
                    order.done(node.unique_id)
                elif broken := [
                    nodes[parent].name for parent in node.parents if parent in results and results[parent].status in ("error", "skipped")
                ]:
                    results[node.unique_id] = _result(node, "skipped", 0.0, message=f"waits for {', '.join(broken)}")
                    order.done(node.unique_id)
                else:
                    running[pool.submit(_carry_out, _cursor(connection), node)] = node
            if not running:
                continue
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                node = running.pop(future)
                results[node.unique_id] = future.result()
                progress(node.name, len(results), total)
                order.done(node.unique_id)
                _let_go(connection, readers, nodes, node)
            if written is None and relations <= results.keys():
                # compressing the small tables keeps one thread busy: the others look through what is there meanwhile
                written = pool.submit(_write_out, _cursor(connection))
    unwritten = written.result() if written else None  # without a log, what is not written now is lost
    return [*results.values(), *([unwritten] if unwritten else [])]


def _cursor(connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """Where a name without a database is one of the candidate's, as it is to the release's readers."""
    cursor = connection.cursor()
    cursor.execute("use fincenter")
    return cursor


def _write_out(cursor: duckdb.DuckDBPyConnection) -> NodeResult | None:
    """Into the candidate what is still in memory; what went wrong, where the disk does not take it."""
    started = time.perf_counter()
    try:
        cursor.execute("force checkpoint")  # "force": wait for what is just being committed
    except duckdb.Error as error:
        return NodeResult("candidate", "candidate", "model", "error", time.perf_counter() - started, 0, f"{UNWRITTEN}: {error}")
    finally:
        cursor.close()
    return None


def _readers(plan: Plan) -> dict[str, set[str]]:
    """Who reads each scratch table, directly or through views; tables that nobody reads are left out."""
    views = {node.unique_id for node in plan.nodes if node.kind == "view"}
    found: dict[str, set[str]] = {node.unique_id: set() for node in plan.nodes}
    for node in reversed(plan.nodes):
        for parent in node.parents:
            found[parent] |= {node.unique_id} | (found[node.unique_id] if node.unique_id in views else set())
    return {node.unique_id: found[node.unique_id] for node in plan.nodes if node.kind == "table" and node.relation.startswith('"work".')}


def _freeing(readers: dict[str, set[str]], startable: set[str]) -> set[str]:
    """Whoever reads a scratch table of which all readers left can start, or have: once they are done it goes."""
    return set().union(*(waiting for waiting in readers.values() if waiting <= startable))


def _let_go(connection: duckdb.DuckDBPyConnection, readers: dict[str, set[str]], nodes: dict[str, Node], done: Node) -> None:
    """Drop the scratch tables that nobody will read any more: their memory is the next statement's."""
    for name in [name for name, waiting in readers.items() if done.unique_id in waiting]:
        readers[name].discard(done.unique_id)
        if not readers[name]:
            del readers[name]
            connection.execute(f"drop table if exists {nodes[name].relation}")


def _descendants(plan: Plan) -> dict[str, int]:
    """How many nodes wait for each, directly or through others."""
    below: dict[str, set[str]] = {node.unique_id: set() for node in plan.nodes}
    for node in reversed(plan.nodes):
        for parent in node.parents:
            below[parent] |= {node.unique_id} | below[node.unique_id]
    return {name: len(found) for name, found in below.items()}


def _carry_out(cursor: duckdb.DuckDBPyConnection, node: Node) -> NodeResult:
    started = time.perf_counter()
    try:
        if node.kind == "test":
            failures, message = _count_faults(cursor, node)
            status = ("warn" if node.warns else "fail") if failures else "pass"
            return _result(node, status, time.perf_counter() - started, failures, message)
        cursor.execute("begin")  # relation and comments in one: each commit of its own would wait for the disk
        _create(cursor, node)
        cursor.execute("commit")
        if node.contract:
            _hold_or_drop(cursor, node)
        return _result(node, "success", time.perf_counter() - started)
    except (duckdb.Error, ContractError) as error:
        return _result(node, "error", time.perf_counter() - started, message=str(error))
    finally:
        cursor.close()


def _result(node: Node, status: str, seconds: float, failures: int = 0, message: str = "") -> NodeResult:
    return NodeResult(node.unique_id, node.name, "test" if node.kind == "test" else "model", status, seconds, failures, message)


def _create(cursor: duckdb.DuckDBPyConnection, node: Node) -> None:
    if node.kind == "table_macro":
        body = f"({node.sql})" if node.scalar else f"table {node.sql}"
        cursor.execute(f"create or replace macro {node.relation}({node.parameters}) as {body}")
        return
    cursor.execute(f"create or replace {node.kind} {node.relation} as {node.sql}")
    if node.commented:
        cursor.execute(_comments(node))


def _hold_or_drop(cursor: duckdb.DuckDBPyConnection, node: Node) -> None:
    """What breaks its contract does not stay. Asked once it is committed: then DuckDB knows where there are nulls, and need not look."""
    try:
        _hold_contract(cursor, node)
    except ContractError:
        cursor.execute(f"drop {node.kind} {node.relation}")
        raise


def _hold_contract(cursor: duckdb.DuckDBPyConnection, node: Node) -> None:
    """The columns that the model declares, each of its type, and no null where none may be. Raises :class:`ContractError`."""
    found = {str(name): str(kind).lower() for name, kind, *_ in cursor.execute(f"describe {node.relation}").fetchall()}
    faults = [f"{name} is not declared" for name in found if name not in {column.name for column in node.columns}]
    for column in node.columns:
        if column.name not in found:
            faults.append(f"{column.name} is declared and missing")
        elif found[column.name] != column.data_type.lower():
            faults.append(f"{column.name} is {found[column.name]}, declared {column.data_type}")
    required = [f'"{column.name}" is null' for column in node.columns if column.required]
    if required and not faults:
        nulls = cursor.execute(f"select count(*) from {node.relation} where {' or '.join(required)}").fetchall()[0][0]
        faults += [f"{nulls} row(s) with a null that may not be: {' or '.join(required)}"] * bool(nulls)
    if faults:
        raise ContractError(f"contract of {node.name}: {'; '.join(faults)}")


def _comments(node: Node) -> str:
    lines = [f"comment on {node.kind} {node.relation} is '{quoted(node.description)}'"] if node.description else []
    lines += [
        f"comment on column {node.relation}.\"{column.name}\" is '{quoted(column.description)}'" for column in node.columns if column.description
    ]
    return "; ".join(lines)


def _count_faults(cursor: duckdb.DuckDBPyConnection, node: Node) -> tuple[int, str]:
    cursor.execute(f"select count(*) from ({node.sql}) as faults")
    failures = int(cursor.fetchall()[0][0])
    if not failures:
        return 0, ""
    shown = cursor.execute(f"select * from ({node.sql}) as faults limit {SHOWN}").fetchall()
    return failures, f"{failures} row(s), none allowed: {'; '.join(', '.join(map(str, row)) for row in shown)}"
