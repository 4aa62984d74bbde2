"""The honest floor: one plain DuckDB script over the files of `tests.fixtures.city.scale`.

    python -m tests.bench.bare_duckdb ROOT [OUT.duckdb]

Belongs here: the least that could be called the same result (values with their printed intervals, vintages by
day of publication, single quarters and twelve months, every formula of the registry and growth on the year
for every vintage), in the best SQL known to us, with the seconds of each step. Does not belong here: anything
a warehouse does beyond that (ledger, lineage, marks, claims, stages, checks, release), nor an import of the
product. It reads only the simple forms that the scaled files use, and the same seeds.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb

Row = dict[str, str]


def _load(root: Path) -> list[tuple[str, str]]:
    seeds, raw = root / "seeds", root / "raw"
    csv = "all_varchar = true, header = true, auto_detect = false, delim = ',', quote = '\"', escape = '\"'"

    def columns(*names: str) -> str:
        return "columns = {" + ", ".join(f"'{n}': 'VARCHAR'" for n in names) + "}"

    figures = columns("reference", "area", "label", "value_text", "unit", "period", "growth", "kind", "stage", "note")
    return [
        (
            "read",
            f"""
            create table figure as
            select area, label, value_text, unit, period, parse_filename(filename, true) as publication_id
            from read_csv('{raw}/*/files/*.csv', {csv}, {figures}, filename = true);
            create table publication as
            select publication_id, known_by::date as known_by
            from read_csv('{raw}/*/publications.csv', all_varchar = true, header = true);
            create type area_code as enum (
                select ref_area from read_csv('{seeds}/codelists/cl_areas.csv', all_varchar = true));
            create type indicator_code as enum (
                select indicator from read_csv('{seeds}/codelists/cl_indicators.csv', all_varchar = true));
            create type scope_code as enum ('all', 'cny', 'fx', '_U', '_Z');
            create table area as
            select ref_area::area_code as ref_area, name_zh, parent::area_code as parent
            from read_csv('{seeds}/codelists/cl_areas.csv', all_varchar = true);
            create table unit as select unit_text, unit_measure, unit_mult::int as unit_mult
            from read_csv('{seeds}/codelists/cl_units.csv', all_varchar = true);
            create table alias as
            select label, indicator::indicator_code as indicator, currency_scope::scope_code as currency_scope
            from read_csv('{seeds}/mapping/aliases.csv', all_varchar = true) where source_id <> '*';
            create table indicator as
            select indicator::indicator_code as indicator, kind, growth_computed = 'true' as growth_computed
            from read_csv('{seeds}/codelists/cl_indicators.csv', all_varchar = true);
            create table census as select max(census_round::int) as census_round,
                max(first_seen::date) as first_seen
            from read_csv('{seeds}/judgement/census_rounds.csv', all_varchar = true);
            create table revised as select indicator::indicator_code as indicator
            from read_csv('{seeds}/codelists/cl_indicators.csv',
                all_varchar = true) where census_revised = 'true';
        """,
        ),
        # Few distinct periods, units and labels: parsed once each, then joined.
        (
            "parse",
            """
            create table period as
            with parts as (
                select distinct period, period[:4]::int as year,
                    case when period like '%一季度' then 3 when period like '%上半年' then 6
                         when period like '%前三季度' then 9
                         when period like '%月末' then regexp_extract(period, '年(\\d+)月末', 1)::int
                             else 12 end as month,
                    period like '%末' as stock
                from (select distinct period from figure)
            )
            select period, case when not stock then make_date(year, 1, 1) end as period_start,
                last_day(make_date(year, month, 1)) as period_end
            from parts;
            create table observation as
            select a.ref_area, l.indicator, l.currency_scope, p.period_start, p.period_end, b.known_by,
                f.value_text::double * 10.0 ** u.unit_mult as value,
                0.5 * 10.0 ** (u.unit_mult - case when contains(f.value_text, '.')
                    then length(f.value_text) - instr(f.value_text, '.') else 0 end) as half,
                case when r.indicator is not null then
                    case when b.known_by >= c.first_seen then c.census_round else 0 end end as census_round
            from figure f
            join publication b using (publication_id)
            join period p using (period)
            join area a on a.name_zh = f.area
            join alias l using (label)
            join unit u on u.unit_text = lower(f.unit)
            cross join census c
            left join revised r on r.indicator = l.indicator;
        """,
        ),
        (
            "vintages",
            """
            create table vintage as
            with changes as (
                select *, lag(value) over w is distinct from value as changed
                from observation
                window w as (partition by ref_area, indicator, currency_scope, period_end, period_start
                             order by known_by)
            )
            select * exclude (changed, half, known_by), value - half as lower, value + half as upper,
                known_by as valid_from,
                coalesce(lead(known_by) over (partition by ref_area, indicator, currency_scope,
                    period_end, period_start
                                     order by known_by), date '9999-12-31') as valid_to
            from changes where changed
            order by indicator, period_end;
        """,
        ),
    ]


TWELVE = """
    create table twelve as
    -- the whole year is printed; any other twelve months are last year + this year so far - last year so far
    with flow as (
        select v.* from vintage v
        semi join (select indicator from indicator where kind = 'flow') i using (indicator)
        where period_start is not null and month(period_start) = 1
    )
    select ref_area, indicator, currency_scope, period_end, census_round, value, lower, upper,
        valid_from, valid_to,
        false as mixed
    from flow where month(period_end) = 12
    union all
    select n.ref_area, n.indicator, n.currency_scope, n.period_end, n.census_round,
        y.value + n.value - b.value, y.lower + n.lower - b.upper, y.upper + n.upper - b.lower,
        greatest(n.valid_from, b.valid_from, y.valid_from), least(n.valid_to, b.valid_to, y.valid_to),
        n.census_round <> b.census_round or n.census_round <> y.census_round
    from flow n
    join flow b on b.ref_area = n.ref_area and b.indicator = n.indicator
        and b.currency_scope = n.currency_scope
        and b.period_end = last_day(n.period_end - interval 1 year)
        and b.valid_from < n.valid_to and n.valid_from < b.valid_to
    join flow y on y.ref_area = n.ref_area and y.indicator = n.indicator
        and y.currency_scope = n.currency_scope
        and y.period_end = make_date(year(n.period_end) - 1, 12, 31)
        and y.valid_from < least(n.valid_to, b.valid_to) and greatest(n.valid_from, b.valid_from) < y.valid_to
    where month(n.period_end) <> 12;
