"""What the seeds know: labels, areas, units, and by them what would become of a cell.

Belongs here: the seeds' vocabulary, the nearest spelling of what is not in it, and the judgement of cells before anything is loaded. Does
not belong here: the judgement that counts (dbt, on the ledger), which also knows publication days, corrections and retractions.

A city without seeds knows nothing: every list is empty and nothing fails.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import polars as pl

from dagster_project.intake import text as typography
from dagster_project.settings import Settings

ACCEPTED: Final = "accepted"
REFUSED: Final = "refused"
MISSING: Final = "missing"  # nothing is printed there: a blank or a missing mark
OTHER: Final = "other_kind"
# What leaves nothing to be done: the source prints no figure.
_NOTHING_PRINTED: Final = ("number_empty", "number_missing")
_SEEDS: Final[dict[str, tuple[str, ...]]] = {
    "aliases": ("source_id", "label", "part", "indicator", "breakdown", "currency_scope", "transformation", "ref_area"),
    "cl_areas": ("ref_area", "name_zh", "name_en", "valid_from", "valid_to"),
    "cl_area_names": ("source_id", "name", "ref_area"),
    "cl_indicators": ("indicator", "name_zh", "name_en", "kind", "span", "unit_measure", "unit_mult", "lower_limit"),
    "cl_units": ("unit_text", "unit_measure", "unit_mult"),
    "cl_unit_measures": ("unit_measure", "dimension", "base_exponent"),
    "unit_variants": ("indicator", "unit_measure", "variant"),
    "cl_refusals": ("refusal", "name_zh", "name_en", "remedy_zh", "remedy_en"),
    "cl_area_groups": ("group_id", "name_zh", "name_en", "total_area", "complete"),
    "cl_area_group_members": ("group_id", "ref_area", "valid_from", "valid_to"),
    "cl_breakdowns": ("breakdown", "name_en", "parent"),
    "stage_labels": ("label", "stage"),
}


@dataclass(frozen=True)
class Known:
    """The seeds as frames of text, by name. ``source_id`` decides which aliases and area names hold; empty: only those of every source."""

    frames: dict[str, pl.DataFrame] = field(repr=False)
    source_id: str = ""

    def _own_first(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Rows of the source and of all, the source's own on top."""
        held = frame.filter(pl.col("source_id").is_in(["*", self.source_id]))
        return held.sort(pl.col("source_id") == "*", maintain_order=True)

    @cached_property
    def labels(self) -> pl.DataFrame:
        """label_key, part (number), indicator, breakdown, currency_scope, alias_transformation, alias_area: one row a label and part."""
        rows = self._own_first(self.frames["aliases"])
        return rows.select(
            typography.label_key(pl.col("label")).alias("label_key"),
            pl.col("part").cast(pl.Int64, strict=False).fill_null(0),
            "indicator",
            "breakdown",
            "currency_scope",
            pl.col("transformation").alias("alias_transformation"),
            pl.col("ref_area").alias("alias_area"),
        ).unique(["label_key", "part"], keep="first", maintain_order=True)

    @cached_property
    def areas(self) -> pl.DataFrame:
        """area_key, ref_area: one row a name. Which of two areas bore it on a day is decided in dbt."""
        own, names = self.frames["cl_areas"], self._own_first(self.frames["cl_area_names"])
        rows = pl.concat(
            [
                names.select(typography.label_key(pl.col("name")).alias("area_key"), "ref_area"),
                *[own.select(typography.label_key(pl.col(column)).alias("area_key"), "ref_area") for column in ("name_zh", "name_en")],
            ]
        )
        return rows.filter(pl.col("area_key") != "").unique("area_key", keep="first", maintain_order=True)

    @cached_property
    def units(self) -> pl.DataFrame:
        """unit_key, printed_unit, printed_dimension: one row a printed unit; a unit of no kind stands without."""
        return (
            self.frames["cl_units"]
            .select(typography.unit_key(pl.col("unit_text")).alias("unit_key"), pl.col("unit_measure").alias("printed_unit"))
            .join(
                self.frames["cl_unit_measures"].select(pl.col("unit_measure").alias("printed_unit"), pl.col("dimension").alias("printed_dimension")),
                on="printed_unit",
                how="left",
                maintain_order="left",
            )
            .unique("unit_key", keep="first", maintain_order=True)
        )

    @cached_property
    def label_keys(self) -> frozenset[str]:
        return frozenset(self.labels["label_key"].to_list())

    @cached_property
    def area_keys(self) -> frozenset[str]:
        return frozenset(self.areas["area_key"].to_list())

    @cached_property
    def unit_keys(self) -> frozenset[str]:
        return frozenset(self.units["unit_key"].to_list()) - {""}

    def has_label(self, text: str) -> bool:
        return _key(text) in self.label_keys

    def has_area(self, text: str) -> bool:
        return _key(text) in self.area_keys

    def has_unit(self, text: str) -> bool:
        return _key(text).lower() in self.unit_keys

    def reason(self, refusal: str) -> tuple[str, str, str, str]:
        """(what it is in Chinese, in English, what to do in Chinese, in English); the code itself where no seed tells."""
        return self._reasons.get(refusal, (refusal, refusal, "", ""))

    @cached_property
    def _reasons(self) -> dict[str, tuple[str, str, str, str]]:
        return {row[0]: row[1:] for row in self.frames["cl_refusals"].select(_SEEDS["cl_refusals"]).iter_rows()}


def _key(text: str) -> str:
    return str(typography.label_key(pl.Series([typography.without_footnotes(pl.Series([text]))[0]]))[0])


