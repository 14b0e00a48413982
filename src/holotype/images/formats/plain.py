"""What every format gives a decoder."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from holotype.images.rejected import Rejected, truncated

_SLACK = 1 << 16  # bytes that encoders are known to leave behind the pixels
_STEP = 1 << 20


@dataclass(frozen=True, slots=True)
class Plain:
    """The first picture of a file by itself, without metadata and further frames, as a decoder is to have it.

    `orientation` is EXIF's, 1 to 8. `depth` is the bits a sample has where they are more than 8. `transparent` is the
    one colour that is so, in samples as stored. `inverted` says that the largest sample is black.
    `shifted` says that decoders give samples of fewer than 8 bits as the upper ones of 8, which leaves white grey.
    `covered` is what an animation's first frame covers of its canvas: left, top, right and bottom; None is all of it.
    """

    data: bytes
    orientation: int = 1
    depth: int = 8
    transparent: tuple[int, ...] = ()
    inverted: bool = False
    shifted: bool = False
    covered: tuple[int, int, int, int] | None = None


def inflated(parts: Iterable[bytes], expected: int, most: int = 0) -> Iterator[bytes]:
    """What a zlib stream holds, in blocks; raises `Rejected` unless it is `expected` bytes, ends, and has the checksum
    that it says.

    It may be up to `most`, and a little more. Decoders stop at the last pixel, and so never come to the checksum.
    """
    stream, done = zlib.decompressobj(), 0
    try:
        for part in parts:
            while part and not stream.eof:
                block = stream.decompress(part, _STEP)
                part, done = stream.unconsumed_tail, done + len(block)
                if done > max(expected, most) + _SLACK:
                    raise Rejected("damaged", "more compressed pixels than the image has")
                yield block
    except zlib.error as error:
        raise Rejected("damaged", f"compressed pixels: {error}") from error
    if not stream.eof or done < expected:
        raise truncated("its compressed pixels")


def check_inflation(parts: Iterable[bytes], expected: int, most: int = 0) -> None:
    """The same where nothing is kept of it. Raises `Rejected`."""
    for _ in inflated(parts, expected, most):
        pass
