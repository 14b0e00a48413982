"""The distributed engine: windows of batches as queries of Daft on a Ray cluster.

A window is a table of numbered batches, in so many partitions that all CPUs have some; a batch function of Daft answers
each batch. Two windows are under way at a time, so that the cluster does not wait for the last batches of one. Daft
does again what was on a worker that died. Results that were lost with a node are asked for again here: batches are
numbered, and only the first answer to each counts.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final, TypeVar

from holotype.engine.answers import Answers
from holotype.engine.cluster import Cluster
from holotype.engine.parcels import packed
from holotype.engine.queries import Task

Batch = TypeVar("Batch")
Result = TypeVar("Result")
_FEWEST: Final = 32
"""Batches in a window at first: a query takes a tenth of a second of the CPUs, whatever it asks."""
_MOST: Final = 256
"""Batches in a window, about, where windows are answered briskly."""
_BRISK: Final = 4.0
"""Seconds for a window: where it took less, the next is twice as large."""
_SIZE: Final = 64 << 20
"""Bytes of batches in a window, about."""
_SECONDS: Final = 2.0
"""How long a window waits for batches that come slowly."""


@dataclass(slots=True)
class _Window:
    """Batches as they travel, in order; behind those of one that `drains` nothing may be computed ahead."""

    batches: list[bytes] = field(default_factory=list)
    drains: bool = False


@dataclass(slots=True)
class _Pace:
    """How many batches the next window has."""

    count: int

    def learn(self, seconds: float) -> None:
        """A window took so many seconds."""
        if seconds < _BRISK and self.count < _MOST:
            self.count *= 2


def map_distributed(
    fn: Callable[[Batch], Result], batches: Iterable[Batch], drains: Callable[[Batch], bool]
) -> Generator[Result, None, None]:
    """`holotype.engine.map_batches` on a cluster."""
    cluster = Cluster.joined()
    task = Task.of(fn)
    under_way: deque[tuple[_Window, Answers]] = deque()
    pool = ThreadPoolExecutor(2, thread_name_prefix="holotype-ray")
    complete, pace = False, _Pace(max(_FEWEST, 4 * cluster.cpus))
    try:
        for window in _windows(batches, drains, pace):
            under_way.append((window, Answers(cluster, task, window.batches, pool)))
            while len(under_way) > (0 if window.drains else 1):
                answers = under_way.popleft()[1]
                yield from answers
                pace.learn(answers.seconds)
        while under_way:
            yield from under_way.popleft()[1]
        complete = True
    finally:
        if not complete:
            cluster.drop()
        pool.shutdown(wait=True, cancel_futures=True)


def _windows(batches: Iterable[Batch], drains: Callable[[Batch], bool], pace: _Pace) -> Iterator[_Window]:
    """Batches in windows at a pace, fewer where they are large or come slowly."""
    window, size, begun = _Window(), 0, time.monotonic()
    for batch in batches:
        window.batches.append(packed(batch))
        window.drains = drains(batch)
        size += len(window.batches[-1])
        full = len(window.batches) >= pace.count or size >= _SIZE or time.monotonic() - begun > _SECONDS
        if full or window.drains:
            yield window
            window, size, begun = _Window(), 0, time.monotonic()
    if window.batches:
        yield window
