"""What folders hold, one at a time: every walk through a tree lists by this."""

from __future__ import annotations

import os
from itertools import islice
from pathlib import Path

from holotype.errors import ArchiveError
from holotype.files import printable


def entries(root: Path, folder: str, most: int | None = None) -> list[tuple[str, os.DirEntry[str]]]:
    """What a folder below `root` holds, or the first so many that its disk names; with paths from there, by name.

    Raises `ArchiveError` where it is closed.
    """
    try:
        with os.scandir(root / folder) as listing:
            found = sorted(islice(listing, most), key=lambda entry: entry.name)
    except OSError as error:
        raise ArchiveError(f"cannot list {printable(root / folder)}: {error.strerror}") from error
    return [(f"{folder}/{entry.name}" if folder else entry.name, entry) for entry in found]
