"""Patterns of printed texts: what a person writes in a layout to say how a heading or a label looks.

Belongs here: turning a pattern into a regular expression and matching texts with it. Does not belong here: what a layout
holds (``layouts``), where in a sheet a text stands (``cells``).

A pattern is the text as printed, with ``{role}`` where the text of a role stands and ``*`` where anything may stand:
``指标：{indicator}({unit})``. Widths (： or :) and blanks between characters do not matter. A pattern between slashes is a
regular expression whose named groups are roles: ``/^表[0-9]+ (?P<indicator>.+)$/``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import cache

ROLES = ("reference", "area", "indicator", "unit", "period", "year", "kind", "stage", "note", "parent")
LEVELS = " / "  # between the rows of a header

# What a period is written with, so that a column called 备注, or a figure, does not pass for one: characters of dates around a year, a
# month or a quarter by name; or a year, alone or with a month, a quarter or another year behind it.
_DATE = r"[\d年月日季度第前上下半末底初至到截止累计全份旬一二三四五六七八九十零〇本~～—–－\-/／.．、()（）\s]"
_PERIOD = (
    rf"(?:{_DATE}*[年月季]{_DATE}*?"
    r"|[12]\d{3}\s*(?:[-./－]?\s*[QqHhMmSs]?\s*\d{1,2}(?:[-./]\d{1,2}(?:\s+00:00:00)?)?|[-~～—–至]\s*[12]\d{3}|[-]?[Aa]|)|[QqHh]\d\s*[-/ ]?\s*[12]\d{3})"
)
_SHAPES = {"period": _PERIOD, "year": r"[12]\d{3}\s*年?(?:度)?", "unit": r"[^()（）]+?"}


class PatternError(ValueError):
    """A pattern that can't be used; the message says why."""


def _literal(character: str) -> str:
    if character.isspace():
        return r"\s+"
    narrow = unicodedata.normalize("NFKC", character)
    spellings = {character, narrow}
    if len(narrow) == 1 and "!" <= narrow <= "~":
        spellings.add(chr(ord(narrow) + 0xFEE0))
    if narrow in "-~":
        spellings |= set("—–－−~～")
    return "(?:" + "|".join(sorted(re.escape(spelling) for spelling in spellings)) + ")"


def _template(text: str) -> str:
    parts: list[str] = []
    seen: set[str] = set()
    position = 0
    while position < len(text):
        character = text[position]
        if character == "{":
            end = text.find("}", position)
            role = text[position + 1 : end] if end > 0 else ""
            if role not in ROLES:
                raise PatternError(f"{text!r}: {{{role}}} is no role; there are {', '.join(ROLES)}")
            if role in seen:
                raise PatternError(f"{text!r}: {{{role}}} stands there twice")
            seen.add(role)
            parts.append(f"(?P<{role}>{_SHAPES.get(role, '.+?')})")
            position = end + 1
            continue
        if character == "*":
            parts.append(".*?")
        elif not (character.isspace() and parts and parts[-1] == r"\s+"):
            parts.append(_literal(character))
        position += 1
    return r"\s*" + r"\s*".join(parts) + r"\s*"


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """The regular expression of a pattern. Raises :class:`PatternError`."""
    if len(pattern) > 1 and pattern.startswith("/") and pattern.endswith("/"):
        try:
            found = re.compile(pattern[1:-1], re.DOTALL)
        except re.error as error:
            raise PatternError(f"{pattern!r} is no regular expression: {error}") from error
        strange = sorted(set(found.groupindex) - set(ROLES))
        if strange:
            raise PatternError(f"{pattern!r}: {strange[0]!r} is no role; there are {', '.join(ROLES)}")
        return found
    return re.compile(rf"^{_template(pattern)}$", re.DOTALL)


def matched(pattern: str, text: str) -> dict[str, str] | None:
    """The roles that a text gives by a pattern (perhaps none), or None where it does not fit."""
    found = compiled(pattern).search(text)
    if found is None:
        return None
    return {role: part.strip() for role, part in found.groupdict().items() if part and part.strip()}


def first_match(patterns: Iterable[str], text: str) -> tuple[str, dict[str, str]] | None:
    """The first pattern that fits and what it gives."""
    for pattern in patterns:
        if (roles := matched(pattern, text)) is not None:
            return pattern, roles
    return None
