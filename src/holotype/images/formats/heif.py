"""AVIF and HEIC: boxes, items, and whether the primary picture is all there (ISO/IEC 23008-12)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from holotype.images.formats.boxes import Box, boxes
from holotype.images.formats.plain import Plain
from holotype.images.rejected import Rejected, truncated

_HEVC = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs")
_AV1 = (b"avif", b"avis")
_EITHER = (b"mif1", b"msf1")
_METADATA = (b"Exif", b"mime")
_SHOWN = (b"ftyp", b"mdat")
_MAX_BRANDS, _MAX_ITEMS = 256, 4096


def family(data: bytes) -> str:
    """``AVIF``, ``HEIF`` or "", by the brands a file says it has."""
    if data[4:8] != b"ftyp":
        return ""
    end = min(int.from_bytes(data[:4], "big"), len(data), _MAX_BRANDS)
    brands = [data[8:12], *(data[at : at + 4] for at in range(16, end, 4))]
    if data[8:12] not in (*_HEVC, *_AV1, *_EITHER):
        return ""
    for brand in brands:
        if brand in _AV1:
            return "AVIF"
        if brand in _HEVC:
            return "HEIF"
    return "AVIF" if data.find(b"av01", 0, 1 << 14) >= 0 else "HEIF"


@dataclass
class _Items:
    """The items of a file: which is primary, their types, ``(offset, length)`` of their data, what they refer to."""

    primary: int = 0
    kinds: dict[int, tuple[bytes, int]] = field(default_factory=dict)
    extents: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    references: list[tuple[bytes, int, tuple[int, ...]]] = field(default_factory=list)

    def of_the_primary(self) -> set[int]:
        """The primary item, the tiles it is made of, and what is its transparency."""
        found = {self.primary}
        for _ in range(4):  # tiles of tiles: nobody goes deeper
            tiles = [targets for kind, item, targets in self.references if kind == b"dimg" and item in found]
            found.update(*tiles)
        return found | {item for kind, item, targets in self.references if kind == b"auxl" and self.primary in targets}


def plain(data: bytes) -> Plain:
    """The file with its metadata hidden and its last box ending where the file does, if the primary item's data are
    all there. Raises `Rejected`."""
    patched = bytearray(data)
    items = None
    for box in boxes(data, 0, len(data)):
        if box.kind == b"meta" and items is None:
            if box.end > len(data):
                raise truncated("its index")
            items = _read_items(data, box)
        elif box.end > len(data):
            if box.kind == b"moov" or items is None:
                raise truncated("its pixels" if items else "its index")
            patched[box.position : box.position + 4] = bytes(4)  # until the end
    if items is None and b"moov" not in data:
        raise truncated("its index")
    if items is not None:
        _check_all_there(items, len(data))
        _hide_metadata(patched, items)
    return Plain(bytes(patched))


def stripped(data: bytes) -> bytes | None:
    """The same file with its metadata overwritten by zeros where they lie, and without what follows; None where they
    lie in the index or a film, where they cannot be told apart. Data are one that `plain` takes."""
    patched, items = bytearray(data), _Items()
    for box in boxes(data, 0, len(data)):
        if box.kind == b"moov":
            return None
        if box.kind == b"meta":
            items = _read_items(data, box)
        elif box.kind not in _SHOWN:
            _blank(patched, box.start, box.end)
            patched[box.position + 4 : box.position + 8] = b"free"
    for item, (kind, _) in items.kinds.items():
        if kind in _METADATA:
            if not items.extents.get(item):
                return None
            for offset, size in items.extents[item]:
                _blank(patched, offset, offset + size)
    _hide_metadata(patched, items)
    return bytes(patched)


def _blank(data: bytearray, start: int, end: int) -> None:
    end = min(end, len(data))
    data[start:end] = bytes(max(0, end - start))


def _check_all_there(items: _Items, length: int) -> None:
    for item in items.of_the_primary():
        for offset, size in items.extents.get(item, ()):
            if offset + max(size, 1) > length:
                raise truncated("its pixels")


def _hide_metadata(data: bytearray, items: _Items) -> None:
    """Give metadata a type that nobody looks for; an animation's first frame is its primary item."""
    for kind, position in items.kinds.values():
        if kind in _METADATA:
            data[position : position + 4] = b"none"
    if data[8:12] == b"avis" and items.primary in items.kinds:
        data[8:12] = b"avif"


def _read_items(data: bytes, meta: Box) -> _Items:
    items = _Items()
    try:
        for box in boxes(data, meta.start + 4, meta.end):
            if box.end > meta.end:
                raise Rejected("damaged", "an index whose parts are larger than it is")
            version = data[box.start]
            if box.kind == b"pitm":
                (items.primary,) = struct.unpack_from(">H" if version == 0 else ">I", data, box.start + 4)
            elif box.kind == b"iinf":
                items.kinds.update(_kinds(data, box))
            elif box.kind == b"iloc":
                items.extents.update(_extents(data, box))
            elif box.kind == b"iref":
                items.references.extend(_references(data, box))
    except struct.error as error:
        raise Rejected("damaged", "an index that ends before it should") from error
    return items


def _kinds(data: bytes, box: Box) -> Iterator[tuple[int, tuple[bytes, int]]]:
    """Each item's type, and where it is written."""
    first = box.start + (6 if data[box.start] == 0 else 8)
    for entry in boxes(data, first, box.end):
        version = data[entry.start]
        if entry.kind == b"infe" and version in (2, 3):
            (item,) = struct.unpack_from(">H" if version == 2 else ">I", data, entry.start + 4)
            position = entry.start + (8 if version == 2 else 10)
            yield item, (data[position : position + 4], position)


def _references(data: bytes, box: Box) -> Iterator[tuple[bytes, int, tuple[int, ...]]]:
    wide = "H" if data[box.start] == 0 else "I"
    size = struct.calcsize(">" + wide)
    for entry in boxes(data, box.start + 4, box.end):
        source, count = struct.unpack_from(f">{wide}H", data, entry.start)
        yield entry.kind, source, struct.unpack_from(f">{count}{wide}", data, entry.start + size + 2)


def _extents(data: bytes, box: Box) -> Iterator[tuple[int, list[tuple[int, int]]]]:
    """Where items lie in the file itself; those that lie in the index are part of it."""
    version = data[box.start]
    sizes = data[box.start + 4], data[box.start + 5]
    offset_size, length_size, base_size = sizes[0] >> 4, sizes[0] & 15, sizes[1] >> 4
    index_size = sizes[1] & 15 if version in (1, 2) else 0
    wide = ">H" if version < 2 else ">I"
    position = box.start + 6
    (count,) = struct.unpack_from(wide, data, position)
    position += struct.calcsize(wide)
    for _ in range(min(count, _MAX_ITEMS)):
        (item,) = struct.unpack_from(wide, data, position)
        position += struct.calcsize(wide)
        method = 0
        if version in (1, 2):
            method = data[position + 1] & 15
            position += 2
        base = int.from_bytes(data[position + 2 : position + 2 + base_size], "big")
        position += 2 + base_size
        (parts,) = struct.unpack_from(">H", data, position)
        position += 2
        found = []
        told = index_size + offset_size + length_size
        for _ in range(parts if told else min(parts, 1)):  # where nothing is told, there is nothing to count
            if position > box.end:
                raise Rejected("damaged", "an index that ends before it should")
            at = position + index_size
            offset = base + int.from_bytes(data[at : at + offset_size], "big")
            found.append((offset, int.from_bytes(data[at + offset_size : at + offset_size + length_size], "big")))
            position = at + offset_size + length_size
        if method == 0:
            yield item, found