"""

# Single quarters out of figures since January, and the twelve months that end in quarters 1 to 3.
BUILT = """
    create table built as
    select n.ref_area, n.indicator, n.currency_scope, (b.period_end + 1)::date as period_start, n.period_end,
        n.census_round, n.value - b.value as value, n.lower - b.upper as lower, n.upper - b.lower as upper,
        greatest(n.valid_from, b.valid_from) as valid_from, least(n.valid_to, b.valid_to) as valid_to,
        coalesce(n.census_round <> b.census_round, false) as mixed
    from vintage n
    semi join (select indicator from indicator where kind = 'flow') i on i.indicator = n.indicator
    join vintage b on b.ref_area = n.ref_area and b.indicator = n.indicator
        and b.currency_scope = n.currency_scope
        and b.period_start = n.period_start and b.period_end = last_day(n.period_end - interval 3 month)
        and b.valid_from < n.valid_to and n.valid_from < b.valid_to
    union all
    select ref_area, indicator, currency_scope, (last_day(period_end - interval 1 year) + 1)::date,
        period_end,
        census_round, value, lower, upper, valid_from, valid_to, coalesce(mixed, false)
    from twelve where month(period_end) <> 12;
"""

# A group's sum changes whenever a member does: cumulate the members' steps by day, from when all
# are known.
GROUP = """
    create table group_vintage as
    with member as (
        select m.group_id, g.total_area as ref_area, v.indicator, v.currency_scope, v.period_start,
            v.period_end,
            v.valid_from, v.census_round, v.mixed,
            v.value - coalesce(lag(v.value) over w, 0) as d_value,
            v.lower - coalesce(lag(v.lower) over w, 0) as d_lower,
            v.upper - coalesce(lag(v.upper) over w, 0) as d_upper,
            case when lag(v.value) over w is null then 1 else 0 end as first_seen
        from source v
        join group_member m using (ref_area)
        join area_group g using (group_id)
        semi join (select distinct indicator, currency_scope, substr(area_scope, 7) as group_id from term
                   where area_scope like 'group:%') t
            on t.indicator::indicator_code = v.indicator
                and t.currency_scope::scope_code = v.currency_scope and t.group_id = m.group_id
        window w as (partition by v.ref_area, v.indicator, v.currency_scope, v.period_end, v.period_start
                     order by v.valid_from)
    ), daily as (
        select group_id, ref_area, indicator, currency_scope, period_start, period_end, valid_from,
            max(census_round) as census_round,
                bool_or(mixed) or max(census_round) <> min(census_round) as mixed,
            sum(d_value) as d_value, sum(d_lower) as d_lower, sum(d_upper) as d_upper, sum(first_seen) as seen
        from member group by all
    ), running as (
        select * exclude (d_value, d_lower, d_upper, seen), sum(d_value) over w as value,
            sum(d_lower) over w as lower,
            sum(d_upper) over w as upper, sum(seen) over w as seen,
            coalesce(lead(valid_from) over w, date '9999-12-31') as valid_to
        from daily
        window w as (partition by group_id, ref_area, indicator, currency_scope, period_end, period_start
                     order by valid_from rows unbounded preceding)
    )
    select r.* exclude (seen) from running r
    join (select group_id, count(*) as members from group_member group by 1) m using (group_id)
    where seen = members;
