"""The candidate database before the models: an empty release file, and a file of inputs that shows them the ledger and the seeds.

Belongs here: turning the ledger's manifest, ``source.yml`` and ``publications.csv`` into the few relations that dbt calls
the source ``ledger``. Does not belong here: any formula, any check, publishing.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import duckdb
import polars as pl

from dagster_project.intake import layouts, ledger, numbers, periods, text
from dagster_project.intake.seeds import column_types, seed_path
from dagster_project.release import findings
from dagster_project.settings import Settings, quoted

PUBLICATION_COLUMNS = (
    "publication_id", "file", "layout", "title", "address", "publisher", "carrier", "fidelity", "table_id", "language",
    "known_after", "known_after_basis", "known_by", "known_by_basis", "reason",
)  # fmt: skip


@dataclass(frozen=True)
class Identity:
    """Which build this is: its id and moment, and the (kind, path, sha256, bytes) of every input.

    ``findings_at`` is the moment at which its findings were first seen: that of the first release of the same inputs, so that
    building them again changes nothing.
    """

    release_id: str
    built_at: str
    fingerprint: str
    code_version: str
    findings_at: str
    inputs: tuple[tuple[str, str, str, int], ...] = ()


MANY_FILES = 64
ROWS_OF_A_FILE = 10**9  # more than any has: what a file's place counts for in a cell's number
INPUT_SCHEMA = {"kind": pl.String, "path": pl.String, "sha256": pl.String, "bytes": pl.Int64}
LABEL_FIELDS = {"label": "label_key", "area": "area_key", "unit_text": "unit_key"}


def read_publications(settings: Settings) -> pl.DataFrame:
    """``publications.csv`` of every source in one frame of text columns, plus ``source_id``."""
    frames = [pl.DataFrame(schema={"source_id": pl.String, **dict.fromkeys(PUBLICATION_COLUMNS, pl.String)})]
    for path in sorted(settings.raw.glob("*/publications.csv")):
        frame = pl.read_csv(path, infer_schema=False, empty_string_is_null=False)
        absent = [column for column in PUBLICATION_COLUMNS if column not in frame.columns]
        frames.append(
            frame.with_columns([pl.lit("").alias(column) for column in absent])
            .with_columns(pl.lit(path.parent.name).alias("source_id"))
            .select("source_id", *PUBLICATION_COLUMNS)
        )
    return pl.concat(frames)


def _sources(settings: Settings) -> pl.DataFrame:
    rows = []
    for source_id in ledger.source_ids(settings):
        try:
            source = layouts.read_source(settings.raw / source_id / "source.yml")
        except layouts.LayoutError:
            continue  # its files are refused one by one, with the reason
        rows.append(
            (source.source_id, source.title.zh, source.title.en, source.publisher, source.carrier_kind, source.trust,
             source.fidelity, source.cadence, source.licence, source.language)
        )  # fmt: skip
    names = ["source_id", "title_zh", "title_en", "publisher", "carrier_kind", "trust", "fidelity", "cadence", "licence", "language"]
    schema = {name: pl.Int32() if name in ("trust", "fidelity") else pl.String() for name in names}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _corrections(settings: Settings) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The corrections seed, its new texts parsed as the reader would: one frame for keys and periods, one for values."""
    seed = pl.read_csv(settings.seeds / "judgement" / "corrections.csv", infer_schema=False, empty_string_is_null=False)
    key = ["publication_id", "reference"]
    grouped = seed.group_by(key, maintain_order=True)

    def value_of(field: str) -> pl.Expr:
        return pl.col("value").filter(pl.col("field") == field).first()

    of_labels = pl.col("field").is_in([*LABEL_FIELDS, "period_text"])
    labels = (
        grouped.agg(
            pl.col("correction_id").filter(of_labels).str.join(",").alias("correction_ids"),
            *[value_of(field).alias(name) for field, name in LABEL_FIELDS.items()],
            value_of("period_text").fill_null("").alias("period_text"),
        )
        .filter(pl.col("correction_ids") != "")
        .with_columns(text.label_key(pl.col("label_key")), text.label_key(pl.col("area_key")), text.unit_key(pl.col("unit_key")))
    )
    parsed = periods.parse_periods(labels["period_text"])
    labels = labels.join(parsed, on="period_text", how="left").with_columns(
        pl.when(pl.col("period_text") == "").then(None).otherwise("period_status").alias("period_status")
    )
    values = (
        seed.filter(pl.col("field").is_in(["value_text", "growth_text"]))
        .with_columns(pl.when(pl.col("field") == "growth_text").then(pl.lit("G1Y")).otherwise(pl.lit("N")).alias("transformation"))
        .select(*key, "transformation", pl.col("correction_id").alias("correction_ids"), pl.col("value").alias("value_text"))
    )
    values = values.join(numbers.parse_numbers(values["value_text"]), on="value_text", how="left")
    return labels, values


