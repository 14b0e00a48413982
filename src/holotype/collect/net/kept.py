"""Answers that are asked for once and kept for a while."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class Kept(Generic[Key, Value]):
    """Answers by key. Each is asked for by one, whom all others wait for, and kept for as long as it says.

    `ask` gives an answer, for how many seconds it holds, and how much it weighs; together no more than `most` is kept,
    what was used last longest.
    """

    def __init__(
        self, ask: Callable[[Key], Awaitable[tuple[Value, float, int]]], most: int, clock: Callable[[], float]
    ) -> None:
        self._ask = ask
        self._most = most
        self._clock = clock
        self._answers: OrderedDict[Key, tuple[Value, float, int]] = OrderedDict()
        self._weight = 0
        self._asking: dict[Key, asyncio.Task[Value]] = {}

    async def of(self, key: Key) -> Value:
        """The answer for a key; raises what asking raises, which is not kept."""
        kept = self._answers.get(key)
        if kept is not None and self._clock() < kept[1]:
            self._answers.move_to_end(key)
            return kept[0]
        task = self._asking.get(key)
        if task is None:
            task = self._asking[key] = asyncio.create_task(self._asked(key))
            task.add_done_callback(_heard)
        return await asyncio.shield(task)

    async def _asked(self, key: Key) -> Value:
        try:
            value, seconds, weight = await self._ask(key)
        finally:
            del self._asking[key]
        self._forget(key)
        self._answers[key] = value, self._clock() + seconds, weight
        self._weight += weight
        while self._weight > self._most and len(self._answers) > 1:
            self._forget(next(iter(self._answers)))
        return value

    def _forget(self, key: Key) -> None:
        gone = self._answers.pop(key, None)
        if gone is not None:
            self._weight -= gone[2]


def _heard(task: asyncio.Task[Value]) -> None:
    """An error is known of, even where whoever waited for it was called off."""
    if not task.cancelled():
        task.exception()
