"""A folder that appears whole or not at all."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Final

from holotype.errors import ReleaseError
from holotype.files import sync_folder as sync

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
        with _alone(folder) as partial:
            yield partial
            _sync(partial)
            _expect_none(folder)
            partial.rename(folder)
            sync(folder.parent)
    except OSError as error:
        raise ReleaseError(f"cannot write {folder}: {error.strerror or error}") from error


@contextmanager
def _alone(folder: Path) -> Iterator[Path]:
    """The hidden folder of `folder`, empty and locked; the lock falls with the process, and what is left goes."""
    partial = folder.with_name(f".{folder.name}.partial")
    _expect_none(folder)
    partial.mkdir(exist_ok=True)
    handle = os.open(partial, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _expect_none(folder)  # it was renamed between our look and our lock
        try:
            for left in partial.iterdir():
                shutil.rmtree(left) if left.is_dir() and not left.is_symlink() else left.unlink()
            yield partial
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    except BlockingIOError as error:
        raise ReleaseError(f"another process is making {folder} right now") from error
    finally:
        os.close(handle)


def _expect_none(folder: Path) -> None:
    if os.path.lexists(folder):
        raise ReleaseError(f"{folder} is there already: choose another folder, or move it away")


def _sync(folder: Path) -> None:
    """Make all that is below a folder durable. Many small files are written in one go first, which takes less time than
    one after the other."""
    if next(islice(below(folder), _MANY, None), None):
        os.sync()
    for entry in below(folder):
        sync(Path(entry.path))
    sync(folder)
