"""dbt's marts as assets, its data tests as their checks, its inner models as lineage; dbt itself runs once, in process.

Belongs here: telling Dagster what dbt has and did. Does not belong here: running dbt (``release.transform``) or SQL.
Specs come from dagster-dbt's public function; its command-line resource is not used: it starts dbt twice and asks the network.

Seeds, staging and intermediate models are shown but not recorded run by run, and the tests of an asset are one check: each
record costs two commits to Dagster's event log, which for every node and test would take longer than dbt itself.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, build_dbt_asset_specs

from dagster_project.assets.raw import CELLS, FILES
from dagster_project.release.refresh import Blocked, Refresh
from dagster_project.release.transform import NodeResult
from dagster_project.resources.refresh import KEY

UNIQUE_ID = "dagster_dbt/unique_id"
RELEASED = frozenset({"marts", "quality"})
DATA_TESTS = "data_tests"


class _Translator(DagsterDbtTranslator):
    """Keys and groups by layer; descriptions without the SQL."""

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str:
        return str(dbt_resource_props.get("schema") or dbt_resource_props["resource_type"])

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        return dg.AssetKey([self.get_group_name(dbt_resource_props), str(dbt_resource_props["name"])])

    def get_description(self, dbt_resource_props: Mapping[str, Any]) -> str:
        return str(dbt_resource_props.get("description") or "")


def warehouse_specs(manifest: Mapping[str, Any]) -> tuple[list[dg.AssetSpec], list[dg.AssetSpec]]:
    """What is released (marts, quality), and what is only on the way there, for the lineage."""
    released, inner = [], []
    for spec in build_dbt_asset_specs(manifest=manifest, dagster_dbt_translator=_Translator()):
        # dagster-dbt hangs the whole manifest on every spec for its own runner; ours needs the node's name only.
        own = spec.replace_attributes(metadata={UNIQUE_ID: spec.metadata[UNIQUE_ID]}, skippable=True)
        if spec.group_name not in RELEASED:
            inner.append(own)
            continue
        # Dagster orders steps by what it runs itself, so a mart names the ledger besides the inner models between them.
        known = {dep.asset_key for dep in spec.deps}
        released.append(own.replace_attributes(deps=[*spec.deps, *(key for key in (CELLS, FILES) if key not in known)]))
    return released, inner


def shown_on(manifest: Mapping[str, Any], keys: Mapping[str, dg.AssetKey]) -> dict[str, dg.AssetKey]:
    """The mart on which each data test is shown: one it reads, or else the nearest downstream of what it reads."""
    found = {}
    for unique_id, node in manifest["nodes"].items():
        if node["resource_type"] != "test":
            continue
        queue = sorted(manifest["parent_map"].get(unique_id, []))
        seen = set(queue)
        while queue:
            name = queue.pop(0)
            if name in keys:
                found[unique_id] = keys[name]
                break
            fresh = sorted(set(manifest["child_map"].get(name, [])) - seen)
            seen.update(fresh)
            queue += fresh
    return found


def warehouse_assets(manifest: Mapping[str, Any], released: Sequence[dg.AssetSpec]) -> dg.AssetsDefinition:
    """Everything dbt builds, in one step."""
    keys = {str(spec.metadata[UNIQUE_ID]): spec.key for spec in released}
    tests = shown_on(manifest, keys)
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
