"""The formulas of schema ``methods``: cases worked by hand, and values computed another way, equal to 1e-9.

Belongs here: the scalar macros and the revision measures, rendered from the models as dbt does and called in an empty database. Does
not belong here: what the marts make of them (the release of the city, the dbt unit tests).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from fractions import Fraction
from statistics import mean, stdev

import duckdb
import jinja2
import pytest

from dagster_project.settings import REPOSITORY

METHODS = ("progress_ratio", "progress_status", "progress_obstacle", "required_rate", "path_value", "t_two_sided", "revision_statistics_of_table")

# base value and year, current value and year, target value and year, direction → R worked by hand, and the class.
# The rates are written as they come out on paper: √(60.4/53.6) − 1 over √(62/53.6) − 1, and so on.
CASES = [
    ("deposits of 2025: short of the pace", (53600, 2023, 60400, 2025, 62000, 2025, 1), (math.sqrt(60400 / 53600) - 1) / (math.sqrt(62000 / 53600) - 1), "acceleration_needed"),
    ("loans of 2025", (56700, 2023, 63900, 2025, 66000, 2025, 1), (math.sqrt(63900 / 56700) - 1) / (math.sqrt(66000 / 56700) - 1), "acceleration_needed"),
    ("deposits against 2027", (53600, 2023, 60400, 2025, 80000, 2027, 1), (math.sqrt(60400 / 53600) - 1) / ((80000 / 53600) ** 0.25 - 1), "limited"),
    ("exactly on pace: 10 % a year", (100, 2020, 121, 2022, 161.051, 2025, 1), 1.0, "on_track"),
    ("reached", (100, 2020, 150, 2022, 144, 2022, 1), (math.sqrt(1.5) - 1) / 0.2, "achieved"),
    ("reached to the very value", (100, 2020, 144, 2022, 144, 2022, 1), 1.0, "achieved"),
    ("just over .95", (100, 2020, 109.51, 2021, 121, 2022, 1), 0.951, "on_track"),
    ("just over .60", (100, 2020, 106.01, 2021, 121, 2022, 1), 0.601, "acceleration_needed"),
    ("nothing moved", (100, 2020, 100, 2022, 121, 2022, 1), 0.0, "limited"),
    ("the wrong way", (100, 2020, 81, 2022, 121, 2022, 1), -1.0, "deterioration"),
    ("less is better, on the way", (100, 2020, 90, 2021, 64, 2022, -1), 0.5, "limited"),
    ("less is better, reached", (100, 2020, 60, 2022, 64, 2022, -1), (1 - math.sqrt(0.6)) / 0.2, "achieved"),
    ("less is better, worse", (100, 2020, 110, 2021, 64, 2022, -1), -0.5, "deterioration"),
    ("a target of nought is taken as 0.001", (1, 2020, 0.1, 2021, 0, 2023, -1), 0.9 / 0.9, "on_track"),
    ("no target, 2 % a year", (100, 2020, 102, 2021, None, None, 1), 0.02, "on_track"),
    ("no target, 1 % a year", (100, 2020, 101, 2021, None, None, 1), 0.01, "acceleration_needed"),
    ("no target, less is better and it rose", (100, 2020, 101, 2021, None, None, -1), -0.01, "deterioration"),
    ("one point", (100, 2020, 100, 2020, 121, 2022, 1), None, "not_available"),
    ("a base of nought", (0, 2020, 10, 2021, 20, 2022, 1), None, "not_available"),
    ("met at the base", (130, 2020, 140, 2021, 121, 2022, 1), None, "not_available"),
    ("target equal to the base", (121, 2020, 125, 2021, 121, 2022, 1), None, "not_available"),
    ("base after the current", (100, 2022, 105, 2021, 121, 2025, 1), None, "not_available"),
    ("negative base", (-5, 2020, 10, 2021, 20, 2022, 1), None, "not_available"),
    ("no base", (None, 2020, 10, 2021, 20, 2022, 1), None, "not_available"),
]  # fmt: skip


@pytest.fixture(scope="module")
def methods() -> Iterator[duckdb.DuckDBPyConnection]:
    """An empty database with the macros, made of the project's own text."""
    macros = "".join((REPOSITORY / "dbt" / "macros" / f"{name}.sql").read_text(encoding="utf-8") for name in ("progress", "revisions"))
    with duckdb.connect() as connection:
        connection.execute("create schema methods")
        for name in METHODS:
            found: dict[str, str] = {}

            def config(_found: dict[str, str] = found, **given: str) -> str:
                _found.update(given)
                return ""

            text = (REPOSITORY / "dbt" / "models" / "methods" / f"{name}.sql").read_text(encoding="utf-8")
            sql = jinja2.Environment(autoescape=False).from_string(macros + text).render(config=config)
            body = f"({sql})" if found.get("kind") == "scalar" else f"table {sql}"
            connection.execute(f"create macro methods.{found.get('alias', name)}({found['parameters']}) as {body}")
        yield connection


