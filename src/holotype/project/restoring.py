"""A project made again of a backup, in a folder of its own."""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import tarfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from errno import ENOENT
from io import BufferedReader, FileIO
from pathlib import Path
from typing import Any, BinaryIO, Final, Protocol

from holotype.engine import Progress, no_progress
from holotype.errors import ProjectError
from holotype.files import sync_folder
from holotype.project.backup import (
    CATALOG,
    KEPT_CATALOG,
    LARGEST_MANIFEST,
    MANIFEST,
    PACK_END,
    is_pack,
    pieces,
    read_manifest,
)
from holotype.releases.alone import alone

_CHUNK: Final = 1 << 20
_MOST_FILES: Final = LARGEST_MANIFEST // 100
"""Members of a tar that are looked at."""


class _Kept(Protocol):
    """Where the files of a backup are read from."""

    def open(self, name: str) -> BinaryIO:
        """A file by its name. Raises OSError where it is not there."""


class _Folder:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def open(self, name: str) -> BinaryIO:
        path = self._folder / name
        if not path.is_file():  # a pipe would be waited for
            raise FileNotFoundError(ENOENT, f"{name} is not in it, or no plain file")
        return path.open("rb")


class _Tar:
    """Members are looked for in the order in which a backup has them, so that few are held."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar = tar
        self._found: dict[str, tarfile.TarInfo] = {}

    def open(self, name: str) -> BinaryIO:
        while name not in self._found:
            further = self._tar.next()
            if further is None or len(self._found) == _MOST_FILES:
                raise FileNotFoundError(ENOENT, f"{name} is not in it")
            self._found[further.name] = further
        member = self._found[name]
        found: Any = self._tar.extractfile(member) if _is_plain(member) else None
        if found is None:
            raise FileNotFoundError(ENOENT, f"{name} is no plain file")
        return found  # type: ignore[no-any-return]


def _is_plain(member: tarfile.TarInfo) -> bool:
    return member.isreg() and not member.issparse()


class _Headers(BufferedReader):
    """The file of a tar, of which nothing large is read at once: a header may claim any size."""

    def read(self, size: int | None = -1, /) -> bytes:
        """The next bytes. Raises `tarfile.ReadError` for more than a backup has in one piece."""
        if size is None or not 0 <= size <= _CHUNK:
            raise tarfile.ReadError("it has a header larger than any of a backup")
        return super().read(size)


def restore(source: str | os.PathLike[str], folder: str | os.PathLike[str], progress: Progress = no_progress) -> int:
    """Make the project that a backup holds in `folder`, which must not be there, or be empty; how many files it has.

    Every file is held against its sha256. The folder is there when all of it is: interrupted, the same again begins
    anew. Its catalog is in it, wherever it was when the backup was made. Raises `ProjectError`.
    """
    place = Path(os.path.abspath(folder))
    if place.exists() and (not place.is_dir() or any(place.iterdir())):
        raise ProjectError(f"{folder} is not empty: restore to a folder of its own")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with alone(place), _opened(Path(source)) as kept:
            return _restore(kept, place, progress)
    except (OSError, tarfile.TarError, sqlite3.Error) as error:
        said = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise ProjectError(f"{source} cannot be restored to {folder}: {said}") from error


@contextmanager
def _opened(source: Path) -> Iterator[_Kept]:
    if source.is_dir():
        if not (source / MANIFEST).exists():
            raise ProjectError(f"{source} is no backup, or one that was never finished: it has no {MANIFEST}")
        yield _Folder(source)
        return
    with _Headers(FileIO(source)) as file, tarfile.open(fileobj=file, mode="r:") as tar:
        yield _Tar(tar)


def _restore(kept: _Kept, place: Path, progress: Progress) -> int:
    with kept.open(MANIFEST) as file:
        files = read_manifest(b"".join(pieces(file, LARGEST_MANIFEST + 1)))["files"]
    done, total = 0, sum(one["size"] for one in files.values())
    if (free := shutil.disk_usage(place.parent).free) < total:
        raise ProjectError(
            f"the backup says that it has {total / 1e9:,.1f} GB, but there are only {free / 1e9:,.1f} GB"
        )
    work = place.with_name(f".{place.name}.partial")
    shutil.rmtree(work, ignore_errors=True)
    for name in ("packs", "releases"):
        (work / name).mkdir(parents=True)
    for name, told in files.items():
        target = work / (CATALOG if KEPT_CATALOG.fullmatch(name) else name)
        _copy(kept, name, told, target)
        done += told["size"]
        progress(done, total)
    _check_plain(work / CATALOG)
    for folder in (work, *(path for path in work.rglob("*") if path.is_dir())):
        sync_folder(folder)
    if place.exists():
        place.rmdir()
    work.rename(place)
    sync_folder(place.parent)
    return len(files)


def _check_plain(catalog: Path) -> None:
    """Raises `ProjectError` for a catalog in which something is done that nobody asks for: whoever made the backup may
    have put that there."""
    with closing(sqlite3.connect(f"{catalog.as_uri()}?mode=ro", uri=True)) as opened:
        found = opened.execute("SELECT type, name FROM sqlite_master WHERE type IN ('trigger', 'view')").fetchone()
    if found is not None:
        raise ProjectError(f"the catalog in the backup has a {found[0]}, {found[1]!r}, which no holotype put there")


def _copy(kept: _Kept, name: str, told: dict[str, Any], target: Path) -> None:
    private = "/" not in name or name.startswith("benchmarks/")
    target.parent.mkdir(mode=0o700 if private else 0o777, parents=True, exist_ok=True)
    digest, left = hashlib.sha256(), told["size"]
    handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600 if private else 0o644)
    with kept.open(name) as source, os.fdopen(handle, "wb") as file:
        for data in pieces(source, left):
            digest.update(data)
            file.write(data)
            left -= len(data)
        if left or digest.hexdigest() != told["sha256"]:
            raise ProjectError(f"{name} in the backup is not what it was: use another backup")
        if is_pack(name):
            file.write(PACK_END)
        file.flush()
        os.fsync(file.fileno())
