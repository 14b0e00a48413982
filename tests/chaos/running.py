"""Doing something in a process of its own, which may be killed; it is forked, so that nothing is imported again."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from holotype.errors import HolotypeError

FAILED = 70


@dataclass(frozen=True)
class Ended:
    """How a process ended: its exit code, minus the signal's number where it was killed; what it said; how much CPU
    it took in seconds."""

    code: int
    said: str
    seconds: float


def in_a_process(work: Callable[[], object], log: Path, kill_after: float | None = None, longest: float = 300) -> Ended:
    """Do `work` in a process of its own, which is killed with -9, and all that it started, after so many seconds of
    CPU: moments are spread over what it does, however busy the machine is."""
    began = time.monotonic()
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        _become(work, log)
    end, spent = None, 0.0
    while end is None:
        found, status = os.waitpid(child, os.WNOHANG)
        if found:
            end = os.waitstatus_to_exitcode(status)
        elif time.monotonic() - began > longest or (kill_after is not None and _spent(child) >= kill_after):
            os.killpg(child, signal.SIGKILL)
            end = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        else:
            spent = _spent(child)
            time.sleep(0.0005)
    return Ended(end, log.read_text(errors="replace") if log.exists() else "", spent)


def _spent(child: int) -> float:
    """The seconds of CPU that a process has had, of all its threads."""
    total = 0
    for thread in Path(f"/proc/{child}/task").glob("*/schedstat"):
        with suppress(OSError):
            total += int(thread.read_text().split()[0])
    return total / 1e9


def _become(work: Callable[[], object], log: Path) -> None:
    """Be the child: do it, and end without anything of the parent's."""
    code = FAILED
    try:
        os.setpgid(0, 0)
        handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        for stream in (1, 2):
            os.dup2(handle, stream)
        done = work()
        code = done if isinstance(done, int) else 0
    except HolotypeError as error:  # as commands say it
        print(f"error: {error}", file=sys.stderr)
        code = 2
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else FAILED
    except BaseException:  # noqa: BLE001 - the parent reads what it was
        traceback.print_exc()
    finally:
        for flushed in (sys.stdout, sys.stderr):
            flushed.flush()
        os._exit(code)


def command(*arguments: object) -> Callable[[], int]:
    """The program `holotype` with these arguments, as something to do."""

    def work() -> int:
        from holotype.cli import main

        sys.argv = ["holotype", *map(str, arguments)]
        main()
        return 0

    return work


def answered(work: Callable[[], Any], log: Path) -> Any:
    """What `work` returns in a process of its own, by way of JSON. Raises RuntimeError where it fails."""
    told = log.with_suffix(".json")
    ended = in_a_process(lambda: told.write_text(json.dumps(work())) and None, log)
    if ended.code:
        raise RuntimeError(f"could not be looked at ({ended.code}):\n{ended.said}")
    return json.loads(told.read_text())
