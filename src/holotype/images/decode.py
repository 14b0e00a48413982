"""Encoded bytes to pixels, or a reason why not."""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import simplejpeg
from PIL import Image, ImageOps, UnidentifiedImageError

Pixels = npt.NDArray[np.uint8]

MAX_PIXELS: Final = 80_000_000
"""Default limit on width x height; a larger image is rejected before it is decoded."""

_PILLOW_FORMATS = ("PNG", "GIF", "WEBP", "BMP", "TIFF", "PPM", "AVIF", "JPEG2000")
_ORIENTATION = 0x0112
_ZEROS = bytes(64)
# What Pillow is known to raise on damaged or hostile files.
_PILLOW_ERRORS = (
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


class Rejected(Exception):
    """These bytes are not an image we keep: a reason code and a detail for people."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Decoded:
    """An upright image: `pixels` is ``(height, width)`` grey or ``(height, width, 3)`` RGB, uint8.

    `width` and `height` are those of the whole image, also where `pixels` was decoded smaller.
    """

    pixels: Pixels
    format: str
    mode: str
    width: int
    height: int


def decode(data: bytes, max_pixels: int = MAX_PIXELS, side: int | None = None) -> Decoded:
    """Decode one image completely, turned upright by its EXIF orientation.

    With `side`, a JPEG's pixels may come at 1/2, 1/4 or 1/8 of its size, by scaling in the DCT domain, as long as the
    longer side stays at least 15/16 of `side`. All of the file is decoded and checked all the same.

    JPEG goes through simplejpeg in strict mode, where any warning is an error; everything else through Pillow.
    CMYK becomes RGB, 16-bit greyscale is scaled to 8 bits, palettes are resolved, transparency is laid on
    white, animated images give their first frame. `mode` is the mode as stored.

    Raises `Rejected` with one of the reasons ``empty``, ``unknown_format``, ``too_large``, ``truncated``,
    ``damaged``, ``unsupported``.
    """
    if not data:
        raise Rejected("empty", "no bytes")
    if data.startswith(b"\xff\xd8\xff"):
        return _decode_jpeg(data, max_pixels, side)
    return _decode_with_pillow(data, _PILLOW_FORMATS, max_pixels)


def _check_size(width: int, height: int, max_pixels: int) -> None:
    if width * height > max_pixels:
        raise Rejected("too_large", f"{width} x {height} is over the limit of {max_pixels:,} pixels")


def _decode_jpeg(data: bytes, max_pixels: int, side: int | None) -> Decoded:
    try:
        height, width, space, _ = simplejpeg.decode_jpeg_header(data, strict=True)
    except KeyError:  # a sampling it has no name for, such as 4:4:1
        return _decode_with_pillow(data, ("JPEG",), max_pixels)
    except ValueError as error:
        raise _broken_jpeg(data, error) from error
    try:
        _check_size(width, height, max_pixels)
        target = {"Gray": "GRAY", "CMYK": "CMYK", "YCCK": "CMYK"}.get(space, "RGB")
        factor = 1 if side is None else next((f for f in (8, 4, 2) if 16 * max(height, width) >= 15 * side * f), 1)
        pixels = simplejpeg.decode_jpeg(
            data, target, min_height=-(-height // factor), min_width=-(-width // factor), min_factor=factor, strict=True
        )
    except ValueError as error:
        raise _broken_jpeg(data, error) from error
    if _holds_a_zeroed_block(data):
        raise Rejected("damaged", "a run of zero bytes inside the compressed pixels")
    if target == "CMYK":
        return _decode_with_pillow(data, ("JPEG",), max_pixels)
    orientation = _orientation(data)
    if orientation >= 5:
        height, width = width, height
    flat = pixels[:, :, 0] if target == "GRAY" else pixels
    return Decoded(_turned(flat, orientation), "JPEG", "L" if target == "GRAY" else "RGB", width, height)


def _broken_jpeg(data: bytes, error: ValueError) -> Rejected:
    cut = "remature end of JPEG file" in str(error) or b"\xff\xd9" not in data[-4096:]
    return Rejected("truncated" if cut else "damaged", str(error))


def _holds_a_zeroed_block(data: bytes) -> bool:
    """Whether a baseline JPEG's pixel data holds a long run of zeros that its own Huffman tables rule out.

    Strict decoding misses some zeroed blocks, because Huffman codes resynchronise. Where the all-zeros code of
    every AC table means something other than "end of block", 64 zero bytes would be blocks with all 63 AC
    coefficients set, which no encoder writes. Where it means "end of block" zeros are flat areas, hence legal.
    """
    position, first_symbols = 2, []
    while position + 4 <= len(data) and data[position] == 0xFF:
        marker = data[position + 1]
        if marker == 0xFF:
            position += 1
            continue
        end = position + 2 + int.from_bytes(data[position + 2 : position + 4], "big")
        if marker in range(0xC2, 0xD0) and marker not in (0xC4, 0xC8, 0xCC):
            return False  # progressive or arithmetic: zeros are legal refinement bits
        if marker == 0xC4:
            table = position + 4
            while table + 17 < min(end, len(data)):
                if data[table] >> 4:
                    first_symbols.append(data[table + 17])
                table += 17 + sum(data[table + 1 : table + 17])
        elif marker == 0xDA:
            if not first_symbols or 0 in first_symbols:
                return False
            zeros = data.find(_ZEROS, end)
            return zeros >= 0 and data.find(b"\xff\xd9", end, zeros) < 0  # what follows the end of image is no damage
        position = end
    return False


def _orientation(data: bytes) -> int:
    """The EXIF orientation of a JPEG, 1 to 8; 1 where there is none or the metadata around sound pixels is broken."""
    if data.find(b"Exif\0\0", 0, 16384) < 0:
        return 1
    try:
        found = Image.open(io.BytesIO(data), formats=("JPEG",)).getexif().get(_ORIENTATION, 1)
    except _PILLOW_ERRORS:
        return 1
    return found if found in range(1, 9) else 1


def _turned(pixels: Pixels, orientation: int) -> Pixels:
    if orientation == 1:
        return pixels
    if orientation >= 5:
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)


def _decode_with_pillow(data: bytes, formats: tuple[str, ...], max_pixels: int) -> Decoded:
    try:
        image = Image.open(io.BytesIO(data), formats=formats)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Rejected("too_large", str(error)) from error
    except UnidentifiedImageError as error:
        raise Rejected("unknown_format", "not an image format we read") from error
    except _PILLOW_ERRORS as error:
        raise Rejected("damaged", str(error)) from error
    with image:
        _check_size(*image.size, max_pixels)
        stored_format, mode = image.format or "", image.mode
        try:
            image.load()
            flat = _flatten(ImageOps.exif_transpose(image))
        except _PILLOW_ERRORS as error:
            raise Rejected("truncated" if "truncated" in str(error).lower() else "damaged", str(error)) from error
    return Decoded(flat, stored_format, mode, flat.shape[1], flat.shape[0])


def _flatten(image: Image.Image) -> Pixels:
    if image.mode.startswith("I"):
        values = np.asarray(image)
        sixteen_bits = image.mode != "I" or values.max(initial=0) > 255
        return (values // values.dtype.type(257) if sixteen_bits else values).clip(0, 255).astype(np.uint8)
    if image.mode == "F":
        raise Rejected("unsupported", "floating-point pixels have no defined white")
    if image.mode in ("1", "L"):
        return np.asarray(image.convert("L"))
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        image = Image.new("RGB", layer.size, "white")
        image.paste(layer, mask=layer)
    return np.asarray(image.convert("RGB"))


EXTENSIONS: Final = {
    "JPEG": "jpg",
    "PNG": "png",
    "GIF": "gif",
    "WEBP": "webp",
    "BMP": "bmp",
    "TIFF": "tif",
    "PPM": "ppm",
    "AVIF": "avif",
    "JPEG2000": "jp2",
}
