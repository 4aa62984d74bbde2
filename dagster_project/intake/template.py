"""Our own entry workbook: what it asks for, the workbook, and the layout that reads it back.

Belongs here: ``raw/<source>/template.yml``, checked against the seeds; the workbook; the text of its layout. Does not belong here: reading what
was filled in (that is ``cells`` with the layout, as for any file), or which figures a source ought to have (seeds).

The layout names every heading, so that a workbook whose headings were edited, moved or deleted is refused with the cell.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import polars as pl

from dagster_project.intake import periods
from dagster_project.intake import text as typography
from dagster_project.intake.inspection.draft import literal, scalar
from dagster_project.intake.inspection.known import Known, nearest
from dagster_project.intake.layouts import Item, Template, Title, read_layout, shown, validated
from dagster_project.intake.patterns import LEVELS
from dagster_project.intake.tables import column_letters

ENTRY_SHEET: Final = "填报 Entry"
HELP_SHEET: Final = "说明 Instructions"
LIST_SHEET: Final = "列表 Lists"
_PERIOD_LINE: Final = "时期 Period："
_KINDS: Final = ("observation", "estimate")
_EMPTY: Final = "未填 empty"
_SCOPES: Final = {"all": "all currencies", "cny": "yuan", "fx": "foreign currencies"}
_HEADING: Final = 4  # the first row of the headings, from 0; they take three
_DEPTH: Final = 3
_LABELS: Final = (("地区代码", "Code", 11), ("地区", "Area", 15), ("地区英文名", "Name", 22))
_REMARKS: Final = (("性质", "Kind", 14), ("核算阶段", "Stage", 14), ("备注", "Note", 30), ("核对", "Check", 40))


class TemplateError(ValueError):
    """What is asked for can't be put into a workbook: says what and where."""


@dataclass(frozen=True)
class Area:
    """A row: code, names, and the rows (from 0) that add up to it where they are a declared complete partition."""

    code: str
    zh: str
    en: str
    parts: tuple[int, ...] = ()


@dataclass(frozen=True)
class Column:
    """A column of figures as the seeds know it."""

    item: Item
    indicator: str
    name_en: str
    lower_limit: float | None
    additive: bool


@dataclass(frozen=True)
class Form:
    """A template filled with what the seeds say: ready to be written."""

    source_id: str
    title: Title
    period: str
    period_zh: str
    areas: tuple[Area, ...]
    columns: tuple[Column, ...]
    spare_rows: int
    all_areas: tuple[str, ...]
    stages: tuple[str, ...]


def template_path(raw: Path, source_id: str) -> Path:
    return raw / source_id / "template.yml"


def form(raw: Path, source_id: str, period: str, known: Known) -> Form:
    """The form that ``template.yml`` of a source asks for, for one period (2025, 2025-Q4, 2025-09, 2025-H1, 2025-YTD09).

    Raises :class:`TemplateError`, and :class:`~dagster_project.intake.layouts.LayoutError` for a file that is not valid.
    """
    path = template_path(raw, source_id)
    if not path.is_file():
        raise TemplateError(
            f"{shown(path)}: there is no such file. Write one: 请新建：\n"
            "  title: {zh: 某某季报, en: Quarterly return}\n  areas: [a code of cl_areas, or a group of cl_area_groups 地区或分组代码]\n"
            "  indicators:\n    - {label: a label of aliases.csv 已登记的指标名, unit: 亿元}"
        )
    template = validated(path, Template)
    found = periods.standard_periods(periods.FIRST_YEAR, periods.LAST_YEAR).filter(pl.col("label") == period)
    if found.is_empty():
        raise TemplateError(f"{period!r} is no period: write 2025, 2025-H1, 2025-Q4, 2025-09 or 2025-YTD09 (January to September) 时期写法有误")
    faults: list[str] = []
    areas = _areas(template, found["period_end"][0], known, faults)
    columns = _columns(template, known, faults)
    if faults:
        raise TemplateError(f"{shown(path)}: {len(faults)} thing(s) to mend 需修改\n" + "\n".join(f"  {fault}" for fault in faults))
    names = [name for name in known.frames["cl_areas"].filter(pl.col("valid_to") == "")["name_zh"].to_list() if name]
    stages = known.frames["stage_labels"].unique("stage", keep="first", maintain_order=True)["label"].to_list()
    return Form(source_id, template.title, period, found["label_zh"][0], areas, columns, template.spare_rows, tuple(names), tuple(stages))


