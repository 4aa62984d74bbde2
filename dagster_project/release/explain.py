"""One figure explained: value, interval, basis, formula, inputs, down to file and cell, and a line to quote.

Belongs here: reading the answer out of a release, and saying it in words. Does not belong here: computing any figure, or colours.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.settings import quoted

Row = dict[str, Any]

STAGE_WORDS = {"first": ("初步核算", "first release"), "final": ("最终核实", "final verification"), "census": ("普查修订", "census revision")}
SCOPE_WORDS = {"all": "本外币", "cny": "人民币", "fx": "外币", "_U": "币种口径未印", "_Z": ""}
MULTIPLIERS = {0: "", 4: "万", 8: "亿", 12: "万亿"}
VINTAGE_COLUMNS = """
    v.vintage_id, v.ref_area, v.indicator, v.breakdown, v.currency_scope, v.transformation, v.prices, v.origin, v.time_period, v.coverage,
    v.period_start, v.period_end, v.vintage_no, v.obs_value, v.lower, v.upper, v.unit_measure, v.unit_mult, v.decimals, v.qualifier,
    v.obs_status, v.stage, v.stage_basis, v.census_basis, v.is_headline, v.is_preferred, v.known_after, v.known_after_basis, v.known_by,
    v.known_by_basis, v.publication_id, v.first_publication_id, v.formula_id, v.inputs, v.marks, v.sequence
