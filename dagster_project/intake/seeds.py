"""Are the seeds fit to build on? Types, keys, references, formulas, and answers that still meet what they answered.

Belongs here: every check of a seed that can name its line before anything is built. Does not belong here: what the rows
mean (dbt), or the rows themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import yaml

from dagster_project.intake import ledger
from dagster_project.settings import Settings, printable

Values = Callable[["Seeds"], set[str]]


class SeedError(ValueError):
    """The seeds can't be built on. One line a fault: file, line, what is wrong and what would be right."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__(f"{len(faults)} fault(s) in the seeds; nothing was built.\n" + "\n".join(f"  {fault}" for fault in faults))
        self.faults = faults


@dataclass(frozen=True)
class Seeds:
    """All seeds as frames of text, with ``__line__`` (as an editor counts), and where each lives."""

    frames: dict[str, pl.DataFrame]
    paths: dict[str, str]
    publications: set[str]
    sources: set[str]

    def column(self, seed: str, column: str) -> set[str]:
        return set(self.frames[seed][column].to_list()) - {""}


def _of(seed: str, column: str) -> Values:
    return lambda seeds: seeds.column(seed, column)


def _one_of(*values: str) -> Values:
    return lambda _seeds: set(values)


def _areas(seeds: Seeds) -> set[str]:
    return seeds.column("cl_areas", "ref_area")


def _areas_or_types(seeds: Seeds) -> set[str]:
    return _areas(seeds) | {"*"} | {f"type:{kind}" for kind in seeds.column("cl_areas", "area_type")}


def _areas_or_groups(seeds: Seeds) -> set[str]:
    return _areas(seeds) | seeds.column("cl_area_groups", "group_id")


def _any(values: Values) -> Values:
    return lambda seeds: values(seeds) | {"*"}


def _scopes(seeds: Seeds) -> set[str]:
    return {"self", "parent"} | {f"group:{group}" for group in seeds.column("cl_area_groups", "group_id")}


_indicator = _of("cl_indicators", "indicator")
_breakdown = _of("cl_breakdowns", "breakdown")
_publisher = _of("publishers", "publisher")
_publication: Values = lambda seeds: seeds.publications  # noqa: E731
_transformation = _one_of("N", "G1Y", "D1Y", "DYS", "DDY", "AVG")
_prices = _one_of("current", "constant", "_Z")
_scope = _one_of("all", "cny", "fx", "_U", "_Z")

LEVEL_RULES = ("value", "times_base", "below_base", "growth_from_base", "added_to_base", "sum_of_window", "none")

