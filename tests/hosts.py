"""Hosts on loopback that answer as they are told, and a collector that asks them: real sockets, time that is told."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from holotype.collect.net.agent import Agent
from holotype.collect.net.client import Bounds, Client
from holotype.collect.net.download import Plan, download
from holotype.collect.net.guard import Guard
from holotype.collect.net.outcomes import Outcome, Wanted
from holotype.collect.net.pace import Limits, Pace
from holotype.collect.net.polite import Polite

JPEG: Final = b"\xff\xd8\xff\xe0" + b"\x00" * 400
"""What begins as a JPEG does; nothing here is decoded."""

ME: Final = Agent("me@example.org")

Script = Callable[["Asked", asyncio.StreamWriter], Awaitable[None]]


@dataclass(frozen=True)
class Asked:
    """A request: its method, target, and headers by lower-case name."""

    method: str
    target: str
    headers: Mapping[str, str]


def answer(
    status: int = 200, body: bytes = b"", headers: Iterable[tuple[str, str]] = (), length: int | None = None
) -> bytes:
    """An answer as it goes over the wire; `length` is what it says its length is."""
    lines = [f"HTTP/1.1 {status} So", f"Content-Length: {len(body) if length is None else length}"]
    lines += [f"{name}: {value}" for name, value in headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


def shortly(value: object) -> str:
    """A name of a case of a test, for bytes are long and functions have addresses."""
    return getattr(value, "__name__", str(value)[:60])


def moved(location: str, status: int = 302) -> bytes:
    """A redirect."""
    return answer(status, b"", [("Location", location)])


@dataclass
class Host:
    """A server at an address of loopback; paths it has no answer for are not found. `asked` is what it was asked.

    An answer is bytes as they go over the wire, or a function that writes them. Use it as a context manager.
    """

    answers: Mapping[str, bytes | Script] = field(default_factory=dict)
    address: str = "127.0.0.1"
    port: int = 0
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0
    most_at_once: int = 0
    tls: ssl.SSLContext | None = None
    _at_once: int = 0
    _server: asyncio.Server | None = None
    _let_in_so_far: list[tuple[asyncio.Task[None], asyncio.StreamWriter]] = field(default_factory=list)

    async def __aenter__(self) -> Host:
        self._server = await asyncio.start_server(self._let_in, self.address, self.port, ssl=self.tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        for _step in range(10):
            await asyncio.sleep(0)  # who is at the door comes in
        self._server.close()
        for task, writer in self._let_in_so_far:
            task.cancel()
            writer.transport.abort()
        await asyncio.gather(*(task for task, _ in self._let_in_so_far), return_exceptions=True)
        await asyncio.sleep(0)  # sockets are closed one step later

    def url(self, path: str = "/a.jpg") -> str:
        """The URL of a path, by the address."""
        return f"http://{self.address}:{self.port}{path}"

    @property
    def targets(self) -> list[str]:
        """What it was asked for."""
        return [one.target for one in self.asked]

    @property
    def images(self) -> list[str]:
        """What it was asked for, without the files that are asked first."""
        return [one for one in self.targets if one not in FIRST]

    def _let_in(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._let_in_so_far.append((asyncio.create_task(self._served(reader, writer)), writer))

    async def _served(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                while await self._one(reader, writer):
                    pass
        finally:
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, target, _ = head[0].split(" ")
        pairs = (line.partition(": ") for line in head[1:] if line)
        asked = Asked(method, target, {name.lower(): value for name, _, value in pairs})
        self.asked.append(asked)
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            said = self.answers.get(target, answer(404))
            if isinstance(said, bytes):
                writer.write(said)
            else:
                await said(asked, writer)
            await writer.drain()
        finally:
            self._at_once -= 1
        return isinstance(said, bytes)


def encrypted() -> ssl.SSLContext:
    """TLS with a certificate that nobody has signed but its owner."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(Path(__file__).with_name("self_signed.pem"))
    return context


FIRST: Final = ("/robots.txt", "/ai.txt", "/.well-known/tdmrep.json")


class Clock:
    """Time that stands still, unless somebody sleeps."""

    def __init__(self) -> None:
        self.seconds = 1_000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        until = self.seconds + seconds
        await asyncio.sleep(0)
        self.seconds = max(self.seconds, until)


def paced(clock: Clock, limits: Limits | None = None) -> Pace:
    """A pace in time that is told."""
    return Pace(limits, clock=clock, sleep=clock.sleep, now=clock, chance=lambda: 1.0)


def looked_up(names: Mapping[str, Sequence[str]]) -> Callable[[str], Awaitable[Sequence[str]]]:
    """Addresses of names, as told."""

    async def look_up(name: str) -> Sequence[str]:
        if name not in names:
            raise OSError(f"no {name}")
        return names[name]

    return look_up


@asynccontextmanager
async def collector(
    *hosts: Host,
    names: Mapping[str, Sequence[str]] | None = None,
    clock: Clock | None = None,
    limits: Limits | None = None,
    agent: Agent = ME,
) -> AsyncIterator[Client]:
    """A client that may ask these hosts, which are served meanwhile, and looks up these names."""
    async with AsyncExitStack() as stack:
        for host in hosts:
            await stack.enter_async_context(host)
        guard = Guard((host.address, host.port) for host in hosts)
        pace = paced(clock or Clock(), limits)
        yield await stack.enter_async_context(Client(agent, guard, pace, looked_up(names or {})))


async def stream(urls: Iterable[str | Wanted]) -> AsyncIterator[Wanted]:
    """URLs, one after the other."""
    for url in urls:
        yield Wanted(url) if isinstance(url, str) else url


async def outcomes(
    client: Client, urls: Iterable[str | Wanted], bounds: Bounds = Bounds(), plan: Plan = Plan()
) -> list[Outcome]:
    """What becomes of URLs, in the order of the URLs."""
    wanted = list(urls)
    found = [one async for one in download(stream(wanted), client, Polite(client, client.pace.clock), bounds, plan)]
    order = {one if isinstance(one, str) else one.url: number for number, one in enumerate(wanted)}
    return sorted(found, key=lambda one: order[one.url])
