"""Bad files and bad seeds: each is told with its place, stops itself, and nothing else."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from dagster_project.intake.ledger import refresh_ledger
from dagster_project.settings import Limits, Settings
from tests.helpers import (
    BULLETIN_2022,
    SOURCE,
    WIDE,
    Row,
    add_seed_row,
    answer,
    command,
    copy_root,
    edit_seed,
    figures,
    publish_day,
    refresh,
    rows,
    tiny_release,
    write_source,
    write_workbook,
)

GOOD = figures(*BULLETIN_2022)
# Cells that are read and then refused: what is printed, the reason, the cell.
CELLS = {
    "unit missing": ("c1,重庆市,地区生产总值,7,,2019年,,observation,,", "unit_missing", "D2"),
    "unit of another dimension": ("c2,重庆市,绿色贷款余额,832,%,2020年末,,observation,,", "unit_dimension", "D3"),
    "impossible period": ("c3,重庆市,地区生产总值,7,亿元,2019年13月,,observation,,", "period_impossible", "D4"),
    "no period": ("c4,重庆市,地区生产总值,7,亿元,,,observation,,", "period_year_not_printed", "D5"),
    "words for a number": ("c5,重庆市,地区生产总值,很多,亿元,2019年,,observation,,", "number_words", "D6"),
    "unknown label": ("c6,重庆市,地区生产总値,7,亿元,2019年,,observation,,", "unmapped_label", "D7"),
    "unknown area": ("c7,重庆巿,地区生产总值,7,亿元,2019年,,observation,,", "unmapped_area", "D8"),
    "unknown unit": ("c8,重庆市,地区生产总值,7,蒲式耳,2019年,,observation,,", "unmapped_unit", "D9"),
}
# Files that give nothing: the code, and what the message must say.
FILES = {
    "damaged.xlsx": ("workbook", ["not a workbook that Excel would open"]),
    "empty.csv": ("empty", ["the file is empty"]),
    "binary.csv": ("binary", ["zero bytes"]),
    "big5.csv": ("encoding", ["UTF-8"]),
    "headless.csv": ("header", ["expected", "found", "row 1", "编号", "A1 序号", "地区", "B1 区县"]),
    "only_header.csv": ("no_cells", ["no row follows"]),
    "other_sheet.xlsx": ("sheet", ["no sheet is called '年度'", "甲, 乙"]),
    "unlaid.csv": ("layout", ["nowhere", "publications.csv"]),
    "outside.csv": ("link", ["out of raw/"]),
}


def bad_files(settings: Settings) -> None:
    """Beside the good files of ``bulletins``: a source of bad ones, one with a broken source.yml, one with a broken layout."""
    bad: dict[str, str | bytes] = {
        "damaged.xlsx": b"PK\x03\x04 and nothing that follows", "empty.csv": b"", "binary.csv": GOOD.encode() + b"\x00\x01\x02",
        "big5.csv": "編號,地區,指標\n".encode("big5") + b"\xff\xfe\x80", "headless.csv": GOOD.replace("编号,地区", "序号,区县"),
        "only_header.csv": figures(), "unlaid.csv": GOOD, "good.csv": figures("g1,重庆市,地区生产总值,77.0,亿元,2018年,,observation,,"),
        "cells.csv": figures(*(line for line, _reason, _cell in CELLS.values()), "c9,重庆市,金融业增加值,6.0,亿元,2019年,,observation,,"),
    }  # fmt: skip
    folder = write_source(settings.root, "bad_ones", bad, "figure_list, years")
    (folder / "layouts").mkdir()
    (folder / "layouts" / "years.yml").write_text(WIDE, encoding="utf-8")
    write_workbook(folder / "files" / "other_sheet.xlsx", {"甲": [["地区", "2023年"]], "乙": [["地区"]]})
    publish_day(folder, "other_sheet.xlsx", "2024-01-01", "years")
    publish_day(folder, "unlaid.csv", "2024-01-01", "nowhere")
    outside = settings.root / "outside.csv"
    outside.write_text(GOOD, encoding="utf-8")
    (folder / "files" / "outside.csv").symlink_to(outside)
    write_source(settings.root, "broken_source", {"s.csv": GOOD})
    (settings.raw / "broken_source" / "source.yml").write_text(
        SOURCE.format(source_id="broken_source", layouts="figure_list").replace("trust: 5", "trust: high"), "utf-8"
    )
    write_source(settings.root, "broken_layout", {"l.csv": GOOD}, "own")
    (settings.raw / "broken_layout" / "layouts").mkdir()
    (settings.raw / "broken_layout" / "layouts" / "own.yml").write_text(
        WIDE.replace("layout: years", "layout: own").replace("地区: area", "地区: place"), encoding="utf-8"
    )


@dataclass(frozen=True)
class Outcome:
    settings: Settings
    code: int
    answer: dict[str, Any]

    def refused(self, name: str) -> dict[str, str]:
        (found,) = [entry for entry in self.answer["files_refused"] if entry["file"].endswith("/" + name)]
        return dict(found)

    def rows(self, sql: str) -> list[Row]:
        return rows(self.settings.released_database, sql)


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """The command, on a warehouse that had a release and then was given every bad file at once."""
    base, _summary = tiny_release(tmp_path_factory.getbasetemp())
    settings = copy_root(base, tmp_path_factory.mktemp("bad"))
    bad_files(settings)
    done = command(settings, "refresh", "--json")
    return Outcome(settings, done.returncode, json.loads(done.stdout or json.dumps({"error": done.stderr})))


def test_a_refresh_with_bad_files_is_done_and_says_so(outcome: Outcome) -> None:
    assert (outcome.code, outcome.answer.get("error")) == (7, None)
    assert len(outcome.answer["files_refused"]) == len(FILES) + 2


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_gives_nothing_is_told_with_its_reason(outcome: Outcome, name: str) -> None:
    code, words = FILES[name]
    told = outcome.refused(name)
    assert told["reason"] == code
    assert all(word in told["message"] for word in words), told["message"]
    (row,) = outcome.rows(f"select refusal, file, reason_zh, reason_en from marts.rejected_cells where kind = 'file' and file like '%/{name}'")
    assert row["refusal"] == f"file_{code}" and told["message"] in row["reason_en"]


def test_a_broken_source_refuses_its_own_files_and_names_the_key(outcome: Outcome) -> None:
    told = outcome.refused("s.csv")
    assert told["reason"] == "source" and "broken_source/source.yml" in told["message"] and "trust" in told["message"]


def test_a_broken_layout_names_its_file_and_key(outcome: Outcome) -> None:
    told = outcome.refused("l.csv")
    assert "broken_layout/layouts/own.yml" in told["message"] and "line 5, columns › 1 › 地区" in told["message"]


def test_messages_name_no_path_of_this_machine(outcome: Outcome) -> None:
    assert [entry["message"] for entry in outcome.answer["files_refused"] if str(outcome.settings.root) in entry["message"]] == []


def test_the_other_files_are_loaded(outcome: Outcome) -> None:
    found = outcome.rows(
        "select time_period, obs_value from marts.observations where indicator = 'gdp' and transformation = 'N' and is_headline order by 1"
    )
    assert [tuple(row.values()) for row in found] == [("2018", 77.0), ("2022", 101.0), ("2023", 112.5)]
    (row,) = outcome.rows(
        "select obs_value from marts.observations where indicator = 'fin_value_added' and transformation = 'N' and time_period = '2019'"
    )
    assert row["obs_value"] == 6.0


@pytest.mark.parametrize("case", CELLS)
def test_a_bad_cell_is_told_with_its_place_its_reason_and_what_to_do(outcome: Outcome, case: str) -> None:
    line, reason, cell = CELLS[case]
    (row,) = outcome.rows(f"select * from marts.rejected_cells where reference = '{line.split(',')[0]}'")
    assert (row["refusal"], row["file"], row["cell"], row["value_text"]) == (reason, "bad_ones/files/cells.csv", cell, line.split(",")[3])
    assert row["reason_zh"] and row["reason_en"] and row["remedy_zh"] and row["remedy_en"]


def test_a_cell_of_a_workbook_has_its_sheet(tmp_path_factory: pytest.TempPathFactory) -> None:
    base, _summary = tiny_release(tmp_path_factory.getbasetemp())
    (row,) = rows(base.released_database, "select distinct sheet from marts.printed_cells where file like '%.xlsx'")
    assert row["sheet"] == "年度"


@pytest.mark.parametrize(
    ("what", "printed", "near", "code", "file"),
    [
        ("label", "地区生产总値", "地区生产总", "gdp", "seeds/mapping/aliases.csv"),
        ("area", "重庆巿", "重庆", "500000", "seeds/codelists/cl_area_names.csv"),
        ("unit", "蒲式耳", None, None, "seeds/codelists/cl_units.csv"),
    ],
)
def test_what_no_seed_knows_comes_with_a_suggestion(outcome: Outcome, what: str, printed: str, near: str | None, code: str | None, file: str) -> None:
    (row,) = outcome.rows(f"select * from marts.unmapped_labels where source_id = 'bad_ones' and what = '{what}'")
    assert (row["printed"], row["cells"], row["seen_in"], row["add_a_line_to"]) == (printed, 1, "cells", file)
    assert row["suggested_code"] == code
    assert row["suggestion"] is None if near is None else row["suggestion"].startswith(near)


def test_what_is_refused_is_still_refused_when_nothing_is_new(outcome: Outcome) -> None:
    intake = refresh_ledger(outcome.settings)
    assert len(intake.refused) == len(FILES) + 2 and intake.read == ()


def test_a_file_over_the_limit_is_not_opened(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    base, _summary = tiny_release(tmp_path_factory.getbasetemp())
    settings = replace(copy_root(base, tmp_path), limits=Limits(file_bytes=2000))
    (settings.raw / "bulletins" / "files" / "big.csv").write_bytes(b"x" * 2001)
    (told,) = [entry for entry in refresh_ledger(settings).refused if entry.file.endswith("big.csv")]
    assert (told.code, told.sha256) == ("size", "") and "2001 bytes: over the limit of 2000" in told.message


def test_a_workbook_that_unpacks_to_nonsense_refuses_itself(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    base, _summary = tiny_release(tmp_path_factory.getbasetemp())
    settings = copy_root(base, tmp_path)
    with zipfile.ZipFile(settings.raw / "bulletins" / "files" / "zip.xlsx", "w") as archive:
        archive.writestr("readme.txt", "no workbook")
    (told,) = refresh_ledger(settings).refused
    assert told.code == "zip"


def test_a_layout_whose_pattern_is_wrong_refuses_its_own_files(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    base, _summary = tiny_release(tmp_path_factory.getbasetemp())
    settings = copy_root(base, tmp_path)
    write_source(settings.root, "other", {"o.csv": GOOD}, "own")
    (settings.raw / "other" / "layouts").mkdir()
    (settings.raw / "other" / "layouts" / "own.yml").write_text(WIDE.replace("layout: years", "layout: own") + "below: ['/(/']\n", encoding="utf-8")
    (told,) = refresh_ledger(settings).refused
    assert told.file == "other/files/o.csv" and "own.yml" in told.message and "line 9, below" in told.message


# --- seeds -----------------------------------------------------------------------------------------------------


@contextmanager
def other_seeds(settings: Settings) -> Iterator[None]:
    """Change the seeds as you like; they are put back."""
    kept = settings.root / "seeds_kept"
    shutil.copytree(settings.seeds, kept)
    try:
        yield
    finally:
        shutil.rmtree(settings.seeds)
        kept.rename(settings.seeds)


def test_seeds_with_faults_stop_the_refresh_before_anything_is_built(outcome: Outcome) -> None:
    settings = outcome.settings
    link, published = settings.current.readlink(), settings.released_database.stat().st_mtime_ns
    with other_seeds(settings):
        add_seed_row(settings.root, "aliases", source_id="*", label="甲", part="0", indicator="gpd", breakdown="_T", currency_scope="_Z")
        add_seed_row(
            settings.root, "retractions", retraction_id="t", publication_id="b2022", reference="f4", expect="40.0", reason="试", author="t",
            decided_on="2026-13-01",
        )  # fmt: skip
        done = command(settings, "refresh", "--json")
    told = json.loads(done.stdout)
    assert (done.returncode, told["exit_code"]) == (4, 4), done.stderr
    text = json.dumps(told, ensure_ascii=False)
    for words in (
        "seeds/mapping/aliases.csv line ",
        "'gpd' is not known; did you mean 'gdp'?",
        "seeds/judgement/retractions.csv line ",
        "2026-13-01",
    ):
        assert words in text, text
    assert settings.current.readlink() == link and settings.released_database.stat().st_mtime_ns == published
    assert not settings.candidate.exists(), "nothing was built"


def test_a_candidate_that_fails_a_check_is_not_published(outcome: Outcome) -> None:
    settings = outcome.settings
    link = settings.current.readlink()
    with other_seeds(settings):
        # the code list of marks and the models must agree on every bit: only the checks inside the candidate can tell
        edit_seed(settings.root, "cl_marks", lambda rows: [{**row, "bit": "3"} if row["mark"] == "estimate" else row for row in rows])
        done = command(settings, "refresh", "--json")
        told = json.loads(done.stdout)
    assert (done.returncode, told["exit_code"]) == (3, 3), done.stdout
    assert "marks_seed_matches_macro" in json.dumps(told)
    assert settings.current.readlink() == link
    code, status = answer(settings, "status")
    assert (code, status["release"]["release_id"]) == (0, link.name)


def test_a_misprinted_denominator_leaves_what_stands_on_it_without_a_value_and_stops_nothing(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    base, _summary = tiny_release(tmp_path_factory.getbasetemp())
    settings = copy_root(base, tmp_path)
    first = (
        "f1,重庆市,保费收入,10.0,亿元,2023年,,observation,,",
        "f2,重庆市,常住人口,3200.0,万人,2023年末,,observation,,",
        "f3,渝中区,保费收入,2.5,亿元,2023年,,observation,,",
        "f4,渝中区,常住人口,60.0,万人,2023年末,,observation,,",
    )
    misprint = "f1,重庆市,常住人口,0.0,万人,2023年末,,observation,,"
    write_source(
        settings.root, "premiums", {"m1.csv": figures(*first), "m2.csv": figures(misprint)}, days={"m1.csv": "2024-02-01", "m2.csv": "2024-03-01"}
    )
    refresh(settings)
    seen = {
        row["indicator"]: (row["values"], row["headline"])
        for row in rows(
            settings.released_database,
            """select indicator, list(obs_value order by sequence) as values, any_value(obs_value) filter (where is_headline) as headline
               from marts.observation_vintages
               where (ref_area, indicator) in (('500000', 'insurance_density'), ('500103', 'insurance_density_multiple_of_city')) group by 1""",
        )
    }
    density, multiple = seen["insurance_density"], seen["insurance_density_multiple_of_city"]
    assert density == ([pytest.approx(31.25), None], pytest.approx(31.25)), "the last that has a value is the one to quote"
    assert multiple == ([pytest.approx(2.5e4 / 60 / 31.25), None], pytest.approx(2.5e4 / 60 / 31.25))