# seed, column, what it may hold (an empty cell is judged by REQUIRED)
REFERENCES: tuple[tuple[str, str, Values], ...] = (
    ("cl_areas", "parent", _areas),
    ("cl_area_names", "ref_area", _areas),
    ("cl_area_names", "source_id", _any(lambda seeds: seeds.sources)),
    ("cl_area_events", "from_area", _areas),
    ("cl_area_events", "to_area", _areas),
    ("cl_area_groups", "total_area", _areas),
    ("cl_area_group_members", "group_id", _of("cl_area_groups", "group_id")),
    ("cl_area_group_members", "ref_area", _areas),
    ("cl_units", "unit_measure", _of("cl_unit_measures", "unit_measure")),
    ("cl_indicators", "unit_measure", _of("cl_unit_measures", "unit_measure")),
    ("cl_indicators", "parent", _indicator),
    ("cl_indicators", "kind", _one_of("stock", "flow", "ratio", "index")),
    ("cl_indicators", "span", _one_of("end", "period")),
    ("cl_indicators", "growth_prices", _one_of("constant", "current", "_Z")),
    ("cl_breakdowns", "parent", _breakdown),
    ("aliases", "indicator", _indicator),
    ("aliases", "breakdown", _breakdown),
    ("aliases", "currency_scope", _scope),
    ("aliases", "transformation", _transformation),
    ("aliases", "ref_area", _areas),
    ("aliases", "source_id", _any(lambda seeds: seeds.sources)),
    ("unit_variants", "indicator", _indicator),
    ("unit_variants", "variant", _indicator),
    ("unit_variants", "unit_measure", _of("cl_unit_measures", "unit_measure")),
    ("responsible_publishers", "publisher", _publisher),
    ("responsible_publishers", "indicator", _any(_indicator)),
    ("responsible_publishers", "theme", _any(_of("cl_indicators", "theme"))),
    ("responsible_publishers", "ref_area", _areas_or_types),
    ("quotations", "publication_id", _publication),
    ("quotations", "publisher", _publisher),
    ("quotations", "indicator", _any(_indicator)),
    ("quotations", "theme", _any(_of("cl_indicators", "theme"))),
    ("stages", "publication_id", _publication),
    ("stages", "ref_area", _any(_areas)),
    ("stages", "indicator", _any(_indicator)),
    ("stages", "stage", _one_of("first", "final", "census")),
    ("stages", "basis", _one_of("printed", "inferred")),
    ("stages", "census_round", lambda seeds: seeds.column("census_rounds", "census_round") | {"unknown"}),
    ("stage_labels", "stage", _one_of("first", "final", "census")),
    ("assumptions", "publisher", _any(_publisher)),
    ("assumptions", "indicator", _indicator),
    ("assumptions", "ref_area", _any(_areas)),
    ("assumptions", "kind", _one_of("scope")),
    ("corrections", "publication_id", _publication),
    ("corrections", "field", _one_of("value_text", "growth_text", "unit_text", "period_text", "label", "area")),
    ("retractions", "publication_id", _publication),
    ("acknowledgements", "answer", _of("cl_answers", "answer")),
    ("acknowledgements", "correction_id", _of("corrections", "correction_id")),
    ("formulas", "indicator", _indicator),
    ("formulas", "breakdown", _breakdown),
    ("formulas", "level", _one_of("1", "2")),
    ("formula_terms", "formula_id", _of("formulas", "formula_id")),
    ("formula_terms", "indicator", _indicator),
    ("formula_terms", "breakdown", _breakdown),
    ("formula_terms", "currency_scope", _scope),
    ("formula_terms", "transformation", _transformation),
    ("formula_terms", "prices", _prices),
    ("formulas", "currency_scope", _scope),
    ("formulas", "transformation", _transformation),
    ("formulas", "prices", _prices),
    ("formula_terms", "side", _one_of("numerator", "denominator")),
    ("formula_terms", "area_scope", _scopes),
    ("formula_terms", "span", _one_of("same", "end", "ltm", "year")),
    ("formula_terms", "lag", _one_of("0", "1")),
    ("plan_targets", "plan_id", _of("plans", "plan_id")),
    ("plan_targets", "indicator", _indicator),
    ("plan_targets", "ref_area", _areas),
    ("plan_targets", "breakdown", _breakdown),
    ("plan_targets", "comparator", _of("cl_target_operators", "comparator")),
    ("plan_targets", "direction", _one_of("1", "-1")),
    ("plan_targets", "aggregation", _one_of("point", "sum", "every")),
    ("plan_targets", "window_basis", _one_of("printed", "inferred")),
    ("plan_targets", "status", _one_of("active", "conflicting", "superseded")),
    ("plan_targets", "supersedes", _of("plan_targets", "target_id")),
    ("cl_target_operators", "level_rule", _one_of(*LEVEL_RULES)),
    ("cl_target_bands", "kind", _one_of("magnitude", "share")),
    ("plans", "ref_area", _areas),
    ("plan_body_list", "kind", _one_of("central_branch", "municipal", "provincial", "district", "enterprise", "institution", "collective")),
    ("body_names", "body_id", _of("plan_body_list", "body_id")),
    ("body_links", "from_body", _of("plan_body_list", "body_id")),
    ("body_links", "to_body", _of("plan_body_list", "body_id")),
    ("body_links", "relation", _one_of("renamed", "succeeded")),
    ("body_links", "basis", _one_of("sourced", "unverified")),
    ("responsibilities", "body_text", _of("body_names", "body_text")),
    ("indicator_measures", "indicator", _indicator),
    ("indicator_measures", "plan_id", _of("plans", "plan_id")),
    ("measures", "plan_id", _of("plans", "plan_id")),
    ("responsibilities", "plan_id", _of("plans", "plan_id")),
    ("planned_coverage", "indicator", _indicator),
    ("planned_coverage", "ref_area_or_group", _areas_or_groups),
    ("planned_coverage", "responsible_publisher", _publisher),
    ("planned_coverage", "freq", _one_of("A", "Q")),
    ("cl_rules", "level", _one_of("0", "1", "2", "3", "4", "5")),
    ("cl_rules", "family", _one_of("figure", "publication", "series", "areas", "vintages", "targets")),
    *((("cl_rules", f"severity_{stage}", _one_of("high", "medium", "low", "info"))) for stage in ("first", "final", "census", "unstaged", "claim")),
    ("rule_thresholds", "rule_id", _of("cl_rules", "rule_id")),
    ("rule_thresholds", "indicator", _any(_indicator)),
    ("partitions", "member_indicator", _indicator),
    ("partitions", "member_breakdown", _breakdown),
    ("partitions", "member_scope", _any(_scope)),
    ("partitions", "total_indicator", _indicator),
    ("partitions", "total_breakdown", _breakdown),
    ("partitions", "total_scope", _any(_scope)),
)

