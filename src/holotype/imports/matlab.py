"""MATLAB 5 files, walked through before scipy reads them.

scipy takes the memory that an array's dimensions ask for before it has seen a value, looks kinds of data up unchecked,
and follows arrays within arrays to any depth. Source: MathWorks, MAT-File Format, chapter 1.
"""

from __future__ import annotations

import math
import struct
import zlib
from dataclasses import dataclass
from typing import Final

from holotype.errors import ArchiveError

LARGEST_EXPANDED: Final = 64 << 20
"""Bytes that all compressed elements of a file may expand to."""
MOST_VALUES: Final = 4_000_000
"""Values that all arrays of a file may have; the ``meta.mat`` of ILSVRC2010, with its costs, has 1.2 million."""

_DEEPEST = 8
_MOST_FIELDS = 100
_LONGEST_FIELD = 64
_FLAGS = 6
_INT8, _INT32, _MATRIX, _COMPRESSED, _UTF8 = 1, 5, 14, 15, 16
_TEXTS = frozenset((1, 2, 4, 16, 17, 18))
_NUMBERS = frozenset((1, 2, 3, 4, 5, 6, 7, 9, 12, 13))
_CELL, _STRUCT, _CHAR = 1, 2, 4
_NUMERIC = range(6, 16)
_COMPLEX = 1 << 11


def check_matlab(data: bytes, where: str) -> None:
    """Raise unless scipy can read a file of arrays, cells and structs in bounded memory.

    Raises `ArchiveError` for more than `LARGEST_EXPANDED` bytes or `MOST_VALUES` values; ValueError for one that is
    damaged, or holds other classes.
    """
    if not data.startswith(b"MATLAB 5.0 MAT-file"):
        raise ValueError("no header of MATLAB 5")
    order = "<" if data[126:128] == b"IM" else ">"
    values = _Values(MOST_VALUES, where)
    position, left = 128, LARGEST_EXPANDED
    while position + 8 <= len(data):
        kind, length = struct.unpack_from(f"{order}II", data, position)
        element, start = data, position
        if kind == _COMPRESSED:
            element = zlib.decompressobj().decompress(data[position + 8 : position + 8 + length], left + 1)
            start, left = 0, left - len(element)
        if left < 0:
            raise ArchiveError(f"{where} expands to more than the {LARGEST_EXPANDED:,} bytes allowed")
        _Walk(element, order, start, values).array(0)
        position += 8 + length


@dataclass(slots=True)
class _Values:
    left: int
    where: str

    def take(self, count: int) -> None:
        self.left -= count
        if self.left < 0:
            raise ArchiveError(f"{self.where} has arrays of more than the {MOST_VALUES:,} values allowed")


@dataclass(slots=True)
class _Walk:
    """A way through an element, byte by byte where scipy goes; `at` is where it has come."""

    data: bytes
    order: str
    at: int
    values: _Values

    def pair(self) -> tuple[int, int]:
        if self.at + 8 > len(self.data):
            raise ValueError("it ends inside an array")
        first, second = struct.unpack_from(f"{self.order}II", self.data, self.at)
        self.at += 8
        return first, second

    def element(self, kinds: frozenset[int]) -> bytes:
        """The bytes of a data element; up to four may stand in its tag."""
        kind, length = self.pair()
        start = self.at
        if small := kind >> 16:
            kind, length, start = kind & 0xFFFF, small, start - 4
        else:
            self.at += length + -length % 8
        if kind not in kinds or small > 4 or start + length > len(self.data):
            raise ValueError(f"an element of kind {kind} and {length:,} bytes is out of place")
        return self.data[start : start + length]

    def integers(self) -> tuple[int, ...]:
        data = self.element(frozenset((_INT32,)))
        return struct.unpack(f"{self.order}{len(data) // 4}i", data)

    def array(self, depth: int) -> None:
        kind, length = self.pair()
        if kind != _MATRIX or depth > _DEEPEST:
            raise ValueError(
                "arrays are nested too deep" if kind == _MATRIX else f"an element of kind {kind} is no array"
            )
        if not length and depth:
            return
        if self.pair() != (_FLAGS, 8):
            raise ValueError("an array has no flags")
        flags, _ = self.pair()
        sides = self.integers()
        if not 2 <= len(sides) <= 32 or min(sides) < 0:
            raise ValueError(f"an array has the dimensions {sides}"[:80])
        self.element(frozenset((_INT8, _UTF8)))
        self.values.take(math.prod(max(1, side) for side in sides))
        self.content(flags, math.prod(sides), depth)

    def content(self, flags: int, count: int, depth: int) -> None:
        family = flags & 0xFF
        fields = self.fields() if family == _STRUCT else 1
        self.values.take(count * fields)
        if family in (_CELL, _STRUCT):
            for _ in range(count * fields):
                self.array(depth + 1)
        elif family == _CHAR:
            self.element(_TEXTS)
        elif family in _NUMERIC:
            for _ in range(2 if flags & _COMPLEX else 1):
                self.element(_NUMBERS)
        else:
            raise ValueError(f"an array of class {family} has no place in it")

    def fields(self) -> int:
        width = self.integers()
        names = self.element(frozenset((_INT8, _UTF8)))
        if len(width) != 1 or not 1 <= width[0] <= _LONGEST_FIELD or len(names) > _MOST_FIELDS * width[0]:
            raise ValueError("the names of a struct's fields are damaged")
        return len(names) // width[0]
