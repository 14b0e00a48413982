"""A folder that appears whole or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from errno import ENOTDIR
from itertools import islice
from pathlib import Path
from typing import Final

from holotype.errors import ReleaseError
from holotype.files import sync_file_system
from holotype.files import sync_folder as sync
from holotype.releases.alone import alone

_MANY: Final = 1_000


def below(folder: str | Path) -> Iterator[os.DirEntry[str]]:
    """All that is below a folder, a folder after what it holds; there may be millions, so no list is made of them."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from below(entry.path)
            yield entry


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """A hidden folder beside `folder` to write to: synced at the end, it becomes `folder`.

    After an error it goes; what a writer that was killed left is removed by the next. Raises `ReleaseError` where
    `folder` is there already, cannot be made, or another process is making it.
    """
    folder = Path(os.path.abspath(folder))
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        _expect_none(folder)
        with (
            alone(folder),
            _emptied(folder.with_name(f".{folder.name}.partial")) as partial,
            _opened(partial) as handle,
        ):
            _expect_none(folder)  # it was renamed between our look and our lock
            yield partial
            _sync(partial, handle)
            _expect_none(folder)
            partial.rename(folder)
            sync(folder.parent)
    except OSError as error:
        raise ReleaseError(f"cannot write {folder}: {error.strerror or error}") from error


@contextmanager
def _emptied(partial: Path) -> Iterator[Path]:
    """A folder that is made if need be; what is in it goes, and at the end it goes itself, if it is still there."""
    partial.mkdir(exist_ok=True)
    if partial.is_symlink():
        raise NotADirectoryError(ENOTDIR, f"{partial.name} is a link")
    try:
        for left in partial.iterdir():
            shutil.rmtree(left) if left.is_dir() and not left.is_symlink() else left.unlink()
        yield partial
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _expect_none(folder: Path) -> None:
    if os.path.lexists(folder):
        raise ReleaseError(f"{folder} is there already: choose another folder, or move it away")


@contextmanager
def _opened(folder: Path) -> Iterator[int]:
    """A folder while it is open: whatever cannot be written meanwhile is told to who syncs by this handle."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        yield handle
    finally:
        os.close(handle)


def _sync(folder: Path, handle: int) -> None:
    """Make a folder, open as `handle`, and all that is below it durable.

    Each file and folder of a few is synced by itself, without waiting for what others write. For many the file system
    is synced at once: even to find that something is durable already takes a disk a millisecond.
    """
    if next(islice(below(folder), _MANY, None), None):
        if sync_file_system(handle):
            return
        os.sync()
    for entry in below(folder):
        sync(Path(entry.path))
    sync(folder)