KEYS: dict[str, tuple[str, ...]] = {
    "cl_areas": ("ref_area",),
    "cl_area_events": ("event_id", "from_area", "to_area"),
    "cl_area_groups": ("group_id",),
    "cl_breakdowns": ("breakdown",),
    "cl_hazards": ("hazard",),
    "cl_indicators": ("indicator",),
    "cl_marks": ("mark",),
    "cl_refusals": ("refusal",),
    "cl_unit_measures": ("unit_measure",),
    "cl_units": ("unit_text",),
    "aliases": ("source_id", "label", "part"),
    "unit_variants": ("indicator", "unit_measure"),
    "publishers": ("publisher",),
    "quotations": ("publication_id", "theme", "indicator", "publisher"),
    "stage_labels": ("label",),
    "census_rounds": ("census_round",),
    "note_patterns": ("pattern_id",),
    "assumptions": ("assumption_id",),
    "corrections": ("correction_id",),
    "retractions": ("retraction_id",),
    "cl_answers": ("answer",),
    "acknowledgements": ("finding_id", "answered_on"),
    "formulas": ("formula_id",),
    "formula_terms": ("formula_id", "term"),
    "plans": ("plan_id",),
    "plan_targets": ("target_id",),
    "cl_target_operators": ("comparator",),
    "cl_target_bands": ("band",),
    "plan_body_list": ("body_id",),
    "body_names": ("body_text",),
    "body_links": ("from_body",),
    "indicator_measures": ("indicator", "plan_id", "measure_no"),
    "measures": ("plan_id", "measure_no"),
    "cl_rules": ("rule_id",),
    "rule_thresholds": ("rule_id", "indicator", "parameter"),
    "partitions": ("partition_id", "member_indicator", "member_breakdown", "member_scope"),
}

REQUIRED: dict[str, tuple[str, ...]] = {
    "cl_rules": ("name_zh", "name_en", "message_zh", "message_en", "suggestion_zh", "suggestion_en", "owner", "source"),
    "rule_thresholds": ("rule_id", "indicator", "parameter", "value", "reason"),
    "partitions": ("member_indicator", "total_scope", "reason"),
    "cl_areas": ("name_zh", "name_en", "area_type"),
    "cl_indicators": ("name_zh", "name_en", "theme", "kind", "span", "unit_measure", "unit_mult"),
    "aliases": ("source_id", "label", "indicator"),
    "stages": ("publication_id", "stage", "basis", "reason"),
    "quotations": ("publication_id", "publisher", "reason"),
    "responsible_publishers": ("publisher", "reason"),
    "note_patterns": ("pattern", "round_pattern", "years_pattern", "stage", "reason"),
    "assumptions": ("indicator", "from_value", "to_value", "reason", "author"),
    "corrections": ("publication_id", "reference", "field", "expect", "value", "reason", "author"),
    "retractions": ("publication_id", "reference", "expect", "reason", "author"),
    "cl_answers": ("name_zh", "name_en", "corrects", "needs_until"),
    "acknowledgements": ("finding_id", "answer", "reason", "answered_by", "answered_on"),
    "formulas": ("indicator", "level", "scale", "offset_value"),
    "plan_targets": ("comparator", "direction", "aggregation", "period_end", "status"),
    "cl_target_operators": ("name_zh", "name_en", "level_rule", "scored", "strict", "printed_suffices"),
    "cl_target_bands": ("kind", "half_width", "relative"),
    "plan_body_list": ("name_zh", "name_en", "kind"),
    "body_links": ("from_body", "to_body", "relation", "basis"),
    "indicator_measures": ("reason", "author"),
    "formula_terms": ("formula_id", "indicator", "coefficient", "side", "area_scope", "span", "lag"),
}

