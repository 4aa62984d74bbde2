"""Rounding intervals, the three consistency tests and the outlier scores of schema ``methods``, against work by hand and another way.

Belongs here: the macros, rendered from the models as dbt does and called in an empty database. Does not belong here: what the rules make
of them (``quality``), or whether they answer in a release (the integration tests).
"""

from __future__ import annotations

import math
import random
import re
from collections.abc import Iterator

import duckdb
import jinja2
import numpy as np
import polars as pl
import pytest

from dagster_project.intake import numbers
from dagster_project.settings import REPOSITORY
from tests.unit.test_numbers import NUMBERS

METHODS = ("rounding_interval", "share_consistent", "sum_consistent", "growth_consistent", "hidiroglou_berthelot", "robust_z")


@pytest.fixture(scope="module")
def methods() -> Iterator[duckdb.DuckDBPyConnection]:
    """An empty database with the macros, made of the project's own text."""
    macros = (REPOSITORY / "dbt" / "macros" / "consistency.sql").read_text(encoding="utf-8")
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
            connection.execute(f"create macro methods.{name}({found['parameters']}) as {body}")
        yield connection


def one(connection: duckdb.DuckDBPyConnection, expression: str, *parameters: object) -> object:
    row = connection.execute(f"select {expression}", list(parameters)).fetchone()
    assert row is not None
    return row[0]


# --- shares, per cent -----------------------------------------------------------------------------------------------------------
# share, decimals, numerator, decimals, denominator, decimals, answer
SHARES = [
    # 100·2590.5/30145.795 = 8.5932; 100·2591.5/30145.785 = 8.5965: inside [8.55, 8.65]
    (8.6, 1, 2591, 0, 30145.79, 2, "consistent"),
    # the same against another year's total: 100·2590.5/28576.15 = 9.0653 > 8.65
    (8.6, 1, 2591, 0, 28576.1, 1, "inconsistent"),
    # 100·24.995/99.985… = 24.9975/…: 24.995/100.005 = 24.9938 %, 25.005/99.995 = 25.0063 %: meets [24.5, 25.5]
    (25, 0, 25.00, 2, 100.00, 2, "consistent"),
    # 1/8 exactly 12.5: touches the end of [12.5, 13.5], and closed intervals that touch agree
    (13, 0, 1, None, 8, None, "consistent"),
    # 1/8 = 12.5 against 13.0 = [12.95, 13.05]
    (13.0, 1, 1, None, 8, None, "inconsistent"),
    # 3 of 7 to whole numbers: 2.5/7.5 = 33.3 % to 3.5/6.5 = 53.8 %: 20.5 wide, a tenth of 43 is 4.3
    (43, 0, 3, 0, 7, 0, "uninformative"),
    # as wide, but 80 lies outside it: apart is apart
    (80, 0, 3, 0, 7, 0, "inconsistent"),
    # a denominator that may be nought bounds nothing
    (50, 0, 1, 0, 0, 0, "uninformative"),
    # not printed
    (8.6, 1, None, 0, 30145.79, 2, "uninformative"),
    # 3/1000 as 0.3 %: 2.995/1000.5 = 0.29935, 3.005/999.5 = 0.30065; narrower than the printed digits [0.25, 0.35]
    (0.3, 1, 3.00, 2, 1000, 0, "consistent"),
]  # fmt: skip


@pytest.mark.parametrize("case", SHARES, ids=str)
def test_shares_by_hand(methods: duckdb.DuckDBPyConnection, case: tuple[object, ...]) -> None:
    assert one(methods, "methods.share_consistent(?, ?, ?, ?, ?, ?)", *case[:6]) == case[6]