def one(connection: duckdb.DuckDBPyConnection, expression: str, *parameters: object) -> object:
    row = connection.execute(f"select {expression}", list(parameters)).fetchone()
    assert row is not None
    return row[0]


@pytest.mark.parametrize(("case", "arguments", "ratio", "status"), CASES, ids=[case[0] for case in CASES])
def test_cases_worked_by_hand(methods: duckdb.DuckDBPyConnection, case: str, arguments: tuple[object, ...], ratio: float | None, status: str) -> None:
    marks = ", ".join("?" for _ in arguments)
    found = one(methods, f"methods.progress_ratio({marks})", *arguments)
    assert found == pytest.approx(ratio, rel=1e-9, abs=1e-9) if ratio is not None else found is None, case
    assert one(methods, f"methods.progress_status({marks})", *arguments) == status
    assert (one(methods, f"methods.progress_obstacle({marks})", *arguments) is None) == (ratio is not None)


def test_near_a_natural_limit_slow_is_good_enough(methods: duckdb.DuckDBPyConnection) -> None:
    damped = 1 - 0.95**4.44  # 0.2037: thresholds of 0.31 % and 0.10 %
    assert 0.015 * damped < 95.4 / 95 - 1 < 0.015
    assert one(methods, "methods.progress_status(95, 2020, 95.4, 2021, null, null, 1)") == "limited"
    assert one(methods, "methods.progress_status(95, 2020, 95.4, 2021, null, null, 1, 100)") == "on_track"
    assert one(methods, "methods.progress_status(95, 2020, 95.2, 2021, null, null, 1, natural_limit := 100)") == "acceleration_needed"
    assert one(methods, "methods.progress_status(100, 2020, 100, 2021, null, null, 1, 100)") == "on_track", "at the limit nothing more can be asked"


def test_a_year_may_have_fractions(methods: duckdb.DuckDBPyConnection) -> None:
    found = one(methods, "methods.progress_ratio(100, 2020, 105, 2020.5, 121, 2022, 1)")
    assert found == pytest.approx((1.05**2 - 1) / 0.1, rel=1e-12)


def test_required_rate_and_path(methods: duckdb.DuckDBPyConnection) -> None:
    assert one(methods, "methods.required_rate(5.36, 2023, 8, 2027)") == pytest.approx((8 / 5.36) ** 0.25 - 1, rel=1e-12)
    assert one(methods, "methods.required_rate(22.9, 2020, 25, 2025, kind := 'linear')") == pytest.approx(0.42, rel=1e-12)
    assert one(methods, "methods.required_rate(5, 2027, 8, 2027)") is None
    assert one(methods, "methods.path_value(100, 2020, 121, 2022, 2021)") == pytest.approx(110, rel=1e-12)
    assert one(methods, "methods.path_value(22.9, 2020, 25, 2025, 2021, kind := 'linear')") == pytest.approx(23.32, rel=1e-12)
    assert one(methods, "methods.path_value(100, 2020, 121, 2022, 2022)") == 121
    assert one(methods, "methods.path_value(100, 2020, 121, 2022, 2023)") is None


def reference_p(t: float, df: int) -> float:
    """Two-sided p by Simpson's rule over the density: another way than the finite sums of the macro."""
    log_c = math.lgamma((df + 1) / 2) - math.lgamma(df / 2) - 0.5 * math.log(df * math.pi)

    def density(x: float) -> float:
        return math.exp(log_c - (df + 1) / 2 * math.log1p(x * x / df))

    steps = 20000
    h = abs(t) / steps
    total = density(0) + density(abs(t)) + sum((4 if k % 2 else 2) * density(k * h) for k in range(1, steps))
    return 1 - 2 * total * h / 3


