"""One refresh at a time. The lock is the operating system's, so a killed refresh leaves none behind.

Belongs here: taking the lock and saying who holds it. Standard library only.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import socket
from collections.abc import Iterator
from datetime import UTC, datetime

from dagster_project.settings import Settings


class Locked(RuntimeError):
    """Another refresh is running; the message says which process, on which host, since when."""


@contextlib.contextmanager
def refresh_lock(settings: Settings) -> Iterator[None]:
    """Hold the warehouse's lock, or raise :class:`Locked`."""
    settings.warehouse.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(settings.lock, os.O_RDWR | os.O_CREAT, 0o644)
    with os.fdopen(descriptor, "r+", encoding="utf-8") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Locked(_holder(handle.read())) from error
        handle.seek(0)
        handle.truncate()
        json.dump({"pid": os.getpid(), "host": socket.gethostname(), "since": datetime.now(UTC).isoformat(timespec="seconds")}, handle)
        handle.flush()
        yield


def _holder(text: str) -> str:
    try:
        holder = json.loads(text)
    except json.JSONDecodeError:
        return "another refresh is starting; try again in a moment"
    return (
        f"another refresh is running: process {holder['pid']} on {holder['host']}, since {holder['since']}. "
        "Wait for it, or end that process; nothing is lost either way."
    )
