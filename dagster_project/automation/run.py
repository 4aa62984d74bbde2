"""The command line's way into Dagster: the job ``refresh`` in this process, recorded where the web interface looks.

Belongs here: the Dagster instance, running the job, and its failures as data. Does not belong here: any step, any printing.
Dagster is imported late, after the process that imports Great Expectations has been started: the two imports overlap.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dagster_project.release.plan import PlanError
from dagster_project.release.refresh import Refresh, Summary
from dagster_project.settings import Settings

if TYPE_CHECKING:
    from dagster import ExecuteInProcessResult

    from dagster_project.release.expectations import ExpectationWorker

INSTANCE = """\
telemetry: {enabled: false}
nux: {enabled: false}
event_log_storage:
  module: dagster_project.resources.event_log
  class: PooledEventLog
  config: {base_dir: {env: DAGSTER_HOME}}
"""
# A line an event on the terminal helps nobody; the event log keeps them all.
SEEDS = "seeds_valid"
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@dataclass(frozen=True)
class StepFailure:
    """What stopped the refresh: the step, the check or model where there is one, and the reason."""

    step: str
    check: str
    message_zh: str
    message_en: str
    severity: str = "critical"


@dataclass(frozen=True)
class RefreshOutcome:
    """A finished run. Without success nothing that readers see was touched, and ``failures`` say why."""

    success: bool
    run_id: str
    summary: Summary
    failures: tuple[StepFailure, ...]


def prepare_instance(settings: Settings) -> None:
    """Dagster's folder, with telemetry off; an existing configuration is left alone."""
    settings.dagster_home.mkdir(parents=True, exist_ok=True)
    configuration = settings.dagster_home / "dagster.yaml"
    if not configuration.is_file():
        configuration.write_text(INSTANCE, encoding="utf-8")


def run_refresh_job(
    settings: Settings, progress: Callable[[str], None] = lambda _message: None, worker: ExpectationWorker | None = None
) -> RefreshOutcome:
    """Run the job ``refresh``. The caller holds the lock. A failure of any step comes back in the outcome. ``worker`` as of :class:`Refresh`."""
    os.environ.update(settings.environment())
    prepare_instance(settings)
    refresh = Refresh(settings, progress, worker)
    try:
        import dagster as dg

        from dagster_project import definitions

        try:
            job = definitions.build(settings, refresh).resolve_job_def("refresh")
        except PlanError as error:
            return RefreshOutcome(False, "", refresh.summary, (StepFailure("definitions", "", str(error), str(error)),))
        with dg.DagsterInstance.from_config(str(settings.dagster_home)) as instance:
            result = job.execute_in_process(run_config=QUIET, instance=instance, raise_on_error=False)
        failures = () if result.success else tuple(_failures(refresh, result))
        return RefreshOutcome(result.success, result.run_id, refresh.summary, failures)
    finally:
        refresh.close()


def _failures(refresh: Refresh, result: ExecuteInProcessResult) -> Iterator[StepFailure]:
    """Checks and models that say what is wrong; a step's own error only where none of them does."""
    told: set[str] = set()
    for row in refresh.checks:
        if row.blocks:
            border = "check_intake" if row.suite.startswith("intake_") else "check_release"
            step = border if row.kind == "expectation" else "build_warehouse"
            told.add(step)
            yield StepFailure(step, row.check_id, row.message_zh or row.error, row.message_en or row.error)
    for node in refresh.results:
        if node.resource_type != "test" and node.status not in ("success", "skipped"):
            told.add("build_warehouse")
            yield StepFailure("build_warehouse", node.name, node.message, node.message)
    for evaluation in result.get_asset_check_evaluations():
        if evaluation.check_name == SEEDS and not evaluation.passed:
            text = evaluation.description or ""
            told.add("check_seeds")
            yield StepFailure("check_seeds", SEEDS, text, text)
    for event in result.all_events:
        if event.is_step_failure and event.step_key not in told:
            data = event.step_failure_data
            error = data.error
            while error is not None and error.cause is not None:
                error = error.cause
            message = data.user_failure_data.description if data.user_failure_data else None
            text = message or (error.message.strip() if error else "") or "failed without a message"
            yield StepFailure(str(event.step_key), "", text, text)


if __name__ == "__main__":  # `make dev`: the folder that the web interface reads, before it starts
    prepare_instance(Settings())
