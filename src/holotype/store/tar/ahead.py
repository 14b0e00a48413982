"""The headers of a tar in an object store, read ahead by many requests at once.

Where a header lies is known from the one before it, so that they make a chain, and each costs the latency of a request.
Here many chains run at once: all but one begin at a place where a block looks like a header, somewhere ahead. What they
fetch is only kept at hand for the one reader that goes through the tar in order: whatever stands in images, and
whatever the guesses were, it reads what it would have read from a disk. Where headers lie close together all is read,
by large requests, some at once.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from holotype.errors import ArchiveError, OverAllowance
from holotype.store.allowance import Allowance, Cost
from holotype.store.openfiles import RemoteFile
from holotype.store.tar.headers import BLOCK, parse_header
from holotype.store.tar.scan import Read, members

AT_ONCE: Final = 64
"""Requests at once: a store answers each in tens of milliseconds, however many there are."""
DENSE: Final = 64 << 10
"""Where there are so few bytes between headers all of them are read: at 64 requests at once, a connection of 100 MB/s
and 30 ms for a request that is as fast, and it is far fewer requests."""
_STRETCH: Final = 4 << 20
_STRETCHES: Final = 12
_FIRST: Final = 1 << 20
_NEAR: Final = 4 << 10
"""Headers so near to each other are fetched together: long names, and the labels beside an image."""
_LOOK: Final = 64 << 10
_HEADERS: Final = (32, 256)
"""Headers of a stretch: guessing where one begins costs a few requests more."""
_MOST_OF_A_STRETCH: Final = 1_024
"""Requests of a chain: one that a guess led among headers that somebody put into an image does not go on for ever."""
_RECENT, _FEW = 512, 32


def cost(size: int, stride: float, at_once: int = AT_ONCE, known: bool = False) -> Cost:
    """About what `Ahead` takes to read the headers among `size` bytes, where there is one all `stride` bytes; `known`
    tells whether that is known before.

    >>> cost(6_744_924_160, 134_898), cost(100_000_000, 5_000), cost(20_000, 5_000)
    (Cost(requests=50189, received=52204032), Cost(requests=25, received=100000000), Cost(requests=1, received=20000))
    """
    first = min(BLOCK if known and stride >= DENSE else _FIRST, size)
    if stride < DENSE:
        return Cost(1 + -(-(size - first) // _STRETCH), size)
    headers = math.ceil((size - first) / stride)
    guesses = int(headers / _headers_of_a_stretch(headers, at_once)) if at_once > 1 else 0
    return Cost(1 + headers + guesses, first + headers * BLOCK + guesses * 2 * _LOOK)


def nested_cost(size: int, tar: int, stride: float) -> Cost:
    """About what it takes to read the headers of tars in a tar of `size` bytes, where each takes `tar` bytes with its
    own header, and there is a header all `stride` bytes in it.

    >>> nested_cost(147_897_477_120, 147_897_477, 115_000).requests
    1289030
    """
    tars = max(1, round(size / tar))
    all_of_it, headers = Cost(-(-size // _FIRST), size), Cost(1 + tars, min(_FIRST, size) + tars * BLOCK)
    outer = all_of_it if 2 * tar <= _FIRST else headers
    at_once = max(1, AT_ONCE // tars)
    return outer.plus(cost(tar, stride)).plus(cost(tar, stride, at_once, known=True), tars - 1)


def _headers_of_a_stretch(headers: float, at_once: int) -> float:
    least, most = _HEADERS
    return min(max(headers / at_once, least), most)


@dataclass(slots=True)
class _Chain:
    """Reads headers one after the other, each by a request, those that lie near each other by one.

    `windows` are what was fetched, in order.
    """

    ask: Read
    stop: int
    window: int = BLOCK
    start: int = 0
    data: bytes = b""
    served: int = 0
    windows: list[tuple[int, bytes]] | None = None

    def __call__(self, position: int, length: int) -> bytes:
        found = self.at_hand(position, length)
        if found is None:
            self.adapt(position)
            self.hold(position, self.ask(position, max(length, min(self.window, self.stop - position))))
            found = self.data[:length]
        self.served += 1
        return found

    def at_hand(self, position: int, length: int) -> bytes | None:
        offset = position - self.start
        return self.data[offset : offset + length] if 0 <= offset <= len(self.data) - length else None

    def hold(self, position: int, data: bytes) -> None:
        self.start, self.data, self.served = position, data, 0
        if self.windows is not None:
            self.windows.append((position, data))

    def adapt(self, position: int) -> None:
        """Fetch more at once from now on where the last fetch was too short, less where it was in vain."""
        if self.data and 0 <= position - self.start < _NEAR:
            self.window = max(self.window, _NEAR)
        elif self.data and self.served <= 1:
            self.window = BLOCK


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Bytes of a tar from `start` to before `end`, and the windows of them that are fetched ahead."""

    start: int
    end: int
    fetched: Future[list[tuple[int, bytes]]]

    def find(self, position: int, length: int) -> bytes | None:
        windows = [] if self.fetched.cancelled() else self.fetched.result()
        number = bisect_right(windows, position, key=lambda one: one[0]) - 1
        if number < 0:
            return None
        offset = position - windows[number][0]
        data = windows[number][1]
        return data[offset : offset + length] if offset + length <= len(data) else None


@dataclass(slots=True)
class _Strides:
    """How many bytes lie between headers that need a request each, of late."""

    value: float = 0.0
    begun: int = 0
    last: int = 0
    hops: int = -1
    enough: int = 1

    def pass_by(self, position: int) -> None:
        if self.hops >= 0 and position - self.last < _NEAR:
            return
        self.last = position
        self.hops += 1
        if self.hops == 0:
            self.begun = position
        elif self.hops >= self.enough:
            self.value = (position - self.begun) / self.hops
        if self.hops == _RECENT:
            self.begun, self.hops, self.enough = position, 0, _FEW


