"""GIF: its blocks, and the first frame's alone."""

from __future__ import annotations

from holotype.images.formats.plain import Plain
from holotype.images.rejected import Rejected, check_size, truncated

_EXTENSION, _IMAGE, _END = 0x21, 0x2C, 0x3B
_GRAPHIC_CONTROL, _APPLICATION = 0xF9, 0xFF
_LOOPS = (b"NETSCAPE2.0", b"ANIMEXTS1.0")


def plain(data: bytes, max_pixels: int) -> Plain:
    """The first frame of a GIF on its canvas; comments, other extensions and later frames are left out.

    Raises `Rejected`.
    """
    if len(data) < 13:
        raise truncated("its header")
    width, height = _number(data, 6), _number(data, 8)
    check_size(width, height, max_pixels)
    start = position = 13 + _table(data[10])
    control = b""
    while position < len(data):
        kind = data[position]
        if kind == _EXTENSION:
            end = _end_of_blocks(data, position + 2)
            if data[position + 1] == _GRAPHIC_CONTROL:
                control = data[position:end]
            position = end
        elif kind == _IMAGE:
            end = _end_of_image(data, position, (width, height), max_pixels)
            first = data[:start] + control + data[position:end] + bytes((_END,))
            return Plain(first, covered=_place(data, position))
        else:
            what = "a GIF that ends without an image" if kind == _END else "what is no block where a block belongs"
            raise Rejected("damaged", what)
    raise truncated("its first frame")


def stripped(data: bytes) -> bytes:
    """The same frames without comments, texts and what programs add, but how often they are shown; and without what
    follows. Data are a GIF that `plain` takes. Raises `Rejected` where a later frame is cut."""
    position = 13 + _table(data[10])
    kept = [data[:position]]
    while position < len(data) and data[position] in (_EXTENSION, _IMAGE):
        if data[position] == _IMAGE:
            end = _end_of_blocks(data, position + 11 + _table(data[position + 9]))
            shown = True
        else:
            end = _end_of_blocks(data, position + 2)
            loops = data[position + 1] == _APPLICATION and data[position + 3 : position + 14] in _LOOPS
            shown = loops or data[position + 1] == _GRAPHIC_CONTROL
        if shown:
            kept.append(data[position:end])
        position = end
    return b"".join((*kept, bytes((_END,))))


def _end_of_image(data: bytes, position: int, canvas: tuple[int, int], max_pixels: int) -> int:
    if position + 10 > len(data):
        raise truncated("its first frame")
    left, top, right, bottom = _place(data, position)
    check_size(right - left, bottom - top, max_pixels)
    check_size(max(canvas[0], right), max(canvas[1], bottom), max_pixels)
    return _end_of_blocks(data, position + 11 + _table(data[position + 9]))  # 11: with the byte of LZW's code size


def _place(data: bytes, position: int) -> tuple[int, int, int, int]:
    left, top, width, height = (_number(data, position + offset) for offset in (1, 3, 5, 7))
    return left, top, left + width, top + height


def _end_of_blocks(data: bytes, position: int) -> int:
    while position < len(data):
        length = data[position]
        position += 1 + length
        if not length:
            return position
    raise truncated("its first frame")


def _table(flags: int) -> int:
    """How many bytes the colour table has that flags announce."""
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _number(data: bytes, position: int) -> int:
    return int.from_bytes(data[position : position + 2], "little")