def read_known(settings: Settings, source_id: str = "") -> Known:
    """The vocabulary of the seeds below ``settings.seeds``. A seed that is missing or lacks a column is empty; `refresh` says what is wrong with it."""
    frames = {}
    for name, columns in _SEEDS.items():
        path = next(iter(sorted(settings.seeds.glob(f"*/{name}.csv"))), None)
        frame = pl.DataFrame(schema=dict.fromkeys(columns, pl.String))
        if path is not None:
            try:
                found = pl.read_csv(path, infer_schema=False)
            except (pl.exceptions.PolarsError, OSError):
                found = frame
            if set(columns) <= set(found.columns):
                frame = found.with_columns(pl.all().fill_null(""))
        frames[name] = frame
    return Known(frames, source_id)


def nearest(text: str, known: Iterable[str]) -> str:
    """The nearest spelling that the seeds have, or nothing where none is near."""
    found = difflib.get_close_matches(_key(text), sorted(known), n=1, cutoff=0.6)
    return found[0] if found else ""


def judged(cells: pl.DataFrame, known: Known) -> pl.DataFrame:
    """Parsed cells with what would become of them: ``outcome`` (accepted, missing, other_kind, refused), ``refusal`` (a code of
    ``cl_refusals``, else empty), and the ``indicator`` and ``ref_area`` that they would get. Rows and their order are kept.

    The rules are those of the refresh that need nothing but the cell and the seeds.
    """
    part = pl.when(pl.col("number_status") == "ratio").then(1).otherwise(0).cast(pl.Int64)
    measures = known.frames["cl_unit_measures"]
    dimension_of = measures.select("unit_measure", pl.col("dimension").alias("wanted_dimension"))
    indicators = known.frames["cl_indicators"].select("indicator", "span", "unit_measure").join(dimension_of, on="unit_measure", how="left")
    variants = known.frames["unit_variants"].select("indicator", pl.col("unit_measure").alias("base_unit"), "variant")
    units = known.units
    frame = (
        cells.with_columns(part.alias("part"))
        .join(known.labels, on=["label_key", "part"], how="left", maintain_order="left")
        .join(
            units.select(pl.col("unit_key").alias("base_unit_key"), pl.col("printed_unit").alias("base_unit")),
            on="base_unit_key",
            how="left",
            maintain_order="left",
        )
        .join(variants, on=["indicator", "base_unit"], how="left", maintain_order="left")
        .with_columns(pl.coalesce("variant", "indicator").alias("indicator"))
        .join(indicators.drop("unit_measure"), on="indicator", how="left", maintain_order="left")
        .join(units, on="unit_key", how="left", maintain_order="left")
        .join(
            units.select(pl.col("unit_key").alias("glued_key"), pl.col("printed_dimension").alias("glued_dimension")),
            left_on=pl.col("unit_in_text").str.to_lowercase(),
            right_on="glued_key",
            how="left",
            maintain_order="left",
        )
        .join(known.areas, on="area_key", how="left", maintain_order="left")
    )
    blank = pl.col("alias_transformation").fill_null("") == ""
    transformation = pl.when(blank).then("transformation").otherwise("alias_transformation")
    needed = (
        pl.when(transformation == "G1Y")
        .then(pl.lit("share"))
        .when(transformation.is_in(["DYS", "D1Y"]) & (pl.col("wanted_dimension") == "share"))
        .then(pl.lit("share_change"))
        .otherwise("wanted_dimension")
    )
    year_end = (pl.col("form") == "moment") & (pl.col("period_end").dt.month() == 12) & (pl.col("period_end").dt.day() == 31)
    started = pl.col("period_start").is_not_null() | year_end | ((transformation == "DYS") & (pl.col("form") != "range"))
    area = pl.coalesce(pl.when(pl.col("alias_area") != "").then("alias_area"), "ref_area")
    single = pl.col("part") == 0
    growth_of_a_change = (
        (pl.col("transformation") != "N")
        & ~blank
        & ~pl.col("alias_transformation").is_in(["N", "AVG"])
        & (pl.col("alias_transformation") != pl.col("transformation"))
    )
    refusal = (
        pl.when(~pl.col("number_status").is_in(["number", "ratio"]))
        .then(pl.lit("number_") + pl.coalesce("number_reason", "number_status"))
        .when(pl.col("period_status") != "period")
        .then(pl.lit("period_") + pl.coalesce("period_reason", "period_status"))
        .when(pl.col("indicator").is_null())
        .then(pl.lit("unmapped_label"))
        .when(area.is_null())
        .then(pl.lit("unmapped_area"))
        .when(growth_of_a_change)
        .then(pl.lit("growth_of_a_change"))
        .when(single & (pl.col("unit_key") == ""))
        .then(pl.lit("unit_missing"))
        .when(single & pl.col("printed_unit").is_null())
        .then(pl.lit("unmapped_unit"))
        .when(single & (pl.col("printed_dimension") != needed))
        .then(pl.lit("unit_dimension"))
        .when(single & (pl.col("glued_dimension") != pl.col("printed_dimension")))
        .then(pl.lit("unit_conflict"))
        .when((pl.col("span") == "period") & ~started)
        .then(pl.lit("period_is_a_moment"))
        .otherwise(pl.lit(""))
    )
    frame = frame.with_columns(refusal.alias("refusal"), area.alias("ref_area"))
    outcome = (
        pl.when(pl.col("refusal").is_in(_NOTHING_PRINTED))
        .then(pl.lit(MISSING))
        .when(pl.col("kind_text").is_in(["target", "forecast"]))
        .then(pl.lit(OTHER))
        .when(pl.col("refusal") != "")
        .then(pl.lit(REFUSED))
        .otherwise(pl.lit(ACCEPTED))
    )
    return frame.with_columns(outcome.alias("outcome")).select(*cells.columns, "indicator", "ref_area", "refusal", "outcome")
