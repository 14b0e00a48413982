"""Group commit: many threads' transactions, done by one thread, as many at once as wait.

A commit waits for the disk. What comes in meanwhile is done in the next transaction together, so that the disk is
waited for once, no writer waits for a lock, and each thread goes on when its own work is durable.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager
from queue import SimpleQueue
from threading import Thread
from typing import Any, Final, TypeVar

from sqlalchemy import Connection

from holotype.errors import Overloaded

Result = TypeVar("Result")
Work = Callable[[Connection], Any]
Alone = Callable[[Work], Any]

BATCH: Final = 400
WAITING: Final = 1_000
"""The most that may wait; who comes then is told to come back."""


class GroupCommit:
    """A thread that does what is handed to `do` in transactions of `write`, or by `alone` where that fails.

    Close it to let what waits be done, and the thread end.
    """

    def __init__(self, write: Callable[[], AbstractContextManager[Connection]], alone: Alone) -> None:
        self._write, self._alone = write, alone
        self._queue: SimpleQueue[tuple[Work, Future[Any]] | None] = SimpleQueue()
        self._thread = Thread(target=self._run, name="holotype-writer", daemon=True)
        self._thread.start()

    def do(self, work: Callable[[Connection], Result]) -> Result:
        """What `work` returns, when it is durable. Raises what it raises, and `Overloaded` where too much waits."""
        if self._queue.qsize() >= WAITING:
            raise Overloaded(f"more than {WAITING:,} changes wait to be written")
        done: Future[Result] = Future()
        self._queue.put((work, done))
        return done.result()

    def close(self) -> None:
        """Let what waits be done, and end."""
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (first := self._queue.get()) is not None:
            batch, last = [first], False
            while len(batch) < BATCH and not self._queue.empty():
                if (another := self._queue.get()) is None:
                    last = True
                    break
                batch.append(another)
            self._do(batch)
            if last:
                return

    def _do(self, batch: Sequence[tuple[Work, Future[Any]]]) -> None:
        try:
            with self._write() as connection:
                results = [work(connection) for work, _ in batch]
        except BaseException:  # noqa: BLE001 - one that fails must not fail its neighbours: each again, alone
            for work, done in batch:
                self._by_itself(work, done)
        else:
            for (_, done), result in zip(batch, results, strict=True):
                done.set_result(result)

    def _by_itself(self, work: Work, done: Future[Any]) -> None:
        try:
            result = self._alone(work)
        except BaseException as error:  # noqa: BLE001 - it is the waiting thread's
            done.set_exception(error)
        else:
            done.set_result(result)
