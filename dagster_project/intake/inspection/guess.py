"""What a sheet seems to be: where its headings, labels, units, periods, figures and notes stand.

Belongs here: guesses by the shapes of texts and by what the seeds know, for a person to check. Does not belong here: writing them down as
a layout (``draft``), reading by a layout (``cells``). No guess is ever loaded: a person saves the draft, or doesn't.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final, Literal

import polars as pl

from dagster_project.intake import numbers, periods
from dagster_project.intake import text as typography
from dagster_project.intake.cells import CONTINUED
from dagster_project.intake.inspection.known import Known
from dagster_project.intake.layouts import NOTES
from dagster_project.intake.patterns import first_match, matched
from dagster_project.intake.tables import ROW, Book, Sheet, column_letters

LOOK: Final = 400  # rows from which the shape is told
WIDE: Final = 600  # columns
_DEEPEST: Final = 8  # rows of headings
Kind = Literal["blank", "figure", "period", "either", "mark", "text"]

# Words of tables, in no way those of a source: what a heading or a key in front of a colon calls the thing below or behind it.
ROLE_WORDS: Final[dict[str, str]] = {
    "area": r"(?:所属|统计)?(?:地区|区县|地域|省份|省市|城市|区域|行政区划?|地市)(?:名称)?|各?(?:地区|区县)|region|area|province|city|district",
    "indicator": r"(?:统计|主要)?(?:指标|项目|科目)(?:名称)?|(?:指标|项目)\s*indicators?|items?|indicators?",
    "unit": r"(?:计量)?单位|units?",
    "period": r"时间|日期|时期|年月|月份|季度|报告期|年份|年度|统计时间|date|period|month|quarter|time|year",
    "reference": r"序号|编号|行次|行号|no\.?",
    "note": r"备注|说明|附注|remarks?|notes?",
    "kind": r"性质|数据性质",
    "stage": r"核算阶段|阶段",
    "ignore": r"代码|编码|.*(?:代码|编码)|.*code|频度|频率|来源|更新(?:时间|日期)|数据来源|指标代码|frequency|source",
}
_ROLE_WORDS: Final = {role: re.compile(rf"^\s*(?:{words})\s*$", re.IGNORECASE) for role, words in ROLE_WORDS.items()}
_METADATA: Final = re.compile(
    r"^\s*(?:指标(?:名称|ID|代码)?|地区|区域|国家|频度|频率|单位|来源|更新(?:时间|日期)|数据来源|时间区间|备注|描述)\s*[:：]?\s*$"
)
_GROWTH: Final = re.compile(r"同比|增长|增速|比上年|比去年|yoy|growth|increase", re.IGNORECASE)
_SINCE_JANUARY: Final = re.compile(r"比年初|较年初|比上年末")
_TO_DATE: Final = re.compile(r"累计|^\s*1\s*[-—–~～至]\s*(?:本|\d{1,2})\s*月?|年初至|ytd", re.IGNORECASE)
_THIS_PERIOD: Final = re.compile(r"^\s*(?:本[月季期年]|当[月季期])(?:止|末|值|数)?")
_GENERIC: Final = re.compile(
    r"^\s*(?:绝对[数量值额]|数\s*[值量额]|总[量额]|余额|期末(?:余额|数|值)?|年末(?:余额|数|值)?|金额|实际(?:数|值)?|完成(?:数|值|情况)?|指数|比重|占比|增速|增减|合计|总计"
    r"|现状值?|目标值?|values?|amount|total|level)\s*$",
    re.IGNORECASE,
)
_AIMS: Final = re.compile(r"\d\s*(?:[^\d\s]{0,3})(?:左右|以上|以内|以下)")
_POINTS: Final = re.compile(r"百分点|个点")
_BRACKETED: Final = re.compile(r"^(?P<name>.*?[^\s(（])\s*[(（]\s*(?:单位\s*[:：]\s*)?(?P<unit>[^()（）]+?)\s*[)）]\s*(?P<rest>.{0,4})$", re.DOTALL)
_LAGGED: Final = re.compile(r"[(（]\s*1\s*[-—–~～至]\s*上月\s*[)）]\s*$")
_AREA_SHAPE: Final = re.compile(r"^[\u3400-\u9fff]{1,12}(?:省|市|区|县|州|盟|旗|地区)$")
_TRANSLATED: Final = re.compile(r"[A-Za-z]{3}")
_IN_TEXT_PERIOD: Final = re.compile(
    r"[12]\d{3}\s*年\s*(?:\d{1,2}\s*[-—–~～至]\s*)?\d{1,2}\s*月(?:\s*末)?|[12]\d{3}\s*年\s*(?:第?[一二三四1-4]\s*季度|前[二三]季度|[上下]半年|末|底|度)?|[12]\d{3}\s*[.\-/]\s*\d{1,2}(?!\d)"
)


@dataclass
class Column:
    """A column: its heading level by level as printed, what it seems to hold, and how sure that is."""

    letters: str
    levels: tuple[str, ...]
    holds: str
    texts: tuple[str, ...] = ()  # of the body, as printed, blanks left out
    figures: int = 0
    blanks: int = 0
    recognised: int = 0  # distinct labels, areas or units that the seeds know …
    distinct: int = 0  # … of so many
    unknown: tuple[str, ...] = ()
    fill: bool = False
    coverage: str = ""
    transformation: str = ""
    aims: bool = False  # figures with 左右, 以上: targets
    why: str = ""

    @property
    def heading(self) -> str:
        return " / ".join(level for level in self.levels if level)


@dataclass
class Line:
    """A line outside the body, and what it seems to say."""

    row: int
    cell: str
    text: str
    roles: dict[str, str] = field(default_factory=dict)


@dataclass
class Guess:
    """What a sheet seems to be. Rows are as people count; ``header`` is (first, last), or None where no figures were found."""

    sheet: Sheet
    header: tuple[int, int] | None = None
    metadata: tuple[str, ...] = ()  # roles of heading rows that say something of their own: indicator, area, *, unit
    columns: list[Column] = field(default_factory=list)
    above: list[Line] = field(default_factory=list)
    notes: list[Line] = field(default_factory=list)
    sections: list[Line] = field(default_factory=list)
    strange_notes: list[str] = field(default_factory=list)  # first lines of notes that no usual pattern knows
    marks: dict[str, int] = field(default_factory=dict)
    bilingual: bool = False
    dates: str = ""
    dropped_zeros: bool = False
    repeats: list[int] = field(default_factory=list)  # rows where the headings stand again
    others: list[int] = field(default_factory=list)  # rows that look like other headings
    figures: int = 0
    children: int = 0
    same_labels: int = 0

    @property
    def figure_columns(self) -> list[Column]:
        return [column for column in self.columns if column.holds == "figures"]

    def stub(self, role: str) -> list[Column]:
        return [column for column in self.columns if column.holds == role]


# --- kinds of texts -------------------------------------------------------------------------------------------


def kinds_of(texts: Sequence[str], known: Known) -> dict[str, Kind]:
    """What each distinct text looks like: a figure, a period, either (2005), a missing mark, a text, or nothing."""
    distinct = pl.Series("text", sorted({text for text in texts if text}), dtype=pl.String)
    found: dict[str, Kind] = {"": "blank"}
    if distinct.is_empty():
        return found
    read = numbers.parse_numbers(distinct).select("value_text", "number_status", "unit_in_text")
    status = {text: (state, unit or "") for text, state, unit in read.iter_rows()}
    dated = periods.parse_periods(distinct).select("period_text", "period_status", "period_reason")
    times = {text: state == "period" or reason == "year_not_printed" for text, state, reason in dated.iter_rows()}
    for text in distinct:
        state, unit = status.get(text, ("unreadable", ""))
        is_period = times.get(text, False) and matched("{period}", text) is not None
        is_figure = state in ("number", "ratio") and (not unit or known.has_unit(unit))
        if is_period and is_figure:
            found[text] = "period" if re.search(r"[年月季Qq]", text) else "either"
        elif is_period:
            found[text] = "period"
        elif is_figure:
            found[text] = "figure"
        elif state in ("missing", "empty") or re.fullmatch(r"[-—–…·./x×*]+", text):
            found[text] = "mark"
        else:
            found[text] = "text"
    return found


def role_of(word: str) -> str:
    """What a heading calls the column: area, indicator, unit … or nothing."""
    word = re.sub(r"(?<=[\u3400-\u9fff])\s+(?=[\u3400-\u9fff])", "", typography.without_translation(word))
    return next((role for role, pattern in _ROLE_WORDS.items() if pattern.match(word)), "")


def bracketed_unit(text: str, known: Known) -> tuple[str, str, str] | None:
    """(name, unit, what stands behind) of ``name（unit）`` where the seeds know the unit."""
    found = _BRACKETED.match(text)
    return (found["name"].strip(), found["unit"].strip(), found["rest"].strip()) if found and known.has_unit(found["unit"]) else None


def period_in(text: str) -> tuple[int, int] | None:
    """Where a line names a period: 2021年1—4月 within a title."""
    found = _IN_TEXT_PERIOD.search(text)
    return found.span() if found and matched("{period}", found[0]) is not None else None


def is_growth(text: str) -> bool:
    return _GROWTH.search(text) is not None


def in_points(text: str) -> bool:
    return _POINTS.search(text) is not None


def is_lagged(text: str) -> bool:
    return _LAGGED.search(text) is not None


# --- the sheet ------------------------------------------------------------------------------------------------


class _View:
    """The leading rows of a sheet as texts with their kinds."""

    def __init__(self, sheet: Sheet, known: Known) -> None:
        names = [name for name in sheet.cells.columns if name != ROW][:WIDE]
        self.columns = [int(name[1:]) for name in names]
        self.rows: list[int] = sheet.cells[ROW].head(LOOK).to_list()
        self.raw = [[text or "" for text in row] for row in sheet.cells.select(names).head(LOOK).iter_rows()]
        self.text = [[text.strip() for text in row] for row in self.raw]
        self.sheet, self.known = sheet, known
        marked = sorted({text for row in self.text for text in row if typography.MAY_HOLD_MARK.search(text)})
        clean = dict(zip(marked, (text.strip() for text in typography.without_footnotes(pl.Series(marked, dtype=pl.String)).to_list()), strict=True))
        self.clean = [[clean.get(text, text) for text in row] for row in self.text]
        self.kind_of = kinds_of([text for row in self.text for text in row], known)
        self.kind = [[self.kind_of[text] for text in row] for row in self.text]
        self.height, self.width = len(self.rows), len(names)

    def letters(self, position: int) -> str:
        return column_letters(self.columns[position])

    def cell(self, at: int, position: int) -> str:
        return f"{self.letters(position)}{self.rows[at]}"

    def below(self, at: int, position: int, most: int = LOOK) -> list[tuple[str, Kind]]:
        return [(self.text[row][position], self.kind[row][position]) for row in range(at, min(at + most, self.height)) if self.text[row][position]]


def _first_figures(view: _View) -> int | None:
    """The first row of the body: it has a figure in a column where most of what follows is figures."""
    for at in range(view.height):
        sure = [position for position in range(view.width) if view.kind[at][position] == "figure"]
        if not sure or _counts_columns(view, at):
            continue
        for position in sure:
            following = [kind for _text, kind in view.below(at, position, 9)]
            if sum(kind in ("figure", "either", "mark") for kind in following) >= 0.6 * len(following):
                return at
    return None


def _counts_columns(view: _View, at: int) -> bool:
    """A row of column numbers (甲 1 2 3) below the headings."""
    values = [text for text, kind in zip(view.text[at], view.kind[at], strict=True) if kind == "figure"]
    return (
        len(values) >= 3 and values == [str(number) for number in range(int(values[0]), int(values[0]) + len(values))]
        if values and values[0] in ("1", "2")
        else False
    )


def _figure_columns(view: _View, first: int) -> list[int]:
    found = []
    for position in range(view.width):
        body = view.below(first, position)
        figures = [text for text, kind in body if kind in ("figure", "either")]
        sure = sum(kind == "figure" for _text, kind in body)
        marks = sum(kind == "mark" for _text, kind in body)
        if not sure or len(figures) + marks < 0.5 * len(body):
            continue
        heading = next((view.clean[at][position] for at in range(first - 1, -1, -1) if view.clean[at][position]), "")
        if role_of(heading) or _is_running(figures) or _serial_dates(figures):
            continue
        if all(re.fullmatch(r"\d{6}", text) for text in figures) and position == 0:
            continue  # codes of areas or of anything else
        found.append(position)
    return found


def _is_running(figures: Sequence[str]) -> bool:
    whole = [int(text) for text in figures if re.fullmatch(r"\d{1,5}", text)]
    return len(whole) >= 3 and len(whole) == len(figures) and whole == list(range(whole[0], whole[0] + len(whole))) and whole[0] in (0, 1, 2)


def _serial_dates(figures: Sequence[str]) -> bool:
    whole = [int(float(text)) for text in figures if re.fullmatch(r"[2-6]\d{4}(?:\.0+)?", text)]
    if len(whole) < 3 or len(whole) != len(figures):
        return False
    steps = {abs(later - earlier) for earlier, later in itertools.pairwise(whole)}
    return all(step == 1 or step == 7 or 28 <= step <= 31 or 89 <= step <= 92 or step in (365, 366) for step in steps)


def _span_of_headings(view: _View, first: int, figures: Sequence[int]) -> tuple[int, int] | None:
    """(first, last) row of the headings above the body, by position."""
    last = next((at for at in range(first - 1, -1, -1) if any(view.text[at][position] for position in figures)), None)
    if last is None:
        return None
    top = last
    while top > 0 and last - top < _DEEPEST:
        above = top - 1
        if not _is_heading_row(view, above, figures):
            break
        top = above
    for merged_top, left, bottom, right in view.sheet.merged:
        if (
            view.rows[top] > merged_top >= view.rows[0]
            and bottom >= view.rows[top]
            and any(left <= view.columns[p] <= right for p in range(view.width))
        ):
            wide = sum(left <= column <= right for column in view.columns) >= view.width
            if not wide and merged_top in view.rows:
                top = min(top, view.rows.index(merged_top))
    return top, last


def _is_heading_row(view: _View, at: int, figures: Sequence[int]) -> bool:
    filled = [position for position in range(view.width) if view.text[at][position]]
    if not filled or any(view.kind[at][position] == "figure" for position in filled):
        return False
    over = [position for position in filled if position in figures]
    if _METADATA.match(view.text[at][filled[0]]) and over:
        return True
    number = view.rows[at]
    merged = {left: right for top, left, _bottom, right in view.sheet.merged if top == number}
    if len(filled) == 1:
        position = filled[0]
        text = view.text[at][position]
        spans = merged.get(view.columns[position], view.columns[position])
        reaches_all = view.columns[position] <= view.columns[0] and spans >= view.columns[figures[-1]]
        return position in figures and position != 0 and not reaches_all and not re.search(r"单位|unit", text, re.IGNORECASE)
    if any(re.search(r"单位\s*[:：]", view.text[at][position]) for position in filled) or all(
        re.search(r"[:：]", view.text[at][position]) for position in filled
    ):
        return False
    return bool(over)


def _heading_levels(view: _View, top: int, last: int) -> list[tuple[str, ...]]:
    """Headings column by column: what is merged stands over all it covers, and in a text table over the blank cells to its right."""
    block = [list(view.clean[at]) for at in range(top, last + 1)]
    first = view.rows[top]
    depth = last - top + 1
    covering = [area for area in view.sheet.merged if first <= area[0] <= view.rows[last]]
    for merged_top, left, bottom, right in covering:
        inside = [position for position, index in enumerate(view.columns) if left <= index <= right]
        if inside:
            printed = block[merged_top - first][inside[0]]
            for level in range(merged_top - first, min(bottom - first, depth - 1) + 1):
                for position in inside:
                    block[level][position] = printed
    if not any(area[0] <= view.rows[last] and area[2] >= first for area in view.sheet.merged) and depth > 1:
        for level in range(depth - 1):
            for position in range(1, view.width):
                if not block[level][position] and block[level][position - 1] and any(block[below][position] for below in range(level + 1, depth)):
                    block[level][position] = block[level][position - 1]
    return [tuple(block[level][position] for level in range(depth)) for position in range(view.width)]


def _distinct_levels(levels: tuple[str, ...]) -> tuple[str, ...]:
    """As a reader sees them: blanks and a text merged down count once."""
    return tuple(level for number, level in enumerate(levels) if level and (number == 0 or level != levels[number - 1]))


def _recognised(texts: Sequence[str], has: frozenset[str], unit: bool = False) -> tuple[int, int, tuple[str, ...]]:
    """(known, distinct, the unknown ones) of texts."""
    distinct = list(dict.fromkeys(text for text in texts if text))
    if not distinct:
        return 0, 0, ()
    plain = typography.without_footnotes(pl.Series(distinct, dtype=pl.String))
    keys = (typography.unit_key(plain) if unit else typography.label_key(plain)).to_list()
    unknown = tuple(text for text, key in zip(distinct, keys, strict=True) if key not in has)
    return len(distinct) - len(unknown), len(distinct), unknown


def bare_labels(texts: Sequence[str], known: Known) -> list[str]:
    """Row labels as they are looked up: without footnote marks, 其中, unit in brackets, a lag, a translation."""
    plain = typography.without_footnotes(pl.Series(texts, dtype=pl.String)).to_list()
    return [_bare_label(text, known) for text in plain]


def _bare_label(text: str, known: Known) -> str:
    text = typography.without_translation(text.strip())
    text = re.sub(r"^\s*(?:其中\s*[:：]?|[#＃])\s*", "", text)
    text = _LAGGED.sub("", text)
    found = bracketed_unit(text, known)
    return found[0] if found else text


def _is_translated(text: str) -> bool:
    return typography.is_translated(text) and _TRANSLATED.search(text) is not None


def guessed(sheet: Sheet, known: Known) -> Guess:
    """What ``sheet`` seems to be. Never fails: a sheet without figures has no ``header``."""
    view = _View(sheet, known)
    guess = Guess(sheet)
    first = _first_figures(view)
    figures = _figure_columns(view, first) if first is not None else []
    span = _span_of_headings(view, first, figures) if first is not None and figures else None
    if first is None or span is None:
        guess.above = [Line(view.rows[at], view.cell(at, p), text) for at, row in enumerate(view.text[:50]) for p, text in enumerate(row) if text]
        return guess
    top, last = span
    guess.header = (view.rows[top], view.rows[last])
    levels = _heading_levels(view, top, last)
    labels = [view.clean[at][position] for at in range(view.height) for position in range(view.width) if position not in figures]
    headings = [level for column in levels for level in column]
    chinese = [text for text in (*labels, *headings) if re.search(r"[\u3400-\u9fff]", text)]
    over = [text for text in headings if re.search(r"[\u3400-\u9fff]", text)]
    guess.bilingual = any(group and sum(map(_is_translated, group)) >= 0.5 * len(group) for group in (chinese, over))
    if guess.bilingual:
        levels = [tuple(typography.without_translation(level) for level in column) for column in levels]
    _metadata(guess, view, top, last, levels)
    body = range(last + 1, view.height)
    end = max((at for at in body if any(view.kind[at][p] in ("figure", "either") for p in figures)), default=last)
    with_figures = [at for at in range(last + 1, end + 1) if any(view.kind[at][p] in ("figure", "either", "mark") for p in figures)]
    for position in range(view.width):
        guess.columns.append(_column(guess, view, position, levels[position], position in figures, last + 1, end, with_figures))
    _roles(guess, known)
    _outside(guess, view, top, last, end, figures)
    _body_facts(guess, view, last, end, figures)
    return guess


def _metadata(guess: Guess, view: _View, top: int, last: int, levels: list[tuple[str, ...]]) -> None:
    """Heading rows that are called 指标, 地区, 频度, 单位 in front: each says something of the figures below."""
    stub = next((position for position in range(view.width) if view.clean[top][position]), 0)
    called = [view.clean[at][stub] for at in range(top, last + 1)]
    if sum(_METADATA.match(word) is not None for word in called) >= max(2, len(called) - 1):
        roles = tuple((role if (role := role_of(word.rstrip(":： "))) in ("indicator", "area", "unit") else "*") for word in called)
        if any(role != "*" for role in roles):
            guess.metadata = roles


def _column(guess: Guess, view: _View, position: int, levels: tuple[str, ...], is_figures: bool, start: int, end: int, body: Sequence[int]) -> Column:
    inside = [at for at in body if view.text[at][position]] or [at for at in range(start, end + 1) if view.text[at][position]]
    raw = [view.raw[at][position] for at in inside]
    texts = [text.strip() for text in raw]
    shown = levels if guess.metadata else _distinct_levels(levels)
    column = Column(view.letters(position), shown, "", tuple(raw))
    kinds = Counter(view.kind_of[text] for text in texts)
    if is_figures:
        column.holds = "figures"
        column.figures = kinds["figure"] + kinds["either"]
        column.blanks = len(body) - len(texts)
        heading = column.heading
        column.aims = any(_AIMS.search(text) for text in texts)
        column.transformation = "DYS" if _SINCE_JANUARY.search(heading) else "G1Y" if is_growth(heading) else ""
        column.coverage = "ytd" if _TO_DATE.search(column.levels[-1] if column.levels else "") else ""
        return column
    if not texts:
        column.holds = "" if not any(levels) else "ignore"
        column.why = "" if not any(levels) else "nothing stands below"
        return column
    word = "" if guess.metadata else next((role for level in reversed(levels) if (role := role_of(level.rstrip(":： ")))), "")
    serials = sum(re.fullmatch(r"[2-6]\d{4}(?:\.0+)?", text) is not None for text in texts) if kinds["period"] else 0
    dated = kinds["period"] + kinds["either"] + serials >= 0.8 * len(texts)
    known = view.known
    counts = {
        "area": _recognised(texts, known.area_keys),
        "unit": _recognised(texts, known.unit_keys, True),
        "indicator": _recognised(bare_labels(texts, known), known.label_keys),
    }
    if word in counts:
        column.holds = word
    elif not word and not dated:
        shaped = sum(_AREA_SHAPE.match(text) is not None for text in set(texts))
        with_unit = sum(bracketed_unit(text, known) is not None for text in set(texts))
        strength = {
            "unit": counts["unit"][0] if counts["unit"][0] >= 0.6 * counts["unit"][1] else 0,
            "indicator": max(counts["indicator"][0], with_unit),
            "area": max(counts["area"][0], shaped),
        }
        best = max(strength, key=lambda role: strength[role])
        column.holds = best if strength[best] else ""
    if column.holds:
        column.recognised, column.distinct, column.unknown = counts[column.holds]
    if not column.holds:
        if dated or _serial_dates(texts):
            column.holds = "period"
        elif word:
            column.holds = word
        elif _is_running(texts):
            column.holds = "reference"
        else:
            column.holds = "text"
            column.distinct = len(set(texts))
    if column.holds == "reference" and len(set(texts)) < len(texts):
        column.holds = "ignore"
        column.why = "the same number stands in several rows"
    if column.holds in ("area", "indicator", "unit", "period", "text") and len(texts) < 0.6 * len(body):
        spans = [
            bottom - above
            for above, left, bottom, right in view.sheet.merged
            if left <= view.columns[position] <= right and above >= view.rows[start]
        ]
        column.fill = not spans and not raw[0].startswith((" ", "\u3000"))
    return column


def _roles(guess: Guess, known: Known) -> None:
    """Which of the text columns is what is still missing: headings first, then whatever no heading says."""
    heading_roles = {role for column in guess.figure_columns for level in column.levels if (role := level_role(level, known))}
    heading_roles |= set(guess.metadata)
    _blank_columns(guess, known)
    if sum(not column.transformation for column in guess.figure_columns) > 1:
        for column in guess.stub("reference"):
            column.holds, column.why = "ignore", "numbers of rows, several figures each"
    named = any(names_something(level, known) for column in guess.figure_columns for level in column.levels)
    for column in guess.columns:
        if column.holds != "text":
            continue
        if not guess.stub("indicator") and "indicator" not in heading_roles and not named:
            column.holds, column.why = "indicator", "none of its texts is a known label"
            column.recognised, column.distinct, column.unknown = _recognised(bare_labels(column.texts, known), known.label_keys)
        elif not guess.stub("area") and "area" not in heading_roles:
            column.holds, column.why = "area", "none of its texts is a known area"
            column.recognised, column.distinct, column.unknown = _recognised([text.strip() for text in column.texts], known.area_keys)
        else:
            column.holds, column.why = "ignore", "texts of no known kind"
    dated = [column for column in guess.columns if column.holds == "period"]
    if len(dated) == 2 and all(re.fullmatch(r"[12]\d{3}\s*年?", text.strip()) for text in dated[0].texts):
        dated[0].holds = "year"
    guess.dates = _dates(dated[-1].texts) if dated else ""


def _blank_columns(guess: Guess, known: Known) -> None:
    """A heading with nothing below is one of figures where it stands among them, or says a period as they do: the figures are yet to come."""
    places = [number for number, column in enumerate(guess.columns) if column.holds == "figures"]
    for number, column in enumerate(guess.columns):
        if column.levels and not column.texts and places:
            dated = not guess.stub("period") and any(level_role(level, known) == "period" for level in column.levels)
            if dated or places[0] < number < places[-1]:
                column.holds, column.why = "figures", ""
                column.transformation = "DYS" if _SINCE_JANUARY.search(column.heading) else "G1Y" if is_growth(column.heading) else ""


def level_role(level: str, known: Known) -> str:
    """What one level of a heading over figures says: period, unit, area, indicator (a label that the seeds know), or nothing."""
    if not level:
        return ""
    if matched("{period}", level) is not None and re.search(r"\d", level) and "本" not in level:
        return "period"
    if known.has_unit(re.sub(r"^[(（]|[)）]$", "", level.strip())):
        return "unit"
    if known.has_area(level):
        return "area"
    name = bracketed_unit(level, known)
    return "indicator" if known.has_label(name[0] if name else level) else ""


def names_something(level: str, known: Known) -> bool:
    """Whether a heading names what is counted, and does not only say when, in what unit or which figure of it (本月, 同比, 绝对量)."""
    if not level or level_role(level, known) in ("period", "unit", "area"):
        return False
    bare = bracketed_unit(level, known)
    name = bare[0] if bare else level
    return (
        not (is_growth(name) and not before_growth(name)) and not _GENERIC.match(name) and not _TO_DATE.search(name) and not _THIS_PERIOD.match(name)
    )


def before_growth(text: str) -> str:
    """What a heading names in front of 同比, 增长 …: 工业增加值同比 is of 工业增加值."""
    found = _GROWTH.search(text)
    name = text[: found.start()].strip(" ：:(（") if found else ""
    return "" if _GENERIC.match(name) or _THIS_PERIOD.match(name) or _TO_DATE.search(name) else name


def _dates(texts: Sequence[str]) -> str:
    """What dates stand for, by the steps between them: 2018-05-01, 2018-06-01 are months."""
    days = []
    full = False
    for text in (text.strip() for text in texts):
        if found := re.fullmatch(r"(\d{4})[-/.年](\d{1,2})(?:[-/.月](\d{1,2})?)?日?(?: 00:00:00)?", text):
            full |= found[3] is not None
            try:
                days.append(date(int(found[1]), int(found[2]), int(found[3] or 1)))
            except ValueError:
                return ""
        elif re.fullmatch(r"[2-6]\d{4}(?:\.0+)?", text):
            full = True
            days.append(date(1899, 12, 30) + timedelta(days=int(float(text))))
        else:
            return ""
    if not full:
        return ""  # months that say so
    steps = sorted(abs((later - earlier).days) for earlier, later in itertools.pairwise(days))
    middle = steps[len(steps) // 2] if steps else 0
    return "month" if 28 <= middle <= 31 else "quarter" if 89 <= middle <= 92 else "year" if 365 <= middle <= 366 else ""


def _outside(guess: Guess, view: _View, top: int, last: int, end: int, figures: Sequence[int]) -> None:
    """Lines above the headings, notes below the body, rows between without figures."""
    guess.above = [Line(0, "caption", text) for text in guess.sheet.caption]
    guess.above += [Line(view.rows[at], view.cell(at, p), text) for at in range(top) for p, text in enumerate(view.text[at]) if text]
    heading = [text for text in view.clean[last] if text]
    notes = False
    for at in range(last + 1, view.height):
        filled = [position for position, text in enumerate(view.text[at]) if text]
        if not filled:
            continue
        texts = [view.text[at][position] for position in filled]
        if [text for text in view.clean[at] if text] == heading:
            guess.repeats.append(view.rows[at])
            continue
        if any(view.text[at][position] for position in figures):
            words = [position for position in figures if view.kind[at][position] == "text"]
            if len(words) >= max(2, 0.5 * len(figures)):
                guess.others.append(view.rows[at])
            continue
        line = Line(view.rows[at], view.cell(at, filled[0]), " ".join(texts))
        if first_match(NOTES, texts[0]) is not None:
            notes = True
            guess.notes.append(line)
        elif notes or at > end:
            if not notes:
                guess.strange_notes.append(texts[0])
                notes = True
            guess.notes.append(line)
        elif len(filled) == 1 and first_match(CONTINUED, texts[0]) is None:
            guess.sections.append(line)


def _body_facts(guess: Guess, view: _View, last: int, end: int, figures: Sequence[int]) -> None:
    decimals: Counter[int] = Counter()
    zeros = 0
    marks: Counter[str] = Counter()
    for at in range(last + 1, end + 1):
        for position in figures:
            text, kind = view.text[at][position], view.kind[at][position]
            if kind in ("figure", "either"):
                guess.figures += 1
                places = len(text.partition(".")[2]) if re.fullmatch(r"-?[\d,]*\.?\d*", text) else 0
                decimals[places] += 1
                zeros += places > 0 and text.endswith("0")
            elif kind == "mark":
                marks[text] += 1
    guess.marks = dict(marks)
    total = sum(decimals.values())
    most = max(decimals, default=0)
    # Figures of one precision end in 0 one time in ten: where hardly any does and shorter ones occur, the zeros were dropped.
    guess.dropped_zeros = most > 0 and total >= 20 and zeros < 0.02 * total and decimals[most] >= 0.5 * total and decimals[most] < total
    labels = [text for column in guess.stub("indicator")[:1] for text in column.texts]
    guess.children = sum(re.match(typography.OF_WHICH, text) is not None for text in labels)
    deep = {len(text) - len(text.lstrip(" \u3000\t\xa0")) for text in labels}
    bare = Counter(text.strip() for text in labels)
    guess.same_labels = sum(count > 1 for count in bare.values()) if len(deep) > 1 or guess.children else 0


def main_sheet(book: Book, guesses: Sequence[Guess]) -> Guess | None:
    """The sheet to draft a layout for: the one with most figures."""
    with_figures = [guess for guess in guesses if guess.header is not None]
    return max(with_figures, key=lambda guess: (not guess.sheet.hidden, guess.figures), default=None)