"""


def _registry(con: duckdb.DuckDBPyConnection, seeds: Path) -> dict[str, tuple[Row, list[Row]]]:
    con.execute(f"""
        create table formula as select * from read_csv('{seeds}/registry/formulas.csv', all_varchar = true);
        create table term as select * from read_csv('{seeds}/registry/formula_terms.csv', all_varchar = true);
        create table area_group as select group_id, total_area::area_code as total_area
        from read_csv('{seeds}/codelists/cl_area_groups.csv', all_varchar = true);
        create table group_member as select group_id, ref_area::area_code as ref_area
        from read_csv('{seeds}/codelists/cl_area_group_members.csv', all_varchar = true);
    """)

    def rows(sql: str) -> Iterator[Row]:
        cursor = con.execute(sql)
        names = [d[0] for d in cursor.description or []]
        for values in cursor.fetchall():
            yield {n: "" if v is None else str(v) for n, v in zip(names, values, strict=True)}

    result = {r["formula_id"]: (r, list[Row]()) for r in rows("from formula order by level, formula_id")}
    for r in rows("from term order by formula_id, side desc, term"):
        result[r["formula_id"]][1].append(r)
    return result


def formula_sql(formula: Row, terms: list[Row]) -> str:
    """One formula for every vintage: a join on area, span and overlapping validity for each further input."""
    anchor = next(
        (t for kind in ("same", "year", "ltm", "end") for t in terms if t["span"] == kind and t["lag"] in ("", "0")),
        terms[0],
    )
    ordered = [anchor, *[t for t in terms if t is not anchor]]
    joins: list[str] = []
    where: list[str] = []
    for n, t in enumerate(ordered):
        here = f"t{n}"
        table = "level_one" if formula["level"] == "1" else "input"
        if t["area_scope"].startswith("group:"):
            table = "group_vintage"
        match = [f"{here}.indicator = '{t['indicator']}'", f"{here}.currency_scope = '{t['currency_scope']}'"]
        if t["area_scope"].startswith("group:"):
            match.append(f"{here}.group_id = '{t['area_scope'][6:]}'")
        if t["span"] in ("ltm", "year"):
            match.append(f"{here}.period_start = (last_day({here}.period_end - interval 1 year) + 1)::date")
        lag = int(t["lag"] or 0)
        end = "t0.period_end" if not lag else f"last_day(t0.period_end - interval {lag} year)"
        if t["span"] == "year" and t is not anchor:
            end = f"make_date(year(t0.period_end) - {lag}, 12, 31)"
        if n == 0:
            where += match
            joins.append(f"{table} {here}")
            if t["area_scope"] == "parent":
                raise ValueError(f"{formula['formula_id']}: its first input is the parent's")
            continue
        if t["area_scope"] == "parent":
            match.append(f"{here}.ref_area = a.parent")
            if not any(j.startswith("area a") for j in joins):
                joins.append("area a on a.ref_area = t0.ref_area")
        else:
            match.append(f"{here}.ref_area = t0.ref_area")
        match.append(f"{here}.period_end = {end}")
        if t["span"] == "same":
            start = "t0.period_start" if not lag else f"(t0.period_start - interval {lag} year)::date"
            match.append(f"{here}.period_start is not distinct from {start}")
            if lag:
                match.append(COMPARABLE.format(span="t0"))
        elif t["span"] == "end":
            match.append(f"{here}.period_start is null")
        befores = [f"t{k}" for k in range(n)]
        match.append(f"{here}.valid_from < {_least(befores)}")
        match.append(f"{_greatest(befores)} < {here}.valid_to")
        joins.append(f"{table} {here} on " + " and ".join(match))
    names = [f"t{n}" for n in range(len(ordered))]
    parts: dict[str, dict[str, list[str]]] = {}
    for name, t in zip(names, ordered, strict=True):
        coefficient = float(t["coefficient"])
        flipped = {"value": "value", "lower": "upper", "upper": "lower"} if coefficient < 0 else {}
        for column in ("value", "lower", "upper"):
            text = f"{coefficient!r} * {name}.{flipped.get(column, column)}"
            parts.setdefault(t["side"], {}).setdefault(column, []).append(text)

    def side(which: str, column: str) -> str:
        return "(" + " + ".join(parts[which][column]) + ")" if which in parts else "1.0"

    tail = f"* {float(formula['scale'])!r} + {float(formula['offset_value'] or 0)!r}"
    rounds = ", ".join(f"{n}.census_round" for n in names)
    mixed = " or ".join([*(f"{n}.mixed" for n in names), f"greatest({rounds}) is distinct from least({rounds})"])
    start = "t0.period_start" if anchor["span"] in ("same", "end") else ("(last_day(t0.period_end - interval 1 year) + 1)::date")
    if anchor["span"] == "year":
        where.append("month(t0.period_end) = 12")
    if anchor["span"] == "end":
        where.append("t0.period_start is null")
    return f"""
        insert into derived
        select '{formula["formula_id"]}', '{formula["indicator"]}', '{formula["currency_scope"]}',
            t0.ref_area,
            {start}, t0.period_end, greatest({rounds}),
            {side("numerator", "value")} / {side("denominator", "value")} {tail},
            {side("numerator", "lower")} / {side("denominator", "upper")} {tail},
            {side("numerator", "upper")} / {side("denominator", "lower")} {tail},
            {_greatest(names)}, {_least(names)}, coalesce({mixed}, false)
        from {" join ".join(joins)}
        where {" and ".join(where)} and {side("denominator", "lower")} > 0
    """


def _least(names: list[str]) -> str:
    return "least(" + ", ".join(f"{n}.valid_to" for n in names) + ")"


def _greatest(names: list[str]) -> str:
    return "greatest(" + ", ".join(f"{n}.valid_from" for n in names) + ")"


# Twelve months that end within a year are compared with nothing a year before.
COMPARABLE = (
    "({span}.period_start is null or month({span}.period_end) = 12"
    " or {span}.period_start <> (last_day({span}.period_end - interval 1 year) + 1)::date)"
)

GROWTH = f"""
    create table growth as
    select n.ref_area, n.indicator, n.currency_scope, n.period_start, n.period_end,
        100 * (n.value / b.value - 1) as value, 100 * (n.lower / b.upper - 1) as lower,
        100 * (n.upper / b.lower - 1) as upper,
        greatest(n.valid_from, b.valid_from) as valid_from, least(n.valid_to, b.valid_to) as valid_to,
        coalesce(n.mixed or b.mixed or n.census_round <> b.census_round, false) as mixed
    from input n
    join input b on b.ref_area = n.ref_area and b.indicator = n.indicator
        and b.currency_scope = n.currency_scope
        and b.period_end = last_day(n.period_end - interval 1 year)
        and b.period_start is not distinct from (n.period_start - interval 1 year)::date
        and b.valid_from < n.valid_to and n.valid_from < b.valid_to
    semi join (select indicator from indicator where growth_computed) i on i.indicator = n.indicator
    where b.lower > 0 and {COMPARABLE.format(span="n")};
