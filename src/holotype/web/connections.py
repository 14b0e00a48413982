"""Connections: clients that are slow, silent or many keep no place that another one needs.

A server waits for its clients: for the head of a request, for its body, and for their taking an answer. Each wait ends,
and where all places are taken, whoever has most of them and lets us wait longest loses one.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MOST: Final = 1_000
"""Connections at once."""
HEAD_SECONDS: Final = 10.0
"""How long a client may take to say what it wants."""
HEAD_BYTES: Final = 65_536
"""How long that may be."""
TAKING_SECONDS: Final = 60.0
"""How long a client may take nothing of what is sent to it."""


class Connection(HttpToolsProtocol):
    """One connection, as uvicorn's, which however does not wait for ever."""

    _since = 0.0
    _head = 0
    _asked: asyncio.TimerHandle | None = None
    _taking: asyncio.TimerHandle | None = None

    @property
    def waits(self) -> bool:
        """Whether it is the client's turn to send something."""
        return self._waits_for_head or self.cycle.more_body

    @property
    def since(self) -> float:
        """When the client could have begun to send what is waited for, by the loop's clock."""
        return self._since

    @property
    def host(self) -> str:
        """Where the client is."""
        return self.client[0] if self.client else ""

    @property
    def _waits_for_head(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._begin()
        if len(self.connections) > MOST:
            others = [one for one in self.connections if isinstance(one, Connection) and one is not self]
            if (last := _least_missed(others)) is not None:
                last.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        for timer in (self._asked, self._taking):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._head += len(data)
        super().data_received(data)
        if self._waits_for_head and self._head > HEAD_BYTES and not self.transport.is_closing():
            self.send_400_response("This request is too long.")

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.cycle.more_body:  # it was refused before all of it came, and the rest is no request
            self.transport.close()
        self._begin()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._taking = self.loop.call_later(TAKING_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._taking is not None:
            self._taking.cancel()

    def _begin(self) -> None:
        """Wait for the head of a request, for so long."""
        self._since, self._head = self.loop.time(), 0
        if self._asked is not None:
            self._asked.cancel()
        self._asked = self.loop.call_later(HEAD_SECONDS, self._end_the_wait)

    def _end_the_wait(self) -> None:
        if self._waits_for_head:
            self.transport.abort()


def _least_missed(connections: Sequence[Connection]) -> Connection | None:
    """Of those that wait for a client: of the client with the most of them the one that has waited longest."""
    waiting = [one for one in connections if one.waits]
    held = Counter(one.host for one in waiting)
    return min(waiting, key=lambda one: (-held[one.host], one.since), default=None)
