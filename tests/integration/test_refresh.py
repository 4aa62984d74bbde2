"""What a refresh does when something changes, and that it does nothing when nothing has.

Three releases of one tiny warehouse tell it: the first; a second after a new file, seed rows and answers; a third after a file
changed and another vanished. Belongs here: behaviour across releases. Does not belong here: the real figures, bad files.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_project.intake import ledger
from dagster_project.release import fingerprint
from dagster_project.release.difference import Difference, difference
from dagster_project.release.refresh import Summary
from dagster_project.settings import Settings, quoted
from tests.helpers import (
    BULLETIN_2023,
    Row,
    add_seed_row,
    answer,
    command,
    copy_root,
    figures,
    publish_day,
    refresh,
    rows,
    tiny_release,
    write_source,
)

ADDED = "gdp_without_finance"


@dataclass(frozen=True)
class Story:
    """The three releases' files and summaries; ``kept`` is a reader that opened the first and never let go."""

    settings: Settings
    databases: tuple[Path, Path, Path]
    summaries: tuple[Summary, Summary, Summary]
    kept: duckdb.DuckDBPyConnection
    ledger_before: frozenset[str]
    waiting: tuple[bool, bool]

    def rows(self, release: int, sql: str, *parameters: Any) -> list[Row]:
        return rows(self.databases[release - 1], sql, *parameters)

    def values(self, release: int, indicator: str, period: str, more: str = "") -> list[float]:
        found = self.rows(
            release,
            f"select obs_value from marts.observations where indicator = ? and time_period = ? and transformation = 'N' and is_headline {more}",
            indicator,
            period,
        )
        return [row["obs_value"] for row in found]


def answer_the_first_release(settings: Settings) -> None:
    """A new file; an indicator, an alias, a retraction and a correction as seed rows."""
    folder = write_source(
        settings.root, "bulletins", {"b2024.csv": figures("f1,重庆市,地区生产总值,120.00,亿元,2024年,,observation,初步核算,")}, "figure_list, years"
    )
    publish_day(folder, "b2024.csv", "2025-03-01")
    add_seed_row(
        settings.root, "cl_indicators", indicator=ADDED, name_zh="地区生产总值减金融业", name_en="GDP without finance", definition_zh="试",
        definition_en="trial", theme="economy", kind="flow", span="period", unit_measure="CNY", unit_mult="8", polarity="0",
        growth_computed="false", census_revised="true", scoped="false", planned="false",
    )  # fmt: skip
    add_seed_row(
        settings.root, "formulas", formula_id=ADDED, level="1", theme="economy", indicator=ADDED, breakdown="_T", currency_scope="_Z",
        transformation="N", prices="current", scale="1", offset_value="0", description_zh="相减", description_en="the difference",
    )  # fmt: skip
    for term, indicator, coefficient in (("1", "gdp", "1"), ("2", "fin_value_added", "-1")):
        add_seed_row(
            settings.root, "formula_terms", formula_id=ADDED, term=term, side="numerator", indicator=indicator, breakdown="_T",
            currency_scope="_Z", transformation="N", prices="current", coefficient=coefficient, area_scope="self", span="same", lag="0",
        )  # fmt: skip
    add_seed_row(
        settings.root, "aliases", source_id="*", label="神秘指标", part="0", indicator="fixed_investment", breakdown="_T", currency_scope="_Z"
    )
    add_seed_row(
        settings.root, "retractions", retraction_id="t1", publication_id="b2022", reference="f4", expect="40.0", reason="试", author="t",
        decided_on="2026-01-01",
    )  # fmt: skip
    add_seed_row(
        settings.root, "corrections", correction_id="t2", publication_id="b2023", reference="f4", field="value_text", expect="87", value="78",
        reason="试", author="t", decided_on="2026-01-01",
    )  # fmt: skip


def waits(settings: Settings) -> bool:
    return not fingerprint.up_to_date(settings, fingerprint.inputs(settings))


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    base, first = tiny_release(tmp_path_factory.getbasetemp())
    settings = copy_root(base, tmp_path_factory.mktemp("story") / "o'neil 重庆")
    one = settings.released_database.resolve()
    files = frozenset(path.name for path in (settings.ledger / "cells").iterdir())
    with duckdb.connect(str(settings.released_database), read_only=True) as kept:
        kept.execute("from marts.release").fetchall()
        before = waits(settings)
        answer_the_first_release(settings)
        after = waits(settings)
        second = refresh(settings)
        two = settings.released_database.resolve()
        files |= {path.name for path in (settings.ledger / "cells").iterdir()}
        folder = settings.raw / "bulletins" / "files"
        (folder / "b2022.csv").unlink()
        (folder / "b2023.csv").write_text(figures(*BULLETIN_2023).replace("9.90", "9.50"), encoding="utf-8")
        third = refresh(settings)
        three = settings.released_database.resolve()
        yield Story(settings, (one, two, three), (first, second, third), kept, files, (before, after))


# --- nothing to do ---------------------------------------------------------------------------------------------


