"""Tars of one file, read forwards: another file in it is noticed once the first has been read."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from holotype.benchmark.reading.zips import MOST_ENTRIES
from holotype.errors import PredictionError
from holotype.leftovers import leftover
from holotype.store.tar.scan import Member, members

_STEP: Final = 1 << 20


def tar_member(read: Callable[[int], bytes], where: str) -> tuple[str, Callable[[int], bytes]]:
    """The name of the one file in a tar, and what reads its bytes, then sees that there is no other."""
    tape = _Tape(read)
    found = _files(tape, where)
    try:
        first = next(found, None)
    except ValueError as error:
        raise PredictionError(f"{where} {error}") from error
    if first is None:
        raise PredictionError(f"{where} holds no file")
    end = first.offset + first.size

    def rest(count: int) -> bytes:
        if tape.at < end:
            return tape(tape.at, min(count, end - tape.at))
        if (other := next(found, None)) is not None:
            raise PredictionError(f"{where} holds several files ({first.name[:40]!r}, {other.name[:40]!r}), not one")
        return b""

    tape.forward(first.offset)
    return Path(first.name).name, rest


def _files(tape: _Tape, where: str) -> Iterator[Member]:
    for number, member in enumerate(members(tape, 0, sys.maxsize)):
        if number >= MOST_ENTRIES:
            raise PredictionError(f"{where} has more than {MOST_ENTRIES:,} entries: hand in one file")
        if member.name and not leftover(member.name):
            yield member


class _Tape:
    """Bytes that are read forwards, by their position."""

    def __init__(self, read: Callable[[int], bytes]) -> None:
        self._read, self.at = read, 0

    def forward(self, position: int) -> None:
        """Go on to a position that is not passed yet."""
        while self.at < position:
            self(self.at, min(_STEP, position - self.at))

    def __call__(self, position: int, length: int) -> bytes:
        self.forward(position)
        data = self._read(length)
        self.at += len(data)
        if len(data) < length:
            raise ValueError("ends too early")
        return data
