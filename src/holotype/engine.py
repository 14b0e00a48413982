"""The embedded engine: one pure function over many batches, on threads or processes."""

from __future__ import annotations

import os
import signal
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event, Thread
from typing import Literal, TypeVar

Batch = TypeVar("Batch")
Result = TypeVar("Result")


def map_batches(
    fn: Callable[[Batch], Result],
    batches: Iterable[Batch],
    *,
    workers: int | None = None,
    kind: Literal["threads", "processes"] = "threads",
    drains: Callable[[Batch], bool] = lambda _: False,
) -> Generator[Result, None, None]:
    """``fn`` of every batch, in order, computed ahead by `workers` (default: the CPUs we may use).

    At most ``2 * workers`` batches are in flight, so memory is bounded by what those hold, however long
    `batches` is. An exception in `fn` is raised at its place in the order. On any exception, Ctrl-C
    included, batches not yet started are dropped and the workers end. Use ``processes`` for functions that
    hold the GIL; `fn` and the batches must then be picklable. Behind a batch that `drains`, nothing is computed ahead:
    its result, and all before it, are given first.

    >>> list(map_batches(len, ["a", "bb", "ccc"], workers=2))
    [1, 2, 3]
    """
    count = cpus() if workers is None else workers
    if count < 1:
        raise ValueError(f"workers must be at least 1, not {count}")
    pool: Executor = (
        ThreadPoolExecutor(count, thread_name_prefix="holotype")
        if kind == "threads"
        else ProcessPoolExecutor(count, initializer=_leave_ctrl_c_to_the_parent)
    )
    waiting: deque[Future[Result]] = deque()
    try:
        for batch in batches:
            waiting.append(pool.submit(fn, batch))
            most = 0 if drains(batch) else 2 * count - 1
            while len(waiting) > most:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def on_a_thread(name: str, run: Callable[[], None], stopped: Event) -> Iterator[None]:
    """Do `run` on a thread of a name while this lasts: it has to end when `stopped` is set, and is waited for."""
    stopped.clear()
    thread = Thread(target=run, name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()


def cpus() -> int:
    """How many CPUs we may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS
        return os.cpu_count() or 1


def _leave_ctrl_c_to_the_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


Progress = Callable[[int, int], None]
"""Told how much is done, and how much there is."""


def no_progress(done: int, total: int) -> None:
    """Progress that nobody watches."""