# As `longest_formula` in dbt_project.yml; a contract test holds the two together.
LONGEST_FORMULA = 3

_TYPES: dict[str, pl.DataType] = {"integer": pl.Int64(), "double": pl.Float64(), "date": pl.Date(), "boolean": pl.Boolean()}


def read_seeds(settings: Settings) -> Seeds:
    """Every CSV under ``seeds/`` as text. Raises :class:`SeedError` for a file that is missing, unreadable or lacks a column."""
    wanted = column_types(settings)
    frames: dict[str, pl.DataFrame] = {}
    paths: dict[str, str] = {}
    faults: list[str] = []
    for path in sorted(settings.seeds.glob("*/*.csv")):
        name = path.relative_to(settings.root).as_posix()
        try:
            frame = pl.read_csv(path, infer_schema=False, empty_string_is_null=False)
        except (pl.exceptions.PolarsError, OSError) as error:
            faults.append(f"{name}: not readable as CSV: {str(error).splitlines()[0]}")
            continue
        absent = [column for column in wanted.get(path.stem, {}) if column not in frame.columns]
        if absent:
            faults.append(f"{name} line 1: column(s) missing: {', '.join(absent)}")
            continue
        frames[path.stem] = frame.with_columns(pl.exclude("__none__").fill_null("")).with_row_index("__line__", offset=2)
        paths[path.stem] = name
    faults += [f"seeds/**/{name}.csv: file missing" for name in wanted if name not in frames and not any(f"{name}.csv" in f for f in faults)]
    if faults:
        raise SeedError(faults)
    publications = {
        row for path in settings.raw.glob("*/publications.csv") for row in pl.read_csv(path, infer_schema=False)["publication_id"].to_list()
    }
    publications |= {Path(printable(path)).stem for path in ledger.raw_files(settings)}
    return Seeds(frames, paths, publications, set(ledger.source_ids(settings)))


