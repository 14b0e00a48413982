"""Decoding no more of a picture than is looked at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import cv2
import numpy as np
import simplejpeg

from holotype.images.decode import MAX_PIXELS, decode
from holotype.images.flatten import Pixels, turned
from holotype.images.formats import jpeg
from holotype.images.rejected import check_size, most_pixels
from holotype.images.scratch import Scratch

Box = tuple[float, float, float, float]
"""Left, top, right and bottom edge in pixels of the upright picture."""

# libjpeg's first warning where a picture ends before its data do; it is the only one where the rows before are sound.
_REST: Final = "extraneous bytes before marker"
_FACTORS: Final = (8, 4, 2)
_ZEROS: Final = bytes(64)
_TAIL: Final = 1 << 12


_pixels = Scratch()


def decode_part(
    data: bytes, choose: Callable[[int, int], Box], size: int, all_rows: bool = False
) -> tuple[Pixels, Box]:
    """The pixels of the part that `choose` makes of an upright picture's width and height, and where it lies in them.

    The pixels are upright, ``(height, width, 3)`` RGB as `decode` makes them, of at least the part. Those of a JPEG may
    come at 1/2, 1/4 or 1/8 of its size where both sides of the part keep at least `size`, and end soon below the part:
    what follows is not decoded, so that only damage is noticed that decoding down to there tells of, and files that are
    cut short or hold a run of zeros; `all_rows` decodes them all. **The pixels are overwritten by the next call in this
    thread.**

    Raises `Rejected` as `decode` does.
    """
    frame = jpeg.read_frame(data)
    if frame is None:
        return _whole(data, choose)
    check_size(frame.width, frame.height, min(MAX_PIXELS, most_pixels(len(data))))
    turns = frame.orientation >= 5
    box = choose(*((frame.height, frame.width) if turns else (frame.width, frame.height)))
    factor = next((one for one in _FACTORS if min(box[2] - box[0], box[3] - box[1]) >= one * size), 1)
    if data.find(_ZEROS, frame.height_at) >= 0:  # maybe of a block that was lost: the careful way tells
        return _whole(data, lambda *_: box)
    stop = frame.height if all_rows or not _ends(data) else _stop(frame, box, factor)
    pixels = _decoded(data, frame, stop, factor)
    if pixels is None:
        return _whole(data, lambda *_: box)
    upright = turned(pixels, frame.orientation)
    if factor == 1:
        return upright, box
    x, y = -(-frame.width // factor) / frame.width, -(-frame.height // factor) / frame.height
    x, y = (y, x) if turns else (x, y)
    return upright, (box[0] * x, box[1] * y, box[2] * x, box[3] * y)


def _whole(data: bytes, choose: Callable[[int, int], Box]) -> tuple[Pixels, Box]:
    found = decode(data)
    pixels = found.pixels if found.pixels.ndim == 3 else cv2.cvtColor(found.pixels, cv2.COLOR_GRAY2RGB)
    return np.asarray(pixels, np.uint8), choose(found.width, found.height)


def _stop(frame: jpeg.Frame, box: Box, factor: int) -> int:
    """The height to decode: a few rows more than the part has, for colours are spread from the rows below."""
    stop = int(box[3]) + 4 * factor + 1
    parts = frame.sequential and frame.orientation == 1
    return stop if parts and stop + 16 <= frame.height else frame.height


def _ends(data: bytes) -> bool:
    """Whether an end of image stands near the end of a file."""
    return data.rfind(b"\xff\xd9", max(0, len(data) - _TAIL)) >= 0


def _decoded(data: bytes, frame: jpeg.Frame, stop: int, factor: int) -> Pixels | None:
    """The first `stop` rows at a scale; None where that cannot be done, or what was decoded has damage.

    A sequential JPEG that says it is lower than it is, is decoded as far as it says.
    """
    said: bytes | bytearray = data
    if stop < frame.height:
        said = bytearray(data)
        said[frame.height_at : frame.height_at + 2] = stop.to_bytes(2, "big")
    height, width = -(-stop // factor), -(-frame.width // factor)
    pixels = _pixels.of(height, width, 3)
    try:
        simplejpeg.decode_jpeg(
            said, "RGB", min_height=height, min_width=width, min_factor=factor, buffer=pixels, strict=True
        )
    except Exception as error:  # noqa: BLE001 whatever it is that fast decoding cannot do, the slow way tells
        if said is data or _REST not in str(error):
            return None
    return pixels
