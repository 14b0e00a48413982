"""Lists of images on the web that others have made: addresses in files, read row by row and asked of nobody.

Tables in CSV, Parquet or JSON lines as LAION and img2dataset have them, Open Images' CSVs, ImageNet's
``fall11_urls.txt``, and plain lists of addresses; each may be packed with gzip.
"""

from __future__ import annotations

import base64
import binascii
import csv
import gzip
import io
import json
import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from holotype.collect.sources.port import Found
from holotype.collect.sources.replies import NO_FILE, Skips
from holotype.collect.sources.values import licence_text, number, pixels, text, web
from holotype.errors import ArchiveError, SourceError
from holotype.files import local, printable
from holotype.licences import Licence, parse
from holotype.store.opening import opened_file
from holotype.textlists import delimiter_of, doubled, lines_in

COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "url": ("originalurl", "url", "imageurl", "fileurl", "contenturl", "downloadurl", "imgurl", "link"),
    "wnid": ("wnid", "synset", "synsetid"),
    "landing": ("originallandingurl", "landingurl", "landing", "foreignlandingurl", "pageurl", "sourceurl"),
    "title": ("title", "caption", "text", "alttext", "alt"),
    "creator": ("author", "creator", "photographer", "artist"),
    "creator_url": ("authorprofileurl", "creatorurl", "authorurl"),
    "width": ("width", "originalwidth", "imagewidth"),
    "height": ("height", "originalheight", "imageheight"),
    "licence": ("license", "licence", "licensename", "licencename", "rights"),
    "licence_url": ("licenseurl", "licenceurl"),
    "md5": ("originalmd5", "md5"),
    "turned": ("rotation",),
}
"""What columns may be called, the best first: whatever the case, blanks, hyphens and underscores."""

UNREADABLE: Final = "unreadable"
"""Why a row is skipped that is none."""
_BATCH: Final = 4_096
_LONGEST: Final = 1 << 20
_SWELLING: Final = 200
_MUCH: Final = 64 << 20
_FEW: Final = 8 << 20
_IMAGENET = re.compile(r"(\S+)_[0-9]+\t\s*(\S.*)")
_ADDRESS = re.compile(r"https?://", re.I)
_MD5 = re.compile(r"[0-9a-fA-F]{32}")
_BROKEN: Final = (ArchiveError, EOFError, MemoryError, zlib.error, OSError, pa.ArrowException)


@dataclass(frozen=True, slots=True)
class Listed:
    """A row of a list: what it says of an image, and the synset that it is listed for, "" if none.

    The position of `found` is the row's number in its list, from 1.
    """

    found: Found
    wnid: str = ""


def read_list(path: Path, skipped: Skips | None = None, wnid: str = "") -> Iterator[Listed]:
    """The rows of a list, one at a time, however many there are; `wnid` is the synset of those that say none.

    What the file is, its first bytes and first line tell. `skipped` counts rows that name no address on the web
    (``no_file``) or are none (``unreadable``). Raises `SourceError` for a file that is no such list.
    """
    counts = Skips() if skipped is None else skipped
    try:
        with opened_file(path) as file:
            head = file.peek(4)[:4]
            if head == b"PAR1":
                rows = _parquet(path)
            elif head[:2] == b"\x1f\x8b":
                rows = _text(io.BufferedReader(gzip.GzipFile(fileobj=file)), printable(path))
            else:
                rows = _text(file, printable(path))
            for position, row in enumerate(rows, 1):
                found = _found(row, position)
                if found is None:
                    counts.add(UNREADABLE if row is None else NO_FILE)
                else:
                    yield Listed(found, text(row.get("wnid") if row else "") or wnid)
    except _BROKEN as error:
        raise SourceError(f"cannot read {printable(path)}: {_why(error)}") from error


_Row = Mapping[str, Any] | None
"""What a row says, by the keys of `COLUMNS`; None for one that cannot be read."""


def _found(row: _Row, position: int) -> Found | None:
    url = web(row.get("url")) if row else ""
    if not row or not url:
        return None
    return Found(
        url=url,
        landing=web(row.get("landing")),
        position=position,
        licence=_licence(_plain(row.get("licence")), _plain(row.get("licence_url"))),
        width=_pixels(row.get("width")),
        height=_pixels(row.get("height")),
        title=text(row.get("title")),
        creator=text(row.get("creator")),
        creator_url=web(row.get("creator_url")),
        checksum=_md5(text(row.get("md5"))),
        turned=int(_float(row.get("turned"))) % 360,
    )


def _plain(value: object) -> str:
    return value if isinstance(value, str) else ""


@lru_cache(maxsize=4_096)
def _licence(said: str, url: str) -> Licence:
    """The licence of a row: one column may hold its name or its address. ``?`` is LAION's word for none."""
    said, url = licence_text(said), web(url)
    if web(said) and not url:
        return parse("", web(said))
    return parse("" if said.strip("?") == "" else said, url)


def _md5(said: str) -> str:
    """A checksum in hexadecimal digits or, as Open Images has it, in base64."""
    if _MD5.fullmatch(said):
        return f"md5:{said.lower()}"
    try:
        digest = base64.b64decode(said, validate=True)
    except (binascii.Error, ValueError):
        return ""
    return f"md5:{digest.hex()}" if len(digest) == 16 else ""


def _float(value: object) -> float:
    """A number, or one in a text; 0 for what is none."""
    try:
        found = float(value) if isinstance(value, str | int | float) else 0.0
    except (ValueError, OverflowError):
        return 0.0
    return float(number(found) or 0)


def _pixels(value: object) -> int:
    return pixels(_float(value))


