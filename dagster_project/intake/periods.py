"""Printed periods: the text of a cell → a span of days.

Here belongs what the text itself says: which days, in which form it says so, and what of it was not printed
(brackets). Whether a figure is a stock or a flow, and so which bound counts, is decided where the indicator
is known.

A `moment` (年末, 9月底) and a `since` (截至…累计) have no start. A bracket around the whole text means that
the period was inferred; a bracket behind it is a remark.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from dagster_project.intake.text import normalise

FIRST_YEAR: Final = 1900
LAST_YEAR: Final = 2100

SCHEMA: Final[dict[str, pl.DataType | type[pl.DataType]]] = {
    "period_text": pl.String,
    "period_status": pl.String,
    "period_reason": pl.String,
    "form": pl.String,
    "period_start": pl.Date,
    "period_end": pl.Date,
    "inferred": pl.Boolean,
    "approximate": pl.Boolean,
    "remark": pl.String,
}

_FIGURES: Final = "一二三四五六七八九十"
_CHINESE_MONTHS: Final = {f"{'十' if n > 10 else ''}{_FIGURES[(n - 1) % 10]}月": f"{n}月" for n in (11, 12, *range(1, 11))}
# 六五 (1981-85) is the first plan that covers whole calendar years on the present count; 十五五 ends in 2030.
_PLANS: Final = {
    name: 1981 + 5 * i for i, name in enumerate(["六五", "七五", "八五", "九五", "十五", "十一五", "十二五", "十三五", "十四五", "十五五", "十六五"])
}

# Spoken spans become codes of one letter and digits, so that the grammar below has one spelling for each: Qn,
# Hn, Pnn (year to date up to month nn). Order matters: what contains another comes first.
_CODES: Final = [
    (r"^([0-9]{4})年年", "${1}年"),
    (r"第?[一1](?:季度?)?[-~至到]第?[三3]季度", "P09"),
    (r"第?[一1](?:季度?)?[-~至到、]第?[二2]季度", "P06"),
    (r"前[三3]个?季度?", "P09"),
    (r"前[二两2]个?季度?", "P06"),
    (r"前([0-9]{1,2})个?月(?:份)?", "P${1}"),
    (r"YTD-?M?([0-9]{1,2})", "P${1}"),
    (r"(?:第[一1]|[一1]|首)季度?", "Q1"),
    (r"第?[二2]季度?", "Q2"),
    (r"第?[三3]季度?", "Q3"),
    (r"第?[四4]季度?", "Q4"),
    (r"第?([0-9五六七八九])季度?", "Q9"),
    (r"(?:上|前)半年", "H1"),
    (r"(?:下|后)半年", "H2"),
    (r"月份", "月"),
    (r"([0-9])号", "${1}日"),
    (r"全年|年度", "年"),
    (r"年年", "年"),
]

_Y: Final = r"(?P<y1>[0-9]{4})"
_TO: Final = r"(?:[-~至到]{1,2}|/)"
_DAY: Final = r"(?P<d1>[0-9]{1,2})日?(?:零时|0时|24时)?(?:[ T]?00:00(?::00)?(?:\.0+)?)?"

# (form, grammar): the first that fits the text as a whole wins. A number out of range makes the text
# impossible, not the next grammar's turn.
_FORMS: Final = [
    ("year", rf"^{_Y}(?:年|-?A)?$"),
    ("half", rf"^{_Y}年?-?[HS](?P<h1>[0-9]{{1,2}})$"),
    ("quarter", rf"^{_Y}年?-?Q(?P<q1>[0-9]{{1,2}})$"),
    ("quarter", r"^Q(?P<q1>[0-9])[ -/]?(?P<y1>[0-9]{4})年?$"),
    ("ytd", rf"^{_Y}年?-?P(?P<m2>[0-9]{{1,2}})$"),
    ("month", rf"^{_Y}(?P<m1>[0-9]{{2}})$"),
    ("month", rf"^{_Y}(?:年|[-/.]M?)(?P<m1>[0-9]{{1,2}})月?$"),
    ("day", rf"^{_Y}(?P<m1>[0-9]{{2}})(?P<d1>[0-9]{{2}})$"),
    ("day", rf"^{_Y}(?:年|[-/.])(?P<m1>[0-9]{{1,2}})[月/.-]{_DAY}$"),
    ("months", rf"^{_Y}[年.](?P<m1>[0-9]{{1,2}})月?{_TO}(?P<m2>[0-9]{{1,2}})月$"),
    ("years", rf"^{_Y}年?{_TO}(?P<y2>[0-9]{{4}})年?$"),
    (
        "span",
        rf"^{_Y}(?:年|[-/.])?(?:(?P<m1>[0-9]{{1,2}})(?:月|[/.-])?(?:(?P<d1>[0-9]{{1,2}})日?)?)?[-~至到/]"
        r"(?:(?P<y2>[0-9]{4})(?:年|[-/.]))?(?P<m2>[0-9]{1,2})(?:月|[/.-])(?:(?P<d2>[0-9]{1,2})日?)?$",
    ),
    ("span", rf"^{_Y}年(?P<m1>[0-9]{{1,2}})月(?:(?P<d1>[0-9]{{1,2}})日)?[-~至到/](?P<y2>[0-9]{{4}})年$"),
    (
        "span",
        rf"^{_Y}-(?P<m1>[0-9]{{2}})(?:-(?P<d1>[0-9]{{2}}))?/(?P<y2>[0-9]{{4}})-(?P<m2>[0-9]{{2}})(?:-(?P<d2>[0-9]{{2}}))?$",
    ),
    (
        "plan",
        r"""^["“”'‘’「」『』]*(?P<plan>十?[一二三四五六七八九]五|十五)["“”'‘’「」『』]*(?:时期|期间|规划期)?$""",
    ),
]
_GROUPS: Final = ("y1", "m1", "d1", "y2", "m2", "d2", "q1", "h1")


