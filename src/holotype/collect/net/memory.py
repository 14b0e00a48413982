"""Memory for bodies: a bounded number of bytes, shared by all that are being read or wait to be looked at."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final

SMALL: Final = 128 << 10
"""A body up to this many bytes is in nobody's way: their number is bounded already."""


class Memory:
    """So many bytes for large bodies. Whoever needs more than there is waits, in order."""

    def __init__(self, most: int = 64 << 20) -> None:
        self.most: Final = most
        self.taken = 0
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    def share(self) -> Share:
        """A share for one body, empty so far."""
        return Share(self)

    async def take(self, size: int) -> None:
        """Take bytes, when they are there and those who came before have theirs."""
        if not self._waiting and self.taken + size <= self.most:
            self.taken += size
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((size, turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.give(size)  # it had just come
            raise

    def give(self, size: int) -> None:
        """Give bytes back."""
        self.taken -= size
        while self._waiting:
            size, turn = self._waiting[0]
            if not turn.done() and self.taken + size > self.most:
                return
            self._waiting.popleft()
            if not turn.done():
                self.taken += size
                turn.set_result(None)


class Share:
    """What one body takes of the memory: nothing while it is small, and all it may need from there on."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._size = 0

    async def grow(self, size: int) -> None:
        """Have memory for a body of up to `size` bytes. Once for each body: who holds some must not wait for more."""
        wanted = min(size, self._memory.most)
        if size > SMALL and self._size == 0:
            await self._memory.take(wanted)
            self._size = wanted

    def shrink(self, size: int) -> None:
        """Give back what a body of `size` bytes does not need."""
        if size < self._size:
            self._memory.give(self._size - size)
            self._size = size

    def free(self) -> None:
        """Give everything back."""
        self.shrink(0)
