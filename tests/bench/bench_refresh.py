"""What a refresh costs: on the real figures, and on a hundred thousand and a million fictitious ones.

    python -m tests.bench.bench_refresh [--figures 100000 1000000] [--rounds 3] [--nodes 10]

Belongs here: whole processes timed by the clock, with their peak memory, and the bare DuckDB script in the same run.
Does not belong here: what a refresh or the script do. Prints Markdown.

The scaled refresh less the refresh of the real figures (the fixed part: interpreter, imports, seeds) is what the figures themselves
cost. Great Expectations is left out of both: it works beside the build, in a process of its own, so that leaving out the waiting for it
would not leave out what it takes from the build. The steps are therefore run once more without it, and a third time without the rules
either (the `quality` models and what serves their findings): the script makes nothing like them, and their time has a bound of its own, that
of building the marts (`detection`).
A machine's speed may move by a third between minutes, so what is compared is run in turn, several times, and medians are printed. The script
runs before and after each refresh, so that its own spread weighs less in a round's ratio.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dagster_project.settings import REPOSITORY

# What the stack costs before it does anything: the yardstick for a machine's speed.
IMPORTS = (sys.executable, "-c", "import dagster, dbt.cli.main, great_expectations")
CLI = (sys.executable, "-m", "dagster_project.cli", "refresh", "--json")
# Every step but the expectations: no worker is started, and none is asked. Without the rules it ends with the build, which is all that they
# are part of.
STEPS = """
import dataclasses, json, sys
from pathlib import Path
from dagster_project.release.refresh import Refresh
from dagster_project.settings import Settings
refresh = Refresh(Settings(root=Path(sys.argv[1])), worker=object())
whole = refresh.plan()
if "without-rules" in sys.argv:
    left_out = set()
    for node in whole.nodes:
        if node.group == "quality" or left_out & set(node.parents):
            left_out.add(node.unique_id)
    fewer = dataclasses.replace(whole, nodes=tuple(node for node in whole.nodes if node.unique_id not in left_out))
    refresh.plan = lambda: fewer
refresh.read(); refresh.check_seeds(); refresh.prepare(); refresh.build()
if "without-rules" not in sys.argv:
    refresh.record(); refresh.publish()
print(json.dumps({"build": refresh.summary.seconds["dbt"], "nodes": [(r.resource_type, r.name, r.seconds) for r in refresh.results]}))
"""


@dataclass
class Run:
    """One process with its children: seconds by the clock and of the processors, peak memory in GB, seconds of each
    step where it says them. On a busy machine the clock tells of the others too; the processors don't."""

    seconds: float
    cpu: float
    memory: float
    steps: dict[str, float] = field(default_factory=dict)
    nodes: list[tuple[str, str, float]] = field(default_factory=list)
    output: str = ""

    @property
    def expectations(self) -> float:
        return sum(spent for step, spent in self.steps.items() if step.startswith("expectations"))


def run(command: Sequence[str], root: Path | None = None) -> Run:
    """Runs to the end, or stops the whole bench with what the command said."""
    environment = os.environ | ({"FINCENTER_ROOT": str(root)} if root else {})
    os.sync()  # what the one before left to be written would be waited for by this one
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
        started = time.perf_counter()
        child = subprocess.Popen(command, cwd=REPOSITORY, env=environment, stdout=out, stderr=errors)
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - started
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        errors.seek(0)
        text = out.read().decode()
        if child.returncode:
            raise SystemExit(f"{' '.join(command)} ended with {child.returncode}\n{text}\n{errors.read().decode()}")
    return Run(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1e6, output=text)


def refresh(root: Path, *options: str) -> Run:
    """`fincenter refresh` as a process of its own."""
    result = run((*CLI, *options), root)
    answer = json.loads(result.output)
    if isinstance(answer.get("seconds"), dict):
        result.steps = {step: spent for step, spent in answer["seconds"].items() if step != "total"}
    return result


def without_expectations(root: Path, *options: str) -> Run:
    """The same steps again from the beginning (with a release before it, it would be compared), without Great Expectations."""
    shutil.rmtree(root / "warehouse")
    result = run((sys.executable, "-c", STEPS, str(root), *options))
    told = json.loads(result.output.splitlines()[-1])
    result.steps, result.nodes = {"build": told["build"]}, [(kind, name, spent) for kind, name, spent in told["nodes"]]
    return result


@dataclass
class Round:
    """What the figures of a root cost, and what the script takes for the same, just before and just after: seconds, all of them."""

    fixed: Run
    fixed_rules: float
    whole: Run
    rules: float
    bare: Run

    @property
    def less(self) -> float:
        return self.whole.seconds - self.fixed.seconds

    @property
    def of_which_rules(self) -> float:
        return self.rules - self.fixed_rules

    @property
    def ratio(self) -> float:
        return self.less / self.bare.seconds

    @property
    def ratio_without_rules(self) -> float:
        return (self.less - self.of_which_rules) / self.bare.seconds

    @property
    def ratio_of_processors(self) -> float:
        return (self.whole.cpu - self.fixed.cpu) / self.bare.cpu


