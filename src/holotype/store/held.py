"""Folders in the user's cache that whoever reads them holds, so that no other process takes them away meanwhile.

Beside a folder lies ``NAME.lock``: readers share it for as long as their process lives, and whoever takes the folder
away has it alone. Its time of change tells when the folder was used last.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Final

from holotype.files import is_at, locked

_SUFFIX: Final = ".lock"
_held: Final[dict[Path, int]] = {}
_lock = Lock()


def _forked() -> None:
    global _lock  # a thread that had it is not in this process
    _lock = Lock()


os.register_at_fork(after_in_child=_forked)


def hold(folder: Path) -> None:
    """Hold a folder, which need not be there, until this process ends; it is used now. Waits while another process
    takes it away. On a disk that is read-only nobody can, and nothing is held."""
    lock = _lock_of(folder)
    with suppress(OSError), _lock:
        if folder in _held and not is_at(lock, _held[folder]):  # somebody deleted the whole cache
            os.close(_held.pop(folder))
        if folder not in _held:
            folder.parent.mkdir(0o700, parents=True, exist_ok=True)
            _held[folder] = locked(lock, fcntl.LOCK_SH, 0o600)
        os.utime(_held[folder])


def listed(shelf: Path) -> list[tuple[int, int, Path]]:
    """When each folder on a shelf was last used, in nanoseconds, how many bytes it has, and where it lies."""
    found = []
    with suppress(OSError), os.scandir(shelf) as entries:
        for folder in {shelf / entry.name.removesuffix(_SUFFIX) for entry in entries}:
            with suppress(OSError):
                lock = _lock_of(folder)
                used = (lock if lock.exists() else folder).stat().st_mtime_ns
                found.append((used, _size(folder), folder))
    return found


def take_away(folder: Path) -> bool:
    """Remove a folder and all in it, unless a process holds it. Whether it is gone. Raises OSError."""
    lock = _lock_of(folder)
    try:
        handle = locked(lock, fcntl.LOCK_EX | fcntl.LOCK_NB, 0o600)
    except BlockingIOError:
        return False
    try:
        shutil.rmtree(folder, ignore_errors=True)
        if folder.exists():
            return False
        lock.unlink()
    finally:
        os.close(handle)
    return True


def _lock_of(folder: Path) -> Path:
    return folder.with_name(folder.name + _SUFFIX)


def _size(folder: Path) -> int:
    with suppress(FileNotFoundError), os.scandir(folder) as entries:
        return sum(entry.stat(follow_symlinks=False).st_size for entry in entries)
    return 0
