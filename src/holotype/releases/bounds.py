"""How much memory a table takes at most, known before it is read: a few bytes of Parquet can stand for gigabytes.

What a footer says is not believed: the header of every page is read (Apache Parquet Format 2.10), and of texts in a
dictionary how long the longest one is.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from holotype.errors import ReleaseError
from holotype.files import local
from holotype.releases.thrift import INT, LIST, LONG, STRUCT, Struct, read_struct

ALWAYS: Final = 1 << 30
"""Bytes that any table may take."""
TIMES: Final = 64
"""How many times its size on disk a table may take beyond that."""
_WIDTH: Final = {"BOOLEAN": 1, "INT32": 4, "INT64": 8, "INT96": 12, "FLOAT": 4, "DOUBLE": 8, "BYTE_ARRAY": 8}
_PAGE: Final = 1 << 12
"""Bytes that a page counts for, whatever is in it: its header has to be read, too."""
_IN_LIST: Final = 16
"""Bytes that a value in a list takes beside what it is, and so does an empty list."""
_HEADERS: Final = (1 << 10, 1 << 14, 1 << 18, 1 << 24)
"""Bytes that the header of a page is looked for in, the fewest first."""
_TAIL: Final = 8
"""Bytes behind the footer: its length, and a word."""
_DATA, _DICTIONARY, _DATA_2 = 0, 2, 3
_PLAIN, _OLD_PLACES, _RUNS, _PLACES = 0, 2, 3, 8


@dataclass(frozen=True, slots=True)
class _Chunk:
    """A column of a row group: where it lies, and what the footer says of it."""

    group: int
    name: str
    kind: str
    in_list: bool
    rows: int
    values: int
    start: int
    stop: int


@dataclass(slots=True)
class _Pages:
    """What the pages of a chunk hold: `size` in bytes, values, and those of them that are `places` in a dictionary,
    which has so many `entries`; `mixed` is whether other values come before these."""

    size: int = 0
    values: int = 0
    places: int = 0
    entries: int = 0
    mixed: bool = False


def check_size(path: Path, columns: Collection[str] | None = None) -> None:
    """Raise `ReleaseError` where a table of a release, or those of its `columns` that it has, would take more memory
    than one of its size on disk may, or where its pages are not as its footer says."""
    try:
        status = os.stat(path)
        state = status.st_ino, status.st_size, status.st_mtime_ns
        _check(local(path), None if columns is None else tuple(columns), state)
    except (OSError, pa.ArrowException, ValueError, LookupError, TypeError, AttributeError) as error:
        said = error if isinstance(error, OSError | pa.ArrowException | ValueError) else "it is no sound Parquet"
        raise ReleaseError(f"cannot read {path}: {said}") from error


@lru_cache(maxsize=64)
def _check(path: str, columns: tuple[str, ...] | None, state: tuple[int, int, int]) -> None:
    most = ALWAYS + TIMES * state[1]
    left = most
    metadata = pq.read_metadata(path)
    held = [metadata.schema.column(number) for number in range(metadata.num_columns)]
    texts = [one.path for one in held if one.physical_type == "BYTE_ARRAY"]
    with open(path, "rb") as file, pq.ParquetFile(path, read_dictionary=texts, metadata=metadata) as parquet:
        for chunk in _chunks(_footer(file), held, columns):
            pages = _pages(file, chunk, left)
            left -= pages.size + pages.values * (_WIDTH.get(chunk.kind, 8) + _IN_LIST * chunk.in_list)
            if left >= 0 and pages.places:
                left -= pages.places * _longest(parquet, chunk, pages)
            if left < 0:
                raise ReleaseError(
                    f"{path} would take more than {most >> 20:,} MiB of memory, which no table of a release of its "
                    f"size on disk does: its column {chunk.name!r} is not believed"
                )


def _footer(file: BinaryIO) -> Struct:
    """The footer as it stands there: asked for the pieces of some that are damaged, pyarrow ends the process."""
    size = file.seek(-_TAIL, os.SEEK_END)
    length = int.from_bytes(file.read(4), "little")
    file.seek(size - length)
    return read_struct(file.read(length))[0]


def _chunks(footer: Struct, held: Sequence[pq.ColumnSchema], columns: Collection[str] | None) -> Iterator[_Chunk]:
    """The chunks of a file whose columns are `held`, but for those that are not among the `columns`."""
    for group, rows in enumerate(footer[4, LIST]):
        for about, one in zip(held, rows[1, LIST], strict=True):
            name = about.path
            if columns is not None and name.partition(".")[0] not in columns:
                continue
            said = one[3, STRUCT]
            start = said[9, LONG]
            if 0 < said.get((11, LONG), 0) < start:
                start = said[11, LONG]
            stop = start + said[7, LONG]
            in_list = about.max_repetition_level > 0
            yield _Chunk(group, name, about.physical_type, in_list, rows[3, LONG], said[5, LONG], start, stop)


def _pages(file: BinaryIO, chunk: _Chunk, most: int) -> _Pages:
    """What the pages of a chunk hold, counted until they are larger than `most`. Raises ValueError where they are not
    as the footer says."""
    pages, at = _Pages(), chunk.start
    while pages.values < chunk.values and at < chunk.stop and pages.size <= most:
        header, at = _header(file, at, chunk.stop)
        kind, unpacked, packed = (header[number, INT] for number in (1, 2, 3))
        if min(unpacked, packed) < 0:
            raise ValueError(f"a page of its column {chunk.name!r} has a size below zero")
        at += packed
        pages.size += _PAGE + unpacked
        if kind == _DICTIONARY:
            pages.entries += header[7, STRUCT][1, INT]
        elif kind == _DATA:
            _count(pages, header[5, STRUCT][1, INT], header[5, STRUCT][2, INT], chunk)
        elif kind == _DATA_2:
            _count(pages, header[8, STRUCT][1, INT], header[8, STRUCT][4, INT], chunk)
    if pages.size <= most and pages.values != chunk.values:
        raise ValueError(f"its column {chunk.name!r} has other pages than its footer says")
    if pages.size <= most and (chunk.values < chunk.rows if chunk.in_list else chunk.values != chunk.rows):
        raise ValueError(f"its column {chunk.name!r} has more or fewer cells than it has rows")
    return pages


def _count(pages: _Pages, values: int, encoding: int, chunk: _Chunk) -> None:
    if values < 0:
        raise ValueError(f"a page of its column {chunk.name!r} has less than no cells")
    if encoding not in (_PLAIN, _PLACES, _OLD_PLACES, _RUNS):
        raise ValueError(f"its column {chunk.name!r} is encoded in a way that is not read here ({encoding})")
    if chunk.kind == "BYTE_ARRAY" and encoding in (_PLACES, _OLD_PLACES):
        pages.mixed = pages.mixed or pages.values > pages.places
        pages.places += values
    pages.values += values


def _header(file: BinaryIO, at: int, stop: int) -> tuple[Struct, int]:
    """The header of the page at a place, and the place behind it."""
    for length in _HEADERS:
        file.seek(at)
        data = file.read(min(length, stop - at))
        try:
            header, size = read_struct(data)
        except IndexError:
            if len(data) < length:
                raise
        else:
            return header, at + size
    raise ValueError("a page has a header without end")


def _longest(file: pq.ParquetFile, chunk: _Chunk, pages: _Pages) -> int:
    """Bytes of the longest text in the dictionary of a chunk. One row is read; of a column of lists all are, as their
    places in the dictionary: the first may be an empty one."""
    if pages.mixed:
        raise ValueError(f"the pages of its column {chunk.name!r} are in an order that is not read here")
    rows = max(chunk.rows, 1) if chunk.in_list else 1
    batches = file.iter_batches(rows, [chunk.group], [chunk.name.partition(".")[0]], use_threads=False)
    column = next(batches).column(0)
    texts = (column.flatten() if chunk.in_list else column).dictionary  # AttributeError: the footer tells another kind
    if len(texts) < pages.entries and not chunk.in_list:
        raise ValueError(f"the dictionary of its column {chunk.name!r} has fewer entries than it says")
    return pc.max(pc.binary_length(texts)).as_py() or 0
