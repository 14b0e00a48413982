"""The answers of a cluster to a window of batches: in order, each once, whatever is lost on the way."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from queue import SimpleQueue
from typing import Any, Final

from holotype.engine.cluster import Cluster
from holotype.engine.parcels import Answer, opened
from holotype.engine.queries import BEGINNINGS, FATAL, SKEWED, Task, ask, read
from holotype.errors import EngineError

TRIES: Final = 3
"""How often a window is asked for in vain."""


class Answers:
    """The results of a task on batches, asked for at once, on a thread of `pool`.

    What was lost with a node is asked for again: only batches whose answers are not here yet, so none counts twice.
    Iterating raises what the task raised, at its place, and `EngineError` where a cluster cannot do it. `seconds` is
    how long the cluster took for what is here.
    """

    def __init__(self, cluster: Cluster, task: Task, batches: Sequence[bytes], pool: Executor) -> None:
        self._cluster, self._task, self._pool = cluster, task, pool
        self._left = dict(enumerate(batches))
        self._count = len(batches)
        self._held: dict[int, bytes] = {}
        self._tried = 0
        self.seconds = 0.0
        self._ask()

    def __iter__(self) -> Iterator[Any]:
        for number in range(self._count):
            yield self._result(self._answer(number))

    def _ask(self) -> None:
        self._planner = self._cluster.planner
        self._found: SimpleQueue[Any] = SimpleQueue()
        self._pool.submit(self._follow, self._found)

    def _follow(self, found: SimpleQueue[Any]) -> None:
        """On a thread: put what is found where it is waited for, an error too."""
        begun = time.monotonic()
        try:
            for reference in ask(self._task, self._left, self._cluster.cpus):
                self.seconds = time.monotonic() - begun
                found.put(reference)
            raise EngineError("the cluster has answered a part of its work only")
        except Exception as error:  # noqa: BLE001  # it is raised where the results are taken
            found.put(error)

    def _answer(self, number: int) -> bytes:
        from ray.exceptions import RayError

        while number not in self._held:
            try:
                self._take()
            except RayError as error:
                self._ask_again(error)
        return self._held.pop(number)

    def _take(self) -> None:
        found = self._found.get()
        if isinstance(found, Exception):
            raise found
        for number, answer in read(found):
            if self._left.pop(number, None) is not None:
                self._held[number] = answer
                self._tried = 0

    def _ask_again(self, error: Exception) -> None:
        self._tried += 1
        if self._tried >= TRIES:
            why = str(error).strip().splitlines()[-1:]
            raise EngineError(f"the cluster lost this work {TRIES} times: {''.join(why)[:300]}") from error
        self._cluster.renew(self._planner)
        self._ask()

    def _result(self, answer: bytes) -> Any:
        if answer.startswith(SKEWED):
            found = answer.removeprefix(SKEWED).decode()
            raise EngineError(f"a worker has {found}, and here is {self._task.versions}: they have to be alike")
        if answer == FATAL:
            raise EngineError(f"some work has ended its worker {BEGINNINGS} times, perhaps for want of memory")
        said: Answer = opened(answer)
        if said.error is not None:
            raise said.error
        return said.result
