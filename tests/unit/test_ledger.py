"""Files in, ledger out: what is read again, what is not, and that a reading is a pure function of bytes and layout."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from dagster_project.intake import cells as layout_cells
from dagster_project.intake import ledger
from dagster_project.intake.ledger import Intake, refresh_ledger
from dagster_project.settings import REPOSITORY, Settings
from tests.helpers import BULLETIN_2022, BULLETIN_2023, HEADER, figures, publish_day, write_source, write_workbook

FIRST = datetime(2026, 1, 1, 12, tzinfo=UTC)
LATER = datetime(2026, 2, 1, 12, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Two files of one source; no seeds, no dbt: the ledger needs neither."""
    return two_files(tmp_path)


def two_files(root: Path) -> Settings:
    layouts = root / "raw" / "_layouts"
    layouts.mkdir(parents=True)
    for path in (REPOSITORY / "raw" / "_layouts").glob("*.yml"):
        (layouts / path.name).write_bytes(path.read_bytes())
    write_source(root, "bulletins", {"b2022.csv": figures(*BULLETIN_2022), "b2023.csv": figures(*BULLETIN_2023)}, "figure_list")
    return Settings(root=root)


def read_names(intake: Intake) -> list[str]:
    return [entry.file for entry in intake.read]


def ledger_files(settings: Settings) -> set[str]:
    return {path.name for path in (settings.ledger / "cells").glob("*.parquet")}


def cells(settings: Settings, file: str) -> pl.DataFrame:
    return pl.read_parquet(settings.ledger / "cells" / ledger.load_manifest(settings)[file].ledger)


def test_every_cell_is_a_row(settings: Settings) -> None:
    intake = refresh_ledger(settings, now=FIRST)
    assert read_names(intake) == ["bulletins/files/b2022.csv", "bulletins/files/b2023.csv"]
    assert [entry.cells for entry in intake.read] == [6, 5]  # a growth is a cell of its own
    frame = cells(settings, "bulletins/files/b2022.csv")
    assert frame.height == 6
    assert {(row["cell"], row["transformation"]) for row in frame.iter_rows(named=True)} >= {("D2", "N"), ("G2", "G1Y")}


