"""Raw folders → ledger, as assets: one a source, and the ledger's tables that dbt calls its sources.

Belongs here: describing the sources to Dagster and reporting what the reader did. Does not belong here: reading.
All sources are read together, so that each distinct text is parsed once.
"""

from collections.abc import Iterator

import dagster as dg

from dagster_project.intake import layouts, ledger
from dagster_project.release.refresh import Refresh
from dagster_project.resources.refresh import KEY
from dagster_project.settings import Settings

CELLS = dg.AssetKey(["ledger", "cells"])
FILES = dg.AssetKey(["ledger", "files"])
READING = dg.AssetKey(["ledger", "read"])
READABLE = "files_readable"


def source_key(source_id: str) -> dg.AssetKey:
    """The asset of a folder under ``raw/``."""
    return dg.AssetKey(["raw", source_id])


def _spec(settings: Settings, source_id: str) -> dg.AssetSpec:
    kinds = {path.suffix.lstrip(".").lower() for path in ledger.raw_files(settings, source_id)}
    try:
        source = layouts.read_source(settings.raw / source_id / "source.yml")
        description = f"{source.title.zh} / {source.title.en}"
    except layouts.LayoutError as problem:
        description = str(problem)
    shown = {kind for kind in kinds if kind.isalnum()} or {"file"}
    return dg.AssetSpec(source_key(source_id), group_name="raw", description=description, kinds=set(sorted(shown)[:3]))


def raw_assets(settings: Settings) -> dg.AssetsDefinition:
    """Sources and ledger in one step."""
    source_ids = ledger.source_ids(settings)
    sources = [source_key(name) for name in source_ids]
    ledger_specs = [
        dg.AssetSpec(
            CELLS,
            deps=sources,
            group_name="ledger",
            kinds={"parquet"},
            description="台账：每个单元格一行 / the ledger: a row a cell",
        ),
        dg.AssetSpec(READING, deps=sources, group_name="ledger", description="本次读入的行 / the rows this run read"),
        dg.AssetSpec(
            FILES,
            deps=sources,
            group_name="ledger",
            kinds={"json"},
            description="台账清单：每个文件一行 / its manifest: a row a file",
        ),
    ]

    @dg.multi_asset(
        name="read_raw",
        specs=[*[_spec(settings, name) for name in source_ids], *ledger_specs],
        check_specs=[dg.AssetCheckSpec(READABLE, asset=FILES, description="每个文件都能读 / every file can be read")],
        required_resource_keys={KEY},
    )
    def read_raw(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
        refresh: Refresh = context.resources.refresh
        done = refresh.read()
        refresh.start_intake_checks()
        for name in source_ids:
            yield _result(name, done)
        cells = sum(entry.cells for entry in done.entries if not entry.vanished_at)
        yield dg.MaterializeResult(asset_key=CELLS, metadata={"dagster/row_count": cells})
        yield dg.MaterializeResult(asset_key=READING, metadata={"dagster/row_count": sum(entry.cells for entry in done.read)})
        counts = {"dagster/row_count": len(done.entries), "vanished": len(done.vanished)}
        yield dg.MaterializeResult(asset_key=FILES, metadata=counts)
        yield _readable(done)

    return read_raw


def _result(source_id: str, done: ledger.Intake) -> dg.MaterializeResult[None]:
    own = [entry for entry in done.entries if entry.source_id == source_id]
    read = [entry for entry in done.read if entry.source_id == source_id]
    refused = [entry for entry in done.refused if entry.source_id == source_id]
    vanished = [entry for entry in done.vanished if entry.source_id == source_id]
    reasons = {entry.file: f"{entry.code}: {entry.message}" for entry in refused}
    return dg.MaterializeResult(
        asset_key=source_key(source_id),
        metadata={
            "files_read": len(read),
            "files_unchanged": len(own) - len(read) - len(refused) - len(vanished),
            "files_refused": len(refused),
            "files_vanished": len(vanished),
            "cells": sum(entry.cells for entry in own if not entry.vanished_at),
            **({"refused": dg.MetadataValue.json(reasons)} if reasons else {}),
        },
    )


def _readable(done: ledger.Intake) -> dg.AssetCheckResult:
    reasons = {entry.file: f"{entry.code}: {entry.message}" for entry in done.refused}
    return dg.AssetCheckResult(
        asset_key=FILES,
        check_name=READABLE,
        passed=not reasons,
        severity=dg.AssetCheckSeverity.WARN,
        description="; ".join(f"{file}: {reason}" for file, reason in reasons.items()) or None,
        metadata={"files_refused": len(reasons)},
    )
