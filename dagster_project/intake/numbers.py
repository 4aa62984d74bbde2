"""Printed numbers: the text of a cell → digits, printed precision, qualifier, glued unit, footnote marks.

Here belongs what one cell's text says by itself. What its unit is worth, which indicator it is, and whether a
missing mark is a zero in this book (a setting of the source, passed in) are decided elsewhere. Nothing is
guessed: a text that could be read two ways is `unreadable` with a reason. Every distinct text is read once,
by polars expressions; Python sees only the distinct Chinese numerals.

`value = mantissa × 10^(scale_mult − decimals)`, in the unit printed (`unit_in_text`, else the column's).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from functools import partial
from typing import Any, Final

import polars as pl

from dagster_project.intake.text import MARK_HOLE, footnotes, normalise, with_mark_holes

MAX_DIGITS: Final = 18  # what an Int64 holds, doubled for the half-unit of a bound

SCHEMA: Final[dict[str, pl.DataType | type[pl.DataType]]] = {
    "value_text": pl.String,
    "number_status": pl.String,
    "number_reason": pl.String,
    "mantissa": pl.Int64,
    "decimals": pl.Int8,
    "scale_mult": pl.Int8,
    "qualifier": pl.String,
    "unit_in_text": pl.String,
    "parts": pl.List(pl.String),
    "footnotes": pl.List(pl.String),
    "granularity": pl.Int8,
    "last_place": pl.Int8,
    "obs_status": pl.String,
}

# --- vocabulary ---------------------------------------------------------------------------------------------

_LEADING: Final = {
    "over": "超过 超出 超 突破 逾 高于 多于 大于 不低于 不少于 不小于 至少"
    " >= > ≥ ≧ more_than over above at_least exceeding exceeds surpassing surpassed",
    "below": "不足 低于 少于 小于 不超过 不高于 不大于 不多于 至多 最多 不到 <= < ≤ ≦ less_than below under at_most up_to",
    "about": "大约 约为 约 大概 ≈ ~ about around approximately approx. approx roughly",
    "nearly": "将近 接近 近 nearly almost close_to",
}
_TRAILING: Final = {
    "over": "余 多 及以上 以上 超 + or_more",
    "below": "及以下 以下 以内 之内",
    "about": "左右 上下 前后 许",
}
_RISE: Final = "增长 上升 提高 增加 上涨 多增 增 升 多 高 up increased_by rose_by rose grew_by grew"
_FALL: Final = "下降 减少 降低 回落 下跌 下滑 缩减 少增 减 降 少 低 负 minus down decreased_by fell_by fell"
# Only a comparison with the same span a year before may stand in front: any other base is another figure.
_CONTEXT: Final = r"(?:同比|(?:比|较)(?:上年同期|去年同期|上年|去年))"
_COUNTERS: Final = (
    "%|‰|个百分点|百分点|人民币|元|美元|港元|欧元|日元|家|个|台|人次|人|户|只|列|栋|条|项|点|辆次|辆|股|件|笔|"
    "次|处|座|所|名|位|"
    "标箱|标准箱|吨公里|吨|公里|平方公里|平方米|亩|公顷|倍|种|类|国|张|份|单|艘|架|趟|班|户次"
)
_SCALES: Final = {
    "十": 1, "百": 2, "千": 3, "万": 4, "十万": 5, "百万": 6, "千万": 7, "亿": 8, "十亿": 9, "百亿": 10,
    "千亿": 11, "万亿": 12, "thousand": 3, "million": 6, "billion": 9, "trillion": 12,
}  # fmt: skip


def _words(listed: str) -> list[str]:
    return sorted((word.replace("_", " ") for word in listed.split()), key=len, reverse=True)


def _either(*listed: str) -> str:
    return "|".join(re.escape(word) for word in _words(" ".join(listed)))


_LEAD: Final = _either(*_LEADING.values())
_TRAIL: Final = _either(*_TRAILING.values())
_QUALIFIERS: Final = {word: name for table in (_LEADING, _TRAILING) for name, listed in table.items() for word in _words(listed)}

# --- grammar (Rust regex: no look-around, so shapes are checked after the split) ----------------------------

_PLAIN: Final = r"^[+-]?[0-9]+(?:\.[0-9]+)?%?$"
_HEAD: Final = (
    rf"(?i)^(?:{_CONTEXT})? ?(?:为|达到|达)? ?(?P<lead1>{_LEAD})? ?"
    rf"(?P<direction>{_either(_RISE, _FALL)})?了? ?"
    rf"(?:达到|达)? ?(?P<lead2>{_LEAD})? ?"
)
_DIGITS: Final = r"(?P<num>[0-9]{1,3}(?: [0-9]{3})+(?:[.,][0-9]+)?|[0-9.,]*[0-9][0-9.,]*)"
_UNIT: Final = (
    r"(?P<places>[十百千万亿]{0,2}) ?(?P<inner>余|多)?"
    r"(?P<unit>%|‰|[\p{Han}A-Za-z$¥€/²³·][\p{Han}A-Za-z$¥€/²³· ]{0,29}?)??"
)
_NUMBER: Final = rf"{_HEAD}(?P<sign>[+-])? ?{_DIGITS} ?(?P<trail1>余|多|\+)? ?{_UNIT} ?(?P<trail2>{_TRAIL})?$"
_BRACKETED: Final = rf"^\( ?{_DIGITS} ?(?P<inside>[%‰])?\) ?(?P<outside>[%‰])?$"
_CHINESE: Final = (
    rf"{_HEAD}(?P<num>[0-9.零一二两三四五六七八九十百千万亿]+) ?(?P<trail1>余|多|\+)? ?"
    rf"(?P<places>[十百千万亿]{{0,2}}) ?(?P<inner>余|多)?(?P<unit>{_COUNTERS})? ?(?P<trail2>{_TRAIL})?$"
)
_RATIO: Final = r"^[0-9]+(?:\.[0-9]+)?(?: ?: ?[0-9]+(?:\.[0-9]+)?){1,4}$"
# A unit is open text, but these say that what follows the number is not (only) a unit.
_NOT_A_UNIT: Final = (
    r"(?i)[零一二三四五六七八九两增降减升涨跌超约近逾至到以]|分之|成|同比|环比|不足"
    r"|\b(?:over|about|nearly|more|less|than|up|down|and|or|to|of|inf|nan)\b"
)

_GROUPED: Final = r"^[1-9][0-9]{0,2}(?:,[0-9]{3})+(?:\.[0-9]+)?$"
_POINT: Final = r"^(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)$"
_COMMA: Final = r"^[0-9]+,[0-9]+$"
_CONTINENTAL: Final = r"^[0-9]{1,3}(?:\.[0-9]{3})+,[0-9]+$"
# A comma that cannot be a thousands mark: more than three digits or a zero in front, or not three behind.
_SURELY_DECIMAL: Final = (
    r"^[^0-9.,]*(?:[0-9]{4,},[0-9]+|0[0-9]*,[0-9]+|[0-9]{1,3},(?:[0-9]{1,2}|[0-9]{4,})"
    r"|[0-9]{1,3}(?:\.[0-9]{3})+,[0-9]+)(?:[^0-9.,]*)$"
)


def has_decimal_comma(texts: pl.Series) -> bool:
    """Whether a column prints decimal commas: one that cannot be a thousands mark is evidence."""
    return bool(with_decimal_comma(pl.DataFrame({"of": [0], "value_text": [texts.cast(pl.String)]}).explode("value_text"), "of"))


def with_decimal_comma(frame: pl.DataFrame, of: str) -> set[int]:
    """Those of column ``of`` (a file's number) whose ``value_text`` has decimal commas, in the sense of :func:`has_decimal_comma`."""
    strange = frame.filter(~pl.col("value_text").str.contains(_PLAIN)).unique()
    surely = normalise(with_mark_holes(pl.col("value_text"))).str.contains(_SURELY_DECIMAL)
    return set(strange.filter(surely)[of].to_list())


def parse_numbers(texts: pl.Series, *, decimal_comma: bool = False, missing_marks: Mapping[str, str] | None = None) -> pl.DataFrame:
    """One row per distinct text (a null is one too), in order of first appearance; columns as in SCHEMA.

    `missing_marks` (mark → obs_status) goes before every other reading. An empty cell stays `empty`; it gets
    an obs_status where the mark '' has one. `granularity` and `last_place` are powers of ten of the value
    (scale_mult included): the last significant digit printed, and the place to which the number is exact.
    Qualifiers speak of the signed value, so 下降超3% is −3 'below'.
    """
    distinct = texts.cast(pl.String).unique(maintain_order=True).rename("value_text")
    frame = distinct.to_frame().with_row_index("_row")
    marks = missing_marks or {}
    keys = _mark_keys(marks)

    # Plain digits are nearly all of any table: they skip the grammar.
    is_plain = pl.col("value_text").str.contains(_PLAIN).fill_null(False)
    if keys:
        is_plain &= ~pl.col("value_text").is_in(list(keys)).fill_null(False)
    plain = frame.filter(is_plain)
    rest = frame.filter(~is_plain)
    done = [_plain(plain)]
    if rest.height:
        done.append(_grammar(rest, decimal_comma=decimal_comma, keys=keys))
    return pl.concat(done).sort("_row").drop("_row")


def _mark_keys(marks: Mapping[str, str]) -> dict[str, str]:
    """Marks under their normalised spelling: a book's `……` and `—` come in every width and length."""
    if not marks:
        return {}
    spelled = pl.DataFrame({"mark": list(marks)}).select(_mark_key(normalise(pl.col("mark"))))
    return dict(zip(spelled.to_series().to_list(), marks.values(), strict=True))


def _mark_key(text: pl.Expr) -> pl.Expr:
    return text.str.replace_all(" ", "", literal=True).str.replace(r"^-{2,}$", "-").str.replace(r"^[.·]{2,}$", "...")


def _plain(frame: pl.DataFrame) -> pl.DataFrame:
    text = pl.col("value_text")
    split = frame.with_columns(
        num=text.str.strip_chars("+-%"),
        negative=text.str.starts_with("-"),
        unit_in_text=pl.when(text.str.ends_with("%")).then(pl.lit("%")),
        scale=pl.lit(0, pl.Int8),
        qualifier=pl.lit(None, pl.String),
        problem=pl.lit(None, pl.String),
        footnotes=pl.lit([], pl.List(pl.String)),
    )
    return _finish(_with_digits(split))


def _grammar(frame: pl.DataFrame, *, decimal_comma: bool, keys: Mapping[str, str]) -> pl.DataFrame:
    frame = frame.with_columns(
        footnotes=footnotes(pl.col("value_text")).fill_null([]),
        _whole=normalise(pl.col("value_text")).fill_null(""),
        _text=normalise(with_mark_holes(pl.col("value_text"))).fill_null(""),
    ).with_columns(
        _broken=pl.col("_text").str.contains(rf"[0-9.,] ?{MARK_HOLE}+ ?[0-9.,]"),
        _text=pl.col("_text").str.replace_all(MARK_HOLE, "", literal=True).str.strip_chars(" "),
        _status=_mark_key(pl.col("_whole")).replace_strict(list(keys), list(keys.values()), default=None, return_dtype=pl.String)
        if keys
        else pl.lit(None, pl.String),
    )
    # A mark that is also a footnote sign (an asterisk) is the mark, not a footnote to nothing.
    text = pl.col("_text")
    frame = frame.with_columns(
        _kind=pl.when(pl.col("_whole") == "")
        .then(pl.lit("empty"))
        .when(pl.col("_status").is_not_null())
        .then(pl.lit("missing"))
        .when(pl.col("_broken"))
        .then(pl.lit("broken"))
        .when(text.str.contains(_RATIO))
        .then(pl.lit("ratio"))
        .when(text.str.contains(_BRACKETED))
        .then(pl.lit("bracketed"))
        .when(text.str.contains(_NUMBER))
        .then(pl.lit("number"))
        .when(text.str.contains(_CHINESE))
        .then(pl.lit("chinese"))
        .otherwise(pl.lit("none"))
    )

    def of(kind: str) -> pl.DataFrame:
        return frame.filter(pl.col("_kind") == kind)

    read = [
        reader(rows, decimal_comma)
        for kind, reader in (
            ("number", _read_number),
            ("bracketed", _read_bracketed),
            ("chinese", _read_chinese),
        )
        if (rows := of(kind)).height
    ]
    done = [_finish(rows) for rows in read]
    done.append(_without_number(of("empty"), "empty", pl.lit(None, pl.String)))
    done.append(_without_number(of("missing"), "missing", pl.lit(None, pl.String)))
    done.append(_without_number(of("broken"), "unreadable", pl.lit("mark_inside_number")))
    done.append(_without_number(of("none"), "unreadable", _why_not(text)))
    parts = text.str.replace_all(" ", "", literal=True).str.split(":")
    done.append(_without_number(of("ratio").with_columns(parts=parts), "ratio", pl.lit(None, pl.String)))
    return pl.concat(done)


def _without_number(frame: pl.DataFrame, status: str, reason: pl.Expr) -> pl.DataFrame:
    return _shaped(frame.with_columns(number_status=pl.lit(status), number_reason=reason, obs_status=pl.col("_status")))


def _shaped(frame: pl.DataFrame) -> pl.DataFrame:
    """Every column of SCHEMA in its order and type, absent ones null (lists empty)."""
    columns = [pl.col("_row")]
    for name, dtype in SCHEMA.items():
        if name in frame.columns:
            columns.append(pl.col(name).cast(dtype))
        else:
            columns.append(pl.lit([] if dtype == pl.List(pl.String) else None, dtype).alias(name))
    return frame.select(columns)


def _why_not(text: pl.Expr) -> pl.Expr:
    """Why a text is no number: the first of these that fits."""
    rules = [
        (r"^=", "formula"),
        (r"= ?100", "index"),
        (r"(?i)[0-9.]+ ?e ?[+-]?[0-9]|[0-9] ?[×x*·^] ?10", "scientific"),
        (r"(?i)^[+-]?(?:inf|infinity|nan|∞)$", "not_finite"),
        (r"扣除|口径", "other_scope"),
        (
            r"环比|年均|平均|年初|(?:比|较|是|为)[^0-9]{0,4}[0-9]{4}年|[0-9]{4}年的"
            r"|(?i)over (?:19|20)[0-9]{2}",
            "other_base",
        ),
        (r"[0-9一二三四五六七八九十]倍", "multiple"),
        (r"[0-9][%‰]? ?[-~至到] ?[0-9]", "range"),
        (r"[0-9][^0-9]+[0-9]", "several_numbers"),
        (r"[\p{L}]", "words"),
    ]
    # A point or comma joins digits, so it is masked before the question whether there are several numbers.
    joined = text.str.replace_all(r"([0-9])[.,]([0-9])", "${1}${2}").str.replace_all(r"([0-9])[.,]([0-9])", "${1}${2}")
    reasons = [
        pl.when((joined if name in ("several_numbers", "range") else text).str.contains(pattern)).then(pl.lit(name)) for pattern, name in rules
    ]
    digits = pl.when(joined.str.contains(r"[0-9]")).then(pl.lit("bad_number")).otherwise(pl.lit("no_number"))
    return pl.coalesce(*reasons, digits)


# --- the three shapes that carry a number -------------------------------------------------------------------


def _read_number(frame: pl.DataFrame, decimal_comma: bool) -> pl.DataFrame:
    split = _split(frame, _NUMBER)
    blank = pl.col("unit") == ""
    latin = pl.col("unit").str.to_lowercase().is_in(["thousand", "million", "billion", "trillion"])
    bare = blank | (latin & (pl.col("places") == ""))
    split = split.with_columns(
        scale=pl.when(blank)
        .then(pl.col("places"))
        .when(bare)
        .then(pl.col("unit").str.to_lowercase())
        .otherwise(pl.lit(""))
        .replace_strict(["", *_SCALES], [0, *_SCALES.values()], default=None, return_dtype=pl.Int8),
        unit_in_text=pl.when(~bare).then(pl.col("places") + pl.col("unit")),
    )
    text = pl.col("_text")
    split = _with_sign(split).with_columns(
        problem=pl.when((pl.col("direction") != "") & (pl.col("unit_in_text") == "倍"))
        .then(pl.lit("multiple"))
        .when(pl.col("unit").str.contains(_NOT_A_UNIT))
        .then(_why_not(text))
        .when(pl.col("scale").is_null())
        .then(pl.lit("words"))
        .otherwise(pl.col("problem"))
    )
    return _with_digits(_with_point(split, decimal_comma))


def _read_bracketed(frame: pl.DataFrame, decimal_comma: bool) -> pl.DataFrame:
    split = frame.with_columns(pl.col("_text").str.extract_groups(_BRACKETED).alias("_groups")).unnest("_groups")
    split = split.with_columns(
        unit_in_text=pl.coalesce("inside", "outside"),
        negative=pl.lit(True),
        scale=pl.lit(0, pl.Int8),
        qualifier=pl.lit(None, pl.String),
        problem=pl.lit(None, pl.String),
    )
    return _with_digits(_with_point(split, decimal_comma))


def _read_chinese(frame: pl.DataFrame, decimal_comma: bool) -> pl.DataFrame:
    del decimal_comma  # a Chinese numeral has no comma
    split = _with_sign(_split(frame, _CHINESE).with_columns(sign=pl.lit("")))
    numerals = split["num"].unique()
    read = pl.DataFrame(
        [(numeral, *(chinese_numeral(numeral) or (None, None, None, None))) for numeral in numerals],
        schema={
            "num": pl.String,
            "magnitude": pl.Int64,
            "big": pl.String,
            "place": pl.Int8,
            "bare": pl.Boolean,
        },
        orient="row",
    )
    split = split.join(read, on="num", how="left", maintain_order="left")
    big = pl.col("big") + pl.col("places")
    has_unit = pl.col("unit") != ""
    split = split.with_columns(
        scale=pl.when(has_unit)
        .then(pl.lit(""))
        .otherwise(big)
        .replace_strict(["", *_SCALES], [0, *_SCALES.values()], default=None, return_dtype=pl.Int8),
        unit_in_text=pl.when(has_unit).then(big + pl.col("unit")),
        problem=pl.when(pl.col("magnitude").is_null())
        .then(_why_not(pl.col("_text")))
        # Yearbooks print a dash as 一; a source that means a mark by it lists it, else nobody can tell.
        .when(pl.col("_text") == "一")
        .then(pl.lit("one_or_dash"))
        # 达千, 千家: a bare place is a number only with a word that says so (百余, 近千).
        .when(pl.col("bare") & pl.col("qualifier").is_null())
        .then(pl.lit("words"))
        .when((pl.col("direction") != "") & (pl.col("unit") == "倍"))
        .then(pl.lit("multiple"))
        .otherwise(pl.col("problem")),
    )
    split = split.with_columns(
        problem=pl.coalesce("problem", pl.when(pl.col("scale").is_null()).then(pl.lit("words"))),
        num=pl.col("magnitude").cast(pl.String).fill_null("0"),
    )
    # 1万2千 is exact to the thousand, as 1.2万 is.
    return _with_digits(split).with_columns(last_place=pl.col("place") + pl.col("scale"))


def _split(frame: pl.DataFrame, grammar: str) -> pl.DataFrame:
    groups = frame.select(pl.col("_text").str.extract_groups(grammar).alias("g")).unnest("g")
    return pl.concat([frame, groups.select(pl.all().fill_null("").str.strip_chars(" "))], how="horizontal").with_columns(
        pl.col("direction").str.to_lowercase()
    )


def _with_sign(split: pl.DataFrame) -> pl.DataFrame:
    falls = pl.col("direction").is_in(_words(_FALL))
    spots = ["lead1", "lead2", "trail1", "inner", "trail2"]
    names = [
        pl.col(spot).str.to_lowercase().replace_strict(list(_QUALIFIERS), list(_QUALIFIERS.values()), default=None, return_dtype=pl.String)
        for spot in spots
        if spot in split.columns
    ]
    split = split.with_columns(_said=pl.coalesce(names), _falls=falls)
    conflict = pl.any_horizontal([(name != pl.col("_said")).fill_null(False) for name in names])
    minus = pl.col("sign") == "-"
    # A fall of over 3 is a value under −3; a fall of nearly 3 is a value above −3.
    turned = pl.col("_said").replace({"over": "below", "below": "over", "nearly": "over"})
    return split.with_columns(
        negative=pl.col("_falls") | minus,
        qualifier=pl.when(pl.col("_falls")).then(turned).otherwise(pl.col("_said")),
        problem=pl.when(conflict)
        .then(pl.lit("qualifiers_conflict"))
        .when(pl.col("_falls") & (pl.col("sign") != ""))
        .then(pl.lit("two_signs"))
        # 超-3 may mean above or beyond −3.
        .when(minus & pl.col("_said").is_in(["over", "below", "nearly"]))
        .then(pl.lit("qualified_negative"))
        .otherwise(pl.lit(None, pl.String)),
    )


def _with_point(split: pl.DataFrame, decimal_comma: bool) -> pl.DataFrame:
    """The separators resolved: `num` keeps at most a decimal point."""
    num = pl.col("num").str.replace_all(" ", "", literal=True)
    as_point = num.str.replace_all(".", "", literal=True).str.replace(",", ".", literal=True)
    grouped = num.str.replace_all(",", "", literal=True)
    comma_first = num.str.contains(_COMMA) & pl.lit(decimal_comma)
    resolved = (
        pl.when(num.str.contains(_POINT))
        .then(num)
        .when(comma_first)
        .then(as_point)
        .when(num.str.contains(_GROUPED))
        .then(grouped)
        .when(num.str.contains(_COMMA) | num.str.contains(_CONTINENTAL))
        .then(as_point)
    )
    return split.with_columns(num=resolved.fill_null("0"), _bad=resolved.is_null()).with_columns(
        problem=pl.coalesce("problem", pl.when(pl.col("_bad")).then(pl.lit("bad_grouping")).otherwise(pl.lit(None, pl.String)))
    )


def _with_digits(split: pl.DataFrame) -> pl.DataFrame:
    num = pl.col("num")
    split = split.with_columns(
        _digits=num.str.replace(".", "", literal=True).str.strip_chars_start("0"),
        _places=(num.str.len_bytes().cast(pl.Int64) - num.str.find(".", literal=True) - 1).fill_null(0),
    )
    digits, places = pl.col("_digits"), pl.col("_places")
    too_many = (digits.str.len_bytes() > MAX_DIGITS) | (places > MAX_DIGITS)
    split = split.with_columns(
        problem=pl.coalesce("problem", pl.when(too_many).then(pl.lit("too_many_digits"))),
        _magnitude=pl.when(too_many | (digits == "")).then(pl.lit("0")).otherwise(digits).cast(pl.Int64),
        _zeros=pl.when(digits == "").then(0).otherwise(digits.str.len_bytes() - digits.str.strip_chars_end("0").str.len_bytes()).cast(pl.Int64),
        _places=pl.when(too_many).then(0).otherwise(places),
    )
    scale = pl.col("scale").cast(pl.Int64)
    last = scale - pl.col("_places")
    return split.with_columns(
        mantissa=pl.when(pl.col("negative")).then(-pl.col("_magnitude")).otherwise(pl.col("_magnitude")),
        decimals=pl.col("_places"),
        scale_mult=pl.col("scale"),
        last_place=last,
        granularity=pl.when((pl.col("_places") > 0) | too_many).then(last).otherwise(scale + pl.col("_zeros")),
    )


def _finish(split: pl.DataFrame) -> pl.DataFrame:
    good = pl.col("problem").is_null()
    numeric = ["mantissa", "decimals", "scale_mult", "last_place", "granularity", "qualifier", "unit_in_text"]
    return _shaped(
        split.with_columns(
            number_status=pl.when(good).then(pl.lit("number")).otherwise(pl.lit("unreadable")),
            number_reason=pl.col("problem"),
            **{name: pl.when(good).then(pl.col(name)) for name in numeric},
        )
    )


# --- Chinese numerals ---------------------------------------------------------------------------------------

_FIGURES: Final = dict(zip("零一二两三四五六七八九", (0, 1, 2, 2, 3, 4, 5, 6, 7, 8, 9), strict=True))
_SMALL: Final = {"十": 10, "百": 100, "千": 1000}


def chinese_numeral(numeral: str) -> tuple[int, str, int, bool] | None:
    """(magnitude, closing 万/亿/万亿 left out of it, power of ten to which it is exact, bare place) or None.

    Reads 十五, 三百二十, 一千零五, 1万2千, 3亿5000万, 二0二三. Refuses short forms (三百二, 1万2),
    approximations (七八) and anything out of order.
    """
    closing = re.search(r"(?:万亿|万|亿)$", numeral)
    if closing and not re.search(r"[万亿]", numeral[: closing.start()]):
        head = numeral[: closing.start()]
        if not head:
            return 1, closing.group(), 0, True
        inner = chinese_numeral(head)
        return None if inner is None else (inner[0], closing.group(), inner[2], inner[3])
    if numeral in ("百", "千"):
        return _SMALL[numeral], "", 0, True
    if re.fullmatch(r"[0零一二三四五六七八九]{3,18}", numeral):
        return int("".join(str(_FIGURES.get(figure, 0)) for figure in numeral)), "", 0, False
    if not numeral:
        return None
    total = 0
    limit: int | None = None
    rest = numeral
    for sign, worth in (("亿", 10**8), ("万", 10**4), ("", 1)):
        if sign:
            section, found, rest_after = rest.partition(sign)
            if not found:
                continue
            rest = rest_after
        else:
            section = rest
            if not section:
                continue
        value = _section(section, limit)
        if value is None:
            return None
        total += value * worth
        limit = 10**4
    if total >= 10**MAX_DIGITS:
        return None
    place = 0
    if re.search(r"[万亿]", numeral):
        place = {"十": 1, "百": 2, "千": 3, "万": 4, "亿": 8}.get(numeral[-1], 0)
    return total, "", place, False


def _section(section: str, limit: int | None) -> int | None:
    """What stands between two of 亿, 万 and the end; below `limit` when something larger stands before it."""
    linked = section.startswith("零")
    body = section[1:] if linked else section
    if re.fullmatch(r"[0-9]{1,16}", body):
        value = int(body)
        # 1万2 is short for 12 thousand; 1万2000 and 1万零2 say what they mean.
        if limit is not None and (value >= limit or (not linked and value < limit // 10)):
            return None
        return value
    total, last, link = 0, 10**4, linked
    shown = re.findall(r"零|(?:[0-9]+|[一二两三四五六七八九])?[十百千]|[0-9]+|[一二两三四五六七八九]", body)
    if not shown or "".join(shown) != body:
        return None
    for token in shown:
        if token == "零":
            link = True
            continue
        worth = _SMALL.get(token[-1], 1)
        figure = token[:-1] if worth > 1 else token
        if not figure:
            if worth != 10:
                return None  # 百五: a place without its figure
            count = 1
        elif figure.isascii():
            count = int(figure)
        else:
            count = _FIGURES[figure]
        short = worth == 1 and last > 10 and not link and (total > 0 or limit is not None)
        if worth >= last or not 0 < count < 10 or short:
            return None
        total += count * worth
        last, link = worth, False
    return None if link else total


# --- intervals ----------------------------------------------------------------------------------------------

_EXACT_IN_DOUBLE: Final = 2**53


def with_bounds(df: pl.DataFrame) -> pl.DataFrame:
    """Adds value, lower, upper (null = open) to rows with the columns of `parse_numbers`.

    Each is the double nearest to the decimal: one integer numerator, one exact power of ten, one rounding.
    Numerators beyond 2^53 go through exact fractions.
    """
    exponent = pl.col("scale_mult").cast(pl.Int64) - pl.col("decimals").cast(pl.Int64)
    mantissa = pl.col("mantissa")
    half_unit = _power(pl.col("last_place").cast(pl.Int64) - exponent)
    about_unit = _power(pl.max_horizontal(pl.col("granularity").cast(pl.Int64), exponent) - exponent)
    qualifier = pl.col("qualifier")
    about = qualifier == "about"
    width = pl.when(about).then(2 * about_unit).otherwise(half_unit)
    open_below = qualifier.is_in(["below", "nearly"])
    open_above = qualifier == "over"
    closed = qualifier.is_null() | about
    work = df.with_columns(
        _e=exponent,
        _value=2 * mantissa,
        _lower=pl.when(closed).then(2 * mantissa - width).when(open_above).then(2 * mantissa),
        _upper=pl.when(closed).then(2 * mantissa + width).when(open_below).then(2 * mantissa),
    )
    small = pl.all_horizontal([(pl.col(c).abs() <= _EXACT_IN_DOUBLE).fill_null(True) for c in _TWICE])
    work = work.with_columns([_halved(pl.col(twice)).alias(name) for twice, name in _TWICE.items()])
    if not work.select(small.all()).item():
        work = work.with_columns(
            [
                pl.when(small)
                .then(pl.col(name))
                .otherwise(
                    pl.struct(twice, "_e", _small=small).map_elements(
                        partial(_exact, twice),
                        return_dtype=pl.Float64,
                    )
                )
                .alias(name)
                for twice, name in _TWICE.items()
            ]
        )
    return work.drop(["_e", *_TWICE])


_TWICE: Final = {"_value": "value", "_lower": "lower", "_upper": "upper"}


def _power(exponent: pl.Expr) -> pl.Expr:
    powers = pl.Series([10**k for k in range(MAX_DIGITS + 1)], dtype=pl.Int64)
    return exponent.replace_strict(pl.Series(range(MAX_DIGITS + 1), dtype=pl.Int64), powers, default=None, return_dtype=pl.Int64)


def _halved(twice: pl.Expr) -> pl.Expr:
    exponent = pl.col("_e")
    divisor = 2 * _power(-exponent)
    factor = 5 * _power(exponent - 1)
    return pl.when(exponent <= 0).then(twice.cast(pl.Float64) / divisor.cast(pl.Float64)).otherwise(twice.cast(pl.Float64) * factor.cast(pl.Float64))


def _exact(column: str, row: dict[str, Any]) -> float | None:
    twice, exponent = row[column], row["_e"]
    if row["_small"] or twice is None or exponent is None:
        return None
    return float(Fraction(twice, 2) * Fraction(10) ** exponent)
