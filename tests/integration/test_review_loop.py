"""The review loop once round, through the command line: a finding, the workbook, an answer, and what becomes of it.

Belongs here: refresh → export → answer in Excel → import → refresh → gone from the queue; the value changes → refresh → back. Does not
belong here: which rules there are (any may find the two wrong figures below), single faults of a workbook (``tests/unit/test_review.py``).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import openpyxl

from dagster_project.release import review
from dagster_project.release.say import say
from dagster_project.settings import Settings
from tests.helpers import BULLETIN_2022, BULLETIN_2023, answer, command, figures, refresh, rows, tiny_root

# A count and a turnover below nought: one is called right (a stand-in for any figure that looks wrong and isn't), one is corrected.
EXPLAINED, CORRECTED = "listed_companies", "retail_sales"
WRONG = figures(*BULLETIN_2023).replace(",87,", ",-87,")
WRONG_BEFORE = figures(*BULLETIN_2022).replace(",40.0,", ",-40.0,")


def ask(settings: Settings, *arguments: str) -> Any:
    """A command that must succeed, and its JSON."""
    code, told = answer(settings, *arguments)
    assert code == 0, told
    return told


def states(settings: Settings, indicator: str) -> set[tuple[str, str | None]]:
    found = rows(
        settings.released_database,
        "select distinct state, returned_because from marts.findings where indicator = ? and severity <> 'info'",
        indicator,
    )
    return {(row["state"], row["returned_because"]) for row in found}


def queued(settings: Settings) -> list[dict[str, Any]]:
    return rows(settings.released_database, "select * from marts.review_queue order by rank")


def fill(path: Path, line: int, **answers: str) -> None:
    book = openpyxl.load_workbook(path)
    for key, text in answers.items():
        book[review.SHEET][review.address(key, line)] = text or None
    book.save(path)


def answered(path: Path, queue: list[dict[str, Any]]) -> None:
    """Every row of the workbook answered, as a person would, by name and day."""
    for line, row in enumerate(queue, start=2):
        common = {"reason": "已向填报人核实\n无误", "name": "张三", "date": "2026-01-15"}
        if row["indicator"] == CORRECTED and row["value_text"] == "-40.0":
            fill(path, line, **common, answer="我方有误 ours", corrected="40.0")
        else:
            fill(path, line, **common, answer="无误，有解释 correct: explained")


def test_the_loop_once_round(tmp_path: Path) -> None:
    settings = tiny_root(tmp_path / "root")
    raw = settings.raw / "bulletins" / "files" / "b2023.csv"
    raw.write_text(WRONG, encoding="utf-8")
    raw.with_name("b2022.csv").write_text(WRONG_BEFORE, encoding="utf-8")
    workbook = tmp_path / "review.xlsx"
    seed = settings.seeds / "judgement" / "acknowledgements.csv"

    # both are found, named in the summary in both languages, and never stop the release
    first = command(settings, "refresh")
    assert first.returncode == 0, first.stdout + first.stderr
    assert "high finding(s) wait for an answer" in first.stdout and "条严重可疑待答复" in first.stdout
    assert {(EXPLAINED, "-87"), (CORRECTED, "-40.0")} <= {(row["indicator"], row["value_text"]) for row in queued(settings)}
    assert states(settings, EXPLAINED) == states(settings, CORRECTED) == {("open", None)}
    before = rows(settings.released_database, "select * from marts.findings order by finding_id")

    # exported, answered by half: refused by cell, nothing written
    assert ask(settings, "review", "export", str(workbook))["findings"] == len(queued(settings))
    fill(workbook, 2, answer="暂不处理至 ignore until", name="张三")
    untouched = seed.read_bytes()
    code, refused = answer(settings, "review", "import", str(workbook))
    assert code == 4 and seed.read_bytes() == untouched
    for key in ("reason", "date", "until"):
        assert f"{review.SHEET} {review.address(key, 2)}" in refused["error"]
    fill(workbook, 2, answer="", name="")

    # answered whole: seed rows; a second import of the same file adds nothing
    answered(workbook, queued(settings))
    done = ask(settings, "review", "import", str(workbook))
    assert len(done["acknowledgements"]) == len(queued(settings))
    (correction,) = done["corrections"]
    assert (correction["reference"], correction["field"], correction["expect"], correction["value"]) == ("f4", "value_text", "-40.0", "40.0")
    assert ask(settings, "review", "import", str(workbook))["written"] == []

    # the findings are out of the queue; first_seen stays; both values are visible, and explained
    second = refresh(settings)
    assert queued(settings) == [] and second.high_unanswered == 0
    assert states(settings, EXPLAINED) == {("answered", None)} and ("corrected", None) in states(settings, CORRECTED)
    kept = {row["finding_id"]: row for row in rows(settings.released_database, "select * from marts.findings")}
    assert all(kept[row["finding_id"]]["first_seen"] == row["first_seen"] for row in before)
    assert any(kept[row["finding_id"]]["last_seen"] > row["last_seen"] for row in before if kept[row["finding_id"]]["state"] == "answered")
    (applied,) = rows(settings.released_database, "select * from marts.applied_corrections")
    assert (applied["printed_text"], applied["corrected_text"]) == ("-40.0", "40.0")
    assert (applied["printed_value"], applied["corrected_value"], applied["obs_value"]) == (-40.0, 40.0, 40.0)
    assert applied["finding_ids"] and applied["cell"] == "D5" and applied["file"] == "bulletins/files/b2022.csv"
    code, told = answer(settings, "explain", CORRECTED, "500000", "2022")
    cell = next(cell for series in told["series"] for figure in series["figures"] for cell in figure["prints"] if cell["corrections"])
    assert code == 0 and (cell["value_text"], cell["corrections"][0]["corrected_text"]) == ("-40.0", "40.0")
    words = "\n".join(say(told))
    assert "“-40.0” → “40.0”" in words and "可疑 (corrected" in words

    # the value changes: the finding is back, with the answer that it had
    raw.write_text(WRONG.replace(",-87,", ",-88,"), encoding="utf-8")
    third = refresh(settings)
    assert ("returned", "values_changed") in states(settings, EXPLAINED)
    (row, *_) = [row for row in queued(settings) if row["indicator"] == EXPLAINED and row["state"] == "returned"]
    assert (row["last_answer"], row["last_reason"], row["value_text"]) == ("explained", "已向填报人核实 无误", "-88")
    assert third.findings["returned"] >= 1

    # an old workbook is told which row its values no longer fit
    book = openpyxl.load_workbook(workbook)
    line = next(line for line in range(2, 99) if book[review.SHEET][review.address("finding_id", line)].value == row["finding_id"])
    fill(workbook, line, date="2026-01-16")
    code, stale = answer(settings, "review", "import", str(workbook))
    assert code == 4 and f"{review.SHEET} {review.address('values_seen', line)}" in stale["error"]
