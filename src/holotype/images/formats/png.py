"""PNG: chunks, their checksums, and the first picture's alone."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from holotype.images.formats.exif import is_technical, orientation
from holotype.images.formats.plain import Plain, check_inflation, inflated
from holotype.images.rejected import Rejected, check_size, truncated

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_PALETTE = 3
_CRITICAL = (b"IHDR", b"PLTE", b"IDAT", b"IEND")
_COLOURS = {b"gAMA": 4, b"cHRM": 32}  # what they mean, and their length
# What says nothing but how pixels and frames are to be shown, and when they were written.
_TECHNICAL = frozenset(
    (
        *(b"IHDR", b"PLTE", b"IDAT", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"sBIT", b"bKGD", b"hIST", b"pHYs"),
        *(b"tIME", b"cICP", b"mDCV", b"cLLI", b"acTL", b"fcTL", b"fdAT"),
    )
)
_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
_MAX_EXIF = 1 << 20
_MAX_HELD = 32 << 20


@dataclass(frozen=True, slots=True)
class _Header:
    width: int
    height: int
    depth: int
    colour: int
    interlaced: bool

    @classmethod
    def of(cls, data: bytes) -> _Header:
        if len(data) != 13:
            raise Rejected("damaged", "a PNG header has 13 bytes")
        width, height = int.from_bytes(data[:4], "big"), int.from_bytes(data[4:8], "big")
        depth, colour, compression, filtering, interlace = data[8:]
        if depth not in _DEPTHS.get(colour, ()) or compression or filtering or interlace > 1:
            raise Rejected(
                "unsupported", f"PNG of {depth} bits in colour type {colour}, or with a compression of its own"
            )
        return cls(width, height, depth, colour, interlace == 1)

    def raw_bytes(self) -> int:
        """How many bytes its pixels are before compression, a filter byte a row."""
        bits = self.depth * _CHANNELS[self.colour]
        passes = _ADAM7 if self.interlaced else ((0, 0, 1, 1),)
        total = 0
        for left, top, across, down in passes:
            columns, rows = -(-(self.width - left) // across), -(-(self.height - top) // down)
            if columns > 0 and rows > 0:
                total += rows * (1 + (columns * bits + 7) // 8)
        return total


def plain(data: bytes, max_pixels: int) -> Plain:
    """The default picture of a PNG: header, palette, transparency and pixels, every checksum of them compared.

    Broken metadata are passed over, and so are an animation's other frames and whatever follows the pixels.

    Raises `Rejected`.
    """
    found: dict[bytes, bytes] = {}
    pixels: list[bytes] = []
    header: _Header | None = None
    turn = 0
    for kind, start, end in _chunks(data):
        if header is None:
            if kind != b"IHDR":
                raise Rejected("damaged", "a PNG that does not begin with its header")
            header = _Header.of(data[start:end])
            check_size(header.width, header.height, max_pixels)
        elif kind == b"IDAT":
            pixels.append(data[start:end])
        elif kind == b"IEND":
            break
        elif kind in (b"PLTE", b"tRNS") and kind not in found and not pixels:  # behind pixels they mean nothing
            found[kind] = data[start:end]
        elif kind == b"eXIf" and not turn and end - start <= _MAX_EXIF:
            turn = orientation(data[start:end])
        elif pixels and kind == b"fdAT":
            break
    if header is None:
        raise truncated("its header")
    rebuilt = _rebuilt(data[16:29], header, found, _checked(pixels, header.raw_bytes()))
    return replace(rebuilt, orientation=turn or 1)


def stripped(data: bytes, first: Iterable[tuple[bytes, bytes]] = ()) -> bytes:
    """The same coded pixels without metadata, an animation's other frames and what follows; `first` are chunks that it
    gets instead. Data are a PNG that `plain` takes."""
    kept: dict[bytes, bytes] = {}
    pixels: list[bytes] = []
    for kind, start, end in _chunks(data):
        if kind == b"IEND" or (pixels and kind == b"fdAT"):
            break
        if kind == b"IDAT":
            pixels.append(data[start:end])
        elif not pixels and (kind in (b"IHDR", b"PLTE", b"tRNS") or _COLOURS.get(kind) == end - start):
            kept.setdefault(kind, data[start:end])
    header = (b"IHDR", kept.pop(b"IHDR"))
    parts = (header, *first, *kept.items(), *((b"IDAT", part) for part in pixels), (b"IEND", b""))
    return SIGNATURE + b"".join(_chunk(kind, content) for kind, content in parts)


def is_discreet(data: bytes) -> bool:
    """Whether a PNG says nothing but what pixels need, and which program wrote it. Data are one that `plain` takes."""
    for kind, start, end in _chunks(data):
        if kind == b"IEND":
            return not data[end + 4 :]
        if kind in (b"tEXt", b"eXIf"):
            known = is_technical(data[start:end]) if kind == b"eXIf" else data.startswith(b"Software\0", start)
            if not known:
                return False
        elif kind not in _TECHNICAL:
            return False
    return False


def icc_chunk(profile: bytes) -> tuple[bytes, bytes]:
    """A colour profile as a chunk."""
    return b"iCCP", b"ICC\0\0" + zlib.compress(profile, 9)


def _checked(pixels: list[bytes], expected: int) -> list[bytes]:
    """The pixels, if their checksum is right; those of most images as they are, so that they are inflated once."""
    if expected > _MAX_HELD:
        check_inflation(pixels, expected)
        return pixels
    return [zlib.compress(b"".join(inflated(pixels, expected))[:expected], level=0)]


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """``(type, start, end)`` of every chunk's content; a cut one is as if missing."""
    position = len(SIGNATURE)
    while position + 8 <= len(data):
        kind = data[position + 4 : position + 8]
        start = position + 8
        end = start + int.from_bytes(data[position : position + 4], "big")
        if not kind.isalpha() or not kind.isascii():
            raise Rejected("damaged", "a PNG chunk whose type is no four letters")
        if end + 4 > len(data):
            return
        decides = not kind[0] & 0x20 or kind == b"tRNS"
        read = decides or kind == b"eXIf"
        if read and zlib.crc32(data[position + 4 : end]) != int.from_bytes(data[end : end + 4], "big"):
            if decides:
                raise Rejected("damaged", f"the checksum of a {kind.decode()} chunk is wrong")
            kind = b"teXt"  # a broken one is as if missing
        if decides and kind not in (*_CRITICAL, b"tRNS"):
            raise Rejected("unsupported", f"PNG with a {kind.decode()} chunk, which no standard knows")
        yield kind, start, end
        position = end + 4


