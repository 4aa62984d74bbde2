"""Explanations and findings in words, for a terminal: Chinese and English side by side.

Belongs here: the wording of what ``explain`` found and of what waits for a person. Does not belong here: finding it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dagster_project.release.explain import SCOPE_WORDS, STAGE_WORDS, interval, shown, unit

Row = dict[str, Any]


def say(answer: Row) -> Iterator[str]:
    """The lines of an explanation."""
    indicator = answer["indicator"]
    for series in answer["series"]:
        as_of = answer["question"]["as_of"]
        scope = SCOPE_WORDS.get(series["currency_scope"], series["currency_scope"])
        span = f"{series['period_start']} – {series['period_end']}" if series["period_start"] else f"{series['period_end']}"
        yield (
            f"{indicator['name_zh']} {indicator['name_en']} · {series['area_zh']} {series['area_en']} ({series['ref_area']}) · {span} {series['coverage']}"
            + (f" · {scope}" if scope else "")
            + (f" · as of 截至 {as_of}" if as_of else "")
        )
        if indicator["hazards"]:
            yield f"  hazards 注意: {indicator['hazards']}"
        for figure in series["figures"]:
            yield from _figure(figure)
        for row in series["not_yet_known"]:
            yield from _waiting(row, as_of)
        if series["vintages"]:
            yield "  vintages 版本:"
            for row in series["vintages"]:
                yield from _vintage(row)
        for finding in series["findings"]:
            yield f"  finding 可疑 ({finding['state']}, {finding['severity']}) {finding['rule_id']}: {finding['message_zh']} {finding['message_en']}"
            if finding["answer"]:
                yield f"    answer 答复 {finding['answer']}: {finding['reason']} ({finding['answered_by']}, {finding['answered_on']})"
        for claim in series["contradicting_claims"]:
            yield f"  claim 引述 {claim['relation']}: “{claim['value_text']}” {claim['publication_id']} {claim['carrier']} ({claim['known_by'] or 'undated 无日期'}) raw/{claim['file']} {claim['cell']}"
        if series["quote"]:
            yield f"  quote 引用: {series['quote']}"
        yield ""


def _basis(row: Row) -> str:
    stage = STAGE_WORDS.get(row["stage"] or "")
    parts = []
    if stage:
        parts.append(f"{stage[0]} {stage[1]} ({row['stage_basis']})")
    if row["census_basis"] is not None:
        parts.append(f"census basis 普查口径 {row['census_basis']}")
    if row["marks"]:
        parts.append(f"marks 标记: {row['marks']}")
    return " · ".join(parts)


def _known(row: Row) -> str:
    if row["known_by"] is None:
        return "publication day unknown 公布日未知" + (f", after {row['known_after']} ({row['known_after_basis']})" if row["known_after"] else "")
    return f"known by 已知于 {row['known_by']} ({row['known_by_basis']}), not before 不早于 {row['known_after']} ({row['known_after_basis'] or 'inputs'})"


def _figure(figure: Row, depth: int = 1) -> Iterator[str]:
    pad = "  " * depth
    badges = [name for name, on in (("HEADLINE 首选", figure.get("headline")), ("preferred 优先", figure.get("preferred"))) if on]
    yield f"{pad}{figure['origin']} {shown(figure['obs_value'], figure)} {unit(figure)} {interval(figure)} {' · '.join(badges)}".rstrip()
    for line in (_basis(figure), _known(figure)):
        if line:
            yield f"{pad}  {line}"
    if figure.get("consistent_with_headline"):
        yield f"{pad}  against the headline 与首选数: {figure['consistent_with_headline']}"
    if figure["formula_id"]:
        yield f"{pad}  formula 公式 {figure['formula_id']}:"
    for part in figure["parts"]:
        yield f"{pad}  ← {part['indicator']} {part['indicator_zh']} {part['ref_area']} {part['time_period']} {part['coverage']}"
        yield from _figure(part, depth + 2)
    yield from _prints(figure["prints"], pad + "  ")


def _prints(prints: list[Row], pad: str) -> Iterator[str]:
    for cell in prints[:6]:
        where = f"raw/{cell['file']}{' ' + cell['sheet'] if cell['sheet'] else ''} {cell['cell']}"
        yield f"{pad}{cell['relation']} “{cell['value_text']}” {cell['unit_text']} · {where} · {cell['publication_id']} {cell['title'] or ''} ({cell['known_by'] or 'undated 无日期'})"
        for correction in cell["corrections"]:
            yield (
                f"{pad}  corrected 更正 {correction['correction_id']} {correction['field']}: “{correction['printed_text']}” → “{correction['corrected_text']}”"
                f" · {correction['reason']} ({correction['author']}, {correction['decided_on']})"
                + (f" · answers 答 {correction['finding_ids']}" if correction["finding_ids"] else "")
            )
    if len(prints) > 6:
        yield f"{pad}… and {len(prints) - 6} more prints 另有 {len(prints) - 6} 处"


def _waiting(row: Row, as_of: Any) -> Iterator[str]:
    first = row["first_publication"]
    yield f"  not yet known 尚未可知 ({row['origin']}): {shown(row['obs_value'], row)} {unit(row)}"
    if row["known_by"] is None:
        yield "    no print of it has a publication day 没有带日期的出处"
    else:
        what = f"{first.get('publication_id', '')} {first.get('title', '')}".strip() or "from its inputs 由输入推得"
        yield f"    first dated print 最早带日期的出处 {row['known_by']}: {what}"
    if row["possibly_known"]:
        yield f"    it may have been public since 可能早于此公布: {row['known_after']} ({row['known_after_basis'] or 'inputs'})"
    for part in row["parts"]:
        yield f"    ← {part['indicator']} {shown(part['obs_value'], part)} {unit(part)}: {_known(part)}"


def _vintage(row: Row) -> Iterator[str]:
    stage = STAGE_WORDS.get(row["stage"] or "", ("阶段未印", "stage not printed"))
    coarse = " coarse 约数" if "coarse" in row["marks"] else ""
    yield (
        f"    {row['vintage_no']}. {shown(row['obs_value'], row)} {unit(row)} {interval(row)}{coarse} · {stage[0]} {stage[1]}"
        f"{' (' + row['stage_basis'] + ')' if row['stage_basis'] else ''}, round 普查 {row['census_basis'] or '–'} · {_known(row)}"
    )
    for confirmation in row["confirmed_by"]:
        yield f"       confirmed 确认: {confirmation['stage']} by {confirmation['known_by']} ({confirmation['publication_id']})"
    yield from _prints(row["prints"], "       ")


STATES = {"open": "待答", "returned": "重新提出", "answered": "已答", "corrected": "已更正", "gone": "已消失", "noted": "备查"}


def say_findings(counts: dict[str, int], high: int, named: list[Row]) -> Iterator[str]:
    """Lines of a refresh's summary: findings by state, and the high ones that nobody has answered."""
    if counts:
        yield "findings 可疑: " + " · ".join(f"{counts[state]} {state} {word}" for state, word in STATES.items() if state in counts)
    if not high:
        return
    yield f"{high} high finding(s) wait for an answer: run `fincenter review export`. {high} 条严重可疑待答复，请运行 fincenter review export。"
    for finding in named:
        yield f"  {finding['message_zh']} {finding['message_en']} ({finding['finding_id']})"
    if high > len(named):
        yield f"  … and {high - len(named)} more 另有 {high - len(named)} 条"
