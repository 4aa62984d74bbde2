"""Every operator, path, split and status of the city's plan equals the model's truth, on days around a revision.

Belongs here: comparing the board of a whole release with `tests.fixtures.city.targets`. Does not belong here: the real plans.
"""

from __future__ import annotations

from datetime import date, timedelta

import duckdb
import pytest

from tests.fixtures.city import files
from tests.fixtures.city.targets import Board, Standing, Target
from tests.integration.conftest import CityRelease

# The final of 2020, the base of every target, comes out on 28 December 2021; the first of 2023 and the final of 2022 lie around 2024.
DAYS = (
    date(2021, 3, 1), date(2021, 12, 27), date(2021, 12, 28), date(2022, 2, 15), date(2023, 5, 31), date(2023, 6, 1), date(2024, 2, 15),
    date(2024, 12, 27), date(2024, 12, 28), date(2026, 2, 15), date(2026, 12, 31),
)  # fmt: skip


@pytest.fixture(scope="module")
def board(city_release: CityRelease) -> Board:
    return Board(city_release.truth)


def near(found: float | None, wanted: float | None) -> bool:
    if found is None or wanted is None:
        return found is wanted
    return abs(found - wanted) <= 1e-9 * max(1.0, abs(wanted))


def compare(target: Target, wanted: Standing, row: dict[str, object]) -> list[str]:
    numbers = {
        "target_level": wanted.level,
        "base_value": wanted.base,
        "actual_value": wanted.actual,
        "ratio": wanted.ratio,
        "path_value": wanted.path,
    }
    faults = [f"{name} {row[name]} is {value}" for name, value in numbers.items() if not near(row[name], value)]  # type: ignore[arg-type]
    words = {
        "attainment": wanted.attainment, "status": wanted.status, "periods_seen": wanted.periods_seen, "is_overshoot": wanted.overshoot,
        "target_status": "superseded" if wanted.superseded else row["target_status"],
    }  # fmt: skip
    faults += [f"{name} {row[name]} is {value}" for name, value in words.items() if row[name] != value]
    return [f"{target.target_id}: {fault}" for fault in faults]


def fetch(connection: duckdb.DuckDBPyConnection, sql: str) -> list[dict[str, object]]:
    found = connection.execute(sql)
    names = [column[0] for column in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


@pytest.mark.parametrize("day", DAYS, ids=str)
def test_the_board_equals_the_truth(city_db: duckdb.DuckDBPyConnection, board: Board, day: date) -> None:
    rows = {str(row["target_id"]): row for row in fetch(city_db, f"select * from methods.target_progress_as_of('{day}')")}
    assert len(rows) == len(files.TARGETS)
    faults = []
    for target in board.targets:
        row = rows[target.target_id]
        if target.known_by > day:
            assert row["reason"] == "target_not_public"
            continue
        faults += compare(target, board.standing(target, day), row)
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("day", (date(2021, 12, 27), date(2021, 12, 28), date(2024, 12, 28), date(2026, 12, 31)), ids=str)
def test_paths_and_splits_equal_the_truth(city_db: duckdb.DuckDBPyConnection, board: Board, day: date) -> None:
    rows = fetch(city_db, f"select target_id, time_period, freq, required_to_date from methods.target_paths_as_of('{day}')")
    found: dict[str, dict[str, float]] = {}
    for row in rows:
        if row["required_to_date"] is not None:
            found.setdefault(str(row["target_id"]), {})[str(row["time_period"])] = float(row["required_to_date"])  # type: ignore[arg-type]
    faults = []
    for target in board.targets:
        if target.known_by > day or target.comparator in ("improve", "qualitative"):
            continue
        wanted, got = board.path(target, day), found.get(target.target_id, {})
        if wanted.keys() != got.keys():
            faults.append(f"{target.target_id}: {sorted(wanted.keys() ^ got.keys())[:6]}")
        faults += [
            f"{target.target_id} {at}: {got[at]} is {wanted[at]}"
            for at in wanted.keys() & got.keys()
            if abs(wanted[at] - got[at]) > 6e-9 + 1e-12 * abs(wanted[at])
        ]
    assert not faults, "\n".join(faults)


def test_the_split_of_value_added_is_by_median_shares_and_adds_up_exactly(city_db: duckdb.DuckDBPyConnection) -> None:
    rows = city_db.sql("""
        select q.target_id, y.time_period, sum(q.required_value), any_value(y.required_value), min(q.share_of_year)
        from marts.target_paths as q
        inner join marts.target_paths as y on y.target_id = q.target_id and y.freq = 'A' and q.time_period like y.time_period || '-%'
        where q.freq = 'Q' and q.indicator = 'fin_value_added' and q.basis = 'median_shares'
        group by all
    """).fetchall()
    assert len(rows) == 5 + 3  # to 2025 from 2020, and to the milestone of 2023
    assert all(total == year for _, _, total, year, _ in rows), "decimals: equal, not nearly equal"
    assert all(0.2 < first < 0.23 for *_, first in rows), "not a quarter each"


def test_a_stock_changes_over_the_quarters_by_what_it_changes_over_the_year(city_db: duckdb.DuckDBPyConnection) -> None:
    rows = city_db.sql("""
        with years as (
            select target_id, time_period, required_value - lag(required_value) over (partition by target_id order by time_period) as change
            from marts.target_paths where freq = 'A' and indicator = 'deposits'
        )
        select y.change, sum(q.required_value)
        from years as y
        inner join marts.target_paths as q on q.target_id = y.target_id and q.freq = 'Q' and q.time_period like y.time_period || '-%'
        where y.change is not null group by y.target_id, y.time_period, y.change
    """).fetchall()
    assert rows and all(change == total for change, total in rows)


def test_what_moved_a_status_is_said(city_db: duckdb.DuckDBPyConnection, board: Board) -> None:
    rows = fetch(city_db, "select * from marts.target_status_changes order by target_id, as_of")
    causes = {cause for row in rows for cause in str(row["moved_by"]).split(", ")}
    assert {"target", "new_period", "revision_of_actual", "fell_due"} <= causes
    superseded = [row for row in rows if row["target_id"] == files.target_id(files.SUPERSEDED) and row["verdict"] == "superseded"]
    assert [(row["as_of"], row["moved_by"]) for row in superseded][:1] == [(date.fromisoformat(files.SECOND_DAY), "target")]
    by_id = {target.target_id: target for target in board.targets}
    for row in rows:
        target, day = by_id[str(row["target_id"])], row["as_of"]
        assert isinstance(day, date)
        if target.comparator != "qualitative" and row["as_of_before"] is not None and not board.standing(target, day).superseded:
            assert board.standing(target, day).status == row["status"]
            assert board.standing(target, day - timedelta(days=1)).status == row["status_before"] or target.known_by == day


def test_a_qualitative_target_is_recorded_and_never_scored(city_db: duckdb.DuckDBPyConnection) -> None:
    rows = city_db.sql("select distinct status, verdict, reason, ratio from marts.target_progress where comparator = 'qualitative'").fetchall()
    assert rows == [("not_available", "not_scored", "qualitative", None)]


def test_the_stricter_wording_rules(city_db: duckdb.DuckDBPyConnection) -> None:
    rows = city_db.sql("select comparator, is_ruling from marts.targets where conflict_group = 'yh_listed_2025' order by 1").fetchall()
    assert rows == [("about", True), ("at_least", False)], "80 less 5 % is 76, stricter than 75"
