"""The entry workbook: what it asks for is checked, its cells are locked or checked, its headings are its fingerprint."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from typer.testing import CliRunner

from dagster_project import cli
from dagster_project.intake import template as forms
from dagster_project.intake.cells import HeaderMismatch, read_through
from dagster_project.intake.inspection.known import Known, read_known
from dagster_project.intake.layouts import LayoutError, read_layout, read_source
from dagster_project.intake.ledger import parsed
from dagster_project.intake.periods import parse_periods, standard_periods
from dagster_project.intake.tables import read_book
from dagster_project.settings import REPOSITORY, Settings

SOURCE = """\
source_id: desk
title: {zh: 填报, en: Desk}
publisher: cq_stats
carrier_kind: official_site
trust: 5
fidelity: 5
cadence: annual
licence: none
language: zh
layouts: [figure_list]
"""
TEMPLATE = """\
title: {zh: 季报, en: Quarterly return}
areas: ["500000", cq_districts]
indicators:
  - {label: 绿色贷款余额, unit: 亿元}
  - {label: 上市公司家数, unit: 家, decimals: 0}
"""
HEADINGS = 7  # the last row of the headings


@pytest.fixture(scope="module")
def known() -> Known:
    return read_known(Settings(root=REPOSITORY))


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    (tmp_path / "raw" / "desk").mkdir(parents=True)
    (tmp_path / "raw" / "desk" / "source.yml").write_text(SOURCE, encoding="utf-8")
    (tmp_path / "raw" / "desk" / "template.yml").write_text(TEMPLATE, encoding="utf-8")
    return tmp_path / "raw"


def opened(form: forms.Form) -> tuple[Any, Any]:
    book = openpyxl.load_workbook(io.BytesIO(forms.workbook(form)))
    return book, book[forms.ENTRY_SHEET]


def saved(book: Any) -> bytes:
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def test_what_was_filled_in_is_read_with_its_area_label_unit_period_and_cell(raw: Path, known: Known) -> None:
    form = forms.form(raw, "desk", "2025-Q4", known)
    name, written = forms.keep_layout(raw, form)
    assert (name, written) == ("entry_1", True)
    book, sheet = opened(form)
    sheet["D8"], sheet["D9"], sheet["E9"], sheet["F9"], sheet["H9"] = 1500.5, 20, 7, "estimate", "口径不变"
    sheet["B47"], sheet["D47"], sheet["F47"] = "成都市", 3.25, "observation"
    reading = read_through(read_layout(raw / "desk" / "layouts" / "entry_1.yml")[0], read_book(saved(book)))
    found = {
        row["cell"]: (
            row["area_text"],
            row["indicator_text"],
            row["unit_text"],
            str(row["period_end"]),
            row["value_text"],
            row["kind_text"],
            row["note_text"],
        )
        for row in parsed(reading, {}).iter_rows(named=True)
    }
    assert found == {
        "D8": ("重庆市", "绿色贷款余额", "亿元", "2025-12-31", "1500.5", "observation", ""),
        "D9": ("万州区", "绿色贷款余额", "亿元", "2025-12-31", "20", "estimate", "口径不变"),
        "E9": ("万州区", "上市公司家数", "家", "2025-12-31", "7", "estimate", "口径不变"),
        "D47": ("成都市", "绿色贷款余额", "亿元", "2025-12-31", "3.25", "observation", ""),
    }


@pytest.mark.parametrize("period", ["2025", "2025-H1", "2025-Q3", "2025-09", "2025-YTD09", "2025-YTD11"])
def test_the_period_line_is_read_as_the_period_that_was_asked_for(period: str, raw: Path, known: Known) -> None:
    form = forms.form(raw, "desk", period, known)
    wanted = standard_periods(2025, 2025).filter(label=period).row(0, named=True)
    read = parse_periods(openpyxl_series(form)).row(0, named=True)
    assert (read["period_start"], read["period_end"]) == (wanted["period_start"], wanted["period_end"])


def openpyxl_series(form: forms.Form) -> Any:
    import polars as pl

    _book, sheet = opened(form)
    return pl.Series([sheet["A2"].value.partition("：")[2]])


def test_only_entry_cells_can_be_edited_and_they_are_checked(raw: Path, known: Known) -> None:
    form = forms.form(raw, "desk", "2025-Q4", known)
    book, sheet = opened(form)
    last = HEADINGS + len(form.areas) + form.spare_rows
    assert sheet.protection.sheet and not sheet.protection.password
    free = {cell.coordinate for row in sheet.iter_rows(max_row=last) for cell in row if not cell.protection.locked}
    spare = {f"B{row}" for row in range(last - form.spare_rows + 1, last + 1)}
    assert free == {f"{letter}{row}" for letter in "DEFGH" for row in range(HEADINGS + 1, last + 1)} | spare
    rules = {str(rule.sqref): (rule.type, rule.operator, rule.formula1) for rule in sheet.data_validations.dataValidation}
    assert rules[f"D8:D{last}"] == ("decimal", "greaterThanOrEqual", "0.0") and rules[f"E8:E{last}"] == ("decimal", "greaterThanOrEqual", "0.0")
    assert rules[f"F8:F{last}"] == ("list", None, '"observation,estimate"')
    assert rules[f"B{last - form.spare_rows + 1}:B{last}"][0] == "list"
    assert sheet.freeze_panes == "D8" and book[forms.LIST_SHEET].sheet_state == "hidden" and forms.HELP_SHEET in book.sheetnames
    assert "重庆市" in {cell.value for cell in book[forms.LIST_SHEET]["A"]}


def test_parts_are_added_up_only_over_a_declared_complete_partition(raw: Path, known: Known) -> None:
    form = forms.form(raw, "desk", "2025-Q4", known)
    assert len(form.areas) == 39 and form.areas[0].parts == tuple(range(1, 39)) and not any(area.parts for area in form.areas[1:])
    _book, sheet = opened(form)
    assert "SUM(D9:D46)" in sheet["I8"].value and "SUM" not in sheet["I9"].value
    (raw / "desk" / "template.yml").write_text(TEMPLATE.replace("cq_districts", '"500103", "500105"'), encoding="utf-8")
    assert not any(area.parts for area in forms.form(raw, "desk", "2025-Q4", known).areas)


def test_a_limit_stands_in_the_unit_that_is_asked_for(raw: Path, known: Known) -> None:
    (raw / "desk" / "template.yml").write_text(TEMPLATE.replace("unit: 亿元", "unit: 万元"), encoding="utf-8")
    column = forms.form(raw, "desk", "2025", known).columns[0]
    assert column.lower_limit == 0 and column.item.unit == "万元"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("绿色贷款余额", "绿色贷款余额数", ["line 1", "aliases.csv", "did you mean '绿色贷款余额'"]),
        ("unit: 亿元", "unit: 蒲式耳", ["line 1", "蒲式耳", "cl_units.csv"]),
        ("unit: 亿元", "unit: '%'", ["line 1", "share", "money_cny"]),
        ("cq_districts", "cq_district", ["areas", "did you mean 'cq_districts'"]),
    ],
)
def test_what_the_seeds_do_not_know_is_told_before_anything_is_written(old: str, new: str, told: list[str], raw: Path, known: Known) -> None:
    (raw / "desk" / "template.yml").write_text(TEMPLATE.replace(old, new), encoding="utf-8")
    with pytest.raises(forms.TemplateError) as caught:
        forms.form(raw, "desk", "2025-Q4", known)
    assert all(part in str(caught.value) for part in told), str(caught.value)


def test_a_template_that_is_not_valid_names_line_and_key(raw: Path, known: Known) -> None:
    (raw / "desk" / "template.yml").write_text(TEMPLATE.replace("areas:", "area:"), encoding="utf-8")
    with pytest.raises(LayoutError, match="line 2, area"):
        forms.form(raw, "desk", "2025-Q4", known)
    with pytest.raises(forms.TemplateError, match="is no period"):
        (raw / "desk" / "template.yml").write_text(TEMPLATE, encoding="utf-8")
        forms.form(raw, "desk", "2025-Q5", known)


def test_another_form_gets_another_layout_and_the_old_one_stays(raw: Path, known: Known) -> None:
    """Workbooks that were handed out before are still read."""
    assert forms.keep_layout(raw, forms.form(raw, "desk", "2025-Q3", known)) == ("entry_1", True)
    assert forms.keep_layout(raw, forms.form(raw, "desk", "2025-Q4", known)) == ("entry_1", False), "another period is the same form"
    (raw / "desk" / "template.yml").write_text(TEMPLATE + "  - {label: 保费收入, unit: 亿元}\n", encoding="utf-8")
    assert forms.keep_layout(raw, forms.form(raw, "desk", "2025-Q4", known)) == ("entry_2", True)
    assert read_source(raw / "desk" / "source.yml").layouts == ("entry_2", "entry_1", "figure_list")


def test_another_name_of_the_sheet_does_no_harm(raw: Path, known: Known) -> None:
    form = forms.form(raw, "desk", "2025-Q4", known)
    forms.keep_layout(raw, form)
    book, sheet = opened(form)
    sheet["D8"], sheet.title = 1.5, "Sheet1"
    reading = read_through(read_layout(raw / "desk" / "layouts" / "entry_1.yml")[0], read_book(saved(book)))
    assert reading.cells.select("sheet", "cell").rows() == [("Sheet1", "D8")]


def renamed(sheet: Any) -> None:
    sheet["D5"] = "绿色贷款"


def other_unit(sheet: Any) -> None:
    sheet["D7"] = "万元"


def moved(sheet: Any) -> None:
    for row in range(5, 8):
        sheet[f"D{row}"].value, sheet[f"E{row}"].value = sheet[f"E{row}"].value, sheet[f"D{row}"].value


def deleted(sheet: Any) -> None:
    sheet.delete_cols(5)


def inserted(sheet: Any) -> None:
    sheet.insert_rows(6)


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        (renamed, ["绿色贷款余额 / Green loans outstanding / 亿元", "D5 绿色贷款 / Green loans outstanding / 亿元", "differs"]),
        (other_unit, ["D5 绿色贷款余额 / Green loans outstanding / 万元", "differs"]),
        (moved, ["E5 绿色贷款余额", "differs"]),
        (deleted, ["上市公司家数", "—", "differs"]),
        (inserted, ["D5 绿色贷款余额", "differs"]),
    ],
)
def test_changed_headings_refuse_the_workbook_and_name_the_cell(broken: Any, told: list[str], raw: Path, known: Known) -> None:
    form = forms.form(raw, "desk", "2025-Q4", known)
    forms.keep_layout(raw, form)
    book, sheet = opened(form)
    sheet["D8"] = 1.5
    broken(sheet)
    with pytest.raises(HeaderMismatch) as caught:
        read_through(read_layout(raw / "desk" / "layouts" / "entry_1.yml")[0], read_book(saved(book)))
    assert all(part in str(caught.value) for part in told), str(caught.value)


def test_the_command_never_writes_over_a_workbook(raw: Path, tmp_path: Path) -> None:
    (tmp_path / "seeds").symlink_to(REPOSITORY / "seeds")
    out = tmp_path / "form.xlsx"

    def run(*arguments: str) -> Any:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("FINCENTER_ROOT", str(tmp_path))
            return CliRunner().invoke(cli.app, ["template", *arguments, "--out", str(out)])

    assert run("desk", "--period", "2025-Q4").exit_code == 0 and out.is_file()
    again = run("desk", "--period", "2025-Q4")
    assert again.exit_code == 2 and "may hold figures" in again.stderr
    out.unlink()
    assert run("desk", "--period", "2025-13").exit_code == 2
    assert run("nobody", "--period", "2025").exit_code == 6 and not out.exists()


@pytest.mark.parametrize("path", sorted((REPOSITORY / "raw").glob("*/template.yml")), ids=lambda path: path.parent.name)
def test_the_layouts_of_the_templates_in_use_are_those_they_would_get(path: Path, known: Known) -> None:
    source_id = path.parent.name
    form = forms.form(REPOSITORY / "raw", source_id, "2025-Q4", known)
    held = [name for name in read_source(path.parent / "source.yml").layouts if name.startswith("entry_")]
    assert (path.parent / "layouts" / f"{held[0]}.yml").read_text(encoding="utf-8") == forms.layout_text(form, held[0])
