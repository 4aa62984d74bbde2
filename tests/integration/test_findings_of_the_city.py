"""What the rules say of a city whose prints are declared: what is declared wrong is found, what is right is left alone.

Belongs here: findings held against the model's own declarations. Does not belong here: rates of detection (`tests/bench/detection.py`), the rules
on made-up rows (dbt unit tests).
"""

from __future__ import annotations

from typing import Any

import duckdb

from tests.fixtures.city import model
from tests.integration.conftest import CityRelease

TARGETS = ("target_below_base", "target_implied", "target_wordings", "target_part_over_whole")


def findings(city_db: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    return city_db.sql("select * from marts.findings").pl().to_dicts()


def test_findings_of_figures_are_of_prints_declared_wrong_or_revised(city_release: CityRelease, city_db: duckdb.DuckDBPyConnection) -> None:
    """Wrong prints, claims, errata, estimates and what was left unread on purpose; nothing else is suspected."""
    doubtful = {
        (p.ref_area, p.code, p.period_end)
        for p in city_release.city.prints
        if p.wrong or p.role == "claim" or p.vintage.startswith("erratum") or p.obs_kind == "estimate"
    }
    hole = {(model.UNSCOPED[0], code, model.month_end(model.UNSCOPED[1].year + 1, 12)) for code in model.MONEY}
    figures = [f for f in findings(city_db) if f["rule_id"] not in TARGETS and f["rule_id"] != "unit_dimension"]
    assert len(figures) > 20
    stray = {(f["ref_area"], f["indicator"], f["period_end"]) for f in figures} - doubtful - hole
    assert not stray


def test_every_figure_printed_ten_times_too_large_is_found(city_release: CityRelease, city_db: duckdb.DuckDBPyConnection) -> None:
    right = {
        (p.ref_area, p.code, p.period_start, p.period_end): p.value
        for p in city_release.city.prints
        if p.role == "responsible" and p.transformation == "N" and not p.wrong
    }
    tenfold = {
        (p.ref_area, p.code, p.period_end)
        for p in city_release.city.prints
        if p.transformation == "N" and (p.ref_area, p.code, p.period_start, p.period_end) in right
        and 9 < p.value / right[p.ref_area, p.code, p.period_start, p.period_end] < 11
    }  # fmt: skip
    assert tenfold
    found = [f for f in findings(city_db) if f["rule_id"] == "unit_scale"]
    assert {(f["ref_area"], f["indicator"], f["period_end"]) for f in found} == tenfold
    assert all(8 < f["observed"] / f["expected"] < 12 for f in found), "the right figure is not blamed for the wrong one"


def test_a_percent_sign_on_an_amount_is_found(city_release: CityRelease, city_db: duckdb.DuckDBPyConnection) -> None:
    declared = {(u.publication.publication_id, u.value_text) for u in city_release.city.unread if u.refusal == "unit_dimension"}
    found = [f for f in findings(city_db) if f["rule_id"] == "unit_dimension" and f["cell"]]
    assert len(found) == len(declared) > 0 and {f["publication_id"] for f in found} == {publication for publication, _ in declared}


def test_sums_shares_and_growth_of_a_right_city_are_right(city_db: duckdb.DuckDBPyConnection) -> None:
    rules = {row[0]: row[1:] for row in city_db.sql("select rule_id, passed, explained, flagged from marts.rules").fetchall()}
    for rule in ("parts_sum", "areas_sum", "part_over_whole", "share", "growth", "ytd_monotone"):
        passed, _, flagged = rules[rule]
        assert passed > 0 and flagged == 0, rule
    # growth printed before a revision of its base is explained by the older vintage
    assert rules["growth"][1] > 0
    # revisions by a census are recognised, hundreds of them
    assert rules["revision"][1] > 100