def _areas(template: Template, day: date, known: Known, faults: list[str]) -> tuple[Area, ...]:
    """Rows in the order asked for; a group stands for its members on the period's last day."""
    own = {row["ref_area"]: row for row in known.frames["cl_areas"].iter_rows(named=True)}
    groups = {row["group_id"]: row for row in known.frames["cl_area_groups"].iter_rows(named=True)}
    members: dict[str, list[str]] = {}
    for row in known.frames["cl_area_group_members"].iter_rows(named=True):
        if (row["valid_from"] or "0") <= day.isoformat() < (row["valid_to"] or "9"):
            members.setdefault(row["group_id"], []).append(row["ref_area"])
    codes: list[str] = []
    for code in template.areas:
        if code not in own and code not in groups:
            near = nearest(code, {*own, *groups})
            faults.append(
                f"areas: {code!r} is neither in cl_areas nor in cl_area_groups{f'; did you mean {near!r}?' if near else ''} 未登记的地区或分组"
            )
        codes += [one for one in ([code] if code in own else members.get(code, [])) if one not in codes]
    whole: dict[str, tuple[int, ...]] = {}
    for group, row in groups.items():
        if row["complete"].lower() == "true" and row["total_area"] in codes and (parts := members.get(group)) and set(parts) <= set(codes):
            whole[row["total_area"]] = tuple(codes.index(part) for part in parts)
    return tuple(Area(own[code]["ref_area"], own[code]["name_zh"], own[code]["name_en"], whole.get(code, ())) for code in codes if code in own)


def _columns(template: Template, known: Known, faults: list[str]) -> tuple[Column, ...]:
    labels = {row["label_key"]: row for row in known.labels.filter(pl.col("part") == 0).iter_rows(named=True)}
    indicators = {row["indicator"]: row for row in known.frames["cl_indicators"].iter_rows(named=True)}
    measures = {row["unit_measure"]: row for row in known.frames["cl_unit_measures"].iter_rows(named=True)}
    units = {_key(row["unit_text"]).lower(): row for row in known.frames["cl_units"].iter_rows(named=True)}
    breakdowns = {row["breakdown"]: row["name_en"].lower() for row in known.frames["cl_breakdowns"].iter_rows(named=True) if row["parent"]}
    columns: list[Column] = []
    seen: set[str] = set()
    for number, item in enumerate(template.indicators, start=1):
        where = f"indicators, line {number}"
        label, unit = labels.get(_key(item.label)), units.get(_key(item.unit).lower())
        if label is None:
            near = nearest(item.label, known.label_keys)
            faults.append(f"{where}: label {item.label!r} is not in aliases.csv{f'; did you mean {near!r}?' if near else ''} 指标名未登记")
            continue
        if unit is None or unit["unit_measure"] not in measures:
            faults.append(f"{where}: unit {item.unit!r} is not in cl_units.csv 单位未登记")
            continue
        row = indicators[label["indicator"]]
        wanted, given = measures[row["unit_measure"]], measures[unit["unit_measure"]]
        if wanted["dimension"] != given["dimension"]:
            faults.append(f"{where}: {item.unit!r} is {given['dimension']}, but {row['name_zh']} is {wanted['dimension']} 单位与指标的量纲不符")
            continue
        if _key(item.label) in seen:
            faults.append(f"{where}: label {item.label!r} stands there twice 重复")
        seen.add(_key(item.label))
        exponent = int(row["unit_mult"]) + int(wanted["base_exponent"]) - int(unit["unit_mult"]) - int(given["base_exponent"])
        limit = float(row["lower_limit"]) * 10.0**exponent if row["lower_limit"] else None
        parts = [breakdowns.get(label["breakdown"], ""), _SCOPES.get(label["currency_scope"], "")]
        name = ", ".join([row["name_en"], *filter(None, parts)])
        columns.append(Column(item, row["indicator"], name, limit, row["kind"] in ("stock", "flow")))
    return tuple(columns)


