"""A suite of expectations as one asset check, and its rows as that check's result.

One check a suite, not one an expectation: each check costs several commits to the event log, and a person wants to see which
expectation failed, why it matters and whose it is, which a table shows better. The rows themselves are in the release.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import dagster as dg

from dagster_project.release.expectations import CheckRow, Suite


def suite_spec(suite: Suite, asset: dg.AssetKey, deps: Iterable[dg.AssetKey] = ()) -> dg.AssetCheckSpec:
    """A blocking check: what depends on the asset waits for it."""
    text = f"{suite.description.zh} / {suite.description.en}"
    others = [key for key in deps if key != asset]
    return dg.AssetCheckSpec(suite.suite, asset=asset, description=text, blocking=True, additional_deps=others)


def suite_results(specs: Iterable[dg.AssetCheckSpec], rows: list[CheckRow]) -> Iterator[dg.AssetCheckResult]:
    """One result for each spec. No row at all: nothing was read, so nothing can be wrong."""
    for spec in specs:
        own = [row for row in rows if row.suite == spec.name]
        wrong = [row for row in own if row.status in ("fail", "error")]
        blocks = any(row.blocks for row in wrong)
        metadata: dict[str, dg.MetadataValue] = {"expectations": dg.MetadataValue.int(len(own))}
        if own:
            metadata["seconds"] = dg.MetadataValue.float(round(sum(row.seconds for row in own), 3))
        if wrong:
            records = [
                dg.TableRecord(
                    {"check": row.check_id, "status": row.status, "severity": row.severity, "owner": row.owner,
                     "rows": row.unexpected_count, "zh": row.message_zh, "en": row.message_en}
                )
                for row in wrong
            ]  # fmt: skip
            metadata["wrong"] = dg.MetadataValue.table(records)
        yield dg.AssetCheckResult(
            asset_key=spec.asset_key,
            check_name=spec.name,
            passed=not wrong,
            severity=dg.AssetCheckSeverity.ERROR if blocks else dg.AssetCheckSeverity.WARN,
            description="; ".join(row.message_zh for row in wrong) or None,
            metadata=metadata,
        )