def test_files_read_in_several_batches_are_what_they_are_in_one(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    once = refresh_ledger(settings, now=FIRST)
    several = two_files(tmp_path / "several")
    (several.raw / "bulletins" / "files" / "b2024.csv").write_text("no header\n", encoding="utf-8")  # a refusal in the midst of it
    monkeypatch.setattr(ledger, "BATCH", 1)
    batches: list[int] = []
    read_together = ledger._read_together

    def counted(pending: Sequence[ledger._Pending]) -> object:
        batches.append(len(pending))
        return read_together(pending)

    monkeypatch.setattr(ledger, "_read_together", counted)
    intake = refresh_ledger(several, now=FIRST)
    assert batches == [1, 1] and [entry.code for entry in intake.refused] == ["header"]
    assert [(entry.file, entry.ledger, entry.cells, entry.numbers) for entry in intake.read] == [
        (entry.file, entry.ledger, entry.cells, entry.numbers) for entry in once.read
    ]
    for entry in once.read:
        assert cells(several, entry.file).equals(cells(settings, entry.file))


def test_nothing_new_is_not_opened(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    refresh_ledger(settings, now=FIRST)
    before = ledger.manifest_path(settings).stat()

    read_bytes = Path.read_bytes

    def watched(path: Path) -> bytes:
        assert path.suffix != ".csv", "a file that is as it was was opened"
        return read_bytes(path)

    monkeypatch.setattr(Path, "read_bytes", watched)
    intake = refresh_ledger(settings, now=LATER)
    assert (intake.read, intake.unchanged) == ((), 2)
    assert ledger.manifest_path(settings).stat().st_mtime_ns == before.st_mtime_ns


def test_another_time_on_the_same_bytes_is_not_read(settings: Settings) -> None:
    refresh_ledger(settings, now=FIRST)
    files = ledger_files(settings)
    path = settings.raw / "bulletins" / "files" / "b2022.csv"
    os.utime(path, ns=(1, 1))
    intake = refresh_ledger(settings, now=LATER)
    assert (intake.read, intake.unchanged) == ((), 2)
    assert ledger.load_manifest(settings)["bulletins/files/b2022.csv"].mtime_ns == 1
    assert ledger_files(settings) == files


def test_a_new_file_is_alone_read(settings: Settings) -> None:
    refresh_ledger(settings, now=FIRST)
    write_source(settings.root, "bulletins", {"b2024.csv": figures("f1,重庆市,地区生产总值,120,亿元,2024年,,observation,,")})
    intake = refresh_ledger(settings, now=LATER)
    assert (read_names(intake), intake.unchanged) == (["bulletins/files/b2024.csv"], 2)
    recorded = {entry.file: entry.recorded_at for entry in intake.entries}
    assert recorded["bulletins/files/b2024.csv"].startswith("2026-02-01") and recorded["bulletins/files/b2022.csv"].startswith("2026-01-01")


def test_other_bytes_under_the_same_name_are_another_ledger_file_and_the_old_one_stays(settings: Settings) -> None:
    refresh_ledger(settings, now=FIRST)
    files = ledger_files(settings)
    changed = [BULLETIN_2023[0].replace("110.00", "111.00"), *BULLETIN_2023[1:]]
    write_source(settings.root, "bulletins", {"b2023.csv": figures(*changed)})
    intake = refresh_ledger(settings, now=LATER)
    assert read_names(intake) == ["bulletins/files/b2023.csv"]
    assert ledger_files(settings) > files and len(ledger_files(settings)) == 3
    assert "111.00" in cells(settings, "bulletins/files/b2023.csv")["value_text"].to_list()


def test_bytes_seen_before_keep_the_day_they_were_first_recorded(settings: Settings) -> None:
    refresh_ledger(settings, now=FIRST)
    path = settings.raw / "bulletins" / "files" / "b2023.csv"
    path.rename(path.with_name("moved.csv"))
    (moved,) = refresh_ledger(settings, now=LATER).read
    assert moved.file == "bulletins/files/moved.csv" and moved.recorded_at.startswith("2026-01-01")


def test_a_file_that_vanished_is_reported_and_keeps_its_cells(settings: Settings) -> None:
    refresh_ledger(settings, now=FIRST)
    (settings.raw / "bulletins" / "files" / "b2022.csv").unlink()
    intake = refresh_ledger(settings, now=LATER)
    (gone,) = intake.vanished
    assert gone.file == "bulletins/files/b2022.csv" and gone.vanished_at.startswith("2026-02-01")
    assert cells(settings, gone.file).height == 6
    again = refresh_ledger(settings, now=datetime(2026, 3, 1, tzinfo=UTC))
    assert [entry.vanished_at for entry in again.vanished] == [gone.vanished_at], "the day it was first missed stays"
    write_source(settings.root, "bulletins", {"b2022.csv": figures(*BULLETIN_2022)})
    back = refresh_ledger(settings, now=datetime(2026, 4, 1, tzinfo=UTC))
    assert (back.vanished, back.read) == ((), ())
    assert not ledger.load_manifest(settings)["bulletins/files/b2022.csv"].vanished_at


def test_a_changed_layout_reads_only_its_own_files_again(settings: Settings) -> None:
    folder = settings.raw / "bulletins"
    own = folder / "layouts" / "own.yml"
    own.parent.mkdir()
    own.write_text((settings.raw / "_layouts" / "figure_list.yml").read_text(encoding="utf-8").replace("layout: figure_list", "layout: own"), "utf-8")
    (folder / "source.yml").write_text((folder / "source.yml").read_text(encoding="utf-8").replace("[figure_list]", "[figure_list, own]"), "utf-8")
    publish_day(folder, "b2023.csv", "2024-03-01", "own")
    refresh_ledger(settings, now=FIRST)
    own.write_text(own.read_text(encoding="utf-8").replace("逐条摘录", "逐条抄录"), "utf-8")
    intake = refresh_ledger(settings, now=LATER)
    assert (read_names(intake), intake.unchanged) == (["bulletins/files/b2023.csv"], 1)
    assert len(ledger_files(settings)) == 3


def test_a_newer_reader_reads_everything_again(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    refresh_ledger(settings, now=FIRST)
    monkeypatch.setattr(ledger, "READER_VERSION", "next")
    assert len(refresh_ledger(settings, now=LATER).read) == 2
    assert len(ledger_files(settings)) == 4


def test_a_lost_ledger_file_is_read_again(settings: Settings) -> None:
    refresh_ledger(settings, now=FIRST)
    name = ledger.load_manifest(settings)["bulletins/files/b2022.csv"].ledger
    (settings.ledger / "cells" / name).unlink()
    assert read_names(refresh_ledger(settings, now=LATER)) == ["bulletins/files/b2022.csv"]


def test_a_refused_new_version_leaves_the_last_readable_one_in_place(settings: Settings) -> None:
    refresh_ledger(settings, now=FIRST)
    before = ledger.load_manifest(settings)["bulletins/files/b2022.csv"].ledger
    write_source(settings.root, "bulletins", {"b2022.csv": b""})
    (refused,) = refresh_ledger(settings, now=LATER).refused
    assert (refused.code, refused.file) == ("empty", "bulletins/files/b2022.csv")
    entry = ledger.load_manifest(settings)["bulletins/files/b2022.csv"]
    assert (entry.status, entry.ledger) == ("refused", before)


def test_the_same_bytes_and_layout_give_the_same_rows_whatever_else_is_read(tmp_path: Path) -> None:
    alone, together = tmp_path / "alone", tmp_path / "together"
    settings = two_files(together)
    (settings.raw / "bulletins" / "files" / "b2022.csv").unlink()
    other = two_files(alone)
    refresh_ledger(settings, now=FIRST)
    refresh_ledger(other, now=LATER)
    name = "bulletins/files/b2023.csv"
    assert ledger.load_manifest(settings)[name].ledger == ledger.load_manifest(other)[name].ledger
    assert cells(settings, name).equals(cells(other, name))


VALUES = st.sampled_from(
    ["1", "100.50", "1,234.5", "超6200", "约 15", "12.5%", "-", "…", "", "6.9:40.1:53.0", "１２３", "下降3.2", "无", "1e5", "3.4*"]
)
PERIODS = st.sampled_from(["2022年", "2022年末", "2022年1-9月", "2022年13月", "", "一季度", "2021-2022年"])
UNITS = st.sampled_from(["亿元", "万元", "%", "", "家", "billion yuan", "蒲式耳"])
LINES = st.lists(st.tuples(VALUES, UNITS, PERIODS, VALUES), min_size=1, max_size=12)


@hypothesis_settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(LINES, st.sampled_from(["utf-8", "utf-8-sig", "gb18030"]))
def test_cells_in_are_rows_out_and_the_encoding_does_not_matter(
    tmp_path_factory: pytest.TempPathFactory, lines: list[tuple[str, str, str, str]], encoding: str
) -> None:
    settings = two_files(tmp_path_factory.mktemp("cells"))
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(HEADER.split(","))
    for number, (value, unit, period, growth) in enumerate(lines, 1):
        writer.writerow([f"f{number}", "重庆市", "地区生产总值", value, unit, period, growth, "observation", "", ""])
    write_source(settings.root, "bulletins", {"b1.csv": buffer.getvalue().encode("utf-8"), "b2.csv": buffer.getvalue().encode(encoding)})
    refresh_ledger(settings, now=FIRST)
    first, second = cells(settings, "bulletins/files/b1.csv"), cells(settings, "bulletins/files/b2.csv")
    assert first.height == len(lines) + sum(bool(growth) for *_rest, growth in lines)
    assert first["number_status"].null_count() == 0 and first["period_status"].null_count() == 0, "every text has an outcome"
    told_apart = ["file", "publication_id"]
    assert first.drop(told_apart).equals(second.drop(told_apart))


def test_number_cells_take_the_widest_decimals_of_their_column(settings: Settings) -> None:
    write_source(
        settings.root,
        "bulletins",
        {
            "n.csv": figures(
                *(f"f{n},重庆市,地区生产总值,{value},亿元,{2020 + n}年,,observation,," for n, value in enumerate(["21588.8", "20363.19", "7"]))
            )
        },
        "figure_list, figure_list_number_cells",
    )
    publish_day(settings.raw / "bulletins", "n.csv", "2024-01-01", "figure_list_number_cells")
    refresh_ledger(settings, now=FIRST)
    frame = cells(settings, "bulletins/files/n.csv")
    assert frame.select("mantissa", "decimals").rows() == [(2158880, 2), (2036319, 2), (700, 2)]
    assert frame["precision_of_column"].to_list() == [True, False, True]


def test_a_file_that_our_own_code_fails_on_is_alone_refused(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(located: Sequence[layout_cells.Located]) -> tuple[pl.DataFrame, pl.DataFrame]:
        if any("77.7" in sheet.cells.write_csv() for one in located for sheet in one.book.sheets):
            raise ZeroDivisionError
        return together(located)

    together = layout_cells.read_together
    monkeypatch.setattr(layout_cells, "read_together", failing)
    bad = settings.raw / "bulletins" / "files" / "bad.csv"
    bad.write_text(figures("x1,重庆市,地区生产总值,77.7,亿元,2020年,,observation,,"), encoding="utf-8")
    intake = refresh_ledger(settings)
    assert [(entry.file, entry.code) for entry in intake.refused] == [("bulletins/files/bad.csv", "unforeseen")]
    assert "ZeroDivisionError" in intake.refused[0].message
    assert [Path(entry.file).name for entry in intake.read] == ["b2022.csv", "b2023.csv"]


def test_half_a_write_is_no_ledger_file(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(_frame: pl.DataFrame, path: Path, **_options: object) -> None:
        Path(path).write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(pl.DataFrame, "write_parquet", breaks)
    with pytest.raises(OSError, match="disk full"):
        refresh_ledger(settings, now=FIRST)
    assert ledger_files(settings) == set() and not list((settings.ledger / "cells").iterdir())
    assert not ledger.manifest_path(settings).exists()


def test_what_a_killed_reader_left_unfinished_is_swept_away(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(_source: str, target: Path) -> None:
        raise OSError(f"killed before {target}")

    with monkeypatch.context() as patch:
        patch.setattr("os.replace", killed)
        patch.setattr(Path, "unlink", lambda *_args, **_options: None)  # a killed process tidies nothing up
        with pytest.raises(OSError, match="killed before"):
            refresh_ledger(settings, now=FIRST)
    assert [path for path in settings.ledger.rglob(".*") if path.is_file()]
    refresh_ledger(settings, now=FIRST)
    assert not [path for path in settings.ledger.rglob(".*") if path.is_file()]
    assert len(ledger_files(settings)) == 2


def test_a_sheet_of_a_workbook_has_its_name_in_the_address(settings: Settings) -> None:
    folder = settings.raw / "bulletins"
    write_workbook(folder / "files" / "w.xlsx", {"甲": [HEADER.split(","), ["f1", "重庆市", "地区生产总值", "5", "亿元", "2022年"]]})
    refresh_ledger(settings, now=FIRST)
    frame = cells(settings, "bulletins/files/w.xlsx")
    assert frame.select("sheet", "cell", "value_text").rows() == [("甲", "D2", "5")]


def test_a_large_file_is_written_as_a_small_one(settings: Settings) -> None:
    frame = ledger.no_cells()
    rows = ledger.MANY_ROWS
    many = pl.DataFrame(
        {"said": ["同"] * rows, "blank": [""] * rows, "none": pl.Series([None] * rows, dtype=pl.String), "told": ["a", *["b"] * (rows - 1)]}
    )
    for written in (frame, many, many.head(rows - 1)):
        ledger._write(written, settings.root / "one.parquet")
        assert pl.read_parquet(settings.root / "one.parquet").equals(written)
        assert pl.read_parquet_schema(settings.root / "one.parquet") == written.schema