def _key(text: str) -> str:
    return str(typography.label_key(pl.Series([text]))[0])


# --- the layout -----------------------------------------------------------------------------------------------


def layout_text(form: Form, name: str) -> str:
    """The layout that reads the workbook back: each heading with its translation and unit, in order."""
    lines = [
        "# yaml-language-server: $schema=../../_layouts/layout.schema.json",
        "# Written by `fincenter template`: the headings of the entry workbook. 由 fincenter template 写出；改指标请改 template.yml 后重写。",
        f"layout: {name}",
        f"title: {{zh: {scalar(form.title.zh)}, en: {scalar(form.title.en)}}}",
        f"above: [{scalar(_PERIOD_LINE + '{period}')}]",
        "header: [indicator, '*', unit]",
        "columns:",
    ]
    lines += [f"  - {scalar(f'{zh} {en}')}: {'area' if number == 1 else 'ignore'}" for number, (zh, en, _width) in enumerate(_LABELS)]
    for column in form.columns:
        heading = LEVELS.join(literal(part) for part in (column.item.label, column.name_en, column.item.unit))
        lines.append(f"  - {scalar(heading)}: {{holds: value, optional: true}}")
    lines += [f"  - {scalar(f'{zh} {en}')}: {holds}" for (zh, en, _width), holds in zip(_REMARKS, ("kind", "stage", "note", "ignore"), strict=True)]
    lines.append("values: {precision: column}  # a workbook drops zeros at the end 工作簿不存末位零")
    return "\n".join(lines) + "\n"


def keep_layout(raw: Path, form: Form) -> tuple[str, bool]:
    """The name of the layout of this form, and whether it had to be written.

    A form that asks for something else gets a layout of its own (entry_2, entry_3 …), so that workbooks handed out before are still read;
    the name is added to ``layouts`` of ``source.yml``. Raises :class:`TemplateError` where that can't be done.
    """
    folder = raw / form.source_id / "layouts"
    number = 1
    while (path := folder / f"entry_{number}.yml").is_file():
        if path.read_text(encoding="utf-8").splitlines()[3:] == layout_text(form, path.stem).splitlines()[3:]:
            return path.stem, False
        number += 1
    source = raw / form.source_id / "source.yml"
    text = source.read_text(encoding="utf-8")
    listed = re.search(r"^layouts: *\[([^\]\n]*)\] *(?:#.*)?$", text, re.MULTILINE)
    if listed is None:
        raise TemplateError(f"{shown(source)}: write `layouts` on one line, as layouts: [a, b], so that {path.stem} can be added 请写成一行")
    folder.mkdir(exist_ok=True)
    path.write_text(layout_text(form, path.stem), encoding="utf-8")
    read_layout(path)
    names = [name.strip() for name in listed[1].split(",") if name.strip()]
    # A layout that names every heading goes first: a general one might fit too.
    source.write_text(text[: listed.start(1)] + ", ".join([path.stem, *names]) + text[listed.end(1) :], encoding="utf-8")
    return path.stem, True


# --- the workbook ---------------------------------------------------------------------------------------------

_BLUE, _PALE, _ENTRY, _GRID = "#1F3864", "#D9E2F1", "#FFFBE6", "#B8C1CC"


def workbook(form: Form) -> bytes:
    """The workbook: entry sheet, instructions, and the hidden lists behind its drop-downs."""
    import xlsxwriter

    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    book.set_properties({"title": form.title.zh, "subject": f"{form.source_id} {form.period}", "comments": "fincenter template"})
    base = {"font_name": "Microsoft YaHei", "font_size": 10, "valign": "vcenter"}

    def style(**more: Any) -> Any:
        return book.add_format({**base, **more})

    entry, helps, lists = book.add_worksheet(ENTRY_SHEET), book.add_worksheet(HELP_SHEET), book.add_worksheet(LIST_SHEET)
    _write_entry(entry, form, style)
    _write_help(helps, form, style)
    for row, name in enumerate(form.all_areas):
        lists.write_string(row, 0, name)
    lists.protect()
    lists.hide()
    entry.activate()
    book.close()
    return buffer.getvalue()