def parse_periods(texts: pl.Series) -> pl.DataFrame:
    """One row per distinct text (a null is one too), in order of first appearance; columns as in SCHEMA.

    `period_reason` is a short code for what was not read; on a read period it warns: `january_or_october` is
    a month printed as 2024.1, which a number cell makes of 2024.10.
    """
    distinct = texts.cast(pl.String).unique(maintain_order=True).rename("period_text")
    frame = _dissected(distinct.to_frame().with_row_index("_row"))
    pending, done = frame, []
    for form, grammar in _FORMS:
        fits = pl.col("_main").str.contains(grammar)
        matched = pending.filter(fits)
        if matched.height:
            done.append(_spans(matched, form, grammar))
            pending = pending.filter(~fits)
    done.append(_unread(pending))
    return pl.concat(done).sort("_row").select(*SCHEMA)


def placed(frame: pl.DataFrame) -> pl.DataFrame:
    """Periods where a layout says which part of the printed one is meant: columns `coverage` (period, ytd, end or blank) and `lag` in months.

    A lag moves both ends by whole months; `ytd` begins in January of the year of its end; `end` has no start.
    """
    if not frame.select(((pl.col("coverage") != "") | (pl.col("lag") > 0)).any()).item():
        return frame
    back = pl.concat_str(pl.lit("-"), pl.col("lag").cast(pl.String), pl.lit("mo"))
    lagging = (pl.col("lag") > 0) & pl.col("period_end").is_not_null()
    end = pl.when(lagging).then(pl.col("period_end").dt.month_start().dt.offset_by(back).dt.month_end()).otherwise("period_end")
    start = pl.when(lagging).then(pl.col("period_start").dt.offset_by(back)).otherwise("period_start")
    frame = frame.with_columns(period_start=start, period_end=end)
    since_january, at_end = pl.col("coverage") == "ytd", pl.col("coverage") == "end"
    return frame.with_columns(
        period_start=pl.when(since_january).then(pl.col("period_end").dt.truncate("1y")).when(~at_end).then("period_start"),
        form=pl.when(since_january).then(pl.lit("ytd")).when(at_end & pl.col("form").is_not_null()).then(pl.lit("moment")).otherwise("form"),
    )


