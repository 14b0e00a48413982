"""From archives to rows: where every image lies, read from headers and names alone."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Final, NamedTuple

import pyarrow as pa

from holotype.engine import map_batches
from holotype.errors import ArchiveError
from holotype.files import printable
from holotype.imports.shapes import (
    Kind,
    Source,
    expect_kind,
    image_of_tree,
    name_in_synset,
    numbered_name,
    synset_of_image,
    synset_of_tar,
)
from holotype.store.opening import opened_file
from holotype.store.tar.scan import Headers, read_headers

ITEMS: Final = pa.schema(
    [
        ("name", pa.string()),
        ("split", pa.string()),
        ("wnid", pa.string()),
        ("path", pa.string()),
        ("offset", pa.int64()),
        ("length", pa.int64()),
    ]
)
"""The rows of an import: an image's name, split and wnid ('' where the archive does not say), and where it lies."""
PART: Final = 200_000
"""Rows of a part, at least, but for the last: what is read anew after a kill."""
_LIKE_AN_IMAGE: Final = re.compile(r"(?<!/)\.(jpe?g|png|webp|gif|bmp|tiff?)$", re.IGNORECASE)
_READERS: Final = 16
"""Threads that wait for a disk: each header of a cold archive is a read of its own."""
_WARM: Final = 20_000
"""Headers a second that no disk gives to one thread. A warm archive is read faster by one thread than by several."""


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of an archive, in its order, and where to go on behind them; None where the archive ends.

    `left` counts what was not taken as it stands, by reason.
    """

    table: pa.Table
    next: int | None
    left: Mapping[str, int] = field(default_factory=dict)


def kind_of_tar(path: Path) -> Kind:
    """What kind of ImageNet's tars a file is, by its first member.

    Raises `ArchiveError` if it is none, or not what its name promises.
    """
    with opened(path) as (file, size):
        names = read_headers(file, path.name, 0, size, limit=1).names
    return expect_kind(path, names[0] if names else None)


@contextmanager
def opened(path: Path) -> Iterator[tuple[int, int]]:
    """A descriptor of a plain file, and its size in bytes. Raises `ArchiveError`."""
    try:
        file = opened_file(path)
    except OSError as error:
        raise ArchiveError(f"cannot open {path}: {error.strerror}") from error
    with file:
        yield file.fileno(), os.fstat(file.fileno()).st_size


def scan_tar(source: Source, start: int, progress: Callable[[int], None]) -> Iterator[Part]:
    """The images of one of ImageNet's tars from byte `start` on, a boundary that `Part.next` gave.

    `progress` is told how far we are, in bytes. Raises `ArchiveError` at the first thing that is wrong.
    """
    with opened(source.path) as (file, size):
        read = _scan_nested if source.kind is Kind.SYNSETS else _scan_flat
        for part in read(file, source, start, size):
            progress(size if part.next is None else part.next)
            yield part


def _scan_flat(file: int, source: Source, start: int, size: int) -> Iterator[Part]:
    where = source.path.name
    position: int | None = start
    wnid = ""
    while position is not None:
        headers = read_headers(file, where, position, size, limit=PART)
        position = headers.next
        if source.kind is Kind.SYNSET:
            if headers.names:
                wnid = wnid or synset_of_image(headers.names[0], where)
            yield Part(_rows(headers, name_in_synset(wnid, where), source.split, wnid), position)
        else:
            yield Part(_rows(headers, numbered_name(source.kind, where), source.kind, ""), position)


def _scan_nested(file: int, source: Source, start: int, size: int) -> Iterator[Part]:
    inner = list(_inner_tars(file, source.path.name, start, size))
    read = partial(_scan_synset, file, source)
    begun = time.perf_counter()
    first = [read(tar) for tar in inner[:1]]
    rate = sum(map(len, first)) / (time.perf_counter() - begun)
    workers = _READERS if rate < _WARM else 1
    held: list[pa.Table] = []
    for tar, table in zip(inner, chain(first, map_batches(read, inner[1:], workers=workers)), strict=True):
        held.append(table)
        if tar.next is not None and sum(map(len, held)) >= PART:
            yield Part(pa.concat_tables(held), tar.next)
            held = []
    yield Part(pa.concat_tables([ITEMS.empty_table(), *held]), None)


class _InnerTar(NamedTuple):
    """A synset's tar within an archive: where it begins and ends, and where the archive goes on behind it."""

    wnid: str
    start: int
    stop: int
    next: int | None


