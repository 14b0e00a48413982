from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest

from holotype.engine import map_batches


def square(number: int) -> int:
    return number * number


def fail_on_seven(number: int) -> int:
    if number == 7:
        raise ValueError("seven")
    return number


FORKED = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
"""A worker of pytest-xdist has threads of its own, beside which Python 3.12 does not like to fork."""


@FORKED
@pytest.mark.parametrize("kind", ["threads", "processes"])
def test_results_come_in_order(kind: Literal["threads", "processes"]) -> None:
    assert list(map_batches(square, range(50), workers=3, kind=kind)) == [n * n for n in range(50)]
    assert list(map_batches(square, [], kind=kind)) == []


@FORKED
@pytest.mark.parametrize("kind", ["threads", "processes"])
def test_an_error_is_raised_at_its_place(kind: Literal["threads", "processes"]) -> None:
    got = []
    with pytest.raises(ValueError, match="seven"):
        for number in map_batches(fail_on_seven, range(1000), workers=2, kind=kind):
            got.append(number)  # noqa: PERF402
    assert got == list(range(7))


def test_only_a_few_batches_are_in_flight() -> None:
    taken = 0

    def batches() -> Iterator[int]:
        nonlocal taken
        for number in range(100):
            taken += 1
            yield number

    for done, _ in enumerate(map_batches(square, batches(), workers=2), 1):
        assert taken <= done + 4


def test_a_consumer_that_stops_leaves_no_threads() -> None:
    before = threading.active_count()
    results = map_batches(square, range(1000), workers=4)
    assert next(results) == 0
    results.close()
    assert threading.active_count() == before


def test_no_workers_is_an_error() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        list(map_batches(square, [1], workers=-1))


@pytest.mark.parametrize("kind", ["threads", "processes"])
def test_ctrl_c_ends_it_cleanly(kind: str, tmp_path: Path) -> None:
    script = f"""
import os, threading, time
from holotype.engine import map_batches
def slow(n):
    time.sleep(0.05)
    return os.getpid(), threading.get_ident()
if __name__ == "__main__":
    try:
        for n in map_batches(slow, range(10000), workers=2, kind={kind!r}):
            print(n, flush=True)
    except KeyboardInterrupt:
        print("stopped", flush=True)
"""
    (tmp_path / "script.py").write_text(script)
    command, pipe = [sys.executable, str(tmp_path / "script.py")], subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, start_new_session=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        started: set[str] = set()
        while len(started) < 2:  # a worker that is only starting has not learnt to leave Ctrl-C to its parent
            started.add(process.stdout.readline())
        os.killpg(process.pid, signal.SIGINT)
        rest = process.stdout.read()
        assert process.wait(timeout=600) == 0
        assert rest.endswith("stopped\n")
        assert process.stderr.read() == ""


def test_behind_a_batch_that_drains_nothing_is_computed_ahead() -> None:
    given: set[int] = set()
    seen: list[tuple[int, set[int]]] = []

    def numbers() -> Iterator[int]:
        for number in (1, 2, 0, 3):
            seen.append((number, set(given)))
            yield number

    for number in map_batches(square, numbers(), workers=8, drains=lambda number: number == 0):
        given.add(number)
    assert seen == [(1, set()), (2, set()), (0, set()), (3, {1, 4, 0})]