def _dissected(frame: pl.DataFrame) -> pl.DataFrame:
    """Splits off what is not the span itself: brackets, 截至, 末, 累计, 前后, 年均."""
    frame = frame.with_columns(_text=normalise(pl.col("period_text")).fill_null(""))
    text = pl.col("_text")
    whole = text.str.extract(r"^\(([^()]*)\)$", 1)
    behind = text.str.extract_groups(r"^(?P<main>.*[^ (]) ?\((?P<remark>[^()]*)\)$")
    frame = frame.with_columns(_behind=behind, inferred=whole.is_not_null(), _whole=whole).unnest("_behind")
    remark_year = pl.col("remark").str.extract(r"^([0-9]{4})年?$", 1)
    # 过去五年末（2021年）: only the bracket says which year, so the year is inferred.
    past = pl.col("main").str.contains(r"^(?:过去|近|前)[0-9一二三四五六七八九十两]+年(?:末|底)$") & remark_year.is_not_null()
    frame = frame.with_columns(
        inferred=pl.col("inferred") | past.fill_null(False),
        _main=pl.when(past).then(remark_year + "年末").otherwise(pl.coalesce("_whole", "main", "_text")),
    )
    # A blank only means something between a date and its time, or between two numbers, which is no period.
    main = (
        pl.col("_main")
        .str.replace(r"^([0-9]{4}-[0-9]{2}-[0-9]{2}) ([0-9]{2}:)", "${1}T${2}")
        .str.replace_all(r"([^0-9]) ", "${1}")
        .str.replace_all(r" ([^0-9])", "${1}")
    )
    # 二0二三年: Chinese figures of a year, only in front of 年.
    spoken = main.str.extract(r"^([零0一二三四五六七八九]{4})年", 1)
    digits = spoken.str.replace_many(list("零一二三四五六七八九"), list("0123456789"))
    main = pl.when(spoken.is_not_null()).then(digits + main.str.slice(4)).otherwise(main)
    main = main.str.replace_many(list(_CHINESE_MONTHS), list(_CHINESE_MONTHS.values()), leftmost=True)
    frame = frame.with_columns(_main=main).with_columns(
        _as_of=pl.col("_main").str.contains(r"^截[至止]"),
        _main=pl.col("_main").str.replace(r"^(?:截[至止]到?|到|至)", ""),
    )
    frame = _suffix(frame, "_average", r"(?:年平均|年均|平均)$")
    frame = _suffix(frame, "_cumulative", r"累计$")
    frame = _suffix(frame, "approximate", r"(?:前后|左右)$")
    frame = _suffix(frame, "_end", r"(?:末|底|年终)$")
    coded = pl.col("_main").str.to_uppercase()
    for pattern, code in _CODES:
        coded = coded.str.replace(pattern, code)
    return frame.with_columns(
        _main=coded,
        remark=pl.coalesce("remark", pl.when(pl.col("_average")).then(pl.lit("年均"))),
    )


def _suffix(frame: pl.DataFrame, name: str, pattern: str) -> pl.DataFrame:
    # 年均 and 累计 alone are no suffix of anything: the text in front must not be empty.
    found = pl.col("_main").str.contains(rf".{pattern}")
    return frame.with_columns(
        found.alias(name),
        _main=pl.when(found).then(pl.col("_main").str.replace(pattern, "")).otherwise(pl.col("_main")),
    )


def _date(year: pl.Expr, month: pl.Expr, day: pl.Expr) -> pl.Expr:
    """The day, null where the calendar has none."""
    spelled = pl.concat_str(
        year.cast(pl.String).str.zfill(4),
        pl.lit("-"),
        month.cast(pl.String).str.zfill(2),
        pl.lit("-"),
        day.cast(pl.String).str.zfill(2),
    )
    return spelled.str.to_date("%Y-%m-%d", strict=False)


