"""dbt, in process: one build of the candidate, with a manifest that is parsed once for each state of the dbt tree.

Belongs here: running dbt and giving back what each node did. Does not belong here: SQL, Dagster, the checks' meaning.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dagster_project.release import fingerprint
from dagster_project.settings import Settings


@dataclass(frozen=True)
class NodeResult:
    """What one dbt node did. ``status`` is dbt's: success, pass, fail, warn, error, skipped."""

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
        return tuple(result for result in self.results if result.status in ("error", "fail", "skipped", "runtime error"))


def _manifest_path(settings: Settings) -> Path:
    found = fingerprint.inputs(settings)
    key = hashlib.sha256(fingerprint.tree_hash(found, frozenset({"dbt"})).encode())
    for path in sorted(settings.seeds.rglob("*")):  # dbt's manifest knows seeds by name and columns, not by rows
        if path.suffix == ".csv":
            with path.open("rb") as handle:
                key.update(path.name.encode() + handle.readline())
        elif path.suffix == ".yml":
            key.update(path.read_bytes())
    return settings.dbt_target / f"manifest-{key.hexdigest()[:16]}.msgpack"


def _invoke(arguments: list[str], settings: Settings, manifest: Any = None, callback: Callable[[Any], None] | None = None) -> Any:
    from dbt.cli.main import dbtRunner

    os.environ.update(settings.environment())
    runner = dbtRunner(manifest=manifest, callbacks=[callback] if callback else [])
    common = ["--project-dir", str(settings.dbt_project), "--profiles-dir", str(settings.dbt_project), "--quiet", "--no-write-json"]
    with contextlib.redirect_stdout(io.StringIO()):
        return runner.invoke([*arguments, *common, "--log-level", "none", "--log-level-file", "none"])


def _parsed(settings: Settings) -> Path:
    """The cached manifest of today's dbt tree (``.msgpack``, with a ``.json`` beside it), parsed when there is none."""
    path = _manifest_path(settings)
    if path.is_file() and path.with_suffix(".json").is_file():
        return path
    outcome = _invoke(["parse", "--no-partial-parse"], settings)
    if not outcome.success:
        raise TransformError(f"dbt can't read its project: {outcome.exception}")
    for stale in path.parent.glob("manifest-*"):
        stale.unlink()
    written = outcome.result.writable_manifest().to_dict(omit_none=False)
    for target, data in ((path.with_suffix(".json"), json.dumps(written, default=str).encode()), (path, outcome.result.to_msgpack())):
        unfinished = target.with_name(f".{target.name}.{os.getpid()}")  # a kill must not leave half a manifest under its name
        unfinished.write_bytes(data)
        unfinished.replace(target)
    return path


def load_manifest(settings: Settings) -> Any:
    """dbt's manifest, parsed only when the dbt tree or a seed's columns have changed since. Raises :class:`TransformError`."""
    from dbt.contracts.graph.manifest import Manifest

    return Manifest.from_msgpack(_parsed(settings).read_bytes())


def manifest_dict(settings: Settings) -> dict[str, Any]:
    """The manifest as dbt writes it to ``manifest.json``; does not import dbt where it is cached."""
    found: dict[str, Any] = json.loads(_parsed(settings).with_suffix(".json").read_text(encoding="utf-8"))
    return found


class TransformError(RuntimeError):
    """dbt did not run at all (as opposed to: ran and a node failed)."""


def build(settings: Settings, progress: Callable[[str, int, int], None] | None = None) -> TransformResult:
    """Models and data tests into the candidate (the seeds are there already). ``progress`` hears (node, done, of). dbt's connection is closed after."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager

    manifest = load_manifest(settings)

    def hear(event: Any) -> None:
        if progress and event.info.name in ("LogModelResult", "LogTestResult", "LogSeedResult"):
            # a test's event counts its fellows under another name than a model's
            total = getattr(event.data, "total", 0) or getattr(event.data, "num_models", 0)
            progress(str(event.data.node_info.node_name), int(event.data.index), int(total))

    try:
        outcome = _invoke(["build", "--exclude-resource-type", "unit_test", "--exclude-resource-type", "seed"], settings, manifest, hear)
    finally:
        DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]
    if outcome.exception is not None or outcome.result is None:
        raise TransformError(str(outcome.exception))
    return TransformResult(
        tuple(
            NodeResult(
                unique_id=result.node.unique_id,
                name=result.node.name,
                resource_type=str(result.node.resource_type),
                status=str(result.status),
                seconds=float(result.execution_time),
                failures=int(result.failures or 0),
                message=str(result.message or ""),
            )
            for result in outcome.result.results
        )
    )