@pytest.mark.parametrize("df", (1, 2, 3, 7, 8, 9, 14, 15, 30, 121))
def test_the_p_value_is_exact(methods: duckdb.DuckDBPyConnection, df: int) -> None:
    for t in (0.0, 0.3, -0.73, 1.5, 2.364624, -4.2, 8.2):
        assert one(methods, "methods.t_two_sided(?, ?)", t, df) == pytest.approx(reference_p(t, df), abs=1e-9)


def test_the_p_value_of_one_and_two_degrees_in_fractions(methods: duckdb.DuckDBPyConnection) -> None:
    assert one(methods, "methods.t_two_sided(1, 1)") == pytest.approx(0.5, abs=1e-12)
    assert one(methods, "methods.t_two_sided(?, 2)", math.sqrt(2)) == pytest.approx(1 - math.sqrt(0.5), abs=1e-12)


def measures(then: list[float], final: list[float]) -> dict[str, float]:
    """The definitions, one by one, with exact fractions where sums cancel."""
    r = [float(Fraction(str(f)) - Fraction(str(y))) for y, f in zip(then, final, strict=True)]
    n = len(r)
    top = sum(((then[k] - final[k]) / final[k - 1]) ** 2 for k in range(1, n))
    bottom = sum(((final[k] - final[k - 1]) / final[k - 1]) ** 2 for k in range(1, n))
    return {
        "n": n, "mean_revision": mean(r), "mean_absolute_revision": mean(map(abs, r)), "minimum": min(r), "maximum": max(r),
        "standard_deviation": stdev(r), "noise_to_signal": stdev(r) / stdev(final),
        "theil_u1": math.sqrt(mean(x * x for x in r)) / (math.sqrt(mean(x * x for x in final)) + math.sqrt(mean(x * x for x in then))),
        "theil_u2": math.sqrt(top) / math.sqrt(bottom),
        "p_value": reference_p(mean(r) / (stdev(r) / math.sqrt(n)), n - 1),
    }  # fmt: skip


def test_revision_statistics_of_a_table(methods: duckdb.DuckDBPyConnection) -> None:
    first = [100.0, 104.5, 107.2, 111.9, 115.0, 121.3, 126.8, 130.1, 137.7]
    second = [100.4, 104.1, 108.0, 112.6, 115.0, 121.9, 127.5, 131.0, 138.2]
    final = [102.0, 106.2, 109.9, 114.8, 117.1, 124.4, 129.9, 133.8, 141.3]
    methods.execute("create or replace table triangle (time_period integer, release integer, value double)")
    for year in range(9):
        for release, values in enumerate((first, second, final)):
            methods.execute("insert into triangle values (?, ?, ?)", [2010 + year, release, values[year]])
    found = methods.execute("select * from methods.revision_statistics('triangle') order by release")
    names = [column[0] for column in found.description or ()]
    assert names == ["release", "n", "mean_revision", "p_value", "mean_absolute_revision", "minimum", "maximum", "standard_deviation",
                     "noise_to_signal", "theil_u1", "theil_u2"]  # fmt: skip
    rows = found.fetchall()
    assert [row[0] for row in rows] == [0, 1]
    for row, then in zip(rows, (first, second), strict=True):
        for name, wanted in measures(then, final).items():
            assert dict(zip(names, row, strict=True))[name] == pytest.approx(wanted, abs=1e-9), name


def test_a_short_triangle_has_no_p_value_and_an_unrevised_period_does_not_count(methods: duckdb.DuckDBPyConnection) -> None:
    methods.execute(
        "create or replace table short as select y as time_period, r as release, 100 + y + r * (y % 3) as value from range(7) a(y), range(2) b(r)"
    )
    methods.execute("insert into short values (7, 0, 120)")
    assert methods.execute("select release, n, p_value from methods.revision_statistics('short')").fetchall() == [(0, 7, None)]


def test_confirmed_throughout_has_no_p_value(methods: duckdb.DuckDBPyConnection) -> None:
    methods.execute("create or replace table same as select y as time_period, r as release, 100 + y as value from range(9) a(y), range(2) b(r)")
    rows = methods.execute("select mean_revision, p_value, theil_u1 from methods.revision_statistics('same')").fetchall()
    assert rows == [(0.0, None, 0.0)]


def test_each_formula_is_written_once() -> None:
    for path in (REPOSITORY / "dbt" / "models").rglob("*.sql"):
        assert not re.search(r"0\.95\b.*on_track|4\.44", path.read_text(encoding="utf-8")), f"{path.name}: use the macro"