"""


class NotFound(LookupError):
    """Nothing in the release answers the question; the message says what comes nearest."""


@dataclass(frozen=True)
class Question:
    """Which figure: an indicator code, an area (ref_area, code or name), a period label, and optionally more of its key."""

    indicator: str
    area: str
    period: str
    as_of: date | None = None
    breakdown: str = "_T"
    transformation: str = "N"
    currency_scope: str | None = None
    coverage: str | None = None


class Explainer:
    """Answers questions from one release file."""

    def __init__(self, database: Path) -> None:
        self.connection = duckdb.connect()
        self.connection.execute(f"attach '{quoted(database)}' as fincenter (read_only)")

    def close(self) -> None:
        """Let the file go."""
        self.connection.close()

    def _rows(self, sql: str, *parameters: Any) -> list[Row]:
        relation = self.connection.execute(sql, list(parameters))
        names = [column[0] for column in relation.description or ()]
        return [dict(zip(names, row, strict=True)) for row in relation.fetchall()]

    def _area(self, question: Question) -> list[str]:
        rows = self._rows(
            "select ref_area from fincenter.marts.areas where ref_area = $1 or area_code = $1 or name_zh = $1 or lower(name_en) = lower($1)",
            question.area,
        )
        if rows:
            return [row["ref_area"] for row in rows]
        near = self._rows(
            "select ref_area || ' ' || name_zh as area from fincenter.marts.areas"
            " order by jaro_winkler_similarity(name_zh || name_en, $1) desc limit 3",
            question.area,
        )
        raise NotFound(f"no area {question.area!r}; nearest: " + ", ".join(row["area"] for row in near))

    def _indicator(self, question: Question) -> Row:
        rows = self._rows("select * from fincenter.marts.indicators where indicator = $1 or name_zh = $1", question.indicator)
        if rows:
            return rows[0]
        near = self._rows(
            "select indicator || ' ' || name_zh as name from fincenter.marts.indicators order by jaro_winkler_similarity(indicator, $1) desc limit 3",
            question.indicator,
        )
        raise NotFound(f"no indicator {question.indicator!r}; nearest: " + ", ".join(row["name"] for row in near))

    def _vintages(self, question: Question, indicator: str, areas: list[str]) -> list[Row]:
        rows = self._rows(
            f"""
            select {VINTAGE_COLUMNS}, a.name_zh as area_zh, a.name_en as area_en, a.area_code,
                coalesce(v.period_end >= a.valid_from, true) and coalesce(v.period_end < a.valid_to, true) as in_force,
                u.name_zh as unit_zh, u.name_en as unit_en
            from fincenter.marts.observation_vintages as v
            join fincenter.marts.areas as a on a.ref_area = v.ref_area
            left join (select distinct unit_measure, unit_name_zh as name_zh, unit_name_en as name_en from fincenter.marts.indicators) as u
                on u.unit_measure = v.unit_measure
            where v.indicator = $1 and list_contains($2, v.ref_area) and v.time_period = $3 and v.breakdown = $4 and v.transformation = $5
            order by v.origin desc, v.sequence
            """,
            indicator, areas, _period(question.period), question.breakdown, question.transformation,
        )  # fmt: skip
        if any(row["in_force"] for row in rows):  # a reused code means the area that bore it then
            rows = [row for row in rows if row["in_force"]]
        if question.currency_scope:
            rows = [row for row in rows if row["currency_scope"] == question.currency_scope]
        if question.coverage:
            rows = [row for row in rows if row["coverage"] == question.coverage]
        if not rows:
            raise NotFound(self._what_there_is(question, indicator, areas))
        return rows

    def _what_there_is(self, question: Question, indicator: str, areas: list[str]) -> str:
        rows = self._rows(
            "select distinct time_period, period_end from fincenter.marts.observation_vintages where indicator = $1"
            " and list_contains($2, ref_area) order by period_end desc limit 8",
            indicator, areas,
        )  # fmt: skip
        if not rows:
            return f"no figure of {indicator} for {question.area} in any period"
        return f"no figure of {indicator} for {question.area} in {question.period}; there is " + ", ".join(r["time_period"] for r in rows)

    def _cells(self, vintage_id: int) -> list[Row]:
        cells = self._rows(
            """
            select c.relation, c.value_text, c.unit_text, c.period_text, c.file, c.sheet, c.cell, c.reference, c.is_official, c.known_by,
                c.publication_id, p.title, p.carrier, p.publisher_name_zh, p.publisher_name_en, c.stage, c.marks
            from fincenter.marts.printed_cells as c
            left join fincenter.marts.publications as p on p.publication_id = c.publication_id
            where c.vintage_id = $1 or c.coarse_vintage_id = $1
            order by c.relation <> 'represents', c.known_by nulls last, c.publication_id
            """,
            vintage_id,
        )
        for cell in cells:
            cell["corrections"] = self._corrections(cell) if "corrected" in cell["marks"].split(", ") else []
        return cells

    def _corrections(self, cell: Row) -> list[Row]:
        return self._rows(
            "select correction_id, field, printed_text, corrected_text, printed_value, corrected_value, reason, author, decided_on, finding_ids"
            " from fincenter.marts.applied_corrections where publication_id = $1 and reference = $2 and cell = $3 order by correction_id",
            cell["publication_id"], cell["reference"], cell["cell"],
        )  # fmt: skip

    def _findings(self, row: Row) -> list[Row]:
        return self._rows(
            "select finding_id, rule_id, severity, state, message_zh, message_en, answer, reason, answered_by, answered_on, file, sheet, cell"
            " from fincenter.marts.findings where ref_area = $1 and indicator = $2 and breakdown = $3 and currency_scope = $4 and transformation = $5"
            " and prices = $6 and period_start is not distinct from $7 and period_end = $8 order by first_seen, finding_id",
            *(
                row[name]
                for name in ("ref_area", "indicator", "breakdown", "currency_scope", "transformation", "prices", "period_start", "period_end")
            ),
        )

    def _inputs(self, row: Row) -> list[Row]:
        found = []
        for vintage_id in row["inputs"] or []:
            inputs = self._rows(
                f"select {VINTAGE_COLUMNS}, u.unit_name_zh as unit_zh, u.unit_name_en as unit_en, u.name_zh as indicator_zh, u.name_en as indicator_en"
                " from fincenter.marts.observation_vintages as v"
                " left join fincenter.marts.indicators as u on u.indicator = v.indicator where v.vintage_id = $1",
                vintage_id,
            )
            for part in inputs:
                part["prints"] = self._cells(part["vintage_id"])
                part["parts"] = self._inputs(part)
                found.append(part)
        return found

    def _publication(self, publication_id: str | None) -> Row:
        rows = self._rows("select * from fincenter.marts.publications where publication_id = $1", publication_id)
        return rows[0] if rows else {}

    def explain(self, question: Question) -> Row:
        """Everything about the figure as a dictionary that JSON can hold. Raises :class:`NotFound`."""
        indicator = self._indicator(question)
        vintages = self._vintages(question, indicator["indicator"], self._area(question))
        series: dict[tuple[Any, ...], list[Row]] = {}
        for row in vintages:
            key = (row["ref_area"], row["currency_scope"], row["prices"], row["period_start"], row["period_end"])
            series.setdefault(key, []).append(row)
        return {
            "question": {"indicator": indicator["indicator"], "area": question.area, "period": question.period, "as_of": question.as_of},
            "indicator": indicator,
            "series": [self._series(question, indicator, rows) for rows in series.values()],
        }

    def _series(self, question: Question, indicator: Row, rows: list[Row]) -> Row:
        figures = []
        waiting = []
        for origin in ("printed", "derived"):
            own = [row for row in rows if row["origin"] == origin]
            known = [row for row in own if question.as_of is None or (row["known_by"] is not None and row["known_by"] <= question.as_of)]
            if question.as_of is not None:
                later = [row for row in own if row not in known]
                waiting += later[:1] if not known else []
            if not known:
                continue
            latest = max(known, key=lambda row: row["sequence"])
            unmixed = [row for row in known if row["census_basis"] != "mixed" and row["obs_value"] is not None]
            preferred = max(unmixed, key=lambda row: row["sequence"]) if unmixed else latest
            for row in sorted({row["vintage_id"]: row for row in (preferred, latest)}.values(), key=lambda row: row["sequence"]):
                figures.append(
                    {
                        **row,
                        "preferred": row is preferred,
                        "prints": self._cells(row["vintage_id"]) if origin == "printed" else [],
                        "parts": self._inputs(row),
                    }
                )
        headline = _headline(figures, self)
        for figure in figures:
            figure["headline"] = figure is headline
            figure["consistent_with_headline"] = None if headline is None or figure is headline else _overlap(figure, headline)
            figure["possibly_known"] = None
        for row in waiting:
            row["prints"] = self._cells(row["vintage_id"])
            row["parts"] = self._inputs(row)
            row["first_publication"] = self._publication(row["first_publication_id"])
            row["possibly_known"] = bool(row["known_after"] and question.as_of and row["known_after"] < question.as_of)
        return {
            "ref_area": rows[0]["ref_area"], "area_zh": rows[0]["area_zh"], "area_en": rows[0]["area_en"],
            "currency_scope": rows[0]["currency_scope"], "coverage": rows[0]["coverage"],
            "period_start": rows[0]["period_start"], "period_end": rows[0]["period_end"],
            "figures": figures, "not_yet_known": waiting,
            "vintages": [
                {**row, "prints": self._cells(row["vintage_id"]), "confirmed_by": self._rows(
                    "select stage, known_by, publication_id from fincenter.marts.confirmations where vintage_id = $1", row["vintage_id"])}
                for row in rows if row["origin"] == "printed"
            ],
            "findings": self._findings(rows[0]),
            "contradicting_claims": self._rows(
                "select publication_id, carrier, value_text, obs_value, known_by, file, cell, relation from fincenter.marts.claims"
                " where ref_area = $1 and indicator = $2 and breakdown = $3 and currency_scope = $4 and transformation = $5 and prices = $6"
                " and period_start is not distinct from $7 and period_end = $8 and relation in ('contradicts', 'ambiguous') and not is_used",
                rows[0]["ref_area"], indicator["indicator"], rows[0]["breakdown"], rows[0]["currency_scope"], rows[0]["transformation"],
                rows[0]["prices"], rows[0]["period_start"], rows[0]["period_end"],
            ),
            "quote": quote(headline, indicator, rows[0], self._publication(headline["first_publication_id"] if headline else None)) if headline else None,
        }  # fmt: skip


def _headline(figures: list[Row], explainer: Explainer) -> Row | None:
    def rank(figure: Row) -> tuple[int, int]:
        official = figure["origin"] == "printed" and "claim" not in figure["marks"].split(", ")
        return (0 if official else 1 if figure["origin"] == "derived" and figure["obs_value"] is not None else 2, -int(figure["sequence"]))

    candidates = [figure for figure in figures if figure["preferred"]]
    return min(candidates, key=rank) if candidates else None


def _overlap(one: Row, other: Row) -> str:
    """Three answers: consistent, inconsistent, uninformative (an interval is open or wider than a tenth of the value)."""
    low_a, high_a, low_b, high_b = one["lower"], one["upper"], other["lower"], other["upper"]
    if (low_a is not None and high_b is not None and low_a > high_b) or (low_b is not None and high_a is not None and low_b > high_a):
        return "inconsistent"
    if None in (low_a, high_a, low_b, high_b) or max(high_a - low_a, high_b - low_b) > 0.1 * abs(other["obs_value"]):
        return "uninformative"
    return "consistent"


def _period(text: str) -> str:
    """People's labels to ours: 2024Q3, 2024-H1, 2024年 … → time_period."""
    label = text.strip().upper().replace("年", "").replace("Q", "-Q").replace("--", "-")
    if label.endswith(("H1", "S1")):
        return label[:4] + "-Q2"
    if label.endswith(("H2", "S2")):
        return label[:4] + "-S2"
    return label


