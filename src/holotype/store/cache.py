"""What was read from afar, kept on this disk for the next time, up to a number of bytes."""

from __future__ import annotations

import fcntl
import hashlib
import os
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from typing import Final

from platformdirs import user_cache_path

from holotype.errors import PackError
from holotype.store import held

SHELF: Final = "releases"
"""The name of the folder in the user's cache that holds copies of releases."""
BYTES_VARIABLE: Final = "HOLOTYPE_CACHE_BYTES"
"""The environment variable that says how many bytes are kept; 0 for none."""
DEFAULT_BYTES: Final = 2 << 30
_DIGEST: Final = 32
_SWEPT_TO: Final = 7 / 8
_SLACK: Final = 16


class Cache:
    """Pieces of bytes by name in a folder, and the folders on a `shelf` beside it, which are `held` while they are
    read: of all that is not, what was used longest ago goes first. Safe for several threads and processes at once.

    Each piece lies beside the sha256 of its name and its bytes: one that is damaged, cut short or another's is not
    given, but forgotten. Every process removes what is over `most` bytes when it first writes, and whenever it has
    written a sixteenth of them. A disk that is full or read-only keeps less, and that is no error.
    """

    def __init__(self, folder: Path, most: int = DEFAULT_BYTES, shelf: Path | None = None) -> None:
        self._folder, self._shelf = folder, shelf
        self._most = most
        self._left = 0
        self._lock = threading.Lock()

    def get(self, name: str) -> bytes | None:
        """The bytes kept by a name; None where there are none, or they are damaged."""
        path = self._path(name)
        try:
            kept = path.read_bytes()
        except OSError:
            return None
        data = kept[_DIGEST:]
        if _digest(name, data) != kept[:_DIGEST]:
            self.forget(name)
            return None
        with suppress(OSError):
            os.utime(path)
        return data

    def put(self, name: str, data: bytes) -> None:
        """Keep bytes by a name."""
        if len(data) + _DIGEST > self._most // _SLACK:
            return
        path = self._path(name)
        with suppress(OSError):
            path.parent.mkdir(0o700, parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".")
            try:
                with os.fdopen(handle, "wb") as file:
                    file.writelines((_digest(name, data), data))
                os.replace(temporary, path)
            except BaseException:
                os.unlink(temporary)
                raise
            self._count(len(data) + _DIGEST)

    def forget(self, name: str) -> None:
        """Keep nothing by a name any more."""
        with suppress(OSError):
            self._path(name).unlink()

    def _path(self, name: str) -> Path:
        key = hashlib.sha256(name.encode()).hexdigest()
        return self._folder / key[:2] / key[2:]

    def _count(self, written: int) -> None:
        with self._lock:
            self._left -= written
            if self._left >= 0:
                return
            self._left = self._most // _SLACK
        self._sweep()

    def sweep(self) -> None:
        """Remove what was used longest ago where there is too much, unless another process is at it, or cannot."""
        with suppress(OSError):
            self._folder.mkdir(0o700, parents=True, exist_ok=True)
            self._sweep()

    def _sweep(self) -> None:
        handle = os.open(self._folder, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            folders = [] if self._shelf is None else held.listed(self._shelf)
            kept: list[tuple[int, int, str | Path]] = [*_listed(self._folder), *folders]
            total = sum(size for _, size, _ in kept)
            goal = total if total <= self._most else self._most * _SWEPT_TO
            for _, size, path in sorted(kept, key=lambda one: one[0]):
                if total <= goal:
                    break
                if _removed(path):
                    total -= size
        finally:
            os.close(handle)


def _removed(path: str | Path) -> bool:
    """Whether a piece, or a folder that nobody reads, is gone now."""
    try:
        if isinstance(path, Path):
            return held.take_away(path)
        os.unlink(path)
    except FileNotFoundError:
        pass
    except OSError:
        return False
    return True


def default_cache() -> Cache:
    """The cache in the user's folder for caches, as large as the environment says. Raises `PackError` where that is no
    number."""
    said = os.environ.get(BYTES_VARIABLE, str(DEFAULT_BYTES))
    if not (said.isascii() and said.isdigit()):
        raise PackError(f"${BYTES_VARIABLE} is a number of bytes, not {said[:40]!r}")
    root = user_cache_path("holotype")
    return Cache(root / "objects", int(said), root / SHELF)


def _digest(name: str, data: bytes) -> bytes:
    told = hashlib.sha256(name.encode() + b"\0")
    told.update(data)
    return told.digest()


def _listed(folder: Path) -> list[tuple[int, int, str]]:
    """When each file was last used, how large it is, and where it lies; also what a killed writer left."""
    found = []
    for shelf in os.scandir(folder):
        if shelf.is_dir(follow_symlinks=False):
            for entry in os.scandir(shelf.path):
                with suppress(OSError):
                    status = entry.stat(follow_symlinks=False)
                    found.append((status.st_mtime_ns, status.st_size, entry.path))
    return found
