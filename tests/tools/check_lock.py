"""Does the lock hold what ``pyproject.toml`` asks for, with hashes and without naming a registry? Exit 1 with the reason if not."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def faults() -> list[str]:
    """What is wrong with the lock, one line each."""
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    locked = {m[1].lower().replace("_", "-"): m[2] for m in re.finditer(r"^([A-Za-z0-9_.-]+)(?:\[[^\]]*\])?==([^\s;\\]+)", lock, re.M)}
    found = [f"the lock names a host: {line.strip()}" for line in lock.splitlines() if re.search(r"https?://|index-url|find-links", line)]
    for requirement in [*project["dependencies"], *project["optional-dependencies"]["dev"]]:
        match = re.match(r"([A-Za-z0-9_.-]+)(?:==([^\s;]+))?", requirement)
        assert match is not None
        name, pinned = match[1].lower().replace("_", "-"), match[2]
        if name not in locked:
            found.append(f"{requirement} is not in the lock: run `make lock`")
        elif pinned and locked[name] != pinned:
            found.append(f"{requirement} is asked for, {locked[name]} is locked: run `make lock`")
    entries = re.split(r"\n(?=\S)", "\n".join(line for line in lock.splitlines() if not line.startswith("#")))
    unhashed = sum("--hash=sha256:" not in entry for entry in entries if entry.strip())
    if unhashed:
        found.append(f"{unhashed} entries without a hash")
    return found


if __name__ == "__main__":
    wrong = faults()
    print("\n".join(wrong) or "the lock is whole")
    sys.exit(1 if wrong else 0)