def shown(value: float | None, row: Row) -> str:
    """A figure with as many decimals as it was printed with, or as its interval carries."""
    if value is None:
        return "–"
    if row["origin"] == "printed" and row["decimals"] is not None:
        return f"{value:.{row['decimals']}f}"
    width = (row["upper"] - row["lower"]) if row["lower"] is not None and row["upper"] is not None else 0.0
    digits = min(8, max(0, -math.floor(math.log10(width)))) if width > 0 else 3
    return f"{value:.{digits}f}"


def interval(row: Row) -> str:
    """[8.593, 8.597], or half-open where a word such as 超 leaves a side open."""
    if row["lower"] is None and row["upper"] is None:
        return ""
    # the ends of a printed interval need one digit more than the print
    ends = {**row, "decimals": (row["decimals"] or 0) + 1}
    low = "-∞" if row["lower"] is None else shown(row["lower"], ends)
    high = "∞" if row["upper"] is None else shown(row["upper"], ends)
    return f"[{low}, {high}]"


def unit(row: Row) -> str:
    """亿元, %, 家 … as a Chinese reader writes it."""
    if row["unit_measure"] == "PC":
        return "%"
    words = {"CNY": "元", "USD": "美元", "PT": "点", "PP": "个百分点"}
    word: str = words.get(row["unit_measure"]) or row.get("unit_zh") or row["unit_measure"]
    return MULTIPLIERS.get(row["unit_mult"], f"×10^{row['unit_mult']} ") + word


def quote(figure: Row, indicator: Row, row: Row, publication: Row) -> str:
    """One line for a report: value, unit, stage, scope, source, date."""
    stage = STAGE_WORDS.get(figure["stage"] or "", ("", ""))[0]
    if stage and figure["stage_basis"] == "inferred":
        stage += "（推断）"
    scope = SCOPE_WORDS.get(figure["currency_scope"], figure["currency_scope"])
    word = {"over": "超", "nearly": "近", "about": "约", "below": "不足"}.get(figure["qualifier"] or "", "")
    source = (
        "本库按公式计算"
        if figure["origin"] == "derived"
        else f"{publication.get('publisher_name_zh') or publication.get('publisher') or '来源未登记'}《{publication.get('title', '')}》"
    )
    day = f"{figure['known_by']}前已公布" if figure["known_by"] else "公布日未知"
    details = "，".join(part for part in (stage, scope) if part)
    return (
        f"{row['area_zh']}{row['time_period']}{indicator['name_zh']}{word}{shown(figure['obs_value'], figure)}{unit(figure)}"
        + (f"（{details}）" if details else "")
        + f"，{source}，{day}。"
    )