def _write_entry(sheet: Any, form: Form, style: Any) -> None:
    first, figures = _HEADING + _DEPTH, len(_LABELS)
    count = len(form.columns)
    remarks = figures + count
    last = first + len(form.areas) + form.spare_rows - 1
    width = remarks + len(_REMARKS) - 1
    heading = style(bold=True, font_color="white", bg_color=_BLUE, border=1, border_color=_GRID, align="center", text_wrap=True)
    second = style(font_color=_BLUE, bg_color=_PALE, border=1, border_color=_GRID, align="center", text_wrap=True, font_size=9)
    unit = style(bold=True, font_color=_BLUE, bg_color=_PALE, border=1, border_color=_GRID, align="center")
    label = style(bg_color="#F3F5F8", border=1, border_color=_GRID)
    total = style(bg_color="#F3F5F8", border=1, border_color=_GRID, bold=True)
    free = style(bg_color=_ENTRY, border=1, border_color=_GRID, locked=False)
    words = style(bg_color=_ENTRY, border=1, border_color=_GRID, locked=False, text_wrap=True)
    check = style(border=1, border_color=_GRID, font_color="#B3261E", text_wrap=True, font_size=9)

    sheet.write_string(0, 0, f"{form.title.zh}  {form.title.en}", style(bold=True, font_size=14, font_color=_BLUE))
    sheet.write_string(1, 0, f"{_PERIOD_LINE}{form.period_zh}", style(bold=True, font_size=11))
    sheet.write_string(2, 0, "只填黄色格；没有的数留空，不要填 0 或“-”。表头、单位与地区已锁定。", style(font_color="#5D6877"))
    sheet.write_string(
        3,
        0,
        "Fill in yellow cells only; leave blank what is not known, never 0 or “-”. Headings, units and areas are locked.",
        style(font_color="#5D6877", font_size=9),
    )
    for position, (zh, en, wide) in enumerate((*_LABELS, *_REMARKS)):
        column = position if position < figures else position + count
        sheet.merge_range(_HEADING, column, _HEADING + _DEPTH - 1, column, f"{zh}\n{en}", heading)
        sheet.set_column(column, column, wide)
    for position, asked in enumerate(form.columns):
        column = figures + position
        sheet.write_string(_HEADING, column, asked.item.label, heading)
        sheet.write_string(_HEADING + 1, column, asked.name_en, second)
        sheet.write_string(_HEADING + 2, column, asked.item.unit, unit)
        sheet.set_column(column, column, 17)
        number = style(bg_color=_ENTRY, border=1, border_color=_GRID, locked=False, num_format=_number_format(asked.item.decimals))
        for row in range(first, last + 1):
            sheet.write_blank(row, column, None, number)
        sheet.data_validation(first, column, last, column, _limits(asked))
    for row in range(first, last + 1):
        area = form.areas[row - first] if row - first < len(form.areas) else None
        shape = total if area and area.parts else label
        sheet.write_string(row, 0, area.code if area else "", shape)
        if area:
            sheet.write_string(row, 1, area.zh, shape)
        else:
            sheet.write_blank(row, 1, None, free)
        sheet.write_string(row, 2, area.en if area else "", shape)
        sheet.write_string(row, remarks, _KINDS[0], free) if area else sheet.write_blank(row, remarks, None, free)
        sheet.write_blank(row, remarks + 1, None, free)
        sheet.write_blank(row, remarks + 2, None, words)
        sheet.write_formula(row, remarks + 3, _check(form, row, area), check, "")
    if form.spare_rows:
        names = f"='{LIST_SHEET}'!$A$1:$A${max(len(form.all_areas), 1)}"
        told = "从列表选已登记的地区。Choose a registered area from the list."
        sheet.data_validation(
            last - form.spare_rows + 1,
            1,
            last,
            1,
            {
                "validate": "list",
                "source": names,
                "error_title": "地区 Area",
                "error_message": told,
                "input_title": "地区 Area",
                "input_message": told,
            },
        )
    sheet.data_validation(first, remarks, last, remarks, {
        "validate": "list", "source": list(_KINDS), "error_title": "性质 Kind", "error_message": "observation 实际数，estimate 预计数。",
        "input_title": "性质 Kind", "input_message": "observation 实际数 / estimate 本单位的预计数",
    })  # fmt: skip
    sheet.data_validation(first, remarks + 1, last, remarks + 1, {
        "validate": "list", "source": list(form.stages), "error_title": "核算阶段 Stage", "error_message": "从列表选，或留空。Choose from the list or leave blank.",
    })  # fmt: skip
    done = style(font_color="#8B95A2")
    sheet.conditional_format(first, remarks + 3, last, remarks + 3, {"type": "text", "criteria": "begins with", "value": _EMPTY[:2], "format": done})
    for row in range(first, last + 1):
        sheet.set_row(row, 17)
    sheet.set_row(0, 24)
    sheet.set_row(_HEADING, 34)
    sheet.set_row(_HEADING + 1, 28)
    sheet.freeze_panes(first, figures)
    sheet.protect("", {"format_columns": True, "format_rows": True, "select_locked_cells": True, "select_unlocked_cells": True})
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(_HEADING, _HEADING + _DEPTH - 1)
    sheet.print_area(0, 0, last, width)
    sheet.set_footer(f"&L{form.source_id} {form.period}&R&P / &N")
    sheet.set_margins(0.4, 0.4, 0.5, 0.6)