def _inner_tars(file: int, where: str, start: int, size: int) -> Iterator[_InnerTar]:
    position: int | None = start
    while position is not None:
        outer = read_headers(file, where, position, size, limit=1)
        position = outer.next
        for name, offset, length in zip(outer.names, outer.offsets, outer.lengths, strict=True):
            yield _InnerTar(synset_of_tar(name, where), offset, offset + length, position)


def _scan_synset(file: int, source: Source, tar: _InnerTar) -> pa.Table:
    where = f"{source.path.name} > {tar.wnid}.tar"
    position: int | None = tar.start
    held = [ITEMS.empty_table()]
    while position is not None:
        headers = read_headers(file, where, position, tar.stop)
        position = headers.next
        held.append(_rows(headers, name_in_synset(tar.wnid, where), source.split, tar.wnid))
    return pa.concat_tables(held)


def _rows(headers: Headers, name: Callable[[str], str], split: str, wnid: str) -> pa.Table:
    """The rows of members but for macOS's ``._`` companions."""
    columns = zip(headers.names, headers.offsets, headers.lengths, strict=True)
    kept = [row for row in columns if not row[0].rpartition("/")[2].startswith("._")]
    members, offsets, lengths = zip(*kept, strict=True) if kept else ((), (), ())
    names = [name(member) for member in members]
    return rows(names, [split] * len(names), [wnid] * len(names), offsets, lengths)


def rows(
    names: Sequence[str],
    splits: Sequence[str],
    wnids: Sequence[str],
    offsets: Sequence[int],
    lengths: Sequence[int],
    paths: Sequence[str] | None = None,
) -> pa.Table:
    """A table of `ITEMS`; `paths` are empty for images in a tar."""
    columns = (names, splits, wnids, [""] * len(names) if paths is None else paths, offsets, lengths)
    return pa.table([pa.array(column, field.type) for column, field in zip(columns, ITEMS, strict=True)], ITEMS)


def scan_tree(root: Path, split: str, passed_over: list[str]) -> Iterator[Part]:
    """The images of a folder tree, as parts of a scan that cannot go on in the middle.

    Links are not followed: their paths, and those of images whose names are none of ImageNet's, are added to
    `passed_over`. Raises `ArchiveError` if there are no images.
    """
    found = _tree_rows(root, passed_over)
    if (first := next(found, None)) is None:
        raise ArchiveError(
            f"{root} holds no images of ImageNet"
            + (f", but {len(passed_over):,} links or others" if passed_over else "")
        )
    found = chain([first], found)
    while chunk := list(islice(found, PART)):
        names, told, wnids, paths, lengths = zip(*chunk, strict=True)
        splits = [name or split for name in told]
        yield Part(rows(names, splits, wnids, [0] * len(chunk), lengths, paths), 0)
    yield Part(ITEMS.empty_table(), None)


def _tree_rows(root: Path, passed_over: list[str]) -> Iterator[tuple[str, str, str, str, int]]:
    folders = [""]
    while folders:
        folder = folders.pop()
        inner = []
        for path, entry, size in _listed(root, folder):
            if size < 0:
                inner.append(path)
            elif (image := image_of_tree(path)) is not None and not entry.is_symlink():
                yield image.name, image.split, image.wnid, path, size
            elif entry.is_symlink() or _LIKE_AN_IMAGE.search(path):
                passed_over.append(path)
        folders.extend(reversed(inner))


def _listed(root: Path, folder: str) -> list[tuple[str, os.DirEntry[str], int]]:
    """What a folder holds, by name: path below `root`, entry, size in bytes (-1 for a folder). Pipes are left out."""
    found = []
    try:
        with os.scandir(root / folder) as listing:
            for entry in sorted(listing, key=lambda entry: entry.name):
                if printable(entry.name) != entry.name:
                    raise ArchiveError(
                        f"{root / folder} holds {printable(entry.name)!r}, a name that is not UTF-8: rename it"
                    )
                path = f"{folder}/{entry.name}" if folder else entry.name
                if entry.is_dir(follow_symlinks=False):
                    found.append((path, entry, -1))
                elif entry.is_symlink() or entry.is_file():
                    found.append((path, entry, entry.stat(follow_symlinks=False).st_size))
    except OSError as error:
        raise ArchiveError(f"cannot list {root / folder}: {error.strerror}") from error
    return found
