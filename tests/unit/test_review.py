"""The review workbook: what it looks like, and every fault of its answers by sheet and cell.

Belongs here: export and import against a release made by hand. Does not belong here: the loop with refreshes
(``tests/integration/test_review_loop.py``).
"""

from __future__ import annotations

import csv
import shutil
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pytest

from dagster_project.release import review
from dagster_project.release.answers import WorkbookError, import_answers
from dagster_project.settings import REPOSITORY, Settings

TODAY = date(2026, 11, 21)
OURS, EXPLAINED, WAIT = "我方有误 ours", "无误，有解释 correct: explained", "暂不处理至 ignore until"
WHOLE: dict[str, object] = {"answer": EXPLAINED, "reason": "公报有注", "name": "张三", "date": "2026-11-20"}
# finding → the printed cell it is about: level, growth, a sum without a cell, a figure in a file without 编号
QUEUE: dict[str, dict[str, Any]] = {
    "level": {"indicator": "gdp", "reference": "f1", "value_field": "value_text", "value_text": "1234.5", "unit_text": "亿元", "values_seen": "1234.5"},
    "growth": {"indicator": "gdp", "reference": "f1", "value_field": "growth_text", "value_text": "50%", "unit_text": "亿元", "values_seen": "50", "transformation": "G1Y"},
    "derived": {"indicator": "gdp", "origin": "derived", "file": None, "publication_id": None, "values_seen": "1;2", "severity": "low"},
    "nameless": {"indicator": "gdp", "reference": "", "value_text": "9", "unit_text": "亿元", "values_seen": "9", "last_answer": "explained", "last_reason": "旧", "answered_by": "李四", "answered_on": date(2025, 1, 2), "state": "returned"},
}  # fmt: skip
COMMON: dict[str, Any] = {
    "rule_id": "rule", "level": 1, "severity": "high", "state": "open", "why_zh": "缘由", "why_en": "why", "ref_area": "500000", "breakdown": "_T",
    "currency_scope": "_Z", "transformation": "N", "prices": "current", "origin": "printed", "freq": "A", "time_period": "2024", "coverage": "period",
    "period_start": date(2024, 1, 1), "period_end": date(2024, 12, 31), "publication_id": "p1", "file": "s/files/p1.csv", "sheet": "", "cell": "D2",
    "area_text": "重庆市", "label_text": "地区生产总值", "period_text": "2024年", "observed": 1234.5, "expected": 12345.0, "lower": 12000.0, "upper": None,
    "message_zh": "=十分之一", "message_en": "a tenth", "suggestion_zh": "看原件", "suggestion_en": "look",
}  # fmt: skip
TYPES = {"rank": "integer", "level": "integer", "period_start": "date", "period_end": "date", "answered_on": "date", "first_seen": "timestamp",
         **dict.fromkeys(("observed", "expected", "lower", "upper", "score", "impact"), "double")}  # fmt: skip