def _number_format(decimals: int) -> str:
    return "#,##0" + ("." + "0" * decimals if decimals else "")


def _limits(asked: Column) -> dict[str, Any]:
    """Blank or a number, not below the natural limit."""
    lowest = asked.lower_limit
    rule = f"≥ {lowest:g}" if lowest is not None else "数 a number"
    criteria: dict[str, Any] = (
        {"criteria": ">=", "value": lowest} if lowest is not None else {"criteria": "between", "minimum": -1e15, "maximum": 1e15}
    )
    return {
        "validate": "decimal", **criteria, "ignore_blank": True, "error_title": "只填数字 Numbers only",
        "error_message": f"{asked.item.label}（{asked.item.unit}）：只填数字，{rule}；没有就留空，说明写在备注。A number, {rule}, or blank.",
    }  # fmt: skip


def _check(form: Form, row: int, area: Area | None) -> str:
    """What is wrong with a row: nothing filled, something missing, a text for a number, no area, parts that don't add up."""
    left, right = column_letters(len(_LABELS)), column_letters(len(_LABELS) + len(form.columns) - 1)
    line = row + 1
    cells = f"${left}{line}:${right}{line}"
    count = len(form.columns)
    filled = (
        f'IF(COUNT({cells})<COUNTA({cells}),"有非数字 not a number; ","")&IF(COUNTA({cells})<{count},"缺 missing "&({count}-COUNTA({cells}))&"; ","")'
    )
    sums = ""
    first = _HEADING + _DEPTH + 1
    if area and area.parts:
        for position, column in enumerate(form.columns):
            if not column.additive:
                continue
            letters = column_letters(len(_LABELS) + position)
            parts = ",".join(_ranges(letters, [part + first for part in area.parts]))
            slack = (len(area.parts) + 1) * 0.5 * 10.0**-column.item.decimals
            name = column.item.label.replace('"', "")
            sums += (
                f"&IF(AND(ISNUMBER({letters}{line}),COUNT({parts})={len(area.parts)}),"
                f'IF(ABS(SUM({parts})-{letters}{line})>{slack:g},"{name} 分项合计不符 parts do not add up: "&ROUND(SUM({parts})-{letters}{line},{column.item.decimals})&"; ",""),"")'
            )
    if area is None:
        return f'=IF(COUNTA({cells})=0,"",IF($B{line}="","请选地区 choose an area; ","")&IF(${column_letters(len(_LABELS) + count)}{line}="","请选性质 choose a kind; ","")&{filled})'
    return f'=IF(COUNTA({cells})=0,"{_EMPTY}",{filled}{sums})'


