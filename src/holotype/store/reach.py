"""From below which folders files are read: what a stranger made may name any picture on its reader's disk."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, TypeAlias

from holotype.errors import BucketError
from holotype.store.bucket import is_url
from holotype.store.objects import at_url

Folders: TypeAlias = "Sequence[str | os.PathLike[str]]"

ANYWHERE: Final = (Path("/"),)
"""All folders: for what the reader made."""


def outside(files: Iterable[str], folders: Folders) -> list[str]:
    """Those files and folders that lie below none of some folders, nor are one of them.

    It counts where they truly lie: links are followed and ``..`` is gone up first, on both sides. Files and folders may
    be URLs of an object store, where a prefix is a folder.
    """
    below = [path for folder in folders if (path := real(folder)) is not None]
    places = {file: real(file) for file in files}
    return [
        file
        for file, place in places.items()
        if place is None or not any(place.is_relative_to(folder) for folder in below)
    ]


def real(path: str | os.PathLike[str]) -> Path | None:
    """Where a path leads, whether there is anything or not; None for what is no path."""
    try:
        text = os.fspath(path)
        return at_url(text) if is_url(text) else Path(os.path.realpath(text))
    except (BucketError, OSError, ValueError):  # it is no URL, has a NUL, or is longer than any path
        return None
