"""Files of the fictitious city in, marts out: every figure of every day equals the truth that the model declares.

Belongs here: comparing a whole release with `tests.fixtures.city.truth`. Does not belong here: how a step of the
warehouse works, or anything about the real figures.
"""

from __future__ import annotations

import hashlib
import random
from collections import Counter, defaultdict
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import polars as pl
import pytest

from dagster_project.release.refresh import Refresh
from dagster_project.settings import REPOSITORY, Settings
from tests.fixtures.city import files, model
from tests.fixtures.city.model import CITY, DISTRICTS, SUMMED, Print
from tests.fixtures.city.truth import Figure, Key, Truth, calendar_year, where_of
from tests.helpers import expectation_worker
from tests.integration.conftest import CityRelease, write_root

FOREVER = date(9999, 12, 31)
BUILT = ("decumulated", "last_twelve_months", "tiling")
KEY = [
    "what",
    "ref_area",
    "indicator",
    "breakdown",
    "currency_scope",
    "transformation",
    "period_start",
    "period_end",
]
NUMBERS = ["obs_value", "lower", "upper"]
FLAGS = ["mixed", "claim", "scope_assumed", "estimate"]
SCHEMA = {
    **dict.fromkeys(KEY[:6], pl.String),
    **dict.fromkeys(KEY[6:], pl.Date),
    **dict.fromkeys(NUMBERS, pl.Float64),
    **dict.fromkeys(FLAGS, pl.Boolean),
}
# The national accounts, whose revisions are the hard part: compared on every day on which any of them changes.
ACCOUNTS = frozenset({*model.VA_CODES, *model.SHARE_OF})


# ---------------------------------------------------------------------------------------------- two frames


class Expected:
    """The truth of a day as a frame, in the units of the indicators."""

    def __init__(self, truth: Truth) -> None:
        self.truth = truth
        self.mult = {code: int(row["unit_mult"]) for code, row in truth.indicators.items()}
        self._numbers: dict[tuple[int, int], tuple[Figure, tuple[float | None, ...]]] = {}

    def on(self, day: date) -> pl.DataFrame:
        rows = [self._row("printed", *where, figure) for where, figure in self.truth.known(day).items()]
        rows += [self._row("built", *where, figure) for where, figure in self.truth.built(day).items()]
        rows += [self._row(*where, figure) for where, figure in self.truth.derived(day).items()]
        rows += [self._row("growth_on_year", *where, figure) for where, figure in self.truth.growth(day).items()]
        return pl.DataFrame(rows, schema=SCHEMA, orient="row")

    def _row(self, what: str, key: Key, span: model.Span, figure: Figure) -> tuple[str | date | float | bool | None, ...]:
        growth = what == "growth_on_year"
        mult = 0 if growth or key.transformation == "G1Y" else self.mult[key.indicator]
        return (
            what,
            *key[:4],
            "G1Y" if growth else key.transformation,
            *span,
            *self._in_units(figure, mult),
            figure.mixed,
            figure.claimed,
            figure.assumed,
            figure.estimated,
        )

    def _in_units(self, figure: Figure, mult: int) -> tuple[float | None, ...]:
        """The doubles nearest to the exact numbers; computed once a figure, which stands for many days."""
        where = (id(figure), mult)
        if where not in self._numbers:
            exact = (figure.value, figure.lower, figure.upper)
            self._numbers[where] = (figure, tuple(None if x is None else float(x / 10**mult) for x in exact))
        return self._numbers[where][1]


