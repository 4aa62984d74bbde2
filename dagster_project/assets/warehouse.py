"""dbt's marts as assets, its data tests as their checks, its inner models as lineage; all of them built in one step.

Belongs here: telling Dagster what the plan has and what came of it. Does not belong here: running it (``release.transform``) or SQL.
dagster-dbt is not used: importing it imports dbt, which a refresh does without (decision 0017), and its command-line resource starts
dbt twice and asks the network.

Seeds, staging and intermediate models are shown but not recorded run by run, and the tests of an asset are one check: each
record costs two commits to Dagster's event log, which for every node and test would take longer than dbt itself.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import dagster as dg

from dagster_project.assets.raw import CELLS, FILES
from dagster_project.release.plan import Node, Plan
from dagster_project.release.refresh import Blocked, Refresh
from dagster_project.release.transform import NodeResult
from dagster_project.resources.refresh import KEY

UNIQUE_ID = "dbt/unique_id"
RELEASED = frozenset({"marts", "quality"})
DATA_TESTS = "data_tests"


def asset_key(node: Node) -> dg.AssetKey:
    """Layer and name, as in the database."""
    return dg.AssetKey([node.group, node.name])


def warehouse_specs(plan: Plan) -> tuple[list[dg.AssetSpec], list[dg.AssetSpec]]:
    """What is released (marts, quality), and what is only on the way there, for the lineage."""
    keys = {node.unique_id: asset_key(node) for node in plan.nodes}
    released: list[dg.AssetSpec] = []
    inner: list[dg.AssetSpec] = []
    for node in plan.nodes:
        if node.kind in ("test", "source"):  # sources are the ledger's assets
            continue
        deps = [keys[parent] for parent in node.parents]
        if node.group in RELEASED:
            # Dagster orders steps by what it runs itself, so a mart names the ledger besides the inner models between them.
            deps = list(dict.fromkeys([*deps, CELLS, FILES]))
        spec = dg.AssetSpec(
            asset_key(node), deps=deps, group_name=node.group, description=node.description, skippable=True,
            kinds={"dbt", "csv" if node.kind == "seed" else "duckdb"}, metadata={UNIQUE_ID: node.unique_id},
        )  # fmt: skip
        (released if node.group in RELEASED else inner).append(spec)
    return released, inner


def shown_on(plan: Plan, keys: Mapping[str, dg.AssetKey]) -> dict[str, dg.AssetKey]:
    """The mart on which each data test is shown: one it reads, or else the nearest downstream of what it reads."""
    children: dict[str, list[str]] = defaultdict(list)
    for node in plan.nodes:
        for parent in node.parents:
            children[parent].append(node.unique_id)
    found = {}
    for test in plan.nodes:
        if test.kind != "test":
            continue
        queue = sorted(test.parents)
        seen = set(queue)
        while queue:
            name = queue.pop(0)
            if name in keys:
                found[test.unique_id] = keys[name]
                break
            fresh = sorted(set(children[name]) - seen)
            seen.update(fresh)
            queue += fresh
    return found


def warehouse_assets(plan: Plan, released: Sequence[dg.AssetSpec]) -> dg.AssetsDefinition:
    """Everything dbt builds, in one step."""
    keys = {str(spec.metadata[UNIQUE_ID]): spec.key for spec in released}
    tests = shown_on(plan, keys)
    checks = [
        dg.AssetCheckSpec(DATA_TESTS, asset=key, description="dbt 数据测试 / dbt data tests", blocking=True)
        for key in sorted(set(tests.values()), key=dg.AssetKey.to_user_string)
    ]

    @dg.multi_asset(name="build_warehouse", specs=released, check_specs=checks, required_resource_keys={KEY})
    def build_warehouse(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
        refresh: Refresh = context.resources.refresh
        refresh.prepare()
        problem = ""
        try:
            refresh.build()
            refresh.start_release_checks()
        except Blocked as blocked:
            problem = str(blocked)
        tested: dict[dg.AssetKey, list[NodeResult]] = defaultdict(list)
        for result in refresh.results:
            if result.unique_id in keys and result.status == "success":
                yield dg.MaterializeResult(asset_key=keys[result.unique_id], metadata={"seconds": round(result.seconds, 3)})
            elif result.unique_id in tests:
                tested[tests[result.unique_id]].append(result)
        for spec in checks:
            yield _tested(spec.asset_key, tested[spec.asset_key])
        if problem:
            raise dg.Failure(problem, allow_retries=False)

    return build_warehouse


def _tested(key: dg.AssetKey, results: list[NodeResult]) -> dg.AssetCheckResult:
    wrong = [result for result in results if result.status != "pass"]
    warned = all(result.status == "warn" for result in wrong)
    records = [dg.TableRecord({"test": item.name, "status": item.status, "rows": item.failures, "message": item.message}) for item in wrong]
    metadata: dict[str, Any] = {"tests": len(results), "seconds": round(sum(result.seconds for result in results), 3)}
    return dg.AssetCheckResult(
        asset_key=key,
        check_name=DATA_TESTS,
        passed=not wrong,
        severity=dg.AssetCheckSeverity.WARN if warned else dg.AssetCheckSeverity.ERROR,
        description="; ".join(f"{item.name}: {item.message or item.status}" for item in wrong) or None,
        metadata={**metadata, **({"wrong": dg.MetadataValue.table(records)} if records else {})},
    )
