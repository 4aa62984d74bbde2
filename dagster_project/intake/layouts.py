"""What a source is and what its files look like: ``source.yml`` and layouts, validated.

Belongs here: the grammar of the two YAML files, errors with line and key, and which layouts a source may use. Does not belong
here: reading a file's bytes (``tables``), finding a layout's table in a sheet (``cells``), turning text into numbers or periods
(``numbers``, ``periods``), or the name of any source.

A layout is one grammar for every kind of table: ``columns`` in the order in which they stand, each heading (a pattern, see
``patterns``) with what the column holds. That list is the fingerprint too: a table whose headings differ is not read.
"""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator, model_validator

from dagster_project.intake.patterns import LEVELS, PatternError, compiled

Role = Literal["reference", "area", "indicator", "unit", "period", "year", "kind", "stage", "note", "parent"]
Holds = Literal["reference", "area", "indicator", "unit", "period", "year", "kind", "stage", "note", "parent", "value", "values", "ignore"]
Precision = Literal["as_printed", "column"]
Transformation = Literal["N", "G1Y", "D1Y", "DYS", "DDY", "AVG"]
Coverage = Literal["period", "ytd", "end"]
NOTES = ("注:*", "注释:*", "说明:*", "/^\\s*注\\s*\\d/", "数据来源*", "资料来源*", "来源:*", "本表*", "/^\\s*(?:Notes?|Sources?)\\b/")


class LayoutError(ValueError):
    """A layout or source description that can't be used: says which file, line and key, and what was expected."""


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Title(Strict):
    """A name in both languages."""

    zh: str
    en: str


class Values(Strict):
    """What value cells hold unless their column says otherwise."""

    transformation: Transformation = Field("N", description="N level, G1Y growth on the year, D1Y change on the year in points, DYS since year start")
    precision: Precision = Field("as_printed", description="`column`: number cells that lost trailing zeros take the most decimals of their column")
    coverage: Coverage | None = Field(None, description="what part of the printed period is meant: the period, January to it, or its end")


class Rates(Strict):
    """What a growth column prints beside a figure that is itself a rate: points, not per cent."""

    transformation: Transformation
    unit: str


class Column(Strict):
    """What a column holds. ``value`` is one column of figures; consecutive ``values`` are a group that repeats."""

    holds: Holds
    transformation: Transformation | None = None
    rates: Rates | None = Field(None, description="what it is where the row's unit is %, ‰ or points: growth of a rate is printed in points")
    precision: Precision | None = None
    coverage: Coverage | None = None
    lag: int = Field(0, ge=0, le=12, description="months by which the figure is older than the printed period")
    optional: bool = Field(False, description="a blank here is no cell at all, and not a figure that is missing")
    fill: bool = Field(False, description="a blank means the text above: a label printed once for several rows")
    fixed: dict[Role, str] = Field({}, description="texts that hold for this column only and win over those of the row")

    @model_validator(mode="after")
    def _only_values_have_properties(self) -> Column:
        if self.holds not in ("value", "values"):
            strange = sorted(self.model_fields_set - {"holds", "fill"})
            if strange:
                raise ValueError(f"`{strange[0]}` is for columns that hold value or values, not {self.holds}")
        elif self.fill:
            raise ValueError("`fill` is for labels; a blank figure is not the figure above it")
        return self


class Row(Strict):
    """What a row is whose label fits the pattern. ``section``: a heading for the rows below; ``child``: a part of the row above (其中)."""

    holds: Literal["plain", "section", "child"] = "plain"
    lag: int = Field(0, ge=0, le=12, description="months by which the row's figures are older than the printed period")
    transformation: Transformation | None = None
    coverage: Coverage | None = None


def _checked(pattern: str) -> str:
    try:
        compiled(pattern)
    except PatternError as error:
        raise ValueError(str(error)) from error
    return pattern


def _headed(column: dict[str, Column]) -> dict[str, Column]:
    for level in next(iter(column)).split(LEVELS):
        _checked(level)
    return column


def _labelled(row: dict[str, Row]) -> dict[str, Row]:
    _checked(next(iter(row)))
    return row


def _one_key(value: Any) -> Any:
    if isinstance(value, dict) and len(value) != 1:
        raise ValueError("write one heading: what it holds, a line each")
    return value


