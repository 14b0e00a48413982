"""Netpbm: PBM, PGM and PPM, plain and raw."""

from __future__ import annotations

import re
import warnings
from typing import Final

import numpy as np
import numpy.typing as npt

from holotype.images.rejected import Rejected, check_size, truncated

MAGIC: Final = re.compile(rb"P[1-6](?=[\s#])")
FLOATING: Final = re.compile(rb"P[fF]\s")
_GAP = rb"(?:\s|#[^\r\n]*[\r\n])+"
_SIZE = re.compile(rb"P[1-6]" + _GAP + rb"(\d{1,9})" + _GAP + rb"(\d{1,9})")
_MAXIMUM = re.compile(_GAP + rb"(\d{1,5})")
_HEADER_BYTES = 1 << 16
_BITMAPS, _COLOURS, _PLAIN = b"14", b"36", b"123"


def netpbm(data: bytes, max_pixels: int) -> tuple[npt.NDArray[np.uint8], str]:
    """Pixels, ``(height, width)`` or ``(height, width, 3)``, and Pillow's mode; the declared maximum becomes 255.

    Raises `Rejected`.
    """
    kind = data[1:2]
    if (found := _SIZE.match(data, 0, _HEADER_BYTES)) is None:
        raise _no_header(data)
    width, height, maximum, end = int(found[1]), int(found[2]), 1, found.end()
    if kind not in _BITMAPS:
        if (found := _MAXIMUM.match(data, end, end + _HEADER_BYTES)) is None:
            raise _no_header(data)
        maximum, end = int(found[1]), found.end()
    check_size(width, height, max_pixels)
    if not 0 < maximum < 65536:
        raise Rejected("damaged", f"{maximum} is no maximum of a sample")
    row = width * (3 if kind in _COLOURS else 1)
    read = _plain if kind in _PLAIN else _raw
    pixels = read(data, end, (row, height), maximum if kind not in _BITMAPS else 0)
    return pixels.reshape((height, width, 3) if kind in _COLOURS else (height, width)), _mode(kind, maximum)


def _mode(kind: bytes, maximum: int) -> str:
    if kind in _BITMAPS:
        return "1"
    return "RGB" if kind in _COLOURS else "I" if maximum > 255 else "L"


def _no_header(data: bytes) -> Rejected:
    return truncated("its header") if len(data) < 40 else Rejected("damaged", "no netpbm header")


def _raw(data: bytes, end: int, size: tuple[int, int], maximum: int) -> npt.NDArray[np.uint8]:
    row, height = size
    if data[end : end + 1].strip():  # decoders disagree where pixels begin then
        raise Rejected("damaged", "no white space between the header and the pixels")
    end += 1
    length = ((row + 7) // 8 if not maximum else row * (2 if maximum > 255 else 1)) * height
    if end + length > len(data):
        raise truncated("its last row")
    stored = np.frombuffer(data, np.uint8, length, end)
    if not maximum:
        bits = np.unpackbits(stored.reshape(height, -1), axis=1, count=row)
        return (1 - bits) * np.uint8(255)
    return _scaled(stored.view(">u2") if maximum > 255 else stored, maximum)


def _scaled(samples: npt.NDArray[np.generic], maximum: int) -> npt.NDArray[np.uint8]:
    if maximum == 255 and samples.dtype == np.uint8:
        return samples.astype(np.uint8)
    values = np.minimum(np.arange(65536 if maximum > 255 else 256), maximum)
    upper = maximum > 255  # the upper bits, as of 16-bit samples of every format
    table = values * 256 // (maximum + 1) if upper else (values * 255 + maximum // 2) // maximum
    return np.asarray(table.astype(np.uint8)[samples])


def _numbers(text: bytes) -> npt.NDArray[np.int32]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # older NumPy only warns
            return np.fromstring(text, np.int32, sep=" ")
    except (ValueError, DeprecationWarning) as error:
        raise Rejected("damaged", "what is no number among the samples") from error


def _plain(data: bytes, end: int, size: tuple[int, int], maximum: int) -> npt.NDArray[np.uint8]:
    """Numbers as text; those of a bitmap may stand without white space between them."""
    row, height = size
    text = re.sub(rb"#[^\r\n]*", b"", data[end:]) if b"#" in data[end:] else data[end:]
    if not maximum:
        found = np.frombuffer(text, np.uint8)
        samples = found[(found != 0x20) & ~((found >= 0x09) & (found <= 0x0D))] - ord("0")
    else:
        samples = _numbers(text)
    samples = samples[: row * height]
    if len(samples) < row * height:
        raise truncated("its last row")
    if samples.size and (samples.min() < 0 or samples.max() > max(maximum, 1)):
        raise Rejected("damaged", "a sample over the maximum")
    return _scaled(samples, maximum) if maximum else (1 - samples.astype(np.uint8)) * np.uint8(255)
