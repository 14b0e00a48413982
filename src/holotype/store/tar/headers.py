"""What the blocks of a tar header say. Pure: every function takes bytes and returns values.

Formats: POSIX.1-1988 ustar and the older v7; GNU tar's long names and binary numbers; the extended headers of
POSIX.1-2001 (pax). What two readers could understand in two ways is refused. Every ValueError ends a sentence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final
from zlib import adler32

BLOCK: Final = 512
FILES: Final = frozenset((b"0", b"\0", b"7"))
FOLDER: Final = b"5"
NO_FILES: Final = frozenset((FOLDER, b"V", b"D"))
"""Folders, also with GNU's list of what is in them, and GNU's label of a whole tar."""
SPARSE: Final = b"S"
PASSED_OVER: Final = frozenset((b"1", b"2", b"3", b"4", b"6", SPARSE))
"""Links, devices, pipes and sparse files: what is no file in one piece, but cannot be misunderstood either."""
COMPARE: Final = "compare it with the original (its size, its md5)"
DAMAGED: Final = f"it is damaged; {COMPARE}"
LONG_NAME: Final = b"L"
LONG_LINK: Final = b"K"
PAX: Final = b"x"
PAX_GLOBAL: Final = b"g"
LONGEST_NAME: Final = 4096
LONGEST: Final = {LONG_NAME: LONGEST_NAME + 1, LONG_LINK: LONGEST_NAME + 1, PAX: 1 << 20, PAX_GLOBAL: 1 << 20}
"""The headers that say more of the member after them, and how many bytes they may have."""

_SPARSE = "a sparse file, whose bytes are not in one piece: unpack the archive and pack it again without --sparse"
_WITHOUT = "only plain files and folders can be read in place; pack the archive again without it"
_REFUSED = {
    b"1": "a hard link: unpack the archive and pack it again with --hard-dereference",
    b"2": "a symbolic link: unpack the archive and pack it again with --dereference",
    b"3": f"a device: {_WITHOUT}",
    b"4": f"a device: {_WITHOUT}",
    b"6": f"a named pipe: {_WITHOUT}",
    SPARSE: _SPARSE,
    b"M": "the rest of a file that another volume begins: unpack all volumes and pack the files again",
}
_COMPRESSED = (
    (b"\x1f\x8b", "gzip", "gunzip"),
    (b"\xfd7zXZ\0", "xz", "unxz"),
    (b"BZh", "bzip2", "bunzip2"),
    (b"\x28\xb5\x2f\xfd", "zstd", "unzstd"),
    (b"PK\3\4", "zip", "unzip"),
    (b"7z\xbc\xaf\x27\x1c", "7z", "7z x"),
)
_CONTROL = re.compile(r"[\0-\x1f\x7f-\x9f\u2028\u2029]")


def parse_header(block: bytes) -> tuple[bytes, bytes, int]:
    """The type, the name as it is stated, and the size in bytes that a header block gives.

    Raises ValueError where its checksum is wrong, be the sum of unsigned bytes or, as some old programs made it, of
    signed ones, and where a number is none.
    """
    field = block[148:156]
    try:
        stated, size = _number(field), _number(block[124:136])
    except ValueError:
        raise ValueError("a number in its header is not one") from None
    # The lower half of adler32 is 1 + the sum of the bytes modulo 65,521, and is had fifteen times as fast as sum().
    if ((adler32(block) & 0xFFFF) - 1 - sum(field) + 8 * 32 - stated) % 65521:
        signed = memoryview(block).cast("b")
        if sum(signed) - sum(signed[148:156]) + 8 * 32 != stated:
            raise ValueError("the checksum of its header is wrong")
    name = block[:100].partition(b"\0")[0]
    if block[345] and block[257:263] == b"ustar\0":  # GNU tar has times there
        name = block[345:500].partition(b"\0")[0] + b"/" + name
    return block[156:157], name, size


def _number(field: bytes) -> int:
    digits = field.strip(b" \0")
    if digits.isdigit() or not digits:
        return int(digits or b"0", 8)
    if field[0] == 0x80:
        return int.from_bytes(field[1:])
    raise ValueError


def parse_extended(kind: bytes, payload: bytes) -> dict[str, bytes]:
    """The ``path`` and the ``size`` that an extended header states for the member after it; either may be missing.

    There is ``sparse`` where that is a sparse file. Raises ValueError for one that is damaged, and for a global header
    that states any of these.
    """
    if kind == LONG_LINK:
        return {}
    if kind == LONG_NAME:
        return {"path": payload.rstrip(b"\0")}
    records = dict(_records(payload))
    stated = {key.decode(): records[key] for key in (b"path", b"size") if key in records}
    if any(key.startswith(b"GNU.sparse.") or key == b"SCHILY.realsize" for key in records):
        stated["sparse"] = b""
    if stated and kind == PAX_GLOBAL:
        raise ValueError(f"states one {min(stated)} for all its members; pack the archive again")
    if "size" in stated and not re.fullmatch(rb"[0-9]{1,19}", stated["size"]):
        raise ValueError(f"states a size that is not a number: {DAMAGED}")
    return stated


def _records(payload: bytes) -> Iterator[tuple[bytes, bytes]]:
    start = 0
    while start < len(payload):
        digits = payload[start : start + 8].partition(b" ")[0]
        end = start + (int(digits) if digits.isdigit() else 0)
        key, equals, value = payload[start + len(digits) + 1 : end - 1].partition(b"=")
        if not (equals and payload[end - 1 : end] == b"\n"):
            raise ValueError(f"has a damaged extended header: {DAMAGED}")
        yield key, value
        start = end


def safe_name(stated: bytes) -> str:
    r"""The name of a member, without a leading ``./``.

    Raises ValueError where it is empty, not UTF-8, absolute, too long, climbs by ``..`` or has control characters.

    >>> safe_name(b"./n01440764/n01440764_10026.JPEG")
    'n01440764/n01440764_10026.JPEG'
    >>> safe_name(b"../../etc/passwd")
    Traceback (most recent call last):
    ValueError: has a member whose name climbs by '..': '../../etc/passwd'; do not trust this archive
    """
    try:
        name = stated.decode().removeprefix("./")
    except UnicodeDecodeError:
        raise ValueError(
            f"has a member whose name is not UTF-8: {shown(stated)}; pack the archive again with --posix"
        ) from None
    if len(stated) > LONGEST_NAME:
        raise ValueError(f"has a member whose name has {len(stated):,} bytes, over the limit of {LONGEST_NAME:,}")
    if name and name.isprintable() and name[0] != "/" and ".." not in name:
        return name  # nearly all
    if not name or name[0] == "/":
        reason = "is absolute" if name else "is empty"
    elif ".." in name.split("/"):
        reason = "climbs by '..'"
    elif _CONTROL.search(name):
        reason = "has control characters"
    else:
        return name
    raise ValueError(f"has a member whose name {reason}: {shown(stated)}; do not trust this archive")


def shown(name: bytes) -> str:
    """At most 100 bytes of a name, for an error."""
    text = (name if len(name) <= 100 else name[:97] + b"...").decode("utf-8", "backslashreplace")
    return repr(text)


def refused(kind: bytes) -> str:
    """What a member of a type that cannot be read in place is, and what to do about it."""
    return _REFUSED.get(kind, f"of an unknown type {kind!r}: {_WITHOUT}")


def other_format(block: bytes) -> str:
    """What a file that begins with `block` is where that is no tar header; empty where it is not known.

    >>> other_format(b"PK\\3\\4")
    'is compressed (zip): images inside cannot be read in place; unpack it first (unzip)'
    """
    for magic, name, program in _COMPRESSED:
        if block.startswith(magic):
            return f"is compressed ({name}): images inside cannot be read in place; unpack it first ({program})"
    if block.lstrip()[:9].lower().startswith((b"<!doctype", b"<html", b"<head")):
        return "is a web page: a login or an error was saved in place of the archive; fetch it again"
    return "" if block else "is empty; fetch it again"