class Ahead:
    """Reads the headers of a tar in an object, from byte `start` to before `stop`: a `Read`. Close it in the end.

    With `at_once` of 1 nothing is fetched ahead. `stride` is about how many bytes lie between headers, if that is
    known. Raises as `RemoteFile.read` does, and `OverAllowance`.
    """

    def __init__(
        self,
        file: RemoteFile,
        allowance: Allowance,
        start: int = 0,
        stop: int | None = None,
        *,
        at_once: int = AT_ONCE,
        stride: float | None = None,
    ) -> None:
        self._file, self._allowance = file, allowance
        self._start, self.stop = start, file.size if stop is None else stop
        self._at_once = at_once
        self._strides = _Strides(value=stride or 0.0)
        first = _FIRST if stride is None else _FIRST if stride < DENSE else BLOCK
        self._own = _Chain(self._ask, self.stop, first)
        self._pool = ThreadPoolExecutor(at_once, thread_name_prefix="headers") if at_once > 1 else None
        self._stretches: deque[_Stretch] = deque()
        self._passed: _Stretch | None = None
        self._planned = 0
        self._closed = False

    def __enter__(self) -> Ahead:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def stride(self) -> float:
        """About how many bytes lie between headers that needed a request each."""
        return self._strides.value or float(self.stop - self._start)

    def __call__(self, position: int, length: int) -> bytes:
        """The `length` bytes from a position, which only grows. Raises EOFError where they are not all there."""
        self._strides.pass_by(position)
        if self._pool is not None and self._own.data and self._own.at_hand(position, length) is None:
            found = self._fetched(self._pool, position, length)
            if found is not None:
                return found
            if self.stride >= DENSE:
                self._own.window = min(self._own.window, _NEAR)
        return self._own(position, length)

    def fetch(self, offset: int, length: int) -> bytes:
        """Any bytes of the object; those that lie beside headers were fetched with them."""
        for stretch in (self._passed, *self._stretches):
            if stretch is not None and stretch.start <= offset < stretch.end:
                found = stretch.find(offset, length)
                if found is not None:
                    return found
        found = self._own.at_hand(offset, length)
        return self._ask(offset, length) if found is None else found

    def close(self) -> None:
        """Fetch no more."""
        self._closed = True
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def _fetched(self, pool: ThreadPoolExecutor, position: int, length: int) -> bytes | None:
        while self._stretches and self._stretches[0].end <= position:
            self._passed = self._stretches.popleft()
            self._passed.fetched.cancel()
        self._plan(pool, position)
        first = self._stretches[0] if self._stretches else None
        return None if first is None or position < first.start else first.find(position, length)

    def _plan(self, pool: ThreadPoolExecutor, position: int) -> None:
        """Begin with the stretches ahead, as many as are to be fetched at once."""
        dense = self.stride < DENSE
        most = _STRETCHES if dense else 2 * self._at_once
        if self._planned <= position:
            self._planned = position
        while len(self._stretches) < most and self._planned < self.stop:
            start, end = self._planned, min(self._planned + self._length(dense), self.stop)
            fetch: Callable[[int, int, bool], list[tuple[int, bytes]]] = self._all_of if dense else self._chain
            fetched = pool.submit(fetch, start, end, start == position)
            self._stretches.append(_Stretch(start, end, fetched))
            self._planned = end

    def _length(self, dense: bool) -> int:
        if dense:
            return _STRETCH
        headers = _headers_of_a_stretch((self.stop - self._start) / self.stride, self._at_once)
        return -(-int(self.stride * headers) // BLOCK) * BLOCK

    def _all_of(self, start: int, end: int, _: bool) -> list[tuple[int, bytes]]:
        with suppress(EOFError, OSError, ArchiveError, OverAllowance):  # who reads in order meets it, too
            return [(start, self._ask(start, end - start))]
        return []

    def _chain(self, start: int, end: int, known: bool) -> list[tuple[int, bytes]]:
        """The headers of a stretch that can be had by a guess; what is wrong there is met by who reads in order."""
        chain = _Chain(self._ask, self.stop, windows=[])
        with suppress(EOFError, OSError, ValueError, ArchiveError, OverAllowance):
            begin = start if known else self._look(chain, start, end)
            for member in members(chain, begin, self.stop, lenient=True):
                if member.next >= end or len(chain.windows or ()) > _MOST_OF_A_STRETCH:
                    break
        return chain.windows or []

    def _look(self, chain: _Chain, start: int, end: int) -> int:
        """Where the first block lies that looks like a header. Raises EOFError where none does."""
        for at in range(start, end, _LOOK):
            data = self._ask(at, min(_LOOK, self.stop - at))
            for offset in range(0, len(data) - BLOCK + 1, BLOCK):
                if _is_header(data[offset : offset + BLOCK], self.stop - at - offset):
                    chain.hold(at + offset, data[offset : offset + _NEAR])
                    return at + offset
        raise EOFError

    def _ask(self, position: int, length: int) -> bytes:
        if self._closed:
            raise EOFError
        if position + length > self._file.size:
            raise EOFError
        self._allowance.take(self._file.url, length)
        return self._file.read(position, length)


def _is_header(block: bytes, left: int) -> bool:
    try:
        _, _, size = parse_header(block)
    except ValueError:
        return False
    return BLOCK + size <= left
