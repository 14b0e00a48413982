"""TIFF: the first directory, what it says of the pixels, and whether all strips or tiles are there (TIFF 6.0)."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from holotype.images.formats.jpeg import check_part
from holotype.images.formats.plain import Plain, check_inflation
from holotype.images.rejected import Rejected, check_size, truncated

MAGICS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_LONG = 4
_INTEGERS = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}
WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, FILL_ORDER = 256, 257, 258, 259, 262, 266
STRIPS, ORIENTATION, SAMPLES, ROWS_PER_STRIP, STRIP_BYTES, PLANAR = 273, 274, 277, 278, 279, 284
PREDICTOR, PALETTE, TILE_WIDTH, TILE_HEIGHT, TILES, TILE_BYTES = 317, 320, 322, 323, 324, 325
INK_SET, EXTRA, SAMPLE_FORMAT, TABLES, SUBSAMPLING = 332, 338, 339, 347, 530
_NEEDED = {WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, FILL_ORDER, STRIPS, SAMPLES, ROWS_PER_STRIP, STRIP_BYTES}
_NEEDED |= {PLANAR, PREDICTOR, PALETTE, TILE_WIDTH, TILE_HEIGHT, TILES, TILE_BYTES, INK_SET, EXTRA, SAMPLE_FORMAT}
_NEEDED |= {TABLES, SUBSAMPLING, 292, 293, 529, 531, 532}  # and options of fax codes, and what YCbCr means
_KNOWN = _NEEDED | {ORIENTATION, 50706}
_RAW_PHOTOGRAPH = 50706  # DNGVersion
_MAX_VALUES = 1 << 22
RAW, DEFLATE, OLD_DEFLATE, JPEG = 1, 8, 32946, 7
_COMPRESSIONS = (RAW, 2, 3, 4, 5, JPEG, DEFLATE, OLD_DEFLATE, 32773)
WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, INDEXED, CMYK, YCBCR = 0, 1, 2, 3, 5, 6
_COLOURS = {WHITE_IS_ZERO: 1, BLACK_IS_ZERO: 1, RGB: 3, INDEXED: 1, CMYK: 4, YCBCR: 3}
_DEPTHS = {
    WHITE_IS_ZERO: (1, 2, 4, 8, 16),
    BLACK_IS_ZERO: (1, 2, 4, 8, 16),
    RGB: (8, 16),
    INDEXED: (1, 2, 4, 8),
    CMYK: (8, 16),
    YCBCR: (8,),
}


@dataclass(frozen=True, slots=True)
class _Entry:
    """A field of a directory: the type and number of its values, and where they lie."""

    kind: int
    count: int
    position: int


@dataclass(frozen=True, slots=True)
class _Directory:
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
        return b"" if entry is None else self.data[entry.position : entry.position + _SIZES[entry.kind] * entry.count]

    def value(self, tag: int, default: int) -> int:
        """The first integer of a field."""
        return next(iter(self.values(tag)), default)


def plain(data: bytes, max_pixels: int) -> Plain:
    """The first page of a TIFF with a directory of what its pixels need alone. Raises `Rejected`."""
    directory = _read_directory(data)
    if _RAW_PHOTOGRAPH in directory.entries or data[8:10] == b"CR":
        raise Rejected("unsupported", "a camera's raw photograph")
    width, height = directory.value(WIDTH, 0), directory.value(HEIGHT, 0)
    check_size(width, height, max_pixels)
    layout = _Layout.of(directory)
    layout.check()
    _check_parts(directory, layout, width, height)
    changed: dict[int, tuple[int, bytes]] = {}
    number = directory.order + "I"
    inverted = layout.photometric == WHITE_IS_ZERO and layout.bits == 16  # Pillow turns others round by itself
    if inverted:
        changed[PHOTOMETRIC] = _LONG, struct.pack(number, BLACK_IS_ZERO)
    if layout.planar == 2 and layout.samples > 1 and layout.compression == RAW:
        pixels = _interleaved(directory, layout, width, height)
        directory = replace(directory, data=data + pixels)
        told = {PLANAR: 1, STRIPS: len(data), STRIP_BYTES: len(pixels), ROWS_PER_STRIP: height}
        changed |= {tag: (_LONG, struct.pack(number, value)) for tag, value in told.items()}
    turn = directory.value(ORIENTATION, 1)
    turn = turn if turn in range(1, 9) else 1
    return Plain(_rebuilt(directory, changed), turn, max(layout.bits, 8), (), inverted)


def _read_directory(data: bytes) -> _Directory:
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
    found = dict(_entries(data, order, big, range(first, first + count * size, size)))
    return _Directory(data, order, big, found)


def _entries(data: bytes, order: str, big: bool, positions: range) -> Iterator[tuple[int, _Entry]]:
    seen = set[int]()
    for position in positions:
        tag, kind, count = struct.unpack_from(order + ("HHQ" if big else "HHI"), data, position)
        if tag not in _KNOWN or tag in seen or kind not in _SIZES:
            continue
        seen.add(tag)
        inline, size = (8, 20) if big else (4, 12)
        where = position + size - inline
        if _SIZES[kind] * count > inline:
            (where,) = struct.unpack_from(order + ("Q" if big else "I"), data, where)
        if where + _SIZES[kind] * count > len(data):
            if tag == ORIENTATION:
                continue
            raise truncated(f"the values of field {tag}")
        yield tag, _Entry(kind, count, where)


@dataclass(frozen=True, slots=True)
class _Layout:
    """How samples lie: compression, photometric interpretation, bits and number of samples, and what is beyond."""

    compression: int
    photometric: int
    bits: int
    samples: int
    extra: tuple[int, ...]
    formats: frozenset[int]
    depths: frozenset[int]
    planar: int
    tiled: bool
    fill_order: int
    subsampling: tuple[int, ...]
    ink_set: int

    @classmethod
    def of(cls, directory: _Directory) -> _Layout:
        depths = directory.values(BITS, (1,)) or (1,)
        return cls(
            directory.value(COMPRESSION, RAW),
            directory.value(PHOTOMETRIC, -1),
            depths[0],
            directory.value(SAMPLES, 1),
            directory.values(EXTRA)[:16],
            frozenset(directory.values(SAMPLE_FORMAT, (1,))),
            frozenset(depths),
            directory.value(PLANAR, 1),
            TILES in directory.entries,
            directory.value(FILL_ORDER, 1),
            directory.values(SUBSAMPLING, (2, 2)),
            directory.value(INK_SET, 1),
        )

    def check(self) -> None:
        """Raises `Rejected` for what is sound, but not decoded here, or not known to be decoded right."""
        if why := next((why for wrong, why in self._refusals() if wrong), ""):
            raise Rejected("unsupported", f"TIFF {why}")

    def _refusals(self) -> Iterator[tuple[bool, str]]:
        yield bool(self.formats & {3, 6}), "of floating-point pixels, which have no defined white"
        yield not self.formats <= {1, 4}, "of signed samples"
        yield self.photometric not in _COLOURS, f"of photometric interpretation {self.photometric}"
        yield len(self.depths) != 1, "whose samples differ in depth"
        yield self.bits not in _DEPTHS.get(self.photometric, ()), f"of {self.bits} bits a sample"
        yield self.compression not in _COMPRESSIONS, f"of compression {self.compression}"
        over = self.samples - _COLOURS.get(self.photometric, 0)
        yield over not in (0, 1) or len(self.extra) > over, f"of {self.samples} samples a pixel"
        alone = self.photometric not in (BLACK_IS_ZERO, RGB) or (self.photometric, self.bits) == (BLACK_IS_ZERO, 16)
        meant = not alone and self.bits >= 8 and self.extra in ((0,), (1,), (2,))
        yield over == 1 and not meant, "with a sample of no meaning"
        yield self.planar not in (1, 2), f"of planar configuration {self.planar}"
        planes = self.planar == 2 and self.samples > 1
        yield planes and self.tiled and self.compression == RAW, "of uncompressed tiles, plane by plane"
        yield self.fill_order != 1 and self.bits != 1, "whose bits lie the other way round"
        yield self.photometric == CMYK and self.ink_set != 1, "of inks that are not cyan, magenta, yellow and black"
        jpeg = self.compression == JPEG
        subsampled = self.photometric == YCBCR and not jpeg and self.subsampling[:2] != (1, 1)
        yield subsampled, "of subsampled YCbCr that is no JPEG"
        odd = self.bits != 8 or self.photometric not in (BLACK_IS_ZERO, RGB, YCBCR)
        yield jpeg and odd, "of a JPEG of its own kind"
        yield self.compression in (2, 3, 4) and (self.bits, self.samples) != (1, 1), "of a fax in colour"


def _check_parts(directory: _Directory, layout: _Layout, width: int, height: int) -> None:
    """Raises `Rejected` unless every strip or tile is there, and has its checksum where it has one."""
    tiled = TILES in directory.entries
    across = directory.value(TILE_WIDTH, 0) if tiled else width
    down = directory.value(TILE_HEIGHT, 0) if tiled else min(directory.value(ROWS_PER_STRIP, height), height)
    if across < 1 or down < 1 or across * down > 4 * max(width, 512) * max(height, 512):
        raise Rejected("damaged", "strips or tiles of no size")
    planes = layout.samples if layout.planar == 2 else 1
    row = (across * layout.bits * layout.samples // planes + 7) // 8
    offsets = directory.values(TILES if tiled else STRIPS)
    bands = -(-height // down)
    if len(offsets) != -(-width // across) * bands * planes:
        raise Rejected("damaged", f"{len(offsets)} strips or tiles, which do not cover the image")
    lasts = down if tiled else height - (bands - 1) * down
    rows = [lasts if not tiled and number % bands == bands - 1 else down for number in range(len(offsets))]
    raw = [row * count for count in rows]
    sizes = directory.values(TILE_BYTES if tiled else STRIP_BYTES, tuple(raw) if layout.compression == RAW else ())
    if len(sizes) != len(offsets):
        raise Rejected("damaged", "strips or tiles without their sizes")
    for offset, size, expected in zip(offsets, sizes, raw, strict=True):
        if offset + (expected if layout.compression == RAW else max(size, 1)) > len(directory.data):
            raise truncated("its last strip or tile")
        if layout.compression in (DEFLATE, OLD_DEFLATE):
            check_inflation([directory.data[offset : offset + size]], expected, row * down)
        elif layout.compression == JPEG:
            tables = directory.content(TABLES)[:-2]  # without their end, before a strip without its start
            check_part(tables + directory.data[offset + (2 if tables else 0) : offset + size], across * down)


def _rebuilt(directory: _Directory, changed: Mapping[int, tuple[int, bytes]]) -> bytes:
    """The file with a directory at its end that holds what pixels need, as it says or as `changed`; one with offsets of
    32 bits, whatever it had."""
    order = directory.order
    fields = {tag: _values(directory, entry) for tag, entry in directory.entries.items() if tag in _NEEDED}
    fields = {tag: field for tag, field in fields.items() if tag != SAMPLE_FORMAT} | dict(changed)
    body, end = [bytes(-len(directory.data) % 4)], len(directory.data) + -len(directory.data) % 4
    entries = []
    for tag, (kind, values) in sorted(fields.items()):
        count = len(values) // _SIZES[kind]
        if len(values) > 4:
            body += [values, bytes(-len(values) % 4)]
            values, end = struct.pack(order + "I", end), end + len(values) + -len(values) % 4
        entries.append(struct.pack(order + "HHI", tag, kind, count) + values.ljust(4, b"\0"))
    header = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", end)
    return b"".join((header, directory.data[8:], *body, struct.pack(order + "H", len(entries)), *entries, bytes(4)))


def _values(directory: _Directory, entry: _Entry) -> tuple[int, bytes]:
    """The type and the bytes of a field's values, those of 64 bits in 32: no file here is that long."""
    if entry.kind not in (16, 18):
        return entry.kind, directory.data[entry.position : entry.position + _SIZES[entry.kind] * entry.count]
    wide = struct.unpack_from(f"{directory.order}{entry.count}Q", directory.data, entry.position)
    if max(wide, default=0) >= 1 << 32:
        raise Rejected("damaged", "an offset or a size of more than 32 bits")
    return 4, struct.pack(f"{directory.order}{entry.count}I", *wide)


def _interleaved(directory: _Directory, layout: _Layout, width: int, height: int) -> bytes:
    """Samples that lie plane by plane, uncompressed, pixel by pixel: Pillow reads not all such planes right."""
    size = layout.bits // 8
    rows = min(directory.value(ROWS_PER_STRIP, height), height)
    offsets = directory.values(STRIPS)
    bands = len(offsets) // layout.samples
    lengths = [width * size * (min(rows, height - band * rows)) for band in range(bands)] * layout.samples
    parts = [directory.data[offset : offset + length] for offset, length in zip(offsets, lengths, strict=True)]
    planes = np.frombuffer(b"".join(parts), f"V{size}").reshape(layout.samples, -1)
    return np.ascontiguousarray(planes.T).tobytes()
