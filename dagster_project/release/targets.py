"""The board of targets, read from a release and said in words.

Belongs here: reading ``methods.target_progress_as_of`` of a release, and laying it out as lines. Does not belong here: any judgement of
a target (that is SQL in the release), or colours.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.release.explain import MULTIPLIERS, NotFound, Row
from dagster_project.settings import quoted

UNITS = {"CNY": "元", "PC": "%", "ENT": "家", "ITEM": "个", "TEU": "标箱", "T": "吨", "PT": "点", "USD": "美元", "PP": "个百分点", "MULT": "倍"}
WORDS = {
    "zh": {
        "title": "目标看板", "as_of": "截至", "today": "今天（资料知至）", "due": "到期", "target": "目标", "base": "基数", "plan_base": "规划所印",
        "actual": "实际", "path": "路径应为", "R": "R", "plan_R": "按所印基数", "needed": "余下每年需", "rules": "与另一说法冲突，以较严者为准",
        "yields": "与另一说法冲突，另一说法较严", "none": "无", "hidden": "另有无公布日或当日未确知已公布的目标，本看板不判，只在今天的看板中列示：",
        "count": "共 {shown} 个目标：{verdicts}", "off": "偏离", "left_out": "{n} 个：{reason}",
    },
    "en": {
        "title": "Board of targets", "as_of": "as of", "today": "today (the ledger knows up to)", "due": "due", "target": "target", "base": "base",
        "plan_base": "the plan prints", "actual": "actual", "path": "path", "R": "R", "plan_R": "with the printed base", "needed": "needed a year from now",
        "rules": "conflicting wordings: this stricter one rules", "yields": "conflicting wordings: the other one is stricter", "none": "none",
        "hidden": "not judged here, because undated or not certainly public on that day; shown as of today only:",
        "count": "{shown} targets: {verdicts}", "off": "off course", "left_out": "{n}: {reason}",
    },
}  # fmt: skip
OPERATORS = {
    "reach": "达到", "at_least": "不低于", "greater_than": "超过", "at_most": "不超过", "about": "左右", "hold_about": "保持在左右", "hold_at_least": "保持不低于",
    "multiply_by": "为基期的倍数", "decrease_by": "比基期降低", "avg_growth_at_least": "年均增长不低于", "avg_growth_greater_than": "年均增长超过",
    "cumulative": "累计", "newly_added": "新增", "improve": "改善", "qualitative": "定性",
}  # fmt: skip
CLASSES = {
    "achieved": ("已达目标", "achieved"), "on_track": ("进度正常", "on track"), "acceleration_needed": ("需要加快", "acceleration needed"),
    "limited": ("进展有限", "limited progress"), "deterioration": ("倒退", "deterioration"), "not_available": ("进度无法判定", "pace not available"),
}  # fmt: skip
NOT_PUBLIC = ("target_undated", "target_possibly_known", "target_not_public")


@dataclass(frozen=True)
class BoardQuestion:
    """Which board: of a plan (id or part of its title), an area (ref_area, code or name), as of a day; None is all, and today."""

    plan: str | None = None
    area: str | None = None
    as_of: date | None = None


def board(database: Path, question: BoardQuestion) -> Row:
    """Every target that the question asks for, with where it stands. Raises :class:`NotFound` for an unknown plan or area."""
    with duckdb.connect() as connection:
        connection.execute(f"attach '{quoted(database)}' as fincenter (read_only)")

        def rows(sql: str, *parameters: Any) -> list[Row]:
            relation = connection.execute(sql, list(parameters))
            names = [column[0] for column in relation.description or ()]
            return [dict(zip(names, row, strict=True)) for row in relation.fetchall()]

        plans = rows("select distinct plan_id, plan_title_zh, plan_title_en from fincenter.marts.targets order by plan_id")
        wanted = {
            plan["plan_id"]
            for plan in plans
            if question.plan is None
            or question.plan == plan["plan_id"]
            or question.plan.lower() in plan["plan_id"].lower()
            or question.plan in (plan["plan_title_zh"] or "")
            or question.plan.lower() in (plan["plan_title_en"] or "").lower()
        }
        if not wanted:
            raise NotFound(f"no plan {question.plan!r} with targets; there is " + ", ".join(plan["plan_id"] for plan in plans))
        areas = {row["ref_area"] for row in rows("select ref_area from fincenter.marts.areas")}
        if question.area is not None:
            areas = {
                row["ref_area"]
                for row in rows(
                    "select ref_area from fincenter.marts.areas where ref_area = $1 or area_code = $1 or name_zh = $1 or lower(name_en) = lower($1)",
                    question.area,
                )
            }
            if not areas:
                raise NotFound(f"no area {question.area!r}")
        found = rows(
            """
            select p.*, i.name_zh as indicator_name_zh, i.name_en as indicator_name_en, i.unit_measure, i.unit_mult,
                a.name_zh as area_name_zh, a.name_en as area_name_en, t.plan_title_zh, t.plan_title_en, t.base_reason, t.note
            from fincenter.methods.target_progress_as_of($1) as p
            inner join fincenter.marts.indicators as i using (indicator)
            inner join fincenter.marts.areas as a using (ref_area)
            inner join fincenter.marts.targets as t using (target_id)
            order by p.plan_id, p.ref_area, p.indicator, p.period_end, p.target_id
            """,
            question.as_of,
        )
    found = [row for row in found if row["plan_id"] in wanted and row["ref_area"] in areas]
    return {
        "as_of": found[0]["as_of"] if found else question.as_of,
        "is_today": question.as_of is None,
        "targets": [row for row in found if row["reason"] not in NOT_PUBLIC],
        "not_judged": [row for row in found if row["reason"] in NOT_PUBLIC],
    }


def _number(value: float | None, digits: int = 2) -> str:
    return "–" if value is None else f"{value:,.{digits}f}".rstrip("0").rstrip(".")


def _interval(lower: float | None, upper: float | None) -> str:
    return f"[{_number(lower, 3) if lower is not None else '-∞'}, {_number(upper, 3) if upper is not None else '∞'}]"


def _unit(row: Row, language: str) -> str:
    if row["transformation"] != "N":
        return "%"
    mult = MULTIPLIERS.get(row["unit_mult"], f"10^{row['unit_mult']} ")
    if language == "zh":
        return mult + (UNITS.get(row["unit_measure"]) or str(row["unit_measure"]))
    plain = {"PC": "%", "ENT": "entities", "PT": "points"}.get(row["unit_measure"])
    return plain or (f"10^{row['unit_mult']} " if row["unit_mult"] else "") + str(row["unit_measure"])


def _figures(row: Row, words: dict[str, str], unit: str) -> Iterator[str]:
    if row["base_value"] is not None:
        base = f"{words['base']} {row['base_period_end'].year} {_number(row['base_value'])} {_interval(row['base_lower'], row['base_upper'])}"
        if row["plan_base_value"] is not None:
            base += f" ({words['plan_base']} {_number(row['plan_base_value'])})"
        yield base
    if row["actual_value"] is not None:
        yield f"{words['actual']} {row['actual_time_period']} {_number(row['actual_value'])} {_interval(row['actual_lower'], row['actual_upper'])} {unit}"
    if row["path_value"] is not None and row["actual_value"] is not None:
        yield f"{words['path']} {_number(row['path_value'])}"
    if row["ratio"] is not None:
        pace = f"{words['R']} {row['ratio']:.3f}"
        if row["ratio_plan_base"] is not None:
            pace += f" ({words['plan_R']} {row['ratio_plan_base']:.3f})"
        yield pace
    if row["remaining_rate"] is not None and row["ratio"] is not None:
        yield (
            f"{words['needed']} {_number(100 * row['remaining_rate'])}%"
            if row["path_kind"] == "geometric"
            else f"{words['needed']} {_number(row['remaining_rate'])}"
        )


def say(answer: Row, language: str) -> Iterator[str]:
    """The board as lines of text."""
    words = WORDS[language]
    day = answer["as_of"]
    yield f"{words['title']} · {words['today'] if answer['is_today'] else words['as_of']} {day}"
    plan = None
    for row in answer["targets"]:
        if row["plan_id"] != plan:
            plan = row["plan_id"]
            yield ""
            yield f"## {row['plan_title_' + language] or plan} ({plan})"
        unit = _unit(row, language)
        level = f" = {_number(row['target_level'])} {unit}" if row["target_level"] is not None else ""
        operator = OPERATORS[row["comparator"]] if language == "zh" else row["comparator"].replace("_", " ")
        head = f"{row['area_name_' + language]} · {row['indicator_name_' + language]} · {operator} {row['value_text'] or ''}{row['unit_text'] or ''}{level} · {words['due']} {row['period_end']}"
        yield f"- {head}"
        yield f"    {row['verdict_' + language]} · {CLASSES[row['status']][language == 'en']}" + (
            f" · {row['reason_' + language]}" if row["reason"] else ""
        )
        figures = " · ".join(_figures(row, words, unit))
        if figures:
            yield f"    {figures}"
        if row["conflict_group"]:
            yield f"    {words['rules'] if row['is_ruling'] else words['yields']}"
    yield ""
    counts: dict[str, int] = {}
    for row in answer["targets"]:
        counts[row["verdict"]] = counts.get(row["verdict"], 0) + 1
    verdicts = ", ".join(f"{name} {count}" for name, count in sorted(counts.items(), key=lambda item: -item[1])) or words["none"]
    off = sum(1 for row in answer["targets"] if row["is_off_course"] and row["is_ruling"])
    yield words["count"].format(shown=len(answer["targets"]), verdicts=verdicts) + f" · {words['off']} {off}"
    if answer["not_judged"]:
        yield f"{len(answer['not_judged'])} {words['hidden']}"
        for row in answer["not_judged"]:
            yield f"  {row['target_id']}: {row['reason_' + language]}"