def _rebuilt(ihdr: bytes, header: _Header, found: dict[bytes, bytes], pixels: list[bytes]) -> Plain:
    palette, transparency = found.get(b"PLTE", b""), found.get(b"tRNS", b"")
    parts = [(b"IHDR", ihdr)]
    key: tuple[int, ...] = ()
    if header.colour == _PALETTE:
        if not palette or len(palette) % 3 or len(palette) > 768:
            raise Rejected("damaged", "a palette image without a palette")
        parts.append((b"PLTE", palette))
        parts += [(b"tRNS", transparency[: len(palette) // 3])] if transparency else []
    elif header.colour in (0, 2) and len(transparency) == 2 * _CHANNELS[header.colour]:
        most = 2**header.depth - 1  # the specification: higher bits are not looked at
        scale = 255 // most if header.depth < 8 else 1  # decoders give shades in 8 bits
        key = tuple(int.from_bytes(transparency[i : i + 2], "big") & most for i in range(0, len(transparency), 2))
        key = tuple(shade * scale for shade in key)
    parts += [*((b"IDAT", part) for part in pixels), (b"IEND", b"")]
    whole = SIGNATURE + b"".join(_chunk(kind, content) for kind, content in parts)
    return Plain(whole, depth=header.depth, transparent=key)


def _chunk(kind: bytes, content: bytes) -> bytes:
    return len(content).to_bytes(4, "big") + kind + content + zlib.crc32(kind + content).to_bytes(4, "big")
