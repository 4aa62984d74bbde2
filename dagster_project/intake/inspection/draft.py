"""A guess written down as a layout in YAML, with a comment wherever a person must decide.

Belongs here: which pattern a heading, a line or a label gets, and the text of the draft. Does not belong here: the guesses themselves
(``guess``), the grammar (``layouts``). A draft always loads as a :class:`~dagster_project.intake.layouts.Layout`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Final

import yaml

from dagster_project.intake.inspection import guess as guesses
from dagster_project.intake.inspection.guess import Column, Guess
from dagster_project.intake.inspection.known import Known
from dagster_project.intake.layouts import NOTES, Layout
from dagster_project.intake.patterns import LEVELS, PatternError, compiled, first_match, matched

ROLES_OF_A_FIGURE: Final = ("indicator", "area", "unit", "period")
_ASKED: Final = {
    "indicator": "no label found: which indicator is this? 未见指标名，请填",
    "area": "no area found: whose figures are these? 未见地区，请填",
    "unit": "no unit found: look at the page, never guess 未见单位，请查原文",
    "period": "no period found: of which year or month are these? 未见时期，请填",
}
_EXAMPLE: Final = {"indicator": "…", "area": "…", "unit": "…", "period": "2024年"}
_PLAIN: Final = re.compile(r"[\u3400-\u9fffA-Za-z_][\u3400-\u9fffA-Za-z0-9_（）]*")
_NUMBERED: Final = "^[一二三四五六七八九十]+、"
_MOST_SECTIONS: Final = 12


@dataclass
class _Entry:
    """A line of ``columns``: pattern, what it holds with its properties, and what a person should look at."""

    pattern: str
    holds: str
    properties: dict[str, Any] = field(default_factory=dict)
    note: str = ""

    @property
    def key(self) -> str:
        return f"{self.pattern}\x00{sorted(self.properties.items())!r}"


def scalar(text: str) -> str:
    """A text as YAML writes it: bare where nothing can be misread, else quoted."""
    if _PLAIN.fullmatch(text) and text.lower() not in ("null", "true", "false", "yes", "no", "on", "off", "y", "n"):
        return text
    return "'" + text.replace("'", "''") + "'"


def literal(text: str) -> str:
    """A printed text as a pattern: what has a meaning in patterns stands for anything, blanks are one."""
    text = re.sub(r"(?<=[\u3400-\u9fff])\s+(?=[\u3400-\u9fff])", "", text.strip())
    text = re.sub(r"\s+", " ", text).replace("{", "*").replace("}", "*").replace(LEVELS, "*")
    return "*" + text[1:] if len(text) > 1 and text.startswith("/") and text.endswith("/") else text


def _flow(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int) else scalar(str(value))


def _works(pattern: str, text: str, roles: Sequence[str]) -> bool:
    """Does the pattern find what it was made for?"""
    try:
        compiled(pattern)
    except PatternError:
        return False
    found = matched(pattern, text)
    return found is not None and set(roles) <= set(found)


# --- headings -------------------------------------------------------------------------------------------------


class _Headings:
    """Patterns for the headings over figures, given what the columns of labels already say."""

    def __init__(self, guess: Guess, known: Known) -> None:
        self.guess, self.known = guess, known
        self.said = {role for role in ROLES_OF_A_FIGURE if guess.stub(role)}
        self.lacking: set[str] = set()  # roles that some heading over figures does not give
        self.to_date = any(column.coverage for column in guess.figure_columns)
        self.aims = any(column.aims for column in guess.figure_columns)
        self.named_level = self._level_of_names()

    def _level_of_names(self) -> int | None:
        """The level that names the indicator, where no column of labels does: the one with most known labels, else most names."""
        if "indicator" in self.said:
            return None
        best, score = None, (0, 0)
        for level in range(max((len(column.levels) for column in self.guess.figure_columns), default=0)):
            texts = {column.levels[level] for column in self.guess.figure_columns if level < len(column.levels)}
            names = [text for text in texts if guesses.names_something(text, self.known) or guesses.before_growth(text)]
            known = sum(guesses.level_role(text, self.known) == "indicator" for text in names)
            if (known, len(names)) > score:
                best, score = level, (known, len(names))
        return best

    def _name_of(self, levels: Sequence[str]) -> int | None:
        """Which level of one heading names the indicator: the lowest that the seeds know, else that of most headings."""
        if self.named_level is None or not levels:
            return None
        known = [number for number, text in enumerate(levels) if guesses.level_role(text, self.known) == "indicator"]
        return known[-1] if known else min(self.named_level, len(levels) - 1)

    def of(self, column: Column) -> _Entry:
        """The line of one column of figures."""
        name = self._name_of(column.levels)
        levels = [self._level(text, number == name) for number, text in enumerate(column.levels)]
        properties = self._properties(column)
        entry = _Entry(LEVELS.join(levels), "value", properties)
        if self.aims and entry.pattern == "{period}":
            text = column.levels[0]
            entry = _Entry(literal(text), "value", {"fixed": {"kind": "target" if column.aims else "observation", "period": text}})
            entry.note = "以上, 左右: a target 目标值" if column.aims else "or a target? 是否目标值"
        if not column.levels:
            entry.note = "no heading: figures of what? 无表头"
        for role in ROLES_OF_A_FIGURE:
            if f"{{{role}}}" not in entry.pattern and role not in {*properties.get("fixed", {}), *entry.properties.get("fixed", {})}:
                self.lacking.add(role)
        return entry

    def _level(self, text: str, names: bool) -> str:
        if not text:
            return "*"
        role = guesses.level_role(text, self.known)
        pattern = literal(text)
        if role == "period" and "period" not in self.said:
            pattern = "{period}"
        elif role == "unit" and "unit" not in self.said:
            pattern = "（{unit}）" if re.match(r"[(（]", text) else "{unit}"
        elif role == "area" and "area" not in self.said and (not names or len(self.guess.figure_columns) > 1):
            pattern = "{area}"
        elif names and (guesses.names_something(text, self.known) or guesses.before_growth(text)):
            pattern = self._name(text)
        elif (found := guesses.bracketed_unit(text, self.known)) and "unit" not in self.said and not guesses.is_growth(text):
            pattern = f"{literal(found[0])}（{{unit}}）{literal(found[2])}"
        given = [role for role in ROLES_OF_A_FIGURE if f"{{{role}}}" in pattern]
        return pattern if _works(pattern, text, given) else literal(text)

    def _name(self, text: str) -> str:
        name = guesses.before_growth(text)
        if name:
            return "{indicator}" + literal(text)[len(literal(name)) :]
        found = guesses.bracketed_unit(text, self.known)
        if found and "unit" not in self.said:
            return "{indicator}（{unit}）" + literal(found[2])
        return "{indicator}"

    def _properties(self, column: Column) -> dict[str, Any]:
        properties: dict[str, Any] = {}
        if column.transformation == "G1Y":
            points = guesses.in_points(column.heading)
            properties = {"transformation": "D1Y" if points else "G1Y", "optional": True, "fixed": {"unit": "个百分点" if points else "%"}}
            if "unit" in self.said and not points:
                properties["rates"] = {"transformation": "D1Y", "unit": "个百分点"}
        elif column.transformation:
            properties = {"transformation": column.transformation}
        if column.coverage:
            properties["coverage"] = column.coverage
        if self.to_date and column.blanks:
            properties["optional"] = True
        return properties


def _figure_entries(run: Sequence[Column], headings: _Headings) -> list[_Entry]:
    """Lines for neighbouring columns of figures: alike ones are one line of ``values``."""
    entries = []
    coverage = ""
    for column in run:
        if column.transformation == "":
            coverage = column.coverage
        elif coverage and not column.coverage:
            column.coverage = coverage  # the growth beside a figure is of the same span
        entries.append(headings.of(column))
    by_pattern: dict[str, set[str]] = {}
    for entry in entries:
        by_pattern.setdefault(entry.pattern, set()).add(entry.key)
    for entry, column in zip(entries, run, strict=True):
        if len(by_pattern[entry.pattern]) > 1 and "{" in entry.pattern:
            entry.pattern = LEVELS.join(literal(level) for level in column.levels)
    if not any("{" in entry.pattern for entry in entries):
        return entries  # every heading by its own words, in order
    runs = [(key, list(found)) for key, found in groupby(entries, key=lambda entry: entry.key)]
    distinct = {key for key, _found in runs}
    if len(distinct) == len(runs):
        merged = []
        for _key, found in runs:
            found[0].holds = "values" if len(found) > 1 or "{" in found[0].pattern else "value"
            merged.append(found[0])
    else:
        merged = list({entry.key: entry for entry in entries}.values())
        for entry in merged:
            entry.holds = "values"
    for entry in merged:
        if entry.holds == "values" and "{indicator}" in entry.pattern and not entry.note:
            entry.note = "any heading is an indicator; write them out to be told when one changes 要在表头变动时拒读，请逐一写出"
    # In a group the first pattern that fits wins: what says most goes first.
    groups = [list(found) for _kind, found in groupby(merged, key=lambda entry: entry.holds == "values")]
    return [entry for group in groups for entry in (sorted(group, key=_plainness) if group[0].holds == "values" else group)]


def _plainness(entry: _Entry) -> tuple[int, int]:
    return (-len(entry.pattern.split(LEVELS)), -len(re.sub(r"\{\w+\}", "", entry.pattern)))


def _label_entry(column: Column, guess: Guess) -> _Entry:
    if guess.metadata:
        pattern = LEVELS.join(literal(level) or "*" for level in column.levels)
    else:
        pattern = LEVELS.join(literal(level) for level in column.levels)
    entry = _Entry(pattern, column.holds or "ignore")
    if column.fill:
        entry.properties["fill"] = True
    if column.holds in ("area", "indicator", "unit"):
        if column.recognised == 0:
            entry.note = f"{column.why or 'the seeds know none of it'}: is it the {column.holds}? e.g. {_shown(column.unknown[:2])} 请核对"
        elif column.unknown:
            entry.note = f"the seeds know {column.recognised} of {column.distinct} 种子表认得 {column.recognised}/{column.distinct}"
    elif column.holds == "ignore" or not column.holds:
        entry.note = f"{column.why}: not read 不读" if column.why else "not read 不读"
    elif not column.levels and column.texts:
        entry.note = "no heading: guessed from what stands below 无表头，按内容猜测"
    return entry


def _shown(texts: Sequence[str]) -> str:
    return ", ".join(re.sub(r"\s+", " ", text)[:20] for text in texts)


def _columns(guess: Guess, headings: _Headings) -> list[_Entry]:
    """Every column in table order; a blank one is named only where it stands before another without heading that holds something."""
    entries: list[_Entry] = []
    columns = guess.columns
    at = 0
    while at < len(columns):
        column = columns[at]
        if column.holds == "figures":
            run = []
            while at < len(columns) and (columns[at].holds == "figures" or (not columns[at].levels and not columns[at].texts)):
                if columns[at].holds == "figures":
                    run.append(columns[at])
                at += 1
            entries += _figure_entries(run, headings)
            continue
        if column.levels or column.texts:
            entries.append(_label_entry(column, guess))
        else:
            following = next((other for other in columns[at:] if other.levels or other.texts), None)
            if following is not None and not following.levels:
                entries.append(_Entry("", "ignore", note="a blank column 空列"))
        at += 1
    return entries


# --- lines above, labels, sections ----------------------------------------------------------------------------


def _spans(text: str, missing: set[str], known: Known) -> list[tuple[int, int, str]]:
    """(start, end, role) of what a line says of the roles that are missing."""
    spans: list[tuple[int, int, str]] = []

    def free(start: int, end: int) -> bool:
        return all(end <= other or start >= until for other, until, _role in spans)

    if "unit" in missing:
        for found in re.finditer(r"(?:计量)?单位\s*[:：]\s*([^\s()（）,，;；]+)|[(（]\s*(?:单位\s*[:：])?\s*([^()（）]+?)\s*[)）]", text):
            group = 1 if found[1] else 2
            if known.has_unit(found[group]):
                spans.append((*found.span(group), "unit"))
                break
    called = re.match(r"\s*([^\s:：]+)\s*[:：]\s*", text)
    role = guesses.role_of(called[1]) if called else ""
    if called and role in missing - {"unit", "period"}:
        end = min([start for start, _end, _role in spans if start > called.end()] + [len(text)])
        rest = re.sub(r"[\s(（]+$", "", text[called.end() : end])
        if rest:
            spans.append((called.end(), called.end() + len(rest), role))
    if "period" in missing and (dated := guesses.period_in(text)) and free(*dated):
        spans.append((*dated, "period"))
    for role, keys in (("area", known.area_keys), ("indicator", known.label_keys)):
        if role in missing and not any(span[2] == role for span in spans) and (place := _longest(text, keys, free)):
            spans.append((*place, role))
    return sorted(spans)


def _longest(text: str, keys: frozenset[str], free: Callable[[int, int], bool]) -> tuple[int, int] | None:
    """Where the longest text of ``keys`` stands in ``text``."""
    plain = unicodedata.normalize("NFKC", text)
    if len(plain) != len(text) or len(text) > 120:
        return None
    best: tuple[int, int] | None = None
    for start in range(len(plain)):
        for end in range(len(plain), start + 1, -1):
            if (best is None or end - start > best[1] - best[0]) and plain[start:end] in keys and free(start, end):
                best = (start, end)
    return best


def _above(guess: Guess, missing: set[str], known: Known) -> tuple[list[tuple[str, str]], set[str]]:
    """Patterns of lines above that say what no column says: (pattern, the line), and the roles found."""
    found: list[tuple[str, str]] = []
    given: set[str] = set()
    for line in guess.above:
        wanted = missing - given
        spans = _spans(line.text, wanted, known) if wanted else []
        if not spans:
            continue
        pattern, at = "", 0
        for start, end, role in spans:
            pattern += literal_part(line.text[at:start]) + f"{{{role}}}"
            at = end
        pattern += literal_part(line.text[at:])
        roles = {role for _start, _end, role in spans}
        if _works(pattern, line.text, sorted(roles)):
            found.append((pattern, line.text))
            given |= roles
    return found, given


def literal_part(text: str) -> str:
    """A piece of a line: as printed, digits may change from one edition to the next."""
    text = re.sub(r"\s+", " ", text).replace("{", "*").replace("}", "*")
    return re.sub(r"\d[\d,.]*", "*", text)


def _rows(guess: Guess, needs_unit: bool, known: Known) -> list[tuple[str, str, str]]:
    """(pattern, what it is, comment) of row labels that say more than the label."""
    rows: list[tuple[str, str, str]] = []
    labels = [text.strip() for column in guess.stub("indicator") for text in column.texts]
    parts = sorted({found[1] for label in labels if (found := re.match(r"(其中\s*[:：]?|[#＃])", label))}, key=len, reverse=True)
    rows += [(f"{re.sub(chr(92) + 's', '', part)}{{indicator}}", "child", "a part of the row above 其中项") for part in parts]
    lagged = any(guesses.is_lagged(label) for label in labels)
    if lagged:
        rows.append(("{indicator}(1-上月)", "{lag: 1}", "a month behind 滞后一月"))
    behind = {bracketed[2] for label in labels if (bracketed := guesses.bracketed_unit(label, known))}
    if needs_unit:
        rows += [(f"{{indicator}}（{{unit}}）{literal(rest)}", "plain", "") for rest in sorted(behind, key=lambda rest: -len(rest))]
    sections = list(dict.fromkeys(line.text for line in guess.sections))
    periods = [text for text in sections if guesses.level_role(text, known) == "period"]
    areas = [text for text in sections if known.has_area(text)]
    if periods:
        rows.append(("{period}", "section", "rows that say the period of those below"))
    if areas:
        listed = "|".join(re.escape(text) for text in areas)
        rows.append((f"/^(?P<area>{listed})$/", "section", "rows that say the area of those below"))
    rest = [text for text in sections if text not in periods and text not in areas]
    numbered = [text for text in rest if re.match(_NUMBERED, text)]
    if len(numbered) > 1:
        rows.append((f"/{_NUMBERED}/", "section", f"{_shown(numbered[:2])} …: rows without figures, headings of those below 分组标题"))
        rest = [text for text in rest if text not in numbered]
    rows += [(literal(text), "section", "a row without figures: a heading? 无数字行，是否为分组标题") for text in rest[:_MOST_SECTIONS]]
    return rows


# --- the draft ------------------------------------------------------------------------------------------------


def _commented(line: str, note: str) -> str:
    return f"{line}  # {note}" if note else line


def drafted(guess: Guess, name: str, known: Known, *, one_sheet: bool = True) -> str:
    """The draft layout for a guessed sheet, as YAML that loads. Raises ValueError where the sheet has no figures, or nothing beside them."""
    if guess.header is None:
        raise ValueError("no figures found: nothing to draft 未见数字，无法起草")
    first, last = guess.header
    headings = _Headings(guess, known)
    entries = _columns(guess, headings)
    if len(entries) < 2:
        raise ValueError("figures without labels beside them: nothing to draft 只有数字，没有标签列，无法起草")
    given = headings.said | (set(ROLES_OF_A_FIGURE) - headings.lacking) | (set(guess.metadata) - {"*"})
    if guess.metadata:
        entries = _with_metadata(entries, guess)
    row_units = sum(guesses.bracketed_unit(text.strip(), known) is not None for column in guess.stub("indicator") for text in column.texts)
    rows: list[tuple[str, str, str]] = _rows(guess, "unit" not in given and row_units > 0, known)
    if any("{unit}" in pattern for pattern, _what, _note in rows):
        given.add("unit")
    missing = set(ROLES_OF_A_FIGURE) - given
    above, said = _above(guess, missing, known)
    missing -= said
    again = {literal(line.text) for line in guess.sections if first_match([pattern for pattern, _text in above], line.text) is not None}
    rows = [row for row in rows if row[0] not in again]  # the line above a table lower down
    sheets = _of_sheet_name(guess, missing, known)
    missing -= {role for role in ROLES_OF_A_FIGURE if f"{{{role}}}" in sheets}

    safe = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_") or "draft"
    safe = safe if safe[0].isalpha() else f"t_{safe}"
    lines = [
        "# yaml-language-server: $schema=../../_layouts/layout.schema.json",
        f"# A draft: check every line marked with #, then save it as layouts/{safe}.yml of the source. 草稿：逐条核对带 # 的行，存为来源的 layouts/{safe}.yml",
        f"layout: {safe}",
        _commented(f"title: {{zh: {scalar(_title(guess) or safe)}, en: {scalar(safe)}}}", "name the table 起名"),
    ]
    if sheets:
        lines.append(f"sheets: {scalar(sheets)}")
    elif not one_sheet and guess.sheet.name:
        lines.append(
            f"sheets: {scalar(literal(guess.sheet.name))}  # only this sheet; delete the line to read every sheet with these headings 只读此表"
        )
    if above:
        lines.append("above:")
        lines += [_commented(f"  - {scalar(pattern)}", _clipped(text)) for pattern, text in above]
    if guess.metadata:
        lines.append("header: [" + ", ".join(scalar(role) for role in guess.metadata) + "]")
    elif last > first:
        lines.append(f"header: {last - first + 1}")
    lines.append("columns:")
    for entry in entries:
        holds = entry.holds if not entry.properties else _flow({"holds": entry.holds, **entry.properties})
        lines.append(_commented(f"  - {scalar(entry.pattern)}: {holds}", entry.note))
    if rows:
        lines.append("rows:")
        lines += [_commented(f"  - {scalar(pattern)}: {what}", note) for pattern, what, note in rows]
    if guess.strange_notes:
        lines.append(
            f"below: [{', '.join(scalar(pattern) for pattern in NOTES)}, {scalar(literal(guess.strange_notes[0])[:12] + '*')}]  # where the notes begin 注的起始行"
        )
    if guess.bilingual:
        lines.append("bilingual: true")
    if guess.dates:
        lines.append(f"dates: {guess.dates}  # what a day such as {guess.stub('period')[-1].texts[0].strip()} stands for 日期所代表的时期")
    if guess.same_labels:
        lines.append(f"qualify: true  # {guess.same_labels} labels stand several times: they become whole：part 同名标签冠以上级")
    elif guess.children:
        lines.append("# qualify: true  # if a part has no name of its own: 其中项的名称不能独立时，冠以上级名称")
    lines.append("fixed: {kind: observation}  # estimate, forecast or target where that is what these are 性质请核对")
    for role in ROLES_OF_A_FIGURE:
        if role in missing:
            lines.append(f"#      add to the line above: {role}: {_EXAMPLE[role]}   ← {_ASKED[role]}")
    if guess.dropped_zeros:
        lines.append("values: {precision: column}  # number cells seem to have dropped zeros at the end 末位零疑已丢失")
    return "\n".join(lines) + "\n"


def _with_metadata(entries: list[_Entry], guess: Guess) -> list[_Entry]:
    """With rows of metadata every figure column is told by what those rows say."""
    labels = [entry for entry in entries if entry.holds not in ("value", "values")]
    return [*labels, _Entry("*", "values", {}, f"{len(guess.figure_columns)} columns, told apart by the rows of metadata")]


def _of_sheet_name(guess: Guess, missing: set[str], known: Known) -> str:
    """A pattern of the sheet's name where it says what nothing else says."""
    name = guess.sheet.name
    for role, says in (("period", guesses.level_role(name, known) == "period"), ("area", known.has_area(name)), ("indicator", known.has_label(name))):
        if name and role in missing and says and _works(f"{{{role}}}", name, [role]):
            return f"{{{role}}}"
    return ""


def _title(guess: Guess) -> str:
    texts = [line.text for line in guess.above if re.search(r"[\u3400-\u9fff]{3}", line.text)]
    plain = [text for text in texts if not re.search(r"[:：]", text)]
    return re.sub(r"\s+", " ", (plain or texts)[0])[:40] if texts else guess.sheet.name


def _clipped(text: str) -> str:
    text = re.sub(r"\s+", " ", text)
    return text if len(text) <= 50 else text[:49] + "…"


def as_layout(text: str) -> Layout:
    """The draft as the reader understands it."""
    return Layout.model_validate(yaml.safe_load(text))
