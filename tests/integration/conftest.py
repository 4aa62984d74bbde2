"""The fictitious city, refreshed once and shared by every integration test.

Belongs here: building a release of it through the same steps as the real one, and opening that release. Does not
belong here: what is to be true of it.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from dagster_project.release.refresh import Summary
from dagster_project.settings import REPOSITORY, Settings
from tests.fixtures.city import files, model
from tests.fixtures.city.truth import Truth
from tests.helpers import refresh


@dataclass(frozen=True)
class CityRelease:
    """A published release of the city, what it was made from, and what the truth is."""

    settings: Settings
    city: model.City
    truth: Truth
    summary: Summary

    def connect(self) -> duckdb.DuckDBPyConnection:
        """The release as readers open it."""
        return duckdb.connect(str(self.settings.released_database), read_only=True)


def write_root(root: Path) -> model.City:
    """raw/, seeds/ and a copy of dbt/: dbt finds its seeds beside its project."""
    city = files.write_city(root)
    shutil.copytree(REPOSITORY / "dbt", root / "dbt")
    return city


@pytest.fixture(scope="session")
def city_release(tmp_path_factory: pytest.TempPathFactory) -> CityRelease:
    root = tmp_path_factory.mktemp("city")
    city = write_root(root)
    settings = Settings(root=root)
    summary = refresh(settings)
    return CityRelease(settings, city, Truth(city, root / "seeds"), summary)


@pytest.fixture(scope="session")
def city_db(city_release: CityRelease) -> Iterator[duckdb.DuckDBPyConnection]:
    with city_release.connect() as connection:
        yield connection
