"""The board on the real figures: what it says where it can tell, and that it says why where it can't.

Belongs here: verdicts that were checked by hand against the prints, and rules that hold for every target. Does not belong here: the
formulas (unit tests), or operators that the real plans don't have (the city).
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from dagster_project.settings import Settings
from tests import helpers


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return helpers.real_release(tmp_path_factory.getbasetemp())[0]


@pytest.fixture(scope="module")
def database(settings: Settings) -> Path:
    return settings.released_database


@pytest.fixture(scope="module")
def today(database: Path) -> dict[str, dict[str, Any]]:
    return {row["target_id"]: row for row in helpers.rows(database, "select * from marts.target_progress where is_today")}


def test_every_target_stands_once_today(database: Path, today: dict[str, dict[str, Any]]) -> None:
    assert {row["target_id"] for row in helpers.rows(database, "select target_id from marts.targets")} == set(today)
    assert helpers.rows(database, "select count(*) as n from marts.target_progress where is_today")[0]["n"] == len(today)


def test_a_pace_or_a_reason(today: dict[str, dict[str, Any]]) -> None:
    for row in today.values():
        assert (row["status"] == "not_available") == (row["reason"] is not None), row["target_id"]
        assert (row["reason"] is None) == (row["reason_zh"] is None) == (row["reason_en"] is None)
        assert row["verdict_zh"] and row["verdict_en"]


@pytest.mark.parametrize(("indicator", "base", "actual", "aimed"), [("deposits", 53600, 60400, 62000), ("loans", 56700, 63900, 66000)])
def test_deposits_and_loans_of_2025_fall_short_with_the_scope_assumed(
    today: dict[str, dict[str, Any]], indicator: str, base: float, actual: float, aimed: float
) -> None:
    row = today[f"zhirong_huichang_2024_{indicator}_2025"]
    assert (row["base_value"], row["actual_value"], row["target_level"]) == (base, actual, aimed)
    assert (row["actual_lower"], row["actual_upper"]) == (actual - 50, actual + 50)
    assert (row["attainment"], row["verdict_en"]) == ("no", "short, scope assumed")
    assert row["ratio"] == pytest.approx((math.sqrt(actual / base) - 1) / (math.sqrt(aimed / base) - 1), rel=1e-9)
    assert row["status"] == "acceleration_needed"


def test_listed_companies_are_short_and_the_a_share_count_is_not_used(database: Path, today: dict[str, dict[str, Any]]) -> None:
    row = today["zhirong_huichang_2024_listed_companies_2025"]
    assert (row["actual_value"], row["attainment"], row["verdict"]) == (78, "no", "short")
    assert "listed_scope_not_printed" in row["assumed"]
    assert (row["status"], row["reason"]) == ("not_available", "one_point")
    fits = helpers.rows(
        database,
        "select distinct fit from marts.target_figures where target_id = $1 and breakdown = 'a_shares' and period_end = date '2025-12-11'",
        row["target_id"],
    )
    assert fits == [{"fit": "other"}]


def test_a_target_without_a_date_is_shown_as_of_today_only(database: Path) -> None:
    undated = helpers.rows(database, "select target_id from marts.targets where known_by is null")
    assert undated
    board = helpers.rows(database, "select target_id, reason, actual_value from methods.target_progress_as_of('2024-12-31')")
    then = {row["target_id"]: row for row in board}
    assert len(board) == len(then) == helpers.rows(database, "select count(*) as n from marts.targets")[0]["n"]
    for row in undated:
        assert then[row["target_id"]]["reason"] == "target_undated" and then[row["target_id"]]["actual_value"] is None
    assert then["zhirong_huichang_2024_fin_value_added_2025"]["reason"] == "target_possibly_known"


def test_two_wordings_of_yuzhong_and_shares_below_their_base(database: Path) -> None:
    wordings = helpers.rows(database, "select comparator, is_ruling, band_half_width from marts.targets where conflict_group is not null order by 1")
    assert wordings == [
        {"comparator": "about", "is_ruling": False, "band_half_width": 25.0},
        {"comparator": "at_least", "is_ruling": True, "band_half_width": 0.0},
    ]
    below = helpers.rows(database, "select target_a from marts.target_coherence where test = 'below_base' and answer = 'inconsistent' order by 1")
    assert [row["target_a"] for row in below] == [
        "yuzhong_finance_fyp14_premium_income_share_of_city_2025",
        "yuzhong_finance_fyp14_securities_turnover_share_of_city_2025",
    ]


def test_amount_and_share_imply_the_gdp_of_2025_and_2027(database: Path) -> None:
    rows = helpers.rows(
        database,
        "select year(period_end) as y, implied_value, answer from marts.target_coherence"
        " where test = 'implied_whole' and indicator = 'gdp' and ref_area = '500000' order by 1",
    )
    assert [(row["y"], row["implied_value"]) for row in rows] == [(2025, pytest.approx(100000 / 3)), (2027, pytest.approx(40000))]


def test_quarters_add_up_and_value_added_says_why_it_is_not_split(database: Path) -> None:
    flows = helpers.rows(
        database,
        "select distinct required_value, reason from marts.target_paths where freq = 'Q' and indicator = 'fin_value_added' and ref_area = '500000'",
    )
    assert flows == [{"required_value": None, "reason": "too_few_past_years"}]
    stocks = helpers.rows(
        database,
        """
        select q.target_id, y.time_period, sum(q.required_value) as quarters, any_value(y.required_value - b.required_value) as change
        from marts.target_paths as y
        inner join marts.target_paths as b on b.target_id = y.target_id and b.freq = 'A' and b.time_period::integer = y.time_period::integer - 1
        inner join marts.target_paths as q on q.target_id = y.target_id and q.freq = 'Q' and q.time_period like y.time_period || '-%'
        where y.freq = 'A' and y.indicator in ('deposits', 'loans') group by all
        """,
    )
    assert len(stocks) == 2 * (1 + 3)
    assert all(row["quarters"] == row["change"] for row in stocks)


def test_the_path_to_2027_passes_2025(database: Path) -> None:
    rows = helpers.rows(
        database,
        "select required_to_date::double as v from marts.target_paths where target_id = 'zhirong_huichang_2024_fin_value_added_2027' and freq = 'A' order by time_period",
    )
    assert [row["v"] for row in rows] == pytest.approx([2591 * math.sqrt(3000 / 2591), 3000, 3000 * math.sqrt(3800 / 3000), 3800], abs=1e-8)


def test_a_confirmed_stage_is_a_revision_of_nought(database: Path) -> None:
    rows = helpers.rows(
        database,
        "select time_period, revision, stage_basis from marts.revision_triangles where is_confirmation and indicator = 'gdp' and ref_area = '500000'",
    )
    assert rows == [{"time_period": "2019", "revision": 0.0, "stage_basis": "inferred"}]


def test_the_mart_and_the_macro_measure_alike(database: Path) -> None:
    mart = helpers.rows(
        database,
        "select release, n, mean_revision, p_value, theil_u2 from marts.revision_statistics where indicator = 'gdp' and ref_area = '500000'"
        " and transformation = 'N' and freq = 'A' and compared_with = 'latest' order by release",
    )
    import duckdb

    with duckdb.connect() as connection:
        connection.execute(f"attach '{database}' as fincenter (read_only)")
        connection.execute(
            "create table gdp as select period_end as time_period, release, obs_value as value from fincenter.marts.revision_triangles"
            " where indicator = 'gdp' and ref_area = '500000' and transformation = 'N' and freq = 'A'"
        )
        found = connection.execute(
            "select release, n, mean_revision, p_value, theil_u2 from fincenter.methods.revision_statistics('memory.main.gdp') order by release"
        ).fetchall()
    assert [tuple(row.values()) for row in mart] == [tuple(pytest.approx(value, rel=1e-9) for value in row) for row in found]
    assert len(mart) == 3


def test_bodies_are_unified_and_central_branches_stay_apart(database: Path) -> None:
    bodies = {row["body_id"]: row for row in helpers.rows(database, "select * from marts.bodies")}
    assert bodies["cq_finance"]["printed_names"] == "市财政局、重庆市财政局"
    assert (bodies["cbirc_cq"]["kind"], bodies["cbirc_cq"]["successor_id"], bodies["cbirc_cq"]["relation_basis"]) == (
        "central_branch",
        "nfra_cq",
        "unverified",
    )
    assert (bodies["cq_finreg"]["kind"], bodies["cq_finreg"]["successor_id"]) == ("municipal", "cq_finance_office")
    assert helpers.rows(database, "select count(*) as n from marts.plan_responsibilities where body_id is null") == [{"n": 0}]


def test_who_answers_is_named_for_every_target_off_course(database: Path) -> None:
    rows = helpers.rows(
        database,
        "select target_id, bool_or(body_id is not null) as named, bool_or(link_basis = 'ours') as ours from marts.responsibility_board where is_off_course group by 1",
    )
    assert rows
    assert all(row["named"] and row["ours"] for row in rows)


def test_the_command_in_both_languages(settings: Settings) -> None:
    code, answer = helpers.answer(settings, "targets", "--plan", "zhirong_huichang_2024")
    assert code == 0 and len(answer["targets"]) == 10 and answer["is_today"]
    code, answer = helpers.answer(settings, "targets", "--as-of", "2024-12-31", "--area", "500000")
    assert code == 0 and {row["reason"] for row in answer["not_judged"]} == {"target_undated", "target_possibly_known"}
    assert helpers.answer(settings, "targets", "--plan", "nowhere")[0] == 6
    assert helpers.answer(settings, "targets", "--lang", "fr")[0] == 2
    for language, words in (("zh", "未达到，口径为假定"), ("en", "short, scope assumed")):
        shown = helpers.command(settings, "targets", "--lang", language)
        assert shown.returncode == 0 and words in shown.stdout
