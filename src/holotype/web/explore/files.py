"""Files of what a query finds, made in parts while they are sent."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

import pyarrow.parquet as pq

from holotype.errors import ArchiveError, PackError
from holotype.images.formats.magic import EXTENSIONS, sniff
from holotype.queries import Candidate
from holotype.queries.results import Result
from holotype.queries.tables import ANSWERS, to_arrow
from holotype.store.tar.writing import tar_end, tar_member

_ROWS: Final = 1_000
_RUN: Final = re.compile(r"[=+\-@\t\r]")
_KEY: Final = re.compile(r"[A-Za-z0-9_-]{1,60}", re.ASCII)


def csv_parts(results: Iterator[Result]) -> Iterator[bytes]:
    """A table with the columns of `holotype.queries.tables.ANSWERS`, in UTF-8.

    A text that a spreadsheet would run as a formula has an apostrophe before it; Parquet has it as it is.
    """
    names = ANSWERS.names
    yield _lines([names])
    while some := list(islice(results, _ROWS)):
        yield _lines([[_cell(getattr(one.candidate, name)) for name in names] for one in some])


def _cell(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and _RUN.match(value) else value


def _lines(rows: list[list[Any]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode("utf-8", "replace")


def parquet_parts(results: Iterator[Result]) -> Iterator[bytes]:
    """The same as Parquet."""
    sink = _Sink()
    with pq.ParquetWriter(sink, ANSWERS, compression="zstd") as writer:
        while some := list(islice(results, _ROWS)):
            writer.write_table(to_arrow(one.candidate for one in some))
            yield sink.taken()
    yield sink.taken()


class _Sink(io.RawIOBase):
    """Takes what is written, and gives it away."""

    def __init__(self) -> None:
        super().__init__()
        self._held, self._given = bytearray(), 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._given + len(self._held)

    def write(self, data: Any) -> int:
        self._held += data
        return len(data)

    def taken(self) -> bytes:
        """What was written since this was asked last."""
        data = bytes(self._held)
        self._given += len(data)
        self._held.clear()
        return data


def url_parts(results: Iterator[Result]) -> Iterator[bytes]:
    """Lines of an id, a tab, and the address on the web where the picture was found; those without one are left out."""
    while some := list(islice(results, _ROWS)):
        rows = [one.candidate for one in some if one.candidate.url]
        yield "".join(f"{_line(row.id)}\t{_line(row.url)}\n" for row in rows).encode("utf-8", "replace")


def _line(text: str) -> str:
    return " ".join(text.split())


def tar_parts(results: Iterator[Result]) -> Iterator[bytes]:
    """A tar as WebDataset reads them: of each label the picture's bytes as they lie in the store, and a JSON of what is
    known of it. What cannot be read is listed at the end, in ``unreadable.txt``."""
    length, unreadable = 0, list[str]()
    for result in results:
        row, key = result.candidate, _key(result.candidate)
        try:
            data = result.read()
        except (ArchiveError, PackError) as error:
            unreadable.append(f"{key}: {error}")
            continue
        about = json.dumps(_about(row), sort_keys=True, ensure_ascii=False).encode("utf-8", "replace")
        for ending, part in ((EXTENSIONS.get(sniff(data), "img"), data), ("json", about)):
            member = b"".join(tar_member(f"{key}.{ending}", part))
            length += len(member)
            yield member
    if unreadable:
        member = b"".join(tar_member("unreadable.txt", "\n".join(unreadable).encode("utf-8", "replace")))
        length += len(member)
        yield member
    yield tar_end(length)


def _key(row: Candidate) -> str:
    """The name of a label's members: the synset and the image's id, unless that begins so."""
    plain = row.id if _KEY.fullmatch(row.id) else row.sha256[:16] or row.id.encode().hex()[:60]
    return plain if plain.startswith(row.wnid) and row.wnid else f"{row.wnid or 'none'}_{plain}"


def _about(row: Candidate) -> dict[str, Any]:
    left = {"dataset", "rank", "boxes"}
    return {name: getattr(row, name) for name in ANSWERS.names if name not in left}
