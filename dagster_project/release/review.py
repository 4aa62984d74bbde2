"""The review workbook: the queue of findings as a sheet that a person answers in Excel.

Belongs here: what each column of the workbook is, where its cells stand, and writing it from a release. Does not belong here: reading
answers back (``answers``), which findings wait and in which order (``marts.review_queue``).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from unicodedata import east_asian_width

import duckdb
import polars as pl
import xlsxwriter

from dagster_project.release.explain import unit
from dagster_project.settings import Settings

Row = dict[str, Any]

SHEET, INSTRUCTIONS = "审核 Review", "说明 Instructions"
RELEASE_LABEL = "发布 Release"
SERIES_SHOWN, PEERS_SHOWN = 7, 8
FIELDS = {
    "value": ("数值", "value"), "unit_text": ("单位", "unit"), "period_text": ("时期", "period"), "label": ("指标名", "label"), "area": ("地区", "area"),
}  # fmt: skip
SEVERITIES = {"high": "高 high", "medium": "中 medium", "low": "低 low"}
COVERAGES = {
    "period": "当期 period", "year-to-date": "累计 year-to-date", "end of period": "期末 end of period", "last twelve months": "近十二个月 last twelve months",
}  # fmt: skip
ORIGINS = {"printed": "印行 printed", "derived": "算出 derived"}
STATES = {"open": "待答 open", "returned": "重新提出 returned"}


@dataclass(frozen=True)
class Column:
    """A column of the sheet: key, heads in both languages, width in characters, and what is written; answer columns write nothing."""

    key: str
    zh: str
    en: str
    width: int
    show: Callable[[Row], str] | None = None

    @property
    def head(self) -> str:
        return f"{self.zh}\n{self.en}"


def _lines(*texts: str | None) -> str:
    return "\n".join(text for text in texts if text)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.10g}"


def _observed(row: Row) -> str:
    printed = f"印 “{row['value_text']}” {row['unit_text'] or ''}".rstrip() if row["value_text"] is not None else ""
    return _lines(printed, f"{_number(row['observed'])} {row['unit']}".strip() if row["observed"] is not None else "")


def _expected(row: Row) -> str:
    low, high = row["lower"], row["upper"]
    bounds = "" if low is None and high is None else f"[{'-∞' if low is None else _number(low)}, {'∞' if high is None else _number(high)}]"
    return _lines(_number(row["expected"]), bounds)


def _figure(row: Row) -> str:
    detail = " ".join(row[name] for name in ("breakdown", "currency_scope", "transformation") if row[name] not in (None, "_T", "_Z", "N"))
    return _lines(
        f"{row['indicator_zh'] or row['indicator'] or ''} {row['indicator_en'] or ''}".strip(),
        f"{row['area_zh'] or row['ref_area'] or ''} {row['area_en'] or ''}".strip(),
        " ".join(text for text in (row["time_period"], COVERAGES.get(row["coverage"], row["coverage"]), ORIGINS.get(row["origin"]), detail) if text),
    )


def _source(row: Row) -> str:
    if not row["file"]:
        return "计算所得 derived" if row["origin"] == "derived" else ""
    place = " ".join(text for text in (row["sheet"], row["cell"], row["reference"]) if text)
    return _lines(f"raw/{row['file']}", place, row["title"])


def _last(row: Row) -> str:
    if not row["last_answer"]:
        return ""
    return _lines(row["last_answer_name"] or row["last_answer"], row["last_reason"], f"{row['answered_by']} {row['answered_on']}")


COLUMNS: tuple[Column, ...] = (
    Column("rank", "次序", "Rank", 6, lambda row: str(row["rank"])),
    Column("severity", "严重程度", "Severity", 10, lambda row: SEVERITIES[row["severity"]]),
    Column("state", "状态", "State", 10, lambda row: STATES[row["state"]]),
    Column("message", "可疑之处", "Finding", 44, lambda row: _lines(row["message_zh"], row["message_en"])),
    Column("figure", "哪个数", "Figure", 28, _figure),
    Column("observed", "所见", "Observed", 16, _observed),
    Column("expected", "期望", "Expected", 16, _expected),
    Column("series", "前后各期", "Series", 22, lambda row: row["series"] or ""),
    Column("peers", "同期他地", "Peers", 20, lambda row: row["peers"] or ""),
    Column("source", "出处（文件、表、格）", "Source cell", 28, _source),
    Column("suggestion", "建议", "Suggestion", 24, lambda row: _lines(row["suggestion_zh"], row["suggestion_en"])),
    Column("why", "为何在此次序", "Why here", 24, lambda row: _lines(row["why_zh"], row["why_en"])),
    Column("last", "上次答复", "Last answer", 16, _last),
    Column("answer", "答复", "Answer", 20),
    Column("reason", "理由", "Reason", 34),
    Column("name", "姓名", "Name", 12),
    Column("date", "日期", "Date", 12),
    Column("until", "截止日", "Until", 12),
    Column("field", "更正哪一项", "What to correct", 14),
    Column("corrected", "更正为", "Corrected text", 18),
    Column("rule_id", "规则", "Rule", 18, lambda row: row["rule_id"]),
    Column("finding_id", "可疑编号", "Finding id", 24, lambda row: row["finding_id"]),
    Column("values_seen", "所比较的值", "Values seen", 30, lambda row: row["values_seen"] or ""),
)
ANSWER_KEYS = tuple(column.key for column in COLUMNS if column.show is None)
POSITION = {column.key: place for place, column in enumerate(COLUMNS)}


def address(key: str, line: int) -> str:
    """``D7``: the cell of a column in a line of the sheet, counted from 1 as Excel does."""
    letters, place = "", POSITION[key] + 1
    while place:
        place, rest = divmod(place - 1, 26)
        letters = chr(65 + rest) + letters
    return f"{letters}{line}"


def both(names: tuple[str, str]) -> str:
    """What a drop-down shows."""
    return " ".join(names)


QUEUE = f"""
with queue as (select * from marts.review_queue),
figures as (
    select v.* from marts.observation_vintages as v
    semi join queue as q on q.indicator = v.indicator and q.breakdown = v.breakdown and q.transformation = v.transformation
    where v.is_preferred and v.obs_value is not null
),
series as (
    select finding_id, string_agg(line, chr(10) order by period_end) as series
    from (
        select q.finding_id, f.period_end,
            f.time_period || '  ' || round(f.obs_value, coalesce(f.decimals, 3)) || case when f.period_end = q.period_end then '  ◄' else '' end as line
        from queue as q
        inner join figures as f
            on f.ref_area = q.ref_area and f.indicator = q.indicator and f.breakdown = q.breakdown and f.currency_scope = q.currency_scope
            and f.transformation = q.transformation and f.prices = q.prices and f.origin = q.origin and f.coverage = q.coverage and f.freq = q.freq
        qualify row_number() over (partition by q.finding_id order by abs(f.period_end - q.period_end), f.period_end desc) <= {SERIES_SHOWN}
    ) as near
    group by finding_id
),
peers as (
    select finding_id, string_agg(line, chr(10) order by nearness, line) filter (where nearness <= {PEERS_SHOWN})
        || case when count(*) > {PEERS_SHOWN} then chr(10) || '… +' || (count(*) - {PEERS_SHOWN}) else '' end as peers
    from (
        select q.finding_id, a.name_zh || '  ' || round(f.obs_value, coalesce(f.decimals, 3)) as line,
            row_number() over (
                partition by q.finding_id
                order by (a.parent is not distinct from own.parent) desc, abs(f.obs_value - coalesce(q.expected, q.observed, 0)), f.ref_area
            ) as nearness
        from queue as q
        inner join figures as f
            on f.ref_area <> q.ref_area and f.indicator = q.indicator and f.breakdown = q.breakdown and f.currency_scope = q.currency_scope
            and f.transformation = q.transformation and f.prices = q.prices and f.origin = q.origin
            and f.period_start is not distinct from q.period_start and f.period_end = q.period_end
        inner join marts.areas as a on a.ref_area = f.ref_area
        left join marts.areas as own on own.ref_area = q.ref_area
    ) as placed
    group by finding_id
)
select q.*, s.series, p.peers, i.name_zh as indicator_zh, i.name_en as indicator_en, a.name_zh as area_zh, a.name_en as area_en, u.title,
    case when q.transformation = 'G1Y' then 'PC' else i.unit_measure end as unit_measure,
    case when q.transformation = 'G1Y' then 0 else i.unit_mult end as unit_mult, i.unit_name_zh as unit_zh
