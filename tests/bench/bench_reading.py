"""Reading files beside the bare parser that we use, on the same files in the same run: ``python -m tests.bench.bench_reading``.

Belongs here: a 60,000-cell xlsx and xls, a 3-million-cell CSV, a 2,700-row page; seconds, cells a second, peak memory. Does not belong
here: the rest of a refresh (``bench_refresh``). “Reading” is bytes to sheets of text, with all checks and limits; what the layout then
makes of them is printed beside it. Exit code 1 where reading takes more than 2.5 times the bare parser.
"""

from __future__ import annotations

import io
import multiprocessing
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dagster_project.settings import Limits

MOST = 2.5
ROUNDS = 5


def _workbook(path: Path) -> None:
    import xlsxwriter

    book = xlsxwriter.Workbook(str(path))
    sheet = book.add_worksheet("年度")
    sheet.write_row(0, 0, ["地区", *[f"{1965 + year}年" for year in range(59)]])
    for row in range(1, 1000):
        sheet.write(row, 0, f"地区{row}")
        for column in range(1, 60):
            sheet.write_number(row, column, row * 100 + column / 4)
    book.close()


def _csv(path: Path) -> None:
    head = "地区," + ",".join(f"{1950 + year}年" for year in range(59))
    figures = ",".join(f"{1234.5 + column:.2f}" for column in range(59))
    path.write_text("\n".join([head, *[f"地区{row},{figures}" for row in range(50_000)]]) + "\n", encoding="utf-8")


def _page(path: Path) -> None:
    cells = "".join(f"<td class='c{column}'>{column * 1000:,}.5</td>" for column in range(15))
    head = "<table><caption>单位：亿元</caption><tr><th>地区</th>" + "".join(f"<th>{2005 + column}年</th>" for column in range(15)) + "</tr>"
    path.write_bytes((head + "\n".join(f"<tr><td>地区{row}</td>{cells}</tr>" for row in range(2700)) + "</table>").encode("gbk"))


def bare_workbook(data: bytes) -> int:
    """Calamine to strings."""
    from python_calamine import CalamineWorkbook

    book = CalamineWorkbook.from_filelike(io.BytesIO(data))
    return sum(len([str(value) for value in row]) for name in book.sheet_names for row in book.get_sheet_by_name(name).to_python())


def bare_csv(data: bytes) -> int:
    """Polars to strings."""
    import polars as pl

    frame = pl.read_csv(data, has_header=False, infer_schema=False)
    return frame.height * frame.width


def bare_page(data: bytes) -> int:
    """lxml to strings."""
    from lxml import etree

    root = etree.fromstring(data.decode("gb18030").encode(), etree.HTMLParser(encoding="utf-8"))
    return len(["".join(cell.itertext()) for row in root.iter("tr") for cell in row if cell.tag in ("td", "th")])


BARE: dict[str, Callable[[bytes], int]] = {"xlsx": bare_workbook, "xls": bare_workbook, "csv": bare_csv, "html": bare_page}


def _measured(queue: Any, path: str, kind: str, which: str) -> None:
    """In a process of its own: the best of some rounds, and the most memory it took (the workbook process counted in)."""
    data = Path(path).read_bytes()
    times, layout_times = [], []
    if which == "bare":
        for _ in range(ROUNDS):
            start = time.perf_counter()
            BARE[kind](data)
            times.append(time.perf_counter() - start)
        cells = 0
    else:
        from dagster_project.intake.cells import read_through
        from dagster_project.intake.layouts import Layout
        from dagster_project.intake.tables import read_book
        from dagster_project.intake.workbooks import WorkbookProcess

        fixed = {"indicator": "地区生产总值", "unit": "亿元"}
        wanted = {"layout": "l", "title": {"zh": "表", "en": "table"}, "columns": [{"地区": "area"}, {"{period}": "values"}], "fixed": fixed}
        layout = Layout.model_validate(wanted)
        with WorkbookProcess(Limits()) as process:
            read_book(data, Limits(), process)  # the process is started once for a batch
            for _ in range(ROUNDS):
                start = time.perf_counter()
                book = read_book(data, Limits(), process)
                times.append(time.perf_counter() - start)
                start = time.perf_counter()
                reading = read_through(layout, book)
                layout_times.append(time.perf_counter() - start)
        cells = reading.cells.height
        del reading, book
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss + resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    queue.put((min(times), min(layout_times, default=0.0), cells, peak // 1024))


def measure(path: Path, kind: str, which: str) -> tuple[float, float, int, int]:
    """(seconds, seconds of the layout, cells, MB)."""
    context = multiprocessing.get_context("spawn")
    queue: Any = context.Queue()
    child = context.Process(target=_measured, args=(queue, str(path), kind, which))
    child.start()
    found: tuple[float, float, int, int] = queue.get(timeout=600)
    child.join()
    return found


def main() -> None:
    """Print the table."""
    slow = False
    print(
        f"{'file':28s} {'cells':>10s} {'bare s':>8s} {'ours s':>8s} {'ratio':>6s} {'cells/s':>12s} {'layout s':>9s} {'bare MB':>8s} {'ours MB':>8s}"
    )
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        _workbook(base / "table.xlsx")
        if shutil.which("soffice"):
            subprocess.run(
                ["soffice", "--headless", "--convert-to", "xls", "--outdir", folder, str(base / "table.xlsx")], check=True, capture_output=True
            )
        else:
            print("no soffice on the path: the xls is left out")
        _csv(base / "table.csv")
        _page(base / "table.html")
        for kind, name in (("xlsx", "60,000-cell xlsx"), ("xls", "60,000-cell xls"), ("csv", "3-million-cell CSV"), ("html", "2,700-row HTML table")):
            if not (base / f"table.{kind}").exists():
                continue
            bare = measure(base / f"table.{kind}", kind, "bare")
            ours = measure(base / f"table.{kind}", kind, "ours")
            ratio = ours[0] / bare[0]
            slow |= ratio > MOST
            rate = ours[2] / ours[0]
            print(f"{name:28s} {ours[2]:10,d} {bare[0]:8.3f} {ours[0]:8.3f} {ratio:6.2f} {rate:12,.0f} {ours[1]:9.3f} {bare[3]:8d} {ours[3]:8d}")
    sys.exit(1 if slow else 0)


if __name__ == "__main__":
    main()
