"""Encoded bytes to pixels, or a reason why not."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import simplejpeg
from PIL import Image, ImageFile, features

from holotype.images.flatten import Pixels, flatten, turned
from holotype.images.formats import bmp, gif, heif, jpeg, jpeg2000, netpbm, png, tiff, webp
from holotype.images.formats.magic import EXTENSIONS, sniff
from holotype.images.formats.plain import Plain
from holotype.images.rejected import MAX_PIXELS, Rejected, check_size, most_pixels

__all__ = ["EXTENSIONS", "MAX_PIXELS", "Decoded", "Rejected", "decode"]

_PLAIN: Final[Mapping[str, Callable[[bytes, int], Plain]]] = {
    "PNG": png.plain,
    "GIF": gif.plain,
    "WEBP": webp.plain,
    "BMP": bmp.plain,
    "TIFF": tiff.plain,
    "JPEG2000": jpeg2000.plain,
    "AVIF": lambda data, _: heif.plain(data),
    "HEIF": lambda data, _: heif.plain(data),
}
_FEATURES = {"AVIF": "avif", "WEBP": "webp", "JPEG2000": "jpg_2000"}  # which not every Pillow is built with
_ORIENTATION = 0x0112
# What Pillow and its plugins are known to raise on damaged or hostile files.
_ERRORS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    Image.DecompressionBombError,
    LookupError,
    NameError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
    Warning,  # where the user has made warnings errors
)


@dataclass(frozen=True, slots=True)
class Decoded:
    """An upright image: `pixels` is ``(height, width)`` grey or ``(height, width, 3)`` RGB, uint8.

    `width` and `height` are those of the whole image, also where `pixels` was decoded smaller. `orientation` is the
    one of EXIF, 1 to 8, that it was turned upright from; 1 for HEIC, which turns itself.
    """

    pixels: Pixels
    format: str
    mode: str
    width: int
    height: int
    orientation: int = 1


def decode(data: bytes, max_pixels: int = MAX_PIXELS, side: int | None = None) -> Decoded:
    """Decode the first picture of a file completely, turned upright by its EXIF orientation.

    With `side`, a JPEG's pixels may come at 1/2, 1/4 or 1/8 of its size, by scaling in the DCT domain, as long as the
    longer side stays at least 15/16 of `side`. All of the file is decoded and checked all the same.

    What a file is, is told by its first bytes. Its structure says whether the picture is all there, and checksums that
    the format has are compared. Only then are the pixels decoded, without the metadata around them: JPEG by simplejpeg
    in strict mode, where any warning is an error, netpbm here, HEIC by pillow-heif and everything else by Pillow.
    CMYK becomes RGB, deep samples are scaled by their declared depth, palettes are resolved, transparency is laid on
    white; of animations and pages the first is the image, and what follows it does not matter. `mode` is Pillow's name
    of the mode as stored.

    Raises `Rejected` with one of the reasons ``empty``, ``unknown_format``, ``too_large``, ``truncated``,
    ``damaged``, ``unsupported``.
    """
    if not data:
        raise Rejected("empty", "no bytes")
    max_pixels = min(max_pixels, most_pixels(len(data)))
    kind = sniff(data)
    if kind == "JPEG":
        return _decode_jpeg(data, max_pixels, side)
    if kind == "PPM":
        return _decode_netpbm(data, max_pixels)
    if not kind:
        raise Rejected("unknown_format", "not an image format we read")
    return _decode_with_pillow(_PLAIN[kind](data, max_pixels), kind, max_pixels)


def _decode_jpeg(data: bytes, max_pixels: int, side: int | None) -> Decoded:
    head = jpeg.read_head(data)
    try:
        decoded = _decode_fast(data, head, max_pixels, side)
    except Rejected:
        raise
    except Exception:  # noqa: BLE001 whatever it is that strict decoding cannot do, it may be about metadata
        decoded = _decode_bare(jpeg.without_metadata(data), head, max_pixels, side)
    if jpeg.holds_a_zeroed_block(data, head):
        raise Rejected("damaged", "a run of zero bytes inside the compressed pixels")
    return decoded


def _decode_fast(data: bytes, head: jpeg.Head, max_pixels: int, side: int | None) -> Decoded:
    height, width, space, _ = simplejpeg.decode_jpeg_header(data, strict=True)
    check_size(width, height, max_pixels)
    target = {"Gray": "GRAY", "CMYK": "CMYK", "YCCK": "CMYK"}.get(space, "RGB")
    factor = 1 if side is None else next((f for f in (8, 4, 2) if 16 * max(height, width) >= 15 * side * f), 1)
    pixels = simplejpeg.decode_jpeg(
        data, target, min_height=-(-height // factor), min_width=-(-width // factor), min_factor=factor, strict=True
    )
    if target == "CMYK":  # sound; Pillow knows what Adobe's inks mean
        return _decode_with_pillow(Plain(jpeg.without_metadata(data), head.orientation), "JPEG", max_pixels)
    if head.orientation >= 5:
        height, width = width, height
    flat, mode = (pixels[:, :, 0], "L") if target == "GRAY" else (pixels, "RGB")
    return Decoded(turned(flat, head.orientation), "JPEG", mode, width, height, head.orientation)


def _decode_bare(data: bytes, head: jpeg.Head, max_pixels: int, side: int | None) -> Decoded:
    """A JPEG without metadata, by the fast decoder or, what that cannot do for whatever reason, by the slow one."""
    try:
        return _decode_fast(data, head, max_pixels, side)
    except Rejected:
        raise
    except Exception as error:
        if jpeg.is_cut(data, head):
            raise Rejected("truncated", str(error)) from error
        if head.unsupported:
            raise Rejected("unsupported", head.unsupported) from error
        if jpeg.told_damage(error):
            raise Rejected("damaged", str(error)) from error
        return _decode_with_pillow(Plain(data, head.orientation), "JPEG", max_pixels)


def _decode_netpbm(data: bytes, max_pixels: int) -> Decoded:
    if netpbm.FLOATING.match(data):
        raise Rejected("unsupported", "floating-point pixels have no defined white")
    pixels, mode = netpbm.netpbm(data, max_pixels)
    return Decoded(pixels, "PPM", mode, pixels.shape[1], pixels.shape[0])


def _decode_with_pillow(plain: Plain, kind: str, max_pixels: int) -> Decoded:
    """Pixels of what is known to be all there: what Pillow refuses of it is damaged."""
    try:
        with _opened(plain.data, kind) as image:
            check_size(*image.size, max_pixels)
            mode = image.mode
            image.load()
            # AVIF and HEIC say themselves how they lie; Pillow tells AVIF's as if it were EXIF's
            turn = image.getexif().get(_ORIENTATION, 1) if kind == "AVIF" else plain.orientation
            flat = turned(flatten(image, plain), turn)
    except _ERRORS as error:
        if isinstance(error, Image.DecompressionBombError | Image.DecompressionBombWarning):
            raise Rejected("too_large", str(error)) from error
        if kind in _FEATURES and not features.check(_FEATURES[kind]):
            raise Rejected("unsupported", f"this Pillow reads no {kind}: pip install --upgrade pillow", True) from error
        raise Rejected("damaged", str(error) or type(error).__name__) from error
    return Decoded(flat, kind, mode, flat.shape[1], flat.shape[0], turn)


def _opened(data: bytes, kind: str) -> Image.Image:
    if kind != "HEIF":
        return Image.open(io.BytesIO(data), formats=(kind,))
    try:
        from pillow_heif.as_plugin import HeifImageFile
    except ImportError as error:
        raise Rejected("unsupported", "HEIC needs an extra: pip install 'holotype[heif]'", True) from error
    found: ImageFile.ImageFile = HeifImageFile(io.BytesIO(data))  # type: ignore[no-untyped-call]
    return found
