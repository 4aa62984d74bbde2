"""What may start a refresh by itself. Both are off unless the environment asks: a statistics office decides when it publishes.

``FINCENTER_SCHEDULE=on``: the 5th of each month, 06:00 in Shanghai. ``FINCENTER_SENSOR=on``: when files under ``raw/`` changed.
"""

import hashlib
import json
import os
from collections.abc import Iterator

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from dagster_project.settings import Settings

JOB = "refresh"
SCHEDULE, SENSOR = "FINCENTER_SCHEDULE", "FINCENTER_SENSOR"


def refresh_job() -> UnresolvedAssetJobDefinition:
    """Everything, in order, in one process: the steps share one candidate file."""
    return dg.define_asset_job(JOB, selection=dg.AssetSelection.all(), executor_def=dg.in_process_executor)


def raw_state(settings: Settings) -> str:
    """A hash of names, sizes and times under ``raw/``: no file is opened."""
    state = hashlib.sha256()
    for path in sorted(settings.raw.rglob("*")):
        if path.is_file():
            stat = path.stat()
            state.update(f"{path.relative_to(settings.raw).as_posix()}\t{stat.st_size}\t{stat.st_mtime_ns}\n".encode())
    return state.hexdigest()


def schedules() -> list[dg.ScheduleDefinition]:
    """The monthly schedule, where asked for."""
    if os.environ.get(SCHEDULE) != "on":
        return []
    return [
        dg.ScheduleDefinition(
            name="monthly_refresh",
            job_name=JOB,
            cron_schedule="0 6 5 * *",
            execution_timezone="Asia/Shanghai",
            default_status=dg.DefaultScheduleStatus.RUNNING,
        )
    ]


def sensors(settings: Settings) -> list[dg.SensorDefinition]:
    """The sensor on ``raw/``, where asked for."""
    if os.environ.get(SENSOR) != "on":
        return []

    @dg.sensor(name="raw_changed", job_name=JOB, minimum_interval_seconds=60, default_status=dg.DefaultSensorStatus.RUNNING)
    def raw_changed(context: dg.SensorEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
        # The cursor keeps what was seen last time too: a folder that still changes is being copied into, so it is left alone.
        before = json.loads(context.cursor) if context.cursor else {"seen": "", "asked": ""}
        now = raw_state(settings)
        if now == before["asked"]:
            yield dg.SkipReason("nothing under raw/ has changed")
        elif now != before["seen"]:
            context.update_cursor(json.dumps({**before, "seen": now}))
            yield dg.SkipReason("raw/ is changing; it will be read once it is still")
        else:
            context.update_cursor(json.dumps({"seen": now, "asked": now}))
            yield dg.RunRequest(run_key=now)

    return [raw_changed]
