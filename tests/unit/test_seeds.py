"""Each check of the seeds, one by one: the fault is told with its file and line, and good seeds have none."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from dagster_project.intake import ledger
from dagster_project.intake.seeds import SeedError, check_seeds
from dagster_project.settings import REPOSITORY, Settings
from tests.helpers import BULLETIN_2022, BULLETIN_2023, Row, add_seed_row, copy_seeds, edit_seed, figures, write_source


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("seeds")
    shutil.copytree(REPOSITORY / "raw" / "_layouts", root / "raw" / "_layouts")
    write_source(root, "bulletins", {"b2022.csv": figures(*BULLETIN_2022), "b2023.csv": figures(*BULLETIN_2023)})
    copy_seeds(root)
    ledger.refresh_ledger(Settings(root=root))
    return root


@pytest.fixture
def root(base: Path, tmp_path: Path) -> Path:
    shutil.copytree(base, tmp_path, dirs_exist_ok=True)
    return tmp_path


def faults(root: Path) -> list[str]:
    with pytest.raises(SeedError) as caught:
        check_seeds(Settings(root=root))
    return caught.value.faults


def change(seed: str, where: Callable[[Row], bool], **values: str) -> Callable[[Path], None]:
    def apply(root: Path) -> None:
        hits: list[Row] = []

        def rewrite(rows: list[Row]) -> list[Row]:
            hits.extend(row for row in rows if where(row))
            return [{**row, **values} if row in hits[:1] else row for row in rows]

        edit_seed(root, seed, rewrite)
        assert hits, "nothing to change"

    return apply


def add(seed: str, **values: str) -> Callable[[Path], None]:
    return lambda root: add_seed_row(root, seed, **values)


def both(*changes: Callable[[Path], None]) -> Callable[[Path], None]:
    def apply(root: Path) -> None:
        for each in changes:
            each(root)

    return apply


FORMULA = {"formula_id": "made_up", "level": "1", "theme": "economy", "breakdown": "_T", "currency_scope": "_Z", "transformation": "N",
           "prices": "current", "scale": "1", "offset_value": "0", "description_zh": "试", "description_en": "trial"}  # fmt: skip
TERM = {"formula_id": "made_up", "term": "1", "side": "numerator", "indicator": "gdp", "breakdown": "_T", "currency_scope": "_Z",
        "transformation": "N", "prices": "current", "coefficient": "1", "area_scope": "self", "span": "same", "lag": "0"}  # fmt: skip
CORRECTION = {"correction_id": "x", "publication_id": "b2023", "reference": "f4", "field": "value_text", "expect": "87", "value": "78",
              "reason": "试", "author": "t", "decided_on": "2026-01-01"}  # fmt: skip
RETRACTION = {"retraction_id": "x", "publication_id": "b2022", "reference": "f4", "expect": "40.0", "reason": "试", "author": "t",
              "decided_on": "2026-01-01"}  # fmt: skip
ANSWER = {"finding_id": "limits-1", "values_seen": "-87", "answer": "explained", "reason": "试", "answered_by": "t", "answered_on": "2026-01-20"}


def is_(**values: str) -> Callable[[Row], bool]:
    return lambda row: all(row[name] == value for name, value in values.items())


def test_good_seeds_have_no_fault(root: Path) -> None:
    assert check_seeds(Settings(root=root)).frames["cl_indicators"].height > 100


def test_the_repositorys_seeds_have_no_fault(tmp_path: Path) -> None:
    for name in ("raw", "seeds"):
        shutil.copytree(REPOSITORY / name, tmp_path / name)
    settings = Settings(root=tmp_path)
    ledger.refresh_ledger(settings)
    check_seeds(settings)


def test_answers_that_hold_are_no_fault(root: Path) -> None:
    add_seed_row(root, "corrections", **CORRECTION)
    add_seed_row(
        root,
        "corrections",
        **{
            **CORRECTION,
            "correction_id": "y",
            "publication_id": "b2022",
            "reference": "f1",
            "field": "growth_text",
            "expect": "3.0%",
            "value": "3.1%",
        },
    )
    add_seed_row(root, "retractions", **RETRACTION)
    add_seed_row(root, "acknowledgements", **ANSWER, until="2026-01-20")
    add_seed_row(root, "acknowledgements", **{**ANSWER, "answered_on": "2026-02-01", "answer": "our_error"}, correction_id="x")
    check_seeds(Settings(root=root))


# What is done to the seeds; the seed and the start of its line that the fault must name; words of the fault.
CASES: dict[str, tuple[Callable[[Path], None], str, str, str]] = {
    "broken reference": (change("aliases", is_(label="地区生产总值", source_id="*"), indicator="gpd"), "aliases", "*,地区生产总值,", "indicator 'gpd' is not known; did you mean 'gdp'?"),
    "unknown publication": (add("retractions", **{**RETRACTION, "publication_id": "b2029"}), "retractions", "x,", "publication_id 'b2029' is not known"),
    "unknown source": (add("aliases", source_id="bulletin", label="甲", part="0", indicator="gdp", breakdown="_T", currency_scope="_Z"), "aliases", "bulletin,", "did you mean 'bulletins'?"),
    "unknown area": (change("cl_area_group_members", is_(ref_area="500101"), ref_area="599999"), "cl_area_group_members", "cq_districts,599999", "'599999' is not known"),
    "unknown group in a term": (both(add("formulas", **FORMULA, indicator="gdp"), add("formula_terms", **{**TERM, "area_scope": "group:nowhere"})), "formula_terms", "made_up,1", "area_scope 'group:nowhere'"),
    "unknown unit": (change("cl_indicators", is_(indicator="gdp"), unit_measure="CNX"), "cl_indicators", "gdp,", "unit_measure 'CNX'"),
    "unknown hazard": (change("cl_indicators", is_(indicator="gdp"), hazards="census_revision;thunder"), "cl_indicators", "gdp,", "hazard 'thunder'"),
    "unknown scope": (change("aliases", is_(label="地区生产总值", source_id="*"), currency_scope="both"), "aliases", "*,地区生产总值,", "currency_scope 'both'"),
    "duplicate key": (add("cl_units", unit_text="亿元", unit_measure="CNY", unit_mult="8"), "cl_units", "亿元,CNY,8,", "stands a second time"),
    "bad date": (change("cl_areas", is_(ref_area="500110"), valid_from="2011-22-10"), "cl_areas", "500110,", "valid_from is '2011-22-10', which is no date"),
    "bad number": (change("cl_indicators", is_(indicator="gdp"), lower_limit="zero"), "cl_indicators", "gdp,", "lower_limit is 'zero', which is no double"),
    "bad boolean": (change("cl_indicators", is_(indicator="gdp"), scoped="maybe"), "cl_indicators", "gdp,", "scoped is 'maybe', which is no boolean"),
    "empty where a value is needed": (add("retractions", **{**RETRACTION, "reason": ""}), "retractions", "x,", "reason is empty"),
    "another dimension": (both(add("formulas", **FORMULA, indicator="gdp"), add("formula_terms", **{**TERM, "indicator": "listed_companies"})), "formulas", "made_up,", "but its indicator is measured in"),
    "apples and oranges in a sum": (both(add("formulas", **FORMULA, indicator="gdp"), add("formula_terms", **TERM), add("formula_terms", **{**TERM, "term": "2", "indicator": "listed_companies"})), "formula_terms", "made_up,2", "can't be added to gdp"),
    "share of unlike things": (both(add("formulas", **{**FORMULA, "indicator": "insurance_depth"}), add("formula_terms", **TERM), add("formula_terms", **{**TERM, "term": "2", "side": "denominator", "indicator": "population"})), "formulas", "made_up,", "gives a share, but divides"),
    "no numerator": (add("formulas", **FORMULA, indicator="gdp"), "formulas", "made_up,", "has no numerator"),
    "first term with a lag": (both(add("formulas", **FORMULA, indicator="gdp"), add("formula_terms", **{**TERM, "lag": "1"})), "formula_terms", "made_up,1", "term 1 of 'made_up'"),
    "its own result": (both(add("formulas", **FORMULA, indicator="gdp"), add("formula_terms", **TERM)), "formula_terms", "made_up,1", "uses its own result (a cycle)"),
    "a level out of order": (both(add("formulas", **{**FORMULA, "indicator": "fin_value_added_share_of_city", "prices": "_Z"}), add("formula_terms", **{**TERM, "indicator": "fin_value_added_share_gdp", "prices": "_Z"})), "formula_terms", "made_up,1", "of level 1 uses the result of 'fin_value_added_share_gdp' of level 1"),
    "a third level": (change("formulas", is_(formula_id="fin_value_added_share_gdp"), level="3"), "formulas", "fin_value_added_share_gdp,", "level '3' is not known"),
    "a correction whose text is no longer there": (add("corrections", **{**CORRECTION, "expect": "88"}), "corrections", "x,", "expects value_text '88' but the source now shows '87'"),
    "a correction of a figure that isn't there": (add("corrections", **{**CORRECTION, "reference": "f99"}), "corrections", "x,", "has no figure 'f99'"),
    "a correction of a growth that isn't there": (add("corrections", **{**CORRECTION, "field": "growth_text"}), "corrections", "x,", "has no figure 'f4'"),
    "an answer that is none": (add("acknowledgements", **{**ANSWER, "answer": "shrug"}), "acknowledgements", "limits-1,", "answer 'shrug' is not known"),
    "an answer by nobody": (add("acknowledgements", **{**ANSWER, "answered_by": ""}), "acknowledgements", "limits-1,", "answered_by is empty"),
    "an answer of no day": (add("acknowledgements", **{**ANSWER, "answered_on": "20 Jan"}), "acknowledgements", "limits-1,", "answered_on is '20 Jan', which is no date"),
    "two answers of a day": (both(add("acknowledgements", **ANSWER), add("acknowledgements", **ANSWER)), "acknowledgements", "limits-1,", "stands a second time"),
    "an open-ended wait": (add("acknowledgements", **{**ANSWER, "answer": "ignore_until"}), "acknowledgements", "limits-1,", "needs `until`"),
    "a term that ended before it began": (add("acknowledgements", **{**ANSWER, "until": "2026-01-19"}), "acknowledgements", "limits-1,", "until 2026-01-19 is before answered_on 2026-01-20"),
    "a correction that isn't there": (add("acknowledgements", **{**ANSWER, "answer": "our_error", "correction_id": "z9"}), "acknowledgements", "limits-1,", "correction_id 'z9' is not known"),
    "a correction of what is right": (both(add("corrections", **CORRECTION), add("acknowledgements", **{**ANSWER, "correction_id": "x"})), "acknowledgements", "limits-1,", "says the figure stands as printed"),
    "a threshold of no rule": (change("rule_thresholds", is_(rule_id="hidiroglou_berthelot", indicator="gdp"), rule_id="hidiroglou"), "rule_thresholds", "hidiroglou,gdp", "did you mean 'hidiroglou_berthelot'?"),
    "a threshold without a reason": (change("rule_thresholds", is_(rule_id="robust_z", indicator="gdp"), reason=""), "rule_thresholds", "robust_z,gdp", "reason is empty"),
    "a parameter that no rule has": (change("rule_thresholds", is_(rule_id="robust_z", indicator="gdp"), parameter="treshold"), "rule_thresholds", "robust_z,gdp", "has no row for '*'; did you mean 'threshold'?"),
    "a rule that yields to none": (change("cl_rules", is_(rule_id="stale"), yields_to="duplicate_column"), "cl_rules", "stale,", "did you mean 'duplicated_column'?"),
    "a severity that is none": (change("cl_rules", is_(rule_id="stale"), severity_final="severe"), "cl_rules", "stale,", "severity_final 'severe' is not known"),
    "a partition of two totals": (change("partitions", is_(partition_id="trade", member_indicator="imports"), total_indicator="gdp"), "partitions", "trade,imports", "has another total in a line above"),
    "a partition of nothing": (change("partitions", is_(partition_id="trade", member_indicator="exports"), total_indicator=""), "partitions", "trade,exports", "needs either a total_indicator or a total_value"),
    "a retraction whose text is no longer there": (add("retractions", **{**RETRACTION, "expect": "41.0"}), "retractions", "x,", "expects value_text '41.0' but the source now shows '40.0'"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_fault_is_told_with_its_file_and_line(root: Path, case: str) -> None:
    apply, seed, start, said = CASES[case]
    apply(root)
    path = next((root / "seeds").glob(f"*/{seed}.csv")).relative_to(root).as_posix()
    starts = [number for number, line in enumerate((root / path).read_text(encoding="utf-8").splitlines(), 1) if line.startswith(start)]
    told = [fault for fault in faults(root) if said in fault]
    assert told, faults(root)
    assert told[0].startswith(f"{path} line {starts[-1]}: "), told[0]


def test_two_formulas_that_use_each_other_are_a_cycle(root: Path) -> None:
    one, two = "fin_value_added_share_gdp", "fin_value_added_share_of_city"
    edit_seed(
        root,
        "formula_terms",
        lambda rows: [
            {**row, "indicator": two, "prices": "_Z"}
            if row["formula_id"] == one and row["term"] == "1"
            else {**row, "indicator": one, "prices": "_Z"}
            if row["formula_id"] == two and row["term"] == "1"
            else row
            for row in rows
        ],
    )
    told = [fault for fault in faults(root) if "break the cycle" in fault]
    assert [one in fault and two in fault for fault in told] == [True, True]


def test_a_missing_column_is_named(root: Path) -> None:
    path = root / "seeds" / "judgement" / "retractions.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([lines[0].replace(",expect", ",expected"), *lines[1:]]) + "\n", encoding="utf-8")
    assert faults(root) == ["seeds/judgement/retractions.csv line 1: column(s) missing: expect"]


def test_a_missing_seed_is_named(root: Path) -> None:
    (root / "seeds" / "mapping" / "aliases.csv").unlink()
    assert any("aliases.csv: file missing" in fault for fault in faults(root))


def test_a_seed_in_another_encoding_is_named(root: Path) -> None:
    path = root / "seeds" / "mapping" / "aliases.csv"
    path.write_bytes(path.read_text(encoding="utf-8").encode("gb18030"))
    assert any(fault.startswith("seeds/mapping/aliases.csv: not readable as CSV") for fault in faults(root))


def test_a_row_of_another_width_is_told(root: Path) -> None:
    path = root / "seeds" / "mapping" / "aliases.csv"
    path.write_text(path.read_text(encoding="utf-8") + "*,甲,0,gdp,_T,_Z,,,,note, with a comma\n", encoding="utf-8")
    assert any(fault.startswith("seeds/mapping/aliases.csv: not readable as CSV") for fault in faults(root))


def test_all_faults_are_told_at_once(root: Path) -> None:
    CASES["broken reference"][0](root)
    CASES["bad date"][0](root)
    CASES["duplicate key"][0](root)
    assert len(faults(root)) == 3
