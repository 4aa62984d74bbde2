"""The candidate → what readers see, as an asset. It waits for the marts and for every check that blocks."""

from collections.abc import Iterable

import dagster as dg

from dagster_project.assets.raw import READING
from dagster_project.release.refresh import Refresh
from dagster_project.resources.refresh import KEY

RELEASE = dg.AssetKey(["release"])


def release_asset(marts: Iterable[dg.AssetKey]) -> dg.AssetsDefinition:
    """Record the checks in the candidate, then publish it."""

    @dg.asset(
        key=RELEASE,
        deps=[*marts, READING],
        group_name="release",
        kinds={"duckdb"},
        description="已发布的数据库文件 / the released database file",
        required_resource_keys={KEY},
    )
    def release(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        refresh: Refresh = context.resources.refresh
        if not refresh.results:
            text = "a release publishes only what its own run built and checked: run the job `refresh`"
            raise dg.Failure(text, allow_retries=False)
        refresh.record()
        refresh.publish()
        summary = refresh.summary
        return dg.MaterializeResult(
            metadata={
                "release_id": summary.release_id,
                "figures": summary.figures,
                "new": summary.new,
                "revised": summary.revised,
                "vanished": summary.vanished,
                "checks": summary.checks,
                "seconds": dg.MetadataValue.json(summary.seconds),
                **({"warnings": dg.MetadataValue.json(summary.warnings)} if summary.warnings else {}),
            }
        )

    return release
