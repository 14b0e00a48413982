"""JPEG: its segments up to the first scan."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import simplejpeg

from holotype.images.formats.exif import is_technical, orientation
from holotype.images.rejected import Rejected, check_size

_ZEROS = bytes(64)
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_BASELINE = (0xC0, 0xC1)
_FAST = (*_BASELINE, 0xC2)
_LOSSLESS = (0xC3, 0xC7, 0xCB, 0xCF)
_HIERARCHICAL = (0xC5, 0xC6, 0xCD, 0xCE)
# libjpeg's words for damage that it decodes over.
_TOLD_DAMAGE = ("Corrupt JPEG data", "remature end of JPEG", "nconsistent progression", "Invalid SOS parameters")
_TABLES, _SCAN, _EXIF, _ADOBE, _END = 0xC4, 0xDA, 0xE1, 0xEE, 0xD9
_JFIF, _ICC, _DUCKY, _COMMENT = 0xE0, 0xE2, 0xEC, 0xFE
_PROGRAMS = (
    b"CREATOR: ",
    b"LEAD Technologies",
    b"File written by Adobe",
    b"Created with ",
    b"Created by ",
    b"AppleMark",
    b"Lavc",
)
_ICC_NAME = b"ICC_PROFILE\0"
_MOST_ICC = 0xFFFF - 2 - len(_ICC_NAME) - 2
_BEHIND_A_SCAN = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")  # zeros and restarts are inside it, and bytes that fill


@dataclass(frozen=True, slots=True)
class Head:
    """What stands before the pixels: EXIF orientation, frame marker (0 if none), bits per sample, what the all-zeros
    code of each AC table means, and where the first scan's data begin (0 if nowhere)."""

    orientation: int
    frame: int
    precision: int
    first_symbols: tuple[int, ...]
    scan: int

    @property
    def unsupported(self) -> str:
        """What no decoder here reads, or ""."""
        if self.frame in _LOSSLESS:
            return "lossless JPEG"
        if self.frame in _HIERARCHICAL:
            return "hierarchical JPEG"
        return f"JPEG of {self.precision} bits a sample" if self.precision not in (0, 8) else ""


@dataclass(frozen=True, slots=True)
class Frame:
    """How large a picture says it is, as stored: `height_at` is where its height stands, in two bytes; `sequential`
    whether its rows follow each other in the file."""

    width: int
    height: int
    height_at: int
    orientation: int
    sequential: bool


def read_frame(data: bytes) -> Frame | None:
    """The frame of a grey or YCbCr JPEG of 8 bits a sample, from which it can be decoded fast; None for all else."""
    if not data.startswith(b"\xff\xd8"):
        return None
    turn, scans = 0, b""
    for marker, start, end in _segments(data):
        if marker == _EXIF and not turn and data.startswith(b"Exif\0\0", start + 4):
            turn = orientation(data[start + 4 : end])
        elif marker in _FRAMES:
            scans = data[start : start + 10]
            break
    if len(scans) < 10 or scans[1] not in _FAST or scans[4] != 8 or scans[9] not in (1, 3):
        return None
    height, width = int.from_bytes(scans[5:7], "big"), int.from_bytes(scans[7:9], "big")
    return Frame(width, height, start + 5, turn or 1, scans[1] in _BASELINE)


def _segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """``(marker, start, end)`` of every segment up to the first scan; `start` is where the marker stands."""
    position = 2
    while position + 4 <= len(data) and data[position] == 0xFF:
        marker = data[position + 1]
        if marker == 0xFF:  # fill bytes are legal before markers
            position += 1
            continue
        end = position + 2 + int.from_bytes(data[position + 2 : position + 4], "big")
        yield marker, position, end
        if marker == _SCAN:
            return
        position = end


def read_head(data: bytes) -> Head:
    """The segments before the pixels, wherever metadata stand among them; what is broken in them is as if missing."""
    turn, frame, precision, scan = 0, 0, 0, 0
    symbols: list[int] = []
    for marker, start, end in _segments(data):
        if marker == _TABLES:
            symbols += _first_symbols(data, start + 4, min(end, len(data)))
        elif marker == _EXIF and not turn and data.startswith(b"Exif\0\0", start + 4):
            turn = orientation(data[start + 4 : end])
        elif marker in _FRAMES and not frame:
            frame, precision = marker, data[start + 4] if start + 4 < len(data) else 0
        elif marker == _SCAN:
            scan = end
    return Head(turn or 1, frame, precision, tuple(symbols), scan)


def _first_symbols(data: bytes, table: int, end: int) -> Iterator[int]:
    while table + 17 < end:
        if data[table] >> 4:
            yield data[table + 17]
        table += 17 + sum(data[table + 1 : table + 17])


def holds_a_zeroed_block(data: bytes, head: Head) -> bool:
    """Whether a baseline JPEG's pixel data holds a long run of zeros that its own Huffman tables rule out.

    Strict decoding misses some zeroed blocks, because Huffman codes resynchronise. Where the all-zeros code of
    every AC table means something other than "end of block", 64 zero bytes would be blocks with all 63 AC
    coefficients set, which no encoder writes. Where it means "end of block" zeros are flat areas, hence legal;
    in progressive and arithmetic files they are legal refinement bits.
    """
    if head.frame not in _BASELINE or not head.scan or not head.first_symbols or 0 in head.first_symbols:
        return False
    zeros = data.find(_ZEROS, head.scan)
    return zeros >= 0 and data.find(b"\xff\xd9", head.scan, zeros) < 0  # what follows the end of image is no damage


