"""What changed between two releases: figures that are new, revised, or gone.

Belongs here: the comparison of two release files. Does not belong here: printing it, or deciding whether it is good.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.settings import quoted

KEY = "ref_area, indicator, breakdown, currency_scope, transformation, prices, period_start, period_end, origin"


@dataclass(frozen=True)
class Difference:
    """Counts of figures by kind of change, and rows (kind, key columns, before, after, publication_id), most important first."""

    new: int
    revised: int
    vanished: int
    rows: tuple[dict[str, Any], ...]


def difference(before: Path | None, after: Path, origin: str | None = "printed", limit: int | None = None) -> Difference:
    """Compare the figures in force in two releases. With ``before`` None everything is new. ``origin`` None takes both origins."""
    where = "is_preferred" + (f" and origin = '{origin}'" if origin else "")
    with duckdb.connect() as connection:
        connection.execute(f"attach '{quoted(after)}' as newer (read_only)")
        if before is None:
            row = connection.sql(f"select count(*) from newer.marts.observation_vintages where is_current and {where}").fetchall()[0]
            return Difference(int(row[0]), 0, 0, ())
        connection.execute(f"attach '{quoted(before)}' as older (read_only)")
        connection.execute(
            f"""
            create temp table changes as
            select
                case when o.obs_value is null then 'new' when n.obs_value is null then 'vanished' else 'revised' end as change,
                coalesce(n.ref_area, o.ref_area) as ref_area,
                coalesce(n.indicator, o.indicator) as indicator,
                coalesce(n.breakdown, o.breakdown) as breakdown,
                coalesce(n.currency_scope, o.currency_scope) as currency_scope,
                coalesce(n.transformation, o.transformation) as transformation,
                coalesce(n.origin, o.origin) as origin,
                coalesce(n.time_period, o.time_period) as time_period,
                coalesce(n.coverage, o.coverage) as coverage,
                o.obs_value as before, n.obs_value as after,
                coalesce(n.publication_id, o.publication_id) as publication_id
            from (select * from newer.marts.observation_vintages where is_current and {where}) as n
            full join (select * from older.marts.observation_vintages where is_current and {where}) as o
                on {" and ".join(f"n.{column.strip()} is not distinct from o.{column.strip()}" for column in KEY.split(","))}
            where n.obs_value is distinct from o.obs_value
            """
        )
        counts = dict(connection.sql("select change, count(*) from changes group by change").fetchall())
        relation = connection.sql(
            "from changes order by change <> 'revised', abs(after - before) / nullif(abs(before), 0) desc nulls last, indicator, ref_area, time_period"
            + (f" limit {limit}" if limit else "")
        )
        names = relation.columns
        rows = tuple(dict(zip(names, row, strict=True)) for row in relation.fetchall())
    return Difference(int(counts.get("new", 0)), int(counts.get("revised", 0)), int(counts.get("vanished", 0)), rows)
