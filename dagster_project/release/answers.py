"""Answers of a review workbook → rows of the seeds ``acknowledgements`` and ``corrections``.

Belongs here: reading the workbook, every fault of it by sheet and cell, and writing the seeds. Does not belong here: making the workbook
(``review``), or what an answer does to a finding (``marts.findings``).

All or nothing: a workbook with one fault writes no row, so that what was answered stays in one place until it is whole.
"""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
from python_calamine import CalamineError, CalamineWorkbook

from dagster_project.intake import numbers, periods
from dagster_project.intake.seeds import seed_path
from dagster_project.release import review
from dagster_project.settings import Settings

Row = dict[str, Any]

ACKNOWLEDGEMENTS, CORRECTIONS = "acknowledgements", "corrections"
# The printed text of the cell that each field of a correction speaks of.
PRINTED = {"value_text": "value_text", "growth_text": "value_text", "unit_text": "unit_text", "period_text": "period_text", "label": "label_text", "area": "area_text"}  # fmt: skip


class WorkbookError(ValueError):
    """The workbook can't be taken as it is; nothing was written. One line a fault: sheet, cell, what is wrong, what would be right."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__(
            f"{len(faults)} fault(s) in the workbook; nothing was written. 工作簿有误 {len(faults)} 处，未写入。\n"
            + "\n".join(f"  {fault}" for fault in faults)
        )
        self.faults = faults


@dataclass(frozen=True)
class Answer:
    """One answered row: the line of the sheet, what stands in its cells, the finding as the release has it."""

    line: int
    cells: dict[str, str]
    finding: Row


@dataclass
class Imported:
    """What an import did: rows that are new in each seed, rows already there, rows of the workbook left empty."""

    acknowledgements: list[Row] = field(default_factory=list)
    corrections: list[Row] = field(default_factory=list)
    already_there: int = 0
    unanswered: int = 0
    written: list[str] = field(default_factory=list)


def _text(value: object) -> str:
    """A cell as text: days as 2026-11-20, whole numbers without a point, each run of white space one blank."""
    if isinstance(value, datetime):
        value = value.date()
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return re.sub(r"\s+", " ", str(value)).strip() if value is not None else ""


def _iso(day: str) -> str:
    """A day as people type it (2026/1/5, 2026.1.5, 2026年1月5日) → 2026-01-05; anything else as it is."""
    found = re.fullmatch(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?", day)
    return f"{found[1]}-{int(found[2]):02d}-{int(found[3]):02d}" if found else day


def _same(one: str, other: str) -> bool:
    return re.sub(r"\s+", " ", one).strip() == re.sub(r"\s+", " ", other).strip()


def _at(key: str, line: int) -> str:
    return f"{review.SHEET} {review.address(key, line)}"


def read_workbook(path: Path) -> tuple[str, list[tuple[int, dict[str, str]]]]:
    """The release that a workbook was written from, and its rows (line, text by column). Raises :class:`WorkbookError`."""
    try:
        book = CalamineWorkbook.from_path(str(path))
    except (CalamineError, OSError) as error:
        raise WorkbookError([f"{path}: no workbook that can be read ({error}). 不是能读的工作簿。"]) from error
    absent = [name for name in (review.SHEET, review.INSTRUCTIONS) if name not in book.sheet_names]
    if absent:
        raise WorkbookError([f"{path}: no sheet {absent[0]!r}; it has {', '.join(book.sheet_names)}. Take the file that `fincenter review export` wrote. 缺工作表，请用导出的文件。"])  # fmt: skip
    notes = book.get_sheet_by_name(review.INSTRUCTIONS).to_python(skip_empty_area=False)
    release = next((_text(row[1]) for row in notes if len(row) > 1 and row[0] == review.RELEASE_LABEL), "")
    table = book.get_sheet_by_name(review.SHEET).to_python(skip_empty_area=False)
    head = [_text(value) for value in table[0]] if table else []
    faults = [
        f"{_at(column.key, 1)}: the head should be {_text(column.head)!r} but is {(head[place] if place < len(head) else '')!r}: columns may not be moved, added or taken out. 列不可移动、增删。"
        for place, column in enumerate(review.COLUMNS)
        if place >= len(head) or head[place] != _text(column.head)
    ]
    if faults:
        raise WorkbookError(faults)
    rows = []
    for line, values in enumerate(table[1:], start=2):
        cells = {column.key: _text(values[place]) if place < len(values) else "" for place, column in enumerate(review.COLUMNS)}
        cells |= {key: _iso(cells[key]) for key in ("date", "until")}
        if any(cells.values()):
            rows.append((line, cells))
    return release, rows


def _findings(settings: Settings) -> tuple[str, dict[str, Row], dict[str, dict[str, str]]]:
    """The released findings by id, and the locked cells of those in the queue as the workbook would show them now."""
    release, queue = review.read_queue(settings)
    with duckdb.connect(str(settings.released_database), read_only=True) as connection:
        relation = connection.sql("select finding_id, state, coalesce(values_seen, '') as values_seen from marts.findings")
        found = {row[0]: dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()}
    for row in queue:
        found[row["finding_id"]] = {**row, "values_seen": row["values_seen"] or ""}
    return release, found, {row["finding_id"]: review.shown_cells(row) for row in queue}


def _locked_faults(line: int, cells: dict[str, str], finding: Row | None, shown: dict[str, str] | None) -> Iterator[str]:
    """Is the row still about what it was written about? ``shown``: its locked cells, where the release is the workbook's own."""
    if finding is None:
        yield f"{_at('finding_id', line)}: finding {cells['finding_id']!r} is in no release: the cell was edited, or rule or key have changed. Export again. 无此可疑，请重新导出。"
        return
    if finding["state"] in ("gone", "corrected"):
        yield f"{_at('finding_id', line)}: finding {cells['finding_id']!r} is no longer there ({finding['state']}); nothing is left to answer. 已消失，无须作答。"
        return
    if not _same(cells["values_seen"], finding["values_seen"]):
        yield f"{_at('values_seen', line)}: the answer saw {cells['values_seen']!r}, the release now compares {_text(finding['values_seen'])!r}. Export again and look at it anew. 数值已变，请重新导出再答。"
        return
    for key, wanted in (shown or {}).items():
        if not _same(cells[key], wanted):
            yield f"{_at(key, line)}: {cells[key]!r} was edited; the release says {_text(wanted)!r}. Only yellow cells are answers. 锁定的格被改过，只可填黄格。"


