"""Writing files so that a reader sees all of one or nothing of it."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import hashlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path


def write_atomically(path: Path, data: bytes) -> None:
    """Write `data` to `path` by temporary file, fsync and rename; makes the folder. See `write_parts_atomically`."""
    write_parts_atomically(path, [data])


def write_parts_atomically(path: Path, parts: Iterable[bytes]) -> None:
    """As `write_atomically`, of data that need not be in memory at once.

    A link stays, and the file that it points to is replaced. A device or pipe is written to: it is no file to replace.
    """
    if path.exists() and not path.is_file():
        with path.open("wb") as file:
            file.writelines(parts)
    else:
        _write(Path(os.path.realpath(path)), parts, 0o644, os.replace)


def create_atomically(path: Path, data: bytes, mode: int) -> None:
    """Write `data` to `path`, which must not exist; of several at once, one wins. Raises FileExistsError."""
    _write(path, [data], mode, os.link)


def _write(path: Path, parts: Iterable[bytes], mode: int, name: Callable[[str, Path], None]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.writelines(parts)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, mode)
        name(temporary, path)
    finally:
        Path(temporary).unlink(missing_ok=True)
    sync_folder(path.parent)


def printable(name: str | os.PathLike[str]) -> str:
    r"""A file's name as text that can be stored and printed: bytes that are not UTF-8 are shown as ``\xff``."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def local(path: Path) -> str:
    """A path to give to a library that takes what begins like ``s3:`` for a URL: an absolute one never does."""
    return os.path.abspath(path)


def hindrance(path: Path) -> str:
    """Why a file or folder that is there cannot be written, "" where it can be."""
    if os.access(path, os.W_OK, effective_ids=os.access in os.supports_effective_ids):
        return ""
    if os.statvfs(path).f_flag & os.ST_RDONLY:
        return f"{printable(path)} lies on a disk that is read-only"
    return f"{printable(path)} may not be written by you"


def locked(path: Path, how: int, mode: int) -> int:
    """A handle of the file at `path`, made if need be and locked as `fcntl.flock` is told to.

    Whoever has it alone may take the file away. Raises BlockingIOError where another has it and `how` does not wait,
    and OSError where there can be no such file.
    """
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, mode)
        try:
            fcntl.flock(handle, how)
            if is_at(path, handle):
                return handle
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)  # it was taken away between our look and our lock: a lock of it is nobody's


def is_at(path: Path, handle: int) -> bool:
    """Whether a file that is open is the one at `path`."""
    try:
        return os.path.samestat(os.lstat(path), os.fstat(handle))
    except FileNotFoundError:
        return False


def sync_folder(path: Path) -> None:
    """Make renames and new names in a folder durable."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_file_system(handle: int) -> bool:
    """Make durable, in one go, all that was written to the file system of an open file or folder: for thousands of new
    files that takes a thousandth of syncing each. False where the system has no such call (Linux does: syncfs).

    Raises OSError where something could not be written since `handle` was opened.
    """
    if sys.platform != "linux":
        return False
    if ctypes.CDLL(None, use_errno=True).syncfs(handle):
        number = ctypes.get_errno()
        if number in (errno.ENOSYS, errno.EPERM):  # not in this kernel, or not in this sandbox
            return False
        raise OSError(number, os.strerror(number))
    return True


def sha256_file(path: Path) -> str:
    """The sha256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def allow_files(count: int) -> None:
    """Let this process have as many files and connections open, where the system lets it."""
    with suppress(ImportError, ValueError, OSError):
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft < count:
            resource.setrlimit(
                resource.RLIMIT_NOFILE, (count if hard == resource.RLIM_INFINITY else min(count, hard), hard)
            )
