"""Text in blocks of whole lines, however it was saved: checked, and in bounded memory."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Final

import numpy as np

from holotype.benchmark.reading.faults import Faults
from holotype.benchmark.values import Bools, Ints
from holotype.textlists import LONGEST_ROW, encoding_of

STEP: Final = 8 << 20
"""Bytes that are read at once."""
_FILLING: Final = b" \t,;\x0b\x0c"
_LINE_FEED: Final = 10
_NONE: Final = np.empty(0, np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Some lines that are not empty, each ending in a line feed, in UTF-8, and the number of each."""

    data: bytes
    lines: Ints

    def without_first(self) -> Block:
        """All lines but the first."""
        return Block(self.data[self.data.index(b"\n") + 1 :], self.lines[1:])


def blocks(file: IO[bytes], faults: Faults) -> Iterator[Block]:
    """The lines of a file, without those that are empty or hold nothing but blanks and delimiters.

    Raises `PredictionError` naming the first line that is no text, or has more than `LONGEST_ROW` bytes.
    """
    tail, line = b"", 1
    for chunk in chunks(file, faults):
        data = tail + chunk
        cut = data.rfind(b"\n") + 1
        if cut:
            if (block := _block(data[:cut], line, faults)).data:
                yield block
            line += data.count(b"\n", 0, cut)
        tail = data[cut:]
        if len(tail) > LONGEST_ROW:
            faults.stop(f"has more than {LONGEST_ROW:,} bytes", line)
    if tail and (block := _block(tail + b"\n", line, faults)).data:
        yield block


def chunks(file: IO[bytes], faults: Faults) -> Iterator[bytes]:
    """The bytes of a file, which are UTF-8 unless a mark says otherwise, as that; lines end in line feeds."""
    head = file.read(4)
    mark, encoding = encoding_of(head)
    decoder = codecs.getincrementaldecoder(encoding)("strict") if encoding != "utf-8" else None
    held = head[len(mark) :]
    returned = False  # whether what came before ends in a carriage return
    while True:
        read = file.read(STEP)
        data, held = held + read, b""
        if decoder is not None:
            try:
                data = decoder.decode(data, final=not read).encode()
            except UnicodeError:
                faults.stop(f"holds bytes that are not {encoding.upper()}; save it as UTF-8")
        if returned and data.startswith(b"\n"):
            data = data[1:]
        if data:
            returned = data.endswith(b"\r")
            yield data.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in data else data
        if not read:
            return


def _block(data: bytes, line: int, faults: Faults) -> Block:
    if b"\0" in data:
        faults.stop("holds a NUL byte; save the file as UTF-8", line + data.count(b"\n", 0, data.index(b"\0")))
    if not data.isascii():
        try:
            data.decode()
        except UnicodeDecodeError as error:
            faults.stop("bytes that are not UTF-8; save the file as UTF-8", line + data.count(b"\n", 0, error.start))
    if len(data) > LONGEST_ROW and any(len(one) > LONGEST_ROW for one in data.split(b"\n")):
        at = next(at for at, one in enumerate(data.split(b"\n")) if len(one) > LONGEST_ROW)
        faults.stop(f"has more than {LONGEST_ROW:,} bytes", line + at)
    given = np.frombuffer(data, np.uint8)
    ends = given == _LINE_FEED
    starts = np.flatnonzero(_behind(ends) & ~ends)  # of lines that are not empty
    before = np.cumsum(ends, dtype=np.int32)
    lines = line + np.where(starts > 0, before[starts - 1], 0).astype(np.int64) if len(starts) else _NONE
    if len(lines) < before[-1]:
        data = bytes(given[~(ends & _behind(ends))])
    if not np.isin(given[starts], list(_FILLING)).any():
        return Block(data, lines)
    kept = [bool(one.strip(_FILLING)) for one in data.split(b"\n")[:-1]]
    filled = b"".join(one + b"\n" for one in data.split(b"\n")[:-1] if one.strip(_FILLING))
    return Block(filled, lines[np.array(kept, np.bool_)])


def _behind(ends: Bools) -> Bools:
    """Which bytes begin a line, by which of them end one."""
    return np.concatenate([np.ones(1, np.bool_), ends[:-1]])