def marts_columns() -> list[str]:
    """The columns of the mart as its contract has them."""
    import yaml

    models = yaml.safe_load((REPOSITORY / "dbt" / "models" / "marts" / "_findings.yml").read_text(encoding="utf-8"))["models"]
    return [column["name"] for model in models if model["name"] == "review_queue" for column in model["columns"]]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Seeds, and a release that holds the queue and a few figures around it."""
    settings = Settings(root=tmp_path)
    shutil.copytree(REPOSITORY / "seeds", settings.seeds)
    for name in ("acknowledgements", "corrections"):
        path = settings.seeds / "judgement" / f"{name}.csv"
        path.write_text(path.read_text(encoding="utf-8").splitlines()[0] + "\n", encoding="utf-8")
    release(settings, "r1", QUEUE)
    return settings


def release(settings: Settings, name: str, queue: dict[str, dict[str, Any]], gone: tuple[str, ...] = ()) -> None:
    folder = settings.releases / name
    folder.mkdir(parents=True)
    settings.current.unlink(missing_ok=True)
    settings.current.symlink_to(folder)
    columns = marts_columns()
    typed = ", ".join(f"{column} {TYPES.get(column, 'varchar')}" for column in columns)
    with duckdb.connect(str(folder / "fincenter.duckdb")) as connection:
        connection.execute("create schema marts")
        connection.execute(f"create table marts.release as select '{name}' as release_id")
        connection.execute(f"create table marts.review_queue ({typed})")
        for rank, (finding, own) in enumerate(queue.items(), 1):
            row = {**COMMON, **own, "rank": rank, "finding_id": finding}
            connection.execute(f"insert into marts.review_queue values ({', '.join('?' for _ in columns)})", [row.get(column) for column in columns])
        connection.execute("create table marts.findings as select finding_id, state, values_seen from marts.review_queue")
        for finding in gone:
            connection.execute("insert into marts.findings values (?, 'gone', '1')", [finding])
        connection.execute(
            "create table marts.areas as select * from (values ('500000', '重庆市', 'Chongqing', null), ('510000', '四川省', 'Sichuan', null)) a(ref_area, name_zh, name_en, parent)"
        )
        connection.execute(
            "create table marts.indicators as select 'gdp' as indicator, '地区生产总值' as name_zh, 'GDP' as name_en, 'CNY' as unit_measure, 8 as unit_mult, '元' as unit_name_zh"
        )
        connection.execute("create table marts.publications as select 'p1' as publication_id, '公报' as title")
        connection.execute(
            "create table marts.observation_vintages as select area as ref_area, 'gdp' as indicator, '_T' as breakdown, '_Z' as currency_scope, 'N' as transformation,"
            " 'current' as prices, 'printed' as origin, 'A' as freq, y::varchar as time_period, 'period' as coverage, make_date(y, 1, 1) as period_start,"
            " make_date(y, 12, 31) as period_end, (y * 10 + 0.5)::double as obs_value, 2 as decimals, true as is_preferred"
            " from (select unnest(range(2010, 2026))::integer as y), (select unnest(['500000', '510000']) as area)"
        )  # fmt: skip


def export(settings: Settings) -> Path:
    path = settings.root / "review.xlsx"
    assert review.export(settings, path) == len(QUEUE)
    return path


def fill(path: Path, rows: Mapping[int, Mapping[str, object]]) -> Path:
    book = openpyxl.load_workbook(path)
    for line, cells in rows.items():
        for key, value in cells.items():
            book[review.SHEET][review.address(key, line)] = value
    book.save(path)
    return path


def faults(settings: Settings, path: Path) -> list[str]:
    before = {name: (settings.seeds / "judgement" / f"{name}.csv").read_bytes() for name in ("acknowledgements", "corrections")}
    with pytest.raises(WorkbookError) as told:
        import_answers(settings, path, TODAY)
    assert before == {name: (settings.seeds / "judgement" / f"{name}.csv").read_bytes() for name in before}, "all or nothing"
    return told.value.faults


def seed(settings: Settings, name: str) -> list[dict[str, str]]:
    with (settings.seeds / "judgement" / f"{name}.csv").open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


# --- the workbook -----------------------------------------------------------------------------------------------------------------


def test_the_workbook_has_what_a_person_needs(settings: Settings) -> None:
    book = openpyxl.load_workbook(export(settings))
    assert book.sheetnames == [review.SHEET, review.INSTRUCTIONS] and book.active.title == review.SHEET
    sheet = book[review.SHEET]
    assert [sheet[review.address("finding_id", line)].value for line in range(2, 6)] == list(QUEUE), "in queue order"
    assert sheet.freeze_panes == "E2" and sheet.auto_filter.ref == f"A1:{review.address('values_seen', 5)}"
    assert sheet.protection.sheet and not sheet.protection.password
    for column in review.COLUMNS:
        cell = sheet[review.address(column.key, 2)]
        assert cell.protection.locked == (column.key not in review.ANSWER_KEYS) and cell.alignment.wrap_text
        assert sheet[review.address(column.key, 1)].value == column.head
    assert sheet[review.address("rank", 2)].value == 1
    assert sheet[review.address("message", 2)].value == "=十分之一\na tenth" and sheet[review.address("message", 2)].data_type == "s"
    assert sheet[review.address("observed", 2)].value == "印 “1234.5” 亿元\n1234.5 亿元"
    assert sheet[review.address("expected", 2)].value == "12345\n[12000, ∞]"
    assert sheet[review.address("source", 2)].value == "raw/s/files/p1.csv\nD2 f1\n公报"
    series = sheet[review.address("series", 2)].value.splitlines()
    assert len(series) == review.SERIES_SHOWN and "2024  20240.5  ◄" in series and series == sorted(series)
    assert sheet[review.address("peers", 2)].value == "四川省  20240.5"
    assert sheet[review.address("last", 5)].value == f"{EXPLAINED}\n旧\n李四 2025-01-02"
    assert sheet[review.address("source", 4)].value == "计算所得 derived"


def test_the_drop_downs_list_what_the_import_takes(settings: Settings) -> None:
    book = openpyxl.load_workbook(export(settings))
    lists = {str(rule.sqref).split(":")[0]: rule.formula1 for rule in book[review.SHEET].data_validations.dataValidation if rule.type == "list"}
    shown = {}
    for cell, formula in lists.items():
        sheet, area = formula.split("!")
        shown[cell] = [row[0].value for row in book[sheet.strip("'=")][area.replace("$", "")]]
    assert shown[review.address("answer", 2)] == list(review.answer_names(settings).values())
    assert shown[review.address("field", 2)] == [review.both(names) for names in review.FIELDS.values()]


def test_an_empty_queue_is_a_workbook_too(settings: Settings) -> None:
    release(settings, "r2", {})
    path = settings.root / "empty.xlsx"
    assert review.export(settings, path) == 0
    assert import_answers(settings, path, TODAY).written == []


# --- good answers -----------------------------------------------------------------------------------------------------------------


def test_answers_become_seed_rows(settings: Settings) -> None:
    path = export(settings)
    fill(path, {
        2: {**WHOLE, "answer": OURS, "corrected": "12345"},
        3: {**WHOLE, "answer": OURS, "corrected": "5.0%", "date": datetime(2026, 11, 19)},
        5: {**WHOLE, "answer": WAIT, "until": "2027/3/31", "reason": "两行\n理由, “引号\""},
    })  # fmt: skip
    done = import_answers(settings, path, TODAY)
    assert (len(done.acknowledgements), len(done.corrections), done.unanswered, done.already_there) == (3, 2, 1, 0)
    assert [list(row.values()) for row in seed(settings, "corrections")] == [
        ["c001", "p1", "f1", "value_text", "1234.5", "12345", "公报有注", "张三", "2026-11-20"],
        ["c002", "p1", "f1", "growth_text", "50%", "5.0%", "公报有注", "张三", "2026-11-19"],
    ]
    assert [list(row.values()) for row in seed(settings, "acknowledgements")] == [
        ["growth", "50", "our_error", "公报有注", "张三", "2026-11-19", "", "c002"],
        ["level", "1234.5", "our_error", "公报有注", "张三", "2026-11-20", "", "c001"],
        ["nameless", "9", "ignore_until", '两行 理由, “引号"', "张三", "2026-11-20", "2027-03-31", ""],
    ]
    again = import_answers(settings, path, TODAY)
    assert (again.written, again.already_there, again.unanswered) == ([], 3, 1)
    later = import_answers(settings, fill(path, {4: WHOLE}), TODAY)
    assert len(later.acknowledgements) == 1 and later.already_there == 3
    assert [row["finding_id"] for row in seed(settings, "acknowledgements")] == ["derived", "growth", "level", "nameless"], "sorted"


def test_the_style_of_a_seed_stays(settings: Settings) -> None:
    path = settings.seeds / "judgement" / "acknowledgements.csv"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    import_answers(settings, fill(export(settings), {2: WHOLE}), TODAY)
    raw = path.read_bytes()
    assert raw.startswith(b"\xef\xbb\xbffinding_id") and raw.count(b"\r\n") == raw.count(b"\n") == 2
    assert not [other for other in path.parent.iterdir() if other.name.startswith(".")]


def test_one_text_is_corrected_once(settings: Settings) -> None:
    release(settings, "r2", {"level": QUEUE["level"], "level_too": {**QUEUE["level"], "rule_id": "other"}})
    path = settings.root / "two.xlsx"
    review.export(settings, path)
    fill(path, {2: {**WHOLE, "answer": OURS, "corrected": "12345"}, 3: {**WHOLE, "answer": OURS, "corrected": "12346"}})
    (fault,) = faults(settings, path)
    assert fault.startswith(f"{review.SHEET} {review.address('corrected', 3)}: correction c001") and "'12345'" in fault
    done = import_answers(settings, fill(path, {3: {"corrected": "12345"}}), TODAY)
    assert len(done.corrections) == 1 and {row["correction_id"] for row in done.acknowledgements} == {"c001"}


# --- faults by cell ---------------------------------------------------------------------------------------------------------------
# what is filled into line 2 (level), 3 (growth), 4 (derived) or 5 (nameless); the cells that must be told, with a word of each
CASES: dict[str, tuple[int, dict[str, object], dict[str, str]]] = {
    "begun": (2, {"name": "张三"}, {"answer": "missing", "reason": "missing", "date": "missing"}),
    "no answer of the list": (2, {**WHOLE, "answer": "maybe"}, {"answer": "no answer of the list"}),
    "no reason": (2, {**WHOLE, "reason": " \n "}, {"reason": "缺理由"}),
    "no day": (2, {**WHOLE, "date": "yesterday"}, {"date": "is no day"}),
    "a day to come": (2, {**WHOLE, "date": "2027-01-01"}, {"date": "still to come"}),
    "until when": (2, {**WHOLE, "answer": WAIT}, {"until": "needs the last day"}),
    "until before": (2, {**WHOLE, "answer": WAIT, "until": "2026-11-01"}, {"until": "before the answer"}),
    "a correction of what is right": (2, {**WHOLE, "corrected": "5"}, {"corrected": "as printed"}),
    "no text": (2, {**WHOLE, "answer": OURS, "field": "单位 unit"}, {"corrected": "not the text"}),
    "not a field": (2, {**WHOLE, "answer": OURS, "field": "colour", "corrected": "5"}, {"field": "not in the list"}),
    "not a number": (2, {**WHOLE, "answer": OURS, "corrected": "twelve or so"}, {"corrected": "does not read as a number"}),
    "not a period": (2, {**WHOLE, "answer": OURS, "field": "时期 period", "corrected": "soon"}, {"corrected": "does not read as a period"}),
    "what is printed": (2, {**WHOLE, "answer": OURS, "corrected": "1234.5"}, {"corrected": "printed already"}),
    "a derived figure": (4, {**WHOLE, "answer": OURS, "corrected": "5"}, {"corrected": "no 编号"}),
    "a cell without a reference": (5, {**WHOLE, "answer": OURS, "corrected": "5"}, {"corrected": "no 编号"}),
    "another finding": (2, {**WHOLE, "finding_id": "made_up"}, {"finding_id": "is in no release"}),
    "a finding twice": (3, {**WHOLE, "finding_id": "level"}, {"finding_id": "in line 2 already"}),
    "another value": (2, {**WHOLE, "values_seen": "5"}, {"values_seen": "the release now compares '1234.5'"}),
    "an edited message": (2, {**WHOLE, "message": "all well"}, {"message": "was edited"}),
    "an edited head": (1, {"reason": "why"}, {"reason": "the head should be"}),
}


@pytest.mark.parametrize("case", CASES)
def test_a_fault_is_told_by_sheet_and_cell(settings: Settings, case: str) -> None:
    line, cells, told = CASES[case]
    path = fill(export(settings), {5 if line == 3 else 3: WHOLE, line: cells} if line != 1 else {1: cells})
    found = faults(settings, path)
    assert len(found) == len(told), found
    for key, word in told.items():
        (fault,) = [fault for fault in found if fault.startswith(f"{review.SHEET} {review.address(key, line)}: ")]
        assert word in fault


def test_all_faults_are_told_at_once(settings: Settings) -> None:
    found = faults(
        settings, fill(export(settings), {2: {"name": "张三"}, 3: {**WHOLE, "answer": WAIT}, 4: {**WHOLE, "answer": OURS, "corrected": "5"}})
    )
    assert len(found) == 5


def test_a_second_answer_of_a_day_is_made_in_the_seed(settings: Settings) -> None:
    path = fill(export(settings), {2: WHOLE})
    import_answers(settings, path, TODAY)
    (fault,) = faults(settings, fill(path, {2: {"reason": "改了主意"}}))
    assert fault.startswith(f"{review.SHEET} {review.address('date', 2)}: ") and "acknowledgements.csv" in fault


def test_a_workbook_of_another_release_holds_where_its_values_do(settings: Settings) -> None:
    path = fill(export(settings), {2: WHOLE, 3: WHOLE, 4: WHOLE})
    changed = {**QUEUE, "growth": {**QUEUE["growth"], "values_seen": "51"}, "level": {**QUEUE["level"], "message_en": "a tenth, as ever"}}
    del changed["derived"]
    release(settings, "r2", changed, gone=("derived",))
    found = faults(settings, path)
    assert [fault.split(": ")[0] for fault in found] == [
        f"{review.SHEET} {review.address('values_seen', 3)}",
        f"{review.SHEET} {review.address('finding_id', 4)}",
    ]
    assert "no longer there (gone)" in found[1]
    fill(path, {line: dict.fromkeys(review.ANSWER_KEYS) for line in (3, 4)})
    assert len(import_answers(settings, path, TODAY).acknowledgements) == 1


@pytest.mark.parametrize("body", [b"not a workbook", b""])
def test_what_is_no_workbook_is_told(settings: Settings, body: bytes) -> None:
    path = settings.root / "other.xlsx"
    path.write_bytes(body)
    (fault,) = faults(settings, path)
    assert "no workbook that can be read" in fault


def test_another_workbook_is_told(settings: Settings) -> None:
    path = settings.root / "other.xlsx"
    openpyxl.Workbook().save(path)
    (fault,) = faults(settings, path)
    assert review.SHEET in fault and "Sheet" in fault
