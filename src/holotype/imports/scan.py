"""From archives to rows: where every image lies, read from headers and names alone."""

from __future__ import annotations

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
from holotype.imports.listing import Entry, entries
from holotype.imports.opened import opened
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
from holotype.leftovers import leftover
from holotype.store.allowance import Allowance
from holotype.store.objects import ObjectPath
from holotype.store.openfiles import RemoteFile
from holotype.store.tar.ahead import AT_ONCE, DENSE, Ahead
from holotype.store.tar.scan import Headers, Read, read_headers

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

    `passed_over` members are no images: links, sparse files, what other programs left behind. `left` counts what was
    not taken as it stands, by reason.
    """

    table: pa.Table
    next: int | None
    passed_over: int = 0
    left: Mapping[str, int] = field(default_factory=dict)


def kind_of_tar(path: Path) -> Kind:
    """What kind of ImageNet's tars a file is, by its first member.

    Raises `ArchiveError` if it is none, or not what its name promises.
    """
    return expect_kind(path, first_member(path))


def first_member(path: Path) -> str | None:
    """The name of a tar's first file that other programs have not left behind; None if there is none.

    Raises `ArchiveError` where it is no tar, or is damaged there.
    """
    with opened(path, stride=DENSE) as (file, size, _):  # the header is all that is needed of an object
        position: int | None = 0
        while position is not None:
            headers = read_headers(file, printable(path), position, size, 1, 0)
            position = headers.next
            if headers.names and not leftover(headers.names[0]):
                return headers.names[0]
    return None


def scan_tar(
    source: Source, start: int, progress: Callable[[int], None], allowance: Allowance | None = None
) -> Iterator[Part]:
    """The images of one of ImageNet's tars from byte `start` on, a boundary that `Part.next` gave.

    `progress` is told how far we are, in bytes; `allowance` is what may be asked of an object store. Raises
    `ArchiveError` at the first thing that is wrong, `OverAllowance`.
    """
    allowance = allowance or Allowance()
    with opened(source.path, allowance, 1 if source.kind is Kind.SYNSETS else AT_ONCE) as (file, size, _):
        if source.kind is Kind.SYNSETS:
            parts = _scan_nested(file, source, start, size, _inside(source.path, file, allowance))
        else:
            parts = _scan_flat(file, source, start, size)
        for part in parts:
            progress(size if part.next is None else part.next)
            yield part


def _inside(path: Path, file: Read, allowance: Allowance) -> _InsideFile | _InsideObject:
    return _InsideObject(RemoteFile(path), allowance) if isinstance(path, ObjectPath) else _InsideFile(file)


class _InsideFile:
    """Reads the headers of tars within a file."""

    def __init__(self, file: Read) -> None:
        self._file = file

    @contextmanager
    def reading(self, _: _InnerTar) -> Iterator[Read]:
        yield self._file

    def workers(self, rate: float, _: int) -> int:
        """How many tars to read at once, of so many, where one alone gives so many headers a second."""
        return _READERS if rate < _WARM else 1


class _InsideObject:
    """Reads the headers of tars within an object, each tar's by a chain of its own, or by several where there are few
    tars; the first tells their stride."""

    def __init__(self, file: RemoteFile, allowance: Allowance) -> None:
        self._file, self._allowance = file, allowance
        self._stride: float | None = None
        self._chains = AT_ONCE

    @contextmanager
    def reading(self, tar: _InnerTar) -> Iterator[Read]:
        with Ahead(
            self._file, self._allowance, tar.start, tar.stop, at_once=self._chains, stride=self._stride
        ) as ahead:
            yield ahead
            if self._stride is None:
                self._stride = ahead.stride

    def workers(self, _: float, tars: int) -> int:
        """How many tars to read at once, of so many."""
        self._chains = max(1, AT_ONCE // max(1, tars))
        return AT_ONCE


def _scan_flat(file: Read, source: Source, start: int, size: int) -> Iterator[Part]:
    where = printable(source.path)
    position: int | None = start
    wnid = ""
    while position is not None:
        headers = _kept(read_headers(file, where, position, size, PART, 0))
        position = headers.next
        if source.kind is Kind.SYNSET:
            if headers.names:
                wnid = wnid or synset_of_image(headers.names[0], where)
            table = _rows(headers, name_in_synset(wnid, where), source.split, wnid)
        else:
            table = _rows(headers, numbered_name(source.kind, where), source.kind, "")
        yield Part(table, position, headers.passed_over)


def _scan_nested(
    file: Read, source: Source, start: int, size: int, inside: _InsideFile | _InsideObject
) -> Iterator[Part]:
    inner, passed_over = _inner_tars(file, printable(source.path), start, size)
    read = partial(_scan_synset, inside, source)
    begun = time.perf_counter()
    first = [read(tar) for tar in inner[:1]]
    rate = sum(len(table) for table, _ in first) / (time.perf_counter() - begun)
    workers = inside.workers(rate, len(inner) - 1)
    held: list[pa.Table] = []
    rest = map_batches(read, inner[1:], workers=workers, kind="threads")
    for tar, (table, others) in zip(inner, chain(first, rest), strict=True):
        held.append(table)
        passed_over += others
        if tar.next is not None and sum(map(len, held)) >= PART:
            yield Part(pa.concat_tables(held), tar.next, passed_over)
            held, passed_over = [], 0
    yield Part(pa.concat_tables([ITEMS.empty_table(), *held]), None, passed_over)


class _InnerTar(NamedTuple):
    """A synset's tar within an archive: where it begins and ends, and where the archive goes on behind it."""

    wnid: str
    start: int
    stop: int
    next: int | None


