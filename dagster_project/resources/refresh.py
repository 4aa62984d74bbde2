"""The refresh that a Dagster run carries out, shared by its assets and checks.

Belongs here: making and closing it, and the lock. Does not belong here: its steps, which are plain Python in ``release.refresh``.
"""

from collections.abc import Iterator

import dagster as dg

from dagster_project.release.lock import refresh_lock
from dagster_project.release.refresh import Refresh
from dagster_project.settings import Settings

KEY = "refresh"


def refresh_resource(settings: Settings, given: Refresh | None = None) -> dg.ResourceDefinition:
    """One :class:`Refresh` a run. ``given`` is one whose caller made it, holds the lock and closes it: the command line's."""

    @dg.resource(description="本次刷新：设置、台账、候选发布 / this refresh: settings, ledger, candidate")
    def refresh(_context: dg.InitResourceContext) -> Iterator[Refresh]:
        if given is not None:
            yield given
            return
        with refresh_lock(settings):
            running = Refresh(settings)
            try:
                yield running
            finally:
                running.close()

    return refresh
