"""The fictitious city is what it claims to be: sums, orders, revisions, and the same bytes every time."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import duckdb
import pytest

from tests.bench import bare_duckdb
from tests.fixtures.city import files, model, scale
from tests.fixtures.city.model import CITY, DISTRICTS, Print
from tests.fixtures.city.truth import Key, Truth, calendar_year

SHARE = "fin_value_added_share_gdp"


@pytest.fixture(scope="module")
def city_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("city")
    files.write_city(root)
    return root


@pytest.fixture(scope="module")
def truth(city_root: Path) -> Truth:
    return Truth(model.build_city(), city_root / "seeds")


def _digest(root: Path) -> dict[str, str]:
    return {path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(root.rglob("*")) if path.is_file()}


def test_the_same_seed_gives_the_same_bytes(city_root: Path, tmp_path: Path) -> None:
    model.build_city.cache_clear()
    files.write_city(tmp_path)
    assert _digest(tmp_path) == _digest(city_root)


def test_another_seed_gives_another_city() -> None:
    assert model.build_city(1).true_values != model.build_city().true_values


def test_districts_sum_to_the_city_before_rounding() -> None:
    city = model.build_city()
    checked = 0
    for (code, scope, area, span, vintage), value in city.true_values.items():
        if area == CITY and city.indicators[code].kind in ("flow", "stock"):
            districts = [city.true_values[(code, scope, d, span, vintage)] for d in DISTRICTS]
            assert sum(districts, Decimal(0)) == value, (code, scope, span, vintage)
            checked += 1
    assert checked > 2000


def test_the_three_industries_are_gdp() -> None:
    values = model.build_city().true_values
    for (code, scope, area, span, vintage), value in values.items():
        if code == "gdp":
            parts = [values[(part, scope, area, span, vintage)] for part in model.SUM_OF["gdp"]]
            assert sum(parts, Decimal(0)) == value


def test_all_currencies_are_yuan_and_dollars() -> None:
    values = model.build_city().true_values
    for (code, scope, area, span, vintage), value in values.items():
        if code in model.MONEY and scope == "all" and vintage == "first":
            cny, fx = (values[(code, s, area, span, vintage)] for s in ("cny", "fx"))
            assert cny + fx * model.fx_rate(span[1].year, span[1].month) == value


def test_figures_since_january_never_fall() -> None:
    city = model.build_city()
    series: dict[tuple[str, str, int, str], list[tuple[date, Decimal]]] = defaultdict(list)
    for (code, _, area, span, vintage), value in city.true_values.items():
        if city.indicators[code].kind == "flow" and city.indicators[code].cumulative:
            series[(code, area, span[1].year, vintage)].append((span[1], value))
    for where, points in series.items():
        ordered = [value for _, value in sorted(points)]
        assert ordered == sorted(ordered), where


def test_the_census_lifts_two_to_six_percent_and_the_final_moves_less_than_one() -> None:
    values = model.build_city().true_values
    for (code, scope, area, span, vintage), value in values.items():
        if vintage == "census":
            uplift = value / values[(code, scope, area, span, "final")] - 1
            assert Decimal("0.02") <= uplift <= Decimal("0.06"), (code, area, span, uplift)
            ordinary = values[(code, scope, area, span, "final")] / values[(code, scope, area, span, "first")] - 1
            assert Decimal("0.001") <= abs(ordinary) <= Decimal("0.01"), (code, area, span, ordinary)


def test_vintages_differ_by_more_than_their_rounding() -> None:
    """What counts as a bureau's print belongs to exactly one vintage, or truth would be a matter of taste."""
    by_key: dict[tuple[object, ...], list[Print]] = defaultdict(list)
    for p in model.build_city().prints:
        if p.role != "claim":
            by_key[(p.ref_area, p.indicator, p.currency_scope, p.transformation, p.period_start, p.period_end)].append(p)
    for where, prints in by_key.items():
        for a in prints:
            for b in prints:
                assert a.lower is not None and a.upper is not None and b.lower is not None and b.upper is not None
                assert (a.lower <= b.upper and b.lower <= a.upper) == (a.vintage == b.vintage), where


def test_nothing_is_known_before_its_period_ended() -> None:
    for p in model.build_city().prints:
        if p.obs_kind != "estimate":
            assert p.known_by is None or p.known_by > p.period_end, p


def test_every_print_holds_its_true_value() -> None:
    city = model.build_city()
    for p in city.prints:
        if p.transformation == "N" and not p.wrong:
            scope = "all" if p.currency_scope == "_U" else p.currency_scope
            true = city.true_values[(p.code, scope, p.ref_area, (p.period_start, p.period_end), p.vintage)]
            slack = Decimal(10) ** (p.unit_mult - p.decimals)  # 超 and 近 are rounded first
            assert p.lower is None or p.lower - slack <= true, p
            assert p.upper is None or true <= p.upper + slack, p


def test_no_row_of_the_city_names_a_real_area(city_root: Path) -> None:
    areas = {r["ref_area"] for r in files.seed_rows(city_root / "seeds", "codelists/areas")}
    assert areas == set(model.AREA_NAMES)
    for path in (city_root / "seeds").rglob("*.csv"):
        for row in files.read_rows(path):
            for column in ("ref_area", "from_area", "to_area", "total_area"):
                assert row.get(column, "") in areas | {"", "*"}, path