# --- sums -----------------------------------------------------------------------------------------------------------------------
# total, decimals, parts, decimals, answer
SUMS = [
    # 1878.1 + 11690.2 + 16577.5 = 30145.8; bound 0.005 + 3·0.05 = 0.155; apart by 0.01
    (30145.79, 2, [1878.1, 11690.2, 16577.5], [1, 1, 1], "consistent"),
    # apart by 0.2 > 0.155
    (30146.0, 2, [1878.1, 11690.2, 16577.5], [1, 1, 1], "inconsistent"),
    # 0.1 + 0.2 is 0.3 in decimals, whatever doubles say
    (0.3, None, [0.1, 0.2], [None, None], "consistent"),
    # 33 + 33 + 33 = 99; bound 0.5 + 1.5 = 2; apart by 1
    (100, 0, [33, 33, 33], [0, 0, 0], "consistent"),
    # 32 + 33 + 33 = 98: apart by 2, exactly the bound: [99.5, 100.5] touches [96.5, 99.5]
    (100, 0, [32, 33, 33], [0, 0, 0], "consistent"),
    # 32 + 32 + 33 = 97: [95.5, 98.5] ends short of 99.5
    (100, 0, [32, 32, 33], [0, 0, 0], "inconsistent"),
    # 1 + 2 + 3 + 4 = 10, but the parts leave [8, 12]: 4 wide, a tenth of 10 is 1
    (10, 0, [1, 2, 3, 4], [0, 0, 0, 0], "uninformative"),
    # a part is not printed
    (10, 0, [4, None, 6], [0, 0, 0], "uninformative"),
    # 38 areas of 100.0 each: 3800 ± 1.9; printed 3803 = [3802.5, 3803.5]
    (3803, 0, [100.0] * 38, [1] * 38, "inconsistent"),
    # the same, printed 3802 = [3801.5, 3802.5] meets [3798.1, 3801.9]
    (3802, 0, [100.0] * 38, [1] * 38, "consistent"),
]  # fmt: skip


@pytest.mark.parametrize("case", SUMS, ids=str)
def test_sums_by_hand(methods: duckdb.DuckDBPyConnection, case: tuple[object, ...]) -> None:
    assert one(methods, "methods.sum_consistent(?, ?, ?::double[], ?::integer[])", *case[:4]) == case[4]


