"""What the rules find in the real figures, and what they leave alone.

Belongs here: facts of the record that a rule must come upon by itself, asked of the published release; and sums done again by hand. Does not
belong here: the rules on made-up rows (dbt unit tests), the review loop, detection rates (`tests/bench/detection.py`).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from dagster_project.settings import REPOSITORY
from tests.helpers import Row, real_release

CITY = "500000"
INDUSTRIES = ("va_primary", "va_secondary", "va_tertiary")
ANSWERS = ("passed", "explained", "flagged", "uninformative", "not_comparable")


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    settings, _ = real_release(tmp_path_factory.getbasetemp())
    with duckdb.connect(str(settings.released_database), read_only=True) as connection:
        yield connection


def rows(reader: duckdb.DuckDBPyConnection, sql: str, *parameters: Any) -> list[Row]:
    return reader.execute(sql, parameters).pl().to_dicts()


def found(reader: duckdb.DuckDBPyConnection, rule: str, **where: Any) -> list[Row]:
    """Findings of a rule, by columns that must be equal."""
    conditions = " and ".join(["rule_id = ?", *(f"{column} = ?" for column in where)])
    return rows(reader, f"select * from marts.findings where {conditions} order by ref_area, indicator, period_end, observed", rule, *where.values())


def test_an_amount_in_per_cent_is_found_where_it_is_printed(reader: duckdb.DuckDBPyConnection) -> None:
    findings = found(reader, "unit_dimension", indicator="green_loans")
    assert {f["ref_area"] for f in findings} == {"500103"} and {f["severity"] for f in findings} == {"high"}
    (cell,) = [f for f in findings if f["cell"]]
    (refused,) = rows(reader, "select * from marts.rejected_cells where refusal = 'unit_dimension'")
    assert (cell["file"], cell["cell"], cell["observed"]) == (refused["file"], refused["cell"], float(refused["value_text"]))
    assert any(f["cell"] is None for f in findings), "the target is printed in the same unit"


def test_two_districts_exchanged_in_a_ranking_are_found_in_both_rows(reader: duckdb.DuckDBPyConnection) -> None:
    first, second = found(reader, "swapped_areas")
    assert (first["ref_area"], second["ref_area"]) == ("500103", "500105")
    assert first["period_end"].year == second["period_end"].year == 2022 and first["publication_id"] == second["publication_id"]
    printed = rows(
        reader,
        "select ref_area, obs_value from marts.printed_cells where publication_id = ? and indicator = 'gdp' and period_end = ? and ref_area in ('500103', '500105')",
        first["publication_id"],
        first["period_end"],
    )
    values = {row["ref_area"]: row["obs_value"] for row in printed}
    assert (first["observed"], second["observed"]) == (values["500103"], values["500105"])
    assert second["expected"] == values["500103"] and first["expected"] == pytest.approx(values["500105"], abs=0.05)


def test_retail_sales_at_a_tenth_are_told_from_the_right_ones(reader: duckdb.DuckDBPyConnection) -> None:
    (finding,) = found(reader, "unit_scale")
    assert (finding["ref_area"], finding["indicator"], finding["time_period"], finding["severity"]) == (CITY, "retail_sales", "2020", "high")
    prints = [
        row["obs_value"]
        for row in rows(
            reader,
            "select obs_value from marts.printed_cells where ref_area = ? and indicator = 'retail_sales' and period_end = '2020-12-31' and transformation = 'N'",
            CITY,
        )
    ]
    assert finding["observed"] == min(prints) and max(prints) == pytest.approx(10 * finding["observed"])
    # the fall of the year-to-date figure is the same error, said once
    (rule,) = rows(reader, "select flagged, findings from marts.rules where rule_id = 'ytd_monotone'")
    assert rule["flagged"] > 0 and not found(reader, "ytd_monotone", ref_area=CITY, indicator="retail_sales")


def test_an_index_that_was_computed_anew_is_a_revision_to_ask_about(reader: duckdb.DuckDBPyConnection) -> None:
    (finding,) = found(reader, "revision", indicator="corridor_development_index")
    vintages = rows(
        reader,
        "select obs_value from marts.observation_vintages where indicator = 'corridor_development_index' and time_period = '2021' and origin = 'printed' and transformation = 'N' order by vintage_no",
    )
    assert [v["obs_value"] for v in vintages] == [finding["expected"], finding["observed"]] and finding["severity"] == "high"


def test_districts_that_do_not_add_up_are_found_in_the_one_table_that_has_them_all(reader: duckdb.DuckDBPyConnection) -> None:
    (finding,) = found(reader, "areas_sum")
    cells = rows(
        reader,
        "select ref_area, value_text from marts.printed_cells where publication_id = ? and indicator = 'gdp' and transformation = 'N' and period_end = ?",
        finding["publication_id"],
        finding["period_end"],
    )
    districts = [Decimal(cell["value_text"]) for cell in cells if cell["ref_area"] != CITY]
    assert len(districts) == 38 and float(sum(districts)) == pytest.approx(finding["expected"])
    (total,) = [Decimal(cell["value_text"]) for cell in cells if cell["ref_area"] == CITY]
    assert finding["observed"] == float(total) and abs(total - sum(districts)) > 100


def test_every_complete_sum_of_industries_closes(reader: duckdb.DuckDBPyConnection) -> None:
    """Done again from the cells: |T − Σx| against half of every last unit."""
    cells = rows(
        reader,
        "select publication_id, ref_area, period_start, period_end, indicator, obs_value, lower, upper from marts.printed_cells "
        "where transformation = 'N' and breakdown = '_T' and indicator in ('gdp', 'va_primary', 'va_secondary', 'va_tertiary')",
    )
    tables: dict[tuple[Any, ...], dict[str, Row]] = defaultdict(dict)
    for cell in cells:
        tables[cell["publication_id"], cell["ref_area"], cell["period_start"], cell["period_end"]][cell["indicator"]] = cell
    whole = [t for t in tables.values() if {"gdp", *INDUSTRIES} <= set(t) and all(t[i]["lower"] is not None and t[i]["upper"] is not None for i in t)]
    assert len(whole) > 20
    for figures in whole:
        room = sum((Decimal(str(f["upper"])) - Decimal(str(f["lower"])) for f in figures.values()), Decimal()) / 2
        gap = Decimal(str(figures["gdp"]["obs_value"])) - sum((Decimal(str(figures[i]["obs_value"])) for i in INDUSTRIES), Decimal())
        assert abs(gap) <= room + Decimal("1e-6")
    assert not [f for f in found(reader, "parts_sum") if f["indicator"] == "gdp"]
    (rule,) = rows(reader, "select passed + uninformative as judged from marts.rules where rule_id = 'parts_sum'")
    assert rule["judged"] >= len(whole)


def test_census_revisions_are_recognised_and_alarm_nobody(reader: duckdb.DuckDBPyConnection) -> None:
    (rule,) = rows(reader, "select explained from marts.rules where rule_id = 'revision'")
    census = rows(
        reader,
        "select count(*) as n from marts.observation_vintages where origin = 'printed' and stage = 'census' and vintage_no > 1 and transformation = 'N'",
    )
    assert rule["explained"] >= 0.9 * census[0]["n"] > 30
    stages = rows(
        reader,
        "select f.severity from marts.findings as f inner join marts.observation_vintages as v on v.ref_area = f.ref_area and v.indicator = f.indicator "
        "and v.period_end = f.period_end and v.vintage_no = f.vintage_no and v.transformation = f.transformation and v.origin = 'printed' "
        "where f.rule_id = 'revision' and v.stage = 'census'",
    )
    assert {row["severity"] for row in stages} <= {"info"}


def test_what_no_list_names_is_found_too(reader: duckdb.DuckDBPyConnection) -> None:
    (twice,) = found(reader, "two_values")
    cells = rows(
        reader,
        "select distinct obs_value from marts.printed_cells where publication_id = ? and ref_area = ? and indicator = ? and period_end = ?",
        twice["publication_id"],
        twice["ref_area"],
        twice["indicator"],
        twice["period_end"],
    )
    assert len(cells) == 2
    below = found(reader, "target_below_base")
    assert below and all(f["observed"] < f["expected"] for f in below)
    assert len({f["rule_id"] for f in rows(reader, "select rule_id from marts.findings")}) >= 10


def test_every_rule_says_what_it_could_not_judge(reader: duckdb.DuckDBPyConnection) -> None:
    rules = rows(reader, "select * from marts.rules")
    seeded = pl.read_csv(Path(REPOSITORY / "seeds" / "quality" / "cl_rules.csv"))["rule_id"].to_list()
    assert sorted(rule["rule_id"] for rule in rules) == sorted(seeded)
    for rule in rules:
        assert rule["looked_at"] == sum(rule[answer] for answer in ANSWERS), rule["rule_id"]
        assert rule["findings"] <= rule["flagged"], rule["rule_id"]
    by_id = {rule["rule_id"]: rule for rule in rules}
    # growth of GDP is at constant prices: counted as not comparable, never held against current-price levels
    constant = rows(reader, "select count(*) as n from marts.printed_cells where transformation = 'G1Y' and prices = 'constant'")[0]["n"]
    assert by_id["growth"]["not_comparable"] >= 0.9 * constant > 100
    assert sum(rule["uninformative"] for rule in rules) > 0


def test_findings_are_whole_and_few(reader: duckdb.DuckDBPyConnection) -> None:
    findings = rows(reader, "select * from marts.findings")
    figures = rows(reader, "select count(*) as n from marts.printed_cells")[0]["n"]
    assert 0 < len(findings) < 0.03 * figures
    assert len({f["finding_id"] for f in findings}) == len(findings)
    for finding in findings:
        assert re.fullmatch(r"[0-9a-f]{16}", finding["finding_id"]) and finding["values_seen"]
        for column in ("message_zh", "message_en", "suggestion_zh", "suggestion_en"):
            assert finding[column] and not re.search(r"[{}]", finding[column]), finding
        if finding["file"] is None:
            assert finding["rule_id"].startswith(("target_", "unit_dimension")), finding