def _column(name: str) -> str:
    """A column's name as `COLUMNS` has it."""
    return re.sub(r"[\s_.-]+", "", name).lower()


@lru_cache(maxsize=64)
def _meant(names: tuple[str, ...]) -> dict[str, int]:
    """Which column holds what, of those that there are."""
    plainly = [_column(name) for name in names]
    found = {what: [one for one in spelt if one in plainly] for what, spelt in COLUMNS.items()}
    return {what: plainly.index(there[0]) for what, there in found.items() if there}


def _text(file: io.BufferedReader, where: str) -> Iterator[_Row]:
    lines = lines_in(file, where, SourceError, latin=True, longest=_LONGEST)
    first = next((line for line in lines if line.strip() and not line.startswith("#")), "")
    return _kind(first, where)(chain([first], lines) if first else iter(()))


def _kind(first: str, where: str) -> Callable[[Iterator[str]], Iterator[_Row]]:
    """How to read a list that begins with a line."""
    if first.lstrip().startswith("{"):
        return _objects
    if _IMAGENET.fullmatch(first) and _ADDRESS.match(first.split("\t")[1].strip()):
        return _imagenet
    if "url" in _meant(tuple(_cells(first))):
        return _table
    if not first or _ADDRESS.match(first.strip()):
        return _addresses
    wanted = ", ".join(COLUMNS["url"][:3])
    raise SourceError(f"{where} is no list of addresses, and a table needs a column of them called {wanted} or so")


def _cells(line: str) -> list[str]:
    """The cells of a line alone; none where it is no row."""
    try:
        return next(csv.reader([line], delimiter=delimiter_of(line)), [])
    except csv.Error:
        return []


def _addresses(lines: Iterator[str]) -> Iterator[_Row]:
    """An address a line; what stands behind a tab is left alone, and so are lines that begin with ``#``."""
    for line in lines:
        if line.strip() and not line.startswith("#"):
            yield {"url": line.partition("\t")[0]}


def _imagenet(lines: Iterator[str]) -> Iterator[_Row]:
    """Lines ``WNID_NUMBER<TAB>URL``."""
    for line in lines:
        if line.strip():
            found = _IMAGENET.fullmatch(line)
            yield {"wnid": found[1], "url": found[2]} if found else None


def _objects(lines: Iterator[str]) -> Iterator[_Row]:
    """A JSON object a line."""
    for line in lines:
        if line.strip():
            try:
                said = json.loads(line)
            except (ValueError, RecursionError):
                said = None
            yield _by_column(said) if isinstance(said, dict) else None


def _by_column(said: dict[str, Any]) -> dict[str, Any]:
    names = tuple(said)
    return {what: said[names[place]] for what, place in _meant(names).items()}


def _table(lines: Iterator[str]) -> Iterator[_Row]:
    """A table with a line of names above it."""
    head = next(lines)
    reader = csv.reader(chain([head], (f"{line}\n" for line in lines)), delimiter=delimiter_of(head))
    columns = _meant(tuple(next(reader)))
    while True:
        try:
            row = next(reader)
        except csv.Error:  # it reads on with the next line
            yield None
        except StopIteration:
            return
        else:
            if row:
                yield {what: row[place] for what, place in columns.items() if place < len(row)}


def _parquet(path: Path) -> Iterator[_Row]:
    with pq.ParquetFile(local(path), memory_map=False, pre_buffer=False) as file:
        names = file.schema_arrow.names
        about = file.metadata
    columns = {what: names[place] for what, place in _meant(tuple(names)).items()}
    if "url" not in columns:
        raise SourceError(f"{printable(path)} has no column url: it has {', '.join(names)[:200]}")
    if twice := doubled(names, lambda name: name in columns.values()):
        raise SourceError(f"{printable(path)} has two columns {twice}: nobody knows which is meant")
    wanted = list(columns.values())
    chunks = [chunk for chunk in _chunks(about) if chunk.path_in_schema in wanted]
    if any(one.total_uncompressed_size > max(_MUCH, _SWELLING * one.total_compressed_size) for one in chunks):
        raise SourceError(
            f"{printable(path)} unpacks to more than {_SWELLING} times its size: no list of addresses does"
        )
    long = {one.path_in_schema for one in chunks if one.total_uncompressed_size > _FEW}
    short = [name for name in wanted if name not in long]  # a text that a million rows have is read once
    with pq.ParquetFile(local(path), memory_map=False, pre_buffer=False, read_dictionary=short) as file:
        for batch in file.iter_batches(_BATCH, columns=wanted):
            held = {what: _values(batch.column(name)) for what, name in columns.items()}
            for row in zip(*held.values(), strict=True):
                yield dict(zip(held, row, strict=True))


def _chunks(about: pq.FileMetaData) -> Iterator[pq.ColumnChunkMetaData]:
    """The parts of a file's columns."""
    groups = (about.row_group(number) for number in range(about.num_row_groups))
    return (group.column(number) for group in groups for number in range(group.num_columns))


def _values(column: pa.Array) -> list[Any]:
    """The values of a column; texts in no encoding are taken for what they are likely to be.

    Of a dictionary what is used is read.
    """
    if isinstance(column, pa.DictionaryArray):
        used = column.indices.unique().drop_null()
        values = dict(zip(used.to_pylist(), _values(column.dictionary.take(used)), strict=True))
        return [values.get(place) for place in column.indices.to_pylist()]
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        column = column.cast(pa.large_binary())
    found: list[Any] = column.to_pylist()
    return [one.decode("utf-8", "replace") if isinstance(one, bytes) else one for one in found]


def _why(error: BaseException) -> str:
    said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return (said or type(error).__name__).splitlines()[0][:200]