def column_types(settings: Settings) -> dict[str, dict[str, str]]:
    """The type of every column of every seed, as ``seeds/properties.yml`` tells dbt."""
    properties = yaml.load((settings.seeds / "properties.yml").read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return {seed["name"]: seed["config"]["column_types"] for seed in properties["seeds"]}


def _lines(frame: pl.DataFrame, wrong: pl.Expr) -> Iterator[tuple[int, dict[str, str]]]:
    for row in frame.filter(wrong.fill_null(False)).iter_rows(named=True):
        yield int(row["__line__"]), row


def _type_faults(seeds: Seeds, types: dict[str, dict[str, str]]) -> Iterator[str]:
    for seed, columns in types.items():
        frame = seeds.frames[seed]
        for column, kind in columns.items():
            if kind not in _TYPES:
                continue
            text = pl.col(column)
            if kind == "boolean":
                wrong = ~text.str.to_lowercase().is_in(["true", "false", ""])
            elif kind == "date":
                wrong = (text != "") & text.str.to_date("%Y-%m-%d", strict=False).is_null()
            else:
                wrong = (text != "") & text.cast(_TYPES[kind], strict=False).is_null()
            for line, row in _lines(frame, wrong):
                yield f"{seeds.paths[seed]} line {line}: {column} is {row[column]!r}, which is no {kind}"


def _key_faults(seeds: Seeds) -> Iterator[str]:
    for seed, key in KEYS.items():
        frame = seeds.frames[seed]
        for line, row in _lines(frame, ~pl.struct(key).is_first_distinct()):
            shown = ", ".join(f"{column} {row[column]!r}" for column in key)
            yield f"{seeds.paths[seed]} line {line}: {shown} stands a second time"


def _required_faults(seeds: Seeds) -> Iterator[str]:
    for seed, columns in REQUIRED.items():
        for column in columns:
            for line, _row in _lines(seeds.frames[seed], pl.col(column) == ""):
                yield f"{seeds.paths[seed]} line {line}: {column} is empty"


def _reference_faults(seeds: Seeds) -> Iterator[str]:
    for seed, column, allowed_values in REFERENCES:
        allowed = allowed_values(seeds)
        for line, row in _lines(seeds.frames[seed], (pl.col(column) != "") & ~pl.col(column).is_in(list(allowed))):
            near = _nearest(row[column], allowed)
            yield f"{seeds.paths[seed]} line {line}: {column} {row[column]!r} is not known{near}"
    hazards = seeds.column("cl_hazards", "hazard")
    for line, row in _lines(seeds.frames["cl_indicators"], pl.col("hazards") != ""):
        for hazard in row["hazards"].split(";"):
            if hazard.strip() and hazard.strip() not in hazards:
                yield f"{seeds.paths['cl_indicators']} line {line}: hazard {hazard.strip()!r} is not in cl_hazards.csv"


def _target_faults(seeds: Seeds) -> Iterator[str]:
    """A target can only be judged as it is typed: what its wording needs must be there, and a link must meet a measure."""
    path = seeds.paths["plan_targets"]
    scored = {row["comparator"] for row in seeds.frames["cl_target_operators"].iter_rows(named=True) if row["level_rule"] != "none"}
    for row in seeds.frames["plan_targets"].iter_rows(named=True):
        where = f"{path} line {row['__line__']}: {row['comparator']}"
        if row["comparator"] in scored and not row["target_value"]:
            yield f"{where} needs a target_value"
        if row["aggregation"] != "point" and not (row["window_start"] and row["window_end"] and row["window_basis"]):
            yield f"{where} over a window needs window_start, window_end and window_basis"
        if row["inferred_base_end"] and row["baseline_text"]:
            yield f"{where}: the plan prints a base, so none may be inferred"
        if row["inferred_base_end"] and not row["inferred_base_reason"]:
            yield f"{where}: an inferred base needs its reason"
    for row in seeds.frames["body_links"].iter_rows(named=True):
        if row["basis"] == "sourced" and not row["source"]:
            yield f"{seeds.paths['body_links']} line {row['__line__']}: a sourced link needs its source; else it is unverified"
    measures = {(row["plan_id"], row["measure_no"]) for row in seeds.frames["measures"].iter_rows(named=True)}
    for row in seeds.frames["indicator_measures"].iter_rows(named=True):
        if (row["plan_id"], row["measure_no"]) not in measures:
            yield f"{seeds.paths['indicator_measures']} line {row['__line__']}: plan {row['plan_id']!r} has no measure {row['measure_no']}"


def _rule_faults(seeds: Seeds) -> Iterator[str]:
    """A rule yields to rules, a threshold of an indicator refines a common one, and a partition has one total."""
    rules = seeds.column("cl_rules", "rule_id")
    for line, row in _lines(seeds.frames["cl_rules"], pl.col("yields_to") != ""):
        for rule in row["yields_to"].split(";"):
            if rule not in rules:
                yield f"{seeds.paths['cl_rules']} line {line}: yields_to {rule!r} is no rule_id{_nearest(rule, rules)}"
    thresholds = list(seeds.frames["rule_thresholds"].iter_rows(named=True))
    for row in thresholds:
        common = {other["parameter"] for other in thresholds if other["rule_id"] == row["rule_id"] and other["indicator"] == "*"}
        if row["parameter"] not in common:
            yield (
                f"{seeds.paths['rule_thresholds']} line {row['__line__']}: parameter {row['parameter']!r} of rule {row['rule_id']!r} "
                f"has no row for '*'{_nearest(row['parameter'], common)}"
            )
    totals: dict[str, tuple[str, ...]] = {}
    for row in seeds.frames["partitions"].iter_rows(named=True):
        total = (row["total_indicator"], row["total_breakdown"], row["total_scope"], row["total_value"])
        where = f"{seeds.paths['partitions']} line {row['__line__']}: partition {row['partition_id']!r}"
        if totals.setdefault(row["partition_id"], total) != total:
            yield f"{where} has another total in a line above"
        if bool(row["total_indicator"]) == bool(row["total_value"]):
            yield f"{where} needs either a total_indicator or a total_value"


def _nearest(text: str, allowed: Iterable[str]) -> str:
    import difflib

    found = difflib.get_close_matches(text, sorted(allowed), n=1, cutoff=0.6)
    return f"; did you mean {found[0]!r}?" if found else ""


def _formula_faults(seeds: Seeds) -> Iterator[str]:
    indicators = {row["indicator"]: row for row in seeds.frames["cl_indicators"].iter_rows(named=True)}
    dimensions = {row["unit_measure"]: row["dimension"] for row in seeds.frames["cl_unit_measures"].iter_rows(named=True)}
    formulas = {row["formula_id"]: row for row in seeds.frames["formulas"].iter_rows(named=True)}
    terms = list(seeds.frames["formula_terms"].iter_rows(named=True))

    def dimension(indicator: str) -> str:
        return dimensions.get(indicators[indicator]["unit_measure"], "") if indicator in indicators else ""

    path = seeds.paths["formula_terms"]
    for formula_id, formula in formulas.items():
        own = [term for term in terms if term["formula_id"] == formula_id]
        where = f"{seeds.paths['formulas']} line {formula['__line__']}: formula {formula_id!r}"
        if len(own) > LONGEST_FORMULA:
            yield f"{where} has {len(own)} terms; {LONGEST_FORMULA} are allowed (raise longest_formula in dbt_project.yml and LONGEST_FORMULA together)"
        over = [term for term in own if term["side"] == "numerator"]
        under = [term for term in own if term["side"] == "denominator"]
        if not over:
            yield f"{where} has no numerator in formula_terms.csv"
            continue
        first = min(own, key=lambda term: int(term["term"]))
        if first["side"] != "numerator" or first["span"] not in ("same", "year") or first["lag"] != "0":
            yield f"{path} line {first['__line__']}: term 1 of {formula_id!r} must be a numerator of the same span (or year) without a lag: it says which periods the result has"
        for side, members in (("numerator", over), ("denominator", under)):
            for term in members[1:]:
                if dimension(term["indicator"]) != dimension(members[0]["indicator"]):
                    yield f"{path} line {term['__line__']}: {term['indicator']} ({dimension(term['indicator'])}) can't be added to {members[0]['indicator']} ({dimension(members[0]['indicator'])}) in the {side} of {formula_id!r}"
        result, top = dimension(formula["indicator"]), dimension(over[0]["indicator"])
        bottom = dimension(under[0]["indicator"]) if under else ""
        if not under and result != top:
            yield f"{where} adds {top} but its indicator is measured in {result}"
        if result == "share" and under and top != bottom:
            yield f"{where} gives a share, but divides {top} by {bottom}"
        if result == "multiple" and under and top != bottom:
            yield f"{where} gives a multiple, but divides {top} by {bottom}"
        if any(term["area_scope"].startswith("group:") for term in own) and len(own) > 1:
            yield f"{where}: a sum over a group stands alone; use its result in another formula"
    yield from _cycle_faults(seeds, formulas, terms)


def _cycle_faults(seeds: Seeds, formulas: dict[str, dict[str, str]], terms: list[dict[str, str]]) -> Iterator[str]:
    """A formula may use what a lower level gives, never itself: cycles and levels out of order."""
    sums = {term["formula_id"] for term in terms if term["area_scope"].startswith("group:")}
    key = ("indicator", "breakdown", "currency_scope", "transformation", "prices")
    level_of = {tuple(f[name] for name in key): (int(f["level"]), formula_id) for formula_id, f in formulas.items() if formula_id not in sums}
    for term in terms:
        used = level_of.get(tuple(term[name] for name in key))
        formula = formulas.get(term["formula_id"])
        if used is None or formula is None or term["formula_id"] in sums:
            continue
        if used[1] == term["formula_id"]:
            yield f"{seeds.paths['formula_terms']} line {term['__line__']}: formula {term['formula_id']!r} uses its own result (a cycle)"
        elif used[0] >= int(formula["level"]):
            yield f"{seeds.paths['formula_terms']} line {term['__line__']}: formula {term['formula_id']!r} of level {formula['level']} uses the result of {used[1]!r} of level {used[0]}: give it a higher level (two are allowed), or break the cycle"


def _answer_faults(seeds: Seeds) -> Iterator[str]:
    """An answer to a finding brings what its kind needs, and no more."""
    kinds = {row["answer"]: row for row in seeds.frames["cl_answers"].iter_rows(named=True)}
    for row in seeds.frames["acknowledgements"].iter_rows(named=True):
        where = f"{seeds.paths['acknowledgements']} line {row['__line__']}"
        kind = kinds[row["answer"]]
        if kind["needs_until"].lower() == "true" and not row["until"]:
            yield f"{where}: answer {row['answer']!r} needs `until`, the last day on which it holds"
        if row["until"] and row["until"] < row["answered_on"]:
            yield f"{where}: until {row['until']} is before answered_on {row['answered_on']}"
        if row["correction_id"] and kind["corrects"].lower() != "true":
            yield f"{where}: answer {row['answer']!r} says the figure stands as printed, but names correction {row['correction_id']!r}"


_PRINTED = {
    "value_text": "value_text",
    "growth_text": "value_text",
    "unit_text": "unit_text",
    "period_text": "period_text",
    "label": "indicator_text",
    "area": "area_text",
}


def _expect_faults(settings: Settings, seeds: Seeds) -> Iterator[str]:
    """Corrections and retractions answer a printed text: once the source shows another, the answer no longer holds."""
    answers = [("corrections", row, row["field"]) for row in seeds.frames["corrections"].iter_rows(named=True)]
    answers += [("retractions", row, "value_text") for row in seeds.frames["retractions"].iter_rows(named=True)]
    wanted = {row["publication_id"] for _seed, row, _field in answers}
    entries = [entry for entry in ledger.load_manifest(settings).values() if entry.publication_id in wanted and entry.ledger]
    columns = ["publication_id", "reference_text", "transformation", *set(_PRINTED.values())]
    frames = [pl.read_parquet(settings.ledger / "cells" / entry.ledger, columns=columns) for entry in entries]
    cells = pl.concat(frames) if frames else pl.DataFrame(schema=dict.fromkeys(columns, pl.String))
    for seed, row, field in answers:
        where = f"{seeds.paths[seed]} line {row['__line__']}"
        found = cells.filter(
            (pl.col("publication_id") == row["publication_id"])
            & (pl.col("reference_text") == row["reference"])
            & (pl.col("transformation") == ("G1Y" if field == "growth_text" else "N"))
        )
        if found.is_empty():
            yield f"{where}: publication {row['publication_id']} has no figure {row['reference']!r}; remove the row or mend the reference"
            continue
        printed = found[_PRINTED[field]].to_list()
        if row["expect"] not in printed:
            yield f"{where}: expects {field} {row['expect']!r} but the source now shows {printed[0]!r}: look at it again, then mend or remove the row"


def check_seeds(settings: Settings) -> Seeds:
    """Read and check every seed. Raises :class:`SeedError` with all faults; call it after the ledger has been read."""
    seeds = read_seeds(settings)
    faults = [*_type_faults(seeds, column_types(settings)), *_key_faults(seeds), *_required_faults(seeds), *_reference_faults(seeds)]
    if not faults:
        faults = [*_formula_faults(seeds), *_target_faults(seeds), *_rule_faults(seeds), *_answer_faults(seeds), *_expect_faults(settings, seeds)]
    if faults:
        raise SeedError(faults)
    return seeds


def seed_path(settings: Settings, name: str) -> Path:
    """Where the seed of that name lives."""
    return next(settings.seeds.glob(f"*/{name}.csv"))