def test_an_unchanged_warehouse_is_left_alone(story: Story) -> None:
    link, note = story.settings.current.readlink(), ledger.manifest_path(story.settings).stat().st_mtime_ns
    done = command(story.settings, "refresh")
    assert (done.returncode, "Nothing new" in done.stdout) == (0, True), done.stderr
    assert story.settings.current.readlink() == link and ledger.manifest_path(story.settings).stat().st_mtime_ns == note


def test_another_time_on_a_file_is_no_change(story: Story) -> None:
    assert not waits(story.settings)
    for path in (story.settings.raw / "bulletins" / "files").iterdir():
        path.touch()
    assert not waits(story.settings)


def test_a_change_is_noticed(story: Story) -> None:
    assert story.waiting == (False, True)


# --- a new file, and seed rows ---------------------------------------------------------------------------------


def test_a_new_file_is_alone_read(story: Story) -> None:
    _first, second, _third = story.summaries
    assert (second.files_read, second.files_unchanged, second.files_refused) == (1, 3, [])
    assert story.values(1, "gdp", "2024") == [] and story.values(2, "gdp", "2024") == [120.0]


def test_an_indicator_of_seed_rows_alone_has_vintages_and_lineage(story: Story) -> None:
    assert story.rows(1, "from marts.observations where indicator = ?", ADDED) == []
    found = story.rows(
        2,
        "select time_period, vintage_no, obs_value, lower, upper, known_by, inputs from marts.observation_vintages where indicator = ? order by time_period, sequence",
        ADDED,
    )
    shown = [(row["time_period"], row["vintage_no"], round(row["obs_value"], 6), str(row["known_by"])) for row in found]
    assert shown == [
        ("2022", 1, 92.0, "2023-03-01"), ("2022", 2, 93.0, "2025-01-15"), ("2023", 1, 100.1, "2024-03-01"), ("2023", 2, 102.6, "2025-01-15"),
    ]  # fmt: skip
    assert [(round(row["lower"], 3), round(row["upper"], 3)) for row in found[:2]] == [(91.99, 92.01), (92.945, 93.055)]
    assert all(len(row["inputs"]) == 2 for row in found)
    lineage = story.rows(
        2,
        "select i.indicator from marts.lineage as l join marts.observation_vintages as v on v.vintage_id = l.vintage_id"
        " join marts.observation_vintages as i on i.vintage_id = l.input_vintage_id"
        " where l.kind = 'input' and v.indicator = ? and v.time_period = '2023' and v.vintage_no = 1 order by l.position",
        ADDED,
    )
    assert [row["indicator"] for row in lineage] == ["gdp", "fin_value_added"]
    (told,) = story.rows(2, "select * from marts.indicators where indicator = ?", ADDED)
    assert told["name_en"] == "GDP without finance"


def test_an_alias_maps_a_label_without_reading_again(story: Story) -> None:
    (unmapped,) = story.rows(1, "select what, printed, cells, seen_in, add_a_line_to from marts.unmapped_labels")
    assert tuple(unmapped.values()) == ("label", "神秘指标", 1, "b2023", "seeds/mapping/aliases.csv")
    assert story.rows(2, "from marts.unmapped_labels") == []
    assert story.values(2, "fixed_investment", "2023") == [12.0]


def test_a_retraction_takes_a_figure_out_and_stays_visible(story: Story) -> None:
    assert story.values(1, "retail_sales", "2022") == [40.0] and story.values(2, "retail_sales", "2022") == []
    (row,) = story.rows(2, "select refusal, file, cell, value_text from marts.rejected_cells where refusal = 'retracted'")
    assert tuple(row.values()) == ("retracted", "bulletins/files/b2022.csv", "D5", "40.0")


def test_a_correction_changes_the_figure_and_both_texts_stay(story: Story) -> None:
    assert story.values(1, "listed_companies", "2023") == [87.0] and story.values(2, "listed_companies", "2023") == [78.0]
    (row,) = story.rows(2, "select value_text, obs_value, marks from marts.printed_cells where indicator = 'listed_companies'")
    assert (row["value_text"], row["obs_value"]) == ("87", 78.0) and "corrected" in row["marks"]
    name = ledger.load_manifest(story.settings)["bulletins/files/b2023.csv"].ledger
    printed = duckdb.sql(f"select value_text from read_parquet('{quoted(story.settings.ledger / 'cells' / name)}') where cell = 'D5'").fetchall()
    assert printed == [("87",)], "the ledger keeps what was printed"


# --- a changed file, a vanished file ---------------------------------------------------------------------------


def test_a_changed_file_is_another_ledger_file_and_the_old_one_stays(story: Story) -> None:
    now = {path.name for path in (story.settings.ledger / "cells").iterdir()}
    assert now > story.ledger_before and len(now) == len(story.ledger_before) + 1
    assert (story.summaries[2].files_read, story.summaries[2].files_unchanged) == (1, 2)
    assert story.values(2, "fin_value_added", "2023") == [9.9] and story.values(3, "fin_value_added", "2023") == [9.5]


