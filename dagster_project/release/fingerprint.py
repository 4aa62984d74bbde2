"""Has anything changed? One hash over every input of a release: raw files, seeds, expectations, dbt models and code.

Belongs here: the hash and the decision. Standard library only, because a refresh that has nothing to do decides so before any
framework is imported. Does not belong here: reading or building anything.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from dagster_project.settings import REPOSITORY, Settings, printable

CODE_SUFFIXES = frozenset({".py", ".sql", ".yml", ".yaml", ".csv"})


@dataclass(frozen=True)
class Input:
    """One input file: what kind it is, its path below its root, its hash and size."""

    kind: str
    path: str
    sha256: str
    size: int


def _files(folder: Path, suffixes: frozenset[str] | None = None) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if "__pycache__" in path.parts or path.name.startswith((".", "~$")) or not path.is_file():
            continue
        if suffixes is None or path.suffix in suffixes:
            yield path


def _known_hashes(settings: Settings) -> dict[str, tuple[int, int, str]]:
    """(size, time, sha256) by path under raw/, from the ledger's manifest: a big file whose size and time stand is not read."""
    manifest = settings.ledger / "manifest.json"
    if not manifest.is_file():
        return {}
    rows = json.loads(manifest.read_text(encoding="utf-8"))["files"]
    return {row["file"]: (row["size"], row["mtime_ns"], row["sha256"]) for row in rows if row["sha256"]}


def _hash(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _ended_terms(settings: Settings, today: date) -> Iterator[Input]:
    """Answers to findings whose term has ended: all that a release owes to the calendar. One ends, and the release is another."""
    path = settings.seeds / "judgement" / "acknowledgements.csv"
    if not path.is_file():
        return
    with path.open(encoding="utf-8-sig", newline="") as handle:
        ended = sorted(str(row) for row in csv.DictReader(handle) if (row.get("until") or "9999") < today.isoformat())
    if ended:
        digest = hashlib.sha256("\n".join(ended).encode()).hexdigest()
        yield Input("ended term", path.relative_to(settings.seeds).as_posix(), digest, len(ended))


def tree(kind: str, folder: Path) -> Iterator[Input]:
    """Every file of a folder that is code or data to us, in a stable order."""
    for path in _files(folder, CODE_SUFFIXES):
        yield Input(kind, path.relative_to(folder).as_posix(), _hash(path), path.stat().st_size)


def inputs(settings: Settings, today: date | None = None) -> tuple[Input, ...]:
    """Every input of a release, in a stable order: files, and the answers whose term has ended by ``today`` (UTC)."""
    known = _known_hashes(settings)
    found: list[Input] = []
    for path in _files(settings.raw):
        name = printable(path.relative_to(settings.raw))
        stat = path.stat()
        size, mtime, sha = known.get(name, (-1, -1, ""))
        sha = sha if (size, mtime) == (stat.st_size, stat.st_mtime_ns) else _hash(path)
        found.append(Input("raw", name, sha, stat.st_size))
    found += tree("seed", settings.seeds)
    found += tree("dbt", settings.dbt_project)
    found += tree("expectation", settings.expectations)
    found += tree("code", REPOSITORY / "dagster_project")
    found += _ended_terms(settings, today or datetime.now(UTC).date())
    return tuple(found)


def fingerprint(found: tuple[Input, ...]) -> str:
    """One hash for all inputs; equal hashes build equal releases."""
    lines = "\n".join(f"{item.kind}\t{item.path}\t{item.sha256}" for item in found)
    return hashlib.sha256(lines.encode()).hexdigest()


def released_fingerprint(settings: Settings) -> str:
    """The fingerprint of the release that readers see now, or an empty text."""
    note = settings.current / "release.json"
    return str(json.loads(note.read_text(encoding="utf-8"))["fingerprint"]) if note.is_file() else ""


def up_to_date(settings: Settings, found: tuple[Input, ...]) -> bool:
    """Whether readers see what these inputs give. A ledger that somebody removed is no input, but must be written again."""
    return (settings.ledger / "manifest.json").is_file() and fingerprint(found) == released_fingerprint(settings)
