"""The dbt project as a plan: what dbt compiled, kept until the project changes.

Belongs here: having dbt compile its models and data tests, and the little of its manifest that a refresh needs (SQL, order, columns,
descriptions). Does not belong here: running any of it (``transform``), Dagster.

dbt is imported only where there is no plan for today's project: starting it and rendering every node again costs more than all the
SQL of the real figures. A plan holds no path and no data, so one serves every warehouse with the same project.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from dagster_project.release import fingerprint
from dagster_project.settings import Settings

KEPT = 8  # plans of other states of the project, for those who go back and forth between branches
QUIET = ("--quiet", "--no-write-json", "--log-level", "none", "--log-level-file", "none")
MATERIALIZATIONS = frozenset({"table", "view", "table_macro", "test", "seed", "source"})


class PlanError(RuntimeError):
    """dbt can't read or compile its project; the message is dbt's."""


@dataclass(frozen=True)
class Column:
    """A column that YAML declares."""

    name: str
    data_type: str
    description: str
    required: bool


@dataclass(frozen=True)
class Node:
    """A dbt node. ``kind`` is its materialization: table, view, table_macro; or test, seed, source, which nothing is built for.

    ``group`` is the layer, its schema; ``parents`` are unique ids, ephemeral models left out (their SQL stands in their readers'). ``relation`` is the quoted name.
    """

    unique_id: str
    name: str
    kind: str
    group: str
    relation: str
    sql: str
    parents: tuple[str, ...]
    description: str
    columns: tuple[Column, ...] = ()
    contract: bool = False
    commented: bool = False
    warns: bool = False
    parameters: str = ""
    scalar: bool = False


@dataclass(frozen=True)
class Plan:
    """Every node, parents first; ``settings`` and ``threads`` are those of ``profiles.yml``."""

    nodes: tuple[Node, ...]
    settings: dict[str, Any]
    threads: int


def plan_key(settings: Settings) -> str:
    """What a plan depends on: the dbt tree, of the seeds their names, columns and types, and what compiles them."""
    compiler = f"{version('dbt-core')} {version('dbt-duckdb')}\n".encode() + Path(__file__).read_bytes()
    key = hashlib.sha256(compiler + fingerprint.fingerprint(tuple(fingerprint.tree("dbt", settings.dbt_project))).encode())
    for path in sorted(settings.seeds.rglob("*")):
        if path.suffix == ".csv":
            with path.open("rb") as handle:
                key.update(path.name.encode() + handle.readline())
        elif path.suffix == ".yml":
            key.update(path.read_bytes())
    return key.hexdigest()[:16]


def load_plan(settings: Settings) -> Plan:
    """The plan of today's dbt project, compiled where there is none. Raises :class:`PlanError`."""
    path = settings.plans / f"plan-{plan_key(settings)}.json"
    if path.is_file():
        return _from_json(path.read_text(encoding="utf-8"))
    plan = compile_plan(settings)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")  # a kill must not leave half a plan under its name
    unfinished.write_text(json.dumps(asdict(plan), ensure_ascii=False), encoding="utf-8")
    unfinished.replace(path)
    for stale in sorted(path.parent.glob("plan-*.json"), key=lambda old: -old.stat().st_mtime_ns)[KEPT:]:
        stale.unlink(missing_ok=True)
    return plan


def _from_json(text: str) -> Plan:
    found = json.loads(text)
    nodes = [
        Node(**{**node, "parents": tuple(node["parents"]), "columns": tuple(Column(**column) for column in node["columns"])})
        for node in found["nodes"]
    ]
    return Plan(tuple(nodes), found["settings"], found["threads"])


def compile_plan(settings: Settings) -> Plan:
    """Have dbt parse and compile the project; no database is opened. Raises :class:`PlanError`."""
    from dbt.cli.main import dbtRunner

    os.environ.update(settings.environment())
    project = ("--project-dir", str(settings.dbt_project), "--profiles-dir", str(settings.dbt_project))

    def invoke(manifest: Any, *arguments: str) -> Any:
        with contextlib.redirect_stdout(io.StringIO()):
            outcome = dbtRunner(manifest=manifest).invoke([*arguments, *project, *QUIET])
        if not outcome.success:
            failed = [f"{result.node.name}: {result.message}" for result in getattr(outcome.result, "results", ()) if result.message]
            raise PlanError(f"dbt can't read its project: {outcome.exception or '; '.join(failed)}")
        return outcome.result

    manifest = invoke(None, "parse", "--no-partial-parse")
    invoke(manifest, "compile", "--no-introspect", "--no-populate-cache")
    return _plan(manifest, _profile(settings))


def _profile(settings: Settings) -> dict[str, Any]:
    import yaml

    profile = yaml.safe_load((settings.dbt_project / "profiles.yml").read_text(encoding="utf-8"))["fincenter"]
    output: dict[str, Any] = profile["outputs"][profile["target"]]
    return output


def _plan(manifest: Any, profile: dict[str, Any]) -> Plan:
    ephemeral = {unique_id: node for unique_id, node in manifest.nodes.items() if str(node.config.materialized) == "ephemeral"}

    def parents(node: Any) -> list[str]:
        found: dict[str, None] = {}
        for parent in node.depends_on_nodes:
            found.update(dict.fromkeys(parents(ephemeral[parent]) if parent in ephemeral else [parent]))
        return list(found)

    nodes = {
        unique_id: Node(unique_id, source.name, "source", source.schema, "", "", (), source.description)
        for unique_id, source in manifest.sources.items()
    }
    for unique_id, node in manifest.nodes.items():
        kind = "test" if str(node.resource_type) == "test" else str(node.config.materialized)
        if unique_id in ephemeral:
            continue
        if kind not in MATERIALIZATIONS:
            raise PlanError(f"{node.name}: no refresh builds a {kind}; {', '.join(sorted(MATERIALIZATIONS))} are known")
        if kind == "test":
            _plain_test(node)
        columns = tuple(
            Column(name, column.data_type or "", column.description, any(str(rule.type.value) == "not_null" for rule in column.constraints))
            for name, column in node.columns.items()
        )
        nodes[unique_id] = Node(
            unique_id=unique_id,
            name=node.name,
            kind=kind,
            group=node.schema,
            relation=node.relation_name or "",
            sql=(getattr(node, "compiled_code", None) or "").strip(),
            parents=() if kind == "seed" else tuple(parents(node)),
            description=node.description,
            columns=columns,
            contract=bool(node.config.contract.enforced) if kind in ("table", "view") else False,
            commented=bool(node.config.persist_docs.get("relation")) if kind in ("table", "view") else False,
            warns=kind == "test" and str(node.config.severity).lower() == "warn",
            parameters=str(node.config.get("parameters") or ""),
            scalar=node.config.get("kind") == "scalar",
        )
    return Plan(tuple(nodes[name] for name in _in_order(nodes)), profile.get("settings") or {}, int(profile.get("threads") or 1))


def _in_order(nodes: dict[str, Node]) -> list[str]:
    from graphlib import TopologicalSorter

    return list(TopologicalSorter({name: node.parents for name, node in nodes.items()}).static_order())


def _plain_test(node: Any) -> None:
    """A test that counts its rows some other way would be counted wrongly: better none of it."""
    config = node.config
    unusual = {"fail_calc": config.fail_calc != "count(*)", "error_if": config.error_if != "!= 0", "warn_if": config.warn_if != "!= 0"}
    unusual |= {"limit": config.limit is not None, "store_failures": bool(config.store_failures)}
    if found := [name for name, is_set in unusual.items() if is_set]:
        raise PlanError(f"{node.name}: a refresh counts the rows of a data test; {', '.join(found)} is not supported")
