"""The border where data come in: the seeds people edit, and the rows this run read.

Faulty seeds stop the build. The rows read are checked while dbt runs, in a process of their own, so they stop the release.
"""

from collections.abc import Iterator

import dagster as dg

from dagster_project.assets.raw import CELLS, READING
from dagster_project.checks.suites import suite_results, suite_spec
from dagster_project.intake.seeds import SeedError
from dagster_project.release.expectations import read_suites
from dagster_project.release.refresh import Blocked, Refresh
from dagster_project.resources.refresh import KEY
from dagster_project.settings import Settings

SEEDS = "seeds_valid"


def seed_check() -> dg.AssetChecksDefinition:
    """The seeds hold: dbt waits for this."""

    spec = dg.AssetCheckSpec(SEEDS, asset=CELLS, description="种子表成立 / the seeds hold", blocking=True)

    @dg.multi_asset_check(name="check_seeds", specs=[spec], required_resource_keys={KEY})
    def check_seeds(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        refresh: Refresh = context.resources.refresh
        faults: list[str] = []
        try:
            refresh.check_seeds()
        except SeedError as error:
            faults = error.faults
        yield dg.AssetCheckResult(
            asset_key=CELLS,
            check_name=SEEDS,
            passed=not faults,
            description="\n".join(faults) or None,
            metadata={"faults": len(faults)},
        )

    return check_seeds


def intake_checks(settings: Settings, marts: list[dg.AssetKey]) -> dg.AssetChecksDefinition:
    """The intake suites: the release waits for them, and they for the marts, so that both run at once."""
    specs = [suite_spec(suite, READING, marts) for suite in read_suites(settings.expectations / "intake")]

    @dg.multi_asset_check(name="check_intake", specs=specs, required_resource_keys={KEY})
    def check_intake(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        refresh: Refresh = context.resources.refresh
        before = len(refresh.checks)
        try:
            refresh.check_intake()
        except Blocked as blocked:  # the rows say the same, one by one
            context.log.debug(str(blocked))
        yield from suite_results(specs, refresh.checks[before:])

    return check_intake
