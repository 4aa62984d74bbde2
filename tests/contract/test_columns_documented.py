"""What readers are promised in words: documented columns, owned checks, nothing sent home, no source known to the code.

Belongs here: what the parsed dbt project and the files themselves show, without a database. Does not belong here: whether
the columns hold what they say (contracts and data tests, at every build).
"""

from __future__ import annotations

import csv
import json
import os
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from dagster_project.settings import REPOSITORY, Settings

CHINESE = re.compile(r"[\u4e00-\u9fff]")
ENGLISH = re.compile(r"[A-Za-z]{2,}.*\.$", re.DOTALL)
MOST_DATA_TESTS = 30  # each is a node in every refresh: more belong into one of the tests there are


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The project as dbt understands it, parsed into a directory of its own."""
    from dbt.cli.main import dbtRunner

    target = tmp_path_factory.mktemp("target")
    project = REPOSITORY / "dbt"
    before = dict(os.environ)
    os.environ.update(DO_NOT_TRACK="1", FINCENTER_CANDIDATE=str(target / "fincenter.duckdb"), FINCENTER_INPUTS=str(target / "inputs.duckdb"))
    try:
        result = dbtRunner().invoke(
            [
                "--quiet",
                "parse",
                "--no-partial-parse",
                *("--project-dir", str(project)),
                *("--profiles-dir", str(project)),
                *("--target-path", str(target)),
                *("--log-path", str(target / "logs")),
            ]
        )
    finally:
        os.environ.clear()
        os.environ.update(before)
    assert result.success, result.exception
    parsed: dict[str, Any] = json.loads((target / "manifest.json").read_text(encoding="utf-8"))
    return parsed


def _nodes(manifest: dict[str, Any], kind: str, folder: str = "") -> list[dict[str, Any]]:
    nodes = [node for node in manifest["nodes"].values() if node["resource_type"] == kind and node["package_name"] == "fincenter"]
    return [node for node in nodes if not folder or node["fqn"][1] == folder]


def _is_bilingual(text: str) -> bool:
    return bool(CHINESE.search(text) and ENGLISH.search(text.strip()))


def _models_with_yaml(folder: str) -> Iterator[dict[str, Any]]:
    for path in sorted((REPOSITORY / "dbt" / "models" / folder).glob("*.yml")):
        yield from yaml.safe_load(path.read_text(encoding="utf-8")).get("models", [])


def test_every_mart_has_an_enforced_contract_and_every_column_two_languages(manifest: dict[str, Any]) -> None:
    marts = _nodes(manifest, "model", "marts")
    assert marts
    faults = []
    for model in marts:
        # an enforced contract makes the build fail on a column that YAML lacks, so what is listed here is all there is
        if not model["config"]["contract"]["enforced"]:
            faults.append(f"{model['name']}: contract not enforced")
        if not _is_bilingual(model["description"]):
            faults.append(f"{model['name']}: description is not Chinese and English")
        if not model["columns"]:
            faults.append(f"{model['name']}: no columns")
        for column in model["columns"].values():
            if not _is_bilingual(column["description"]):
                faults.append(f"{model['name']}.{column['name']}: description is not Chinese and English")
            if not column["data_type"]:
                faults.append(f"{model['name']}.{column['name']}: no data_type")
    assert not faults, "\n".join(faults)


def test_every_mart_takes_its_comments_into_the_database(manifest: dict[str, Any]) -> None:
    lacking = [m["name"] for m in _nodes(manifest, "model", "marts") if m["config"]["persist_docs"] != {"relation": True, "columns": True}]
    assert not lacking


@pytest.mark.parametrize("folder", ["staging", "intermediate", "quality"])
def test_every_model_on_the_way_says_what_a_row_is(manifest: dict[str, Any], folder: str) -> None:
    lacking = [model["name"] for model in _nodes(manifest, "model", folder) if not _is_bilingual(model["description"])]
    assert not lacking
    half = [
        f"{m['name']}.{c['name']}" for m in _nodes(manifest, "model", folder) for c in m["columns"].values() if not _is_bilingual(c["description"])
    ]
    assert not half


def test_a_meaning_is_written_once() -> None:
    """The same words in two places drift apart: they belong into shared_columns.md."""
    words = Counter(
        column["description"]
        for folder in ("staging", "intermediate", "marts")
        for model in _models_with_yaml(folder)
        for column in model.get("columns", [])
        if "doc(" not in column["description"]
    )
    assert not [text for text, count in words.items() if count > 1]


def test_every_shared_description_is_used() -> None:
    shared = (REPOSITORY / "dbt" / "models" / "shared_columns.md").read_text(encoding="utf-8")
    defined = set(re.findall(r"{% docs (\w+) %}", shared))
    texts = "".join(path.read_text(encoding="utf-8") for path in (REPOSITORY / "dbt").rglob("*.yml"))
    assert defined == defined & set(re.findall(r"doc\('(\w+)'\)", texts))


def test_every_data_test_has_a_name_a_reason_and_an_owner(manifest: dict[str, Any]) -> None:
    tests = _nodes(manifest, "test")
    assert 0 < len(tests) <= MOST_DATA_TESTS
    faults = []
    for test in tests:
        name, meta = test["name"], test["config"]["meta"]
        if not name.isascii() or not re.fullmatch(r"[a-z][a-z0-9_]*", name):
            faults.append(f"{name!r}: name is not plain ASCII")
        if not _is_bilingual(test["description"]):
            faults.append(f"{name}: description is not Chinese and English")
        if not meta.get("owner") or not meta.get("why"):
            faults.append(f"{name}: no owner or no why")
        if test["config"]["severity"].lower() != "error":
            faults.append(f"{name}: an invariant blocks; a suspicion is a row in quality")
    assert not faults, "\n".join(faults)


def test_every_unit_test_has_an_ascii_name(manifest: dict[str, Any]) -> None:
    assert all(test["name"].isascii() for test in manifest.get("unit_tests", {}).values())


def test_every_seed_column_is_typed_and_described(manifest: dict[str, Any]) -> None:
    guide = (REPOSITORY / "docs" / "seeds.md").read_text(encoding="utf-8")
    faults = []
    for path in sorted((REPOSITORY / "seeds").glob("*/*.csv")):
        columns = path.read_text(encoding="utf-8").splitlines()[0].lstrip("\ufeff").split(",")
        seed = next((node for node in _nodes(manifest, "seed") if node["name"] == path.stem), None)
        if seed is None or set(seed["config"]["column_types"]) != set(columns):
            faults.append(f"{path.stem}: column types and header differ")
        elif not _is_bilingual(seed["description"]):
            faults.append(f"{path.stem}: description is not Chinese and English")
        section = re.search(rf"^### {path.stem}\n(.*?)(?=^##|\Z)", guide, re.DOTALL | re.MULTILINE)
        if section is None:
            faults.append(f"{path.stem}: not in docs/seeds.md")
        else:
            faults += [f"{path.stem}.{column}: not in docs/seeds.md" for column in columns if f"`{column}`" not in section[1]]
    assert not faults, "\n".join(faults)


def test_no_source_or_publication_is_known_to_the_code() -> None:
    """A source is a folder of data: the day its name stands in Python, the next one needs a programmer."""
    raw = REPOSITORY / "raw"
    sources = {folder.name for folder in raw.iterdir() if folder.is_dir() and not folder.name.startswith("_")}
    publications = {path.stem for path in raw.glob("*/files/*")}
    # a word that is also an ordinary one (corridor, rankings) counts where it stands alone in quotes or as part of a path
    alone = "|".join(re.escape(name) for name in sorted(sources | publications, key=len, reverse=True))
    quoted = re.compile(rf"""["'/`]({alone})["'/`.]""")
    compound = re.compile(
        "|".join(rf"\b{re.escape(name)}\b" for name in sorted(sources | publications) if "_" in name or any(c.isdigit() for c in name))
    )
    found = [
        f"{path.relative_to(REPOSITORY)}: {match[0]}"
        for path in sorted((REPOSITORY / "dagster_project").rglob("*.py"))
        for pattern in (quoted, compound)
        for match in pattern.finditer(path.read_text(encoding="utf-8"))
    ]
    assert not found, "\n".join(found)


def test_nothing_is_sent_home() -> None:
    project = yaml.safe_load((REPOSITORY / "dbt" / "dbt_project.yml").read_text(encoding="utf-8"))
    assert project["flags"]["send_anonymous_usage_stats"] is False
    environment = Settings(root=Path("somewhere")).environment()
    assert environment["DO_NOT_TRACK"] == "1"
    assert environment["DAGSTER_DISABLE_TELEMETRY"] == "1"
    assert environment["GX_ANALYTICS_ENABLED"] == "false"
    for path in REPOSITORY.rglob("dagster.y*ml"):
        assert yaml.safe_load(path.read_text(encoding="utf-8"))["telemetry"]["enabled"] is False, path


def test_wide_marts_have_a_column_for_every_indicator_of_their_theme(manifest: dict[str, Any]) -> None:
    with (REPOSITORY / "seeds" / "codelists" / "cl_indicators.csv").open(encoding="utf-8", newline="") as handle:
        themes = {row["indicator"]: row["theme"] for row in csv.DictReader(handle)}
    wide = {node["name"]: node["columns"].values() for node in _nodes(manifest, "model", "marts") if "wide_mart()" in node["raw_code"]}
    assert len(wide) == 7
    shown = {(theme, column["meta"].get("indicator")) for theme, columns in wide.items() for column in columns}
    assert {(theme, indicator) for indicator, theme in themes.items() if theme in wide} - shown == set(), "add a line to _themes.yml"