def _day(cells: dict[str, str], key: str, line: int, faults: list[str]) -> date | None:
    if not cells[key]:
        return None
    try:
        return date.fromisoformat(cells[key])
    except ValueError:
        faults.append(f"{_at(key, line)}: {cells[key]!r} is no day; write 2026-11-20. 不是日期。")
        return None


def _answer_faults(answer: Answer, kinds: dict[str, Row], today: date) -> list[str]:
    """What is missing or wrong in the yellow cells of a row that was begun."""
    line, cells, faults = answer.line, answer.cells, list[str]()
    for key, zh in (("answer", "答复"), ("reason", "理由"), ("name", "姓名"), ("date", "日期")):
        if not cells[key]:
            faults.append(f"{_at(key, line)}: {key} is missing. 缺{zh}。")
    answered_on, until = _day(cells, "date", line, faults), _day(cells, "until", line, faults)
    if answered_on and answered_on > today + timedelta(days=1):
        faults.append(f"{_at('date', line)}: {answered_on} is still to come. 日期在将来。")
    if until and answered_on and until < answered_on:
        faults.append(f"{_at('until', line)}: the term ends {until}, before the answer of {answered_on}. 截止日早于作答日。")
    if not cells["answer"]:
        return faults
    kind = kinds.get(cells["answer"])
    if kind is None:
        names = "; ".join(kinds)
        return [*faults, f"{_at('answer', line)}: {cells['answer']!r} is no answer of the list: {names}. 不在列表中。"]
    if kind["needs_until"] == "true" and not cells["until"]:
        faults.append(f"{_at('until', line)}: {kind['name_en']!r} needs the last day. 缺截止日。")
    if cells["field"] and not cells["corrected"]:
        faults.append(f"{_at('corrected', line)}: what is to be corrected was chosen, but not the text. 缺更正文本。")
    if cells["corrected"] and kind["corrects"] != "true":
        faults.append(f"{_at('corrected', line)}: {kind['name_en']!r} leaves the figure as printed; a corrected text needs an answer that says who is wrong. 此答复不附更正。")  # fmt: skip
    if cells["corrected"]:
        faults += _correction_faults(answer)
    return faults