@pytest.fixture(scope="module")
def vintages(city_db: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    """Every vintage of the release that was in force for a day at least."""
    return city_db.sql(f"""
        select vintage_id, case when formula_id in {BUILT} then 'built' else coalesce(formula_id, 'printed') end as what,
            {", ".join(KEY[1:])}, {", ".join(NUMBERS)},
            coalesce(census_basis = 'mixed', false) as mixed,
            list_contains(string_split(marks, ', '), 'claim') as claim,
            list_contains(string_split(marks, ', '), 'scope_assumed') as scope_assumed,
            list_contains(string_split(marks, ', '), 'estimate') as estimate,
            list_contains(string_split(marks, ', '), 'coarse') as coarse,
            origin, vintage_no, stage, census_basis, obs_status, obs_kind, known_by, known_by_basis, valid_from, valid_to, marks
        from marts.observation_vintages
        where valid_from < valid_to and known_by is not null and obs_value is not null
    """).pl()


def in_force(vintages: pl.DataFrame, day: date) -> pl.DataFrame:
    return vintages.filter((pl.col("valid_from") <= day) & (pl.col("valid_to") > day))


def differences(expected: pl.DataFrame, found: pl.DataFrame) -> list[str]:
    """In words, what the release has otherwise than the truth."""
    faults = []
    twice = found.group_by(KEY).len().filter(pl.col("len") > 1)
    if twice.height:
        faults.append(f"{twice.height} in force more than once, such as {twice.row(0)}")
    both = expected.with_columns(wanted=True).join(
        found.select(*KEY, *NUMBERS, *FLAGS, seen=True), on=KEY, how="full", nulls_equal=True, coalesce=True
    )
    for name, missing in (("absent", "seen"), ("not to be there", "wanted")):
        rows = both.filter(pl.col(missing).is_null())
        if rows.height:
            kinds = rows.group_by("what", "indicator").len().sort("len", descending=True).head(4).rows()
            faults.append(f"{rows.height} {name}: {kinds}, such as {rows.select(KEY).row(0)}")
    both = both.filter(pl.col("seen") & pl.col("wanted"))
    for name in NUMBERS:
        a, b = pl.col(name), pl.col(f"{name}_right")
        # Printed numbers are the nearest doubles; sums are exact to 1e-8 of the unit, quotients to a few ulps.
        slack = (
            pl.when(pl.col("what") == "printed")
            .then(0.0)
            .when(pl.col("what") == "built")
            .then(1e-8)
            .otherwise(1e-9 * pl.max_horizontal(a.abs(), pl.lit(1.0)))
        )
        wrong = both.filter((a.is_null() != b.is_null()) | ((a - b).abs() > slack))
        if wrong.height:
            kinds = wrong.group_by("what", "indicator").len().sort("len", descending=True).head(4).rows()
            faults.append(f"{wrong.height} with another {name}: {kinds}, such as {wrong.select(*KEY, a, b).row(0)}")
    for name in FLAGS:
        wrong = both.filter(pl.col(name) != pl.col(f"{name}_right"))
        if wrong.height:
            kinds = wrong.group_by("what", "indicator").len().sort("len", descending=True).head(4).rows()
            faults.append(f"{wrong.height} with another mark {name}: {kinds}, such as {wrong.select(*KEY, name).row(0)}")
    return faults


# ---------------------------------------------------------------------------------------------- every figure


def test_the_national_accounts_equal_the_truth_on_every_day_that_changes_them(city_release: CityRelease, vintages: pl.DataFrame) -> None:
    truth = city_release.truth.only(ACCOUNTS)
    formulas = {"printed", "built", "growth_on_year"}
    while more := {f["formula_id"] for f in truth.formulas if {t["indicator"] for t in truth.terms[f["formula_id"]]} <= ACCOUNTS} - formulas:
        formulas |= more
    covered = {f["indicator"] for f in truth.formulas if f["formula_id"] in formulas} | ACCOUNTS
    ours = vintages.filter(pl.col("what").is_in(list(formulas)) & pl.col("indicator").is_in(list(covered)))
    expected = Expected(truth)
    days = truth.release_days()
    assert len(days) > 100
    for day in days:
        assert differences(expected.on(day), in_force(ours, day)) == [], day


def test_everything_equals_the_truth_on_forty_days(city_release: CityRelease, vintages: pl.DataFrame) -> None:
    first, last = date(2015, 2, 1), date(2026, 8, 31)
    drawn = random.Random(model.SEED).sample(range((last - first).days), 40)
    days = {first + timedelta(days=n) for n in drawn}
    days |= {model.CENSUS_DAY - timedelta(days=1), model.CENSUS_DAY, last}
    expected = Expected(city_release.truth)
    for day in sorted(days):
        assert differences(expected.on(day), in_force(vintages, day)) == [], day


def test_every_formula_of_the_registry_is_covered(city_release: CityRelease, vintages: pl.DataFrame) -> None:
    registry = {f["formula_id"] for f in city_release.truth.formulas}
    assert registry == set(vintages["what"]) - {"printed", "built", "growth_on_year"}
    assert registry == {formula for formula, _, _ in city_release.truth.derived(date(2026, 12, 31))}


def test_an_undated_figure_is_shown_and_in_no_as_of(city_db: duckdb.DuckDBPyConnection) -> None:
    area, year = model.UNDATED
    rows = city_db.execute(
        "select known_by, list_contains(string_split(marks, ', '), 'undated') from marts.observations"
        " where ref_area = ? and indicator = 'fin_assets' and year(period_end) = ?",
        [area, year],
    ).fetchall()
    assert rows == [(None, True)]
    share = city_db.execute(
        "select known_by is null from marts.observations where ref_area = ? and indicator = 'fin_assets_share_of_city' and year(period_end) = ?",
        [area, year],
    ).fetchall()
    assert share == [(True,)]
    seen = city_db.execute(
        "select count(*) from methods.as_of('9999-12-30') where ref_area = ? and year(period_end) = ?"
        " and indicator in ('fin_assets', 'fin_assets_share_of_city')",
        [area, year],
    ).fetchall()
    assert seen == [(0,)]


def test_as_of_gives_what_was_in_force(city_db: duckdb.DuckDBPyConnection, vintages: pl.DataFrame) -> None:
    for day in (date(2017, 3, 1), date(2020, 3, 31), date(2020, 6, 1), date(2023, 1, 10), date(2026, 12, 31)):
        answer = city_db.execute("select * from methods.as_of(?)", [day]).pl()
        assert set(answer["vintage_id"]) >= set(in_force(vintages, day)["vintage_id"]), day
        older = answer.filter(~pl.col("vintage_id").is_in(in_force(vintages, day)["vintage_id"].implode()))
        assert older["is_preferred"].all(), day  # beside a mixed one, the last that is not
        assert set(older["origin"]) <= {"derived"}, day
        assert answer.filter(pl.col("is_headline")).select(*KEY[1:], "prices").is_duplicated().sum() == 0, day


# ---------------------------------------------------------------------------------------------- vintages


def _width(p: Print) -> Decimal:
    assert p.lower is not None and p.upper is not None
    return p.upper - p.lower


def _overlap(a: Print, b: Print) -> bool:
    """Do two printed intervals have more than an edge in common? Open ends reach everywhere."""
    below = a.lower is None or b.upper is None or a.lower < b.upper
    return below and (b.lower is None or a.upper is None or b.lower < a.upper)


def _declared(truth: Truth, prints: list[Print]) -> list[tuple[int, str | None, str | None, float, date, str]]:
    """(number, stage, census round, value, known by, basis) of the vintages of one figure, in order."""
    order = truth.vintage_days(prints)
    result = []
    for number, name in enumerate(sorted(order, key=lambda v: order[v]), 1):
        own = [p for p in prints if p.vintage == name and p.role != "claim"]
        best = min(own, key=_width)
        day = min(p.known_by for p in prints if p.vintage == name and p.known_by and p.upper and _width(p) <= _width(best))
        bounded = order[name][0] < min(p.known_by for p in own if p.known_by)
        rounds = None if best.census_round is None else str(best.census_round)
        mult = 0 if best.transformation == "G1Y" else int(truth.indicators[best.indicator]["unit_mult"])
        result.append(
            (
                number,
                best.stage or None if best.transformation == "N" else None,
                rounds if best.transformation == "N" else None,
                float(best.value / Decimal(10) ** mult),
                order[name][0] if bounded else day,
                "stage" if bounded else "own",
            )
        )
    return result


def test_vintages_are_numbered_staged_and_based_as_declared(city_release: CityRelease, city_db: duckdb.DuckDBPyConnection) -> None:
    found: dict[tuple[object, ...], list[tuple[object, ...]]] = defaultdict(list)
    for *where, number, stage, basis, value, known_by, how in city_db.execute(f"""
        select {", ".join(KEY[1:])}, vintage_no, stage, census_basis, obs_value, known_by,
            case when known_by_basis = 'stage' then 'stage' else 'own' end
        from marts.observation_vintages
        where origin = 'printed' and vintage_no > 0 and is_official and marks not like '%coarse%'
        order by vintage_no
    """).fetchall():
        found[tuple(where)].append((number, stage, basis, value, known_by, how))
    declared = {}
    for (key, span), prints in city_release.truth.prints().items():
        if any(p.role != "claim" for p in prints):
            declared[(*key, *span)] = _declared(city_release.truth, prints)
    assert found.keys() == declared.keys()
    wrong = {where: (found[where], wanted) for where, wanted in declared.items() if found[where] != wanted}
    assert not wrong, (len(wrong), next(iter(wrong.items())))
    assert Counter(len(v) for v in declared.values())[3] > 500  # first, final, census


def test_a_first_release_seen_late_is_dated_by_what_superseded_it(city_db: duckdb.DuckDBPyConnection) -> None:
    rows = city_db.execute(
        "select vintage_no, stage, known_by, known_by_basis from marts.observation_vintages where ref_area = '990103'"
        " and indicator = 'gdp' and transformation = 'N' and origin = 'printed' and time_period = '2017' order by 1"
    ).fetchall()
    assert [r[:2] for r in rows] == [(1, "first"), (2, "final"), (3, "census")]
    assert rows[0][2:] == (date(2018, 12, 28), "stage")


def test_an_estimate_is_an_observation_until_the_figure_comes(city_db: duckdb.DuckDBPyConnection) -> None:
    rows = city_db.execute(
        "select vintage_no, obs_kind, obs_status, known_by from marts.observation_vintages where ref_area = ?"
        " and indicator = 'premium_income' and origin = 'printed' and time_period = ? and transformation = 'N'"
        " order by vintage_no",
        [CITY, str(model.ESTIMATED)],
    ).fetchall()
    official = [r for r in rows if r[0] > 0]
    assert official[0] == (1, "estimate", "E", date(model.ESTIMATED, 12, 20))
    assert [r[1] for r in official[1:]] == ["observation"]


# ---------------------------------------------------------------------------------------------- carriers


def test_one_figure_of_several_carriers_is_counted_once(city_release: CityRelease, city_db: duckdb.DuckDBPyConnection) -> None:
    """GDP of an even year: the congress, the eve, the bureau and a translation print one first release."""
    prints = city_release.truth.prints()[(Key(CITY, "gdp"), calendar_year(2022))]
    assert len({p.publication.publication_id for p in prints if p.vintage == "first"}) == 4
    query = "from marts.observation_vintages where ref_area = ? and indicator = 'gdp' and origin = 'printed'"
    query += " and transformation = 'N' and time_period = '2022'"
    assert city_db.execute(f"select count(distinct vintage_no) {query}", [CITY]).fetchall() == [(2,)]
    assert city_db.execute(f"select count(*) {query} and is_headline", [CITY]).fetchall() == [(1,)]
    twice = city_db.sql(f"""
        select count(*) from (select 1 from marts.observations where is_headline group by {", ".join(KEY[1:])}, prices
        having count(*) > 1)
    """).fetchall()
    assert twice == [(0,)]


def test_quotations_count_and_claims_do_not(city_release: CityRelease, city_db: duckdb.DuckDBPyConnection) -> None:
    cells = {
        (publication, reference, transformation): (official, relation, marks.split(", "))
        for publication, reference, transformation, official, relation, marks in city_db.sql(
            "select publication_id, reference, transformation, is_official, relation, marks from marts.printed_cells"
        ).fetchall()
    }
    official: dict[object, list[Print]] = defaultdict(list)
    for where, prints in city_release.truth.prints().items():
        official[where] = [p for p in prints if p.role != "claim"]
    contradicted = set()
    for p in city_release.city.prints:
        counts, relation, marks = cells[(p.publication.publication_id, p.reference, p.transformation)]
        assert counts == (p.role != "claim"), p
        assert ("claim" in marks) == (p.role == "claim") and ("quotation" in marks) == (p.role == "quotation"), p
        assert ("corrected" in marks) == bool(p.misprinted_unit), p
        if p.role != "claim":
            assert relation in ("represents", "agrees"), p
        elif official[where_of(p)] and not any(_overlap(p, q) for q in official[where_of(p)]):
            assert relation == "contradicts", p
            contradicted.add(p.publication.publication_id)
        else:
            assert relation in ("represents", "agrees", "ambiguous"), p
    assert contradicted >= {f"yh_gazette_{year}" for year in model.YEARS}
    claims = city_db.sql("select publication_id, count(*) from marts.claims group by 1").fetchall()
    assert dict(claims) == Counter(p.publication.publication_id for p in city_release.city.prints if p.role == "claim")


def test_every_printed_vintage_leads_to_a_cell_and_every_derived_one_to_its_inputs(
    city_db: duckdb.DuckDBPyConnection,
) -> None:
    orphans = city_db.sql("""
        select count(*) from marts.observation_vintages v
        anti join marts.lineage l on l.vintage_id = v.vintage_id and l.kind = case v.origin when 'printed' then 'cell' else 'input' end
        where v.marks not like '%coarse%'
    """).fetchall()
    dangling = city_db.sql("""
        select count(*) from marts.lineage l anti join marts.observation_vintages v on v.vintage_id = l.input_vintage_id
        where l.kind = 'input'
    """).fetchall()
    assert (orphans, dangling) == ([(0,)], [(0,)])


# ---------------------------------------------------------------------------------------------- cells


def test_figures_given_are_figures_kept_refused_and_of_other_kinds(city_release: CityRelease, city_db: duckdb.DuckDBPyConnection) -> None:
    city = city_release.city
    other = sum(u.refusal == "other_kind" for u in city.unread)
    given = len(city.prints) + len(city.unread)
    counted = city_db.sql("select cells, figures, refused, other_kinds from marts.release").fetchall()
    assert counted == [(given, len(city.prints), len(city.unread) - other, other)]
    ledger = pl.scan_parquet(city_release.settings.ledger / "cells" / "*.parquet")
    assert ledger.select(pl.len()).collect().item() == given
    assert city_db.sql("select count(*) from marts.printed_cells").fetchall() == [(len(city.prints),)]


def test_what_is_no_observation_says_why(city_release: CityRelease, city_db: duckdb.DuckDBPyConnection) -> None:
    rows = city_db.sql("select publication_id, reference, refusal, reason_zh, reason_en from marts.rejected_cells")
    found = {(publication, reference): rest for publication, reference, *rest in rows.fetchall()}
    wanted = {(u.publication.publication_id, u.reference): u.refusal for u in city_release.city.unread}
    assert {where: rest[0] for where, rest in found.items()} == wanted
    for refusal, zh, en in found.values():
        assert zh and en and refusal not in (zh, en)
    unmapped = city_db.sql("select what, printed, cells from marts.unmapped_labels order by 1").fetchall()
    assert unmapped == [("area", "北屿区", 1), ("label", "云河欢乐度", 1), ("unit", "石", 1)]


def test_missing_marks_mean_what_their_source_says(city_release: CityRelease) -> None:
    ledger = pl.scan_parquet(city_release.settings.ledger / "cells" / "*.parquet")
    marked = ledger.filter(pl.col("publication_id") == "yh_oddities").select("value_text", "obs_status").collect()
    status = dict(marked.filter(pl.col("obs_status").is_not_null()).rows())
    assert {mark: status.get(mark) for mark in ("…", "-", "")} == {"…": "N", "-": "M", "": "O"}


# ---------------------------------------------------------------------------------------------- plans and seeds


def test_targets_stand_apart_with_every_comparator(city_db: duckdb.DuckDBPyConnection) -> None:
    rows = city_db.sql("select comparator, count(*) from marts.targets group by 1").fetchall()
    assert dict(rows) == Counter(target[4] for target in files.TARGETS)
    real = {r["comparator"] for r in files.read_rows(REPOSITORY / "seeds" / "plans" / "plan_targets.csv")}
    assert real <= {target[4] for target in files.TARGETS}


def test_gaps_are_what_was_planned_and_never_printed(city_db: duckdb.DuckDBPyConnection) -> None:
    rows = city_db.sql("select indicator, ref_area, time_period, gap, responsible_publisher from marts.gaps").fetchall()
    gaps: dict[tuple[str, str], list[tuple[str, str, str]]] = defaultdict(list)
    for indicator, area, period, gap, publisher in rows:
        gaps[(indicator, area)].append((period, gap, publisher))
    assert sorted(gaps[("social_financing", CITY)]) == [(str(y), "never seen", "yh_pbc") for y in range(2018, 2026)]
    assert gaps[("listed_companies", CITY)] == [("2014", "hole", "yh_csrc")]
    assert {g for _, g, _ in gaps[("deposits", CITY)]} == {"not since"}
    assert gaps.keys() == {
        ("social_financing", CITY),
        ("listed_companies", CITY),
        ("deposits", CITY),
        ("fin_value_added", CITY),
    }


def test_the_city_is_in_no_real_seed_and_no_real_area_in_the_city(city_db: duckdb.DuckDBPyConnection, city_release: CityRelease) -> None:
    areas = {r[0] for r in city_db.sql("select distinct ref_area from marts.observation_vintages").fetchall()}
    assert areas == {CITY, *DISTRICTS, SUMMED, model.CORRIDOR}
    assert {r[0] for r in city_db.sql("select ref_area from marts.areas").fetchall()} == set(model.AREA_NAMES)
    codes = set(model.AREA_NAMES) | {p.publication_id for p in city_release.city.publications}
    words = {"云河", "yh_", *codes}
    for path in [*(REPOSITORY / "seeds").rglob("*.csv"), *(REPOSITORY / "raw").rglob("*.csv")]:
        text = path.read_bytes().decode("utf-8", "ignore")
        assert not [word for word in words if word in text], path


# ---------------------------------------------------------------------------------------------- again


def _hashes(database: Path) -> dict[str, str]:
    """A hash of each mart's rows, in any order, without the days on which this machine read the files and first built."""
    result = {}
    with duckdb.connect(str(database), read_only=True) as connection:
        tables = connection.sql(
            "select table_name from information_schema.tables where table_schema = 'marts' and table_name not in"
            " ('release', 'release_inputs') order by 1"
        ).fetchall()
        for (table,) in tables:
            columns = [c for c in connection.sql(f"from marts.{table}").columns if c not in ("recorded_at", "first_seen", "last_seen")]
            quoted = ", ".join(f'"{c}"' for c in columns)
            rows = connection.sql(f"select md5(row({quoted})::varchar) from marts.{table} order by 1").fetchall()
            result[table] = hashlib.sha256("".join(r[0] for r in rows).encode()).hexdigest()
    return result


def test_building_twice_gives_equal_marts(city_release: CityRelease, tmp_path: Path) -> None:
    write_root(tmp_path)
    settings = Settings(root=tmp_path)
    refresh = Refresh(settings, worker=expectation_worker())
    refresh.read()
    refresh.prepare()
    refresh.build()
    first, second = _hashes(city_release.settings.released_database), _hashes(settings.candidate)
    assert {table for table in first if first[table] != second[table]} == set()