def without_metadata(data: bytes) -> bytes:
    """The same picture without application segments and comments, but for an Adobe one that makes sense."""
    kept, position = [data[:2]], 2
    for marker, start, end in _segments(data):
        if _is_metadata(marker, data[start + 4 : end]):
            kept.append(data[position:start])
            position = end
    return b"".join((*kept, data[position:]))


def stripped(data: bytes, first: bytes = b"") -> bytes | None:
    """The same coded pixels without metadata, before them, between their scans or behind their end; `first` are
    segments that it gets instead. What JFIF and Adobe say of colours stays, a thumbnail beside it does not.

    None where the segments of a file are in no order that can be followed.
    """
    kept, jfif = list[bytes](), b""
    for marker, start, end in _parts(data):
        content = data[start + 4 : end]
        if marker == _END:
            return b"".join((b"\xff\xd8", jfif, first, *kept, b"\xff\xd9"))
        if marker == _JFIF and content.startswith(b"JFIF\0") and len(content) >= 12:
            jfif = segment(_JFIF, content[:12] + b"\0\0")
        elif not _is_metadata(marker, content):
            kept.append(data[start:end])
    return None


def is_discreet(data: bytes) -> bool:
    """Whether a JPEG says nothing but what pixels and their colours need, and which program wrote it; False where its
    segments are in no order that can be followed, or something follows its end."""
    for marker, start, end in _parts(data):
        content = data[start + 4 : end]
        if marker == _END:
            return not data[end:].strip(b"\0\r\n ")
        if _is_metadata(marker, content) and not _is_technical(marker, content):
            return False
    return False


def _is_technical(marker: int, content: bytes) -> bool:
    """Whether a segment of metadata says nothing of people, places or devices, and shows nothing."""
    if marker == _JFIF:
        return content.startswith(b"JFIF\0") and not any(content[12:14])  # else a thumbnail is in it, or beside it
    if marker == _EXIF:
        return content.startswith(b"Exif\0\0") and is_technical(content)
    if marker == _COMMENT:
        return content.strip(b"\0\r\n ").startswith(_PROGRAMS) or not content.strip(b"\0\r\n ")
    return (marker == _ICC and content.startswith(_ICC_NAME)) or (marker == _DUCKY and content.startswith(b"Ducky"))


def _parts(data: bytes) -> Iterator[tuple[int, int, int]]:
    """``(marker, start, end)`` of all segments up to the end of the image, which is the last if it is there; what
    follows the head of a scan has the marker 0."""
    position = 2
    while data.startswith(b"\xff", position) and position + 4 <= len(data):
        marker = data[position + 1]
        if marker == 0xFF:  # fill bytes are legal before markers
            position += 1
            continue
        if marker in range(0xD0, 0xD9) or marker in (0, 1):  # without a length
            return
        end = position + 2 + int.from_bytes(data[position + 2 : position + 4], "big")
        yield marker, position, end
        position = end
        if marker == _SCAN:
            behind = _BEHIND_A_SCAN.search(data, end)
            if behind is None:
                return
            yield 0, end, behind.start()
            position = behind.start()
        if data.startswith(b"\xff\xd9", position):
            yield _END, position, position + 2
            return


def segment(marker: int, content: bytes) -> bytes:
    """A segment of up to 65,533 bytes."""
    return bytes((0xFF, marker)) + (2 + len(content)).to_bytes(2, "big") + content


def exif_segment(exif: bytes) -> bytes:
    """EXIF as a segment."""
    return segment(_EXIF, b"Exif\0\0" + exif)


def icc_segments(profile: bytes) -> bytes:
    """A colour profile as segments, as many as it takes."""
    parts = [profile[first : first + _MOST_ICC] for first in range(0, len(profile), _MOST_ICC)]
    return b"".join(
        segment(_ICC, _ICC_NAME + bytes((number, len(parts))) + part) for number, part in enumerate(parts, 1)
    )


def _is_metadata(marker: int, content: bytes) -> bool:
    """Whether a segment says nothing of how pixels are coded."""
    if marker == _ADOBE:
        return not _says_a_colour_transform(content)
    return marker in range(0xE0, 0xF0) or marker == 0xFE


def _says_a_colour_transform(adobe: bytes) -> bool:
    return adobe.startswith(b"Adobe") and len(adobe) >= 12 and adobe[11] in (0, 1, 2)


def told_damage(error: Exception) -> bool:
    """Whether strict decoding failed on damage that libjpeg decodes over, and other decoders are silent about."""
    return any(words in str(error) for words in _TOLD_DAMAGE)


def check_part(data: bytes, pixels: int) -> None:
    """Raises `Rejected` where a JPEG that is a part of `pixels` of another file is damaged, or larger than that."""
    head = read_head(data)
    try:
        height, width, *_ = simplejpeg.decode_jpeg_header(data)
        check_size(width, height, 4 * pixels)
        simplejpeg.decode_jpeg(data, "RGB", strict=True)
    except Rejected:
        raise
    except Exception as error:
        if is_cut(data, head) or told_damage(error):
            raise Rejected("damaged", str(error)) from error
    if holds_a_zeroed_block(data, head):
        raise Rejected("damaged", "a run of zero bytes inside the compressed pixels")


def is_cut(data: bytes, head: Head) -> bool:
    """Whether no end of image follows the pixels."""
    return data.find(b"\xff\xd9", head.scan) < 0
