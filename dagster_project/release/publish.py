"""Candidate → release: a folder of its own, and one symlink that is swapped.

Belongs here: moving the checked file, the note beside it, the swap, and clearing away old releases. Does not belong here:
building or checking. Readers open ``warehouse/current/fincenter.duckdb`` read-only and never see half a release.
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import asdict
from pathlib import Path

from dagster_project.release.candidate import Identity
from dagster_project.settings import Settings


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def publish(settings: Settings, identity: Identity) -> Path:
    """Move the candidate into ``releases/<id>/`` and point ``current`` at it. Returns the release's folder.

    The candidate must be closed and checkpointed. An interruption before the swap leaves ``current`` as it was; the unfinished
    folder is cleared away by the next publication.
    """
    leftovers = settings.candidate.with_name(settings.candidate.name + ".wal")
    if leftovers.exists():
        raise RuntimeError(f"{leftovers} exists: the candidate was not closed, so it is not published")
    folder = settings.releases / identity.release_id
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / "fincenter.duckdb"
    os.replace(settings.candidate, target)
    _sync(target)
    target.chmod(0o444)
    note = {**asdict(identity), "inputs": len(identity.inputs)}
    (folder / "release.json").write_text(json.dumps(note, indent=1), encoding="utf-8")
    _sync(folder)
    _swap(settings.current, folder)
    _sync(settings.warehouse)
    _clear(settings)
    settings.candidate_inputs.unlink(missing_ok=True)
    return folder


def _swap(link: Path, folder: Path) -> None:
    temporary = link.with_name(f".{link.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(os.path.relpath(folder, link.parent), target_is_directory=True)
    os.replace(temporary, link)


def _clear(settings: Settings) -> None:
    """Keep the newest releases; remove older ones and folders that a killed run left without a note."""
    current = settings.current.resolve()
    folders = sorted((path for path in settings.releases.iterdir() if path.is_dir()), reverse=True)
    kept = [path for path in folders if (path / "release.json").is_file()][: settings.keep_releases]
    for path in folders:
        if path not in kept and path.resolve() != current:
            shutil.rmtree(path)
