"""A first look at what a user names: names of files and folders, some of many, and the first members of a tar."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from holotype.files import printable
from holotype.imports.layouts import is_image, split_of
from holotype.imports.listing import Entry, entries
from holotype.imports.opened import opened
from holotype.leftovers import leftover
from holotype.store.objects import ObjectPath
from holotype.store.tar.scan import read_headers

IMAGES_EACH: Final = 8
"""Images of a folder that are looked at; of other files `OTHERS_EACH`."""
OTHERS_EACH: Final = 500
MEMBERS: Final = 300
FAR: Final = 20
"""Members of a tar in an object store that are looked at."""
_ENTRIES: Final = 200_000
_FOLDERS: Final = 2_000
_FEW: Final = 40
_DEEP: Final = 6
_END: Final = 64 << 10


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen of a folder, or of a tar: paths of files and folders below it, and of links to folders.

    `label` is what the first ``.cls`` of a tar says.
    """

    path: Path
    files: tuple[str, ...]
    folders: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    label: str = ""


def look_into_tar(path: Path) -> Seen:
    """The first members of a tar. Raises `ArchiveError` where it is none."""
    with opened(path) as (file, size, fetch):
        found = read_headers(file, path.name, 0, size, limit=FAR if isinstance(path, ObjectPath) else MEMBERS)
        members = zip(found.names, found.offsets, found.lengths, strict=True)
        labels = (fetch(at, min(length, 64)) for name, at, length in members if name.endswith(".cls"))
        return Seen(path, tuple(found.names), label=next(labels, b"").decode(errors="replace").strip())


def look_into_json(path: Path) -> str:
    """The first 4,096 bytes of a text file, without what is not UTF-8. Raises `ArchiveError`."""
    with opened(path) as (_, size, fetch):
        return fetch(0, min(4096, size)).decode("utf-8-sig", errors="ignore")


def look_at_ends(path: Path) -> str:
    """The first and the last 64 KiB of a text file, without what is not UTF-8. Raises `ArchiveError`."""
    with opened(path) as (_, size, fetch):
        last = max(min(_END, size), size - _END)
        ends = fetch(0, min(_END, size)) + fetch(last, size - last)
    return ends.decode("utf-8-sig", errors="ignore")


def look_around(root: Path) -> Seen:
    """Some of the files below a folder, and the folders that those lie beside; of folders that are many, three.

    Raises `ArchiveError` where a folder cannot be listed.
    """
    files: list[str] = []
    folders: list[str] = []
    links: list[str] = []
    waiting = deque([""])
    for _ in range(_FOLDERS):
        if not waiting:
            break
        inner: list[str] = []
        images, others = IMAGES_EACH, OTHERS_EACH
        for path, entry in _some(root, waiting.popleft()):
            if entry.is_dir(follow_symlinks=False):
                inner.append(path)
            elif entry.is_symlink() and entry.is_dir():
                links.append(path)
            elif is_image(entry.name) and images:
                images -= 1
                files.append(path)
            elif not is_image(entry.name) and others:
                others -= 1
                files.append(path)
        folders += inner
        waiting.extend(path for path in _few(inner) if path.count("/") < _DEEP)
    return Seen(root, tuple(files), tuple(folders), tuple(links))


def _some(root: Path, folder: str) -> Iterator[tuple[str, Entry]]:
    for path, entry in entries(root, folder, _ENTRIES):
        if printable(path) == path and path.isprintable() and not leftover(path):
            yield path, entry


def _few(folders: list[str]) -> list[str]:
    """All of few folders; of many those of splits, and the first."""
    if len(folders) <= _FEW:
        return folders
    return [*(path for path in folders if split_of(path.rpartition("/")[2])), *folders[:3]]
