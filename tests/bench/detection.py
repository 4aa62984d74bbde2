"""What the rules find of errors that we put in, and what they say of figures that are right.

    python -m tests.bench.detection [--errors 200] [--seed 7] [--keep DIR]

Belongs here: cities of 38 districts on the scaled model, one left clean and one spoilt by each kind of error, and what the
findings say of them. Does not belong here: the rules (dbt), or what is true of the city (`scale`). Prints Markdown.

Every kind has a city of its own, so that a finding there is either of the error put in, or of something that the error
disturbs (a total, the year after), or false. False alarms are counted on the clean city, and on the figures of the spoilt
ones that no error touches.
"""

from __future__ import annotations

import argparse
import random
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import polars as pl

from dagster_project.release.refresh import Refresh
from dagster_project.settings import REPOSITORY, Settings
from tests.fixtures.city import model, scale
from tests.fixtures.city.scale import QUARTERS, Tables

CODES = (
    "va_primary",
    "va_secondary",
    "va_tertiary",
    "gdp",
    "fin_value_added",
    "population",
    "deposits",
    "loans",
    "premium_income",
    "cross_border_settlement",
)
SINGLE = ("premium_income", "cross_border_settlement")  # also printed quarter by quarter
DISTRICTS = 38
Place = tuple[str, int]  # publication, row in its table


@dataclass(frozen=True)
class Kind:
    """One kind of error: how it is put in, the rules that are meant to find it, and the recall that is wanted."""

    name: str
    rules: tuple[str, ...]
    wanted: float | None
    spoil: Callable[[Press, list[str], int], list[Error]]


@dataclass(frozen=True)
class Key:
    """A figure by what it is of."""

    area: str
    indicator: str
    start: date | None
    end: date


@dataclass(frozen=True)
class Error:
    """One error put in: the figures whose text is wrong, and whether a finding must be of that publication."""

    keys: frozenset[Key]
    publication: str
    note: str = ""


