"""One process at a time makes a folder of a name."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from holotype.errors import ReleaseError


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder's name, which falls with the process at the latest.

    It is that of a hidden file beside the folder, which goes when the lock falls. Raises `ReleaseError` where another
    holds it, and OSError where there can be no such file.
    """
    path = folder.with_name(f".{folder.name}.lock")
    try:
        handle = _locked(path)
    except BlockingIOError as error:
        raise ReleaseError(f"another process is making {folder} right now") from error
    try:
        yield
    finally:
        with suppress(OSError):
            path.unlink()  # still locked: who has opened it already sees that it is not there any more
        os.close(handle)


def _locked(path: Path) -> int:
    """A handle of the file at `path`, made if need be and locked. Raises BlockingIOError where another has it."""
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_at(path, handle):
                return handle
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)  # it was taken away between our look and our lock: a lock of it is nobody's


def _is_at(path: Path, handle: int) -> bool:
    try:
        return os.path.samestat(os.lstat(path), os.fstat(handle))
    except FileNotFoundError:
        return False
