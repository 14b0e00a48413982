"""Pictures as a release stores them: smaller, without metadata, upright."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from holotype.images.blur import Edges, blur
from holotype.images.decode import EXTENSIONS, Decoded, decode
from holotype.images.flatten import Pixels, turned_back
from holotype.images.formats import icc, jpeg, png
from holotype.images.formats.exif import only_orientation

Boxes = npt.NDArray[np.int64]
Sizes = npt.NDArray[np.int64]

LONGEST_JPEG: Final = 65_500
"""The longest side, in pixels, that libjpeg writes."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A picture as it is stored: its bytes, their sha256, Pillow's name of format and mode, the extension of a file;
    upright size in pixels, and the EXIF orientation, 1 to 8, that the bytes have."""

    data: bytes
    extension: str
    format: str
    mode: str
    width: int
    height: int
    orientation: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Variant:
    """What becomes of the pictures of a release: a function from encoded bytes to `Stored`.

    Pictures whose shorter side is longer than `short_side` pixels are made so small, by averaging over areas, and
    encoded as JPEG of `quality` (1 to 100; 4:2:0); none is enlarged, and with None none is made smaller. Turned ones
    are stored upright where `orientation` is "apply"; with "keep" pixels stay as they lie, and EXIF says their
    orientation.

    EXIF, with places and serial numbers, XMP, comments, thumbnails, further frames and what hides behind the end of a
    picture are taken out of all. What needs no new pixels keeps those that it has, bit for bit, where it is JPEG or
    PNG; whatever else is encoded anew becomes JPEG, or PNG where a side is longer than 65,500 pixels. Transparency
    is laid on white then, and CMYK and deep colours become 8-bit RGB, as `decode` has it; grey stays grey. A colour
    profile stays with its pixels, which are not converted, unless it is sRGB's, or of inks that became RGB.

    The same bytes give the same bytes, as long as OpenCV's JPEG encoder is the same.

    Raises ValueError for sizes, qualities and words that make no sense, and, called, `Rejected` as `decode` does.

    >>> Variant(short_side=256).size(500, 375)
    (341, 256)
    """

    short_side: int | None = None
    quality: int = 90
    orientation: Literal["apply", "keep"] = "apply"

    def __post_init__(self) -> None:
        if self.short_side is not None and self.short_side < 1:
            raise ValueError(f"the shorter side has at least 1 pixel, not {self.short_side}")
        if self.quality not in range(1, 101):
            raise ValueError(f"quality is a whole number from 1 to 100, not {self.quality}")
        if self.orientation not in ("apply", "keep"):
            raise ValueError(f"orientation is 'apply' or 'keep', not {self.orientation!r}")

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Width and height, upright, of what an image of an upright width and height becomes."""
        short = min(width, height)
        if self.short_side is None or short <= self.short_side:
            return width, height
        return _scaled(width, self.short_side, short), _scaled(height, self.short_side, short)

    def __call__(self, data: bytes, faces: Sequence[Edges] = ()) -> Stored:
        """The picture in some bytes as it is to be stored, with `faces`, in pixels of the upright picture, blurred."""
        image = decode(data)
        turn = image.orientation if self.orientation == "keep" else 1
        if faces:
            return self._anew(data, replace(image, pixels=blur(image.pixels, faces)), turn)
        if self.size(image.width, image.height) == (image.width, image.height) and turn == image.orientation:
            kept = bare(data, image.format, image.mode, turn)
            if kept is not None:
                return _stored(kept, image.format, image.mode, image.width, image.height, turn)
        return self._anew(data, image, turn)

    def _anew(self, data: bytes, image: Decoded, turn: int) -> Stored:
        """New pixels, or the same ones encoded anew."""
        width, height = self.size(image.width, image.height)
        pixels = image.pixels
        if (width, height) != (image.width, image.height):
            pixels = np.asarray(cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
        grey = pixels.ndim == 2
        lying = turned_back(pixels, turn)
        profile = icc.telling(_profile(data), grey) if image.mode != "CMYK" else b""
        kind = "JPEG" if max(width, height) <= LONGEST_JPEG else "PNG"
        encoded = _jpeg(lying, self.quality) if kind == "JPEG" else _png(lying)
        found = _with(encoded, kind, profile, turn)
        return _stored(encoded if found is None else found, kind, "L" if grey else "RGB", width, height, turn)


def scaled_boxes(boxes: Boxes, sizes: Sizes, stored: Sizes) -> Boxes:
    """Boxes ``(boxes, 4)`` of inclusive pixels x_min, y_min, x_max, y_max in pictures of upright `sizes`, width and
    height ``(boxes, 2)``, as they are where the pictures are `stored` in other sizes.

    A box covers its pixels to their outer edges. Edges are scaled and rounded to the nearest pixel's edge, so that
    boxes that touch go on touching, and all of a picture stays all of it. One that gets thinner than a pixel is the
    pixel that its middle lies in. Boxes that reach out of the picture are cut at its edge first.

    >>> scaled_boxes(np.array([[0, 10, 99, 19]]), np.array([[200, 100]]), np.array([[100, 50]])).tolist()
    [[0, 5, 49, 9]]
    """
    low, high = np.clip(boxes[:, :2], 0, sizes - 1), np.clip(boxes[:, 2:], 0, sizes - 1) + 1
    high = np.maximum(high, low + 1)
    first, behind = ((2 * edge * stored + sizes) // (2 * sizes) for edge in (low, high))
    middle = np.minimum((low + high) * stored // (2 * sizes), stored - 1)
    thin = behind <= first
    return np.concatenate([np.where(thin, middle, first), np.where(thin, middle, behind - 1)], axis=1)


def _scaled(side: int, wanted: int, short: int) -> int:
    return (2 * side * wanted + short) // (2 * short)


def bare(data: bytes, kind: str, mode: str, turn: int) -> bytes | None:
    """The coded pixels of a JPEG or PNG of a mode as they are, without metadata but a colour profile and the EXIF
    orientation `turn`; None where they have to be encoded anew."""
    if kind not in ("JPEG", "PNG"):
        return None
    return _with(data, kind, icc.telling(_profile(data), mode in ("1", "L", "LA") or mode.startswith("I")), turn)


def as_png(data: bytes) -> Stored:
    """The upright pixels that `decode` makes of a picture as PNG, with its colour profile. Raises `Rejected`."""
    image = decode(data)
    grey = image.pixels.ndim == 2
    profile = icc.telling(_profile(data), grey) if image.mode != "CMYK" else b""
    encoded = _png(image.pixels)
    found = _with(encoded, "PNG", profile, 1)
    return _stored(found or encoded, "PNG", "L" if grey else "RGB", image.width, image.height, 1)


def _with(data: bytes, kind: str, profile: bytes, turn: int) -> bytes | None:
    """A JPEG or PNG without metadata but a colour profile and an orientation other than 1."""
    exif = only_orientation(turn) if turn != 1 else b""
    if kind == "PNG":
        first = [png.icc_chunk(profile)] if profile else []
        return png.stripped(data, [*first, *([(b"eXIf", exif)] if exif else [])])
    return jpeg.stripped(data, (jpeg.exif_segment(exif) if exif else b"") + jpeg.icc_segments(profile))


def _profile(data: bytes) -> bytes:
    """The colour profile in a file; nothing where metadata are broken."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            found = image.info.get("icc_profile")
    except Exception:  # noqa: BLE001 the pixels were decoded: whatever it is, it is about metadata
        return b""
    return found if isinstance(found, bytes) else b""


def _jpeg(pixels: Pixels, quality: int) -> bytes:
    """JPEG with Huffman tables of its own: 3 % smaller than simplejpeg's, and 0.05 dB nearer to its pixels."""
    ways = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_OPTIMIZE, 1]
    sampling = [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420]
    return _encoded(".jpg", pixels, ways + (sampling if pixels.ndim == 3 else []))


def _png(pixels: Pixels) -> bytes:
    return _encoded(".png", pixels, [cv2.IMWRITE_PNG_COMPRESSION, 6])


def _encoded(extension: str, pixels: Pixels, ways: list[int]) -> bytes:
    ordered = np.ascontiguousarray(pixels if pixels.ndim == 2 else pixels[:, :, ::-1])
    return bytes(cv2.imencode(extension, ordered, ways)[1])


def _stored(data: bytes, kind: str, mode: str, width: int, height: int, turn: int) -> Stored:
    return Stored(data, EXTENSIONS[kind], kind, mode, width, height, turn, hashlib.sha256(data).hexdigest())