def _field(answer: Answer) -> str | None:
    """The field of the seed that a corrected text is for; null for a choice that is not in the list, or a cell without a reference."""
    chosen = {review.both(names): name for name, names in review.FIELDS.items()}.get(answer.cells["field"] or review.both(review.FIELDS["value"]))
    return answer.finding.get("value_field") if chosen == "value" else chosen


def _correction_faults(answer: Answer) -> Iterator[str]:
    line, cells, finding = answer.line, answer.cells, answer.finding
    name, where = _field(answer), _at("corrected", line)
    if cells["field"] and cells["field"] not in [review.both(names) for names in review.FIELDS.values()]:
        yield f"{_at('field', line)}: {cells['field']!r} is not in the list. 不在列表中。"
        return
    if not finding.get("reference"):
        yield f"{where}: {cells['source'] or 'a finding without a cell'} has no 编号 by which a correction could name it: mend the source's layout or seeds and answer without a corrected text. 此格无编号，不能逐格更正。"
        return
    if name is None:
        yield f"{where}: the value of this cell is neither level nor growth on the year and can't be corrected by itself. 此数不能逐格更正。"
        return
    printed = finding[PRINTED[name]] or ""
    if cells["corrected"] == printed:
        yield f"{where}: {printed!r} is what is printed already. 与原文相同。"
    elif name in ("value_text", "growth_text"):
        read = numbers.parse_numbers(pl.Series([cells["corrected"]])).row(0, named=True)
        if read["number_status"] != "number":
            yield f"{where}: {cells['corrected']!r} does not read as a number ({read['number_reason'] or read['number_status']}). 读不成数。"
    elif name == "period_text":
        read = periods.parse_periods(pl.Series("period_text", [cells["corrected"]])).row(0, named=True)
        if read["period_status"] != "period":
            yield f"{where}: {cells['corrected']!r} does not read as a period ({read['period_reason'] or read['period_status']}). 读不成时期。"


@dataclass
class _SeedFile:
    """A seed as it stands: rows in order, and the style that a rewrite keeps."""

    path: Path
    header: list[str]
    rows: list[Row]
    bom: bool
    newline: str

    @classmethod
    def read(cls, settings: Settings, name: str) -> _SeedFile:
        path = seed_path(settings, name)
        raw = path.read_bytes()
        body = raw.decode("utf-8-sig")
        reader = csv.DictReader(io.StringIO(body, newline=""))
        rows = list(reader)
        return cls(path, list(reader.fieldnames or ()), rows, raw.startswith(b"\xef\xbb\xbf"), "\r\n" if "\r\n" in body else "\n")

    def write(self, rows: Iterable[Row]) -> None:
        """Under a temporary name, then renamed: a reader sees the old file or the new one."""
        buffer = io.StringIO(newline="")
        writer = csv.DictWriter(buffer, self.header, restval="", lineterminator=self.newline)
        writer.writeheader()
        writer.writerows(rows)
        unfinished = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        try:
            unfinished.write_bytes(buffer.getvalue().encode("utf-8-sig" if self.bom else "utf-8"))
            unfinished.replace(self.path)
        finally:
            unfinished.unlink(missing_ok=True)


