"""PNG files of numbers: whether their bytes are those that were written, and what Pillow makes of small numbers."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Final

_SIGNATURE: Final = 8
"""Bytes before the first chunk."""
_CRITICAL: Final = frozenset((b"IHDR", b"PLTE", b"IDAT", b"IEND"))
"""The chunks that pixels follow from, whose checksums Pillow does not all compare."""
_SPREAD: Final = {2: 85, 4: 17}
"""How far apart Pillow puts two neighbouring numbers of grey of so many bits, so that the highest becomes 255."""


def step(data: bytes) -> int:
    """How far apart Pillow puts neighbouring numbers of a grey PNG; 1 where it leaves them as they are.

    Raises ValueError where the file ends early, or a checksum says that its pixels are not those that were written.
    """
    header = b""
    for kind, content in _chunks(data):
        header = header or content
        if kind == b"IEND":
            return _SPREAD.get(header[8], 1) if header[9] == 0 else 1
    raise ValueError("a PNG that ends early")


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The type and the content of each chunk that pixels follow from."""
    at = _SIGNATURE
    while at + 12 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        kind, behind = data[at + 4 : at + 8], at + 8 + length
        if kind in _CRITICAL:
            if zlib.crc32(data[at + 4 : behind]) != int.from_bytes(data[behind : behind + 4], "big"):
                raise ValueError("a PNG with a checksum that is not its own")
            yield kind, data[at + 8 : behind]
        at = behind + 4