def test_every_unit_and_indicator_is_in_the_code_lists(city_root: Path) -> None:
    seeds = city_root / "seeds"
    units = {r["unit_text"]: (r["unit_measure"], r["unit_mult"]) for r in files.seed_rows(seeds, "codelists/units")}
    indicators = {r["indicator"]: r for r in files.seed_rows(seeds, "codelists/indicators")}
    for p in model.build_city().prints:
        assert units[files.normalise(p.unit_text).lower()] == (p.unit_measure, str(p.unit_mult))
        row = indicators[p.indicator]
        assert (row["census_revised"] == "true") == model.build_city().indicators[p.indicator].revised
        if p.transformation == "N":
            assert (row["scoped"] == "true") == (p.currency_scope != "_Z"), p.indicator


def test_truth_covers_every_formula(truth: Truth) -> None:
    made = {formula_id for formula_id, _, _ in truth.derived(date(2026, 12, 31))}
    assert made == {f["formula_id"] for f in truth.formulas}


def test_truth_follows_gdp_2018_through_its_vintages(truth: Truth) -> None:
    where = (Key(CITY, "gdp"), calendar_year(2018))
    seen = {
        day: truth.known(day)[where].vintage
        for day in (
            date(2019, 1, 16),
            date(2019, 6, 1),
            date(2019, 12, 28),
            date(2020, 3, 30),
            date(2020, 3, 31),
        )
    }
    assert list(seen.values()) == ["first", "first", "final", "final", "census"]
    assert where not in truth.known(date(2019, 1, 15))
    coarse, exact = truth.known(date(2019, 1, 16))[where], truth.known(date(2019, 1, 19))[where]
    assert _width(coarse.lower, coarse.upper) == 10**8 and _width(exact.lower, exact.upper) == 10**6
    assert exact.since == date(2019, 1, 19)  # quoted exactly a day before the bureau's own page


def _width(lower: Fraction | None, upper: Fraction | None) -> Fraction:
    assert lower is not None and upper is not None
    return upper - lower


def test_a_first_release_seen_late_never_returns(truth: Truth) -> None:
    where = (Key("990103", "gdp"), calendar_year(2017))
    assert where not in truth.known(date(2018, 12, 27))
    assert truth.known(date(2018, 12, 28))[where].vintage == "final"
    assert truth.known(date(2020, 11, 6))[where].vintage == "census"


def test_a_claim_stands_only_while_there_is_nothing_better(truth: Truth) -> None:
    where = (Key(CITY, "deposits", currency_scope="all"), (None, date(2022, 12, 31)))
    claim = truth.known(date(2023, 1, 5))[where]
    assert claim.claimed and claim.upper is None
    assert not truth.known(date(2023, 1, 14))[where].claimed


def test_growth_over_two_census_rounds_is_mixed(truth: Truth) -> None:
    where = (Key(CITY, "gdp"), calendar_year(2019))
    assert truth.growth(date(2020, 2, 1))[where].rounds == {3}
    assert truth.growth(date(2020, 6, 1))[where].mixed
    assert truth.growth(date(2021, 1, 1))[where].rounds == {4}


def test_twelve_single_months_are_the_year(truth: Truth) -> None:
    as_of = date(2026, 12, 31)
    year = truth.last_twelve_months(as_of)[(Key(CITY, "securities_turnover"), calendar_year(2024))]
    parts = [truth.known(as_of)[(Key(CITY, "securities_turnover"), (date(2024, m, 1), model.month_end(2024, m)))].value for m in range(1, 13)]
    assert year.value == sum(parts)


def test_the_printed_share_agrees_with_the_computed_one(truth: Truth) -> None:
    """Two origins of one indicator: the bureau's at one decimal, ours from the levels beside it."""
    as_of = date(2019, 1, 10)
    ours = {(key, span): f for (formula, key, span), f in truth.derived(as_of).items() if formula == SHARE}
    printed = {where: f for where, f in truth.known(as_of).items() if where[0].indicator == SHARE}
    assert len(printed) == 4 * 3  # three years have been announced as final
    for where, figure in printed.items():
        assert ours[where].origin == "derived" and figure.origin == "printed"
        assert abs(ours[where].value - figure.value) <= Fraction(6, 100)


def test_the_bare_floor_answers_as_truth_does(tmp_path: Path) -> None:
    """The benchmark's floor is honest only if it computes the same results."""
    scale.write_scaled(tmp_path, figures=1)
    bare_duckdb.build(tmp_path, tmp_path / "bare.duckdb", verbose=False)
    areas = {"980000", "980017"}
    truth = Truth(scale.read_back(tmp_path, areas), tmp_path / "seeds")
    truth.parent = {area: parent for area, parent in truth.parent.items() if area in {*areas, scale.SUMMED}}
    names = ", ".join(f"'{area}'" for area in sorted(truth.parent))
    with duckdb.connect(str(tmp_path / "bare.duckdb"), read_only=True) as con:
        for as_of in (date(2020, 3, 31), date(2026, 12, 31)):
            rows = con.execute(
                "select formula_id, ref_area, period_start, period_end, value, lower, upper, mixed"
                f" from derived where valid_from <= $1 and valid_to > $1 and ref_area in ({names})",
                [as_of],
            ).fetchall()
            floor = {(formula, area, (start, end)): tuple(values) for formula, area, start, end, *values in rows}
            wanted = {(formula, k.ref_area, span): f for (formula, k, span), f in truth.derived(as_of).items()}
            assert floor.keys() == wanted.keys()
            for where, (value, lower, upper, mixed) in floor.items():
                figure = wanted[where]
                assert figure.lower is not None and figure.upper is not None
                assert value == pytest.approx(float(figure.value), rel=1e-9), where
                assert lower == pytest.approx(float(figure.lower), rel=1e-9, abs=1e-9), where
                assert upper == pytest.approx(float(figure.upper), rel=1e-9, abs=1e-9), where
                assert mixed == figure.mixed, where
