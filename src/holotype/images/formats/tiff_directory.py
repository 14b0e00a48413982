"""TIFF directories: read, and written anew with what pixels need alone (TIFF 6.0, section 2)."""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from holotype.images.rejected import Rejected, truncated

SIZES: Final = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
SHORT, LONG = 3, 4
_INTEGERS = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}
_MAX_VALUES = 1 << 22


class Tag(IntEnum):
    """The fields that pixels need, besides how they lie and whether they are a camera's."""

    WIDTH = 256
    HEIGHT = 257
    BITS = 258
    COMPRESSION = 259
    PHOTOMETRIC = 262
    FILL_ORDER = 266
    STRIPS = 273
    ORIENTATION = 274
    SAMPLES = 277
    ROWS_PER_STRIP = 278
    STRIP_BYTES = 279
    PLANAR = 284
    FAX3_OPTIONS = 292
    FAX4_OPTIONS = 293
    PREDICTOR = 317
    PALETTE = 320
    TILE_WIDTH = 322
    TILE_HEIGHT = 323
    TILES = 324
    TILE_BYTES = 325
    INK_SET = 332
    EXTRA = 338
    SAMPLE_FORMAT = 339
    TABLES = 347
    COEFFICIENTS = 529
    SUBSAMPLING = 530
    POSITIONING = 531
    REFERENCES = 532
    DNG_VERSION = 50706


_KNOWN = frozenset(Tag)
_NEEDED = _KNOWN - {Tag.ORIENTATION, Tag.SAMPLE_FORMAT, Tag.DNG_VERSION}


@dataclass(frozen=True, slots=True)
class _Entry:
    """A field of a directory: the type and number of its values, and where they lie."""

    kind: int
    count: int
    position: int


@dataclass(frozen=True, slots=True)
class Directory:
    """The first directory: byte order (``<`` or ``>``), whether offsets have 64 bits, and the fields that we know."""

    data: bytes
    order: str
    big: bool
    entries: Mapping[int, _Entry]

    def values(self, tag: int, default: tuple[int, ...] = ()) -> tuple[int, ...]:
        """The integers of a field. Raises `Rejected`."""
        entry = self.entries.get(tag)
        if entry is None:
            return default
        if entry.kind not in _INTEGERS or entry.count > _MAX_VALUES:
            raise Rejected("damaged", f"a TIFF whose field {tag} holds no integers")
        return struct.unpack_from(f"{self.order}{entry.count}{_INTEGERS[entry.kind]}", self.data, entry.position)

    def content(self, tag: int) -> bytes:
        """The bytes of a field, or b"" if there is none."""
        entry = self.entries.get(tag)
        return b"" if entry is None else self.data[entry.position : entry.position + SIZES[entry.kind] * entry.count]

    def value(self, tag: int, default: int) -> int:
        """The first integer of a field."""
        return next(iter(self.values(tag)), default)


def read_directory(data: bytes) -> Directory:
    order, big, positions = _positions(data)
    return Directory(data, order, big, dict(_entries(data, order, big, positions)))


def says_only(data: bytes, technical: Collection[int]) -> bool:
    """Whether the first directory has no fields but what we know and `technical` ones, and is the last. Raises
    `Rejected`."""
    order, big, positions = _positions(data)
    tags = {struct.unpack_from(order + "H", data, position)[0] for position in positions}
    following = data[positions.stop : positions.stop + (8 if big else 4)]
    return tags <= _KNOWN.union(technical) and not any(following)


def _positions(data: bytes) -> tuple[str, bool, range]:
    """The byte order, whether offsets have 64 bits, and where the fields of the first directory lie."""
    order, big = "<" if data[:2] == b"II" else ">", 43 in data[2:4]
    header, counted, size = (">Q", ">Q", 20) if big else (">I", ">H", 12)
    header, counted = header.replace(">", order), counted.replace(">", order)
    try:
        (start,) = struct.unpack_from(header, data, 8 if big else 4)
        (count,) = struct.unpack_from(counted, data, start)
    except (struct.error, OverflowError) as error:
        raise truncated("its directory") from error
    first = start + struct.calcsize(counted)
    if first + count * size > len(data):
        raise truncated("its directory")
    return order, big, range(first, first + count * size, size)


def _entries(data: bytes, order: str, big: bool, positions: range) -> Iterator[tuple[int, _Entry]]:
    seen = set[int]()
    for position in positions:
        tag, kind, count = struct.unpack_from(order + ("HHQ" if big else "HHI"), data, position)
        if tag not in _KNOWN or tag in seen or kind not in SIZES:
            continue
        if tag == Tag.ORIENTATION and (kind not in _INTEGERS or count != 1):
            continue
        seen.add(tag)
        inline, size = (8, 20) if big else (4, 12)
        where = position + size - inline
        if SIZES[kind] * count > inline:
            (where,) = struct.unpack_from(order + ("Q" if big else "I"), data, where)
        if where + SIZES[kind] * count > len(data):
            raise truncated(f"the values of field {tag}")
        yield tag, _Entry(kind, count, where)


def rebuilt(directory: Directory, changed: Mapping[int, tuple[int, bytes]]) -> bytes:
    """The file with a directory at its end that holds what pixels need, as it says or as `changed`; one with offsets of
    32 bits, whatever it had."""
    order = directory.order
    fields = {tag: _values(directory, entry) for tag, entry in directory.entries.items() if tag in _NEEDED}
    fields |= changed
    body, end = [bytes(-len(directory.data) % 4)], len(directory.data) + -len(directory.data) % 4
    entries = []
    for tag, (kind, values) in sorted(fields.items()):
        count = len(values) // SIZES[kind]
        if len(values) > 4:
            body += [values, bytes(-len(values) % 4)]
            values, end = struct.pack(order + "I", end), end + len(values) + -len(values) % 4
        entries.append(struct.pack(order + "HHI", tag, kind, count) + values.ljust(4, b"\0"))
    header = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", end)
    return b"".join((header, directory.data[8:], *body, struct.pack(order + "H", len(entries)), *entries, bytes(4)))


def _values(directory: Directory, entry: _Entry) -> tuple[int, bytes]:
    """The type and the bytes of a field's values, those of 64 bits in 32: no file here is that long."""
    if entry.kind not in (16, 18):
        return entry.kind, directory.data[entry.position : entry.position + SIZES[entry.kind] * entry.count]
    wide = struct.unpack_from(f"{directory.order}{entry.count}Q", directory.data, entry.position)
    if max(wide, default=0) >= 1 << 32:
        raise Rejected("damaged", "an offset or a size of more than 32 bits")
    return 4, struct.pack(f"{directory.order}{entry.count}I", *wide)
