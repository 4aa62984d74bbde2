"""An inspection on the terminal: tables of what was found, in Chinese and English.

Belongs here: what to show and how wide. Does not belong here: guesses, readings or judgements (``look``), or HTML (``page``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import polars as pl
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from dagster_project.intake.inspection.guess import Guess
from dagster_project.intake.inspection.known import ACCEPTED, MISSING, OTHER, REFUSED, nearest
from dagster_project.intake.inspection.look import Inspection, what_to_do

KINDS: Final = {
    "csv": "CSV 文本表 text table",
    "html": "HTML 网页表格 page",
    "xlsx": "Excel 工作簿 workbook (.xlsx)",
    "xls": "旧版 Excel 工作簿 old workbook (.xls)",
}
HOLDS: Final = {
    "area": "地区 area", "indicator": "指标 indicator", "unit": "单位 unit", "period": "时期 period", "year": "年份 year", "figures": "数值 figures",
    "reference": "编号 reference", "note": "备注 note", "kind": "性质 kind", "stage": "阶段 stage", "ignore": "不读 ignore", "": "空 blank", "text": "文字 text",
}  # fmt: skip
WORDS: Final = {ACCEPTED: "读入 accepted", REFUSED: "拒收 refused", MISSING: "无数 no figure printed", OTHER: "目标或预测 target or forecast"}
_STYLES: Final = {ACCEPTED: "green", REFUSED: "red", MISSING: "dim", OTHER: "cyan"}
_MOST: Final = 40


def _table(title: str, *headings: str, rows: Iterable[Sequence[str]]) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False, header_style="dim")
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*[Text(text) for text in row])
    return table


def _one_line(text: str, most: int = 60) -> str:
    text = " ".join(text.split())
    return text if len(text) <= most else text[: most - 1] + "…"


def report(inspection: Inspection, file: str, shown: int) -> RenderableType:
    """The whole report: what the file is, its sheets, then guesses (without a layout) or outcomes (with one)."""
    parts: list[RenderableType] = [*_file(inspection, file), _sheets(inspection)]
    if inspection.drafted:
        if inspection.main is not None:
            parts += _guess(inspection, inspection.main)
        if not inspection.draft:
            parts.append(Text("No table of labels and figures was found: nothing to draft. 未见有标签的数字表，无法起草版式。", style="red"))
    parts += list(_outcome(inspection, shown))
    spaced: list[RenderableType] = []
    for part in parts:
        spaced += [part, Text()] if isinstance(part, Table) else [part]
    return Group(*spaced)


def _file(inspection: Inspection, file: str) -> Iterator[RenderableType]:
    book = inspection.book
    encoding = f" · {book.encoding}" if book.encoding else ""
    yield Text(f"{file} — {KINDS[book.kind]}{encoding}", style="bold")
    suffix = file.rpartition(".")[2].lower()
    expected = {"csv": ("csv", "tsv", "txt"), "html": ("html", "htm"), "xlsx": ("xlsx", "xlsm"), "xls": ("xls",)}[book.kind]
    if suffix not in expected:
        yield Text(f"  the name says .{suffix}; what counts is what is inside 扩展名与内容不符，以内容为准", style="yellow")
    for remark in book.remarks:
        yield Text(f"  {remark.sheet + ': ' if remark.sheet else ''}{remark.text}", style="yellow")
    yield Text()


def _sheets(inspection: Inspection) -> Table:
    rows = []
    for guess in inspection.guesses:
        sheet = guess.sheet
        first, last = (int(sheet.cells["__row__"][0]), int(sheet.cells["__row__"][-1])) if sheet.cells.height else (0, 0)
        header = (
            "—" if guess.header is None else f"{guess.header[0]}" if guess.header[0] == guess.header[1] else f"{guess.header[0]}–{guess.header[1]}"
        )
        facts = [
            "隐藏 hidden" if sheet.hidden else "",
            f"{len(sheet.hidden_rows)} 行隐藏 rows hidden" if sheet.hidden_rows else "",
            f"{len(sheet.merged)} 处合并 merged" if sheet.merged else "",
            f"{len(sheet.formulas)} 个公式无结果 formulas without a value" if sheet.formulas else "",
            "双语 bilingual" if guess.bilingual else "",
            f"表头重复于行 headings again in row {', '.join(map(str, guess.repeats[:5]))}" if guess.repeats else "",
            f"另一表头？行 other headings in row {', '.join(map(str, guess.others[:5]))}?" if guess.others else "",
        ]
        rows.append((sheet.name or "—", f"{first}–{last}", str(sheet.cells.width - 1), header, str(guess.figures), " · ".join(filter(None, facts))))
    return _table("Sheets 工作表", "name 名称", "rows 行", "columns 列", "headings 表头行", "figures 数字 (前400行)", "", rows=rows)


def _guess(inspection: Inspection, guess: Guess) -> Iterator[RenderableType]:
    known = inspection.known
    vocabulary = {"area": known.area_keys, "indicator": known.label_keys, "unit": known.unit_keys}
    rows = []
    for columns in _alike(guess):
        column = columns[0]
        letters = column.letters if len(columns) == 1 else f"{column.letters}–{columns[-1].letters}"
        heading = _one_line(column.heading, 40) if len(columns) == 1 else f"{_one_line(column.heading, 18)} … {_one_line(columns[-1].heading, 18)}"
        told = column.why
        if column.distinct:
            told = f"{column.recognised}/{column.distinct} 已登记 known"
            strange = [f"{_one_line(text, 16)}{_near(text, vocabulary.get(column.holds, frozenset()))}" for text in column.unknown[:4]]
            told += f"; 未登记 unknown: {', '.join(strange)}{' …' if len(column.unknown) > 4 else ''}" if strange else ""
        elif column.holds == "figures":
            told = " ".join(filter(None, [column.transformation, column.coverage]))
        rows.append((letters, heading or "(无表头 no heading)", HOLDS.get(column.holds, column.holds), told))
    yield _table(f"Columns of {guess.sheet.name or 'the table'} 各列", "column 列", "heading 表头", "seems to hold 似为", "", rows=rows)
    lines = [(line.cell, "表上 above", _one_line(line.text, 90)) for line in guess.above[:8]]
    lines += [(line.cell, "分组 section", _one_line(line.text, 90)) for line in guess.sections[:6]]
    lines += [(line.cell, "注 note", _one_line(line.text, 90)) for line in guess.notes[:8]]
    if lines:
        yield _table("Lines around and between 表上、表间与表下文字", "cell 单元格", "", "text 文字", rows=lines)
    if guess.marks:
        marks = ", ".join(f"“{mark}” × {count}" for mark, count in sorted(guess.marks.items()))
        yield Text(f"Missing marks 缺测符号: {marks} — source.yml says what each means 含义写在 source.yml 的 missing_marks\n")


def _near(text: str, vocabulary: frozenset[str]) -> str:
    found = nearest(text, vocabulary)
    return f" ≈ {found}" if found else ""


def _alike(guess: Guess) -> Iterator[list[Any]]:
    """Columns in order; neighbours that hold figures of one kind together."""
    run: list[Any] = []
    for column in guess.columns:
        if not column.holds:
            continue
        alike = (
            run
            and column.holds == "figures" == run[-1].holds
            and (column.transformation, column.coverage) == (run[-1].transformation, run[-1].coverage)
        )
        if run and not alike:
            yield run
            run = []
        run.append(column)
    if run:
        yield run


def _outcome(inspection: Inspection, shown: int) -> Iterator[RenderableType]:
    if inspection.problem is not None:
        yield Text(f"The whole file would be refused 整个文件将被拒读 ({inspection.problem.code}):", style="bold red")
        yield Text(str(inspection.problem))
        return
    cells, reading = inspection.cells, inspection.reading
    if cells is None or reading is None or inspection.layout is None:
        return
    name = "the draft below 下面的草稿" if inspection.drafted else f"layout {inspection.layout.layout}"
    rows = [
        (
            table.sheet or "—",
            f"{table.header[0]}–{table.header[1]}",
            f"{table.body[0]}–{table.body[1]}",
            str(sum(column[3] in ("value", "values") for column in table.columns)),
        )
        for table in reading.tables[:_MOST]
    ]
    yield _table(f"Read with {name}: tables found 找到的表", "sheet 工作表", "headings 表头行", "body 表体行", "columns of figures 数值列", rows=rows)
    counts = inspection.counts
    summary = Text(f"{cells.height} cells 单元格 = ")
    for number, (outcome, count) in enumerate(counts.items()):
        summary.append(" + " if number else "").append(f"{count} {WORDS[outcome]}", style=_STYLES[outcome] if count else "dim")
    yield summary
    reasons = [(str(count), WORDS[outcome], refusal, *_reason(inspection, refusal)) for outcome, refusal, count in inspection.by_refusal]
    if reasons:
        yield Text()
        yield _table("Why 原因", "cells", "", "code 代码", "原因与处理", "reason and what to do", rows=reasons)
    unknown = list(inspection.unknown())
    if unknown:
        listed = [(one.what, _one_line(one.text, 40), str(one.cells), one.nearest or "—", one.seed) for one in unknown[:_MOST]]
        yield _table("Unknown to the seeds 种子表不认得", "what", "printed 所印", "cells", "nearest 最近", "add a line to 补一行", rows=listed)
        if len(unknown) > _MOST:
            yield Text(f"… {len(unknown) - _MOST} more 另有 {len(unknown) - _MOST} 项\n", style="dim")
    if not inspection.drafted:
        yield from _listed(inspection, cells, REFUSED, _MOST)
        yield from _listed(inspection, cells, ACCEPTED, shown)


def _reason(inspection: Inspection, refusal: str) -> tuple[str, str]:
    what_zh, what_en, do_zh, do_en = inspection.known.reason(refusal)
    return f"{what_zh}；{do_zh}", f"{what_en}; {do_en}"


def address(cell: Mapping[str, Any]) -> str:
    """sheet!cell, as Excel names it; the cell alone where the sheet has no name."""
    return f"{cell['sheet']}!{cell['cell']}" if cell["sheet"] else str(cell["cell"])


def _listed(inspection: Inspection, cells: pl.DataFrame, outcome: str, most: int) -> Iterator[RenderableType]:
    chosen = cells.filter(pl.col("outcome") == outcome)
    if chosen.is_empty() or not most:
        return
    rows = []
    for cell in chosen.head(most).iter_rows(named=True):
        told = "\n".join(what_to_do(inspection, cell)) if outcome == REFUSED else f"{cell['indicator']} · {cell['ref_area']}"
        label = _one_line(f"{cell['indicator_text']}{'' if cell['transformation'] == 'N' else ' ' + cell['transformation']}", 30)
        rows.append(
            (
                address(cell),
                _one_line(cell["value_text"], 20) or "(空 blank)",
                label,
                _one_line(cell["area_text"], 14),
                cell["unit_text"],
                _one_line(cell["period_text"], 16),
                told,
            )
        )
    last = "why and what to do 原因与处理" if outcome == REFUSED else "becomes 成为"
    more = f" ({len(rows)} of {chosen.height}; 前 {len(rows)} 个)" if chosen.height > len(rows) else f" ({chosen.height})"
    yield _table(f"{WORDS[outcome]}{more}", "cell", "printed 所印", "label 指标", "area 地区", "unit 单位", "period 时期", last, rows=rows)