def test_lists_of_two_lengths_are_a_mistake_not_an_answer(methods: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(duckdb.InvalidInputException, match="one length"):
        one(methods, "methods.sum_consistent(3, 0, [1, 2], [0])")
    assert one(methods, "methods.sum_consistent(3, 0, [1, 2], null)") == "consistent"
    assert one(methods, "methods.sum_consistent(3, 0, []::integer[], []::integer[])") == "uninformative"


# --- growth, per cent -----------------------------------------------------------------------------------------------------------
# growth, decimals, current, decimals, previous, decimals, answer
GROWTHS = [
    # 110.00/100.00: 109.995/100.005 = 1.09990, 110.005/99.995 = 1.10011: 9.99 to 10.01 meets [9.95, 10.05]
    (10.0, 1, 110.00, 2, 100.00, 2, "consistent"),
    # 32193.15/30145.79 = 1.06791: 6.8, not 5.7
    (5.7, 1, 32193.15, 2, 30145.79, 2, "inconsistent"),
    # against the first release 30457.0: 32193.15/30457.0 = 1.05700
    (5.7, 1, 32193.15, 2, 30457.0, 1, "consistent"),
    # 98.0/100.0: 97.95/100.05 = 0.97901, 98.05/99.95 = 0.98099: −2.10 to −1.90 meets [−2.05, −1.95]; 0.198 wide, a tenth of 2 is 0.2
    (-2.0, 1, 98.0, 1, 100.0, 1, "consistent"),
    # the sign lost: +2.0 is not −2.1 to −1.9
    (2.0, 1, 98.0, 1, 100.0, 1, "inconsistent"),
    # nothing moved: 1000.00/1000.00 is ±0.001, inside the printed ±0.05
    (0.0, 1, 1000.00, 2, 1000.00, 2, "consistent"),
    # 21/20 to whole numbers: 20.5/20.5 = 1 to 21.5/19.5 = 1.1026: 0 to 10.3 %
    (5.0, 1, 21, 0, 20, 0, "uninformative"),
    # as wide, but 50 % lies outside
    (50.0, 1, 21, 0, 20, 0, "inconsistent"),
    # doubled: 199.5/100.5 = 1.98507, 200.5/99.5 = 2.01508: 98.5 to 101.5 %, 3.0 wide, a tenth of 100 is 10
    (100, 0, 200, 0, 100, 0, "consistent"),
    # from nought nothing grows by a percentage
    (10.0, 1, 5, 0, 0, 0, "uninformative"),
]  # fmt: skip


@pytest.mark.parametrize("case", GROWTHS, ids=str)
def test_growths_by_hand(methods: duckdb.DuckDBPyConnection, case: tuple[object, ...]) -> None:
    assert one(methods, "methods.growth_consistent(?, ?, ?, ?, ?, ?)", *case[:6]) == case[6]


def test_they_answer_over_columns(methods: duckdb.DuckDBPyConnection) -> None:
    methods.execute("create or replace table printed as select 8.6 as s, 2591 as n, 30145.79 as d, [1, 2] as parts, 3 as total")
    found = methods.execute(
        "select methods.share_consistent(s, 1, n, 0, d, 2), methods.sum_consistent(total, null, parts, null), methods.growth_consistent(s, 1, d, 2, n, 0)"
        " from printed"
    ).fetchall()
    assert found == [("consistent", "consistent", "inconsistent")]


# --- printed texts --------------------------------------------------------------------------------------------------------------

INTERVALS = {
    "5.36万亿元": (5.355, 5.365),
    "17,558.76": (17558.755, 17558.765),
    "１９ ２７８．１": (19278.05, 19278.15),
    "8.6%": (8.55, 8.65),
    "超6200": (6200, None),
    "突破1400": (1400, None),
    "500以上": (500, None),
    "460余家": (460, None),
    "近200": (None, 200),
    "约7600": (7500, 7700),
    "6%左右": (5, 7),
    "3.5万": (34500, 35500),
    "3亿": (2.5e8, 3.5e8),
    "4.53*万人": (4.525, 4.535),
    "下降3.2%": (-3.25, -3.15),
    "下降超3%": (None, -3),
    "(3.2)%": (-3.25, -3.15),
    "0": (-0.5, 0.5),
}


@pytest.mark.parametrize("text", INTERVALS)
def test_intervals_by_hand(methods: duckdb.DuckDBPyConnection, text: str) -> None:
    assert one(methods, "methods.rounding_interval(?)", text) == dict(zip(("lower", "upper"), INTERVALS[text], strict=True))


NOT_NUMBERS = ["", "-", "…", "很多", "10-12", "6.9:40.1:53.0", "1.2.3", "超-3", "1*2", "3倍增长", "增长2倍", "2023年比2020年", "12,34,5", None]


def test_the_reader_and_the_macro_have_one_grammar(methods: duckdb.DuckDBPyConnection) -> None:
    """Every case of the reader's own test, and texts that are none. Chinese numerals are the reader's alone: the macro says null."""
    texts = [*dict.fromkeys([*(case[0] for case in NUMBERS), *INTERVALS, *NOT_NUMBERS])]
    frame = numbers.with_bounds(numbers.parse_numbers(pl.Series(texts, dtype=pl.String)))
    methods.register("texts", frame.select("value_text"))
    found = dict(methods.execute("select value_text, methods.rounding_interval(value_text) from texts").fetchall())
    methods.unregister("texts")
    assert len(found) == len(texts)
    wrong, alone = {}, []
    for row in frame.iter_rows(named=True):
        text, answer = row["value_text"], found[row["value_text"]]
        wanted = {"lower": row["lower"], "upper": row["upper"]} if row["number_status"] == "number" else None
        if wanted is not None and answer is None:
            alone.append(text)
        elif answer != wanted:
            wrong[text] = (answer, wanted)
    assert not wrong
    assert "三百二十" in alone
    assert all(re.search("[〇一二三四五六七八九十百千]|[0-9][万亿][0-9]", text) for text in alone), alone


def test_the_pattern_is_the_readers() -> None:
    sql = (REPOSITORY / "dbt" / "models" / "methods" / "rounding_interval.sql").read_text(encoding="utf-8")
    for pattern in (numbers._NUMBER, numbers._BRACKETED, numbers._NOT_A_UNIT, numbers._GROUPED, numbers._POINT, numbers._COMMA, numbers._CONTINENTAL):
        assert f"'{pattern}'" in sql


# --- outliers -------------------------------------------------------------------------------------------------------------------


def effects(previous: list[float], current: list[float], u: float) -> np.ndarray:
    """E of each pair, by the definition, one at a time."""
    ratios = [now / then for then, now in zip(previous, current, strict=True)]
    middle = float(np.quantile(ratios, 0.5, method="linear"))
    found = []
    for then, now, ratio in zip(previous, current, ratios, strict=True):
        s = 1 - middle / ratio if ratio < middle else ratio / middle - 1
        found.append(s * max(then, now) ** u)
    return np.array(found)


@pytest.mark.parametrize(("n", "u", "a", "c"), [(38, 0.5, 0.05, 4), (16, 0.3, 0.05, 7), (101, 0.4, 0.2, 2), (3, 0.5, 0.05, 4)])
def test_hidiroglou_berthelot_another_way(methods: duckdb.DuckDBPyConnection, n: int, u: float, a: float, c: float) -> None:
    chance = random.Random(n)
    previous = [math.exp(chance.gauss(5, 1.5)) for _ in range(n)]
    current = [value * math.exp(chance.gauss(0.06, 0.04)) for value in previous]
    current[0], current[1] = current[0] * 10, current[1] / 10
    methods.execute("create or replace table pairs (id integer, previous double, current double)")
    methods.executemany("insert into pairs values (?, ?, ?)", [(k, previous[k], current[k]) for k in range(n)])
    methods.execute("insert into pairs values (-1, 0, 5), (-2, 5, null), (-3, -2, 4), (-4, 4, -2)")
    rows = methods.execute(f"select * from methods.hidiroglou_berthelot('pairs', u := {u}, a := {a}, c := {c}) order by id").fetchall()
    assert [row[0] for row in rows[:4]] == [-4, -3, -2, -1]
    assert all(row[1] is None and row[2] is None and row[5] is None for row in rows[:4]), "a pair that is no ratio has no score and no flag"
    wanted = effects(previous, current, u)
    q1, q2, q3 = np.quantile(wanted, [0.25, 0.5, 0.75], method="linear")  # numpy's linear is type 7
    low = q2 - c * max(q2 - q1, abs(a * q2))
    high = q2 + c * max(q3 - q2, abs(a * q2))
    for k, row in enumerate(rows[4:]):
        assert row[:3] == (k, pytest.approx(current[k] / previous[k], rel=1e-12), pytest.approx(wanted[k], rel=1e-9, abs=1e-9))
        assert row[3:5] == (pytest.approx(low, rel=1e-9), pytest.approx(high, rel=1e-9))
        assert row[5] == ("low" if wanted[k] < low else "high" if wanted[k] > high else None)
    if n >= 15:
        assert (rows[4][5], rows[5][5]) == ("high", "low")


def test_hidiroglou_berthelot_has_its_defaults_and_takes_any_number(methods: duckdb.DuckDBPyConnection) -> None:
    methods.execute(
        "create or replace table whole as select range::varchar as id, 100 + range as previous, (104 + range)::decimal(9, 2) as current from range(20)"
    )
    found = methods.execute("select * from methods.hidiroglou_berthelot('whole')")
    assert [column[0] for column in found.description or ()] == ["id", "ratio", "score", "lower", "upper", "flag"]
    assert found.fetchall() == methods.execute("select * from methods.hidiroglou_berthelot('whole', 0.5, 0.05, 4)").fetchall()


def z_scores(values: list[float]) -> list[float | None]:
    middle = float(np.median(values))
    mad = float(np.median([abs(value - middle) for value in values]))
    mean = float(np.mean([abs(value - middle) for value in values]))
    if mad > 0:
        return [0.6745 * (value - middle) / mad for value in values]
    return [(value - middle) / (1.2533 * mean) if mean > 0 else None for value in values]


@pytest.mark.parametrize(
    ("values", "flagged"),
    [
        ([0.05, 0.06, 0.055, 0.07, 0.04, 0.065, 2.3], {6: "high"}),
        ([0.05, 0.06, 0.055, 0.07, 0.04, 0.065, -2.3], {6: "low"}),
        ([1, 1, 1, 1, 1, 1, 1, 1, 1, 9], {9: "high"}),  # no median deviation: the mean one, 0.8, gives 8 / 1.0026
        ([3, 3, 3], {}),
        ([1, 2, 3, 4, 5], {}),
    ],
)
def test_robust_z_another_way(methods: duckdb.DuckDBPyConnection, values: list[float], flagged: dict[int, str]) -> None:
    methods.execute("create or replace table figures (id integer, value double)")
    methods.executemany("insert into figures values (?, ?)", list(enumerate(values)))
    methods.execute("insert into figures values (99, null)")
    rows = methods.execute("select * from methods.robust_z('figures') order by id").fetchall()
    assert rows[-1] == (99, None, None)
    for (k, score, flag), wanted in zip(rows, z_scores(values), strict=False):
        assert score == (pytest.approx(wanted, rel=1e-9, abs=1e-12) if wanted is not None else None)
        assert flag == flagged.get(k)
    assert not [row for row in methods.execute("select flag from methods.robust_z('figures', threshold := 1000)").fetchall() if row[0]]
