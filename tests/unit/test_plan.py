"""When dbt has to compile anew, and that its plan is the project: without a database, and with dbt only where it can't be helped."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from dagster_project.release import plan as plans
from dagster_project.release.plan import Plan, PlanError, compile_plan, load_plan, plan_key
from dagster_project.settings import REPOSITORY, Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "dbt" / "models").mkdir(parents=True)
    (tmp_path / "dbt" / "models" / "m.sql").write_text("select 1", encoding="utf-8")
    (tmp_path / "seeds").mkdir()
    (tmp_path / "seeds" / "s.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    (tmp_path / "raw").mkdir()
    return Settings(root=tmp_path)


@pytest.mark.parametrize(
    ("path", "text", "changes"),
    [
        ("dbt/models/m.sql", "select 2", True),
        ("dbt/models/new.yml", "version: 2", True),
        ("seeds/s.csv", "a,c\n1,2\n", True),
        ("seeds/properties.yml", "version: 2", True),
        ("seeds/s.csv", "a,b\n1,2\n3,4\n", False),
        ("raw/a.csv", "1", False),
    ],
)
def test_a_plan_depends_on_the_project_and_on_the_columns_of_seeds(settings: Settings, path: str, text: str, changes: bool) -> None:
    before = plan_key(settings)
    (settings.root / path).write_text(text, encoding="utf-8")
    assert (plan_key(settings) != before) is changes


def test_dbt_compiles_once_for_each_state_and_few_are_kept(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FINCENTER_PLANS", str(settings.root / "plans"))
    compiled: list[str] = []
    node = plans.Node("model.m", "m", "table", "marts", '"m"', "select 1", ("source.s",), "一 One.", (plans.Column("a", "integer", "甲 A.", True),))

    def compile_once(_settings: Settings) -> Plan:
        compiled.append(plan_key(_settings))
        return Plan((node,), {"memory_limit": "1GB"}, 2)

    monkeypatch.setattr(plans, "compile_plan", compile_once)
    first = load_plan(settings)
    assert load_plan(settings) == first == Plan((node,), {"memory_limit": "1GB"}, 2)
    assert len(compiled) == 1
    for number in range(plans.KEPT + 3):
        (settings.dbt_project / "models" / "m.sql").write_text(f"select {number} + 10", encoding="utf-8")
        load_plan(settings)
    assert len(compiled) == 1 + plans.KEPT + 3
    assert len(list(settings.plans.glob("plan-*.json"))) == plans.KEPT


@pytest.fixture
def project(tmp_path: Path) -> Settings:
    """A copy of the dbt project's frame, to put a few models into."""
    for name in ("dbt_project.yml", "profiles.yml"):
        (tmp_path / "dbt").mkdir(exist_ok=True)
        shutil.copy(REPOSITORY / "dbt" / name, tmp_path / "dbt" / name)
    shutil.copytree(REPOSITORY / "dbt" / "macros", tmp_path / "dbt" / "macros")
    (tmp_path / "dbt" / "models" / "marts").mkdir(parents=True)
    (tmp_path / "dbt" / "tests").mkdir()
    (tmp_path / "seeds").mkdir()
    return Settings(root=tmp_path)


def _write(project: Settings) -> Callable[[str, str], None]:
    def write(path: str, text: str) -> None:
        (project.dbt_project / path).write_text(text, encoding="utf-8")

    return write


def test_a_plan_has_order_columns_and_sql_and_no_ephemeral_model(project: Settings) -> None:
    write = _write(project)
    write("models/marts/base.sql", "select 1 as n")
    write("models/marts/between.sql", "{{ config(materialized='ephemeral') }} select n + 1 as n from {{ ref('base') }}")
    write("models/marts/top.sql", "select n from {{ ref('between') }}")
    write("tests/small.sql", "select n from {{ ref('top') }} where n > 5")
    column = "columns: [{name: n, data_type: integer, description: 数 A number., constraints: [{type: not_null}]}]"
    models = "\n".join(f"  - {{name: {name}, description: 表 A table., {column}}}" for name in ("base", "between", "top"))
    write("models/marts/all.yml", f"version: 2\nmodels:\n{models}\n")
    plan = compile_plan(project)
    nodes = {node.name: node for node in plan.nodes}
    assert [node.name for node in plan.nodes] == ["base", "top", "small"]
    assert nodes["top"].parents == ("model.fincenter.base",) and nodes["small"].parents == ("model.fincenter.top",)
    assert '"fincenter"."marts"."base"' in nodes["top"].sql
    assert nodes["top"].columns == (plans.Column("n", "integer", "数 A number.", True),)
    assert nodes["top"].contract and nodes["top"].commented and nodes["small"].kind == "test"
    assert plan.threads == 3 and plan.settings["memory_limit"] == "2500MB"


@pytest.mark.parametrize(
    ("path", "text", "words"),
    [
        ("models/marts/m.sql", "select {{ ref('nobody') }", "m"),
        (
            "models/marts/m.sql",
            "{{ config(materialized='incremental', contract={'enforced': false}) }} select 1 as n",
            "no refresh builds a incremental",
        ),
        ("tests/t.sql", "{{ config(fail_calc='sum(n)') }} select 1 as n", "fail_calc"),
    ],
)
def test_what_a_refresh_cant_run_is_said(project: Settings, path: str, text: str, words: str) -> None:
    _write(project)(path, text)
    with pytest.raises(PlanError, match=words):
        compile_plan(project)