def _spelled_out(value: Any) -> Any:
    return {"holds": value} if isinstance(value, str) else value


Pattern = Annotated[str, BeforeValidator(lambda text: text), Field(description="text as printed with {role} and *; or /regular expression/")]
Heading = Annotated[
    dict[str, Annotated[Column, BeforeValidator(_spelled_out)]], BeforeValidator(_one_key), AfterValidator(_headed), Field(min_length=1, max_length=1)
]
RowPattern = Annotated[
    dict[str, Annotated[Row, BeforeValidator(_spelled_out)]],
    BeforeValidator(lambda value: {value: {}} if isinstance(value, str) else _one_key(value)),
    AfterValidator(_labelled),
    Field(min_length=1, max_length=1),
]


class Valid(Strict):
    """The days of publication for which a layout holds; a file without a known day is not held back."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    since: date | None = Field(None, alias="from")
    until: date | None = Field(None, alias="to")


class Layout(Strict):
    """One kind of table. ``columns`` are its headings in order and what each column holds."""

    layout: str = Field(description="its name: that of the file without .yml")
    title: Title
    files: tuple[str, ...] = Field(("*",), description="names of the files it is for, with * and ?")
    sheets: str | None = Field(
        None, description="pattern of the names of the sheets that must hold the table; without it, any sheet with its headings"
    )
    valid: Valid | None = None
    above: tuple[Pattern, ...] = Field((), description="patterns of lines outside the body (above the headings, between the rows) that say something")
    header: Annotated[int, Field(ge=1, le=12)] | tuple[str, ...] = Field(
        1, description="how many rows the headings take; or, for each of them, the role or pattern that it gives to the figures below"
    )
    columns: tuple[Heading, ...] = Field(min_length=2)
    rows: tuple[RowPattern, ...] = Field((), description="patterns of row labels that say more than the label: a lag, a part, a section, a unit")
    below: tuple[Pattern, ...] = Field(NOTES, description="patterns of the first line of the notes")
    bilingual: bool = Field(False, description="labels are Chinese followed by a translation, which is dropped")
    dates: Literal["day", "month", "quarter", "year"] = Field("day", description="what a date stands for where a period is expected")
    qualify: bool = Field(
        False, description="the label of a part is that of its whole, a colon, and its own: labels that repeat under several wholes"
    )
    fixed: dict[Role, str] = Field({}, description="what is nowhere printed")
    values: Values = Field(default_factory=lambda: Values.model_validate({}))

    @field_validator("above", "below")
    @classmethod
    def _patterns_compile(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(_checked(pattern) for pattern in patterns)

    @field_validator("sheets")
    @classmethod
    def _sheets_compile(cls, pattern: str | None) -> str | None:
        return pattern if pattern is None else _checked(pattern)

    @field_validator("header")
    @classmethod
    def _levels_are_roles(cls, header: int | tuple[str, ...]) -> int | tuple[str, ...]:
        if isinstance(header, tuple):
            if not header:
                raise ValueError("name at least one row")
            for level in header:
                _checked(level)
        return header

    @model_validator(mode="after")
    def _some_column_holds_figures(self) -> Layout:
        if not any(column.holds in ("value", "values") for _heading, column in self.headings):
            raise ValueError("no column holds `value` or `values`")
        return self

    @property
    def headings(self) -> tuple[tuple[str, Column], ...]:
        """(heading, column) in table order."""
        return tuple(next(iter(column.items())) for column in self.columns)

    @property
    def row_patterns(self) -> tuple[tuple[str, Row], ...]:
        """(pattern, row) in the order in which they are tried."""
        return tuple(next(iter(row.items())) for row in self.rows)

    def holds_on(self, day: date | None) -> bool:
        """Whether it is for a file that was public by ``day``; a day that nobody knows holds nothing back."""
        if self.valid is None or day is None:
            return True
        return (self.valid.since is None or day >= self.valid.since) and (self.valid.until is None or day <= self.valid.until)

    @property
    def header_rows(self) -> int:
        """How many rows the headings take."""
        return self.header if isinstance(self.header, int) else len(self.header)


class Source(Strict):
    """``source.yml``: who publishes, how it reaches us, how far either is trusted, and what its missing marks mean."""

    source_id: str
    title: Title
    publisher: str
    carrier_kind: Literal["official_site", "official_export", "mirror", "news", "ranking", "encyclopedia", "code_repository", "document"]
    trust: int = Field(ge=1, le=5)
    fidelity: int = Field(ge=1, le=5)
    cadence: Literal["annual", "quarterly", "monthly", "irregular"]
    licence: str
    language: str
    layouts: tuple[str, ...]
    missing_marks: dict[str, str] = {}


class Item(Strict):
    """A column of figures: a label that the seeds know, and the unit in which it is asked for."""

    label: str
    unit: str
    decimals: int = Field(2, ge=0, le=6)


class Template(Strict):
    """``template.yml``: what a source's entry workbook asks for."""

    title: Title
    areas: tuple[str, ...] = Field(min_length=1, description="codes of areas or of groups (cl_areas, cl_area_groups), in the order of the rows")
    indicators: tuple[Item, ...] = Field(min_length=1, max_length=40)
    spare_rows: int = Field(3, ge=0, le=100, description="empty rows below for areas that are not listed")