def test_a_vanished_file_keeps_its_figures_and_is_reported(story: Story) -> None:
    assert story.summaries[2].files_vanished == ["bulletins/files/b2022.csv"]
    assert story.values(3, "fin_value_added", "2022") == [8.0]
    (row,) = story.rows(3, "select * from marts.publications where publication_id = 'b2022'")
    assert row["publication_id"] == "b2022"


# --- what changed ----------------------------------------------------------------------------------------------


def changes(found: Difference) -> set[tuple[str, str, str, float | None, float | None]]:
    return {(row["change"], row["indicator"], row["time_period"], row["before"], row["after"]) for row in found.rows if row["transformation"] == "N"}


def test_the_difference_says_new_revised_and_vanished(story: Story) -> None:
    found = difference(story.databases[0], story.databases[1])
    assert changes(found) == {
        ("new", "gdp", "2024", None, 120.0), ("new", "fixed_investment", "2023", None, 12.0),
        ("vanished", "retail_sales", "2022", 40.0, None), ("revised", "listed_companies", "2023", 87.0, 78.0),
    }  # fmt: skip
    assert (found.new, found.revised, found.vanished) == (2, 1, 1)
    second, third = story.summaries[1:]
    assert (second.new, second.revised, second.vanished) == (2, 1, 1)
    assert (third.new, third.revised, third.vanished) == (0, 1, 0)
    assert changes(difference(story.databases[1], story.databases[2])) == {("revised", "fin_value_added", "2023", 9.9, 9.5)}


def test_the_command_tells_the_same_difference(story: Story) -> None:
    code, found = answer(story.settings, "diff", story.databases[0].parent.name, story.databases[1].parent.name)
    assert (code, found["new"], found["revised"], found["vanished"]) == (0, 2, 1, 1)
    code, found = answer(story.settings, "diff", story.databases[0].parent.name, "--derived")
    assert code == 0 and any(row["origin"] == "derived" for row in found["rows"])


# --- readers ---------------------------------------------------------------------------------------------------


def test_every_release_is_kept(story: Story) -> None:
    assert len(set(story.databases)) == 3 and all(path.is_file() for path in story.databases)
    assert sorted(path.name for path in story.settings.releases.iterdir()) == sorted(path.parent.name for path in story.databases)


def test_an_open_reader_keeps_its_release_and_the_next_one_sees_the_new(story: Story) -> None:
    ids = [path.parent.name for path in story.databases]
    assert story.kept.sql("select release_id from marts.release").fetchall() == [(ids[0],)]
    assert rows(story.settings.released_database, "select release_id from marts.release") == [{"release_id": ids[2]}]


def test_a_release_holds_what_is_released_and_nothing_on_the_way(story: Story) -> None:
    for number in (1, 3):
        found = story.rows(number, "select distinct table_schema as name from information_schema.tables")
        assert {row["name"] for row in found} == {"marts", "quality"}
        macros = story.rows(number, "select distinct schema_name as schema, function_name as name from duckdb_functions() where not internal")
        assert {row["schema"] for row in macros} == {"methods"}
        assert {"as_of", "explain"} <= {row["name"] for row in macros}
        assert not any(path.suffix in (".wal", ".tmp") for path in story.databases[number - 1].parent.iterdir())


METHODS = (
    "select obs_value from {0}methods.as_of('2024-12-31') where indicator = 'gdp' and transformation = 'N' order by 1",
    "select obs_value from {0}methods.as_of('2026-01-01') where indicator = 'gdp' and transformation = 'N' order by 1",
    "select distinct obs_value from {0}methods.explain('gdp', '500000', '2022') where depth = 0 and transformation = 'N'",
    "select distinct obs_value from {0}methods.explain('gdp', '500000', '2022', as_of_date := '2024-01-01') where depth = 0 and transformation = 'N'",
    "select distinct file, cell from {0}methods.explain('fin_value_added_share_gdp', '500000', '2022') where value_text is not null order by all",
)
ANSWERS: list[list[tuple[Any, ...]]] = [
    [(100.0,), (110.0,)], [(101.0,), (112.5,), (120.0,)], [(101.0,)], [(100.0,)],
    [("bulletins/files/b2022.csv", "D3"), ("bulletins/files/table.xlsx", "C2")],
]  # fmt: skip


def test_the_methods_answer_in_a_release_opened_directly(story: Story) -> None:
    with duckdb.connect(str(story.settings.released_database), read_only=True) as reader:
        assert [reader.sql(sql.format("")).fetchall() for sql in METHODS] == ANSWERS


def test_the_methods_answer_in_a_release_attached_from_another_session(story: Story) -> None:
    with duckdb.connect() as session:
        session.execute(f"attach '{quoted(story.settings.released_database)}' as fincenter (read_only)")
        assert [session.sql(sql.format("fincenter.")).fetchall() for sql in METHODS] == ANSWERS


def test_as_of_has_the_columns_of_observations(story: Story) -> None:
    columns = [row["column_name"] for row in story.rows(3, "describe from marts.observations")]
    assert [row["column_name"] for row in story.rows(3, "describe from methods.as_of('2026-01-01')")] == columns