from queue as q
left join series as s using (finding_id)
left join peers as p using (finding_id)
left join marts.indicators as i on i.indicator = q.indicator
left join marts.areas as a on a.ref_area = q.ref_area
left join marts.publications as u on u.publication_id = q.publication_id
order by q.rank
"""


def _height(cells: Sequence[tuple[str, int]]) -> float:
    """Points that a row of (text, width in characters) needs: no reader fits rows to wrapped text by itself where cells are merely written."""
    lines = max(
        sum(max(1, math.ceil(sum(2 if east_asian_width(sign) in "WF" else 1 for sign in line) / (width - 1))) for line in text.split("\n"))
        for text, width in cells
    )
    return min(409.0, 14.0 * lines + 4)  # Excel knows no taller row


def answer_names(settings: Settings) -> dict[str, str]:
    """What the drop-down shows for each answer code, in the order of the code list."""
    frame = pl.read_csv(settings.seeds / "codelists" / "cl_answers.csv", infer_schema=False)
    return {row["answer"]: both((row["name_zh"], row["name_en"])) for row in frame.iter_rows(named=True)}


def read_queue(settings: Settings) -> tuple[str, list[Row]]:
    """The id of the release that readers see, and its queue with all that a row of the workbook shows."""
    names = answer_names(settings)
    with duckdb.connect(str(settings.released_database), read_only=True) as connection:
        release = str(connection.sql("select release_id from marts.release").fetchall()[0][0])
        relation = connection.sql(QUEUE)
        rows = [dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()]
    for row in rows:
        row["unit"] = unit(row) if row["unit_measure"] else ""
        row["last_answer_name"] = names.get(row["last_answer"])
    return release, rows


def shown_cells(row: Row) -> dict[str, str]:
    """The text of every locked cell of a row."""
    return {column.key: column.show(row) for column in COLUMNS if column.show is not None}


def export(settings: Settings, target: Path) -> int:
    """Write the workbook of the released queue to ``target``; returns the number of findings in it."""
    release, rows = read_queue(settings)
    with xlsxwriter.Workbook(str(target), {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as book:
        book.set_properties({"title": f"fincenter review {release}", "comments": f"release {release}"})
        last = _instructions_start(settings)
        _write_rows(book, rows, last)
        _write_instructions(book, settings, release, len(rows))
    return len(rows)


def _instructions_start(settings: Settings) -> tuple[str, str]:
    """The ranges on the instruction sheet that feed the two drop-downs."""
    first = len(_INTRODUCTION) + 5
    answers = first + len(answer_names(settings)) - 1
    fields = answers + 3
    sheet = f"='{INSTRUCTIONS}'!"
    return f"{sheet}$A${first}:$A${answers}", f"{sheet}$A${fields}:$A${fields + len(FIELDS) - 1}"


_INTRODUCTION: tuple[tuple[str, str], ...] = (
    ("每行是一条可疑，最牵动已发布合计或目标的在前。", "Each row is a finding; what moves a published total or a target most comes first."),
    ("只填黄色的格：答复（下拉）、理由、姓名、日期；其余各格锁定，供参照。", "Fill the yellow cells only: answer (drop-down), reason, name, date. The other cells are locked and for reference."),
    ("不答的行留空，下次仍在。答了一半的行会被退回，并指明是哪一格。", "Leave what you don't answer empty; it will be there again. A row answered by half is refused, cell by cell."),
    ("“暂不处理至”须填截止日；“询问来源”可填，到期再提。日期写 2026-11-20。", "“Ignore until” needs a last day; “ask the source” may have one. Write days as 2026-11-20."),
    ("来源或我方有误而知道正确写法的，填“更正为”，照原件应有的样子（如 -1.9、832、亿元）；所改的若不是数值，在“更正哪一项”里选。", "Where source or we are wrong and you know the right text, put it into “Corrected text” as the original should have it; if it isn't the value, choose what it is."),
    ("原文件与账本不改：更正与答复写入 seeds/judgement/，两个数都看得见。", "Files and ledger stay as they are: answers and corrections go into seeds/judgement/, and both values stay visible."),
    ("填好后运行 fincenter review import 文件名，再运行 fincenter refresh。数值一变或截止日一过，已答的会重新提出。", "Then run `fincenter review import FILE` and `fincenter refresh`. An answered finding returns when its values change or its term has ended."),
)  # fmt: skip


def _write_rows(book: Any, rows: Sequence[Row], ranges: tuple[str, str]) -> None:
    sheet = book.add_worksheet(SHEET)
    plain = {"text_wrap": True, "valign": "top", "font_size": 10, "border": 1, "border_color": "#D0D0D0"}
    head = book.add_format({**plain, "bold": True, "valign": "vcenter", "bg_color": "#DDE6F0"})
    head_answer = book.add_format({**plain, "bold": True, "valign": "vcenter", "bg_color": "#FFD966"})
    locked = book.add_format({**plain, "bg_color": "#F7F7F7"})
    high = book.add_format({**plain, "bg_color": "#F7F7F7", "bold": True, "font_color": "#9C0006"})
    open_text = book.add_format({**plain, "bg_color": "#FFF9E5", "locked": False, "num_format": "@"})
    open_day = book.add_format({**plain, "bg_color": "#FFF9E5", "locked": False, "num_format": "yyyy-mm-dd"})
    lacking = book.add_format({"bg_color": "#F4B183"})
    for place, column in enumerate(COLUMNS):
        sheet.set_column(place, place, column.width)
        sheet.write_string(0, place, column.head, head if column.show else head_answer)
    sheet.set_row(0, 34)
    for line, row in enumerate(rows, start=1):
        cells = shown_cells(row)
        sheet.set_row(line, _height([(cells[column.key], column.width) for column in COLUMNS if column.show]))
        for place, column in enumerate(COLUMNS):
            if column.key == "rank":  # a number, so that sorting by it works
                sheet.write_number(line, place, row["rank"], locked)
            elif column.show:
                sheet.write_string(line, place, cells[column.key], high if column.key == "severity" and row["severity"] == "high" else locked)
            else:
                sheet.write_blank(line, place, None, open_day if column.key in ("date", "until") else open_text)
    end = max(1, len(rows))
    answers, fields = ranges
    for key, source, text in (("answer", answers, "从列表选一个答复。\nChoose an answer."), ("field", fields, "空为数值。\nEmpty: the value.")):
        sheet.data_validation(
            1, POSITION[key], end, POSITION[key],
            {"validate": "list", "source": source, "input_message": text, "error_title": "不在列表中 Not in the list", "error_message": text},
        )  # fmt: skip
    for key in ("date", "until"):
        sheet.data_validation(
            1, POSITION[key], end, POSITION[key],
            {"validate": "date", "criteria": ">=", "value": date(2000, 1, 1), "input_message": "如 such as 2026-11-20",
             "error_title": "不是日期 Not a day", "error_message": "日期写作 2026-11-20。\nWrite days as 2026-11-20."},
        )  # fmt: skip
    # a row that is begun shows what it still needs
    begun = f"COUNTA(${address('answer', 2)}:${address('corrected', 2)})>0"
    for key in ("answer", "reason", "name", "date"):
        place = POSITION[key]
        sheet.conditional_format(1, place, end, place, {"type": "formula", "criteria": f"=AND({begun},LEN({address(key, 2)})=0)", "format": lacking})
    sheet.freeze_panes(1, POSITION["message"] + 1)
    sheet.autofilter(0, 0, end, len(COLUMNS) - 1)
    sheet.protect("", {"autofilter": True, "sort": True, "format_columns": True, "format_rows": True})
    sheet.set_landscape()
    sheet.set_paper(8)
    sheet.fit_to_pages(2, 0)
    sheet.repeat_rows(0)
    sheet.activate()


def _write_instructions(book: Any, settings: Settings, release: str, count: int) -> None:
    sheet = book.add_worksheet(INSTRUCTIONS)
    wrap = book.add_format({"text_wrap": True, "valign": "top"})
    bold = book.add_format({"bold": True, "valign": "top"})
    sheet.set_column(0, 0, 52)
    sheet.set_column(1, 1, 70)
    sheet.write_string(0, 0, RELEASE_LABEL, bold)
    sheet.write_string(0, 1, release)
    sheet.write_string(1, 0, "待审条数 Findings", bold)
    sheet.write_string(1, 1, str(count))
    line = 2
    for line, (zh, en) in enumerate(_INTRODUCTION, start=2):
        sheet.set_row(line, _height([(zh, 52), (en, 70)]))
        sheet.write_string(line, 0, zh, wrap)
        sheet.write_string(line, 1, en, wrap)
    line += 2
    sheet.write_string(line, 0, "答复 Answers", bold)
    frame = pl.read_csv(settings.seeds / "codelists" / "cl_answers.csv", infer_schema=False, empty_string_is_null=False)
    for row in frame.iter_rows(named=True):
        line += 1
        sheet.write_string(line, 0, both((row["name_zh"], row["name_en"])), wrap)
        sheet.set_row(line, _height([(_lines(row["note_zh"], row["note_en"]), 70)]))
        sheet.write_string(line, 1, _lines(row["note_zh"], row["note_en"]), wrap)
    line += 2
    sheet.write_string(line, 0, "更正哪一项 What to correct", bold)
    for names in FIELDS.values():
        line += 1
        sheet.write_string(line, 0, both(names))
    sheet.fit_to_pages(1, 0)
    sheet.protect()
