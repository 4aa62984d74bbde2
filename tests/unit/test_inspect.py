"""Looking at a file before it is loaded: drafts that read what a person's layout reads, every cell accounted for, a page that no file can break."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from dagster_project import cli
from dagster_project.intake import layouts, ledger
from dagster_project.intake.cells import read_through
from dagster_project.intake.inspection.draft import as_layout
from dagster_project.intake.inspection.known import Known, judged, nearest, read_known
from dagster_project.intake.inspection.look import Inspection, as_data, inspected
from dagster_project.intake.inspection.page import page
from dagster_project.intake.tables import UnreadableFile, read_book
from dagster_project.settings import REPOSITORY, Settings

PUBLISHED = REPOSITORY / "tests" / "fixtures" / "published" / "raw"
READ = (
    "sheet",
    "cell",
    "value_text",
    "label_key",
    "area_key",
    "unit_key",
    "period_start",
    "period_end",
    "transformation",
    "kind_text",
    "parent_text",
)
# What a person had to type into the draft of each family's fixture before it read what the written layout reads; families not named: nothing.
TYPED: dict[str, dict[str, Any]] = {
    "f5_bulletin": {"fixed": {"kind": "observation", "area": "重庆市"}, "qualify": True},
    "f7_plan": {"fixed": {"area": "渝中区"}},
}
FILES = sorted(path for path in PUBLISHED.glob("f[1-8]_*/files/*"))

MESSY = """\
表3 分区县主要指标（2024年）,,,,
单位：亿元,,,,
地　区,地区生产总值,金融业增加值,金融业增加值同比(%),备 注
中心城区,,,,
渝中区,"1,712.8",420.5,4.2,
江 北 区,1850.1*,—,,含法人机构
<script>alert(1)</script>,100,"<img src=x onerror=alert(1)>",2.0,"""
MESSY += '''"""><svg onload=alert(1)>"
注：* 为初步数。,,,,
'''


@pytest.fixture(scope="module")
def known() -> Known:
    return read_known(Settings(root=REPOSITORY))


def look(text: str | bytes, known: Known, **more: Any) -> Inspection:
    return inspected(text.encode() if isinstance(text, str) else text, known, "t", **more)


# --- drafts ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_draft_reads_what_the_layout_of_a_person_reads(path: Path, known: Known) -> None:
    """Value, address, indicator, area, unit, period and transformation of every cell, for a fixture of each family."""
    source = layouts.read_source(path.parents[1] / "source.yml")
    data = path.read_bytes()
    found = inspected(data, known, path.stem, missing_marks=source.missing_marks)
    typed = TYPED.get(path.parents[1].name)
    if typed is not None:
        amended = layouts.Layout.model_validate({**yaml.safe_load(found.draft), **typed})
        found = inspected(data, known, path.stem, amended, missing_marks=source.missing_marks)
    book = read_book(data)
    _hash, located = ledger.locate_with(list(layouts.find_layouts(PUBLISHED, source).values()), book)
    assert found.cells is not None, found.problem
    wanted = ledger.parsed(read_through(located.layout, book), source.missing_marks).select(READ).sort(READ[:2])
    assert found.cells.select(READ).sort(READ[:2]).to_dicts() == wanted.to_dicts(), located.layout.layout
    assert wanted.height > 0


def test_every_family_has_a_fixture() -> None:
    assert {path.parents[1].name[:2] for path in FILES} >= {"f1", "f2", "f3", "f4", "f5", "f6", "f7"}


def test_a_draft_asks_for_what_is_nowhere_printed(known: Known) -> None:
    found = look("地区,2023年,2022年\n渝中区,1.5,2.5\n江北区,3.5,4.5\n", known)
    assert "add to the line above: indicator" in found.draft and "add to the line above: unit" in found.draft
    assert "add to the line above: period" not in found.draft and "add to the line above: area" not in found.draft
    assert found.counts["refused"] == 4
    assert {refusal for _outcome, refusal, _count in found.by_refusal} == {"unmapped_label"}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("时间,地区生产总值(亿元),金融业增加值(亿元)\n2022年,1.5,2.5\n2023年,3.5,4.5\n", ["period", "values"]),
        ("地区代码,地区,2023年,备注\n500103,渝中区,1.5,\n500105,江北区,2.5,x\n", ["ignore", "area", "values", "note"]),
        ("序号,指标,单位,数值,同比(%)\n1,地区生产总值,亿元,1.5,3\n2,金融业增加值,亿元,2.5,4\n", ["reference", "indicator", "unit", "value", "value"]),
        ("年份,月份,金融业增加值（亿元）\n2023,1月,1.5\n2023,2月,2.5\n", ["year", "period", "values"]),
    ],
)
def test_columns_are_told_by_their_headings_and_by_what_stands_below(text: str, holds: list[str], known: Known) -> None:
    found = look(text, known)
    assert found.layout is not None
    assert [column.holds for _heading, column in found.layout.headings] == holds


def test_a_heading_over_a_blank_column_among_figures_is_one_of_figures(known: Known) -> None:
    """A year for which nothing is out yet: the next file has it."""
    found = look("指标：地区生产总值(亿元)\n地区,2024年,2023年\n渝中区,,1.5\n江北区,,2.5\n", known)
    assert found.layout is not None and [heading for heading, _column in found.layout.headings] == ["地区", "{period}"]
    assert found.counts == {"accepted": 2, "refused": 0, "missing": 2, "other_kind": 0}


def test_tables_one_under_the_other_each_with_its_own_title(known: Known) -> None:
    one = "表1 地区生产总值（亿元）,,\n地区,2022年,2023年\n渝中区,1560.0,1600.5\n江北区,1700.5,1800.5\n"
    found = look(one + ",,\n" + one.replace("表1 地区生产总值", "表2 金融业增加值"), known)
    assert found.layout is not None and found.layout.above == ("表* {indicator}（{unit}）",) and not found.layout.rows
    assert found.cells is not None and found.cells.group_by("indicator", maintain_order=True).len().rows() == [("gdp", 4), ("fin_value_added", 4)]


def test_years_over_levels_and_growth_without_merged_cells(known: Known) -> None:
    """A text table knows no merges: what stands above several headings stands in the first of them."""
    text = "重庆市金融运行情况,,,,\n指标,2023年,,2024年,\n,绝对量（亿元）,同比增长（%）,绝对量（亿元）,同比增长（%）\n一、存款,,,,\n人民币各项存款余额,100.5,3.0,110.5,4.0\n二、贷款,,,,\n人民币各项贷款余额,90.5,3.0,95.5,4.0\n"
    found = look(text, known)
    assert found.layout is not None and [heading for heading, _column in found.layout.headings] == [
        "指标",
        "{period} / 同比增长（%）",
        "{period} / 绝对量（{unit}）",
    ]
    assert found.counts == {"accepted": 8, "refused": 0, "missing": 0, "other_kind": 0}
    assert found.cells is not None and set(found.cells["ref_area"]) == {"500000"}


def test_dates_a_month_apart_stand_for_months(known: Known) -> None:
    found = look("日期,金融业增加值（亿元）\n2023-01-01,1.5\n2023-02-01,2.5\n2023-03-01,3.5\n", known)
    assert found.layout is not None and found.layout.dates == "month"
    assert found.cells is not None and str(found.cells["period_end"][0]) == "2023-01-31"


def test_a_file_without_figures_gives_no_draft(known: Known) -> None:
    found = look("编号,名称\n甲,乙\n丙,丁\n", known)
    assert found.draft == "" and found.cells is None and found.main is None


TEXTS = st.sampled_from(
    ["", "", "1.5", "2,000", "-", "…", "地区", "指标", "单位", "亿元", "渝中区", "地区生产总值", "2023年", "2022", "2023-05-01", "44348", "同比增长(%)", "注：x", "其中：金融业", "{x}", "/a/", "*", "a: b # c", "'", "1-本月", "续表", "①", " 住户存款", "A (B)", "\u3000", "0", "12 345.6", "左右", "500左右"]
)  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(grid=st.integers(1, 6).flatmap(lambda width: st.lists(st.lists(TEXTS, min_size=width, max_size=width), min_size=1, max_size=12)))
def test_any_table_is_looked_at_without_fail(grid: list[list[str]], known: Known) -> None:
    """No exception; a draft always loads; every cell has exactly one outcome; the page shows."""
    text = "\n".join(",".join(f'"{cell}"' for cell in row) for row in grid) + "\n"
    try:
        found = look(text, known)
    except UnreadableFile:
        return
    if found.draft:
        assert as_layout(found.draft) == found.layout
    if found.cells is not None:
        assert sum(found.counts.values()) == found.cells.height
    assert page(found, "t.csv").endswith("</html>\n")


# --- what becomes of cells ------------------------------------------------------------------------------------


def test_labels_are_judged_by_the_seeds_of_their_source(tmp_path: Path) -> None:
    """A source's own alias wins over the common one; without a source only the common ones hold."""
    folder = tmp_path / "seeds" / "mapping"
    folder.mkdir(parents=True)
    head = "source_id,label,part,indicator,breakdown,currency_scope,transformation,prices,ref_area,note\n"
    (folder / "aliases.csv").write_text(
        head + "*,存款,0,common,_T,_U,,,,\nown,存款,0,special,_T,all,,,,\nother,别的,0,x,_T,_Z,,,,\n", encoding="utf-8"
    )
    labels = {source: read_known(Settings(root=tmp_path), source).labels for source in ("", "own")}
    assert labels[""].select("label_key", "indicator").rows() == [("存款", "common")]
    assert labels["own"].select("label_key", "indicator").rows() == [("存款", "special")]


def test_without_seeds_nothing_is_known_and_nothing_fails(tmp_path: Path) -> None:
    found = look(MESSY, read_known(Settings(root=tmp_path)))
    assert found.cells is None or found.counts["accepted"] == 0


def test_every_refusal_names_the_cell_the_reason_and_the_nearest(known: Known) -> None:
    text = "地区,指标,数值,单位,时期\n渝中区,地区生产总直,1.5,亿元,2023年\n渝中巷,地区生产总值,1.5,亿元,2023年\n渝中区,地区生产总值,1.5,蒲式耳,2023年\n渝中区,地区生产总值,1.5,%,2023年\n渝中区,地区生产总值,1.5,亿元,2023年13月\n渝中区,地区生产总值,1.5,亿元,2023年\n"
    layout = layouts.Layout.model_validate(
        {"layout": "t", "title": {"zh": "表", "en": "t"}, "columns": [{"地区": "area"}, {"指标": "indicator"}, {"数值": "value"}, {"单位": "unit"}, {"时期": "period"}], "fixed": {"kind": "observation"}}
    )  # fmt: skip
    found = look(text, known, layout=layout, missing_marks={})
    assert found.cells is not None and not found.all_read
    refused = dict(found.cells.filter(pl.col("outcome") == "refused").select("cell", "refusal").iter_rows())
    assert refused == {"C2": "unmapped_label", "C3": "unmapped_area", "C4": "unmapped_unit", "C5": "unit_dimension", "C6": "period_impossible"}
    assert {(one.what, one.text, one.nearest) for one in found.unknown()} == {
        ("label", "地区生产总直", "地区生产总值"),
        ("area", "渝中巷", "渝中"),
        ("unit", "蒲式耳", ""),
    }
    told = as_data(found, 5)
    assert told["counts"]["accepted"] == 1 and [cell["cell"] for cell in told["cells"]] == ["C2", "C3", "C4", "C5", "C6", "C7"]


def test_the_nearest_spelling_is_only_told_where_one_is_near() -> None:
    assert nearest("地区生产总直", {"地区生产总值", "存款"}) == "地区生产总值"
    assert nearest("完全不同", {"地区生产总值"}) == ""


def test_judging_keeps_every_row_in_order(known: Known) -> None:
    found = look(MESSY, known)
    assert found.reading is not None
    parsed = ledger.parsed(found.reading, {})
    assert judged(parsed, known).select(parsed.columns).equals(parsed)


# --- the page -------------------------------------------------------------------------------------------------


class _Page(HTMLParser):
    """Tags, classes and texts of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def cells(self, kind: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.tags if tag == "td" and kind in (attributes.get("class") or "").split()]


def test_a_hostile_sheet_is_only_text(known: Known) -> None:
    text = page(look(MESSY, known), '"><script>alert(2)</script>.csv')
    parsed = _Page(text)
    assert not {tag for tag, _attributes in parsed.tags} & {"script", "img", "svg", "link", "iframe", "object"}
    assert not [name for _tag, attributes in parsed.tags for name in attributes if name.startswith("on")]
    assert all(value.startswith("#") for _tag, attributes in parsed.tags if (value := attributes.get("href")))
    assert "http://" not in text and "https://" not in text and "&lt;script&gt;alert(1)&lt;/script&gt;" in text


def test_the_page_colours_cells_by_what_they_became_and_lists_the_refused(known: Known) -> None:
    found = look(MESSY, known)
    parsed = _Page(page(found, "t.csv"))
    assert {kind: len(parsed.cells(kind)) for kind in ("accepted", "refused", "missing")} == {
        kind: found.counts[kind] for kind in ("accepted", "refused", "missing")
    }
    assert (
        len(parsed.cells("header")) == 5 and len(parsed.cells("section")) == 1 and len(parsed.cells("note")) == 1 and len(parsed.cells("above")) == 2
    )
    for cell in parsed.cells("refused"):
        assert "地区名未登记" in (cell["title"] or "") or "读不出数" in (cell["title"] or "") or "文字" in (cell["title"] or "")
        assert [1 for tag, attributes in parsed.tags if tag == "a" and attributes.get("href") == f"#{cell['id']}"], "each refused cell is in the list"


def test_merged_cells_stay_merged(known: Known) -> None:
    found = look((PUBLISHED / "f3_yearbook" / "files" / "f3_yearbook.xlsx").read_bytes(), known)
    spans = {(attributes.get("rowspan"), attributes.get("colspan")) for tag, attributes in _Page(page(found, "t")).tags if tag == "td"}
    assert {("2", None), (None, "2"), (None, "6")} <= spans


# --- the command ----------------------------------------------------------------------------------------------


def command(*arguments: str) -> tuple[int, str, str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FINCENTER_ROOT", str(REPOSITORY))
        patch.setenv("COLUMNS", "180")
        result = CliRunner().invoke(cli.app, ["inspect", *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


def test_the_draft_goes_to_the_output_and_the_report_beside_it(tmp_path: Path) -> None:
    file = tmp_path / "甲.csv"
    file.write_text(MESSY, encoding="utf-8")
    code, out, err = command(str(file))
    assert code == 0
    assert as_layout(out).layout == "draft" and "未登记 unknown" in err and "渝中区" not in out
    assert sorted(path.name for path in tmp_path.iterdir()) == ["甲.csv"], "nothing is written"


def test_exit_codes(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_text("指标：地区生产总值(亿元)\n地区,2023年\n重庆市,1.5\n", encoding="utf-8")
    bad.write_text("指标：地区生产总值(亿元)\n地区,2023年\n渝中巷,1.5\n", encoding="utf-8")
    layout = str(PUBLISHED / "f1_export" / "layouts" / "province_year.yml")
    assert command(str(good), "--layout", layout)[0] == 0
    code, out, _err = command(str(bad), "--layout", layout)
    assert code == 7 and "B3" in out and "渝中巷" in out
    (tmp_path / "other.csv").write_text("区县,2023年\n重庆市,1.5\n", encoding="utf-8")
    code, out, _err = command(str(tmp_path / "other.csv"), "--layout", layout)
    assert code == 7 and "expected" in out and "A1 区县" in out and "differs" in out
    (tmp_path / "empty.csv").write_bytes(b"")
    assert command(str(tmp_path / "empty.csv"))[0] == 7
    assert command(str(tmp_path / "none.csv"))[0] == 6
    assert command(str(good), "--layout", "no_such_layout")[0] == 6
    assert command(str(good), "--sheet", "没有")[0] == 6
    assert command(str(good), "--html", str(tmp_path / "nowhere" / "t.html"))[0] == 2
    broken = tmp_path / "broken.yml"
    broken.write_text("layout: broken\ntitel: {zh: 甲, en: a}\n", encoding="utf-8")
    code, _out, err = command(str(good), "--layout", str(broken))
    assert code == 2 and "line 2" in err and "title" in err


def test_html_and_json(tmp_path: Path) -> None:
    import json

    file, out = tmp_path / "t.csv", tmp_path / "t.html"
    file.write_text(MESSY, encoding="utf-8")
    code, text, _err = command(str(file), "--html", str(out), "--json")
    told = json.loads(text)
    assert code == 0 and out.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert sum(told["counts"].values()) > 0 and told["drafted"] and yaml.safe_load(told["draft"])["columns"]
    assert {cell["outcome"] for cell in told["cells"]} == {"accepted", "refused"}
    assert re.search(r"渝中区|重庆", json.dumps(told["cells"], ensure_ascii=False))
