"""Names of hosts: looked up once for everybody, and refused where any of their addresses is not public."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import lru_cache, partial
from ipaddress import ip_address, ip_network
from typing import Final

from aiohttp.abc import AbstractResolver, ResolveResult
from publicsuffixlist import PublicSuffixList

from holotype.collect.net.guard import Blocked, Guard
from holotype.collect.net.kept import Kept
from holotype.errors import NotFetched

LookUp = Callable[[str], Awaitable[Sequence[str]]]
"""Gives the addresses of a name; raises OSError where there are none."""

_KEPT_SECONDS: Final = 60.0
_MOST_KEPT: Final = 20_000
_PATIENCE: Final = 15.0
_AT_ONCE: Final = 64


class Names(AbstractResolver):
    """Looks names up for the connections of a client, as aiohttp's resolver, and tells which addresses they have."""

    def __init__(
        self, guard: Guard, look_up: LookUp | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._guard = guard
        self._look_up = look_up or SystemLookUp()
        self._kept: Kept[str, tuple[str, ...]] = Kept(self._found, _MOST_KEPT, clock)

    async def addresses(self, host: str, port: int) -> tuple[str, ...]:
        """The addresses of a name or of itself, all fit to connect to; raises `NotFetched`.

        A name with one public and one private address is refused: nobody needs one, but those who attack.
        """
        found = (host,) if is_address(host) else await self._kept.of(host)
        if not found:
            raise NotFetched("connection", f"no host {host} is known", again=True)  # names may be known again later
        for address in found:
            if wrong := self._guard.refused(address, port):
                raise NotFetched("blocked_address", f"{host} leads to {address}: {wrong}")
        return found

    async def _found(self, host: str) -> tuple[tuple[str, ...], float, int]:
        """Addresses, or none; that there are none is remembered, too."""
        try:
            async with asyncio.timeout(_PATIENCE):
                found = await self._look_up(host)
        except (OSError, UnicodeError):  # a TimeoutError is an OSError
            found = ()
        return tuple(dict.fromkeys(found)), _KEPT_SECONDS, 1

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_UNSPEC,  # noqa: ARG002 - as aiohttp calls it
    ) -> list[ResolveResult]:
        """What aiohttp asks when it connects: the addresses that were checked."""
        try:
            found = await self.addresses(host, port)
        except NotFetched as error:
            raise (Blocked if error.reason == "blocked_address" else OSError)(str(error)) from error
        return [_result(host, address, port) for address in found]

    async def close(self) -> None:
        """Nothing to close."""


class SystemLookUp:
    """The system's own resolver, each question in a thread that no exit of the program waits for."""

    def __init__(self) -> None:
        self._free = asyncio.Semaphore(_AT_ONCE)

    async def __call__(self, host: str) -> Sequence[str]:
        await self._free.acquire()  # until the thread is done, even where nobody waits for it any more
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[list[str]] = loop.create_future()
        threading.Thread(target=partial(self._ask, host, loop, answer), daemon=True).start()
        return await answer

    def _ask(self, host: str, loop: asyncio.AbstractEventLoop, answer: asyncio.Future[list[str]]) -> None:
        found: list[str] | Exception
        try:
            found = [str(one[4][0]) for one in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)]
        except (OSError, UnicodeError) as error:
            found = error
        with suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(self._tell, answer, found)

    def _tell(self, answer: asyncio.Future[list[str]], found: list[str] | Exception) -> None:
        self._free.release()
        if answer.done():
            return
        if isinstance(found, Exception):
            answer.set_exception(found)
        else:
            answer.set_result(found)


def is_address(host: str) -> bool:
    """Whether a host is an IP address."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


@lru_cache(maxsize=50_000)
def site(host: str) -> str:
    """Whom a host belongs to: the domain that somebody registered, by the public suffix list; itself for an address.

    >>> site("live.staticflickr.com"), site("www.museum.org.uk"), site("ann.github.io"), site("127.0.0.1")
    ('staticflickr.com', 'museum.org.uk', 'ann.github.io', '127.0.0.1')
    """
    if is_address(host):
        return neighbourhood(host)
    return _suffixes().privatesuffix(host) or host


def neighbourhood(address: str) -> str:
    """An address that counts as one machine: IPv4 as it is, of IPv6 the network of 64 bits."""
    return str(ip_network(f"{address}/64", strict=False)) if ":" in address else address


@lru_cache(maxsize=1)
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()


def _result(host: str, address: str, port: int) -> ResolveResult:
    return ResolveResult(
        hostname=host,
        host=address,
        port=port,
        family=socket.AF_INET6 if ":" in address else socket.AF_INET,
        proto=0,
        flags=socket.AI_NUMERICHOST,
    )
