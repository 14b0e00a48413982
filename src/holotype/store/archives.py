"""Opening what images lie in: a pack of a folder, an archive anywhere, a file of a folder tree; the latter two also in
an object store."""

from __future__ import annotations

import errno
import os
import re
from pathlib import Path

from holotype.errors import ArchiveError, BucketError, BucketGone, PackError
from holotype.store.bucket import is_url
from holotype.store.objects import ObjectPath, at_url
from holotype.store.openfiles import MAX_BYTES, OpenFile, RemoteFile

_PACK = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")


def open_pack(folder: Path, pack: str) -> OpenFile:
    """A pack, or a shard of a release, in a folder, open for reading.

    Raises `PackError` for a name that leads out of the folder, OSError where it cannot be opened.
    """
    check_pack_name(pack)
    return OpenFile(folder / pack, os.O_NOFOLLOW)


def check_pack_name(pack: str) -> None:
    """Raises `PackError` for a name that leads out of the place of packs."""
    if not _PACK.fullmatch(pack):
        raise PackError(f"{pack!r} is not the name of a pack")


def open_archive(path: str, size: int, mtime_ns: int) -> OpenFile | RemoteFile:
    """An archive that had so many bytes, and that mtime, when it was imported, open for reading; at a URL an object.

    It may be a symbolic link: where it lies is its owner's choice. Raises `ArchiveError` if it is another now, OSError
    where it cannot be opened.
    """
    file = RemoteFile(at_url(path)) if is_url(path) else OpenFile(path)
    if (file.size, file.mtime_ns) != (size, mtime_ns):
        raise ArchiveError(f"{path} has changed since it was imported (another size or time); import it again")
    return file


def read_file(root: Path, relative: str) -> bytes:
    """The bytes of a file below the folder `root`, named by its parts from there with ``/`` between them.

    `root` may be a symbolic link, but none is followed below it, or a prefix in an object store. Raises `ArchiveError`
    for a name that leads out of `root`, for a link on the way, and for what is not a readable plain file of at most
    256 MiB.
    """
    if isinstance(root, ObjectPath):
        return _read_object(root / relative)
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


def _read_object(path: ObjectPath) -> bytes:
    try:
        return path.bucket.read_whole(path.key, MAX_BYTES)
    except EOFError as error:
        raise ArchiveError(f"{path}: {error} are over the limit of {MAX_BYTES:,}") from error
    except BucketGone as error:
        raise ArchiveError(f"cannot read {path}: there is no such object") from error
    except BucketError as error:
        raise ArchiveError(f"cannot read {path}: {error.reason}") from error


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
