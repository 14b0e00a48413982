"""Boxes: how JPEG 2000, AVIF and HEIC files are put together (ISO/IEC 14496-12)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Box:
    """A box of a file: its type, where it begins, where its content begins and where it says it ends."""

    kind: bytes
    position: int
    start: int
    end: int


def boxes(data: bytes, start: int, end: int) -> Iterator[Box]:
    """The boxes between two positions, one after the other; the last may say that it ends behind `end`."""
    while start + 8 <= end:
        length, header = int.from_bytes(data[start : start + 4], "big"), 8
        if length == 1:
            length, header = int.from_bytes(data[start + 8 : start + 16], "big"), 16
        if length == 0:  # until the end
            length = end - start
        if length < header:
            return
        yield Box(data[start + 4 : start + 8], start, start + header, start + length)
        start += length
