"""Encoders of our own for tests: every layout that PNG, TIFF and BMP have, however rare, from the same samples."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.uint16]
ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


def packed(rows: Samples, bits: int, order: str = ">") -> bytes:
    """Rows ``(height, samples)`` of `bits` each, every row filled up to whole bytes."""
    if bits >= 8:
        return rows.astype(f"{order}u{bits // 8}").tobytes()
    spread = (rows[:, :, None] >> np.arange(bits - 1, -1, -1)) & 1
    return np.packbits(spread.reshape(len(rows), -1).astype(np.uint8), axis=1).tobytes()


def png_chunk(kind: bytes, content: bytes) -> bytes:
    return len(content).to_bytes(4, "big") + kind + content + zlib.crc32(kind + content).to_bytes(4, "big")


@dataclass(frozen=True)
class Png:
    """A PNG of samples ``(height, width, channels)`` with chunks of any kind before its pixels, and after them."""

    depth: int
    colour: int
    interlaced: bool = False
    before: tuple[tuple[bytes, bytes], ...] = ()
    after: tuple[tuple[bytes, bytes], ...] = ()

    def encode(self, samples: Samples) -> bytes:
        height, width, _ = samples.shape
        rows = b""
        for left, top, across, down in ADAM7 if self.interlaced else ((0, 0, 1, 1),):
            part = samples[top::down, left::across]
            if part.size:
                lines = [packed(line.reshape(1, -1), self.depth) for line in part]
                rows += b"".join(b"\0" + line for line in lines)
        header = struct.pack(">IIBBBBB", width, height, self.depth, self.colour, 0, 0, self.interlaced)
        stream = zlib.compress(rows)
        pixels = [(b"IDAT", stream[: len(stream) // 2]), (b"IDAT", stream[len(stream) // 2 :])]
        chunks = [(b"IHDR", header), *self.before, *pixels, *self.after, (b"IEND", b"")]
        return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(kind, content) for kind, content in chunks)


@dataclass(frozen=True)
class Tiff:
    """A TIFF of samples ``(height, width, channels)``; `tags` adds fields or replaces them, None leaves one out."""

    photometric: int
    bits: int = 8
    order: str = "<"
    big: bool = False
    planar: bool = False
    deflated: bool = False
    predicted: bool = False
    rows: int = 0
    tile: int = 0
    tags: Mapping[int, tuple[int, tuple[int, ...]] | None] = field(default_factory=dict)

    def encode(self, samples: npt.NDArray[np.generic]) -> bytes:
        height, width, channels = samples.shape
        parts = [zlib.compress(part) if self.deflated else part for part in self._parts(np.asarray(samples))]
        start = 16 if self.big else 8
        offsets = [start + sum(map(len, parts[:number])) for number in range(len(parts))]
        sizes = list(map(len, parts))
        where: dict[int, tuple[int, tuple[int, ...]] | None] = {
            256: (4, (width,)),
            257: (4, (height,)),
            258: (3, (self.bits,) * channels),
            259: (3, (8 if self.deflated else 1,)),
            262: (3, (self.photometric,)),
            277: (3, (channels,)),
            284: (3, (2 if self.planar else 1,)),
        }
        if self.predicted:
            where[317] = (3, (2,))
        if self.tile:
            where |= {322: (4, (self.tile,)), 323: (4, (self.tile,)), 324: (4, tuple(offsets)), 325: (4, tuple(sizes))}
        else:
            where |= {273: (4, tuple(offsets)), 278: (4, (self.rows or height,)), 279: (4, tuple(sizes))}
        return self._file(b"".join(parts), where | dict(self.tags))

    def _parts(self, samples: npt.NDArray[np.generic]) -> Iterator[bytes]:
        planes = [samples[:, :, i : i + 1] for i in range(samples.shape[2])] if self.planar else [samples]
        for plane in planes:
            for block in self._blocks(plane):
                if self.predicted:
                    block = np.concatenate((block[:, :1], np.diff(block.astype(np.int64), axis=1)), axis=1)
                    block = (block % (1 << self.bits)).astype(np.uint16)
                if block.dtype.kind == "f":
                    yield block.astype(f"{self.order}f{block.dtype.itemsize}").tobytes()
                else:
                    yield packed(block.reshape(len(block), -1).astype(np.uint16), self.bits, self.order)

    def _blocks(self, plane: npt.NDArray[np.generic]) -> Iterator[npt.NDArray[np.generic]]:
        height, width, _ = plane.shape
        if not self.tile:
            rows = self.rows or height
            yield from (plane[top : top + rows] for top in range(0, height, rows))
            return
        padded = np.pad(plane, ((0, -height % self.tile), (0, -width % self.tile), (0, 0)))
        for top in range(0, height, self.tile):
            for left in range(0, width, self.tile):
                yield padded[top : top + self.tile, left : left + self.tile]

    def _file(self, pixels: bytes, fields: Mapping[int, tuple[int, tuple[int, ...]] | None]) -> bytes:
        wide, inline = ("Q", 8) if self.big else ("I", 4)
        body = (b"II" if self.order == "<" else b"MM") + struct.pack(
            self.order + ("HHHQ" if self.big else "HI"), *((43, 8, 0, 0) if self.big else (42, 0))
        )
        body += pixels + bytes(-len(pixels) % 8)
        entries = []
        for tag, value in sorted(fields.items()):
            if value is None:
                continue
            kind, numbers = value
            form = {1: "B", 3: "H", 4: "I", 7: "B", 16: "Q"}[kind]
            content = struct.pack(f"{self.order}{len(numbers)}{form}", *numbers)
            if len(content) > inline:
                content, place = struct.pack(self.order + wide, len(body)), content
                body += place + bytes(-len(place) % 8)
            entries.append(
                struct.pack(self.order + "HH" + wide, tag, kind, len(numbers)) + content.ljust(inline, b"\0")
            )
        at = 8 if self.big else 4
        body = body[:at] + struct.pack(self.order + wide, len(body)) + body[at + inline :]
        count = struct.pack(self.order + ("Q" if self.big else "H"), len(entries))
        return body + count + b"".join(entries) + bytes(inline)


def bmp(
    rows: bytes, size: tuple[int, int], bits: int, header: bytes = b"", extra: bytes = b"", compression: int = 0
) -> bytes:
    """A BMP of rows as they are to lie in it; `extra` is masks or a palette, `header` replaces the usual one."""
    width, height = size
    usual = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, compression, len(rows), 0, 0, 0, 0)
    front = (header or usual) + extra
    return b"BM" + struct.pack("<IHHI", 14 + len(front) + len(rows), 0, 0, 14 + len(front)) + front + rows
