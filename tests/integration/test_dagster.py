"""Dagster's refresh: the same release as the plain steps give, and every failure told as data with the last release left up.

Belongs here: the wiring (order, blocking, triggers). Does not belong here: what a release holds, which `test_city` tests.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import duckdb
import pytest
import yaml

from dagster_project import definitions
from dagster_project.automation import triggers
from dagster_project.automation.run import RefreshOutcome
from dagster_project.settings import REPOSITORY, Settings
from tests.helpers import refresh_in_dagster
from tests.integration.conftest import CityRelease, write_root

# What differs from one build to the next of the same inputs.
OF_THE_BUILD = {
    "release": ["release_id", "built_at", "fingerprint"],
    "check_results": ["seconds"],
    "findings": ["first_seen", "last_seen"],
    "review_queue": ["first_seen"],
}
INPUTS = "marts.release_inputs"


@dataclass(frozen=True)
class DagsterCity:
    """The city refreshed through Dagster."""

    settings: Settings
    outcome: RefreshOutcome


@pytest.fixture(scope="module")
def dagster_city(tmp_path_factory: pytest.TempPathFactory) -> DagsterCity:
    root = tmp_path_factory.mktemp("dagster_city")
    write_root(root)
    settings = Settings(root=root)
    return DagsterCity(settings, refresh_in_dagster(settings))


@pytest.fixture
def city(dagster_city: DagsterCity) -> Iterator[Settings]:
    """The refreshed city, to be spoilt by a test: its inputs are put back afterwards, and readers must have seen no change."""
    settings = dagster_city.settings
    kept = settings.root.with_name(settings.root.name + "_kept")
    for name in ("seeds", "dbt", "raw"):
        shutil.copytree(settings.root / name, kept / name)
    before = settings.current.resolve()
    yield settings
    assert settings.current.resolve() == before
    for name in ("seeds", "dbt", "raw"):
        shutil.rmtree(settings.root / name)
        shutil.move(kept / name, settings.root / name)
    shutil.rmtree(kept)


def contents(settings: Settings) -> dict[str, tuple[int, int]]:
    """Rows and a hash of them for each relation of a release, leaving out what belongs to the build and not to its inputs."""
    found = {}
    with duckdb.connect(str(settings.released_database), read_only=True) as connection:
        listed = "select schema_name, table_name from duckdb_tables() union all"
        listed += " select schema_name, view_name from duckdb_views() where not internal"
        for schema, name in connection.execute(listed).fetchall():
            columns = [row[0] for row in connection.execute(f"describe {schema}.{name}").fetchall()]
            kept = [f'"{column}"' for column in columns if column not in (*OF_THE_BUILD.get(name, []), "recorded_at")]
            query = f"select count(*), coalesce(sum(hash(row({', '.join(kept)}))), 0) from {schema}.{name}"
            found[f"{schema}.{name}"] = connection.execute(query).fetchall()[0]
    return found


def test_the_release_is_the_one_of_the_plain_steps(dagster_city: DagsterCity, city_release: CityRelease) -> None:
    assert dagster_city.outcome.success, dagster_city.outcome.failures
    plain, wired = contents(city_release.settings), contents(dagster_city.settings)
    assert plain["marts.observations"][0] > 0
    assert set(wired) == set(plain)
    assert [name for name in plain if name != INPUTS and plain[name] != wired[name]] == []


def test_the_run_stands_in_dagsters_log_with_its_materializations(dagster_city: DagsterCity) -> None:
    home = dagster_city.settings.dagster_home
    configuration = yaml.safe_load((home / "dagster.yaml").read_text(encoding="utf-8"))
    assert configuration["telemetry"] == configuration["nux"] == {"enabled": False}
    assert configuration["event_log_storage"]["class"] == "PooledEventLog" and (home / "event_log.db").is_file()
    with dg.DagsterInstance.from_config(str(home)) as instance:
        run = instance.get_run_by_id(dagster_city.outcome.run_id)
        assert run is not None and run.is_success and run.job_name == triggers.JOB
        event = instance.get_latest_materialization_event(dg.AssetKey(["release"]))
        assert event is not None and event.asset_materialization is not None
        assert event.asset_materialization.metadata["release_id"].value == dagster_city.outcome.summary.release_id
        assert instance.get_latest_materialization_event(dg.AssetKey(["marts", "observations"])) is not None


def test_a_failed_expectation_keeps_the_last_release_and_is_named(city: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    shutil.copytree(REPOSITORY / "expectations", tmp_path / "expectations")
    path = tmp_path / "expectations" / "release" / "release.yml"
    suite = yaml.safe_load(path.read_text(encoding="utf-8"))
    suite["expectations"][0] |= {"id": "two_rows", "kwargs": {"value": 2}}
    path.write_text(yaml.safe_dump(suite, allow_unicode=True), encoding="utf-8")
    monkeypatch.setattr(Settings, "expectations", property(lambda _self: tmp_path / "expectations"))
    outcome = refresh_in_dagster(city)
    assert not outcome.success
    assert [(failure.step, failure.check) for failure in outcome.failures] == [("check_release", "release_release.two_rows")]
    assert outcome.failures[0].message_zh and outcome.failures[0].message_en
    with dg.DagsterInstance.from_config(str(city.dagster_home)) as instance:
        run = instance.get_run_by_id(outcome.run_id)
        assert run is not None and run.is_failure


def test_faulty_seeds_stop_before_anything_is_built(city: Settings) -> None:
    path = city.seeds / "codelists" / "cl_indicators.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([*lines, lines[1]]) + "\n", encoding="utf-8")
    outcome = refresh_in_dagster(city)
    assert not outcome.success
    assert [(failure.step, failure.check) for failure in outcome.failures] == [("check_seeds", "seeds_valid")]
    assert "cl_indicators.csv" in outcome.failures[0].message_en
    assert "dbt" not in outcome.summary.seconds


def test_a_model_that_fails_is_named(city: Settings) -> None:
    path = city.dbt_project / "models" / "marts" / "rankings.sql"
    path.write_text(path.read_text(encoding="utf-8").replace("select", "select no_such_column,", 1), encoding="utf-8")
    outcome = refresh_in_dagster(city)
    assert not outcome.success
    assert ("build_warehouse", "rankings") in [(failure.step, failure.check) for failure in outcome.failures]


def test_a_project_that_dbt_cant_read_is_told(city: Settings) -> None:
    (city.dbt_project / "models" / "marts" / "broken.sql").write_text("select {{ ref('nobody') }", encoding="utf-8")
    outcome = refresh_in_dagster(city)
    assert not outcome.success
    assert [failure.step for failure in outcome.failures] == ["definitions"]
    assert "broken" in outcome.failures[0].message_en


# --- definitions, without a run -------------------------------------------------------------------------------


def test_definitions_stay_short() -> None:
    assert len(Path(definitions.__file__).read_text(encoding="utf-8").splitlines()) < 60


def test_nothing_starts_by_itself_unless_asked(dagster_city: DagsterCity, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(triggers.SCHEDULE, raising=False)
    monkeypatch.delenv(triggers.SENSOR, raising=False)
    quiet = definitions.build(dagster_city.settings)
    assert not list(quiet.schedules or []) and not list(quiet.sensors or [])
    monkeypatch.setenv(triggers.SCHEDULE, "on")
    monkeypatch.setenv(triggers.SENSOR, "on")
    asked = definitions.build(dagster_city.settings)
    schedule = asked.resolve_schedule_def("monthly_refresh")
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("0 6 5 * *", "Asia/Shanghai")
    assert asked.resolve_sensor_def("raw_changed").job_name == triggers.JOB


def test_the_sensor_waits_until_raw_is_still(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(triggers.SENSOR, "on")
    file = tmp_path / "raw" / "one" / "files" / "a.csv"
    file.parent.mkdir(parents=True)
    (sensor,) = triggers.sensors(Settings(root=tmp_path))
    cursor: str | None = None
    requested = []
    for content in ("half", "whole", "whole", "whole", "changed", "changed"):
        if not file.exists() or file.read_text(encoding="utf-8") != content:
            file.write_text(content, encoding="utf-8")
        context = dg.build_sensor_context(cursor=cursor)
        data = sensor.evaluate_tick(context)
        requested.append(len(data.run_requests or []))
        cursor = data.cursor
    assert requested == [0, 0, 1, 0, 0, 1]
    assert set(json.loads(cursor or "{}")) == {"seen", "asked"}


def test_the_release_waits_for_every_mart_and_every_blocking_check(dagster_city: DagsterCity) -> None:
    job = definitions.build(dagster_city.settings).resolve_job_def(triggers.JOB)
    steps = {node.name for node in job.graph.nodes}
    assert steps == {"read_raw", "check_seeds", "build_warehouse", "check_intake", "check_release", "release", "check_findings"}
    upstream = {
        node.name: {
            handle.node_name
            for handles in job.graph.dependency_structure.input_to_upstream_outputs_for_node(node.name).values()
            for handle in handles
        }
        for node in job.graph.nodes
    }
    assert upstream["release"] >= {"build_warehouse", "check_intake", "check_release"}
    assert upstream["build_warehouse"] >= {"read_raw", "check_seeds"}
    assert upstream["check_findings"] >= {"release"}, "what waits for a person is told after the release, and holds up nothing"
