"""An inspection as a page: every sheet as it stands, cells coloured by what they became, the refused ones listed below.

Belongs here: one self-contained HTML text without scripts or addresses. Does not belong here: what became of a cell (``look``). Whatever a file
holds is text here: everything is escaped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any, Final

import polars as pl

from dagster_project.intake.inspection.known import ACCEPTED, MISSING, OTHER, REFUSED
from dagster_project.intake.inspection.look import TO_ADD, Inspection, parts_of_sheet, what_to_do
from dagster_project.intake.inspection.tell import KINDS, WORDS, address
from dagster_project.intake.tables import ROW, Sheet, column_letters

MOST_ROWS: Final = 1000
MOST_COLUMNS: Final = 120
MOST_LISTED: Final = 60  # cells of one reason
MOST_NOTES: Final = 300
_PARTS: Final = {
    "header": "表头 heading", "area": "地区 area", "indicator": "指标 indicator", "unit": "单位 unit", "period": "时期 period",
    "section": "分组 section", "other": "其他标签 other label", ACCEPTED: WORDS[ACCEPTED], REFUSED: WORDS[REFUSED], MISSING: WORDS[MISSING], OTHER: WORDS[OTHER],
    "above": "表上文字 line above", "note": "注 note", "ignored": "未读 not read",
}  # fmt: skip
_STYLE: Final = """
:root { color-scheme: light; --line: #d5dae1; --ink: #1c2430; --soft: #5d6877; }
* { box-sizing: border-box; }
body { margin: 0; padding: 24px 28px 48px; color: var(--ink); background: #f5f6f8;
  font: 14px/1.5 "Noto Sans CJK SC", "Microsoft YaHei", "PingFang SC", "Source Han Sans SC", "WenQuanYi Micro Hei", system-ui, sans-serif; }
h1 { font-size: 20px; margin: 0 0 2px; overflow-wrap: anywhere; } h2 { font-size: 16px; margin: 28px 0 8px; }
p { margin: 2px 0; } .soft { color: var(--soft); }
.numbers { display: flex; flex-wrap: wrap; gap: 10px; margin: 16px 0 14px; }
.number { background: #fff; border: 1px solid var(--line); border-left-width: 5px; border-radius: 6px; padding: 6px 16px 6px 12px; }
.number b { display: block; font-size: 22px; line-height: 1.25; font-variant-numeric: tabular-nums; }
.key { display: flex; flex-wrap: wrap; gap: 6px 14px; margin: 0 0 10px; font-size: 12px; color: var(--soft); }
.key span { display: inline-flex; align-items: center; gap: 5px; }
.key i { width: 18px; height: 13px; border: 1px solid #b9c1cb; display: inline-block; }
.frame { overflow: auto; width: fit-content; max-width: 100%; max-height: 82vh; background: #fff; border: 1px solid var(--line); border-radius: 6px; }
table { border-collapse: separate; border-spacing: 0; } .sheet { width: max-content; }
.sheet td, .sheet th { border-right: 1px solid var(--line); border-bottom: 1px solid var(--line); padding: 3px 8px; vertical-align: top;
  font-size: 13px; white-space: pre-line; max-width: 20em; overflow-wrap: anywhere; }
.sheet th { position: sticky; background: #eceff3; color: var(--soft); font-weight: 400; font-size: 11px; text-align: center; z-index: 1; white-space: nowrap; }
.sheet thead th { top: 0; z-index: 2; } .sheet tbody th { left: 0; min-width: 3em; } .sheet thead th:first-child { left: 0; z-index: 3; }
.sheet tr.hidden td { font-style: italic; } .sheet tr.hidden th::after { content: " 隐"; }
td.n { text-align: right; font-variant-numeric: tabular-nums; white-space: pre; }
.header { background: #d9e2f1; font-weight: 600; } .area { background: #e6f1fa; } .indicator { background: #e5f0ee; } .unit { background: #f2ecdf; }
.period { background: #ece7f5; } .section { background: #e3e7ec; font-weight: 600; } .other { background: #eef0f3; } .accepted { background: #dff3df; } .other_kind { background: #d8f0f4; }
.missing { background: repeating-linear-gradient(135deg, #fff 0 5px, #eef0f2 5px 7px); color: var(--soft); }
.refused { background: #ffd9d4; } .sheet td.refused { box-shadow: inset 0 0 0 1px #cf3b2c; }
.above { background: #fbf6e3; } .note { background: #fdf3d4; } .ignored { background: #fff; color: #8b95a2; }
td:target { outline: 3px solid #1f5fbf; outline-offset: -3px; }
.list { background: #fff; border: 1px solid var(--line); border-radius: 6px; width: 100%; }
.list td, .list th { text-align: left; padding: 5px 10px; border-bottom: 1px solid var(--line); vertical-align: top; font-size: 13px; }
.list th { color: var(--soft); font-weight: 400; font-size: 12px; } .list tr:last-child td { border-bottom: 0; }
.list td:first-child { white-space: nowrap; } .list a { color: #1f5fbf; }
.list small { color: var(--soft); display: block; font-size: 12px; }
.list td.cells a, .list td.cells span { white-space: nowrap; } .list td.cells span { color: var(--soft); margin-right: 10px; }
.list td.cells { width: 52%; line-height: 1.8; }
.wrong { background: #fff; border: 1px solid #cf3b2c; border-left-width: 6px; border-radius: 6px; padding: 10px 14px; overflow: auto; }
pre { margin: 0; white-space: pre-wrap; font: 12.5px/1.55 ui-monospace, "Noto Sans Mono CJK SC", "Sarasa Mono SC", monospace; }
details > summary { cursor: pointer; margin: 24px 0 8px; font-size: 16px; font-weight: 600; } details > summary small { color: var(--soft); font-weight: 400; }
details pre { background: #fff; border: 1px solid var(--line); border-radius: 6px; padding: 12px 14px; }
@media print { body { background: #fff; padding: 0; } .frame { max-height: none; overflow: visible; border: 0; } }
"""


def page(inspection: Inspection, file: str) -> str:
    """The page for ``file``: summary, key, each sheet, refused cells, notes, and the draft where no layout was given."""
    body = "".join(_body(inspection, file))
    return (
        '<!doctype html>\n<html lang="zh-CN"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{escape(file)} · fincenter inspect</title><style>{_STYLE}</style></head>\n<body>{body}</body></html>\n"
    )


def _body(inspection: Inspection, file: str) -> Iterator[str]:
    book = inspection.book
    layout = inspection.layout
    used = (
        "未起草版式 no layout"
        if layout is None
        else f"草稿版式 draft layout {layout.layout}"
        if inspection.drafted
        else f"版式 layout {layout.layout}"
    )
    encoding = f" · {book.encoding}" if book.encoding else ""
    yield f'<h1>{escape(file)}</h1><p class="soft">{escape(KINDS[book.kind])}{escape(encoding)} · {escape(used)} · 尚未入库 nothing is loaded</p>'
    for remark in book.remarks:
        yield f"<p>⚠ {escape(f'{remark.sheet}: ' if remark.sheet else '')}{escape(remark.text)}</p>"
    if inspection.problem is not None:
        yield f'<h2>整个文件将被拒读 The whole file would be refused</h2><div class="wrong"><pre>{escape(str(inspection.problem))}</pre></div>'
    if inspection.cells is not None:
        yield '<div class="numbers">'
        colours = {ACCEPTED: "#3d9a4b", REFUSED: "#cf3b2c", MISSING: "#a9b2bd", OTHER: "#2b93a5"}
        for outcome, count in inspection.counts.items():
            if count or outcome in (ACCEPTED, REFUSED):
                yield f'<div class="number" style="border-left-color:{colours[outcome]}"><b>{count}</b>{escape(WORDS[outcome])}</div>'
        yield "</div>"
    tables = [(sheet, "".join(_sheet(inspection, sheet, number))) for number, sheet in enumerate(book.sheets)]
    seen = [part for part in _PARTS if any(f'<td class="{part}' in table for _name, table in tables)]
    yield '<div class="key">' + "".join(f'<span><i class="{part}"></i>{escape(_PARTS[part])}</span>' for part in seen) + "</div>"
    read = {table.sheet for table in inspection.reading.tables} if inspection.reading else set()
    for sheet, table in tables:
        hidden = " · 隐藏 hidden" if sheet.hidden else ""
        name = escape((sheet.name or "表 table") + hidden)
        if inspection.reading is None or sheet.name in read:
            yield f"<h2>{name}</h2>{table}"
        else:
            yield f"<details><summary>{name} <small>此版式不读 not read by this layout · {sheet.cells.height} 行 rows</small></summary>{table}</details>"
    yield from _refused(inspection)
    yield from _notes(inspection)
    if inspection.drafted and inspection.draft:
        yield f"<details open><summary>草稿版式 Draft layout <small>带 # 的行请核对 check the lines marked with #</small></summary><pre>{escape(inspection.draft)}</pre></details>"


def _sheet(inspection: Inspection, sheet: Sheet, number: int) -> Iterator[str]:
    names = [name for name in sheet.cells.columns if name != ROW][:MOST_COLUMNS]
    columns = [int(name[1:]) for name in names]
    rows = sheet.cells.select(ROW, *names).head(MOST_ROWS)
    shown = set(rows[ROW].to_list())
    parts = parts_of_sheet(inspection, sheet.name)
    spans: dict[tuple[int, int], tuple[int, int]] = {}
    covered: set[tuple[int, int]] = set()
    for top, left, bottom, right in sheet.merged:
        inside = [
            (row, column)
            for row in range(top, min(bottom, top + MOST_ROWS) + 1)
            for column in range(left, min(right, left + MOST_COLUMNS) + 1)
            if row in shown and column in columns
        ]
        if (top, left) in inside and len(inside) > 1:
            spans[top, left] = (len({row for row, _column in inside}), len({column for _row, column in inside}))
            covered |= set(inside) - {(top, left)}
    yield (
        '<div class="frame"><table class="sheet"><thead><tr><th></th>'
        + "".join(f"<th>{column_letters(column)}</th>" for column in columns)
        + "</tr></thead><tbody>"
    )
    for row, *texts in rows.iter_rows():
        hidden = ' class="hidden"' if row in sheet.hidden_rows else ""
        yield f"<tr{hidden}><th>{row}</th>"
        filled = [position for position, text in enumerate(texts) if (text or "").strip()]
        alone = (
            filled[0]
            if len(filled) == 1 and filled[0] + 1 < len(columns) and not any((row, column) in covered | set(spans) for column in columns)
            else -1
        )
        if alone >= 0 and parts.get((row, columns[alone]), ("ignored", {}))[0] in ("above", "note", "ignored"):
            # A line of text runs over the blank cells to its right, as it does in a workbook.
            spans[row, columns[alone]] = (1, len(columns) - alone)
            covered |= {(row, column) for column in columns[alone + 1 :]}
        for column, text in zip(columns, texts, strict=True):
            if (row, column) not in covered:
                yield _cell(inspection, number, row, column, text or "", parts.get((row, column)), spans.get((row, column)))
        yield "</tr>"
    yield "</tbody></table></div>"
    if sheet.cells.height > MOST_ROWS or sheet.cells.width - 1 > MOST_COLUMNS:
        yield f'<p class="soft">前 {MOST_ROWS} 行、{MOST_COLUMNS} 列；全表 {sheet.cells.height} 行 {sheet.cells.width - 1} 列，全部照读。 The first {MOST_ROWS} rows and {MOST_COLUMNS} columns are shown; all are read.</p>'


def _cell(
    inspection: Inspection, number: int, row: int, column: int, text: str, part: tuple[str, dict[str, Any]] | None, span: tuple[int, int] | None
) -> str:
    kind, cell = part or ("ignored", {})
    if kind in ("above", "note", "other", "section", "area", "indicator", "unit", "period") and not text.strip():
        kind = "ignored" if kind in ("above", "note", "section") else kind
    told = _told(inspection, cell) if cell else ""
    figure = kind in (ACCEPTED, REFUSED, MISSING, OTHER)
    classes = f"{kind} n" if figure else kind
    attributes = f' class="{classes}"'
    if cell:
        attributes += f' id="s{number}-{cell["cell"]}"' if kind == REFUSED else ""
        attributes += f' title="{escape(told)}"'
    if span is not None:
        attributes += (f' rowspan="{span[0]}"' if span[0] > 1 else "") + (f' colspan="{span[1]}"' if span[1] > 1 else "")
    return f"<td{attributes}>{escape(text)}</td>"


def _told(inspection: Inspection, cell: Mapping[str, Any]) -> str:
    said = [str(cell[f"{name}_text"]).strip() or "—" for name in ("area", "indicator", "period", "unit")]
    line = f"{cell['cell']}  " + " · ".join(said) + ("" if cell["transformation"] == "N" else f" · {cell['transformation']}")
    if cell["outcome"] == ACCEPTED:
        return f"{line}\n→ {cell['indicator']} {cell['ref_area']}"
    if cell["outcome"] == MISSING:
        return line
    return line + "\n" + "\n".join(what_to_do(inspection, cell))


def _refused(inspection: Inspection) -> Iterator[str]:
    if inspection.cells is None:
        return
    refused = inspection.cells.filter(pl.col("outcome") == REFUSED)
    if refused.is_empty():
        return
    numbers = {sheet.name: number for number, sheet in enumerate(inspection.book.sheets)}
    near = {(f"unmapped_{one.what}", one.text): one.nearest for one in inspection.unknown()}
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for cell in refused.iter_rows(named=True):
        column = TO_ADD.get(cell["refusal"], ("", ""))[0]
        groups.setdefault((cell["refusal"], str(cell[column]).strip() if column else ""), []).append(cell)
    yield f"<h2>拒收 {refused.height} 个 Refused: {refused.height}</h2>"
    yield '<table class="list"><tr><th>个数 cells</th><th>原因与处理 why, and what to do</th><th>单元格与所印 cells and what they print</th></tr>'
    for (refusal, text), cells in sorted(groups.items(), key=lambda item: -len(item[1])):
        zh, en = what_to_do(inspection, cells[0])
        nearest = f"<small>最近的登记 nearest known: <b>{escape(near[refusal, text])}</b></small>" if near.get((refusal, text)) else ""
        links = [
            f'<a href="#s{numbers.get(cell["sheet"], 0)}-{escape(cell["cell"])}">{escape(address(cell))}</a>&nbsp;<span>{escape(cell["value_text"][:40])}</span>'
            for cell in cells[:MOST_LISTED]
        ]
        more = f'<span class="soft">… 另有 {len(cells) - MOST_LISTED} 个 more</span>' if len(cells) > MOST_LISTED else ""
        yield f'<tr><td><b>{len(cells)}</b></td><td>{escape(zh)}<small>{escape(en)}</small>{nearest}</td><td class="cells">{" ".join(links)} {more}</td></tr>'
    yield "</table>"


def _notes(inspection: Inspection) -> Iterator[str]:
    if inspection.reading is None or inspection.reading.notes.is_empty():
        return
    yield '<h2>随文件保存的文字 Lines kept with the file</h2><table class="list"><tr><th>位置 place</th><th>类 kind</th><th>文字 text</th></tr>'
    for note in inspection.reading.notes.head(MOST_NOTES).iter_rows(named=True):
        place = f"{note['sheet']} {note['row'] or ''}".strip()
        yield f"<tr><td>{escape(place or '—')}</td><td>{escape(_PARTS.get(note['kind'], note['kind']))}</td><td>{escape(note['text'])}</td></tr>"
    yield "</table>"
