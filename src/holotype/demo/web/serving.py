"""One server on loopback that is all hosts of the demo's web: which one is meant, the Host header says."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from holotype.demo.web.hosts import HERE, Said
from holotype.errors import SourceError
from holotype.files import write_atomically

Site = Callable[[str], Said]
"""What a host says to a request for a target: path and query."""

_NOT_HERE: Final = Said(404)


class Ports:
    """Two ports of this machine: one to serve on, and one where nobody listens. Use it as a context manager.

    Both are remembered in a file, so that the addresses of the demo's web are the same in each run.
    """

    def __init__(self, file: Path) -> None:
        try:
            known = json.loads(file.read_text()) if file.exists() else [0, 0]
        except ValueError:
            known = [0, 0]
        self.open = _bound(int(known[0]))
        try:
            self.shut = _bound(int(known[1]))
        except SourceError:
            self.open.close()
            raise
        write_atomically(file, json.dumps([self.number, self.refusing]).encode())

    @property
    def number(self) -> int:
        """The port to serve on."""
        return int(self.open.getsockname()[1])

    @property
    def refusing(self) -> int:
        """The port where connections are refused."""
        return int(self.shut.getsockname()[1])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.open.close()
        self.shut.close()


def _bound(port: int) -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((HERE, port))
    except OSError as error:
        made.close()
        raise SourceError(
            f"the demo's web was at port {port} before, which cannot be had now ({error.strerror}): "
            "run it again when it is free, or with another --out"
        ) from error
    return made


class Loopback:
    """Serves `sites`, by name, on a socket, in a thread of its own, for as long as it is used as a context manager."""

    def __init__(self, listening: socket.socket, sites: Mapping[str, Site]) -> None:
        self._socket, self._sites = listening, sites
        self._loop = asyncio.new_event_loop()
        self._stop, self._ready = asyncio.Event(), threading.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._run, name="holotype-demo-web", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._ready.set()
            self._loop.close()

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._served, sock=self._socket)
        self._ready.set()
        await self._stop.wait()
        server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _served(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None:
            return
        self._tasks.add(task)
        try:
            with suppress(OSError, ValueError, EOFError, asyncio.LimitOverrunError, asyncio.CancelledError):
                while await self._one(reader, writer):
                    pass
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer a request; whether another may come on the same connection."""
        lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        _, target, _ = lines[0].split(" ")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        site = self._sites.get(headers.get("host", "").partition(":")[0])
        said = site(target) if site else _NOT_HERE
        if said.wait is None:
            await self._stop.wait()
        elif said.wait:
            await asyncio.sleep(said.wait)
        writer.write(head_of(said))
        await _send(said, writer)
        return not said.endless and not said.drip


async def _send(said: Said, writer: asyncio.StreamWriter) -> None:
    """The body of an answer, until whoever asked hangs up where it has no end."""
    if not said.endless and not said.drip:
        writer.write(said.body)
        await writer.drain()
        return
    while True:
        writer.write(said.body)
        await writer.drain()
        await asyncio.sleep(said.drip)


def head_of(said: Said) -> bytes:
    """The status and headers of an answer as they go over the wire.

    >>> head_of(Said(404)).decode().split("\\r\\n")[:2]
    ['HTTP/1.1 404 Said', 'Content-Length: 0']
    """
    has_end = not said.endless and not said.drip
    length = [("Content-Length", str(len(said.body)))] if has_end else [("Connection", "close")]
    lines = [f"HTTP/1.1 {said.status} Said", *(f"{name}: {value}" for name, value in (*length, *said.headers))]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")
