from __future__ import annotations

import ast
import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest

import holotype
from holotype.engine import Engine, chosen, map_batches, using
from holotype.errors import EngineError, HolotypeError, InvalidTaxonomy, NoProject, NoRay


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


def test_threads_do_it_unless_something_else_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOLOTYPE_ENGINE", raising=False)
    assert chosen() == "threads"
    monkeypatch.setenv("HOLOTYPE_ENGINE", "processes")
    assert chosen() == "processes"
    with using("ray"):
        assert chosen() == "ray"
    assert chosen() == "processes"


def test_an_engine_that_there_is_not_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOLOTYPE_ENGINE", "spark")
    with pytest.raises(EngineError, match="there is no engine 'spark', but threads, processes, ray"):
        list(map_batches(square, [1]))


def process_and_engine(_: int) -> tuple[int, Engine]:
    return os.getpid(), chosen()


@FORKED
def test_the_engine_that_is_said_is_used_and_its_workers_use_threads() -> None:
    with using("processes"):
        ((process, engine),) = map_batches(process_and_engine, [0])
        ((here, _),) = map_batches(process_and_engine, [0], kind="threads")
    assert process != here == os.getpid()
    assert engine == "threads"


@pytest.mark.parametrize("missing", ["daft", "ray"])
def test_a_cluster_needs_an_extra(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    if missing == "ray":
        monkeypatch.setitem(sys.modules, "daft", sys)
    with pytest.raises(NoRay, match=r"pip install 'holotype\[ray\]'"):
        list(map_batches(square, [1], kind="ray"))


@pytest.mark.parametrize("error", [InvalidTaxonomy("a circle", 3), NoProject(Path("birds")), EngineError("no")])
def test_errors_come_out_of_a_pickle_as_they_went_in(error: HolotypeError) -> None:
    again = pickle.loads(pickle.dumps(error))  # noqa: S301
    assert type(again) is type(error)
    assert (str(again), vars(again)) == (str(error), vars(error))


TRAVEL = {
    "benchmark/intervals.py",
    "consensus/sharded.py",
    "crowd/sharded.py",
    "images/near.py",
    "project/fingerprints.py",
    "project/near_duplicates.py",
    "project/taking.py",
}
"""The modules whose batches go where the engine in use says; all others say themselves where theirs do."""


def test_what_may_leave_this_process_is_known() -> None:
    source = Path(holotype.__file__).parent
    found = set()
    for path in source.rglob("*.py"):
        calls = (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call))
        if any(
            isinstance(call.func, ast.Name)
            and call.func.id == "map_batches"
            and "kind" not in {keyword.arg for keyword in call.keywords}
            for call in calls
        ):
            found.add(str(path.relative_to(source)))
    assert found == TRAVEL
