"""The grammar of source.yml and of layouts: what is wrong is named by file and key."""

from __future__ import annotations

from pathlib import Path

import pytest

from dagster_project.intake.layouts import LayoutError, ListLayout, WideLayout, find_layouts, read_layout, read_source
from dagster_project.settings import REPOSITORY

LIST = """\
layout: plain
version: 1
title: {zh: 表, en: table}
shape: list
header: [地区, 指标, 数值]
roles: {area: 地区, indicator: 指标}
values: [{column: 数值}]
"""
WIDE = """\
layout: years
version: 1
title: {zh: 表, en: table}
shape: wide
header_starts: 地区
stub: area
columns: period
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


def test_both_shapes_are_read(tmp_path: Path) -> None:
    assert isinstance(read_layout(write(tmp_path / "a.yml", LIST))[0], ListLayout)
    assert isinstance(read_layout(write(tmp_path / "b.yml", WIDE))[0], WideLayout)


def test_the_hash_is_of_the_text(tmp_path: Path) -> None:
    path = write(tmp_path / "a.yml", LIST)
    first = read_layout(path)[1]
    assert read_layout(path)[1] == first
    assert read_layout(write(path, LIST.replace("version: 1", "version: 2")))[1] != first


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (LIST.replace("{column: 数值}", "{column: 数额}"), "'数额' is not in `header`"),
        (LIST.replace("indicator: 指标", "indicator: 项目"), "'项目' is not in `header`"),
        (LIST.replace("shape: list", "shape: tall"), "shape"),
        (LIST.replace("version: 1\n", ""), "version"),
        (LIST + "colour: red\n", "colour"),
        (LIST.replace("{column: 数值}", "{column: 数值, transformation: GROWTH}"), "transformation"),
        (LIST.replace("{column: 数值}", "{column: 数值, precision: exact}"), "precision"),
        (LIST.replace("area: 地区", "place: 地区"), "roles"),
        (WIDE.replace("stub: area", "stub: somewhere"), "stub"),
        (WIDE + "stop: ['(']\n", "stop"),
        (WIDE.replace("header_starts: 地区", "header_starts: [地区"), "not readable as YAML"),
        ("- a\n- b\n", "key(s) to mend"),
        ("", "key(s) to mend"),
    ],
)
def test_a_bad_layout_names_its_file_and_key(tmp_path: Path, text: str, said: str) -> None:
    path = write(tmp_path / "bad.yml", text)
    with pytest.raises(LayoutError) as caught:
        read_layout(path)
    assert "bad.yml" in str(caught.value) and said in str(caught.value)


def test_a_layout_in_another_encoding_is_a_layout_error(tmp_path: Path) -> None:
    path = tmp_path / "bad.yml"
    path.write_bytes(LIST.encode("gb18030"))
    with pytest.raises(LayoutError, match=r"bad\.yml: not readable as YAML"):
        read_layout(path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (SOURCE.replace("trust: 5", "trust: 9"), "trust"),
        (SOURCE.replace("cadence: annual", "cadence: yearly"), "cadence"),
        (SOURCE.replace("carrier_kind: official_site", "carrier_kind: blog"), "carrier_kind"),
        (SOURCE.replace("publisher: nbs\n", ""), "publisher"),
        (SOURCE + "owner: me\n", "owner"),
        (SOURCE.replace("title: {zh: 源, en: source}", "title: {zh: 源"), "not readable as YAML"),
    ],
)
def test_a_bad_source_names_its_file_and_key(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(LayoutError) as caught:
        read_source(write(tmp_path / "s" / "source.yml", text))
    assert "source.yml" in str(caught.value) and said in str(caught.value)


def test_a_sources_own_layout_wins_over_the_shared_one(tmp_path: Path) -> None:
    source = read_source(write(tmp_path / "s" / "source.yml", SOURCE))
    write(tmp_path / "_layouts" / "plain.yml", LIST)
    assert find_layouts(tmp_path, source)["plain"][0].version == 1
    write(tmp_path / "s" / "layouts" / "plain.yml", LIST.replace("version: 1", "version: 7"))
    assert find_layouts(tmp_path, source)["plain"][0].version == 7


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
