"""Packs: append-only tar files in which every image is one `pread` away.

An image is a member named ``<sha256>.<extension>``, its thumbnail one named ``<sha256>.thumb.jpg``: a pack is a
WebDataset shard and can be checked against itself.
Bytes reach the disk before the catalog hears of them. After a crash a pack may therefore hold whole members
that no catalog knows, and then an unfinished tail: the tail is cut off on open, the whole members are kept
as `PackWriter.orphans` and reused when their image comes again. In an object store a pack is one object for each
commit: see `holotype.store.pack_objects`.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import re
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Protocol

from holotype.errors import PackError
from holotype.files import sync_folder
from holotype.store.location import Location
from holotype.store.tar.headers import BLOCK
from holotype.store.tar.scan import whole_members
from holotype.store.tar.writing import tar_member

ROTATE_AT: Final = 1 << 30
THUMBNAIL: Final = "thumb.jpg"
_END = bytes(2 * BLOCK)
_IOV_MAX = 512
_NAME = re.compile(r"pack-(\d{6})\.tar")


@dataclass(frozen=True, slots=True)
class Commit:
    """How much is best written at once: so many `files`, or so many `bytes`."""

    files: int
    bytes: int


class Packs(Protocol):
    """Where images are written to: packs in a folder, or in an object store."""

    @property
    def commit_at(self) -> Commit:
        """How much to write at once."""

    @property
    def orphans(self) -> Mapping[str, Location]:
        """Whole images that were written but that no catalog knows, by sha256."""

    def write(self, members: Sequence[tuple[str, bytes]]) -> list[Location]:
        """Write members, each ``(name, data)``, and tell where they lie: durable, and all or none. Raises
        `PackError`."""

    def take_back(self, written: Sequence[Location]) -> None:
        """Take back all that the last `write` wrote, which no catalog has heard of, where that can be."""

    def __enter__(self) -> Packs: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class PackWriter:
    """Appends members to one pack in a folder, which it locks; several writers use several packs.

    `committed_end` tells how far the catalog's addresses in a pack reach (0 if there are none); whatever lies
    beyond is checked member by member against its name. `write` does all of it; `append` only buffers, `commit` makes
    it durable, `rollback` forgets it. Not thread-safe: give each thread its own.
    """

    commit_at: Final = Commit(96, 32 << 20)

    def __init__(
        self, folder: Path, committed_end: Callable[[str], int] = lambda _: 0, rotate_at: int = ROTATE_AT
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._rotate_at = rotate_at
        self._buffer: list[bytes] = []
        self._pending = 0
        self.orphans: dict[str, Location] = {}
        """Whole images of this pack that were written but that no catalog knows, by sha256."""
        self._file = -1
        self._open(committed_end)

    def __enter__(self) -> PackWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pack(self) -> str:
        """The file name of the pack now written to."""
        return self._name

    def write(self, members: Sequence[tuple[str, bytes]]) -> list[Location]:
        """Write members, each ``(name, data)``, durably, in a new pack where this one is full; where they lie."""
        self.rotate_if_full()
        try:
            written = [self.append(name, data) for name, data in members]
        except BaseException:
            self.rollback()
            raise
        self.commit()
        return written

    def take_back(self, written: Sequence[Location]) -> None:
        """Cut off all that the last `write` wrote, which no catalog has heard of."""
        if written:
            self.undo(written[0].offset - BLOCK)

    def append(self, name: str, data: bytes) -> Location:
        """Queue a member; its address becomes true with `commit`."""
        parts = tar_member(name, data)
        address = Location(self._name, self._end + self._pending + BLOCK, len(data))
        self._buffer.extend(parts)
        self._pending += sum(map(len, parts))
        return address

    def commit(self) -> None:
        """Write and fsync what was appended since the last commit, and leave a well-formed tar behind it.

        Raises `PackError` where the disk is full; the pack is then as it was.
        """
        if not self._buffer:
            return
        try:
            _write_at(self._file, [*self._buffer, _END], self._end)
            os.fsync(self._file)
        except OSError as error:
            needed = self._pending
            self.rollback()
            if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                raise PackError(
                    f"the disk is full: {self._folder} cannot take {needed:,} more bytes; "
                    "free some space and run the same command again"
                ) from error
            raise PackError(f"cannot write to {self._folder / self._name}: {error.strerror}") from error
        self._end += self._pending
        self._buffer, self._pending = [], 0

    def undo(self, end: int) -> None:
        """Cut the pack back to `end`, a value of `end` before a commit whose addresses were not used."""
        self._buffer, self._pending = [], 0
        self._end = end
        self._cut()

    def rollback(self) -> None:
        """Forget what was appended since the last commit."""
        self.undo(self._end)

    @property
    def end(self) -> int:
        """Length in bytes of the committed members."""
        return self._end

    def rotate_if_full(self) -> None:
        """Go on in a new pack if this one has reached the size to rotate at. Only between commits."""
        if self._end >= self._rotate_at and not self._buffer:
            self.close()
            self.orphans = {}
            self._create()

    def close(self) -> None:
        """Forget uncommitted members and release the pack."""
        if self._file >= 0:
            if self._buffer:
                self.rollback()
            os.close(self._file)
            self._file = -1

    def _open(self, committed_end: Callable[[str], int]) -> None:
        for path in sorted(self._folder.glob("pack-*.tar")):
            file = os.open(path, os.O_RDWR)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(file)
                continue
            end, orphans = self._recover(file, path.name, committed_end(path.name))
            if orphans or end < self._rotate_at:
                self._file, self._name, self._end, self.orphans = file, path.name, end, orphans
                self._cut()
                return
            os.close(file)
        self._create()

    def _recover(self, file: int, pack: str, committed: int) -> tuple[int, dict[str, Location]]:
        """The end of the last whole member, and the images beyond `committed`."""
        end = -(-committed // BLOCK) * BLOCK
        orphans: dict[str, Location] = {}
        if end > os.fstat(file).st_size:
            os.close(file)
            raise PackError(f"{self._folder / pack} is shorter than the catalog says: restore it from a backup")
        for name, offset, length, following in whole_members(file, end):
            digest, _, extension = name.partition(".")
            if extension != THUMBNAIL:
                if hashlib.sha256(os.pread(file, length, offset)).hexdigest() != digest:
                    break
                orphans[digest] = Location(pack, offset, length)
            end = following
        return end, orphans

    def _create(self) -> None:
        taken = [int(found[1]) for path in self._folder.iterdir() if (found := _NAME.fullmatch(path.name))]
        number = max(taken, default=-1) + 1
        while (file := _create_locked(self._folder / f"pack-{number:06d}.tar")) is None:
            number += 1
        self._file, self._name, self._end = file, f"pack-{number:06d}.tar", 0
        sync_folder(self._folder)

    def _cut(self) -> None:
        os.ftruncate(self._file, self._end)
        if self._end:
            _write_at(self._file, [_END], self._end)


def _create_locked(path: Path) -> int | None:
    """A new, empty, locked file; None where another writer has it, be it in the moment before it is locked."""
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o644)
    except FileExistsError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        return None
    if os.fstat(file).st_size:  # another writer took it, wrote and left
        os.close(file)
        return None
    return file


def _write_at(file: int, parts: Sequence[bytes], offset: int) -> None:
    left = deque(memoryview(part) for part in parts if part)
    while left:
        written = os.pwritev(file, [left[i] for i in range(min(len(left), _IOV_MAX))], offset)
        offset += written
        while left and written >= len(left[0]):
            written -= len(left.popleft())
        if written:
            left[0] = left[0][written:]
