"""TIFF: what the first page's samples are, and whether all strips or tiles are there (TIFF 6.0)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from holotype.images.formats.fax import FAXES, MIRRORED, check_fax
from holotype.images.formats.jpeg import check_part
from holotype.images.formats.plain import Plain, check_inflation
from holotype.images.formats.tiff_directory import LONG, SHORT, Directory, Tag, read_directory, rebuilt, says_only
from holotype.images.rejected import Rejected, check_size, truncated

MAGICS: Final = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
# Beside what pixels need: what a page is, resolution, program, date, colours and the colour profile.
_TECHNICAL: Final = frozenset((254, 255, 274, 280, 281, 282, 283, 296, 301, 305, 306, 318, 319, 339, 34675))
RAW, DEFLATE, OLD_DEFLATE, JPEG = 1, 8, 32946, 7
_COMPRESSIONS = (RAW, *FAXES, 5, JPEG, DEFLATE, OLD_DEFLATE, 32773)
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


def plain(data: bytes, max_pixels: int) -> Plain:
    """The first page of a TIFF with a directory of what its pixels need alone. Raises `Rejected`."""
    directory = read_directory(data)
    if Tag.DNG_VERSION in directory.entries or data[8:10] == b"CR":
        raise Rejected("unsupported", "a camera's raw photograph")
    width, height = directory.value(Tag.WIDTH, 0), directory.value(Tag.HEIGHT, 0)
    check_size(width, height, max_pixels)
    layout = _Layout.of(directory)
    layout.check()
    _check_parts(directory, layout, width, height)
    changed: dict[int, tuple[int, bytes]] = {}
    number = directory.order + "I"
    inverted = layout.photometric == WHITE_IS_ZERO and layout.bits == 16  # Pillow turns others round by itself
    if inverted:
        changed[Tag.PHOTOMETRIC] = LONG, struct.pack(number, BLACK_IS_ZERO)
    if layout.photometric == INDEXED:
        changed |= _palette(directory)
    if layout.planar == 2 and layout.samples > 1 and layout.compression == RAW:
        pixels = _interleaved(directory, layout, width, height)
        directory = replace(directory, data=data + pixels)
        told = {Tag.PLANAR: 1, Tag.STRIPS: len(data), Tag.STRIP_BYTES: len(pixels), Tag.ROWS_PER_STRIP: height}
        changed |= {tag: (LONG, struct.pack(number, value)) for tag, value in told.items()}
    turn = directory.value(Tag.ORIENTATION, 1)
    turn = turn if turn in range(1, 9) else 1
    return Plain(rebuilt(directory, changed), turn, max(layout.bits, 8), (), inverted)


def is_discreet(data: bytes) -> bool:
    """Whether a TIFF of one page says nothing but what pixels need, which program wrote it, and when."""
    return says_only(data, _TECHNICAL)


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
    def of(cls, directory: Directory) -> _Layout:
        depths = directory.values(Tag.BITS, (1,)) or (1,)
        return cls(
            directory.value(Tag.COMPRESSION, RAW),
            directory.value(Tag.PHOTOMETRIC, -1),
            depths[0],
            directory.value(Tag.SAMPLES, 1),
            directory.values(Tag.EXTRA)[:16],
            frozenset(directory.values(Tag.SAMPLE_FORMAT, (1,))),
            frozenset(depths),
            directory.value(Tag.PLANAR, 1),
            Tag.TILES in directory.entries,
            directory.value(Tag.FILL_ORDER, 1),
            directory.values(Tag.SUBSAMPLING, (2, 2)),
            directory.value(Tag.INK_SET, 1),
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
        turned = self.fill_order != 1 and (self.bits != 1 or self.photometric == INDEXED)
        yield turned, "whose bits lie the other way round"
        yield self.photometric == CMYK and self.ink_set != 1, "of inks that are not cyan, magenta, yellow and black"
        jpeg = self.compression == JPEG
        subsampled = self.photometric == YCBCR and not jpeg and self.subsampling[:2] != (1, 1)
        yield subsampled, "of subsampled YCbCr that is no JPEG"
        odd = self.bits != 8 or self.photometric not in (BLACK_IS_ZERO, RGB, YCBCR)
        yield jpeg and odd, "of a JPEG of its own kind"
        yield self.compression in FAXES and (self.bits, self.samples) != (1, 1), "of a fax in colour"


def _check_parts(directory: Directory, layout: _Layout, width: int, height: int) -> None:
    """Raises `Rejected` unless every strip or tile is there, and has its checksum where it has one."""
    across, down = _part(directory, layout, width, height)
    planes = layout.samples if layout.planar == 2 else 1
    row = (across * layout.bits * layout.samples // planes + 7) // 8
    offsets = directory.values(Tag.TILES if layout.tiled else Tag.STRIPS)
    bands = -(-height // down)
    if len(offsets) != -(-width // across) * bands * planes:
        raise Rejected("damaged", f"{len(offsets)} strips or tiles, which do not cover the image")
    last = down if layout.tiled else height - (bands - 1) * down
    raw = tuple(row * (last if number % bands == bands - 1 else down) for number in range(len(offsets)))
    told = Tag.TILE_BYTES if layout.tiled else Tag.STRIP_BYTES
    sizes = directory.values(told, raw if layout.compression == RAW else ())
    if len(sizes) != len(offsets):
        raise Rejected("damaged", "strips or tiles without their sizes")
    options, data = directory.value(Tag.FAX3_OPTIONS, 0), directory.data
    for number, (offset, size, expected) in enumerate(zip(offsets, sizes, raw, strict=True)):
        if offset + (expected if layout.compression == RAW else max(size, 1)) > len(data):
            raise truncated("its last strip or tile")
        part = data[offset : offset + size] if layout.compression != RAW else b""
        part = part.translate(MIRRORED) if layout.fill_order == 2 else part  # whatever it is compressed by
        if layout.compression in (DEFLATE, OLD_DEFLATE):
            check_inflation([part], expected, row * down)
        elif layout.compression in FAXES:
            rows = last if (number + 1) % bands == 0 else down
            check_fax(part, (across, rows), layout.compression, options)
        elif layout.compression == JPEG:
            tables = directory.content(Tag.TABLES)[:-2]  # without their end, before a strip without its start
            check_part(tables + part[2 if tables else 0 :], across * down)


def _part(directory: Directory, layout: _Layout, width: int, height: int) -> tuple[int, int]:
    """Columns and rows of every strip or tile. Raises `Rejected`."""
    across, down = width, min(directory.value(Tag.ROWS_PER_STRIP, height), height)
    if layout.tiled:
        across, down = directory.value(Tag.TILE_WIDTH, 0), directory.value(Tag.TILE_HEIGHT, 0)
    if min(across, down) < 1 or across * down > 4 * max(width, 512) * max(height, 512):
        raise Rejected("damaged", "strips or tiles of no size")
    return across, down


def _palette(directory: Directory) -> dict[int, tuple[int, bytes]]:
    """The palette in 16 bits where it holds 8, as some writers had it: libtiff tells it by the largest, Pillow not."""
    shades = directory.values(Tag.PALETTE)
    if max(shades, default=256) > 255:
        return {}
    return {Tag.PALETTE: (SHORT, struct.pack(f"{directory.order}{len(shades)}H", *(257 * shade for shade in shades)))}


def _interleaved(directory: Directory, layout: _Layout, width: int, height: int) -> bytes:
    """Samples that lie plane by plane, uncompressed, pixel by pixel: Pillow reads not all such planes right."""
    size = layout.bits // 8
    rows = min(directory.value(Tag.ROWS_PER_STRIP, height), height)
    offsets = directory.values(Tag.STRIPS)
    bands = len(offsets) // layout.samples
    lengths = [width * size * (min(rows, height - band * rows)) for band in range(bands)] * layout.samples
    parts = [directory.data[offset : offset + length] for offset, length in zip(offsets, lengths, strict=True)]
    planes = np.frombuffer(b"".join(parts), f"V{size}").reshape(layout.samples, -1)
    return np.ascontiguousarray(planes.T).tobytes()
