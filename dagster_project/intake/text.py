"""Typography: one spelling for what is printed in many.

Here belongs everything about how characters look (widths, dashes, spaces, traditional forms, footnote marks).
What a text means – a number, a period, a unit, an area – belongs elsewhere. All functions take and give a
polars Series or expression.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import overload

import polars as pl

# Circles that stand for a zero in Chinese numerals; NFKC leaves them alone.
_ZEROS = ["〇", "○", "◯"]
# Dashes, minus signs and box lines that serve as one; the full-width minus falls to NFKC.
_DASHES = ["‐", "‑", "‒", "–", "—", "―", "−", "─", "━", "﹘", "⁃"]
_TILDES = ["〜", "∼", "˜"]
_COLONS = ["∶", "︰", "꞉"]

# Only characters of units, periods and the words around a number: names keep their printed form, since a name
# that was folded half-way would match neither spelling.
_TRADITIONAL = dict(
    zip(
        "億萬標準個臺檯輛戶點幣噸畝餘約過達長減漲兩條項時間內後終計預較數總佔擴縮負幾歲棟隻註將為來從與無車櫃節",
        "亿万标准个台台辆户点币吨亩余约过达长减涨两条项时间内后终计预较数总占扩缩负几岁栋只注将为来从与无车柜节",
        strict=True,
    )
)

_FOLD = {
    **dict.fromkeys(_ZEROS, "0"),
    **dict.fromkeys(_DASHES, "-"),
    **dict.fromkeys(_TILDES, "~"),
    **dict.fromkeys(_COLONS, ":"),
    **_TRADITIONAL,
}

# Footnote marks as printed, before NFKC: NFKC would turn ① and ¹ into digits and glue them to the number. A
# superscript after a letter is a unit (km²), so superscripts are taken only behind a digit, a bracket or a
# percent sign.
_CIRCLED = "①-⑳⑴-⒇㉑-㉟㊱-㊿❶-❿➀-➉"
_MARK = (
    rf"(?:[*＊※†‡§]+|[{_CIRCLED}]"
    r"|[\[［【〔](?:注|註)?[0-9０-９]{1,2}[\]］】〕]"
    r"|[(（](?:注|註)[0-9０-９]{0,2}[)）]"
    r"|(?:注|註)[0-9０-９]{1,2})"
)
# A quick look before the thorough one: a text without any of these has no mark.
MAY_HOLD_MARK = re.compile(rf"[*＊※†‡§{_CIRCLED}\[［【〔注註⁰¹²³⁴-⁹]")
_SUPERSCRIPT = r"([0-9０-９%％‰)）])([⁰¹²³⁴-⁹]+)"
# Stands where a mark stood, so that the digits on both sides of one are not read as one number.
MARK_HOLE = "\ue000"


@overload
def _over(series: pl.Series, function: Callable[[pl.Expr], pl.Expr]) -> pl.Series: ...
@overload
def _over(series: pl.Expr, function: Callable[[pl.Expr], pl.Expr]) -> pl.Expr: ...
def _over(series: pl.Series | pl.Expr, function: Callable[[pl.Expr], pl.Expr]) -> pl.Series | pl.Expr:
    if isinstance(series, pl.Expr):
        return function(series)
    frame = pl.DataFrame({"text": series.cast(pl.String)})
    return frame.select(function(pl.col("text"))).to_series().rename(series.name)


def _nfkc(text: pl.Expr) -> pl.Expr:
    # Format characters first: a zero-width joiner between two digits must not survive as a separator.
    return text.str.replace_all(r"[\p{Cf}\x00-\x08\x0e-\x1f\x7f]", "").str.normalize("NFKC")


def _normalise(text: pl.Expr) -> pl.Expr:
    return _nfkc(text).str.replace_many(list(_FOLD), list(_FOLD.values())).str.replace_all(r"[\s\p{Z}]+", " ").str.strip_chars(" ")


@overload
def normalise(series: pl.Series) -> pl.Series: ...
@overload
def normalise(series: pl.Expr) -> pl.Expr: ...
def normalise(series: pl.Series | pl.Expr) -> pl.Series | pl.Expr:
    """NFKC, zeros, dashes, colons and unit characters folded, every run of space one plain blank.

    Blanks between digits stay: whether `19 278` is one number or two is decided by its shape, in `numbers`.
    """
    return _over(series, _normalise)


@overload
def label_key(series: pl.Series) -> pl.Series: ...
@overload
def label_key(series: pl.Expr) -> pl.Expr: ...
def label_key(series: pl.Series | pl.Expr) -> pl.Series | pl.Expr:
    """The spelling under which a label is looked up: NFKC, no white space, no line breaks."""
    return _over(series, lambda text: _nfkc(text).str.replace_all(r"[\s\p{Z}]+", ""))


@overload
def unit_key(series: pl.Series) -> pl.Series: ...
@overload
def unit_key(series: pl.Expr) -> pl.Expr: ...
def unit_key(series: pl.Series | pl.Expr) -> pl.Series | pl.Expr:
    """The spelling under which a unit is looked up: as a label, Latin letters lower case."""
    return _over(
        series,
        lambda text: _nfkc(text).str.replace_all(r"[\s\p{Z}]+", "").str.to_lowercase(),
    )


@overload
def footnotes(series: pl.Series) -> pl.Series: ...
@overload
def footnotes(series: pl.Expr) -> pl.Expr: ...
def footnotes(series: pl.Series | pl.Expr) -> pl.Series | pl.Expr:
    """The footnote marks in a text, in printed order within their kind (superscripts last)."""

    def find(text: pl.Expr) -> pl.Expr:
        marks = text.str.extract_all(_MARK)
        # extract_all gives whole matches, so the character in front of a superscript is cut off again.
        raised = text.str.extract_all(_SUPERSCRIPT).list.eval(pl.element().str.strip_chars_start("0123456789０１２３４５６７８９%％‰)）"))
        half = {"＊": "*", "［": "[", "］": "]", "（": "(", "）": ")", "註": "注"}
        half |= {chr(0xFF10 + digit): str(digit) for digit in range(10)}
        return pl.concat_list(marks, raised).list.eval(pl.element().str.replace_many(list(half), list(half.values())))

    return _over(series, find)


@overload
def without_footnotes(series: pl.Series) -> pl.Series: ...
@overload
def without_footnotes(series: pl.Expr) -> pl.Expr: ...
def without_footnotes(series: pl.Series | pl.Expr) -> pl.Series | pl.Expr:
    """The text with its footnote marks taken out; a label keeps nothing in their place."""
    return _over(series, lambda text: _hole(text).str.replace_all(MARK_HOLE, "", literal=True))


def without_marks(text: str) -> str:
    """:func:`without_footnotes` of one text: a heading, of which a file has too few for a frame."""
    if not MAY_HOLD_MARK.search(text):
        return text.replace(MARK_HOLE, "\ufffd")
    text = re.sub(_SUPERSCRIPT, r"\1" + MARK_HOLE, text.replace(MARK_HOLE, "\ufffd"))
    return re.sub(_MARK, "", text).replace(MARK_HOLE, "")


@overload
def with_mark_holes(series: pl.Series) -> pl.Series: ...
@overload
def with_mark_holes(series: pl.Expr) -> pl.Expr: ...
def with_mark_holes(series: pl.Series | pl.Expr) -> pl.Series | pl.Expr:
    """The text with each footnote mark replaced by MARK_HOLE."""
    return _over(series, _hole)


def _hole(text: pl.Expr) -> pl.Expr:
    return text.str.replace_all(MARK_HOLE, "\ufffd", literal=True).str.replace_all(_SUPERSCRIPT, "${1}" + MARK_HOLE).str.replace_all(_MARK, MARK_HOLE)


# --- labels ---------------------------------------------------------------------------------------------------

OF_WHICH = r"^\s*(?:其中\s*[:：]?|[#＃])\s*"
_TRANSLATION = re.compile(r"^(.*?[\u3400-\u9fff)）%％\d])\s*[A-Za-z][^\u3400-\u9fff]*$", re.DOTALL)


def without_translation(text: str) -> str:
    """The Chinese of a text that is followed by its translation; any other text as it is."""
    found = _TRANSLATION.match(text)
    return found[1].rstrip() if found else text


def is_translated(text: str) -> bool:
    """Chinese followed by a translation."""
    return _TRANSLATION.match(text) is not None
