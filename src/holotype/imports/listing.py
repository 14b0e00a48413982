"""What folders hold, one at a time: every walk through a tree lists by this."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Protocol

from holotype.errors import ArchiveError
from holotype.files import printable
from holotype.store.objects import ObjectPath, entries_of


class Entry(Protocol):
    """What a folder holds: an entry of a folder on a disk, or below a prefix of an object store."""

    @property
    def name(self) -> str:
        """Its name there."""

    @property
    def path(self) -> str:
        """Where it is."""

    def is_dir(self, *, follow_symlinks: bool = True) -> bool:
        """Whether it is a folder."""

    def is_file(self, *, follow_symlinks: bool = True) -> bool:
        """Whether it is a plain file."""

    def is_symlink(self) -> bool:
        """Whether it is a link."""

    def stat(self, *, follow_symlinks: bool = True) -> os.stat_result:
        """Its size and time of change."""


def entries(root: Path, folder: str, most: int | None = None) -> Iterable[tuple[str, Entry]]:
    """What a folder below `root` holds, or the first so many that its disk or store names; with paths from there, by
    name.

    Raises `ArchiveError` where it is closed.
    """
    place = root / folder
    if isinstance(place, ObjectPath):
        return _named(folder, islice(entries_of(place), most))
    try:
        with os.scandir(place) as listing:
            found = sorted(islice(listing, most), key=lambda entry: entry.name)
    except OSError as error:
        raise ArchiveError(f"cannot list {printable(place)}: {error.strerror}") from error
    return _named(folder, found)


def _named(folder: str, found: Iterable[Entry]) -> Iterator[tuple[str, Entry]]:
    return ((f"{folder}/{entry.name}" if folder else entry.name, entry) for entry in found)