def _ranges(letters: str, lines: list[int]) -> list[str]:
    """Lines of a column as few ranges: B8:B45."""
    ranges: list[list[int]] = []
    for line in sorted(lines):
        if ranges and ranges[-1][1] == line - 1:
            ranges[-1][1] = line
        else:
            ranges.append([line, line])
    return [f"{letters}{low}:{letters}{high}" for low, high in ranges]


def _write_help(sheet: Any, form: Form, style: Any) -> None:
    head = style(bold=True, font_size=14, font_color=_BLUE)
    name = style(bold=True, font_color=_BLUE, bg_color=_PALE, border=1, border_color=_GRID, valign="top", text_wrap=True)
    words = style(text_wrap=True, valign="top", border=1, border_color=_GRID)
    sheet.write_string(0, 0, "填表说明  How to fill this in", head)
    rows = [
        ("时期 Period", f"{form.period_zh}（{form.period}）。存量填期末数，流量只填本期数；累计数请用 YTD 表。",
         f"{form.period}. Stocks at the end of the period; flows of the period alone: for figures since January ask for a YTD form."),
        ("填哪里 Where", "只填黄色格。一格一个数，不写单位、千分位、“约”“超”等字；没有的数留空。",
         "Yellow cells only: one number a cell, no units, separators or words such as “about”. Leave blank what is not known."),
        ("末位零 Zeros", "数字按公布的小数位填；格式会补零，但 Excel 只存数值。", "Enter the decimals that are published; the format shows zeros, but Excel stores the number only."),
        ("性质 Kind", "observation 实际数；estimate 本单位的预计数。", "observation: an actual figure; estimate: your own estimate."),
        ("核算阶段 Stage", "公布时写明才选，否则留空。", "Only where the publication says so; else blank."),
        ("备注 Note", "口径变化、更正、来源文号都写在这里，会随数保存。", "Changes of scope, corrections, the document: kept with the figures."),
        ("核对 Check", "红字是提示，不妨碍保存：缺几项、有非数字、分项合计与总数不符。", "Hints in red do not stop you: what is missing, no number, parts that do not add up."),
        ("表头 Headings", "表头、单位、列的次序已锁定。改动过的表会被整份拒收，并指出是哪一格；要增减指标，请改 template.yml 后重新生成。",
         "Headings, units and the order of columns are locked. A changed workbook is refused whole, with the cell named; to ask for something else edit template.yml and write a new one."),
        ("交回 Hand in", f"存为 .xlsx，放进 raw/{form.source_id}/files/，文件名即出版物编号；在 publications.csv 加一行，运行 fincenter refresh。",
         f"Save as .xlsx in raw/{form.source_id}/files/; its name is the publication's id. Add a line to publications.csv, run fincenter refresh."),
    ]  # fmt: skip
    for row, (what, zh, en) in enumerate(rows, start=2):
        sheet.write_string(row, 0, what, name)
        sheet.write_string(row, 1, zh, words)
        sheet.write_string(row, 2, en, words)
        sheet.set_row(row, 32 if max(2 * len(zh), len(en)) < 120 else 48)
    start = len(rows) + 4
    for column, text in enumerate(("指标 Indicator", "English", "单位 Unit")):
        sheet.write_string(start - 1, column, text, name)
    for row, asked in enumerate(form.columns, start=start):
        sheet.write_string(row, 0, asked.item.label, words)
        sheet.write_string(row, 1, asked.name_en, words)
        sheet.write_string(row, 2, asked.item.unit, words)
    sheet.set_column(0, 0, 24)
    sheet.set_column(1, 2, 62)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.hide_gridlines(2)
    sheet.protect()


def files_of(form: Form) -> str:
    """The name proposed for the workbook: a publication's id."""
    return f"{form.source_id}_{form.period.replace('-', '').lower()}.xlsx"
