"""WebP: RIFF chunks, and the first picture's alone."""

from __future__ import annotations

from collections.abc import Iterator

from holotype.images.formats.exif import only_orientation, orientation
from holotype.images.formats.plain import Plain
from holotype.images.rejected import Rejected, check_size, truncated

_MAX_EXIF = 1 << 20
_PIXELS = (b"VP8 ", b"VP8L")
_ALPHA_FLAG, _ANIMATION_FLAG = 0x10, 0x02
_EXIF_FLAG, _XMP_FLAG = 0x08, 0x04
_SHOWN = (b"VP8X", b"ICCP", b"ANIM", b"ANMF", b"ALPH", *_PIXELS)


def plain(data: bytes, max_pixels: int) -> Plain:
    """The first frame of a WebP, on its canvas where it is an animation's; metadata are passed over.

    Raises `Rejected`.
    """
    canvas, alpha, turn, picture = b"", b"", 0, b""
    covered: tuple[int, int, int, int] | None = None
    for kind, start, end in _chunks(data, 12, len(data)):
        content = data[start : min(end, start + _MAX_EXIF if kind == b"EXIF" else end)]
        if kind == b"EXIF":
            turn = turn or orientation(content)
        elif picture or end > len(data):
            if not picture and kind in (*_PIXELS, b"ALPH", b"ANMF", b"VP8X"):
                raise truncated("its first picture")
        elif kind == b"VP8X" and not canvas:
            canvas = content
            if len(canvas) < 10:
                raise Rejected("damaged", "the header of an extended WebP has ten bytes")
            check_size(_number(canvas, 4) + 1, _number(canvas, 7) + 1, max_pixels)
        elif kind == b"ALPH":
            alpha = _chunk(kind, content)
        elif kind in _PIXELS:
            check_size(*_size(kind, content), max_pixels)
            picture = _chunk(kind, content)
        elif kind == b"ANMF":
            picture, covered = _frame(content, max_pixels), _place(content)
    if not picture:
        raise truncated("its first picture")
    return Plain(_file(canvas, alpha, picture), turn or 1, covered=covered)


def stripped(data: bytes) -> bytes:
    """The same coded pixels, frames and colour profile without metadata, but an EXIF orientation other than 1. Data are
    a WebP that `plain` takes."""
    parts, turn = list[tuple[bytes, bytes]](), 0
    for kind, start, end in _chunks(data, 12, len(data)):
        if kind == b"EXIF":
            turn = turn or orientation(data[start : min(end, start + _MAX_EXIF)])
        elif kind in _SHOWN:
            parts.append((kind, data[start:end]))
    if turn > 1:
        parts.append((b"EXIF", only_orientation(turn)))
    if parts[0][0] == b"VP8X":
        flags = (parts[0][1][0] & ~(_EXIF_FLAG | _XMP_FLAG)) | (_EXIF_FLAG if turn > 1 else 0)
        parts[0] = b"VP8X", bytes((flags,)) + parts[0][1][1:]
    body = b"WEBP" + b"".join(_chunk(kind, content) for kind, content in parts)
    return b"RIFF" + len(body).to_bytes(4, "little") + body


def _chunks(data: bytes, position: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    while position + 8 <= end:
        start = position + 8
        length = int.from_bytes(data[position + 4 : start], "little")
        yield data[position : position + 4], start, start + length
        position = start + length + length % 2


def _frame(content: bytes, max_pixels: int) -> bytes:
    """An animation of one frame; what is no picture within the frame is left out."""
    parts = []
    for kind, start, end in _chunks(content, 16, len(content)):
        if end > len(content):
            raise Rejected("damaged", "a picture that is larger than the frame it lies in")
        if kind in _PIXELS:
            check_size(*_size(kind, content[start:end]), max_pixels)
        if kind in (*_PIXELS, b"ALPH"):
            parts.append(_chunk(kind, content[start:end]))
    whole = _chunk(b"ANMF", content[:16] + b"".join(parts))
    return _chunk(b"ANIM", b"\xff\xff\xff\0\0\0") + whole  # a background nobody sees: white, transparent


def _place(frame: bytes) -> tuple[int, int, int, int]:
    left, top = 2 * _number(frame, 0), 2 * _number(frame, 3)
    return left, top, left + _number(frame, 6) + 1, top + _number(frame, 9) + 1


def _size(kind: bytes, content: bytes) -> tuple[int, int]:
    if len(content) < 10:
        raise Rejected("damaged", "a picture of a few bytes")
    if kind == b"VP8L":
        bits = int.from_bytes(content[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return int.from_bytes(content[6:8], "little") & 0x3FFF, int.from_bytes(content[8:10], "little") & 0x3FFF


def _number(data: bytes, position: int) -> int:
    return int.from_bytes(data[position : position + 3], "little")


def _file(canvas: bytes, alpha: bytes, picture: bytes) -> bytes:
    flags = bytes((canvas[0] & (_ALPHA_FLAG | _ANIMATION_FLAG),)) if canvas else b""
    extended = _chunk(b"VP8X", flags + canvas[1:10]) if canvas else b""
    body = b"WEBP" + extended + alpha + picture
    return b"RIFF" + len(body).to_bytes(4, "little") + body


def _chunk(kind: bytes, content: bytes) -> bytes:
    return kind + len(content).to_bytes(4, "little") + content + bytes(len(content) % 2)
