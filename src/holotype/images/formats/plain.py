"""What every format gives a decoder."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass

from holotype.images.rejected import Rejected, truncated

_SLACK = 1 << 16  # bytes that encoders are known to leave behind the pixels
_STEP = 1 << 20


@dataclass(frozen=True, slots=True)
class Plain:
    """The first picture of a file by itself, without metadata and further frames, as a decoder is to have it.

    `orientation` is EXIF's, 1 to 8. `depth` is the bits a sample has where they are more than 8. `transparent` is the
    one colour that is so, in samples as stored. `inverted` says that the largest sample is black.
    """

    data: bytes
    orientation: int = 1
    depth: int = 8
    transparent: tuple[int, ...] = ()
    inverted: bool = False


def check_inflation(parts: Iterable[bytes], expected: int, most: int = 0) -> None:
    """Raises `Rejected` unless a zlib stream holds `expected` bytes, ends, and has the checksum it says.

    It may hold up to `most`, and a little more. Decoders stop at the last pixel, and so never come to the checksum.
    What is inflated is not kept.
    """
    stream, done = zlib.decompressobj(), 0
    try:
        for part in parts:
            while part and not stream.eof:
                done += len(stream.decompress(part, _STEP))
                part = stream.unconsumed_tail
                if done > max(expected, most) + _SLACK:
                    raise Rejected("damaged", "more compressed pixels than the image has")
    except zlib.error as error:
        raise Rejected("damaged", f"compressed pixels: {error}") from error
    if not stream.eof or done < expected:
        raise truncated("its compressed pixels")