M = TypeVar("M", bound=BaseModel)

SCHEMAS: Mapping[str, type[BaseModel]] = {"layout.schema.json": Layout, "source.schema.json": Source, "template.schema.json": Template}


def schema_text(model: type[BaseModel]) -> str:
    """The JSON Schema by which an editor completes and checks a YAML file; committed under ``raw/_layouts``."""
    schema = model.model_json_schema(by_alias=True)
    short = {"Column": "holds", "Row": "holds"}  # a bare word stands for {holds: word}
    for name, key in short.items():
        if name in schema.get("$defs", {}):
            full = schema["$defs"][name]
            schema["$defs"][name] = {"anyOf": [full["properties"][key], full], "title": name}
    if "rows" in schema["properties"]:
        items = schema["properties"]["rows"]["items"]
        schema["properties"]["rows"]["items"] = {"anyOf": [{"type": "string"}, items]}
    return json.dumps({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}, ensure_ascii=False, indent=1) + "\n"


def shown(path: Path) -> str:
    """A path as people know it, from ``raw/`` on: messages reach the release, which must not tell where this machine keeps things."""
    parts = path.parts
    return "/".join(parts[len(parts) - 1 - parts[::-1].index("raw") :]) if "raw" in parts else path.name


_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _twice(node: yaml.Node | None) -> Iterator[tuple[int, str]]:
    """(line, key) of every key that a mapping has twice: YAML would silently take the last."""
    if isinstance(node, yaml.MappingNode):
        keys: set[str] = set()
        for key, value in node.value:
            if key.value in keys:
                yield key.start_mark.line + 1, str(key.value)
            keys.add(key.value)
            yield from _twice(value)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _twice(item)


def _load(path: Path, text: str) -> tuple[Any, yaml.Node | None]:
    try:
        loader = _LOADER(text)
        node = loader.get_single_node()
        value = None if node is None else loader.construct_document(node)
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = "" if mark is None else f" line {mark.line + 1}"
        raise LayoutError(f"{shown(path)}{line}: not readable as YAML: {getattr(error, 'problem', None) or error}") from error
    doubled = [f"  line {line}, {key}: stands there twice" for line, key in _twice(node)]
    if doubled:
        raise LayoutError(f"{shown(path)}: {len(doubled)} key(s) to mend\n" + "\n".join(doubled))
    return value, node


def _place(node: yaml.Node | None, location: tuple[str | int, ...]) -> tuple[int, tuple[str, ...]]:
    """The line of the innermost part of ``location`` that the file holds, and the keys that lead there."""
    line, keys = (node.start_mark.line + 1 if node else 1), []
    for part in location:
        if isinstance(node, yaml.MappingNode):
            found = [(key, value) for key, value in node.value if key.value == str(part)]
            if found:
                key, node = found[0]
                line = key.start_mark.line + 1
                keys.append(str(part))
                continue
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
            keys.append(str(part + 1))
            continue
        if isinstance(node, yaml.MappingNode) and part == location[-1] and isinstance(part, str):
            keys.append(part)  # a key that is missing
    return line, tuple(keys)


def _near(problem: Mapping[str, Any], model: type[BaseModel]) -> str:
    if problem["type"] != "extra_forbidden":
        return ""
    known = {name for kind in (model, Column, Row, Values, Valid) for name in kind.model_fields} if model is Layout else set(model.model_fields)
    near = difflib.get_close_matches(str(problem["loc"][-1]), sorted(known), 1)
    return f"; did you mean {near[0]!r}?" if near else ""


