"""What a source is and what its files look like: ``source.yml`` and layouts, validated.

Belongs here: the grammar of the two YAML files and how a layout is chosen for a file. Does not belong here: reading a
file's bytes (``tables``), turning text into numbers or periods (``numbers``, ``periods``), or the name of any source.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

Role = Literal["reference", "area", "indicator", "unit", "period", "kind", "stage", "note"]
Precision = Literal["as_printed", "column"]


class LayoutError(ValueError):
    """A layout or source description that can't be used: says which file, which key, and what was expected."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Title(_Strict):
    zh: str
    en: str


class ListValue(_Strict):
    """A column of a list-shaped table that holds figures."""

    column: str
    transformation: Literal["N", "G1Y", "DYS", "DDY", "AVG"] = "N"
    unit: str | None = None
    precision: Precision = "as_printed"


class WideValue(_Strict):
    """What every cell of a wide table's body holds."""

    transformation: Literal["N", "G1Y", "DYS", "DDY", "AVG"] = "N"
    precision: Precision = "as_printed"


class _Layout(_Strict):
    layout: str
    version: int
    title: Title
    files: tuple[str, ...] = ("*",)
    sheet: str | None = None
    fixed: dict[Role, str] = {}


class ListLayout(_Layout):
    """A figure a row; columns named by their header cells."""

    shape: Literal["list"]
    header: tuple[str, ...]
    roles: dict[Role, str]
    values: tuple[ListValue, ...]

    @model_validator(mode="after")
    def _columns_are_headers(self) -> ListLayout:
        for name in [*self.roles.values(), *(value.column for value in self.values)]:
            if name not in self.header:
                raise ValueError(f"column {name!r} is not in `header`")
        return self


class WideLayout(_Layout):
    """A stub column, one column a period (or another role), a preamble above and notes below."""

    shape: Literal["wide"]
    preamble: tuple[str, ...] = ()
    header_starts: str
    stub: Role
    columns: Role
    stop: tuple[str, ...] = ()
    values: WideValue = WideValue()

    @field_validator("preamble", "stop")
    @classmethod
    def _regexes_compile(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
        for pattern in patterns:
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"{pattern!r} is no regular expression: {error}") from error
        return patterns


Layout = Annotated[ListLayout | WideLayout, Field(discriminator="shape")]


class _LayoutFile(_Strict):
    root: Layout


class Source(_Strict):
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


def shown(path: Path) -> str:
    """A path as people know it, from ``raw/`` on: messages reach the release, which must not tell where this machine keeps things."""
    parts = path.parts
    return "/".join(parts[len(parts) - 1 - parts[::-1].index("raw") :]) if "raw" in parts else path.name


def _load_yaml(path: Path) -> Any:
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise LayoutError(f"{shown(path)}: not readable as YAML: {error}") from error


def _explain(path: Path, error: ValidationError) -> LayoutError:
    lines = [f"  {'.'.join(str(part) for part in problem['loc']) or '(whole file)'}: {problem['msg']}" for problem in error.errors()]
    return LayoutError(f"{shown(path)}: {len(lines)} key(s) to mend\n" + "\n".join(lines))


def read_source(path: Path) -> Source:
    """``source.yml`` as a :class:`Source`; raises :class:`LayoutError` with the file and the key."""
    try:
        return Source.model_validate(_load_yaml(path))
    except ValidationError as error:
        raise _explain(path, error) from error


def read_layout(path: Path) -> tuple[ListLayout | WideLayout, str]:
    """A layout and the hash of its text; a changed layout re-reads its files."""
    try:
        layout = _LayoutFile.model_validate({"root": _load_yaml(path)}).root
    except ValidationError as error:
        raise _explain(path, error) from error
    return layout, hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def find_layouts(raw: Path, source: Source) -> dict[str, tuple[ListLayout | WideLayout, str]]:
    """Every layout that ``source`` may use, by name: its own first, then the shared ones under ``raw/_layouts``."""
    found: dict[str, tuple[ListLayout | WideLayout, str]] = {}
    for name in source.layouts:
        candidates = [raw / source.source_id / "layouts" / f"{name}.yml", raw / "_layouts" / f"{name}.yml"]
        path = next((candidate for candidate in candidates if candidate.is_file()), None)
        if path is None:
            raise LayoutError(
                f"{shown(raw / source.source_id / 'source.yml')}: layout {name!r} is named but neither {shown(candidates[0])} nor {shown(candidates[1])} exists"
            )
        found[name] = read_layout(path)
    return found