@dataclass
class Press:
    """The tables as rows that can be spoilt, with what each row is of."""

    tables: Tables
    rng: random.Random
    texts: dict[str, list[str]] = field(default_factory=dict)
    places: dict[str, dict[tuple[str, str, str], int]] = field(default_factory=dict)
    rows: dict[str, list[tuple[str, str, str]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, table in self.tables.items():
            self.texts[name] = table["数值"].to_list()
            self.rows[name] = list(table.select("地区", "指标", "时期").iter_rows())
            self.places[name] = {row: n for n, row in enumerate(self.rows[name])}

    def text(self, publication: str, area: str, label: str, period: str) -> str | None:
        n = self.places.get(publication, {}).get((area, label, period))
        return None if n is None else self.texts[publication][n]

    def write(self, publication: str, area: str, label: str, period: str, text: str) -> None:
        self.texts[publication][self.places[publication][area, label, period]] = text

    def drawn(self, publications: list[str], how_many: int, fit: Callable[[str, str, str], bool]) -> list[tuple[str, str, str, str]]:
        """So many different figures (publication, area, label, period) that fit, drawn at random; no two of one series and quarter."""
        everything = [(p, *row) for p in publications for row in self.rows[p] if fit(*row)]
        self.rng.shuffle(everything)
        taken: set[tuple[str, str, str]] = set()
        result = []
        for place in everything:
            if place[1:] not in taken:
                taken.add(place[1:])
                result.append(place)
            if len(result) == how_many:
                break
        return result

    def done(self) -> Tables:
        return {name: table.with_columns(pl.Series("数值", self.texts[name])) for name, table in self.tables.items()}


SERIES = [s for s in scale.all_series() if s.indicator.code in CODES and s.scope in ("_Z", "all", "")]
SHARE = scale.Series(next(i for i in model.INDICATORS if i.code == "fin_value_added_share_gdp"), "_Z", "金融业增加值占GDP比重", "%", 2)
BY_LABEL = {s.label: s for s in [*SERIES, SHARE]}
LABEL = {s.indicator.code: s.label for s in [*SERIES, SHARE]}
SPANS: dict[str, tuple[date | None, date]] = {}
for _year, _quarter in QUARTERS:
    _end = model.month_end(_year, _quarter * 3)
    for _start in (None, date(_year, 1, 1)):
        SPANS[model.period_text((_start, _end))] = (_start, _end)
SINGLES = {
    f"{year}年第{name}季度": (date(year, q * 3 - 2, 1), model.month_end(year, q * 3))
    for year, _ in QUARTERS
    for q, name in ((2, "二"), (3, "三"), (4, "四"))
}
SPANS |= SINGLES


def key_of(area: str, label: str, period: str) -> Key:
    start, end = SPANS[period]
    return Key(area[2:8], BY_LABEL[label].indicator.code, start, end)


def is_total(area: str) -> bool:
    return area.endswith("市")


def beside(period: str, quarters: int) -> str | None:
    """The same kind of period so many quarters on, where there is one."""
    start, end = SPANS[period]
    month = end.month + 3 * quarters
    year, month = end.year + (month - 1) // 12, (month - 1) % 12 + 1
    if year not in model.YEARS:
        return None
    return model.period_text((None if start is None else date(year, 1, 1), model.month_end(year, month)))


def printed_with(tables: Tables) -> Tables:
    """Adds what the model does not print: the share of finance in GDP, and single quarters of two flows."""
    result = {}
    for name, table in tables.items():
        values = table.with_columns(pl.col("数值").cast(pl.Float64).alias("x"))
        gdp = values.filter(pl.col("指标") == LABEL["gdp"]).select("地区", "时期", "x")
        shares = (
            values.filter(pl.col("指标") == LABEL["fin_value_added"])
            .join(gdp, on=["地区", "时期"], suffix="_gdp")
            .select("地区", (100 * pl.col("x") / pl.col("x_gdp")).round(2).map_elements(lambda x: f"{x:.2f}", return_dtype=pl.String).alias("数值"))
            .with_columns(pl.lit(SHARE.label).alias("指标"), pl.lit("%").alias("单位"))
        )
        if not shares.is_empty():
            periods = values.filter(pl.col("指标") == LABEL["fin_value_added"])["时期"]
            shares = shares.with_columns(periods.alias("时期")).select(table.columns)
        result[name] = pl.concat([table, shares]) if not shares.is_empty() else table
    for (year, quarter), before in zip(QUARTERS[1:], QUARTERS, strict=False):
        if quarter == 1:
            continue
        text = f"{year}年第{'一二三四'[quarter - 1]}季度"
        for name in [n for n in result if n.startswith(f"sc_{year}q{quarter}_")]:
            earlier = result[name.replace(f"q{quarter}_", f"q{before[1]}_")]
            labels = [LABEL[code] for code in SINGLE]
            spans = [model.period_text((date(year, 1, 1), model.month_end(y, q * 3))) for y, q in (before, (year, quarter))]
            now, then = (
                t.filter(pl.col("指标").is_in(labels) & (pl.col("时期") == span)).with_columns(pl.col("数值").cast(pl.Decimal(20, 2)).alias("x"))
                for t, span in ((result[name], spans[1]), (earlier, spans[0]))
            )
            singles = now.join(then.select("地区", "指标", "x"), on=["地区", "指标"], suffix="_then", maintain_order="left").select(
                "地区", (pl.col("x") - pl.col("x_then")).cast(pl.String).alias("数值"), "指标", "单位", pl.lit(text).alias("时期")
            )
            result[name] = pl.concat([result[name], singles.select(table.columns)])
    return result


def _level(area: str, label: str, period: str) -> bool:
    return not is_total(area) and label != SHARE.label and period not in SINGLES


def _rewritten(
    rewrite: Callable[[Press, str, str, str, str], str | None], fit: Callable[[str, str, str], bool] = _level, only: str = ""
) -> Callable[[Press, list[str], int], list[Error]]:
    """Errors of one figure each: its text replaced by what `rewrite` says; figures for which it says nothing are passed over."""

    def spoil(press: Press, publications: list[str], how_many: int) -> list[Error]:
        errors = []
        for place in press.drawn([p for p in publications if only in p], 5 * how_many, fit):
            text = rewrite(press, *place)
            if text is None or text == press.text(*place):
                continue
            press.write(*place, text)
            errors.append(Error(frozenset({key_of(*place[1:])}), place[0]))
            if len(errors) == how_many:
                break
        return errors

    return spoil


def _scaled(press: Press, *place: str) -> str | None:
    text = press.text(*place)
    assert text is not None
    power = press.rng.choice((1, -1, 3, -3, 4, -4, 8))
    return format(Decimal(text).scaleb(power), "f")


def _without_point(press: Press, *place: str) -> str | None:
    text = press.text(*place)
    assert text is not None
    return text.replace(".", "") if "." in text else None


def _next(press: Press, publication: str, area: str, label: str, period: str) -> str | None:
    return _of_quarter(press, publication, area, label, period, 4 if BY_LABEL[label].annual else 1)


def _previous(press: Press, publication: str, area: str, label: str, period: str) -> str | None:
    return _of_quarter(press, publication, area, label, period, -4 if BY_LABEL[label].annual else -1)


def _of_quarter(press: Press, publication: str, area: str, label: str, period: str, quarters: int) -> str | None:
    other = beside(period, quarters)
    if other is None:
        return None
    end = SPANS[other][1]
    own = publication if publication.startswith(("sc_final", "sc_census")) else f"sc_{end.year}q{end.month // 3}_{publication.rsplit('_', 1)[1]}"
    return press.text(own, area, label, other)


def _revised(press: Press, *place: str) -> str | None:
    text = press.text(*place)
    assert text is not None
    return format((Decimal(text) * press.rng.choice((Decimal("1.1"), Decimal("0.9")))).quantize(Decimal(text)), "f")


def _wrong_share(press: Press, publication: str, area: str, label: str, period: str) -> str | None:
    part = press.text(publication, area, LABEL["fin_value_added"], period)
    whole = press.text(publication, f"{area[:6]}00市", LABEL["gdp"], period)
    return f"{100 * float(part) / float(whole):.2f}" if part and whole else None


def _cumulative(press: Press, publication: str, area: str, label: str, period: str) -> str | None:
    end = SPANS[period][1]
    return press.text(publication, area, label, model.period_text((date(end.year, 1, 1), end)))


def _dropped(press: Press, publication: str, area: str, label: str, period: str) -> str | None:
    districts = [a for a, la, pe in press.rows[publication] if la == label and pe == period and not is_total(a)]
    left_out = press.text(publication, press.rng.choice(districts), label, period)
    total = press.text(publication, area, label, period)
    assert left_out is not None and total is not None
    return format(Decimal(total) - Decimal(left_out), "f")


def _swapped(press: Press, publications: list[str], how_many: int) -> list[Error]:
    errors = []
    for publication, area, label, period in press.drawn(publications, how_many, _level):
        others = [a for a, la, pe in press.rows[publication] if la == label and pe == period and not is_total(a) and a != area]
        other = press.rng.choice(others)
        a, b = press.text(publication, area, label, period), press.text(publication, other, label, period)
        assert a is not None and b is not None
        press.write(publication, area, label, period, b)
        press.write(publication, other, label, period, a)
        apart = abs(float(a) / float(b) - 1)
        errors.append(Error(frozenset({key_of(area, label, period), key_of(other, label, period)}), publication, "close" if apart < 0.06 else ""))
    return errors


def _duplicated(press: Press, publications: list[str], how_many: int) -> list[Error]:
    columns = list({(p, label, period): None for p in publications for area, label, period in press.rows[p] if _level(area, label, period)})
    press.rng.shuffle(columns)
    errors, used = [], set()
    for publication, label, period in columns:
        sources = [(la, pe) for p, la, pe in columns if p == publication and la != label and (p, la, pe) not in used]
        if not sources or (publication, label, period) in used:
            continue
        la, pe = press.rng.choice(sources)
        used |= {(publication, label, period), (publication, la, pe)}
        keys = set()
        for area in [a for a, one, when in press.rows[publication] if one == label and when == period]:
            text = press.text(publication, area, la, pe)
            if text is not None:
                press.write(publication, area, label, period, text)
                keys |= {key_of(area, label, period), key_of(area, la, pe)}
        errors.append(Error(frozenset(keys), publication))
        if len(errors) == how_many:
            break
    return errors


KINDS = (
    Kind("unit scale", ("unit_scale", "lost_decimal_point"), 0.95, _rewritten(_scaled)),
    Kind("swapped areas", ("swapped_areas",), 0.90, _swapped),
    Kind("lost decimal point", ("lost_decimal_point",), None, _rewritten(_without_point)),
    Kind("period shifted by one", ("shifted_period",), None, _rewritten(_next)),
    Kind("duplicated column", ("duplicated_column",), 0.90, _duplicated),
    Kind("district dropped from a sum", ("areas_sum",), 0.95, _rewritten(_dropped, lambda a, la, pe: is_total(a) and la != SHARE.label and pe not in SINGLES and la not in (LABEL["deposits"], LABEL["loans"]))),
    Kind("share, wrong denominator", ("share",), 0.95, _rewritten(_wrong_share, lambda a, la, pe: not is_total(a) and la == SHARE.label)),
    Kind("year-to-date for a period", ("ytd_as_period",), 0.95, _rewritten(_cumulative, lambda a, la, pe: not is_total(a) and pe in SINGLES)),
    Kind("stale repeat", ("stale",), None, _rewritten(_previous)),
    Kind("10 % revision", ("revision",), None, _rewritten(_revised, only="sc_final")),
)  # fmt: skip


def heads() -> list[str]:
    """The code of each city: the clean one, then one a kind."""
    return [f"98{n:02d}00" for n in range(len(KINDS) + 1)]


@dataclass(frozen=True)
class World:
    """What was written and what was put in."""

    figures: dict[str, int]
    errors: dict[str, list[Error]]


def write_world(root: Path, errors: int, seed: int) -> World:
    """raw/, seeds/ and dbt/ of the eleven cities."""
    put_in: dict[str, list[Error]] = {}
    figures: dict[str, int] = {}

    def change(tables: Tables) -> Tables:
        whole = printed_with(tables)
        press = Press(whole, random.Random(seed))
        for head, kind in zip(heads()[1:], KINDS, strict=True):
            put_in[kind.name] = kind.spoil(press, [name for name in whole if name.endswith(head)], errors)
        figures.update({head: sum(len(rows) for name, rows in press.rows.items() if name.endswith(head)) for head in heads()})
        return press.done()

    root.mkdir(parents=True, exist_ok=True)
    scale.write_scaled(root, size=scale.Size(len(heads()), DISTRICTS), series=SERIES, extra=[SHARE], change=change)
    shutil.copytree(REPOSITORY / "dbt", root / "dbt")
    for seed_name in ("formulas", "formula_terms"):  # derived figures are not what is measured: the share alone is kept
        path = root / "seeds" / "registry" / f"{seed_name}.csv"
        rows = pl.read_csv(path, infer_schema=False, empty_string_is_null=False)
        rows.filter(pl.col("formula_id") == SHARE.indicator.code).write_csv(path)
    return World(figures, put_in)


@dataclass(frozen=True)
class Finding:
    """A row of the suspicions."""

    rule: str
    severity: str
    area: str
    indicator: str
    start: date | None
    end: date
    publication: str

    @property
    def head(self) -> str:
        return self.area[:4] + "00"

    @property
    def key(self) -> Key:
        return Key(self.area, self.indicator, self.start, self.end)


def read_findings(database: Path) -> list[Finding]:
    with duckdb.connect(str(database), read_only=True) as connection:
        rows = connection.sql(
            "select rule_id, severity, ref_area, indicator, period_start, period_end, publication_id from quality.suspicions where ref_area is not null"
        ).fetchall()
    return [Finding(*row) for row in rows]


# An error in one of these is seen in the others too: they are parts and wholes, numerators and denominators.
KIN = ({"va_primary", "va_secondary", "va_tertiary", "gdp"}, {"fin_value_added", "gdp", "fin_value_added_share_gdp"})


def neighbours(end: date) -> list[date]:
    """The ends of the quarters before and after, and of the same quarter up to two years away."""
    months = [end.year * 12 + end.month - 1 + shift for shift in (-24, -12, -3, 3, 12, 24)]
    return [model.month_end(month // 12, month % 12 + 1) for month in months]


@dataclass(frozen=True)
class Reach:
    """What the errors of one city touch: the figures themselves, what is made of them or stands beside them."""

    keys: frozenset[Key]
    near: frozenset[tuple[str, str, date]]
    columns: frozenset[tuple[str, str, date]]

    @classmethod
    def of(cls, errors: list[Error]) -> Reach:
        """Consequences: total, share and parts on its day, its own series a quarter and a year or two away, the column beside it."""
        keys = frozenset(key for error in errors for key in error.keys)
        near = set()
        for key in keys:
            kin = {key.indicator}.union(*(group for group in KIN if key.indicator in group))
            near |= {(area, code, key.end) for area in (key.area, key.area[:4] + "00") for code in kin}
            near |= {(key.area, key.indicator, end) for end in neighbours(key.end)}
        return cls(keys, frozenset(near), frozenset((e.publication, key.indicator, key.end) for e in errors for key in e.keys))

    def directly(self, finding: Finding) -> bool:
        return finding.key in self.keys

    def indirectly(self, finding: Finding) -> bool:
        return (finding.area, finding.indicator, finding.end) in self.near or (
            finding.publication,
            finding.indicator,
            finding.end,
        ) in self.columns


def table(header: Iterable[object], rows: Iterable[Iterable[object]]) -> str:
    lines: list[list[object]] = [list(header), *[list(row) for row in rows]]
    lines.insert(1, ["---", *["---:"] * (len(lines[0]) - 1)])
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines) + "\n"


def judge(world: World, findings: list[Finding]) -> tuple[list[list[object]], list[Finding]]:
    """A row a kind (found, found by the rule meant, precision …), and the findings that nothing put in accounts for."""
    rows: list[list[object]] = []
    false: list[Finding] = [f for f in findings if f.head == heads()[0]]
    for head, kind in zip(heads()[1:], KINDS, strict=True):
        own = [f for f in findings if f.head == head]
        errors = world.errors[kind.name]
        reach = Reach.of(errors)
        seen, seen_rightly = {f.key for f in own}, {f.key for f in own if f.rule in kind.rules}
        found = [not e.keys.isdisjoint(seen) for e in errors]
        named = [not e.keys.isdisjoint(seen_rightly) for e in errors]
        direct = [f for f in own if reach.directly(f)]
        followed = [f for f in own if not reach.directly(f) and reach.indirectly(f)]
        wrong = [f for f in own if not reach.directly(f) and not reach.indirectly(f)]
        false += wrong
        recall = sum(found) / len(errors)
        clear = [hit for hit, e in zip(found, errors, strict=True) if not e.note]
        rows.append(
            [
                kind.name,
                len(errors),
                f"{recall:.3f}" + (f" ({sum(clear) / len(clear):.3f} where told apart)" if len(clear) < len(errors) else ""),
                f"{sum(named) / len(errors):.3f}",
                f"{len(direct) / len(own):.3f}" if own else "–",
                f"{(len(direct) + len(followed)) / len(own):.3f}" if own else "–",
                "" if kind.wanted is None else f"{kind.wanted:.2f}",
            ]
        )
    return rows, false


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.detection")
    parser.add_argument("--errors", type=int, default=200, help="errors of each kind")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--keep", type=Path, help="leave the warehouse in this folder")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="detection_") as folder:
        root = options.keep or Path(folder)
        world = write_world(root, options.errors, options.seed)
        settings = Settings(root=root)
        refresh = Refresh(settings)
        try:
            refresh.read()
            refresh.check_seeds()
            refresh.prepare()
            started = time.perf_counter()
            refresh.build()
            spent = time.perf_counter() - started
        finally:
            refresh.close()
        findings = read_findings(settings.candidate)
        rows, false = judge(world, findings)
        total = sum(world.figures.values())
        print(f"## Detection: {total:,} figures, {len(KINDS)} kinds of {options.errors} errors, seed {options.seed}\n")
        print(table(["error", "put in", "found", "by the rule meant", "precision", "with consequences", "wanted"], rows))
        clean = [f for f in false if f.head == heads()[0]]
        print(
            f"False alarms: {len(clean)} on the clean city's {world.figures[heads()[0]]:,} figures = {1000 * len(clean) / world.figures[heads()[0]]:.2f} per 1,000; "
            f"{len(false)} on all {total:,} = {1000 * len(false) / total:.2f} per 1,000.\n"
        )
        if false:
            counted = pl.DataFrame({"rule": [f.rule for f in false]})["rule"].value_counts(sort=True)
            print(table(["rule", "false alarms"], counted.iter_rows()))
        with duckdb.connect(str(settings.candidate), read_only=True) as connection:
            print(
                table(
                    ["rule", "looked at", "passed", "explained", "flagged", "uninformative", "not comparable", "findings"],
                    connection.sql(
                        "select rule_id, looked_at, passed, explained, flagged, uninformative, not_comparable, findings from marts.rules order by level, rule_id"
                    ).fetchall(),
                )
            )
        seconds = {r.name: r.seconds for r in refresh.results}
        models = [path.stem for path in sorted((REPOSITORY / "dbt" / "models" / "quality").glob("*.sql"))]
        print(table(["model of the rules", "seconds"], [[name, f"{seconds.get(name, 0):.2f}"] for name in models]))
        ours = sum(seconds.get(name, 0) for name in models)
        print(f"All rules {ours:.1f} s; everything else that dbt builds {sum(seconds.values()) - ours:.1f} s; dbt by the clock {spent:.1f} s.")


if __name__ == "__main__":
    main()
