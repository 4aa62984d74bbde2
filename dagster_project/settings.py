"""Where things are and how large an input may be.

Belongs here: paths and limits, read once from the environment. Does not belong here: anything about a source, an
indicator or a rule; those are data under ``raw/`` and ``seeds/``. Imports the standard library only, because a refresh
that has nothing to do must decide so in a fraction of a second.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

IN_MEMORY = ":memory:"
REPOSITORY = Path(__file__).resolve().parent.parent


def _environment(name: str, default: Path) -> Path:
    return Path(os.environ[name]).resolve() if name in os.environ else default


def printable(path: Path) -> str:
    """A path as a text that can be stored: bytes of a name that are no UTF-8 are spelled out."""
    return os.fsencode(path.as_posix()).decode("utf-8", "backslashreplace")


def quoted(path: Path | str) -> str:
    """A path, or any text, between the quotation marks of a SQL text."""
    return str(path).replace("'", "''")


@dataclass(frozen=True)
class Limits:
    """What one file may cost. A file that needs more is refused, and says which limit it met."""

    file_bytes: int = 256 * 1024 * 1024
    unpacked_bytes: int = 1024 * 1024 * 1024
    unpacked_ratio: int = 400  # a workbook of one repeated number packs 100 : 1; a bomb 1000 : 1 and more
    cells: int = 20_000_000
    columns: int = 16_384
    rows: int = 5_000_000
    seconds: int = 60
    memory_bytes: int = 3 * 1024 * 1024 * 1024


@dataclass(frozen=True)
class Settings:
    """Paths of one warehouse. ``root`` holds raw/, seeds/ and warehouse/; the code and dbt project stay where they are."""

    root: Path = field(default_factory=lambda: _environment("FINCENTER_ROOT", REPOSITORY))
    limits: Limits = Limits()
    keep_releases: int = 10

    @property
    def raw(self) -> Path:
        return self.root / "raw"

    @property
    def seeds(self) -> Path:
        return self.root / "seeds"

    @property
    def warehouse(self) -> Path:
        return self.root / "warehouse"

    @property
    def ledger(self) -> Path:
        return self.warehouse / "ledger"

    @property
    def candidate(self) -> Path:
        return self.warehouse / "candidate" / "fincenter.duckdb"

    @property
    def candidate_inputs(self) -> Path:
        """The ledger, the publications and the seeds as dbt reads them; gone once the candidate is published."""
        return self.warehouse / "candidate" / "inputs.duckdb"

    @property
    def releases(self) -> Path:
        return self.warehouse / "releases"

    @property
    def current(self) -> Path:
        return self.warehouse / "current"

    @property
    def released_database(self) -> Path:
        return self.current / "fincenter.duckdb"

    @property
    def lock(self) -> Path:
        return self.warehouse / "refresh.lock"

    @property
    def dagster_home(self) -> Path:
        return self.warehouse / "dagster"

    @property
    def dbt_project(self) -> Path:
        """A warehouse elsewhere (a test city, a benchmark) brings a copy: dbt finds its seeds beside its project."""
        own = self.root / "dbt"
        return own if own.is_dir() else REPOSITORY / "dbt"

    @property
    def dbt_target(self) -> Path:
        return self.warehouse / "dbt"

    @property
    def plans(self) -> Path:
        """What dbt compiled. It holds no path and no data, so that several warehouses may share it."""
        return _environment("FINCENTER_PLANS", self.dbt_target)

    @property
    def scratch(self) -> str:
        """The database that staging and intermediate relations go to: in memory, or a file to look at afterwards."""
        return os.environ.get("FINCENTER_WORK", IN_MEMORY)

    @property
    def expectations(self) -> Path:
        return REPOSITORY / "expectations"

    def environment(self) -> dict[str, str]:
        """Variables for dbt, Dagster and Great Expectations: the paths, and every library's telemetry off."""
        return {
            "FINCENTER_ROOT": str(self.root),
            "FINCENTER_CANDIDATE": str(self.candidate),
            "FINCENTER_INPUTS": str(self.candidate_inputs),
            "DBT_TARGET_PATH": str(self.dbt_target),
            "DBT_PROFILES_DIR": str(self.dbt_project),
            "DBT_LOG_PATH": str(self.dbt_target / "logs"),
            "DAGSTER_HOME": str(self.dagster_home),
            "DO_NOT_TRACK": "1",
            "DAGSTER_DISABLE_TELEMETRY": "1",
            "GX_ANALYTICS_ENABLED": "false",
        }