def mean_of(one: Run, other: Run) -> Run:
    """What two runs of one command took on the average, and the more of memory."""
    return Run((one.seconds + other.seconds) / 2, (one.cpu + other.cpu) / 2, max(one.memory, other.memory))


def compared(real: Path, root: Path) -> Round:
    """One round: the fixed part, the script, the figures, the script again, and both parts without the rules."""

    def bare() -> Run:
        return run((sys.executable, "-m", "tests.bench.bare_duckdb", str(root), str(root / "bare.duckdb")))

    def of_rules(one: Path, whole: Run) -> float:
        return whole.steps["build"] - without_expectations(one, "without-rules").steps["build"]

    fixed = without_expectations(real)
    before, whole, after = bare(), without_expectations(root), bare()
    return Round(fixed, of_rules(real, fixed), whole, of_rules(root, whole), mean_of(before, after))


def median(rounds: Sequence[Round], figure: Callable[[Round], float]) -> float:
    return statistics.median(figure(one) for one in rounds)


def real_root(folder: Path) -> Path:
    """A copy of the real figures, so that the warehouse in use is left alone."""
    for name in ("raw", "seeds", "dbt"):
        shutil.copytree(REPOSITORY / name, folder / name)
    return folder


def scaled_root(folder: Path, figures: int) -> tuple[Path, int]:
    """A root of about so many figures, and how many there are."""
    from tests.fixtures.city import scale

    folder.mkdir(parents=True)
    written = scale.write_scaled(folder, figures)
    shutil.copytree(REPOSITORY / "dbt", folder / "dbt")
    return folder, written


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [header, ["---"] + ["---:"] * (len(header) - 1), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines) + "\n"


def slowest(steps: Run, how_many: int) -> list[tuple[str, str, float]]:
    """The slowest nodes of the plan in a run of the steps."""
    return sorted(steps.nodes, key=lambda one: -one[2])[:how_many]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.bench_refresh")
    parser.add_argument("--figures", type=int, nargs="*", default=[100_000, 1_000_000])
    parser.add_argument("--rounds", type=int, default=3, help="how often each comparison is made")
    parser.add_argument("--nodes", type=int, default=0, help="also print so many of the slowest nodes of the largest run")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench_refresh_") as folder:
        base = Path(folder)
        os.environ["FINCENTER_PLANS"] = str(base / "plans")
        real = real_root(base / "real")
        first = refresh(real)
        shutil.rmtree(real / "warehouse" / "ledger")
        full = refresh(real, "--force")
        nothing = refresh(real)
        print("## The real figures\n")
        named = {
            "the first of all (dbt compiles its project)": first,
            "full: every file read, everything built": full,
            "nothing new": nothing,
            "only importing Dagster, dbt and Great Expectations": run(IMPORTS),
        }
        rows: list[list[object]] = [[name, f"{one.seconds:.2f}", f"{one.cpu:.2f}", f"{one.memory:.2f}"] for name, one in named.items()]
        print(table(["run", "seconds", "processor seconds", "peak GB"], rows))
        names = list(full.steps)
        outside = full.seconds - sum(full.steps.values())
        print(
            table(
                ["step of the full refresh", *names, "start, Dagster, end"],
                [["seconds", *(f"{full.steps[name]:.2f}" for name in names), f"{outside:.2f}"]],
            )
        )
        rows = []
        for figures in options.figures:
            root, written = scaled_root(base / f"scaled{figures}", figures)
            ours = refresh(root)
            rounds = [compared(real, root) for _ in range(options.rounds)]
            largest = rounds[-1].whole
            ratios = [one.ratio for one in rounds]
            rows.append(
                [
                    f"{written:,}",
                    f"{ours.seconds:.1f}",
                    f"{ours.expectations:.1f}",
                    f"{median(rounds, lambda one: one.whole.seconds):.1f}",
                    f"{median(rounds, lambda one: one.less):.1f}",
                    f"{median(rounds, lambda one: one.of_which_rules):.1f}",
                    f"{median(rounds, lambda one: one.bare.seconds):.1f}",
                    f"{statistics.median(ratios):.1f} ({min(ratios):.1f}–{max(ratios):.1f})",
                    f"{median(rounds, lambda one: one.ratio_without_rules):.1f}",
                    f"{median(rounds, lambda one: one.ratio_of_processors):.1f}",
                    f"{ours.memory:.2f}",
                    f"{median(rounds, lambda one: one.bare.memory):.2f}",
                ]
            )
        if rows:
            print("## Scaled\n")
            header = [
                "figures",
                "refresh s",
                "waiting for expectations s",
                "without them s",
                "less the fixed part s",
                "of which rules s",
                "bare DuckDB s",
                "ratio (least–most)",
                "ratio without the rules",
                "ratio of processor seconds",
            ]
            print(table([*header, "peak GB", "bare peak GB"], rows))
        if options.nodes and rows:
            print("## Slowest nodes\n")
            print(table(["node", "kind", "seconds"], [(n, k, f"{s:.2f}") for k, n, s in slowest(largest, options.nodes)]))


if __name__ == "__main__":
    main()
