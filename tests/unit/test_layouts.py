"""The grammar of source.yml and of layouts: what is wrong is named by file, line and key."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from dagster_project.intake.layouts import SCHEMAS, LayoutError, find_layouts, read_layout, read_source, schema_text
from dagster_project.settings import REPOSITORY

LAYOUT = """\
layout: plain
title: {zh: 表, en: table}
above: ['单位：{unit}']
columns:
  - 地区: area
  - '{period}': values
  - 同比: {holds: values, transformation: G1Y, fixed: {unit: "%"}}
rows:
  - '其中：{indicator}': child
values: {precision: column}
"""
SOURCE = """\
source_id: s
title: {zh: 源, en: source}
publisher: nbs
carrier_kind: official_site
trust: 5
fidelity: 5
cadence: annual
licence: none
language: zh
layouts: [plain]
"""


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_a_layout_is_its_columns_in_order(tmp_path: Path) -> None:
    layout, _hash = read_layout(write(tmp_path / "plain.yml", LAYOUT))
    assert [(heading, column.holds, column.transformation) for heading, column in layout.headings] == [
        ("地区", "area", None), ("{period}", "values", None), ("同比", "values", "G1Y"),
    ]  # fmt: skip
    assert layout.row_patterns[0][1].holds == "child" and layout.values.precision == "column"


def test_the_hash_is_of_the_text(tmp_path: Path) -> None:
    path = tmp_path / "plain.yml"
    first = read_layout(write(path, LAYOUT))[1]
    assert read_layout(path)[1] == first
    assert read_layout(write(path, LAYOUT + "# changed\n"))[1] != first


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("{period}", "{perod}", ["line 6", "{perod} is no role", "reference, area, indicator"]),
        ("单位：{unit}", "/(/", ["line 3, above", "no regular expression"]),
        ("transformation: G1Y", "transformation: GROWTH", ["line 7, columns › 3 › 同比 › transformation"]),
        ("transformation: G1Y", "transformaton: G1Y", ["line 7", "did you mean 'transformation'?"]),
        ("地区: area", "地区: place", ["line 5, columns › 1 › 地区"]),
        ("地区: area", "地区: {holds: area, coverage: ytd}", ["line 5", "`coverage` is for columns that hold value or values, not area"]),
        ("地区: area", "地区: area\n    备注: note", ["line 5, columns › 1", "a line each"]),
        ("layout: plain\n", "", ["layout", "required"]),
        ("layout: plain", "layout: other", ["layout: is 'other', but the file is called 'plain'"]),
        ("precision: column", "precision: exact", ["line 10, values › precision"]),
        ("title: {zh: 表, en: table}", "title: {zh: 表, en: table}\ntitle: {zh: 二, en: two}", ["line 3, title: stands there twice"]),
        ("title: {zh: 表, en: table}", "title: {zh: 表", ["line", "not readable as YAML"]),
        (": values", ": ignore", ["no column holds `value` or `values`"]),
        ("values: {precision: column}", "colour: red", ["line 10, colour"]),
        ("values: {precision: column}", "header: []", ["line 10, header", "at least one row"]),
    ],
)
def test_a_bad_layout_names_its_file_line_and_key(tmp_path: Path, old: str, new: str, said: list[str]) -> None:
    text = LAYOUT.replace(old, new)
    if "no column holds" in said[0]:
        text = text.replace('{holds: ignore, transformation: G1Y, fixed: {unit: "%"}}', "ignore")
    with pytest.raises(LayoutError) as caught:
        read_layout(write(tmp_path / "plain.yml", text))
    assert "plain.yml" in str(caught.value) and str(tmp_path) not in str(caught.value)
    assert all(words in str(caught.value) for words in said), str(caught.value)


def test_an_empty_or_strange_file_is_a_layout_error(tmp_path: Path) -> None:
    for text in ("", "- a\n- b\n", "just words"):
        with pytest.raises(LayoutError, match=r"plain\.yml"):
            read_layout(write(tmp_path / "plain.yml", text))
    (tmp_path / "plain.yml").write_bytes(LAYOUT.encode("gb18030"))
    with pytest.raises(LayoutError, match=r"plain\.yml: not readable as YAML"):
        read_layout(tmp_path / "plain.yml")


def test_validity_is_asked_of_a_known_day_only(tmp_path: Path) -> None:
    layout, _hash = read_layout(write(tmp_path / "plain.yml", LAYOUT + "valid: {from: 2020-01-01, to: 2020-12-31}\n"))
    asked = [date(2019, 12, 31), date(2020, 1, 1), date(2020, 12, 31), date(2021, 1, 1), None]
    assert [layout.holds_on(day) for day in asked] == [False, True, True, False, True]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("trust: 5", "trust: 9", "line 5, trust"),
        ("cadence: annual", "cadence: yearly", "line 7, cadence"),
        ("carrier_kind: official_site", "carrier_kind: blog", "line 4, carrier_kind"),
        ("publisher: nbs\n", "", "publisher"),
        ("language: zh", "langage: zh", "did you mean 'language'?"),
        ("title: {zh: 源, en: source}", "title: {zh: 源", "not readable as YAML"),
    ],
)
def test_a_bad_source_names_its_file_line_and_key(tmp_path: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(LayoutError) as caught:
        read_source(write(tmp_path / "s" / "source.yml", SOURCE.replace(old, new)))
    assert "source.yml" in str(caught.value) and said in str(caught.value), str(caught.value)


def test_a_sources_own_layout_wins_over_the_shared_one(tmp_path: Path) -> None:
    source = read_source(write(tmp_path / "s" / "source.yml", SOURCE))
    write(tmp_path / "_layouts" / "plain.yml", LAYOUT)
    assert find_layouts(tmp_path, source)["plain"][0].title.zh == "表"
    write(tmp_path / "s" / "layouts" / "plain.yml", LAYOUT.replace("zh: 表", "zh: 自有"))
    assert find_layouts(tmp_path, source)["plain"][0].title.zh == "自有"


def test_a_layout_that_is_named_and_absent(tmp_path: Path) -> None:
    source = read_source(write(tmp_path / "s" / "source.yml", SOURCE))
    with pytest.raises(LayoutError, match=r"source\.yml: layout 'plain' is named but neither"):
        find_layouts(tmp_path, source)


def test_every_layout_and_source_of_the_repository_is_good() -> None:
    paths = sorted((REPOSITORY / "raw").glob("*/source.yml"))
    assert paths
    for path in paths:
        source = read_source(path)
        assert source.source_id == path.parent.name
        assert set(find_layouts(REPOSITORY / "raw", source)) == set(source.layouts)


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_committed_schema_is_current(name: str) -> None:
    committed = (REPOSITORY / "raw" / "_layouts" / name).read_text(encoding="utf-8")
    assert committed == schema_text(SCHEMAS[name]), "write it anew: python -m tests.tools.write_schemas"
