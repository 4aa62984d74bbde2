"""``fincenter``: refresh, status, explain, targets, diff, review, inspect, template.

Belongs here: arguments, printing, exit codes. Does not belong here: any work; that is imported only by the command that does it,
because a refresh with nothing to do must answer at once.

Exit codes: 0 done, or nothing to do · 1 something unforeseen · 2 wrong arguments · 3 the candidate failed a check, the last release
stays up · 4 the seeds or a review workbook have faults, nothing was built or written · 5 another refresh is running · 6 not found ·
7 done, but some files (``inspect``: some cells, or the file) were refused.
"""

from __future__ import annotations

import gc
import json
import time
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from dagster_project.release import fingerprint, lock
from dagster_project.settings import Settings

app = typer.Typer(
    help="Open indicator warehouse for financial centres. 金融中心指标仓库。",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

RARELY = 100_000  # objects made between two looks for garbage: thousands of classes are imported, and hardly anything is thrown away
OK, UNFORESEEN, USAGE, BLOCKED, SEEDS, LOCKED, NOT_FOUND, REFUSED = range(8)
AsJson = Annotated[bool, typer.Option("--json", help="Machine-readable output. 输出 JSON。")]


def _dump(answer: Any) -> None:
    typer.echo(json.dumps(answer, ensure_ascii=False, indent=1, default=str))


def _fail(code: int, message: str, as_json: bool, **details: Any) -> NoReturn:
    if as_json:
        _dump({"exit_code": code, "error": message, **details})
    else:
        typer.echo(message, err=True)
    raise typer.Exit(code)


def _released(settings: Settings, as_json: bool) -> Path:
    if not settings.released_database.is_file():
        _fail(NOT_FOUND, "there is no release yet: run `fincenter refresh` first. 尚无发布，请先运行 fincenter refresh。", as_json)
    return settings.released_database


@app.command()
def refresh(
    as_json: AsJson = False,
    force: Annotated[bool, typer.Option("--force", help="Build even when nothing has changed. 即使无变化也重建。")] = False,
) -> None:
    """Read what is new, build, check, publish. 读取新文件、构建、检查、发布。"""
    started = time.perf_counter()
    settings = Settings()
    if not settings.raw.is_dir():
        _fail(NOT_FOUND, f"no folder raw/ below {settings.root}: run this from the project, or set FINCENTER_ROOT", as_json)
    try:
        with lock.refresh_lock(settings):
            found = fingerprint.inputs(settings)
            if not force and fingerprint.up_to_date(settings, found):
                release = settings.current.resolve().name
                seconds = round(time.perf_counter() - started, 2)
                if as_json:
                    _dump({"release_id": release, "nothing_new": True, "seconds": seconds})
                else:
                    typer.echo(f"Nothing new: {len(found)} inputs are those of release {release}. 无变化。({seconds} s)")
                raise typer.Exit(OK)
            _refresh(settings, as_json, started)
    except lock.Locked as error:
        _fail(LOCKED, str(error), as_json)


def _refresh(settings: Settings, as_json: bool, started: float) -> None:
    gc.set_threshold(RARELY)
    from rich.console import Console

    from dagster_project.automation.run import run_refresh_job

    console = Console(stderr=True, quiet=as_json)
    with console.status("…") as status:
        outcome = run_refresh_job(settings, lambda message: status.update(message))
    outcome.summary.seconds["total"] = round(time.perf_counter() - started, 2)
    if not outcome.success:
        _not_published(outcome, as_json)
    summary = outcome.summary
    if as_json:
        from dataclasses import asdict

        _dump(asdict(summary))
    else:
        _print_summary(summary)
    raise typer.Exit(REFUSED if summary.files_refused else OK)


def _not_published(outcome: Any, as_json: bool) -> NoReturn:
    """Seeds that can't be built on, checks that block, and anything unforeseen: each with its own exit code."""
    failures = [{"step": f.step, "check": f.check, "zh": f.message_zh, "en": f.message_en} for f in outcome.failures]
    lines = [f"{failure.check or failure.step}: {failure.message_en}" for failure in outcome.failures]
    if any(failure.check == "seeds_valid" for failure in outcome.failures):
        code, head = SEEDS, "The seeds have faults; nothing was built. 种子表有误，未构建。"
    elif any(failure.check for failure in outcome.failures):
        code, head = BLOCKED, "Not published; the last release stays up. 未发布，上一版保持不变。"
    else:
        code, head = UNFORESEEN, "The refresh broke off; the last release stays up. 刷新中断，上一版保持不变。"
    _fail(code, "\n".join([head, *lines]), as_json, failures=failures)


def _print_summary(summary: Any) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    table = Table(show_header=False, box=None, pad_edge=False)
    rows = [
        ("release 发布", summary.release_id),
        ("files 文件", f"{summary.files_read} read 已读 · {summary.files_unchanged} unchanged 未变 · {len(summary.files_refused)} refused 拒读"),
        (
            "cells 单元格",
            f"{summary.cells} = {summary.accepted} accepted 入库 + {summary.refused} refused 拒收 + {summary.other_kinds} targets and forecasts 目标与预测",
        ),
        ("figures 数字", f"{summary.figures}: {summary.new} new 新增 · {summary.revised} revised 修订 · {summary.vanished} vanished 消失"),
        ("checks 检查", f"{summary.checks} · {len(summary.warnings)} warnings 提示"),
        ("seconds 秒", " · ".join(f"{step} {seconds:.1f}" for step, seconds in summary.seconds.items())),
    ]
    for name, text in rows:
        table.add_row(name, text)
    console.print(table, highlight=False)
    from dagster_project.release.say import say_findings

    for line in say_findings(summary.findings, summary.high_unanswered, summary.high_findings):
        console.print(line, highlight=False, markup=False)
    for refused in summary.files_refused:
        console.print(f"refused 拒读 {refused['file']} ({refused['reason']}): {refused['message']}", highlight=False, markup=False)
    for file in summary.files_vanished:
        console.print(f"vanished 消失 raw/{file}: its figures stay until a row of retractions.csv withdraws them", highlight=False, markup=False)
    for warning in summary.warnings:
        console.print(f"warning 提示 {warning}", highlight=False, markup=False)


@app.command()
def status(as_json: AsJson = False) -> None:
    """What is released, and whether something is waiting. 当前发布与待处理变化。"""
    settings = Settings()
    database = _released(settings, as_json)
    import duckdb

    with duckdb.connect(str(database), read_only=True) as connection:
        relation = connection.sql("from marts.release")
        release = dict(zip(relation.columns, relation.fetchall()[0], strict=True))
        counts = {
            "indicators with figures 有数指标": "select count(distinct indicator) from marts.observation_vintages",
            "gaps 缺口": "select count(*) from marts.gaps",
            "unmapped labels 未登记标签": "select count(*) from marts.unmapped_labels",
            "refused files 拒读文件": "select count(*) from marts.rejected_cells where kind = 'file'",
            "failed checks 未过检查": "select count(*) from quality.check_results where success is not true and error <> '' or success = false",
        }
        numbers = {name: connection.sql(sql).fetchall()[0][0] for name, sql in counts.items()}
    waiting = not fingerprint.up_to_date(settings, fingerprint.inputs(settings))
    releases = sorted(path.name for path in settings.releases.iterdir() if (path / "release.json").is_file())
    if as_json:
        _dump({"release": release, **numbers, "changes_waiting": waiting, "releases": releases})
        return
    typer.echo(f"release 发布 {release['release_id']} built 构建于 {release['built_at']} UTC, known up to 数据知至 {release['latest_known_by']}")
    for name in ("cells", "accepted", "figures", "refused", "other_kinds", "vintages", "observations"):
        typer.echo(f"  {name}: {release[name]}")
    for name, number in numbers.items():
        typer.echo(f"  {name}: {number}")
    typer.echo("changes are waiting: run `fincenter refresh`. 有变化待刷新。" if waiting else "up to date. 已是最新。")
    typer.echo(f"{len(releases)} releases kept 保留版本: {', '.join(releases[-5:])}")


@app.command()
def explain(
    indicator: Annotated[str, typer.Argument(help="Indicator code or Chinese name. 指标代码或名称。")],
    area: Annotated[str, typer.Argument(help="Area code or name. 地区代码或名称。")],
    period: Annotated[str, typer.Argument(help="2023, 2024-Q3, 2024-09, 2024-H1 …")],
    as_of: Annotated[datetime | None, typer.Option("--as-of", formats=["%Y-%m-%d"], help="What was known on that day. 当日已知。")] = None,
    breakdown: str = "_T",
    transformation: Annotated[str, typer.Option(help="N level, G1Y growth on the year, DYS change since January. 水平/同比/比年初。")] = "N",
    scope: Annotated[str | None, typer.Option(help="all, cny, fx, _U (not printed). 币种口径。")] = None,
    coverage: Annotated[str | None, typer.Option(help="period, year-to-date, end of period, last twelve months")] = None,
    as_json: AsJson = False,
) -> None:
    """A figure: value, interval, basis, formula, inputs, file and cell, and a line to quote. 解释一个数字。"""
    database = _released(Settings(), as_json)
    from dagster_project.release.explain import Explainer, NotFound, Question

    day: date | None = as_of.date() if as_of else None
    explainer = Explainer(database)
    try:
        answer = explainer.explain(Question(indicator, area, period, day, breakdown, transformation, scope, coverage))
    except NotFound as error:
        _fail(NOT_FOUND, str(error), as_json)
    finally:
        explainer.close()
    if as_json:
        _dump(answer)
        return
    from dagster_project.release.say import say

    for line in say(answer):
        typer.echo(line)


@app.command()
def targets(
    plan: Annotated[str | None, typer.Option("--plan", help="Plan id or part of its title. 规划编号或标题的一部分。")] = None,
    area: Annotated[str | None, typer.Option("--area", help="Area code or name. 地区代码或名称。")] = None,
    as_of: Annotated[
        datetime | None, typer.Option("--as-of", formats=["%Y-%m-%d"], help="As known on that day; else today. 当日所知；不写为今天。")
    ] = None,
    lang: Annotated[str, typer.Option("--lang", help="zh or en. 语言。")] = "zh",
    as_json: AsJson = False,
) -> None:
    """Where every target stands, or why that can't be said. 目标看板：各目标进展，或不能判定的原因。"""
    database = _released(Settings(), as_json)
    if lang not in ("zh", "en"):
        _fail(USAGE, f"--lang is zh or en, not {lang!r}", as_json)
    from dagster_project.release.explain import NotFound
    from dagster_project.release.targets import BoardQuestion, board, say

    try:
        answer = board(database, BoardQuestion(plan, area, as_of.date() if as_of else None))
    except NotFound as error:
        _fail(NOT_FOUND, str(error), as_json)
    if as_json:
        _dump(answer)
        return
    for line in say(answer, lang):
        typer.echo(line)


@app.command()
def diff(
    before: Annotated[str, typer.Argument(help="Release id. 较早的版本。")],
    after: Annotated[str, typer.Argument(help="Release id, or `current`. 较新的版本。")] = "current",
    limit: int = 50,
    derived: Annotated[bool, typer.Option("--derived", help="Compare derived figures too. 含计算指标。")] = False,
    as_json: AsJson = False,
) -> None:
    """What is new, revised or gone between two releases. 两个版本之间的变化。"""
    settings = Settings()
    paths = []
    for name in (before, after):
        folder = settings.current if name == "current" else settings.releases / name
        if not (folder / "fincenter.duckdb").is_file():
            known = sorted(path.name for path in settings.releases.glob("*") if path.is_dir()) if settings.releases.is_dir() else []
            _fail(NOT_FOUND, f"no release {name!r}; there is {', '.join(known) or 'none'}", as_json)
        paths.append(folder / "fincenter.duckdb")
    from dagster_project.release.difference import difference

    found = difference(paths[0], paths[1], origin=None if derived else "printed", limit=limit)
    if as_json:
        _dump({"new": found.new, "revised": found.revised, "vanished": found.vanished, "rows": found.rows})
        return
    typer.echo(f"{found.new} new 新增 · {found.revised} revised 修订 · {found.vanished} vanished 消失")
    for row in found.rows:
        key = " ".join(str(row[name]) for name in ("indicator", "ref_area", "time_period"))
        detail = " ".join(str(row[name]) for name in ("breakdown", "currency_scope", "transformation") if row[name] not in ("_T", "_Z", "N"))
        typer.echo(f"{row['change']:9} {key} {detail} {row['before']} → {row['after']} {row['publication_id'] or ''}".rstrip())


def _write(path: Path, data: bytes, as_json: bool) -> None:
    try:
        path.write_bytes(data)
    except OSError as error:
        _fail(USAGE, f"{path} can't be written: {error.strerror} 无法写入", as_json)


@app.command()
def inspect(
    file: Annotated[Path, typer.Argument(help="Any table: xlsx, xls, csv, tsv, html, wherever it is. 任意位置的表格文件。")],
    layout: Annotated[
        str | None, typer.Option("--layout", help="A layout's name or file: what would be read, refused, and why. 版式名或文件：逐格预览读入与拒收。")
    ] = None,
    source: Annotated[str | None, typer.Option("--source", help="Source whose labels and missing marks hold. 按哪个来源的标签与缺测符号。")] = None,
    sheet: Annotated[str | None, typer.Option("--sheet", help="This sheet only. 只看此工作表。")] = None,
    html: Annotated[Path | None, typer.Option("--html", help="Write the sheet as a page, cells coloured by what they became. 写成着色网页。")] = None,
    limit: Annotated[int, typer.Option("--limit", min=0, help="How many accepted cells to list. 列出多少个读入的单元格。")] = 20,
    as_json: AsJson = False,
) -> None:
    """What is in a file and what would be read; nothing is loaded. Prints a draft layout. 查看文件、预览读入结果，起草版式；不入库。

    The report goes to the error stream and the draft to the output, so that `fincenter inspect FILE > layouts/NAME.yml` saves the draft.
    """
    settings = Settings()
    if not file.is_file():
        _fail(NOT_FOUND, f"no file {file} 没有此文件", as_json)
    from dagster_project.intake import layouts
    from dagster_project.intake.inspection import look
    from dagster_project.intake.tables import UnreadableFile

    try:
        chosen, source_id = layouts.named(settings.raw, layout, source) if layout else (None, source or layouts.source_of(settings.raw, file))
        marks = layouts.read_source(settings.raw / source_id / "source.yml").missing_marks if source_id else None
    except FileNotFoundError as error:
        _fail(NOT_FOUND, str(error), as_json)
    except layouts.LayoutError as error:
        _fail(USAGE, str(error), as_json)
    from dagster_project.intake.inspection.known import read_known

    try:
        found = look.inspected(
            file.read_bytes(), read_known(settings, source_id), file.stem, chosen, missing_marks=marks, sheet=sheet, limits=settings.limits
        )
    except OSError as error:
        _fail(NOT_FOUND, f"{file} can't be read: {error.strerror} 无法读取", as_json)
    except KeyError as error:
        _fail(NOT_FOUND, f"no sheet {sheet!r} in {file.name}; it has: {error.args[0]} 没有此工作表", as_json)
    except UnreadableFile as error:
        _fail(REFUSED, f"{file.name} ({error.code}): {error}", as_json, reason=error.code)
    if html is not None:
        from dagster_project.intake.inspection.page import page

        _write(html, page(found, file.name).encode(), as_json)
    if as_json:
        _dump(look.as_data(found, limit))
    else:
        from rich.console import Console

        from dagster_project.intake.inspection.tell import report

        Console(stderr=layout is None).print(report(found, file.name, limit), highlight=False)
        if layout is None:
            typer.echo(found.draft, nl=False)
    raise typer.Exit(OK if layout is None or found.all_read else REFUSED)


@app.command()
def template(
    source: Annotated[str, typer.Argument(help="Source, a folder below raw/ with a template.yml. 有 template.yml 的来源。")],
    period: Annotated[str, typer.Option("--period", help="2025, 2025-H1, 2025-Q4, 2025-09, 2025-YTD09")],
    out: Annotated[Path | None, typer.Option("--out", help="Where to write the workbook; else its proposed name, here. 输出文件。")] = None,
    as_json: AsJson = False,
) -> None:
    """Write an entry workbook (areas × indicators) and the layout that reads it back. 生成填报工作簿及读回它的版式。"""
    settings = Settings()
    from dagster_project.intake import template as forms
    from dagster_project.intake.inspection.known import read_known
    from dagster_project.intake.layouts import LayoutError, read_source

    if not (settings.raw / source / "source.yml").is_file():
        known = sorted(path.parent.name for path in settings.raw.glob("*/template.yml"))
        _fail(NOT_FOUND, f"no source {source!r} below raw/; templates: {', '.join(known) or 'none'} 没有此来源", as_json)
    try:
        read_source(settings.raw / source / "source.yml")
        form = forms.form(settings.raw, source, period, read_known(settings, source))
        path = out or Path(forms.files_of(form))
        if path.exists():
            _fail(USAGE, f"{path} is there already and may hold figures: move it, or give another --out 文件已存在，可能已填数", as_json)
        layout, written = forms.keep_layout(settings.raw, form)
    except (forms.TemplateError, LayoutError) as error:
        _fail(USAGE, str(error), as_json)
    _write(path, forms.workbook(form), as_json)
    if as_json:
        _dump(
            {
                "file": str(path),
                "layout": layout,
                "layout_written": written,
                "areas": len(form.areas),
                "indicators": len(form.columns),
                "period": period,
            }
        )
        return
    typer.echo(f"{path}: {len(form.areas)} areas 地区 × {len(form.columns)} indicators 指标, {form.period_zh}")
    told = "written and added to source.yml 新写，已加入 source.yml" if written else "as before 未变"
    typer.echo(f"layout 版式: raw/{source}/layouts/{layout}.yml ({told})")
    typer.echo(
        f"When filled in: save it into raw/{source}/files/, add a line to publications.csv, run fincenter refresh. 填好后放入该目录，登记 publications.csv 后刷新。"
    )


review = typer.Typer(help="Findings as a workbook: write it, take its answers. 可疑审核簿：导出与导入。", no_args_is_help=True)
app.add_typer(review, name="review")


@review.command("export")
def review_export(
    file: Annotated[Path | None, typer.Argument(help="Workbook to write; default review-<release>.xlsx here. 写到哪个文件。")] = None,
    as_json: AsJson = False,
) -> None:
    """Write the queue of findings as a workbook to answer in Excel. 导出待审可疑的工作簿。"""
    settings = Settings()
    _released(settings, as_json)
    from dagster_project.release import review as workbook

    target = file or Path(f"review-{settings.current.resolve().name}.xlsx")
    if target.exists():
        _fail(USAGE, f"{target} is there already and may hold answers: give another name. 文件已在，可能有答复，请换名。", as_json)
    if target.suffix.lower() != ".xlsx" or not target.parent.is_dir():
        _fail(USAGE, f"{target}: a name that ends in .xlsx, in a folder that exists, is needed. 需以 .xlsx 结尾，且文件夹已在。", as_json)
    count = workbook.export(settings, target)
    if as_json:
        _dump({"file": str(target), "findings": count})
    else:
        typer.echo(f"{count} finding(s) in {target}; fill the yellow cells, then `fincenter review import`. {count} 条，填黄格后导入。")


@review.command("import")
def review_import(file: Annotated[Path, typer.Argument(help="Workbook with answers. 填好的工作簿。")], as_json: AsJson = False) -> None:
    """Turn the answers of a workbook into seed rows, all or none. 把答复写成种子行，有误则一行不写。"""
    settings = Settings()
    _released(settings, as_json)
    if not file.is_file():
        _fail(NOT_FOUND, f"no file {file}. 无此文件。", as_json)
    from dagster_project.release.answers import WorkbookError, import_answers

    try:
        with lock.refresh_lock(settings):
            done = import_answers(settings, file)
    except WorkbookError as error:
        _fail(SEEDS, str(error), as_json, faults=error.faults)
    except lock.Locked as error:
        _fail(LOCKED, str(error), as_json)
    if as_json:
        from dataclasses import asdict

        _dump(asdict(done))
        return
    typer.echo(
        f"{len(done.acknowledgements)} answer(s) 答复 · {len(done.corrections)} correction(s) 更正 · "
        f"{done.already_there} already there 已有 · {done.unanswered} left empty 未答"
    )
    for path in done.written:
        typer.echo(f"written 已写 {path}")
    if done.written:
        typer.echo("run `fincenter refresh`. 请运行 fincenter refresh。")


def main() -> None:
    """Console entry point."""
    try:
        app(prog_name="fincenter")
    finally:
        gc.freeze()  # the process ends: looking through all that was imported for garbage would take a second


if __name__ == "__main__":
    main()
