"""The border where data go out: the headline marts of the candidate file itself. Nothing is published before they hold."""

from collections.abc import Iterable, Iterator

import dagster as dg

from dagster_project.checks.suites import suite_results, suite_spec
from dagster_project.release.expectations import Suite, read_suites
from dagster_project.release.refresh import Blocked, Refresh
from dagster_project.resources.refresh import KEY
from dagster_project.settings import Settings


def _asset(suite: Suite, marts: dict[str, dg.AssetKey]) -> dg.AssetKey:
    """The mart a suite is about: its table, or the longest mart name its table begins with (`observations_columns`)."""
    fitting = [name for name in marts if suite.table == name or suite.table.startswith(f"{name}_")]
    return marts[max(fitting, key=len)] if fitting else next(iter(marts.values()))


def release_checks(settings: Settings, marts: Iterable[dg.AssetKey]) -> dg.AssetChecksDefinition:
    """The release suites as blocking checks of the marts."""
    by_name = {key.path[-1]: key for key in marts}
    suites = read_suites(settings.expectations / "release")
    specs = [suite_spec(suite, _asset(suite, by_name), by_name.values()) for suite in suites]

    @dg.multi_asset_check(name="check_release", specs=specs, required_resource_keys={KEY})
    def check_release(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        refresh: Refresh = context.resources.refresh
        before = len(refresh.checks)
        try:
            refresh.check_release()
        except Blocked as blocked:  # the rows say the same, one by one
            context.log.debug(str(blocked))
        yield from suite_results(specs, refresh.checks[before:])

    return check_release
