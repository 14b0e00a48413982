"""The web as one who collects sees it: a client with good manners, for as long as something is asked of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TypeVar

from holotype.collect.net.agent import Agent
from holotype.collect.net.client import Bounds, Client
from holotype.collect.net.download import Plan, download
from holotype.collect.net.guard import Guard
from holotype.collect.net.names import LookUp
from holotype.collect.net.outcomes import Outcome, Wanted
from holotype.collect.net.pace import Limits, Pace
from holotype.collect.net.polite import Polite

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Web:
    """In whose name servers are asked, at which pace, and what one picture may take.

    `local` are addresses and ports that are asked though they are not on the public internet, and `look_up` finds the
    addresses of names in place of the system: for rehearsals and tests.
    """

    agent: Agent
    limits: Limits = field(default_factory=Limits)
    bounds: Bounds = field(default_factory=Bounds)
    plan: Plan = field(default_factory=Plan)
    local: Collection[tuple[str, int]] = ()
    look_up: LookUp | None = None

    def run(self, work: Callable[[Client], Awaitable[Result]]) -> Result:
        """What `work` makes with a client, in an event loop of its own."""

        async def whole() -> Result:
            async with self._client() as client:
                return await work(client)

        return asyncio.run(whole())

    async def outcomes(self, wanted: Callable[[], Sequence[Wanted]]) -> AsyncGenerator[Outcome, None]:
        """What becomes of the URLs that `wanted` gives, a list at a time until one is empty."""
        async with self._client() as client:
            found = download(_stream(wanted), client, Polite(client), self.bounds, self.plan)
            async with aclosing(found) as outcomes:
                async for one in outcomes:
                    yield one
                    del one  # a large body is not held while the next is waited for

    def _client(self) -> Client:
        return Client(self.agent, Guard(self.local), Pace(self.limits), self.look_up)


async def _stream(wanted: Callable[[], Sequence[Wanted]]) -> AsyncIterator[Wanted]:
    while some := await asyncio.to_thread(wanted):
        for one in some:
            yield one
