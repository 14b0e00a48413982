"""Who made the pictures of a release, and under which licence: one line of CSV an image."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow import csv

from holotype.files import local
from holotype.images.decode import EXTENSIONS
from holotype.licences import parse
from holotype.releases.census import batches, first_rows
from holotype.releases.keys import id_keys
from holotype.releases.layout import MANIFEST, WORKS

COLUMNS: Final = ("id", "wnids", "file", "author", "licence", "licence_url", "url", "origin", "source")
WORKS_COLUMNS: Final = ("title", "author_url", "via")
_READ: Final = ("id", "wnid", "shard", "format", "author", "licence", "url", "origin", "source")
_FORMULA: Final = r"^[=+\-@\t\r\n＝＋－＠]"
_CONTROL: Final = r"[\x00-\x1f\x7f]+"


def attribution(folder: Path) -> Iterator[bytes]:
    """``attribution.csv`` of the release in a folder, in parts: UTF-8, a header, and an image a line, in the order of
    the manifest.

    Its columns are those of `images`, `WORKS_COLUMNS` only where the manifest says them. Every cell is quoted. One
    that a spreadsheet would take for a formula has an apostrophe first; control characters are spaces.
    """
    names = [*COLUMNS, *(name for name in WORKS_COLUMNS if name in _there(folder))]
    yield (",".join(f'"{name}"' for name in names) + "\n").encode()
    for table in images(folder):
        yield lines(pa.table([harmless(table[name]) for name in names], names=names))


def images(folder: Path) -> Iterator[pa.Table]:
    """The images of the release in a folder, each once, in the order of the manifest, some at a time.

    Columns are `COLUMNS`: id, the wnids it is labelled with, the member of a shard or the archive it lies in, author
    and licence as they were told, the licence's address where it can be told, the image's on the web, origin and
    source; and `WORKS_COLUMNS`, "" where the manifest does not say them: the title, the author's page, and the source
    that told all of this where it is another.
    """
    first, *_ = first_rows(folder)
    labels, start = _labels(folder), 0
    works = [name for name in WORKS if name in _there(folder)]
    for table in batches(folder / MANIFEST, [*_READ, *works]):
        own = np.flatnonzero(first[start : start + len(table)])
        found = table.take(pa.array(own))
        shown: dict[str, pa.ChunkedArray | pa.Array] = {name: found[name] for name in COLUMNS if name in _READ}
        shown["wnids"] = labels.of(id_keys(found["id"]), found["wnid"])
        shown["file"] = _files(found)
        said = {name: found[name] if name in works else _nothing(len(found)) for name in WORKS}
        shown["licence_url"] = _addresses(found["licence"], said["licence_url"])
        shown |= {name: said[name] for name in WORKS_COLUMNS}
        yield pa.table(shown).select([*COLUMNS, *WORKS_COLUMNS])
        start += len(table)


def _there(folder: Path) -> list[str]:
    """The columns of a manifest."""
    return list(pq.read_schema(local(folder / MANIFEST)).names)


def _nothing(rows: int) -> pa.Array:
    return pa.repeat(pa.scalar("", pa.string()), rows)


def harmless(texts: pa.ChunkedArray | pa.Array) -> pa.Array:
    """Texts that no spreadsheet executes."""
    coded = _coded(texts)
    formula = pc.match_substring_regex(coded.dictionary, _FORMULA)
    plain = pc.replace_substring_regex(coded.dictionary, _CONTROL, " ")
    return pc.if_else(formula, pc.binary_join_element_wise("'", plain, ""), plain).take(coded.indices)


def _coded(texts: pa.ChunkedArray | pa.Array) -> pa.DictionaryArray:
    """Texts as places in a dictionary, in one piece."""
    whole = texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts
    return (pa.concat_arrays(whole.chunks) if isinstance(whole, pa.ChunkedArray) else whole).dictionary_encode()


class _Labels:
    """The wnids of images that have several, by the image's key."""

    def __init__(self, several: dict[int, list[str]]) -> None:
        self._several = several

    def of(self, images: np.ndarray, first: pa.ChunkedArray) -> pa.ChunkedArray:
        """All wnids of images of which the first is known."""
        if not self._several:
            return first
        pairs = zip(images.tolist(), first.to_pylist(), strict=True)
        return pa.chunked_array([[" ".join(self._several.get(image, [wnid])) for image, wnid in pairs]], pa.string())


def _labels(folder: Path) -> _Labels:
    ids, wnids = [np.zeros(0, np.uint64)], list[pa.ChunkedArray]()
    for table in batches(folder / MANIFEST, ["id", "wnid"]):
        ids.append(id_keys(table["id"]))
        wnids.append(pc.dictionary_encode(table["wnid"]))
    images = np.concatenate(ids)
    order = np.argsort(images, kind="stable")
    same = images[order][1:] == images[order][:-1]
    again = order[np.concatenate([same, [False]]) | np.concatenate([[False], same])] if len(order) else order
    if not len(again):
        return _Labels({})
    column = pa.chunked_array([chunk for one in wnids for chunk in one.chunks]).unify_dictionaries()
    several: dict[int, list[str]] = {}
    for image, wnid in zip(images[again].tolist(), column.take(pa.array(again)).to_pylist(), strict=True):
        several.setdefault(image, []).append(wnid)
    return _Labels(several)


def _files(table: pa.Table) -> pa.ChunkedArray:
    """Where images lie: the member of a shard, or the archive that a release without bytes points into."""
    kinds = _coded(table["format"])
    extensions = pa.array([EXTENSIONS.get(name, "") for name in kinds.dictionary.to_pylist()], pa.string())
    extension = extensions.take(kinds.indices)
    member = pc.binary_join_element_wise(table["shard"], "/", table["id"], ".", extension, "")
    return pc.if_else(pc.ends_with(table["shard"], ".tar"), member, table["shard"])


def _addresses(licences: pa.ChunkedArray, said: pa.ChunkedArray | pa.Array) -> pa.Array:
    """The addresses of licences, or what was `said` to be theirs: "" of those that cannot be told or have none."""
    coded = _coded(licences)
    known = [parse(text).canonical for text in coded.dictionary.to_pylist()]
    found = pa.array(known, pa.string()).take(coded.indices)
    return pc.if_else(pc.equal(found, ""), said, found)


def lines(table: pa.Table) -> bytes:
    """A table of texts as lines of CSV, every cell quoted."""
    sink = io.BytesIO()
    csv.write_csv(table, sink, csv.WriteOptions(include_header=False, quoting_style="all_valid"))
    return sink.getvalue()
