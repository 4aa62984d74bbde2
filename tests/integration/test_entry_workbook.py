"""One refresh: a template is written, filled in and handed in, broken copies are refused, and what ``inspect`` foretold is what happens."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import openpyxl
import polars as pl
import pytest

from dagster_project.intake import layouts
from dagster_project.intake.inspection.known import read_known
from dagster_project.intake.inspection.look import inspected
from dagster_project.intake.template import ENTRY_SHEET
from dagster_project.release.refresh import Summary
from dagster_project.settings import Settings
from tests.helpers import answer, copy_seeds, figures, publish_day, refresh, rows, tiny_root, write_source

TEMPLATE = """\
title: {zh: 季报, en: Quarterly return}
areas: ["500000", "500103", "500105"]
indicators:
  - {label: 绿色贷款余额, unit: 亿元}
  - {label: 上市公司家数, unit: 家, decimals: 0}
"""
# A figure of each fault that the cell and the seeds alone can show, and sound ones between.
FAULTS = figures(
    "c1,重庆市,地区生产总值,7,,2019年,,observation,,", "c2,重庆市,绿色贷款余额,832,%,2020年末,,observation,,", "c3,重庆市,地区生产总值,7,亿元,2019年13月,,observation,,",
    "c4,重庆市,地区生产总值,7,亿元,,,observation,,", "c5,重庆市,地区生产总值,很多,亿元,2019年,,observation,,", "c6,重庆市,地区生产总直,7,亿元,2019年,,observation,,",
    "c7,重庆巿,地区生产总值,7,亿元,2019年,,observation,,", "c8,重庆市,地区生产总值,7,蒲式耳,2019年,,observation,,", "c9,重庆市,地区生产总值,77.5,亿元,2019年,6.3%,observation,,",
    "c10,重庆市,地区生产总值,7,亿元,2019年末,,observation,,", "c11,重庆市,地区生产总值,-,亿元,2018年,,observation,,", "c12,重庆市,地区生产总值,9000,亿元,2030年,,target,,",
    "c13,重庆市,社会消费品零售总额,7,亿元,2019年9月末,,observation,,", "c14,重庆市,地区生产总值,7元,家,2019年,,observation,,", "c15,重庆市,三次产业结构,6.9:40.1:53.0,%,2019年,,observation,,",
    "c16,重庆市,绿色贷款余额,5,亿美元,2019年,,observation,,",
)  # fmt: skip


@dataclass(frozen=True)
class Desk:
    settings: Settings
    summary: Summary


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    settings = tiny_root(tmp_path_factory.mktemp("desk"))
    folder = write_source(settings.root, "desk", {"faults.csv": FAULTS})
    (folder / "template.yml").write_text(TEMPLATE, encoding="utf-8")
    out = folder / "files" / "desk_2025q4.xlsx"
    code, told = answer(settings, "template", "desk", "--period", "2025-Q4", "--out", str(out))
    assert (code, told["layout"], told["layout_written"], told["areas"]) == (0, "entry_1", True, 3)
    book = openpyxl.load_workbook(out)
    sheet = book[ENTRY_SHEET]
    sheet["D8"], sheet["E8"], sheet["D9"], sheet["F9"] = 1500.5, 87, 120, "estimate"
    book.save(out)
    sheet["D5"] = "绿色贷款"
    book.save(folder / "files" / "edited.xlsx")
    for name in ("faults.csv", "desk_2025q4.xlsx", "edited.xlsx"):
        publish_day(folder, name, "2026-02-01")
    shutil.rmtree(settings.seeds)
    copy_seeds(settings.root)  # now that every publication is there
    return Desk(settings, refresh(settings))


def test_what_was_filled_in_is_in_the_marts_with_its_cell(desk: Desk) -> None:
    found = rows(
        desk.settings.released_database,
        "select cell, sheet, value_text, ref_area, indicator from marts.printed_cells where publication_id = 'desk_2025q4' order by cell",
    )
    assert [(row["cell"], row["sheet"], row["value_text"], row["ref_area"], row["indicator"]) for row in found] == [
        ("D8", ENTRY_SHEET, "1500.5", "500000", "green_loans"),
        ("D9", ENTRY_SHEET, "120", "500103", "green_loans"),
        ("E8", ENTRY_SHEET, "87", "500000", "listed_companies"),
    ]
    value = rows(
        desk.settings.released_database,
        "select obs_value, lower, upper, period_end from marts.observations where publication_id = 'desk_2025q4' and indicator = 'green_loans' and ref_area = '500103'",
    )
    assert [(row["obs_value"], row["lower"], row["upper"], str(row["period_end"])) for row in value] == [(120.0, 119.95, 120.05, "2025-12-31")]


def test_an_edited_heading_refuses_that_workbook_alone(desk: Desk) -> None:
    refused = {entry["file"]: entry["message"] for entry in desk.summary.files_refused if entry["file"].startswith("desk/")}
    assert set(refused) == {"desk/files/edited.xlsx"}
    assert "entry_1" in refused["desk/files/edited.xlsx"] and "D5 绿色贷款 / " in refused["desk/files/edited.xlsx"]


def test_what_inspect_refuses_is_what_the_refresh_refuses(desk: Desk) -> None:
    """The rules of ``known.judged`` are those of dbt: the same cells with the same reasons, the other cells accepted."""
    settings = desk.settings
    layout, _source = layouts.named(settings.raw, "figure_list")
    marks = layouts.read_source(settings.raw / "desk" / "source.yml").missing_marks
    path: Path = settings.raw / "desk" / "files" / "faults.csv"
    found = inspected(path.read_bytes(), read_known(settings, "desk"), "faults", layout, missing_marks=marks)
    assert found.cells is not None
    foretold = dict(found.cells.filter(pl.col("refusal") != "").select("cell", "refusal").iter_rows())
    happened = {
        row["cell"]: row["refusal"]
        for row in rows(
            settings.released_database, "select cell, refusal from marts.rejected_cells where publication_id = 'faults' and kind <> 'file'"
        )
    }
    accepted = {
        row["cell"] for row in rows(settings.released_database, "select distinct cell from marts.printed_cells where publication_id = 'faults'")
    }
    assert len(set(happened.values())) >= 10
    targets = {cell for cell, kind in found.cells.select("cell", "outcome").iter_rows() if kind == "other_kind"}
    assert {cell: why for cell, why in foretold.items() if cell not in targets} == {
        cell: why for cell, why in happened.items() if cell not in targets
    }
    assert set(found.cells.filter(pl.col("outcome") == "accepted")["cell"]) == accepted
