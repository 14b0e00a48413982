"""Pictures as they are sent to people who are to judge them: two sizes, and never the same bytes twice."""

from __future__ import annotations

import struct
from functools import cache
from typing import Final

import cv2
import numpy as np

from holotype.images.decode import decode
from holotype.images.fingerprint import encode_jpeg, fit

LARGE_SIDE: Final = 1024
NOISE: Final = 1024
"""Random bytes that `disguised` takes: as many as may be needed."""


def large(data: bytes) -> bytes:
    """An image as a JPEG whose longer side is at most 1024, upright, without metadata.

    Raises `holotype.images.rejected.Rejected`.
    """
    image = decode(data, side=LARGE_SIDE)
    return encode_jpeg(fit(image.pixels, min(LARGE_SIDE, max(image.pixels.shape[:2]))), quality=88)


def size_within(width: int, height: int, side: int) -> tuple[int, int]:
    """Width and height of an image that is sent with its longer side at most `side`."""
    scale = min(1.0, side / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def exact(data: bytes, side: int) -> bytes:
    """An image as a JPEG of just the size that `size_within` says, upright, without metadata: what is drawn on it can
    be told in the image's own pixels.

    Raises `holotype.images.rejected.Rejected`.
    """
    image = decode(data, side=side)
    size = size_within(image.width, image.height, side)
    pixels = image.pixels
    if pixels.shape[1::-1] != size:
        pixels = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
    return encode_jpeg(pixels, quality=90)


@cache
def placeholder() -> bytes:
    """What stands in the place of an image that is not to be seen any more: a JPEG of 256 x 192 with a slanted bar."""
    pixels = np.full((192, 256), 224, np.uint8)
    cv2.line(pixels, (16, 176), (240, 16), (160,), 6, cv2.LINE_AA)
    return encode_jpeg(pixels, quality=85)


def disguised(jpeg: bytes, noise: bytes) -> bytes:
    """The same picture as other bytes of another length: with a comment of 64 to 575 of the random bytes `noise`.

    Whoever compares lengths or digests does not learn that they were shown a picture before.
    """
    length = 64 + int.from_bytes(noise[:2], "big") % 512
    comment = noise[2 : 2 + length]
    return jpeg[:2] + b"\xff\xfe" + struct.pack(">H", len(comment) + 2) + comment + jpeg[2:]
