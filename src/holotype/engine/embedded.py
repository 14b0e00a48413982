"""The embedded engine: threads or processes of this machine."""

from __future__ import annotations

import os
import signal
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from typing import Literal, TypeVar

from holotype.engine.choice import using

Batch = TypeVar("Batch")
Result = TypeVar("Result")


def map_embedded(
    fn: Callable[[Batch], Result],
    batches: Iterable[Batch],
    drains: Callable[[Batch], bool],
    kind: Literal["threads", "processes"],
    workers: int,
) -> Generator[Result, None, None]:
    """`holotype.engine.map_batches` on so many threads or processes."""
    pool: Executor = (
        ThreadPoolExecutor(workers, thread_name_prefix="holotype")
        if kind == "threads"
        else ProcessPoolExecutor(workers, initializer=_leave_ctrl_c_to_the_parent)
    )
    work = fn if kind == "threads" else partial(within, fn)
    waiting: deque[Future[Result]] = deque()
    try:
        for batch in batches:
            waiting.append(pool.submit(work, batch))
            most = 0 if drains(batch) else 2 * workers - 1
            while len(waiting) > most:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def within(fn: Callable[[Batch], Result], batch: Batch) -> Result:
    """`fn` of a batch in a worker that is one of many: what it maps itself, it maps on threads."""
    with using("threads"):
        return fn(batch)


def cpus() -> int:
    """How many CPUs we may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS
        return os.cpu_count() or 1


def _leave_ctrl_c_to_the_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
