"""Group commit: many threads' transactions, done by one thread, as many at once as wait.

A commit waits for the disk. What comes in meanwhile is done in the next transaction together, so that the disk is
waited for once, no writer waits for a lock, and each thread goes on when its own work is durable. What a work raises
is its own: it is taken back to where it began, and its neighbours go on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, exc

from holotype.errors import Overloaded

Result = TypeVar("Result")
Work = Callable[[Connection], Any]
Alone = Callable[[Work], Any]

_AGAIN: Final = RuntimeError("to be done again, alone")
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
        self._lock, self._closed = Lock(), False
        self._thread = Thread(target=self._run, name="holotype-writer", daemon=True)
        self._thread.start()

    def do(self, work: Callable[[Connection], Result]) -> Result:
        """What `work` returns, when it is durable. Raises what it raises, and `Overloaded` where too much waits."""
        done: Future[Result] = Future()
        with self._lock:
            if self._closed:
                raise Overloaded("nothing is written any more: it is being stopped")
            if self._queue.qsize() >= WAITING:
                raise Overloaded(f"more than {WAITING:,} changes wait to be written")
            self._queue.put((work, done))
        return done.result()

    def close(self) -> None:
        """Let what waits be done, and end."""
        with self._lock:
            if not self._closed:
                self._queue.put(None)
            self._closed = True
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
        """Do a batch in one transaction; where the database does not let that be, each alone."""
        if len(batch) == 1:
            return self._by_itself(*batch[0])
        try:
            with self._write() as connection:
                ended = [_ended(connection, work) for work, _ in batch]
        except BaseException:  # noqa: BLE001 - nothing of it was kept, and each will hear of its own failure
            ended = [(None, _AGAIN)] * len(batch)
        for (work, done), (result, error) in zip(batch, ended, strict=True):
            if error is _AGAIN:
                self._by_itself(work, done)
            elif error is not None:
                done.set_exception(error)
            else:
                done.set_result(result)

    def _by_itself(self, work: Work, done: Future[Any]) -> None:
        try:
            result = self._alone(work)
        except BaseException as error:  # noqa: BLE001 - it is the waiting thread's
            done.set_exception(error)
        else:
            done.set_result(result)


def _ended(connection: Connection, work: Work) -> tuple[Any, Exception | None]:
    """What a work returned, or what it raised after what it wrote was taken back; `_AGAIN` where another process was
    first. Raises what says that the whole transaction is lost."""
    try:
        with connection.begin_nested():
            return work(connection), None
    except exc.IntegrityError:
        return None, _AGAIN
    except exc.DBAPIError:
        raise
    except Exception as error:  # noqa: BLE001 - it is the waiting thread's
        return None, error
