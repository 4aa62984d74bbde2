"""Findings that wait for a person, shown on their mart. They never block: a suspicion is a question, not a fault of the release."""

from collections.abc import Iterable

import dagster as dg

from dagster_project.assets.release import RELEASE
from dagster_project.release.refresh import Refresh
from dagster_project.resources.refresh import KEY

UNANSWERED = "high_findings_answered"
MART = "findings"


def findings_check(marts: Iterable[dg.AssetKey]) -> dg.AssetChecksDefinition:
    """Is every high finding answered? A warning where one is not."""
    asset = next(key for key in marts if key.path[-1] == MART)
    spec = dg.AssetCheckSpec(
        UNANSWERED, asset=asset, description="严重的可疑都有答复 / every high finding is answered", blocking=False, additional_deps=[RELEASE]
    )

    @dg.multi_asset_check(name="check_findings", specs=[spec], required_resource_keys={KEY})
    def check_findings(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        refresh: Refresh = context.resources.refresh
        summary = refresh.summary
        records = [dg.TableRecord(dict(finding)) for finding in summary.high_findings]
        return dg.AssetCheckResult(
            asset_key=asset,
            check_name=UNANSWERED,
            passed=summary.high_unanswered == 0,
            severity=dg.AssetCheckSeverity.WARN,
            description="; ".join(f"{finding['message_zh']} {finding['message_en']}" for finding in summary.high_findings) or None,
            metadata={
                "unanswered": summary.high_unanswered,
                **{f"findings_{state}": count for state, count in summary.findings.items()},
                **({"first": dg.MetadataValue.table(records)} if records else {}),
            },
        )

    return check_findings
