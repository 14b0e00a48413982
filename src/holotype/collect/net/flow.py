"""A stream of outcomes for a program that does not know of asyncio: fetched in a thread beside it, a little ahead."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing
from types import TracebackType
from typing import Final, Self

from holotype.collect.net.outcomes import Fetched, Outcome


class Flow:
    """Outcomes that `start` makes in an event loop of a thread's own, where no more than `most_bytes` of bodies, and
    `most` outcomes, wait to be looked at. Use it as a context manager: when that ends, all that is out is called off.
    """

    def __init__(
        self, start: Callable[[], AsyncGenerator[Outcome, None]], most_bytes: int = 16 << 20, most: int = 512
    ) -> None:
        self._start = start
        self._most_bytes: Final = most_bytes
        self._most: Final = most
        self._held: deque[Outcome] = deque()
        self._bytes = 0
        self._changed = threading.Condition()
        self._ended = self._stopped = False
        self.interrupted = False
        self._error: BaseException | None = None
        self._loop = asyncio.new_event_loop()
        self._task: asyncio.Task[None] | None = None
        self._thread = threading.Thread(target=self._run, name="holotype-fetch", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._thread.join()

    def stop(self) -> None:
        """Fetch no more; what waits to be looked at is still given."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
            if not self._ended and self._task is not None:
                self._loop.call_soon_threadsafe(self._task.cancel)

    def outcomes(self, seconds: float) -> Iterator[Outcome | None]:
        """The outcomes as they come, and None whenever none came for so many seconds. Raises what `start` does."""
        while True:
            with self._changed:
                if not self._held and not self._ended:
                    self._changed.wait(seconds)
                one = self._held.popleft() if self._held else None
                if one is None and self._ended:
                    break
                self._bytes -= _size(one)
                self._changed.notify_all()
            yield one
            del one  # a large body is not held while the next is waited for
        if self._error is not None:
            raise self._error

    def to_the_end(self, seconds: float) -> Iterator[Outcome | None]:
        """`outcomes`, and, where Ctrl-C comes while one waits for them, those that have come: it is `interrupted`."""
        while True:
            try:
                yield from self.outcomes(seconds)
                return
            except KeyboardInterrupt:
                self.interrupted = True
                self.stop()

    def _run(self) -> None:
        try:
            with self._changed:
                self._task = self._loop.create_task(self._fetch())
                if self._stopped:
                    self._task.cancel()
            self._loop.run_until_complete(self._task)
        except asyncio.CancelledError:
            pass
        except BaseException as error:  # noqa: BLE001 - whoever reads the outcomes is told
            self._error = error
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify_all()
            self._loop.run_until_complete(_call_off_the_rest())
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
            self._loop.close()

    async def _fetch(self) -> None:
        async with aclosing(self._start()) as outcomes:
            async for one in outcomes:
                if not self._add(one):
                    await asyncio.to_thread(self._wait_and_add, one)
                del one

    def _add(self, one: Outcome) -> bool:
        with self._changed:
            fits = len(self._held) < self._most and self._bytes + _size(one) <= self._most_bytes
            if fits or not self._held:
                self._held.append(one)
                self._bytes += _size(one)
                self._changed.notify_all()
                return True
            return False

    def _wait_and_add(self, one: Outcome) -> None:
        while not self._add(one):
            with self._changed:
                if self._stopped:
                    return
                self._changed.wait(0.1)


async def _call_off_the_rest() -> None:
    """Call off what nobody waits for any more, such as questions about robots.txt that a stop left without asker."""
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _size(one: Outcome | None) -> int:
    return len(one.body) if isinstance(one, Fetched) else 0