"""


def build(root: Path, out: Path | None = None, *, verbose: bool = True) -> dict[str, float]:
    """Builds the result tables into `out` (in memory where there is none); returns seconds by step."""
    if out is not None:
        out.unlink(missing_ok=True)
    con = duckdb.connect(str(out) if out else ":memory:")
    con.execute("set preserve_insertion_order = false")
    seconds: dict[str, float] = {}

    def step(name: str, *statements: str) -> None:
        started = time.perf_counter()
        for sql in statements:
            con.execute(sql)
        seconds[name] = seconds.get(name, 0.0) + time.perf_counter() - started

    for name, sql in _load(root):
        step(name, sql)
    started = time.perf_counter()
    registry = _registry(con, root / "seeds")
    seconds["registry"] = time.perf_counter() - started
    step("twelve_months", TWELVE)
    step("built_spans", BUILT)
    step(
        "groups",
        """create view source as
        select ref_area, indicator, currency_scope, period_start, period_end, census_round, value,
            lower, upper, valid_from, valid_to, false as mixed from vintage
        union all
        select * from built
    """,
        GROUP,
    )
    step(
        "derive",
        """
        create view level_one as
        from source
        union all
        select ref_area, indicator, currency_scope, period_start, period_end, census_round, value,
            lower, upper, valid_from, valid_to, mixed from group_vintage
    """,
        """
        create table derived (formula_id varchar, indicator indicator_code, currency_scope scope_code,
            ref_area area_code,
            period_start date, period_end date, census_round int, value double, lower double, upper double,
            valid_from date, valid_to date, mixed boolean)
    """,
        """
        create view input as
        select ref_area, indicator, currency_scope, period_start, period_end, census_round, value,
            lower, upper, valid_from, valid_to, false as mixed from vintage
        union all
        select ref_area, indicator, currency_scope, period_start, period_end, census_round, value,
            lower, upper, valid_from, valid_to, mixed from built
        union all
        select ref_area, indicator, currency_scope, period_start, period_end, census_round, value,
            lower, upper, valid_from, valid_to, mixed from derived
    """,
    )
    # Sums over groups first: the other formulas may use them.
    for formula, terms in sorted(registry.values(), key=lambda one: not one[1][0]["area_scope"].startswith("group:")):
        step("derive", formula_sql(formula, terms))
    step("growth", GROWTH)
    step("write", "checkpoint" if out else "select 1")
    if verbose:
        for table in ("figure", "vintage", "built", "derived", "growth"):
            count = con.execute(f"select count(*) from {table}").fetchone()
            print(f"{table:>14} {count[0] if count else 0:>10,} rows")
        for name, spent in seconds.items():
            print(f"{name:>14} {spent:8.2f} s")
        print(f"{'total':>14} {sum(seconds.values()):8.2f} s")
    con.close()
    return seconds


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        raise SystemExit("usage: python -m tests.bench.bare_duckdb ROOT [OUT.duckdb]")
    build(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) == 3 else None)
