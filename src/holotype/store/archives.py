"""Reading images where they lie: at an offset in an archive, or as a file of a folder tree."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from holotype.errors import ArchiveError
from holotype.store.openfiles import MAX_BYTES, OpenFile, OpenFiles

_OPEN_FILES = 64


class ArchiveReader:
    """Reads addresses in archives, each by one `pread`; keeps up to 64 files open. Thread-safe.

    An archive may be a symbolic link: where it lies is its owner's choice.
    """

    def __init__(self) -> None:
        self._files = OpenFiles(_open_archive, _OPEN_FILES)

    def read(self, path: Path, offset: int, length: int, expected: tuple[int, int] | None = None) -> bytes:
        """The `length` bytes (at most 256 MiB) from byte `offset` of the archive at `path`.

        `expected` is the size in bytes and the mtime in nanoseconds that the archive had when it was imported: it is
        compared whenever the archive is opened. Raises `ArchiveError` if it is another now, or the bytes are not there.
        """
        if length > MAX_BYTES:
            raise ArchiveError(f"{path}: {length:,} bytes at {offset:,} are over the limit of {MAX_BYTES:,}")
        try:
            return self._files[os.fspath(path), expected].read(offset, length)
        except EOFError as error:
            raise ArchiveError(f"{path} has {error}: it is shorter than it was; import it again") from error
        except OSError as error:
            raise ArchiveError(f"cannot read {path}: {error.strerror}") from error

    def close(self) -> None:
        """Close every file."""
        self._files.clear()


def _open_archive(key: tuple[str, tuple[int, int] | None]) -> OpenFile:
    path, expected = key
    file = OpenFile(path)
    if expected not in (None, (file.size, file.mtime_ns)):
        raise ArchiveError(f"{path} has changed since it was imported (another size or time); import it again")
    return file


def read_file(root: Path, relative: str) -> bytes:
    """The bytes of a file below the folder `root`, named by its parts from there with ``/`` between them.

    `root` may be a symbolic link, but none is followed below it. Raises `ArchiveError` for a name that leads out of
    `root`, for a link on the way, and for what is not a readable plain file of at most 256 MiB.
    """
    try:
        file = _open_below(root, relative)
        if file.size > MAX_BYTES:
            raise ArchiveError(f"{relative!r} in {root}: {file.size:,} bytes are over the limit of {MAX_BYTES:,}")
        return file.read(0, file.size)
    except ValueError as error:  # it has a NUL or a lone surrogate
        raise ArchiveError(f"{relative!r} is not the name of a file in {root}") from error
    except EOFError as error:
        raise ArchiveError(f"{relative!r} in {root} was cut short while it was read") from error
    except OSError as error:
        link = error.errno in (errno.ELOOP, errno.ENOTDIR)
        reason = "it is a symbolic link or lies below one, and links are not followed" if link else error.strerror
        raise ArchiveError(f"cannot read {relative!r} in {root}: {reason}") from error


def _open_below(root: Path, relative: str) -> OpenFile:
    parts = relative.split("/")
    if not {"", ".", ".."}.isdisjoint(parts):
        raise ArchiveError(f"{relative!r} is not the name of a file in {root}")
    folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for part in parts[:-1]:
            inner = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
            folder, outer = inner, folder
            os.close(outer)
        return OpenFile(parts[-1], os.O_NOFOLLOW, folder)
    finally:
        os.close(folder)