def _spans(frame: pl.DataFrame, form: str, grammar: str) -> pl.DataFrame:
    groups = frame.select(pl.col("_main").str.extract_groups(grammar).alias("g")).unnest("g")
    frame = pl.concat([frame, groups], how="horizontal")
    missing = [name for name in _GROUPS if name not in frame.columns]
    frame = frame.with_columns(
        [pl.col(name).cast(pl.Int32) for name in _GROUPS if name in frame.columns] + [pl.lit(None, pl.Int32).alias(name) for name in missing]
    )
    one, year = pl.lit(1), pl.col("y1")
    year_end = pl.col("y2").fill_null(year)
    shape = form
    # A quarter 5 or a half 3 falls on a month that no calendar has, so it needs no check of its own.
    if form == "year":
        start, end = _date(year, one, one), _date(year, pl.lit(12), pl.lit(31))
    elif form == "half":
        start = _date(year, pl.col("h1") * 6 - 5, one)
        end = _date(year, pl.col("h1") * 6, one).dt.month_end()
    elif form == "quarter":
        start = _date(year, pl.col("q1") * 3 - 2, one)
        end = _date(year, pl.col("q1") * 3, one).dt.month_end()
    elif form == "ytd":
        start, end = _date(year, one, one), _date(year, pl.col("m2"), one).dt.month_end()
    elif form == "month":
        start = _date(year, pl.col("m1"), one)
        end = start.dt.month_end()
    elif form == "day":
        start = end = _date(year, pl.col("m1"), pl.col("d1"))
    elif form == "months":
        start, end = _date(year, pl.col("m1"), one), _date(year, pl.col("m2"), one).dt.month_end()
        shape = "range"
    elif form == "years":
        start, end = _date(year, one, one), _date(pl.col("y2"), pl.lit(12), pl.lit(31))
        shape = "range"
    elif form == "span":
        start = _date(year, pl.col("m1").fill_null(1), pl.col("d1").fill_null(1))
        last = _date(year_end, pl.col("m2").fill_null(12), pl.col("d2").fill_null(1))
        end = pl.when(pl.col("d2").is_null()).then(last.dt.month_end()).otherwise(last)
        shape = "range"
    else:
        first = pl.col("plan").replace_strict(list(_PLANS), list(_PLANS.values()), default=None, return_dtype=pl.Int32)
        start, end = _date(first, one, one), _date(first + 4, pl.lit(12), pl.lit(31))
        shape = "range"
    frame = frame.with_columns(
        form=pl.lit(shape),
        period_start=start,
        period_end=end,
    )
    if form == "months":
        frame = frame.with_columns(form=pl.when(pl.col("m1") == 1).then(pl.lit("ytd")).otherwise(pl.lit("range")))
    return _decided(frame, form)


def _decided(frame: pl.DataFrame, grammar_form: str) -> pl.DataFrame:
    start, end, form = pl.col("period_start"), pl.col("period_end"), pl.col("form")
    impossible = (start.is_null() | end.is_null() | (start > end) | (start.dt.year() < FIRST_YEAR) | (end.dt.year() > LAST_YEAR)).fill_null(True)
    single = form.is_in(["month", "quarter", "half"])
    at_end = pl.col("_end")
    cumulative = pl.col("_cumulative")
    as_of = at_end | pl.col("_as_of")
    # A year-end over a span of years is many moments; a plan has one end, a span between two printed days
    # ends on the last.
    many = as_of & ~cumulative & pl.lit(grammar_form in ("years", "months"))
    spread = (form == "range") & pl.lit(grammar_form != "plan")
    remark_year = pl.col("remark").str.extract(r"^([0-9]{4})年?$", 1).cast(pl.Int32)
    contradicted = (remark_year > end.dt.year()) | (remark_year < pl.when(at_end).then(end.dt.year()).otherwise(start.dt.year()))
    january = pl.col("_main").str.contains(r"^[0-9]{4}\.1$") & ~impossible
    reason = (
        pl.when(impossible)
        .then(pl.lit("impossible"))
        .when(contradicted.fill_null(False))
        .then(pl.lit("contradiction"))
        .when(many)
        .then(pl.lit("several_moments"))
        # 2023年9月累计 counts from January or from the beginning: it does not say.
        .when(cumulative & single & ~at_end & ~pl.col("_as_of"))
        .then(pl.lit("cumulative_from_when"))
    )
    since = as_of & cumulative & ~spread
    moment = as_of & ~cumulative & ~spread
    frame = frame.with_columns(
        period_status=pl.when(reason.is_null()).then(pl.lit("period")).otherwise(pl.lit("unreadable")),
        period_reason=pl.coalesce(reason, pl.when(january).then(pl.lit("january_or_october"))),
        form=pl.when(since).then(pl.lit("since")).when(moment).then(pl.lit("moment")).otherwise(form),
    )
    good = pl.col("period_status") == "period"
    return frame.select(
        "_row",
        "period_text",
        "period_status",
        "period_reason",
        pl.when(good).then(pl.col("form")).alias("form"),
        pl.when(good & ~pl.col("form").is_in(["since", "moment"])).then(start).alias("period_start"),
        pl.when(good).then(end).alias("period_end"),
        pl.col("inferred").fill_null(False),
        pl.col("approximate").fill_null(False),
        "remark",
    )


