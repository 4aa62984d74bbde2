"""Workbooks, opened in a process of their own: one for the whole batch, made anew after a file has brought it down.

Belongs here: starting, asking and ending that process, and its clock. Does not belong here: what it does with a file (``worker``).
"""

from __future__ import annotations

import json
import os
import select
import struct
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Any

from dagster_project.settings import Limits

PROGRAM = Path(__file__).with_name("worker.py")


class WorkbookProcess:
    """A context that reads workbooks. The process starts with the first file and ends with the context."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._process: subprocess.Popen[bytes] | None = None
        self._asked = Lock()

    def __enter__(self) -> WorkbookProcess:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End the process, if there is one."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self.close()
            # A panic writes to standard error; the message that people get is ours, once.
            with tempfile.TemporaryFile() as errors:
                self._process = subprocess.Popen(
                    [sys.executable, "-I", str(PROGRAM), json.dumps(asdict(self.limits))],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                )
        return self._process

    def read(self, data: bytes) -> dict[str, Any]:
        """The worker's answer, or an error of code ``time`` or ``crash`` where there is none. It serves one at a time."""
        with self._asked:
            return self._answer(data)

    def _answer(self, data: bytes) -> dict[str, Any]:
        process = self._running()
        assert process.stdin is not None and process.stdout is not None
        deadline = time.monotonic() + self.limits.seconds
        try:
            process.stdin.write(struct.pack("<Q", len(data)) + data)
            process.stdin.flush()
            (length,) = struct.unpack("<Q", self._received(process.stdout.fileno(), 8, deadline))
            answer: dict[str, Any] = json.loads(self._received(process.stdout.fileno(), length, deadline))
        except TimeoutError:
            self.close()
            return {"error": ["time", f"reading it takes longer than {self.limits.seconds} seconds: split it into smaller files"]}
        except (EOFError, OSError):
            self.close()
            return {
                "error": ["crash", "the workbook brings the reader down (damaged, or far too wide): open it in Excel, save it again and drop it in"]
            }
        return answer

    @staticmethod
    def _received(pipe: int, length: int, deadline: float) -> bytes:
        body = bytearray()
        while len(body) < length:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([pipe], [], [], left)[0]:
                raise TimeoutError
            part = os.read(pipe, min(length - len(body), 1 << 20))
            if not part:
                raise EOFError
            body += part
        return bytes(body)
