"""Holding a pack against what a catalog says of it: every address, and what no address names."""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from holotype.store.packs import THUMBNAIL
from holotype.store.tar.headers import BLOCK
from holotype.store.tar.scan import whole_members

_END: Final = bytes(2 * BLOCK)


class Addressed(NamedTuple):
    """An image as the catalog says that it lies in a pack: its sha256, and where it and its thumbnail are, in bytes."""

    sha256: str
    offset: int
    length: int
    thumbnail_offset: int
    thumbnail_length: int

    @property
    def end(self) -> int:
        """Where the later of both ends."""
        return max(self.offset + self.length, self.thumbnail_offset + self.thumbnail_length)


@dataclass(frozen=True, slots=True)
class PackFound:
    """What was found of a pack: a line for each address that is not right; how many whole members and bytes of them no
    address names, of which `orphans` lie behind all addresses; and the bytes of an unfinished `tail`.

    Where a writer has the pack, what lies behind all addresses is its business, and not looked at.
    """

    problems: tuple[str, ...] = ()
    unnamed: int = 0
    unnamed_bytes: int = 0
    orphans: int = 0
    tail: int = 0


def check_pack(path: Path, addressed: Sequence[Addressed], quick: bool = False) -> PackFound:
    """Hold a pack against its addresses; `quick` reads the headers of members, and no image.

    Raises OSError where it cannot be read.
    """
    with path.open("rb") as file:
        handle = file.fileno()
        committed = -(-max((one.end for one in addressed), default=0) // BLOCK) * BLOCK
        if (size := os.fstat(handle).st_size) < committed:
            return PackFound((f"has {size:,} bytes, and addresses reach to byte {committed:,}",))
        problems = [said for one in addressed for said in _wrong(handle, one, quick)]
        named = {one.offset for one in addressed} | {one.thumbnail_offset for one in addressed}
        end, unnamed, count, orphans = 0, 0, 0, 0
        for name, offset, length, following in whole_members(handle, 0):
            if offset >= committed and not _is_whole(handle, name, offset, length):
                break
            if offset not in named:
                count, unnamed = count + 1, unnamed + length
                orphans += offset >= committed
            end = following
        if end < committed:
            problems.append(f"cannot be read as a tar beyond byte {end:,}")
        return PackFound(tuple(problems), count, unnamed, *_beyond(handle, max(end, committed), orphans))


def _beyond(handle: int, end: int, orphans: int) -> tuple[int, int]:
    """The orphans of a pack, and the bytes of its tail; none of both where a writer has it."""
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return 0, 0
    size = os.fstat(handle).st_size
    ended = size in (end, end + len(_END)) and os.pread(handle, len(_END), end) in (b"", _END)
    return orphans, 0 if ended else size - end


def _wrong(handle: int, one: Addressed, quick: bool) -> Iterator[str]:
    """What is not as an address says."""
    image = _member(handle, one.offset)
    if image is None or image[0].partition(".")[0] != one.sha256 or image[1] != one.length:
        yield f"has no image {one.sha256} of {one.length:,} bytes at byte {one.offset:,}"
    elif not quick and hashlib.sha256(os.pread(handle, one.length, one.offset)).hexdigest() != one.sha256:
        yield f"has other bytes than those of {one.sha256} at byte {one.offset:,}"
    if _member(handle, one.thumbnail_offset) != (f"{one.sha256}.{THUMBNAIL}", one.thumbnail_length):
        yield f"has no thumbnail of {one.sha256} at byte {one.thumbnail_offset:,}"


def _member(handle: int, offset: int) -> tuple[str, int] | None:
    """The name and the length of the member whose data begin at `offset`."""
    member = next(iter(whole_members(handle, offset - BLOCK)), None) if offset >= BLOCK else None
    return None if member is None else (member.name, member.size)


def _is_whole(handle: int, name: str, offset: int, length: int) -> bool:
    """Whether what lies behind all addresses was written to its end: an image tells by its name."""
    digest, _, extension = name.partition(".")
    return extension == THUMBNAIL or hashlib.sha256(os.pread(handle, length, offset)).hexdigest() == digest


def cut_tail(path: Path, committed: int) -> int:
    """Cut off what an interrupted writer left unfinished behind whole members; how many bytes that were.

    Nothing is cut where a writer has the pack, or before byte `committed`.
    """
    with _locked(path) as handle:
        if handle is None or (size := os.fstat(handle).st_size) < committed:
            return 0
        end = start = -(-committed // BLOCK) * BLOCK
        for name, offset, length, following in whole_members(handle, start):
            if not _is_whole(handle, name, offset, length):
                break
            end = following
        os.ftruncate(handle, end)
        if end:
            os.pwrite(handle, _END, end)
        os.fsync(handle)
        return size - end


@contextmanager
def _locked(path: Path) -> Iterator[int | None]:
    """A pack open for writing, and nobody else's; None where a writer has it."""
    handle = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
    try:
        yield handle if _is_ours(handle) else None
    finally:
        os.close(handle)


def _is_ours(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def pack_digest(path: Path, end: int) -> str:
    """The sha256 of the first `end` bytes of a pack, in hex. Raises EOFError where it is shorter."""
    digest, left = hashlib.sha256(), end
    with path.open("rb") as file:
        while left:
            if not (data := file.read(min(left, 1 << 20))):
                raise EOFError(f"{path} has no {end:,} bytes")
            digest.update(data)
            left -= len(data)
    return digest.hexdigest()
