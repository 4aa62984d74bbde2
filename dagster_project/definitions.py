"""Everything Dagster knows of this project. ``build`` puts it together; ``defs`` is what ``dg`` loads."""

from __future__ import annotations

import os

import dagster as dg

from dagster_project.assets.raw import raw_assets
from dagster_project.assets.release import release_asset
from dagster_project.assets.warehouse import warehouse_assets, warehouse_specs
from dagster_project.automation.triggers import refresh_job, schedules, sensors
from dagster_project.checks.findings import findings_check
from dagster_project.checks.intake import intake_checks, seed_check
from dagster_project.checks.release import release_checks
from dagster_project.release.plan import load_plan
from dagster_project.release.refresh import Refresh
from dagster_project.resources.refresh import KEY, refresh_resource
from dagster_project.settings import Settings


def build(settings: Settings, refresh: Refresh | None = None) -> dg.Definitions:
    """Assets, checks, the job and what may start it, for one warehouse. ``refresh`` is the command line's own."""
    os.environ.update(settings.environment())
    plan = refresh.plan() if refresh else load_plan(settings)
    released, inner = warehouse_specs(plan)
    marts = [spec.key for spec in released]
    return dg.Definitions(
        assets=[raw_assets(settings), *inner, warehouse_assets(plan, released), release_asset(marts)],
        asset_checks=[seed_check(), intake_checks(settings, marts), release_checks(settings, marts), findings_check(marts)],
        jobs=[refresh_job()],
        schedules=schedules(),
        sensors=sensors(settings),
        resources={KEY: refresh_resource(settings, refresh)},
        executor=dg.in_process_executor,
    )


@dg.definitions
def defs() -> dg.Definitions:
    """The warehouse that the environment names."""
    return build(Settings())
