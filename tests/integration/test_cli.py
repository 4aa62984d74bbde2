"""The command line: answers in both languages and as JSON, helpful words where nothing is found, exit codes as documented."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dagster_project import cli
from dagster_project.settings import Settings
from tests.helpers import answer, command, copy_root, tiny_release


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return tiny_release(tmp_path_factory.getbasetemp())[0]


def said(settings: Settings, *arguments: str) -> tuple[int, str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FINCENTER_ROOT", str(settings.root))
        patch.setenv("COLUMNS", "200")
        result = CliRunner().invoke(cli.app, list(arguments))
    return result.exit_code, result.output


def test_the_documented_exit_codes_are_the_ones_used() -> None:
    documented = dict(re.findall(r"(\d) ([^·.]+)", (cli.__doc__ or "").split("Exit codes:")[1]))
    assert set(documented) == {str(code) for code in range(8)}
    assert tuple(range(8)) == (cli.OK, cli.UNFORESEEN, cli.USAGE, cli.BLOCKED, cli.SEEDS, cli.LOCKED, cli.NOT_FOUND, cli.REFUSED)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["refresh", "--help"],
        ["status", "--help"],
        ["explain", "--help"],
        ["diff", "--help"],
        ["inspect", "--help"],
        ["template", "--help"],
    ],
)
def test_help_is_in_both_languages(settings: Settings, arguments: list[str]) -> None:
    code, text = said(settings, *arguments)
    assert code == 0
    assert re.search(r"[\u4e00-\u9fff]{4,}", text) and re.search(r"[A-Za-z]{4,} [a-z]+", text)


def test_help_names_every_command(settings: Settings) -> None:
    _code, text = said(settings, "--help")
    assert all(name in text for name in ("refresh", "status", "explain", "diff", "inspect", "template"))


@pytest.mark.parametrize(
    "arguments", [["explain", "gdp"], ["diff"], ["explain", "gdp", "500000", "2022", "--as-of", "yesterday"], ["publish"], ["status", "--xml"]]
)
def test_wrong_arguments_are_2(settings: Settings, arguments: list[str]) -> None:
    assert said(settings, *arguments)[0] == 2


@pytest.mark.parametrize("arguments", [["status"], ["explain", "gdp", "500000", "2022"], ["diff", "a", "b"]])
def test_without_a_release_it_is_6(tmp_path: Path, arguments: list[str]) -> None:
    (tmp_path / "raw").mkdir()
    code, found = answer(Settings(root=tmp_path), *arguments)
    assert (code, found["exit_code"]) == (6, 6) and found["error"]


def test_a_folder_without_raw_is_6(tmp_path: Path) -> None:
    code, found = answer(Settings(root=tmp_path), "refresh")
    assert code == 6 and "FINCENTER_ROOT" in found["error"]


# --- status ----------------------------------------------------------------------------------------------------


def test_status_says_what_is_released(settings: Settings) -> None:
    code, found = answer(settings, "status")
    assert code == 0
    assert found["release"]["release_id"] == settings.current.resolve().name
    assert (found["release"]["cells"], found["changes_waiting"]) == (13, False)
    assert found["releases"] == [settings.current.resolve().name]
    assert any("unmapped" in name and number == 1 for name, number in found.items() if isinstance(number, int))
    code, text = said(settings, "status")
    assert code == 0 and "up to date. 已是最新。" in text and found["release"]["release_id"] in text


def test_status_says_that_something_is_waiting(settings: Settings, tmp_path: Path) -> None:
    copy = copy_root(settings, tmp_path)
    with (copy.seeds / "mapping" / "aliases.csv").open("a", encoding="utf-8") as handle:
        handle.write("*,神秘指标,0,fixed_investment,_T,_Z,,,,\n")
    assert answer(copy, "status")[1]["changes_waiting"] is True
    assert "changes are waiting" in said(copy, "status")[1]


# --- explain ---------------------------------------------------------------------------------------------------


def test_explain_goes_down_to_file_and_cell(settings: Settings) -> None:
    code, found = answer(settings, "explain", "fin_value_added_share_gdp", "500000", "2022")
    (series,) = found["series"]
    (figure,) = series["figures"]
    assert (code, figure["headline"], round(figure["obs_value"], 4)) == (0, True, 7.9208)
    cells = {(cell["file"], cell["cell"]) for part in figure["parts"] for cell in part["prints"]}
    assert {("bulletins/files/b2022.csv", "D3"), ("bulletins/files/table.xlsx", "C2")} <= cells
    code, text = said(settings, "explain", "fin_value_added_share_gdp", "500000", "2022")
    assert code == 0
    for words in (
        "formula 公式 fin_value_added_share_gdp",
        "raw/bulletins/files/b2022.csv D3",
        "raw/bulletins/files/table.xlsx 年度 C2",
        "quote 引用: 重庆市2022",
    ):
        assert words in text, words


def test_explain_as_of_a_day(settings: Settings) -> None:
    for day, value in (("2024-12-31", 100.0), ("2025-01-15", 101.0)):
        (series,) = answer(settings, "explain", "gdp", "500000", "2022", "--as-of", day)[1]["series"]
        assert [figure["obs_value"] for figure in series["figures"]] == [value]
    (series,) = answer(settings, "explain", "gdp", "500000", "2022", "--as-of", "2022-06-30")[1]["series"]
    assert series["figures"] == [] and series["not_yet_known"][0]["known_by"] == "2023-03-01"
    assert "not yet known 尚未可知" in said(settings, "explain", "gdp", "500000", "2022", "--as-of", "2022-06-30")[1]


@pytest.mark.parametrize(
    "arguments",
    [
        ["地区生产总值", "重庆市", "2022年"],
        ["gdp", "Chongqing", "2022"],
        ["gdp", "500000", "2022", "--transformation", "G1Y"],
        ["deposits", "500000", "2022", "--scope", "_U"],
    ],
)
def test_explain_takes_names_and_more_of_the_key(settings: Settings, arguments: list[str]) -> None:
    code, found = answer(settings, "explain", *arguments)
    assert code == 0 and found["series"][0]["figures"]


@pytest.mark.parametrize(
    ("arguments", "said_words"),
    [
        (["gdpp", "500000", "2022"], ["no indicator 'gdpp'", "gdp 地区生产总值"]),
        (["gdp", "重庆巿", "2022"], ["no area '重庆巿'", "500000 重庆市"]),
        (["gdp", "500000", "2031"], ["no figure of gdp", "2031", "there is 2023, 2022"]),
        (["green_loans", "500000", "2022"], ["no figure of green_loans", "in any period"]),
        (["deposits", "500000", "2022", "--scope", "cny"], ["no figure of deposits"]),
    ],
)
def test_what_is_not_found_comes_with_what_is_nearest(settings: Settings, arguments: list[str], said_words: list[str]) -> None:
    code, found = answer(settings, "explain", *arguments)
    assert code == 6
    assert all(words in found["error"] for words in said_words), found["error"]
    assert said(settings, "explain", *arguments)[0] == 6


# --- diff ------------------------------------------------------------------------------------------------------


def test_a_release_differs_from_itself_in_nothing(settings: Settings) -> None:
    name = settings.current.resolve().name
    code, found = answer(settings, "diff", name, "current")
    assert (code, found) == (0, {"new": 0, "revised": 0, "vanished": 0, "rows": []})
    assert "0 new 新增 · 0 revised 修订 · 0 vanished 消失" in said(settings, "diff", name)[1]


def test_an_unknown_release_is_6_and_names_those_there_are(settings: Settings) -> None:
    code, found = answer(settings, "diff", "20200101T000000-none")
    assert code == 6 and settings.current.resolve().name in found["error"]


# --- refresh ---------------------------------------------------------------------------------------------------


def test_nothing_new_is_0_and_is_told(settings: Settings) -> None:
    done = command(settings, "refresh", "--json")
    found = json.loads(done.stdout)
    assert (done.returncode, found["nothing_new"], found["release_id"]) == (0, True, settings.current.resolve().name), done.stderr