def _unread(frame: pl.DataFrame) -> pl.DataFrame:
    main = pl.col("_main")
    empty = pl.col("_text") == ""
    # Words of time without a year: the page knew which year it meant, we do not.
    timeless = ~pl.col("_text").str.contains(r"[0-9]{4}") & main.str.contains(r"[年月季日]|^[QHP][0-9]|UNDATED|^N/?A$|时期|期间")
    return frame.select(
        "_row",
        "period_text",
        pl.when(empty).then(pl.lit("empty")).otherwise(pl.lit("unreadable")).alias("period_status"),
        pl.when(empty | timeless).then(pl.lit("year_not_printed")).otherwise(pl.lit("unrecognised")).alias("period_reason"),
        pl.lit(None, pl.String).alias("form"),
        pl.lit(None, pl.Date).alias("period_start"),
        pl.lit(None, pl.Date).alias("period_end"),
        pl.col("inferred").fill_null(False),
        pl.col("approximate").fill_null(False),
        "remark",
    )


def standard_periods(start_year: int, end_year: int) -> pl.DataFrame:
    """Every year, half, quarter, month and year-to-date span, once each: period_start, period_end, freq,
    coverage, form, label (2024, 2024-H1, 2024-Q3, 2024-09, 2024-YTD09), label_zh.

    A span with two names has the longer frequency's: January to June is the half, January to December the
    year. `freq` is CL_FREQ's letter (A S Q M); coverage is `period` or `ytd`.
    """
    quarters = "一二三四"
    rows: list[tuple[int, int, int, str, str, str, str, str]] = []
    for year in range(start_year, end_year + 1):
        rows.append((year, 1, 12, "A", "period", "year", f"{year}", f"{year}年"))
        for h, name in ((1, "上半年"), (2, "下半年")):
            rows.append((year, 6 * h - 5, 6 * h, "S", "period", "half", f"{year}-H{h}", f"{year}年{name}"))
        for q in range(1, 5):
            label_zh = f"{year}年{quarters[q - 1]}季度"
            rows.append((year, 3 * q - 2, 3 * q, "Q", "period", "quarter", f"{year}-Q{q}", label_zh))
        for m in range(1, 13):
            rows.append((year, m, m, "M", "period", "month", f"{year}-{m:02d}", f"{year}年{m}月"))
        for m in (2, 4, 5, 7, 8, 9, 10, 11):
            label_zh = f"{year}年前三季度" if m == 9 else f"{year}年1-{m}月"
            freq = "Q" if m == 9 else "M"
            rows.append((year, 1, m, freq, "ytd", "ytd", f"{year}-YTD{m:02d}", label_zh))
    table = pl.DataFrame(
        rows,
        schema={
            "year": pl.Int32,
            "first": pl.Int8,
            "last": pl.Int8,
            "freq": pl.String,
            "coverage": pl.String,
            "form": pl.String,
            "label": pl.String,
            "label_zh": pl.String,
        },
        orient="row",
    )
    return table.select(
        pl.date("year", "first", 1).alias("period_start"),
        pl.date("year", "last", 1).dt.month_end().alias("period_end"),
        "freq",
        "coverage",
        "form",
        "label",
        "label_zh",
    )