def import_answers(settings: Settings, path: Path, today: date | None = None) -> Imported:
    """Write the answers of a workbook into the seeds. Raises :class:`WorkbookError` with every fault, and then writes nothing.

    The caller holds the warehouse's lock. A workbook that was imported before adds nothing.
    """
    written_from, lines = read_workbook(path)
    release, findings, shown = _findings(settings)
    kinds = _kinds(settings)
    acknowledgements, corrections = _SeedFile.read(settings, ACKNOWLEDGEMENTS), _SeedFile.read(settings, CORRECTIONS)
    known = {(row["finding_id"], row["answered_on"]): row for row in acknowledgements.rows}
    done, faults, answers = Imported(), list[str](), list[Answer]()
    seen: dict[str, int] = {}
    for line, cells in lines:
        if cells["finding_id"] in seen:
            faults.append(f"{_at('finding_id', line)}: finding {cells['finding_id']!r} stands in line {seen[cells['finding_id']]} already. 重复。")
            continue
        seen[cells["finding_id"]] = line
        finding = findings.get(cells["finding_id"])
        if not any(cells[key] for key in review.ANSWER_KEYS):
            done.unanswered += 1
            continue
        code = kinds.get(cells["answer"], {}).get("answer", "")
        if _is_known(known.get((cells["finding_id"], cells["date"])), cells, code):
            done.already_there += 1
            continue
        own = list(_locked_faults(line, cells, finding, shown.get(cells["finding_id"]) if written_from == release else None))
        if finding is not None and not own:
            answers.append(answer := Answer(line, cells, finding))
            own = _answer_faults(answer, kinds, today or datetime.now(UTC).date())
            if (cells["finding_id"], cells["date"]) in known:
                own.append(f"{_at('date', line)}: this finding has another answer of {cells['date']} in {acknowledgements.path.name}: edit it there. 当日已有另一答复，请在种子里改。")  # fmt: skip
        faults += own
    if not faults:
        for answer in answers:
            correction_id = ""
            if answer.cells["corrected"]:
                row, is_new, fault = _correction(answer, [*corrections.rows, *done.corrections])
                if fault:
                    faults.append(fault)
                    continue
                correction_id = row["correction_id"]
                done.corrections += [row] if is_new else []
            done.acknowledgements.append(_acknowledgement(answer, kinds, correction_id))
    if faults:
        raise WorkbookError(faults)
    if done.corrections:  # first, since the answers name them
        corrections.write([*corrections.rows, *done.corrections])
        done.written.append(corrections.path.relative_to(settings.root).as_posix())
    if done.acknowledgements:
        acknowledgements.write(sorted([*acknowledgements.rows, *done.acknowledgements], key=lambda row: (row["finding_id"], row["answered_on"])))
        done.written.append(acknowledgements.path.relative_to(settings.root).as_posix())
    return done


def _kinds(settings: Settings) -> dict[str, Row]:
    """The code list of answers, by what the drop-down shows."""
    frame = pl.read_csv(seed_path(settings, "cl_answers"), infer_schema=False, empty_string_is_null=False)
    return {review.both((row["name_zh"], row["name_en"])): row for row in frame.iter_rows(named=True)}


def _is_known(row: Row | None, cells: dict[str, str], code: str) -> bool:
    """Was this very answer imported before?"""
    if row is None:
        return False
    same = {"answer": code, "reason": cells["reason"], "answered_by": cells["name"], "until": cells["until"]}
    return all(row[name] == text for name, text in same.items()) and bool(row["correction_id"]) == bool(cells["corrected"])


def _acknowledgement(answer: Answer, kinds: dict[str, Row], correction_id: str) -> Row:
    cells = answer.cells
    return {
        "finding_id": cells["finding_id"], "values_seen": answer.finding["values_seen"], "answer": kinds[cells["answer"]]["answer"],
        "reason": cells["reason"], "answered_by": cells["name"], "answered_on": cells["date"], "until": cells["until"], "correction_id": correction_id,
    }  # fmt: skip


def _correction(answer: Answer, rows: list[Row]) -> tuple[Row, bool, str]:
    """The row of ``corrections`` that an answer asks for; one that is there serves again if it says the same. (row, is it new, fault)"""
    finding, cells, name = answer.finding, answer.cells, _field(answer)
    assert name is not None
    key = {"publication_id": finding["publication_id"], "reference": finding["reference"], "field": name}
    for row in rows:
        if all(row[part] == text for part, text in key.items()):
            if row["value"] == cells["corrected"]:
                return row, False, ""
            return row, False, f"{_at('corrected', answer.line)}: correction {row['correction_id']} of corrections.csv reads this text as {row['value']!r} already: mend it there. 已有另一更正，请在种子里改。"  # fmt: skip
    taken = [int(row["correction_id"][1:]) for row in rows if re.fullmatch(r"c[0-9]+", row["correction_id"])]
    return (
        {
            "correction_id": f"c{max(taken, default=0) + 1:03d}", **key, "expect": finding[PRINTED[name]], "value": cells["corrected"],
            "reason": cells["reason"], "author": cells["name"], "decided_on": cells["date"],
        },
        True,
        "",
    )  # fmt: skip
