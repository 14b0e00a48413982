"""Trees of images and tars of them, read by a layout: every file is an image, or is counted with the reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from holotype.errors import ArchiveError
from holotype.files import printable
from holotype.imports import scan
from holotype.imports.layouts import LIST, UNMAPPED, Reader, foreign, reader
from holotype.imports.listing import entries
from holotype.imports.opened import opened
from holotype.imports.scan import ITEMS, Part, rows
from holotype.imports.shapes import Layout, Source, TreeImage
from holotype.store.allowance import Allowance
from holotype.store.tar.ahead import AT_ONCE
from holotype.store.tar.scan import read_headers

LINK: Final = "links, which are not followed"
NO_FILE: Final = "pipes and devices"
UNREADABLE: Final = "files whose names are not UTF-8 or cannot be printed: rename them"

IN_TAR: Final = "lists of labels or boxes inside the tar, which are not read: unpack it, and add the folder, too"
FOREIGN: Final = "images in {}, named by no wnid, which bring no label"
_NAMED: Final = 5
_TOLD: Final = 1_000


class _Lying(NamedTuple):
    """A file at a path below a root or in a tar, and where its bytes are; `reason` is why it is not taken."""

    path: str
    offset: int
    length: int
    reason: str = ""


_Parts = Iterator[tuple[Iterable[_Lying], int | None]]
"""Some files, and where to go on behind them; None where that is the end."""


def scan_paths(
    source: Source, layout: Layout, start: int, progress: Callable[[int], None], allowance: Allowance | None = None
) -> Iterator[Part]:
    """The images of a tree, or of a tar of one from byte `start` on, as parts; `progress` is told bytes of a tar, or
    files of a tree. `allowance` is what may be asked of an object store.

    Raises `ArchiveError` where there are none, and for what cannot be listed or is no sound tar, `OverAllowance`.
    """
    read, unlabelled, found = reader(layout), _unlabelled(layout), 0
    tree = source.path.is_dir()
    parts = _tree_parts(source.path, layout, progress) if tree else _tar_parts(source.path, start, progress, allowance)
    for lying, following in parts:
        part = _part(lying, following, read, source, unlabelled, tree)
        found += len(part.table)
        if following is None and not found and not start:
            raise ArchiveError(_nothing(source.path, layout, part.left))
        yield part


def _nothing(path: Path, layout: Layout, left: Mapping[str, int]) -> str:
    told = ", ".join(f"{count:,} {reason}" for reason, count in left.items())
    return f"{path} holds no image as {layout.title}" + (f", but {told}" if told else "")


def _unlabelled(layout: Layout) -> Callable[[str], str]:
    """A function that says why an image has no label, by its path; "" where no label was to be expected.

    The first folders are named, so that nobody must look for them.
    """
    named: list[str] = []

    def say(path: str) -> str:
        if layout.classes:
            return UNMAPPED
        folder = f"{layout.above}/{path}".strip("/").rpartition("/")[0]
        if not layout.labelled or not (name := foreign(folder)):
            return ""
        if name not in named and len(named) < _NAMED:
            named.append(name)
        return FOREIGN.format(f"folders called {name}" if name in named else "other folders")

    return say


def _part(
    lying: Iterable[_Lying],
    following: int | None,
    read: Reader,
    source: Source,
    unlabelled: Callable[[str], str],
    tree: bool,
) -> Part:
    left: Counter[str] = Counter()
    images: list[tuple[TreeImage, _Lying]] = []
    for one in lying:
        said = one.reason or read(one.path)
        said = IN_TAR if said == LIST and not tree else said
        if isinstance(said, str):
            left[said] += 1
        else:
            images.append((said, one))
            if not said.wnid and (reason := unlabelled(said.path)):
                left[reason] += 1
    table = rows(
        [image.name for image, _ in images],
        [image.split or source.split for image, _ in images],
        [image.wnid for image, _ in images],
        [one.offset for _, one in images],
        [one.length for _, one in images],
        [image.path for image, _ in images] if tree else None,
    )
    return Part(table if images else ITEMS.empty_table(), following, left=dict(+left))


def _tar_parts(
    path: Path, start: int, progress: Callable[[int], None], allowance: Allowance | None
) -> Iterator[tuple[Iterator[_Lying], int | None]]:
    with opened(path, allowance, AT_ONCE) as (file, size, _):
        position: int | None = start
        while position is not None:
            headers = read_headers(file, path.name, position, size, limit=scan.PART)
            position = headers.next
            progress(size if position is None else position)
            yield map(_Lying, headers.names, headers.offsets, headers.lengths), position


def _tree_parts(root: Path, layout: Layout, progress: Callable[[int], None]) -> _Parts:
    held: list[_Lying] = []
    for number, one in enumerate(_walk(root, layout), 1):
        held.append(one)
        if number % _TOLD == 0:
            progress(number)
        if len(held) >= scan.PART:
            yield held, 0
            held = []
    yield held, None


def _walk(root: Path, layout: Layout) -> Iterator[_Lying]:
    """Every file below a folder, by path, but those of other sources; links are not followed."""
    folders, without = [""], set(layout.without)
    while folders:
        inner = []
        for path, entry in entries(root, folders.pop()):
            if printable(entry.name) != entry.name or not entry.name.isprintable():
                yield _Lying(path, 0, 0, UNREADABLE)
            elif path in without:
                continue
            elif entry.is_symlink():
                yield _Lying(path, 0, 0, LINK)
            elif entry.is_dir(follow_symlinks=False):
                inner.append(path)
            elif entry.is_file(follow_symlinks=False):
                yield _Lying(path, 0, entry.stat(follow_symlinks=False).st_size)
            else:
                yield _Lying(path, 0, 0, NO_FILE)
        folders.extend(reversed(inner))
