"""What we keep of an image besides its bytes: digest, size, hash, thumbnail."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt
import simplejpeg

from holotype.images.decode import Decoded, decode
from holotype.images.flatten import Pixels
from holotype.images.rejected import MAX_PIXELS, Rejected

HASH_BITS: Final = 256
THUMBNAIL_SIDE: Final = 256


def _dct_rows() -> npt.NDArray[np.float32]:
    """Rows 1..16 of the 64-point DCT-II."""
    frequency, sample = np.arange(1, 17)[:, None], np.arange(64)[None, :]
    return np.cos(np.pi * frequency * (2 * sample + 1) / 128).astype(np.float32)


_DCT = _dct_rows()
_NOISE = 50
"""Coefficients of an image that is blank, or the same along an axis, are rounding noise below this; one grey level of
contrast gives about 1,600. Such noise must not become a hash: the hash is then all zeros."""
_MIRROR = np.where(np.arange(1, 17) % 2, -1, 1).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """A sound image: sha256 of its bytes, stored format and mode, upright size in pixels, 256-bit DCT hash of
    the image and of its mirror image (32 bytes each), and a JPEG thumbnail whose longer side is at most 256; and the
    EXIF orientation, 1 to 8, that it is stored in."""

    sha256: str
    format: str
    mode: str
    width: int
    height: int
    hash: bytes
    mirrored: bytes
    thumbnail: bytes
    orientation: int = 1


@dataclass(frozen=True, slots=True)
class Rejection:
    """An image we do not keep: sha256 of its bytes, a reason code and a detail for people; `for_now` if something that
    is not installed would read it."""

    sha256: str
    reason: str
    detail: str
    for_now: bool = False


@contextmanager
def many_at_once() -> Iterator[None]:
    """Settings for fingerprinting many images on many threads, put back at the end.

    OpenCV does not split each small resize over threads of its own, and Pillow's remarks on damaged metadata, which
    would be thousands, are not printed.
    """
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module=r"PIL\.")
            yield
    finally:
        cv2.setNumThreads(threads)


def fingerprint_batch(batch: Sequence[bytes], max_pixels: int = MAX_PIXELS) -> list[Fingerprint | Rejection]:
    """One row per encoded image, in order: its `Fingerprint`, or the `Rejection` that says why there is none."""
    return [_fingerprint(data, max_pixels) for data in batch]


def _fingerprint(data: bytes, max_pixels: int) -> Fingerprint | Rejection:
    digest = hashlib.sha256(data).hexdigest()
    try:
        image = decode(data, max_pixels, THUMBNAIL_SIDE)
    except Rejected as error:
        return Rejection(digest, error.reason, error.detail, error.for_now)
    small = _shrunk(image)
    straight, mirrored = dct_hashes(small)
    thumbnail = encode_jpeg(small, quality=85)
    size = image.width, image.height
    return Fingerprint(digest, image.format, image.mode, *size, straight, mirrored, thumbnail, image.orientation)


def make_thumbnail(data: bytes) -> bytes:
    """The thumbnail of an encoded image by itself. Raises `holotype.images.rejected.Rejected`."""
    return encode_jpeg(_shrunk(decode(data, side=THUMBNAIL_SIDE)), quality=85)


def _shrunk(image: Decoded) -> Pixels:
    return fit(image.pixels, min(THUMBNAIL_SIDE, max(image.width, image.height)))


def fit(pixels: Pixels, side: int) -> Pixels:
    """`pixels` scaled so that the longer side is `side`.

    Halved by averaging while at least twice too large, then one bilinear step: nearly the speed of bilinear
    alone, without its aliasing.
    """
    while max(pixels.shape[:2]) >= 2 * side and min(pixels.shape[:2]) > 1:
        height, width = pixels.shape[0] // 2, pixels.shape[1] // 2
        pixels = _resize(pixels[: 2 * height, : 2 * width], width, height, cv2.INTER_AREA)
    height, width = pixels.shape[:2]
    scale = side / max(height, width)
    if scale == 1:
        return pixels
    return _resize(pixels, max(1, round(width * scale)), max(1, round(height * scale)), cv2.INTER_LINEAR)


def _resize(pixels: Pixels, width: int, height: int, how: int) -> Pixels:
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=how), np.uint8)


def dct_hashes(pixels: Pixels) -> tuple[bytes, bytes]:
    """The 256-bit hash of an image and of its mirror image, 32 bytes each.

    Bit ``16 v + u`` tells whether DCT coefficient ``(v+1, u+1)`` of the 64 x 64 luminance is above the upper
    median of all 256 (the layout of PDQ: Facebook, "The TMK+PDQF video-hashing algorithm and the PDQ image-hashing
    algorithm", 2019). Mirroring negates the odd horizontal frequencies, so the twin costs nothing.
    """
    grey = pixels if pixels.ndim == 2 else np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8)
    if min(grey.shape) >= 128:  # halving by averaging is fast; what is left is small enough for bilinear
        grey = fit(grey, max(grey.shape) // 2)
    square = cv2.resize(grey, (64, 64), interpolation=cv2.INTER_LINEAR).astype(np.float32)
    coefficients = _DCT @ (square - square.mean()) @ _DCT.T
    if np.abs(coefficients).max() < _NOISE:
        coefficients[:] = 0
    return _bits(coefficients), _bits(coefficients * _MIRROR)


def _bits(coefficients: npt.NDArray[np.float32]) -> bytes:
    flat = coefficients.ravel()
    upper_median = np.partition(flat, HASH_BITS // 2)[HASH_BITS // 2]
    return np.packbits(flat > upper_median).tobytes()


def encode_jpeg(pixels: Pixels, quality: int) -> bytes:
    """Baseline JPEG of grey or RGB pixels, 4:2:0."""
    if pixels.ndim == 2:
        grey = np.ascontiguousarray(pixels[:, :, None])
        return bytes(simplejpeg.encode_jpeg(grey, quality, "GRAY", "Gray"))
    return bytes(simplejpeg.encode_jpeg(np.ascontiguousarray(pixels), quality, "RGB", "420"))
