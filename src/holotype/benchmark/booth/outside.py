"""Running the process that evaluates: started, watched, and ended."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import IO, Final

from holotype.benchmark.booth.job import Finding, Job

_PASSED: Final = ("HOME", "XDG_CACHE_HOME", "PATH", "LANG")
_CALM: Final = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONIOENCODING": "utf-8"}
_INSIDE: Final = Path(__file__).with_name("inside.py")
"""Run as a script, and not imported here: not every system can bound a process."""
_CHUNK: Final = 1 << 20
_GLANCE: Final = 0.5
"""Seconds between looks whether it is to stop."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What an evaluation may take: bytes of `memory`, `seconds` of CPU, twice as many by the clock, bytes of a file
    that it has `written`, and bytes of its `answer`."""

    memory: int = 4 << 30
    seconds: int = 300
    written: int = 1 << 30
    answer: int = 256 << 20

    @property
    def patience(self) -> int:
        """Seconds by the clock after which it is ended."""
        return 2 * self.seconds


BOUNDS: Final = Bounds()


class Stopped(Exception):
    """The evaluation was stopped from outside, and nothing was found."""


def evaluate(job: Job, bounds: Bounds = BOUNDS, stop: Event | None = None) -> tuple[Finding, str]:
    """What a submission is found to be, in a process of its own, and by which means that had no network.

    Whatever that process does, this returns in `bounds.patience`: what is not a finding is a ``failed`` one. Raises
    `Stopped` soon after `stop` is set.
    """
    with tempfile.TemporaryDirectory(prefix="holotype-booth-") as folder:
        answer = _answer(job, bounds, folder, stop or Event())
    if answer is None:
        return Finding("failed", "it took too long, or too much"), ""
    try:
        told = json.loads(answer)
        return Finding.read(told, job), str(told["network"])
    except (ValueError, KeyError, TypeError, IndexError):
        return Finding("failed", "the evaluator ended without a finding"), ""


def _answer(job: Job, bounds: Bounds, folder: str, stop: Event) -> bytes | None:
    """What the process says; None where it took too long, said too much, or was ended for what it took."""
    about = {name: os.environ[name] for name in _PASSED if name in os.environ} | _CALM | {"TMPDIR": folder}
    limits = {"memory": bounds.memory, "seconds": bounds.seconds, "written": bounds.written}
    told = json.dumps({**limits, "path": [os.path.abspath(one) for one in sys.path], "job": json.loads(job.text())})
    with subprocess.Popen(
        [sys.executable, "-I", str(_INSIDE)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=about,
        cwd=folder,
        start_new_session=True,
    ) as process:
        assert process.stdin is not None  # noqa: S101 - they are pipes
        assert process.stdout is not None  # noqa: S101
        try:
            with suppress(BrokenPipeError):
                process.stdin.write(f"{told}\n".encode())
                process.stdin.close()
            found = _read(process.stdout, bounds, stop)
            if found is not None and process.wait(bounds.patience) < 0:
                return None
            return found
        except subprocess.TimeoutExpired:
            return None
        finally:
            if process.poll() is None:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)


def _read(stream: IO[bytes], bounds: Bounds, stop: Event) -> bytes | None:
    """All of a stream; None where it is too long or does not end in time. Raises `Stopped`."""
    found, until = bytearray(), time.monotonic() + bounds.patience
    with selectors.DefaultSelector() as waiting:
        waiting.register(stream, selectors.EVENT_READ)
        while (left := until - time.monotonic()) > 0 and len(found) <= bounds.answer:
            if stop.is_set():
                raise Stopped
            if waiting.select(min(left, _GLANCE)):
                chunk = os.read(stream.fileno(), _CHUNK)
                if not chunk:
                    return bytes(found)
                found += chunk
    return None
