"""Tables as offices publish them, and files that nobody should publish: dropped in, one refresh, looked up in the release.

Belongs here: what each family's fixture gives through its layout, and what is said of each hostile file. Does not belong here: single
rules of reading (``tests/unit/test_cells.py``).
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from dagster_project.settings import REPOSITORY, Settings
from tests.fixtures import hostile
from tests.helpers import SOURCE, Row, add_seed_row, command, copy_seeds, rows

PUBLISHED = REPOSITORY / "tests" / "fixtures" / "published"
HOSTILE = hostile.files(PUBLISHED)
REFUSED = {name: code for name, (_data, code) in HOSTILE.items() if code is not None}
READ = [name for name, (_data, code) in HOSTILE.items() if code is None]
LINKS = ("outside.csv", "nowhere.csv", "in_a_ring.csv")


@dataclass(frozen=True)
class Release:
    settings: Settings
    code: int
    answer: dict[str, Any]

    def rows(self, sql: str) -> list[Row]:
        return rows(self.settings.released_database, sql)

    def values(self, sql: str) -> list[tuple[Any, ...]]:
        return [tuple(row.values()) for row in self.rows(sql)]


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Release:
    """Every family and every hostile file in one warehouse."""
    root = tmp_path_factory.mktemp("published")
    shutil.copytree(PUBLISHED / "raw", root / "raw")
    shutil.copytree(REPOSITORY / "raw" / "_layouts", root / "raw" / "_layouts")
    folder = root / "raw" / "hostile"
    (folder / "files").mkdir(parents=True)
    (folder / "layouts").mkdir()
    (folder / "layouts" / "years.yml").write_text(hostile.LAYOUT, encoding="utf-8")
    (folder / "source.yml").write_text(SOURCE.format(source_id="hostile", layouts="years"), encoding="utf-8")
    for name, (data, _code) in HOSTILE.items():
        (folder / "files" / name).write_bytes(data)
    (root / "outside.csv").write_text(hostile.CSV, encoding="utf-8")
    (folder / "files" / "outside.csv").symlink_to(root / "outside.csv")
    (folder / "files" / "nowhere.csv").symlink_to(folder / "files" / "gone.csv")
    (folder / "files" / "in_a_ring.csv").symlink_to(folder / "files" / "in_a_ring.csv")
    Path(os.fsdecode(os.fsencode(folder / "files") + b"/\xd6\xd8\xc7\xec.csv")).write_text(hostile.CSV, encoding="utf-8")
    copy_seeds(root)
    label = {"source_id": "f5_bulletin", "label": "社会消费品零售总额:限额以上", "part": "0", "indicator": "wholesale_retail_sales"}
    add_seed_row(root, "aliases", **label, breakdown="_T", currency_scope="_Z")
    shutil.copytree(REPOSITORY / "dbt", root / "dbt")
    settings = Settings(root=root)
    done = command(settings, "refresh", "--json")
    return Release(settings, done.returncode, json.loads(done.stdout or json.dumps({"error": done.stderr})))


def observed(release: Release, source: str, columns: str) -> list[tuple[Any, ...]]:
    return release.values(
        f"select {columns} from marts.printed_cells as c left join marts.observation_vintages as v using (vintage_id) "
        f"where c.publication_id like '{source}%' order by all"
    )


def test_the_refresh_is_done(release: Release) -> None:
    assert (release.code, release.answer.get("error")) == (7, None), release.answer


def test_no_cell_is_lost(release: Release) -> None:
    written = sum(pl.scan_parquet(path).select(pl.len()).collect().item() for path in (release.settings.ledger / "cells").glob("*.parquet"))
    ((cells, accounted),) = release.values("select cells, figures + refused + other_kinds from marts.release")
    assert written == cells == accounted > 100


# --- families ---------------------------------------------------------------------------------------------------


def test_family_1_a_preamble_and_years_across(release: Release) -> None:
    found = observed(release, "f1_", "c.publication_id, c.ref_area, c.period_end::varchar, c.obs_value, c.upper - c.lower")
    assert [row[:4] for row in found] == [
        ("f1_biff", "500000", "2021-12-31", 100.03), ("f1_biff", "500000", "2022-12-31", 110.05), ("f1_biff", "500000", "2023-12-31", 120.0),
        ("f1_biff", "500000", "2024-12-31", 124.05), ("f1_biff", "510000", "2021-12-31", 200.07), ("f1_biff", "510000", "2023-12-31", 220.01),
        ("f1_biff", "510000", "2024-12-31", 224.05),
        ("f1_padded", "500000", "2021-12-31", 1000.25), ("f1_padded", "500000", "2022-12-31", 1100.5), ("f1_padded", "500000", "2023-12-31", 1200.0),
        ("f1_padded", "500000", "2024-12-31", 1240.55), ("f1_padded", "510000", "2021-12-31", 2000.75), ("f1_padded", "510000", "2023-12-31", 2200.1),
        ("f1_padded", "510000", "2024-12-31", 2240.5),
    ]  # fmt: skip
    # 120 stands in a column of two decimals
    assert {round(row[4], 6) for row in found} == {0.01}


def test_family_1_a_note_that_tells_where_the_basis_breaks_is_heard(release: Release) -> None:
    found = release.values(
        "select time_period, stage, census_basis, marks like '%basis_noted%' from marts.observation_vintages "
        "where indicator = 'gdp' and ref_area = '500000' and transformation = 'N' and freq = 'A' and origin = 'printed' and publication_id = 'f1_padded' order by 1"
    )
    assert found == [("2021", None, "unknown", False), ("2022", None, "unknown", False), ("2023", "census", "5", True), ("2024", None, "5", True)]
    notes = release.values("select kind, mark, note from marts.file_notes where publication_id = 'f1_padded' order by sheet_row")
    assert notes[0] == ("above", None, "数据库：分省年度数据")
    assert notes[-2:] == [("note", "2", "2.2023年数据为根据第五次全国经济普查资料修订后数据。"), ("note", None, "数据来源：国家统计局")]


def test_family_2_time_down_and_columns_of_one_name(release: Release) -> None:
    found = observed(release, "f2_", "c.indicator, c.ref_area, c.period_start::varchar, c.obs_value, v.unit_measure")
    assert found == [
        ("retail_sales", "500000", "2021-05-01", 101.5, "CNY"), ("retail_sales", "500000", "2021-06-01", 102.5, "CNY"),
        ("retail_sales", "500000", "2021-07-01", 103.5, "CNY"), ("retail_sales", "500000", "2021-08-01", 104.5, "CNY"),
        ("retail_sales", "510000", "2021-05-01", 201.5, "CNY"), ("retail_sales", "510000", "2021-06-01", 202.5, "CNY"),
        ("retail_sales", "510000", "2021-07-01", 203.5, "CNY"),
        ("trade_total_usd", "500000", "2021-05-01", 11.25, "USD"), ("trade_total_usd", "500000", "2021-06-01", 12.25, "USD"),
        ("trade_total_usd", "500000", "2021-07-01", 13.25, "USD"), ("trade_total_usd", "500000", "2021-08-01", 14.25, "USD"),
    ]  # fmt: skip
    (missing,) = release.rows("select refusal, cell, value_text from marts.rejected_cells where publication_id = 'f2_series'")
    assert tuple(missing.values()) == ("number_missing", "C8", "…")


def test_family_3_merged_bilingual_headings_sections_and_parts(release: Release) -> None:
    found = observed(release, "f3_", "c.cell, c.indicator, c.transformation, c.period_end::varchar, c.obs_value, c.part_of, c.marks like '%hidden%'")
    by_cell = {row[0]: row[1:] for row in found}
    assert len(by_cell) == 16
    assert by_cell["C6"] == ("gdp", "N", "2022-12-31", 1500.5, "一、国民经济核算 National Accounts", False)
    assert by_cell["E6"] == ("gdp", "N", "2023-12-31", 1560.0, "一、国民经济核算 National Accounts", False)
    assert by_cell["F7"] == ("va_tertiary", "G1Y", "2023-12-31", 3.6, "地 区 生 产 总 值", False)
    assert by_cell["C8"] == ("fin_value_added", "N", "2022-12-31", 42.0, "第三产业增加值", False)
    assert by_cell["D13"] == ("tax_revenue", "G1Y", "2022-12-31", -1.5, "二、财政 Public Finance", True)
    marked = release.values("select distinct note from marts.file_notes where publication_id = 'f3_yearbook' and kind in ('hidden_rows', 'note')")
    assert sorted(marked) == [("1 hidden rows; they were read",), ("注：①地区生产总值增长速度按可比价格计算。",)]


def test_family_4_two_tables_one_under_the_other(release: Release) -> None:
    found = observed(release, "f4_", "c.cell, c.indicator, c.ref_area, c.period_end::varchar, c.obs_value")
    assert len(found) == 18
    assert ("D2", "budget_revenue", "500000", "2021-12-31", 100.25) in found
    assert ("F4", "budget_revenue", "510100", "2023-12-31", 122.25) in found
    assert ("D5", "tax_revenue", "500000", "2021-12-31", 60.25) in found
    assert ("F7", "tax_revenue", "510100", "2023-12-31", 82.25) in found


def test_family_5_month_year_to_date_growth_points_and_a_lag(release: Release) -> None:
    found = observed(
        release, "f5_", "c.cell, c.indicator, c.transformation, c.period_start::varchar, c.period_end::varchar, c.obs_value, v.unit_measure"
    )
    assert found == [
        ("C3", "retail_sales", "N", "2021-04-01", "2021-04-30", 99.5, "CNY"),
        ("C4", "wholesale_retail_sales", "N", "2021-04-01", "2021-04-30", 40.5, "CNY"),
        ("D3", "retail_sales", "G1Y", "2021-04-01", "2021-04-30", 11.5, "PC"),
        ("D4", "wholesale_retail_sales", "G1Y", "2021-04-01", "2021-04-30", 9.5, "PC"),
        ("D5", "va_industry_above_scale", "G1Y", "2021-04-01", "2021-04-30", 8.5, "PC"),
        ("E3", "retail_sales", "N", "2021-01-01", "2021-04-30", 380.5, "CNY"),
        ("E4", "wholesale_retail_sales", "N", "2021-01-01", "2021-04-30", 150.5, "CNY"),
        ("E6", "budget_revenue", "N", "2021-01-01", "2021-03-31", 162.3, "CNY"),
        ("E7", "deposits", "N", None, "2021-04-30", 19278.1, "CNY"),
        ("E8", "npl_ratio", "N", None, "2021-04-30", 1.52, "PC"),
        ("F3", "retail_sales", "G1Y", "2021-01-01", "2021-04-30", 25.5, "PC"),
        ("F4", "wholesale_retail_sales", "G1Y", "2021-01-01", "2021-04-30", 20.5, "PC"),
        ("F5", "va_industry_above_scale", "G1Y", "2021-01-01", "2021-04-30", 28.0, "PC"),
        ("F6", "budget_revenue", "G1Y", "2021-01-01", "2021-03-31", 12.5, "PC"),
        ("F7", "deposits", "G1Y", None, "2021-04-30", 4.3, "PC"),
        ("F8", "npl_ratio", "D1Y", None, "2021-04-30", -0.25, "PP"),
    ]


def test_family_6_a_page_without_head_or_encoding(release: Release) -> None:
    found = observed(release, "f6_", "c.cell, c.indicator, c.ref_area, c.period_start, c.period_end::varchar, c.obs_value, c.marks like '%hidden%'")
    assert found == [
        ("B3", "deposits", "500103", None, "2023-12-31", 5100.5, False), ("B4", "deposits", "500105", None, "2023-12-31", 3100.5, False),
        ("B5", "deposits", "500108", None, "2023-12-31", 1100.5, True), ("C3", "loans", "500103", None, "2023-12-31", 4200.5, False),
        ("C5", "loans", "500108", None, "2023-12-31", 900.5, True),
    ]  # fmt: skip


def test_family_7_targets_keep_their_wording_and_are_no_observations(release: Release) -> None:
    found = release.values(
        "select cell, indicator, ref_area, comparator, value_text, target_value, period_end::varchar, fault_en from marts.printed_targets order by cell"
    )
    assert found == [
        ("E3", "fin_value_added", "500103", "about", "500左右", 500.0, "2025-12-31", None),
        ("E4", "deposits_loans", "500103", "at_least", "20000以上", 20000.0, "2025-12-31", None),
        ("E5", "green_loans", "500103", "about", "1500左右", None, "2025-12-31", "the unit is not of the indicator's dimension"),
        ("E6", "fin_institutions", "500103", "reach", "500", 500.0, "2025-12-31", None),
    ]
    assert observed(release, "f7_", "c.cell") == [("D3",), ("D4",), ("D6",)]
    (fault,) = release.rows("select cell, refusal from marts.rejected_cells where publication_id = 'f7_plan' and kind = 'refused'")
    assert tuple(fault.values()) == ("D5", "unit_dimension")


def test_family_8_an_entry_workbook_is_read_back(release: Release) -> None:
    found = observed(release, "f8_", "c.cell, c.indicator, c.ref_area, c.period_start::varchar, c.period_end::varchar, c.obs_value")
    assert found == [
        ("C4", "green_loans", "500103", None, "2025-12-31", 1001.5),
        ("D4", "premium_income", "500103", "2025-10-01", "2025-12-31", 61.5),
        ("D5", "premium_income", "500105", "2025-10-01", "2025-12-31", 51.5),
    ]


def test_layouts_are_short() -> None:
    lines = {path.stem: len(path.read_text(encoding="utf-8").splitlines()) for path in PUBLISHED.glob("raw/*/layouts/*.yml")}
    assert len(lines) == 8 and max(lines.values()) <= 20, lines


# --- hostile files ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*REFUSED, *LINKS])
def test_a_hostile_file_is_refused_once_with_a_message_and_a_row(release: Release, name: str) -> None:
    (told,) = [entry for entry in release.answer["files_refused"] if entry["file"] == f"hostile/files/{name}"]
    code = REFUSED.get(name, "link")
    assert told["reason"] == code
    assert len(told["message"]) > 20 and "Traceback" not in told["message"] and str(release.settings.root) not in told["message"]
    found = release.rows(f"select refusal, reason_en from marts.rejected_cells where kind = 'file' and file = 'hostile/files/{name}'")
    assert [(row["refusal"], row["reason_en"]) for row in found] == [(f"file_{code}", told["message"])]


def test_nothing_else_is_refused(release: Release) -> None:
    assert len(release.answer["files_refused"]) == len(REFUSED) + len(LINKS)


def test_what_is_odd_but_sound_is_read(release: Release) -> None:
    read = {
        row["file"].removeprefix("hostile/files/")
        for row in release.rows("select distinct file from marts.printed_cells where file like 'hostile/%'")
    }
    assert set(READ) <= read
    assert any("xd6" in name for name in read), "a name that is no UTF-8"


def test_a_formula_without_a_value_is_refused_as_that(release: Release) -> None:
    (row,) = release.rows("select refusal, cell, value_text from marts.rejected_cells where file = 'hostile/files/formula_without_value.xlsx'")
    assert tuple(row.values()) == ("number_formula", "B2", "=SUM(B3:B3)")


def test_what_a_person_should_know_of_a_file_is_kept_with_it(release: Release) -> None:
    found = release.values("select distinct file, kind from marts.file_notes where file like 'hostile/%' order by all")
    told = {(file.removeprefix("hostile/files/"), kind) for file, kind in found}
    assert {("hidden.xlsx", "hidden_sheet"), ("hidden.xlsx", "hidden_rows"), ("hidden.xlsx", "sheet_not_read")} <= told
    assert {("macros.xlsm", "macros"), ("write_protected.xlsx", "write_protected"), ("protected.xls", "write_protected")} <= told