def prepare(settings: Settings, identity: Identity) -> None:
    """Write an empty candidate and the scratch database whose schema ``ledger`` dbt reads. Raises nothing of its own."""
    for path in (settings.candidate, settings.candidate_inputs):
        path.parent.mkdir(parents=True, exist_ok=True)
        for stale in (path, path.with_name(path.name + ".wal")):
            stale.unlink(missing_ok=True)
    entries = list(ledger.load_manifest(settings).values())
    files = pl.DataFrame(
        [(e.source_id, e.publication_id, e.file, e.size, e.sha256, e.layout, e.ledger, e.recorded_at, e.status, e.code, e.message, e.cells, e.numbers, e.vanished_at) for e in entries],
        schema={"source_id": pl.String, "publication_id": pl.String, "file": pl.String, "size": pl.Int64, "sha256": pl.String, "layout": pl.String,
                "ledger": pl.String, "recorded_at": pl.String, "status": pl.String, "code": pl.String, "message": pl.String,
                "cells": pl.Int64, "numbers": pl.Int64, "vanished_at": pl.String},
        orient="row",
    )  # fmt: skip
    label_corrections, value_corrections = _corrections(settings)
    duckdb.connect(str(settings.candidate)).close()
    with duckdb.connect(str(settings.candidate_inputs)) as connection:
        connection.execute("begin")  # one transaction: each commit of its own would wait for the disk
        connection.execute("create schema ledger")
        frames = {
            "files": files,
            "publications": read_publications(settings),
            "sources": _sources(settings),
            "label_corrections": label_corrections,
            "value_corrections": value_corrections,
            "notes": _notes([settings.ledger / "notes" / entry.ledger for entry in entries if entry.ledger]),
            "release": _release(identity),
            "release_inputs": pl.DataFrame(identity.inputs, schema=INPUT_SCHEMA, orient="row"),
            "findings_history": findings.load(settings),
        }
        for name, frame in frames.items():
            write_table(connection, settings, f"ledger.{name}", frame)
        _load_seeds(connection, settings)
        _show_cells(connection, settings, [settings.ledger / "cells" / entry.ledger for entry in entries if entry.ledger])
        connection.execute("commit")


def _release(identity: Identity) -> pl.DataFrame:
    texts = ("release_id", "built_at", "fingerprint", "code_version", "findings_at")
    frame = pl.DataFrame({name: [getattr(identity, name)] for name in texts})
    return frame.with_columns(pl.col("built_at", "findings_at").str.to_datetime("%Y-%m-%d %H:%M:%S"))


def _load_seeds(connection: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """The seeds where dbt would put them, typed as ``properties.yml`` says. dbt's own way takes thirty times as long: a node each."""
    connection.execute("create schema seeds")
    for name, types in column_types(settings).items():
        path = seed_path(settings, name)
        with path.open(encoding="utf-8-sig", newline="") as handle:
            header = next(csv.reader(handle))
        columns = ", ".join(f'"{column}" {types.get(column, "varchar")}' for column in header)
        connection.execute(f"create table seeds.{name} ({columns})")
        connection.execute(
            f"copy seeds.{name} from '{quoted(path)}' (format csv, header true, auto_detect false, delim ',', quote '\"', escape '\"')"
        )


def _notes(paths: list[Path]) -> pl.DataFrame:
    """The notes of all current ledger files; most have none."""
    there = [path for path in paths if path.is_file()]
    return pl.scan_parquet(there, missing_columns="insert", extra_columns="ignore").collect() if there else ledger.no_notes()


def _show_cells(connection: duckdb.DuckDBPyConnection, settings: Settings, paths: list[Path]) -> None:
    """``ledger.cells`` over all current ledger files. DuckDB pays 2 ms to open each file, polars a tenth of that: many become a table.

    ``cell_no`` is told by the place in the files: counting rows as they come would leave the largest scan to one thread.
    """
    if not paths or len(paths) > MANY_FILES:
        cells = ledger.no_cells() if not paths else pl.scan_parquet(paths, missing_columns="insert", extra_columns="ignore").collect()
        write_table(connection, settings, "ledger.cells", cells.select((pl.int_range(pl.len(), dtype=pl.Int64) + 1).alias("cell_no"), pl.all()))
    else:
        files = ", ".join(f"'{quoted(path)}'" for path in paths)
        number = f"(file_index * {ROWS_OF_A_FILE} + file_row_number + 1)::bigint as cell_no"
        connection.execute(f"create view ledger.cells as select {number}, * from read_parquet([{files}], union_by_name = true)")


def write_table(connection: duckdb.DuckDBPyConnection, settings: Settings, name: str, frame: pl.DataFrame) -> None:
    """A frame as a new table, by way of a file: values that Python hands to DuckDB make it import pandas, which takes longer than all of this."""
    path = settings.candidate_inputs.with_suffix(".parquet")
    frame.write_parquet(path, compression="uncompressed", statistics=False)
    try:
        connection.execute(f"create table {name} as select * from read_parquet('{quoted(path)}')")
    finally:
        path.unlink(missing_ok=True)
