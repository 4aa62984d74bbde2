"""The real figures, from raw/ to the release: what the published record says is what the marts say.

Belongs here: facts of the real files, asked of the published release only. Does not belong here: how they come about.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_project.intake import layouts, tables
from dagster_project.release.explain import Explainer, Question
from dagster_project.release.refresh import Summary
from dagster_project.release.say import say
from dagster_project.settings import Settings
from tests.helpers import Row, real_release

CITY = "500000"
BEFORE, BETWEEN, TODAY = date(2024, 4, 7), date(2024, 12, 31), date(2026, 11, 20)


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, Summary]:
    return real_release(tmp_path_factory.getbasetemp())


@pytest.fixture(scope="module")
def reader(release: tuple[Settings, Summary]) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(release[0].released_database), read_only=True) as connection:
        yield connection


@pytest.fixture(scope="module")
def explainer(release: tuple[Settings, Summary]) -> Iterator[Explainer]:
    found = Explainer(release[0].released_database)
    yield found
    found.close()


def ask(reader: duckdb.DuckDBPyConnection, sql: str, *parameters: Any) -> list[Row]:
    found = reader.execute(sql, list(parameters))
    names = [column[0] for column in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def one(reader: duckdb.DuckDBPyConnection, sql: str, *parameters: Any) -> Any:
    ((value,),) = reader.execute(sql, list(parameters)).fetchall()
    return value


# --- finance value added as a share of GDP, 2023 ---------------------------------------------------------------


def share(explainer: Explainer, day: date | None) -> Row:
    (series,) = explainer.explain(Question("fin_value_added_share_gdp", CITY, "2023", day))["series"]
    return dict(series)


def derived(series: Row) -> list[Row]:
    return [figure for figure in series["figures"] if figure["origin"] == "derived"]


def bounds(figure: Row) -> tuple[float, float, float]:
    return round(figure["obs_value"], 3), round(figure["lower"], 3), round(figure["upper"], 3)


def test_the_share_as_of_the_end_of_2024(explainer: Explainer) -> None:
    series = share(explainer, BETWEEN)
    (ours,) = derived(series)
    assert bounds(ours) == (8.595, 8.593, 8.597)
    assert {part["indicator"]: part["obs_value"] for part in ours["parts"]} == {"fin_value_added": 2591, "gdp": 30145.79}
    assert (ours["preferred"], ours["headline"], ours["consistent_with_headline"]) == (True, False, "consistent")
    (printed,) = [figure for figure in series["figures"] if figure["origin"] == "printed"]
    assert (printed["obs_value"], printed["headline"]) == (8.6, True)


def test_the_share_leads_down_to_file_and_cell(explainer: Explainer, release: tuple[Settings, Summary]) -> None:
    (ours,) = derived(share(explainer, BETWEEN))
    for part in ours["parts"]:
        shown = [cell for cell in part["prints"] if cell["relation"] == "represents"]
        assert shown
        for cell in shown:
            path = release[0].raw / cell["file"]
            column, row = ord(cell["cell"][0]) - ord("A"), int(cell["cell"][1:])
            with path.open(encoding="utf-8", newline="") as handle:
                assert list(csv.reader(handle))[row - 1][column] == cell["value_text"]


def test_the_share_was_not_yet_known_in_april_2024(explainer: Explainer) -> None:
    series = share(explainer, BEFORE)
    assert series["figures"] == [] and series["quote"] is None
    waiting = {row["origin"]: row for row in series["not_yet_known"]}
    assert waiting["printed"]["known_by"] == waiting["derived"]["known_by"] == date(2024, 9, 3)
    assert waiting["printed"]["first_publication"]["publication_id"] == "p071"
    assert bounds(waiting["derived"])[0] == 8.595


def test_the_share_today(explainer: Explainer) -> None:
    for day in (TODAY, None):
        series = share(explainer, day)
        preferred, mixed = derived(series)
        assert bounds(preferred) == (8.595, 8.593, 8.597) and preferred["preferred"] and preferred["census_basis"] != "mixed"
        assert bounds(mixed) == (8.463, 8.462, 8.465) and not mixed["preferred"] and mixed["census_basis"] == "mixed"
        assert "mixed_basis" in mixed["marks"]
        assert [figure["obs_value"] for figure in series["figures"] if figure["headline"]] == [8.6]


def test_the_share_is_said_with_its_line_to_quote(explainer: Explainer) -> None:
    text = "\n".join(say(explainer.explain(Question("金融业增加值占GDP比重", "重庆市", "2023年"))))
    for words in ("8.595 % [8.593, 8.597]", "8.463 % [8.462, 8.465]", "mixed", "raw/plan_documents/files/zhirong_huichang_2024.csv D2"):
        assert words in text, words
    quoted = next(line for line in text.splitlines() if "quote" in line)
    for words in ("重庆市2023", "8.6%", "初步核算", "2024-09-03"):
        assert words in quoted, words


def test_the_marts_agree_with_what_is_explained(reader: duckdb.DuckDBPyConnection) -> None:
    sql = "select round(obs_value, 3) as v, origin, is_headline, is_preferred from {} where ref_area = '500000' and indicator = 'fin_value_added_share_gdp' and time_period = '2023' order by v"
    today = [(8.463, "derived", False, False), (8.595, "derived", False, True), (8.6, "printed", True, True)]
    assert [tuple(row.values()) for row in ask(reader, sql.format("marts.observations"))] == today
    assert [tuple(row.values()) for row in ask(reader, sql.format("methods.as_of('2026-11-20')"))] == today
    assert [tuple(row.values()) for row in ask(reader, sql.format("methods.as_of('2024-12-31')"))] == today[1:]
    assert ask(reader, sql.format("methods.as_of('2024-04-07')")) == []


# --- vintages of GDP -------------------------------------------------------------------------------------------

GDP = "from marts.observation_vintages where ref_area = '500000' and indicator = 'gdp' and transformation = 'N' and coverage = 'period' and time_period = ?"


def test_gdp_of_2017_has_four_vintages_in_the_order_of_its_stages(reader: duckdb.DuckDBPyConnection) -> None:
    found = ask(
        reader, f"select obs_value, stage, census_basis, known_by, known_by_basis, known_after, known_after_basis {GDP} order by sequence", "2017"
    )
    assert [(row["obs_value"], row["stage"], row["census_basis"]) for row in found] == [
        (19500.27, "first", "3"), (19424.73, "final", "3"), (20066.3, "census", "4"), (20260.8, "census", "5"),
    ]  # fmt: skip
    assert [(row["known_by"], row["known_by_basis"]) for row in found] == [
        (date(2018, 12, 31), "stage"), (date(2018, 12, 31), "commit"), (date(2023, 12, 31), "page"), (date(2026, 3, 15), "commit"),
    ]  # fmt: skip
    assert all(row["known_after"] is not None and row["known_after_basis"] for row in found)
    assert [row["known_after"] for row in found][2:] == [date(2020, 5, 19), date(2025, 3, 29)], "a copy of the same table still lacked it"


def test_every_vintage_of_2017_has_its_prints(explainer: Explainer) -> None:
    (series,) = explainer.explain(Question("gdp", CITY, "2017"))["series"]
    prints = [{cell["publication_id"] for cell in row["prints"]} for row in series["vintages"]]
    assert [bool(each) for each in prints] == [True] * 4
    assert "p022" in prints[0] and {"p238", "p239"} <= prints[1] and {"p240", "p055"} <= prints[2] and prints[3] == {"p242"}


def as_of_gdp(reader: duckdb.DuckDBPyConnection, day: str, year: str) -> list[float]:
    sql = f"select obs_value from methods.as_of('{day}') where ref_area = '500000' and indicator = 'gdp' and transformation = 'N' and time_period = ?"
    return [row["obs_value"] for row in ask(reader, sql, year)]


@pytest.mark.parametrize(
    ("day", "values"),
    [
        ("2019-01-21", []), ("2019-01-22", [20360.0]), ("2019-09-24", [20360.0]), ("2019-09-25", [20363.19]), ("2020-05-18", [20363.19]),
        ("2020-05-19", [21588.80]), ("2024-12-31", [21588.80]), ("2026-03-15", [21866.8]), ("2026-11-20", [21866.8]),
    ],
)  # fmt: skip
def test_the_rounded_gdp_of_2018_is_shown_only_until_the_exact_print(reader: duckdb.DuckDBPyConnection, day: str, values: list[float]) -> None:
    assert as_of_gdp(reader, day, "2018") == values


def test_the_rounded_gdp_of_2018_is_never_current(reader: duckdb.DuckDBPyConnection) -> None:
    found = ask(reader, f"select obs_value, vintage_no, is_current, lower, upper, marks {GDP} order by sequence", "2018")
    coarse, exact = found[:2]
    assert (coarse["obs_value"], coarse["lower"], coarse["upper"]) == (20360, 20350, 20370)
    assert "coarse" in coarse["marks"] and not coarse["is_current"] and coarse["vintage_no"] == exact["vintage_no"]
    assert [row["obs_value"] for row in found if row["is_current"]] == [21866.8]


def test_gdp_of_2022_fell_and_rose(reader: duckdb.DuckDBPyConnection) -> None:
    found = ask(reader, f"select obs_value, stage, census_basis {GDP} order by sequence", "2022")
    assert [tuple(row.values()) for row in found] == [(29129.03, "first", "4"), (28576.1, "final", "4"), (28771.8, "census", "5")]


def test_2021_and_2022_as_of_the_end_of_2024(reader: duckdb.DuckDBPyConnection) -> None:
    assert (as_of_gdp(reader, "2024-12-31", "2021"), as_of_gdp(reader, "2024-12-31", "2022")) == ([28077.3], [28576.1])


def test_what_is_current_for_each_year(reader: duckdb.DuckDBPyConnection) -> None:
    found = ask(
        reader,
        "select time_period, obs_value, stage from marts.observations where ref_area = '500000' and indicator = 'gdp' and transformation = 'N'"
        " and is_headline and freq = 'A' and coverage = 'period' and time_period between '2016' and '2024' order by time_period",
    )
    assert {row["time_period"]: row["obs_value"] for row in found} == {
        "2016": 18271.1, "2017": 20260.8, "2018": 21866.8, "2019": 23689.6, "2020": 25158.1, "2021": 28092.5, "2022": 28771.8, "2023": 30614.3,
        "2024": 32046.7,
    }  # fmt: skip
    assert [row["stage"] for row in found] == ["census"] * 8 + ["final"]


# --- scopes, kinds, carriers, codes ----------------------------------------------------------------------------


def test_deposits_of_2025_print_no_scope(reader: duckdb.DuckDBPyConnection) -> None:
    found = ask(
        reader,
        "select currency_scope, obs_value, origin from marts.observations where ref_area = '500000' and indicator = 'deposits'"
        " and breakdown = '_T' and transformation = 'N' and time_period = '2025'",
    )
    assert [tuple(row.values()) for row in found] == [("_U", 60400.0, "printed")]


def test_what_is_computed_from_an_assumed_scope_is_marked(reader: duckdb.DuckDBPyConnection) -> None:
    ratio = ask(reader, "select marks from marts.observations where ref_area = '500000' and indicator = 'deposits_to_gdp' and time_period = '2025'")
    assert ratio and all("scope_assumed" in row["marks"] for row in ratio)


def test_targets_and_forecasts_are_no_observations(reader: duckdb.DuckDBPyConnection, release: tuple[Settings, Summary]) -> None:
    kinds = {row["obs_kind"] for row in ask(reader, "select distinct obs_kind from marts.observation_vintages")}
    assert kinds == {"observation", "estimate"}
    ahead = {(path, row["编号"]) for path, row in listed(release[0]) if row["性质"] in ("target", "forecast")}
    assert ahead
    assert not ahead & {(row["file"], row["reference"]) for row in ask(reader, "select file, reference from marts.printed_cells")}
    refused = {(row["file"], row["reference"]) for row in ask(reader, "select file, reference from marts.rejected_cells where kind = 'other_kind'")}
    assert refused == ahead
    assert (
        one(
            reader,
            "select count(*) from marts.observation_vintages where indicator = 'fin_value_added' and ref_area = '500000' and time_period in ('2025', '2027')",
        )
        == 0
    )
    assert one(reader, "select count(*) from marts.targets") == 42


def test_estimates_are_marked(reader: duckdb.DuckDBPyConnection) -> None:
    found = ask(reader, "select obs_status, marks from marts.observation_vintages where obs_kind = 'estimate'")
    assert found and all(row["obs_status"] == "E" and "estimate" in row["marks"] for row in found)


def test_a_figure_printed_by_several_carriers_is_one_figure(reader: duckdb.DuckDBPyConnection) -> None:
    (first, *_rest) = ask(reader, f"select vintage_id, obs_value {GDP} order by sequence", "2022")
    carriers = one(reader, "select count(distinct publication_id) from marts.printed_cells where vintage_id = ?", first["vintage_id"])
    assert carriers == 5
    several = one(
        reader,
        "select count(*) from (select 1 from marts.observations where is_headline group by ref_area, indicator, breakdown, currency_scope,"
        " transformation, prices, period_start, period_end having count(*) > 1)",
    )
    assert several == 0
    represented = ask(
        reader,
        "select count(*) filter (where relation = 'represents') as n from marts.printed_cells where vintage_id is not null group by vintage_id",
    )
    assert {row["n"] for row in represented} <= {0, 1}


def test_500110_is_wansheng_in_2007_and_qijiang_in_2022(reader: duckdb.DuckDBPyConnection, explainer: Explainer) -> None:
    sql = "select distinct a.name_zh, o.ref_area from marts.observations as o join marts.areas as a using (ref_area) where o.area_code = '500110' and o.time_period = ?"
    assert [tuple(row.values()) for row in ask(reader, sql, "2007")] == [("万盛区", "500110_2011")]
    assert [tuple(row.values()) for row in ask(reader, sql, "2022")] == [("綦江区", "500110")]
    (then,) = explainer.explain(Question("population_registered", "500110", "2007"))["series"]
    (now,) = explainer.explain(Question("gdp", "500110", "2022"))["series"]
    assert (then["area_zh"], now["area_zh"]) == ("万盛区", "綦江区")


# --- nothing lost ----------------------------------------------------------------------------------------------


def listed(settings: Settings) -> Iterator[tuple[str, dict[str, str]]]:
    """Every line of every figure list, read without the reader."""
    for path in sorted(settings.raw.glob("*/files/*.csv")):
        data = path.read_bytes()
        if data.startswith("编号,".encode()) or data.startswith(b"\xef\xbb\xbf" + "编号,".encode()):
            with path.open(encoding="utf-8-sig", newline="") as handle:
                for row in csv.DictReader(handle):
                    yield path.relative_to(settings.raw).as_posix(), row


def wide_cells(settings: Settings) -> int:
    """Cells below a year and beside an area in every wide table."""
    count = 0
    files = [
        path
        for path in settings.raw.glob("*/files/*")
        if path.suffix == ".xlsx" or not path.read_bytes().lstrip(b"\xef\xbb\xbf").startswith("编号,".encode())
    ]
    for path in files:
        (sheet,) = tables.read_book(path.read_bytes()).sheets
        grid = [[(text or "").strip() for text in row[1:]] for row in sheet.cells.iter_rows()]
        start = next(number for number, row in enumerate(grid) if row[0] == "地区")
        years = sum(bool(text) for text in grid[start][1:])
        body = [row[0] for row in grid[start + 1 :]]
        end = next((number for number, stub in enumerate(body) if stub.startswith(("注", "数据来源"))), len(body))
        count += years * sum(bool(stub) for stub in body[:end])
    return count


def test_figures_given_are_ledger_are_accepted_refused_and_other_kinds(release: tuple[Settings, Summary], reader: duckdb.DuckDBPyConnection) -> None:
    settings, summary = release
    lines = list(listed(settings))
    given = len(lines) + sum(bool(row["同比"].strip()) for _path, row in lines) + wide_cells(settings)
    assert given == summary.cells == one(reader, "select cells from marts.release")
    # a ratio such as 6.9:40.1:53.0 is one cell and three figures
    accepted = one(reader, "select count(*) from (select distinct file, sheet, cell from marts.printed_cells)")
    refused = one(reader, "select count(*) from marts.rejected_cells where kind = 'refused'")
    other = one(reader, "select count(*) from marts.rejected_cells where kind = 'other_kind'")
    assert accepted + refused + other == given
    assert (summary.refused, summary.other_kinds) == (refused, other)
    assert summary.figures == one(reader, "select count(*) from marts.printed_cells") > accepted


def test_every_refusal_says_why_and_what_to_do(reader: duckdb.DuckDBPyConnection) -> None:
    found = ask(reader, "select * from marts.rejected_cells")
    assert found and all(row["reason_zh"] and row["reason_en"] and row["remedy_zh"] and row["remedy_en"] for row in found)
    assert one(reader, "select count(*) from marts.unmapped_labels") == 0
    assert one(reader, "select count(*) from marts.rejected_cells where kind = 'file'") == 0


def test_a_plans_loans_printed_in_percent_are_refused(reader: duckdb.DuckDBPyConnection) -> None:
    (row,) = ask(reader, "select value_text, unit_text, reason_en from marts.rejected_cells where refusal = 'unit_dimension'")
    assert (row["value_text"], row["unit_text"]) == ("832", "%") and "dimension" in row["reason_en"]
    (loans,) = ask(
        reader,
        "select obs_value from marts.observations where indicator = 'green_loans' and ref_area = '500103' and time_period = '2020' and transformation = 'N' and is_headline",
    )
    assert loans["obs_value"] == 831.6


def test_the_gap_list_says_whom_to_ask(reader: duckdb.DuckDBPyConnection) -> None:
    size, asked, kinds = reader.sql("select count(*), count(ask_zh), list_sort(list(distinct gap)) from marts.gaps").fetchall()[0]
    assert size > 1000 and asked == size and kinds == ["hole", "never seen", "not since"]


def test_planned_indicators_are_computed_where_their_inputs_exist(reader: duckdb.DuckDBPyConnection) -> None:
    found = {
        row["indicator"]: row["n"]
        for row in ask(
            reader,
            "select indicator, count(*) as n from marts.observation_vintages where origin = 'derived' and formula_id <> 'growth_on_year' group by all",
        )
    }
    for indicator in (
        "fin_value_added_share_gdp",
        "deposits_loans",
        "loan_deposit_ratio",
        "deposits_to_gdp",
        "loans_to_gdp",
        "insurance_depth",
        "insurance_density",
    ):
        assert found.get(indicator, 0) > 0, indicator
    assert one(reader, "select count(*) from marts.observation_vintages where origin = 'derived' and formula_id = 'growth_on_year'") > 300
    assert one(reader, "select count(*) from marts.rankings where group_id = 'cq_districts'") > 0


THEMES = ("value_added", "deposits_loans", "capital_market", "green_finance", "insurance", "institutions", "corridor")


@pytest.mark.parametrize("theme", THEMES)
def test_a_wide_mart_shows_the_headline_levels_of_its_theme_and_nothing_else(reader: duckdb.DuckDBPyConnection, theme: str) -> None:
    key = "ref_area, currency_scope, freq, time_period, period_end"
    codes = {code for (code,) in reader.execute("select indicator from marts.indicators").fetchall()}
    columns = [column for (column,) in reader.execute("select column_name from duckdb_columns() where table_name = ?", [theme]).fetchall()]
    held = 0
    for column in columns:
        indicator = max((code for code in codes if column.startswith(f"{code}_") and "_growth_" not in column), key=len, default="")
        if not indicator:
            continue
        wanted = f"""select {key}, obs_value from marts.observations
            where indicator = '{indicator}' and transformation = 'N' and breakdown = '_T' and is_headline and coverage <> 'span'"""
        shown = f"select {key}, {column} from marts.{theme} where {column} is not null"
        assert one(reader, f"select count(*) from ({wanted} and obs_value is not null except {shown})") == 0, column
        assert one(reader, f"select count(*) from ({shown} except {wanted})") == 0, column
        held += one(reader, f"select count(*) from ({shown})")
    assert held > 0
    assert one(reader, f"select count(*) - count(distinct hash({key}, coverage)) from marts.{theme}") == 0


def test_growth_stands_beside_its_level_by_where_it_comes_from(reader: duckdb.DuckDBPyConnection) -> None:
    row = one(reader, "select w from marts.value_added as w where ref_area = ? and time_period = '2023' and coverage = 'period'", CITY)
    printed, computed = (
        one(
            reader,
            """select obs_value from marts.observation_vintages where ref_area = ? and indicator = 'gdp' and transformation = 'G1Y'
               and time_period = '2023' and coverage = 'period' and origin = ? and is_preferred""",
            CITY,
            origin,
        )
        for origin in ("printed", "derived")
    )
    assert (row["gdp_growth_printed_percent"], row["gdp_growth_computed_percent"]) == (printed, computed)
    assert printed != computed


def test_every_derived_figure_has_lineage_to_printed_cells(reader: duckdb.DuckDBPyConnection) -> None:
    assert one(reader, "select count(*) from marts.observation_vintages where origin = 'derived' and len(inputs) = 0") == 0
    lost = one(
        reader,
        "with recursive steps as (select vintage_id as root, unnest(inputs) as vintage_id from marts.observation_vintages where origin = 'derived'"
        " union select s.root, unnest(v.inputs) from steps as s join marts.observation_vintages as v on v.vintage_id = s.vintage_id where v.inputs is not null)"
        " select count(*) from marts.observation_vintages as v where origin = 'derived' and not exists (select 1 from steps as s"
        " join marts.printed_cells as c on c.vintage_id = s.vintage_id where s.root = v.vintage_id)",
    )
    assert lost == 0


def test_no_source_is_named_in_code(release: tuple[Settings, Summary]) -> None:
    code = "\n".join(path.read_text(encoding="utf-8") for path in (Path(layouts.__file__).parent.parent).rglob("*.py"))
    for path in release[0].raw.glob("*/source.yml"):
        assert f'"{path.parent.name}"' not in code, path.parent.name