def validated(path: Path, model: type[M]) -> M:
    """A YAML file as ``model``; raises :class:`LayoutError` with the file, the line and the key."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise LayoutError(f"{shown(path)}: not readable as YAML: it is not in UTF-8") from error
    value, node = _load(path, text)
    try:
        return model.model_validate(value)
    except ValidationError as error:
        lines: list[str] = []
        for problem in error.errors():
            line, keys = _place(node, problem["loc"])
            told = f"  line {line}, {' › '.join(keys) or '(whole file)'}: {problem['msg'].removeprefix('Value error, ')}{_near(problem, model)}"
            if told not in lines:
                lines.append(told)
        raise LayoutError(f"{shown(path)}: {len(lines)} key(s) to mend\n" + "\n".join(lines)) from error


def read_source(path: Path) -> Source:
    """``source.yml`` as a :class:`Source`; raises :class:`LayoutError` with the file, the line and the key."""
    return validated(path, Source)


def read_layout(path: Path) -> tuple[Layout, str]:
    """A layout and the hash of its text; a changed layout re-reads its files. Raises :class:`LayoutError`."""
    return _layout(path, hashlib.sha256(path.read_bytes()).hexdigest()[:12])


@cache
def _layout(path: Path, content: str) -> tuple[Layout, str]:
    """Read once for all sources that share it, and again when its content is another."""
    layout = validated(path, Layout)
    if layout.layout != path.stem:
        raise LayoutError(f"{shown(path)}: 1 key(s) to mend\n  layout: is {layout.layout!r}, but the file is called {path.stem!r}")
    return layout, content


def find_layouts(raw: Path, source: Source) -> dict[str, tuple[Layout, str]]:
    """Every layout that ``source`` may use, by name: its own first, then the shared ones under ``raw/_layouts``."""
    found: dict[str, tuple[Layout, str]] = {}
    for name in source.layouts:
        candidates = [raw / source.source_id / "layouts" / f"{name}.yml", raw / "_layouts" / f"{name}.yml"]
        path = next((candidate for candidate in candidates if candidate.is_file()), None)
        if path is None:
            raise LayoutError(
                f"{shown(raw / source.source_id / 'source.yml')}: layout {name!r} is named but neither {shown(candidates[0])} nor {shown(candidates[1])} exists"
            )
        found[name] = read_layout(path)
    return found


def source_of(raw: Path, path: Path) -> str:
    """The source whose folder holds ``path``; empty for a file outside ``raw``."""
    try:
        inside = path.resolve().relative_to(raw.resolve()).parts
    except ValueError:
        return ""
    return inside[0] if len(inside) > 1 and (raw / inside[0] / "source.yml").is_file() else ""


def named(raw: Path, name: str, source_id: str | None = None) -> tuple[Layout, str]:
    """A layout by its file or its name, and the source it belongs to (empty: a shared one, unless ``source_id`` says).

    Raises :class:`LayoutError`, and FileNotFoundError (which says what there is) where there is none, or more than one of that name.
    """
    path = Path(name)
    if path.suffix in (".yml", ".yaml"):
        if not path.is_file():
            raise FileNotFoundError(f"no layout file {name} 没有此版式文件")
        return read_layout(path)[0], source_id or source_of(raw, path)
    found = sorted(path for path in raw.glob("*/layouts/*.yml") if path.stem == name and source_id in (None, path.parts[-3]))
    found = found or [path for path in [raw / "_layouts" / f"{name}.yml"] if path.is_file()]
    if not found:
        known = sorted({path.stem for path in (*raw.glob("*/layouts/*.yml"), *raw.glob("_layouts/*.yml"))})
        near = difflib.get_close_matches(name, known, 3) or known
        raise FileNotFoundError(f"no layout {name!r} under raw/; there is {', '.join(near) or 'none'} 没有此版式")
    if len(found) > 1:
        listed = ", ".join(path.parts[-3] for path in found)
        raise FileNotFoundError(f"several sources have a layout {name!r}: {listed}; say --source 多个来源有同名版式，请用 --source 指明")
    return read_layout(found[0])[0], source_id or source_of(raw, found[0])
