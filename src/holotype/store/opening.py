"""Opening what lies beside the images: plain files, and nothing that waits or never ends."""

from __future__ import annotations

import io
import os
import stat
from pathlib import Path

from holotype.errors import ArchiveError
from holotype.files import printable


def opened_file(path: Path) -> io.BufferedReader:
    """A plain file, or a link to one, open for reading its bytes.

    Raises `ArchiveError` for anything else (a folder, a pipe, a device), OSError where it cannot be opened.
    """
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
    if not path.exists():
        return None
    status = path.stat()
    return (status.st_size, status.st_mtime_ns) if stat.S_ISREG(status.st_mode) else (0, 0)


def _descriptor(path: str, flags: int) -> int:
    descriptor = os.open(path, flags | os.O_NONBLOCK)  # a pipe that nobody writes to would hold us up
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise ArchiveError(f"cannot read {printable(path)}: it is not a plain file")
    return descriptor