def _inner_tars(file: Read, where: str, start: int, size: int) -> tuple[list[_InnerTar], int]:
    """The tars of synsets in an archive, and how many other members are passed over."""
    position: int | None = start
    found, passed_over = [], 0
    while position is not None:
        outer = _kept(read_headers(file, where, position, size, 1, 0))
        position = outer.next
        passed_over += outer.passed_over
        for name, offset, length in zip(outer.names, outer.offsets, outer.lengths, strict=True):
            found.append(_InnerTar(synset_of_tar(name, where), offset, offset + length, position))
    return found, passed_over


def _scan_synset(inside: _InsideFile | _InsideObject, source: Source, tar: _InnerTar) -> tuple[pa.Table, int]:
    """The rows of a synset's tar, which may be none, and how many other members are passed over."""
    where = f"{printable(source.path)} > {tar.wnid}.tar"
    position: int | None = tar.start
    held, passed_over = [ITEMS.empty_table()], 0
    with inside.reading(tar) as file:
        while position is not None:
            headers = _kept(read_headers(file, where, position, tar.stop, begin=tar.start))
            position = headers.next
            held.append(_rows(headers, name_in_synset(tar.wnid, where), source.split, tar.wnid))
            passed_over += headers.passed_over
    return pa.concat_tables(held), passed_over


def _kept(headers: Headers) -> Headers:
    """Headers without those that other programs left behind, which are passed over."""
    kept = [number for number, name in enumerate(headers.names) if not leftover(name)]
    if len(kept) == len(headers.names):
        return headers
    return Headers(
        [headers.names[number] for number in kept],
        [headers.offsets[number] for number in kept],
        [headers.lengths[number] for number in kept],
        headers.next,
        headers.passed_over + len(headers.names) - len(kept),
    )


def _rows(headers: Headers, name: Callable[[str], str], split: str, wnid: str) -> pa.Table:
    names = list(map(name, headers.names))
    return rows(names, [split] * len(names), [wnid] * len(names), headers.offsets, headers.lengths)


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
    `passed_over`. There may be no images.
    """
    found = _tree_rows(root, passed_over)
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
            elif (image := image_of_tree(path)) is not None and not (entry.is_symlink() or leftover(path)):
                yield image.name, image.split, image.wnid, path, size
            elif entry.is_symlink() or _LIKE_AN_IMAGE.search(path):
                passed_over.append(path)
        folders.extend(reversed(inner))


def _listed(root: Path, folder: str) -> list[tuple[str, Entry, int]]:
    """What a folder holds, by name: path below `root`, entry, size in bytes (-1 for a folder). Pipes are left out."""
    found = []
    try:
        for path, entry in entries(root, folder):
            if printable(entry.name) != entry.name:
                raise ArchiveError(
                    f"{root / folder} holds {printable(entry.name)!r}, a name that is not UTF-8: rename it"
                )
            if entry.is_dir(follow_symlinks=False):
                found.append((path, entry, -1))
            elif entry.is_symlink() or entry.is_file():
                found.append((path, entry, entry.stat(follow_symlinks=False).st_size))
    except OSError as error:
        raise ArchiveError(f"cannot list {root / folder}: {error.strerror}") from error
    return found
