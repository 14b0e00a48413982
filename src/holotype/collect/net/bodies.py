"""Bodies of answers: raw bytes, not too many, not too slowly, and not encoded."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from mmap import MAP_ANONYMOUS, MAP_PRIVATE, mmap
from types import TracebackType
from typing import Final, Self

import aiohttp
from multidict import CIMultiDictProxy

from holotype.collect.net.memory import SMALL, Share
from holotype.errors import NotFetched

_CHUNK: Final = 64 << 10


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one body may take: bytes; seconds for all requests of one URL, waiting for turns not counted; and slowness.

    From `grace` seconds after its headers on, a body must have come at `least_rate` bytes a second on average. Of one
    that has more bytes than `most_bytes`, the rest is left out where it may be `cut`; otherwise it is refused.
    """

    most_bytes: int = 32 << 20
    deadline: float = 60.0
    grace: float = 10.0
    least_rate: float = 4_096.0
    cut: bool = False


async def read_body(response: aiohttp.ClientResponse, bounds: Bounds, share: Share, whole: asyncio.Timeout) -> bytes:
    """The bytes of an answer, as long as they are not too many, nor come too slowly; raises `NotFetched`.

    `whole` is the deadline of the request, which stands still while a large body waits for memory.
    """
    declared = response.content_length
    if declared is not None and declared > bounds.most_bytes and not bounds.cut:
        raise NotFetched("too_large", f"{declared:,} bytes are declared, over the limit of {bounds.most_bytes:,}")
    loop = asyncio.get_running_loop()
    start = loop.time()
    slow = asyncio.timeout_at(start + bounds.grace)
    with _Body(bounds.most_bytes) as body:
        try:
            async with slow:
                while chunk := await response.content.read(_CHUNK):
                    body.size += len(chunk)
                    if body.size > bounds.most_bytes:
                        if bounds.cut:
                            body.add(chunk)
                            break
                        raise NotFetched("too_large", f"over the limit of {bounds.most_bytes:,} bytes")
                    if body.size > SMALL:
                        start += await _room(share, declared or bounds.most_bytes, whole, slow)
                    body.add(chunk)
                    slow.reschedule(start + bounds.grace + body.size / bounds.least_rate)
        except TimeoutError:
            if not slow.expired():
                raise
            raise NotFetched("too_slow", f"under {bounds.least_rate:,.0f} bytes a second") from None
        share.shrink(body.size)
        return body.whole()


class _Body:
    """The bytes of an answer so far, up to `most`. A large one lies in pages of its own, which the system gives as they
    are written, and has back at once: among the heap's small pieces, those that come and go would leave holes."""

    def __init__(self, most: int) -> None:
        self.size = 0
        self._most = most
        self._small: list[bytes] = []
        self._large: mmap | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._large is not None:
            self._large.close()

    def add(self, chunk: bytes) -> None:
        """Add bytes, which are counted already."""
        if self._large is None:
            self._small.append(chunk)
            if self.size <= SMALL:
                return
            self._large = mmap(-1, self._most + _CHUNK, MAP_PRIVATE | MAP_ANONYMOUS)
            chunk = b"".join(self._small)
            self._small.clear()
        self._large.write(chunk)

    def whole(self) -> bytes:
        """All of them, as one."""
        end = min(self.size, self._most)
        return b"".join(self._small)[:end] if self._large is None else self._large[:end]


async def _room(share: Share, size: int, *clocks: asyncio.Timeout) -> float:
    """Wait until there is memory for so many bytes; the clocks stand still meanwhile. Gives the seconds waited."""
    loop = asyncio.get_running_loop()
    start, due = loop.time(), [clock.when() for clock in clocks]
    for clock in clocks:
        clock.reschedule(None)
    await share.grow(size)
    waited = loop.time() - start
    for clock, when in zip(clocks, due, strict=True):
        clock.reschedule(None if when is None else when + waited)
    return waited


def check_encoding(headers: CIMultiDictProxy[str]) -> None:
    """Raise `NotFetched` ("encoded") where a body is sent in a content encoding."""
    encodings = {part.strip().lower() for value in headers.getall("Content-Encoding", ()) for part in value.split(",")}
    if odd := encodings - {"", "identity"}:
        raise NotFetched("encoded", f"Content-Encoding: {', '.join(sorted(odd))[:60]}")
