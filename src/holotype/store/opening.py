"""Opening what lies beside the images: plain files, and nothing that waits or never ends."""

from __future__ import annotations

import io
import os
import stat
from pathlib import Path
from typing import Any

from holotype.errors import ArchiveError
from holotype.files import printable
from holotype.store.objects import ObjectPath, statuses_below
from holotype.store.openfiles import RemoteFile

_STEP = 1 << 20


def opened_file(path: Path) -> io.BufferedReader:
    """A plain file, or a link to one, open for reading its bytes.

    It may be an object in an object store. Raises `ArchiveError` for anything else (a folder, a pipe, a device),
    OSError where it cannot be opened.
    """
    if isinstance(path, ObjectPath):
        return io.BufferedReader(_Stream(RemoteFile(path)), _STEP)
    return open(path, "rb", opener=_descriptor)


def small_file(path: Path, most: int) -> bytes:
    """The bytes of a plain file of `most` bytes at the most. Raises `ArchiveError` for any other."""
    try:
        with opened_file(path) as file:
            data = file.read(most + 1)
    except OSError as error:
        raise ArchiveError(f"cannot read {printable(path)}: {error.strerror or error}") from error
    if len(data) > most:
        raise ArchiveError(f"{printable(path)} has more than the {most:,} bytes allowed")
    return data


def state_of(path: Path) -> tuple[int, int] | None:
    """Size in bytes and mtime in nanoseconds of a plain file, by which a change is noticed; zeros for what is none.

    None where there is nothing.
    """
    if isinstance(path, ObjectPath):
        try:
            status = path.stat()
        except FileNotFoundError:
            return None
    elif not path.exists():
        return None
    else:
        status = path.stat()
    return (status.st_size, status.st_mtime_ns) if stat.S_ISREG(status.st_mode) else (0, 0)


class Tree:
    """The files below a folder as they are now, by their paths from there; those below a prefix of an object store are
    listed once, before the first is asked for."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._objects: dict[str, os.stat_result] | None = None

    def status(self, path: str) -> os.stat_result | None:
        """A file's size and times; None where there is none. Links are not followed."""
        if isinstance(self._root, ObjectPath):
            if self._objects is None:
                self._objects = dict(statuses_below(self._root))
            return self._objects.get(path)
        try:
            return (self._root / path).lstat()
        except OSError:
            return None


def _descriptor(path: str, flags: int) -> int:
    descriptor = os.open(path, flags | os.O_NONBLOCK)  # a pipe that nobody writes to would hold us up
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise ArchiveError(f"cannot read {printable(path)}: it is not a plain file")
    return descriptor


class _Stream(io.RawIOBase):
    """An object as a file that is read forwards, a stretch at a time."""

    def __init__(self, file: RemoteFile) -> None:
        self._file, self._at = file, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._file.size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, into: Any) -> int:
        length = max(0, min(len(into), self._file.size - self._at))
        into[:length] = self._file.read(self._at, length)
        self._at += length
        return length
