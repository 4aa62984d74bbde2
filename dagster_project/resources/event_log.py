"""Dagster's event log in SQLite, over one connection pool.

Belongs here: how events reach the disk. Does not belong here: what is recorded (``assets``, ``checks``). ``dagster.yaml`` names the class.

Dagster's own SQLite storages make a new engine for every event, so that each statement is compiled anew: on the real figures that
takes longer than the SQL of the whole warehouse.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property

from dagster._core.storage.event_log import ConsolidatedSqliteEventLogStorage
from sqlalchemy import Connection, Engine, create_engine

BUSY_SECONDS = 60  # the web interface and the daemon write to the same file


class PooledEventLog(ConsolidatedSqliteEventLogStorage):
    """All runs in one file, opened once. ``base_dir`` as for its parent."""

    @cached_property
    def _engine(self) -> Engine:
        return create_engine(self._conn_string, connect_args={"timeout": BUSY_SECONDS})

    @contextmanager
    def _connect(self) -> Iterator[Connection]:
        with self._engine.connect() as connection, connection.begin():
            yield connection

    def has_table(self, table_name: str) -> bool:
        """Asked at every check's result; a table that is there stays."""
        if table_name not in self._tables and super().has_table(table_name):
            self._tables.add(table_name)
        return table_name in self._tables

    @cached_property
    def _tables(self) -> set[str]:
        return set()

    def dispose(self) -> None:
        """Let the connections go."""
        if "_engine" in self.__dict__:
            self._engine.dispose()
        super().dispose()  # type: ignore[no-untyped-call]
