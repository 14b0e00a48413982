"""iNaturalist's open data: four tables that it writes every month, joined here without asking it anything.

``taxa``, ``observations``, ``observers`` and ``photos``, tab-separated, packed or not, as they lie in the bucket
inaturalist-open-data. Each is read once or twice from end to end, a block at a time: what stays in memory are the taxa
that are wanted and the observations that were chosen.
"""

from __future__ import annotations

import gzip
import string
import zlib
from array import array
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from holotype.collect.sources.inaturalist import SIZES, code_in_words
from holotype.collect.sources.lists import UNREADABLE, Listed
from holotype.collect.sources.port import Found
from holotype.collect.sources.replies import NO_FILE, Skips
from holotype.collect.sources.values import number, pixels, text
from holotype.errors import ArchiveError, SourceError
from holotype.files import printable
from holotype.licences import Licence, parse
from holotype.store.opening import opened_file

FILES: Final = "https://inaturalist-open-data.s3.amazonaws.com/photos"
PAGES: Final = "https://www.inaturalist.org"
_BLOCK: Final = 4 << 20
_UUID: Final = 36
"""The characters of a uuid as text."""
_DIGIT_AT: Final = [place for place in range(_UUID) if place not in (8, 13, 18, 23)]
_NO_DIGIT: Final = 255
_DIGITS: Final = np.array(
    [int(chr(one), 16) if chr(one) in string.hexdigits else _NO_DIGIT for one in range(256)], "u1"
)
_EXTENSIONS: Final = frozenset(("jpg", "jpeg", "png", "gif"))
_MEANS_NOTHING: Final = frozenset(("", "C"))
"""What stands for a licence where all rights are reserved: such photos are not in the bucket."""

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Taxa:
    """The taxa that synsets mean: `ids`, sorted, and for each the place of its synset in `wnids`.

    `unknown` and `ambiguous` are the synsets of which no lemma names a taxon, or one names several: they have none.
    """

    wnids: tuple[str, ...]
    ids: Ints
    places: Ints
    unknown: tuple[str, ...] = ()
    ambiguous: tuple[str, ...] = ()


def taxa_of(folder: Path, lemmas: Mapping[str, Sequence[str]]) -> Taxa:
    """The active taxa whose scientific name is a lemma of a synset, with all below them; `lemmas` are by wnid.

    A taxon below several of these belongs to the nearest. Raises `SourceError` where ``taxa`` cannot be read.
    """
    wnids = tuple(lemmas)
    meant = {_name(lemma): place for place, wnid in enumerate(wnids) for lemma in reversed(lemmas[wnid])}
    named: dict[int, list[int]] = {}
    for taxon, _, name in _active(folder):
        if (place := meant.get(_name(name))) is not None:
            named.setdefault(place, []).append(taxon)
    roots = {taxa[0]: place for place, taxa in named.items() if len(taxa) == 1}
    ids, places = array("q"), array("q")
    for taxon, ancestry, _ in _active(folder):
        line = (taxon, *(number(one) for one in reversed(ancestry.split("/"))))
        place = next((roots[one] for one in line if one in roots), None)
        if place is not None:
            ids.append(taxon)
            places.append(place)
    order = np.argsort(np.array(ids, np.int64), kind="stable")
    return Taxa(
        wnids,
        np.array(ids, np.int64)[order],
        np.array(places, np.int64)[order],
        tuple(wnid for place, wnid in enumerate(wnids) if place not in named),
        tuple(wnids[place] for place, taxa in sorted(named.items()) if len(taxa) > 1),
    )


def photos_of(
    folder: Path, taxa: Taxa, most: int = 20_000, size: str = "large", skipped: Skips | None = None
) -> Iterator[Listed]:
    """The photos of research grade observations of these taxa, of at most so many observations a synset.

    Photos are in the order of their table; `size` is one of iNaturalist's. `skipped` counts those that are of no file
    (``no_file``) and rows that are none (``unreadable``). Raises `SourceError` where a table cannot be read.
    """
    counts = Skips() if skipped is None else skipped
    chosen = _chosen(folder, taxa, most, counts)
    names = _names(folder, chosen)
    wanted = ("photo_id", "observation_uuid", "extension", "license", "width", "height")
    position = 0
    for block in _blocks(folder, "photos", wanted, counts):
        uuids = _uuids(block["observation_uuid"])
        places = np.searchsorted(chosen.uuids, uuids)
        places[places == len(chosen.uuids)] = 0
        hits = np.flatnonzero(chosen.uuids[places] == uuids) if len(chosen.uuids) else np.empty(0, np.int64)
        rows = block.take(pa.array(hits)).to_pylist()
        for row, place in zip(rows, places[hits].tolist(), strict=True):
            position += 1
            if found := _found(row, chosen, place, names, position, size):
                yield Listed(found, taxa.wnids[int(chosen.synsets[place])])
            else:
                counts.add(NO_FILE)


@dataclass(frozen=True, slots=True)
class _Chosen:
    """Observations, sorted by uuid: of which synset and taxon they are, and whose."""

    uuids: npt.NDArray[np.bytes_]
    synsets: Ints
    taxa: Ints
    observers: Ints


@dataclass(frozen=True, slots=True)
class _Names:
    """What observers and taxa are called."""

    observers: Mapping[int, tuple[str, str]]
    taxa: Mapping[int, str]


def _chosen(folder: Path, taxa: Taxa, most: int, counts: Skips) -> _Chosen:
    taken: Counter[int] = Counter()
    uuids, columns = bytearray(), tuple(array("q") for _ in range(3))
    wanted = ("observation_uuid", "taxon_id", "observer_id", "quality_grade")
    for block in _blocks(folder, "observations", wanted, counts):
        kept = block.filter(pc.equal(block["quality_grade"], b"research"))
        ids = _numbers(kept["taxon_id"])
        places = np.searchsorted(taxa.ids, ids)
        places[places == len(taxa.ids)] = 0
        hits = np.flatnonzero(taxa.ids[places] == ids) if len(taxa.ids) else np.empty(0, np.int64)
        some = kept.take(pa.array(hits))
        rows = zip(
            _uuids(some["observation_uuid"]).tolist(),
            taxa.places[places[hits]].tolist(),
            ids[hits].tolist(),
            _numbers(some["observer_id"]).tolist(),
            strict=True,
        )
        for uuid, *row in rows:
            if taken[row[0]] < most and uuid:
                taken[row[0]] += 1
                uuids += uuid.ljust(16, b"\0")
                for column, value in zip(columns, row, strict=True):
                    column.append(value)
    held = np.frombuffer(bytes(uuids), "S16")
    order = np.argsort(held, kind="stable")
    synsets, taxon_ids, observers = (np.array(column, np.int64)[order] for column in columns)
    return _Chosen(held[order], synsets, taxon_ids, observers)


def _names(folder: Path, chosen: _Chosen) -> _Names:
    """The names of those observers and taxa that there are observations of."""
    observers: dict[int, tuple[str, str]] = {}
    for row in _rows(folder, "observers", "observer_id", ("login", "name"), chosen.observers):
        observers[row[0]] = (row[2] or row[1], row[1])
    taxa = {row[0]: row[1] for row in _rows(folder, "taxa", "taxon_id", ("name",), chosen.taxa)}
    return _Names(observers, taxa)


def _rows(folder: Path, table: str, key: str, wanted: Sequence[str], ids: Ints) -> Iterator[tuple[Any, ...]]:
    """Rows of a table whose key is one of `ids`: the key and the texts that are wanted."""
    among = pa.array(np.unique(ids))
    for block in _blocks(folder, table, (key, *wanted), Skips()):
        found = _numbers(block[key])
        hits = pc.indices_nonzero(pc.is_in(pa.array(found), among))
        some = block.take(hits)
        texts = [[_text(one) for one in some[name].to_pylist()] for name in wanted]
        yield from zip(found[hits.to_numpy()].tolist(), *texts, strict=True)


def _active(folder: Path) -> Iterator[tuple[int, str, str]]:
    """Id, ancestry and name of the taxa that are in use."""
    for block in _blocks(folder, "taxa", ("taxon_id", "ancestry", "name", "active"), Skips()):
        kept = block.filter(pc.is_in(block["active"], pa.array([b"true", b"t", b"True"], pa.binary())))
        ancestries, names = (map(_text, kept[one].to_pylist()) for one in ("ancestry", "name"))
        for taxon, ancestry, name in zip(_numbers(kept["taxon_id"]).tolist(), ancestries, names, strict=True):
            if taxon >= 0:
                yield taxon, ancestry, name


def _found(
    row: Mapping[str, Any], chosen: _Chosen, place: int, names: _Names, position: int, size: str
) -> Found | None:
    photo, extension = number(_text(row["photo_id"])), _text(row["extension"]).lower()
    if photo is None or extension not in _EXTENSIONS:
        return None
    sides = [pixels(_text(row[side])) for side in ("width", "height")]
    scale = min(1.0, SIZES[size] / max(*sides, 1))
    taxon = names.taxa.get(int(chosen.taxa[place]), "")
    creator, login = names.observers.get(int(chosen.observers[place]), ("", ""))
    return Found(
        url=f"{FILES}/{photo}/{size}.{extension}",
        landing=f"{PAGES}/photos/{photo}",
        position=position,
        licence=licence_of(_text(row["license"])),
        width=round(sides[0] * scale),
        height=round(sides[1] * scale),
        title=taxon,
        creator=creator,
        creator_url=f"{PAGES}/people/{login}" if login.replace("_", "").replace("-", "").isalnum() else "",
        depicts=taxon,
    )


def licence_of(said: str) -> Licence:
    """The licence in the table of photos.

    >>> licence_of("CC-BY-NC").code, licence_of("CC0").code, licence_of("").code
    ('by-nc', 'cc0', '')
    """
    return parse("" if said in _MEANS_NOTHING else code_in_words(said))


def _blocks(folder: Path, table: str, wanted: Sequence[str], counts: Skips) -> Iterator[pa.Table]:
    """A table's columns as bytes, a few megabytes at a time; `counts` has rows that are none."""

    def skip(_: object) -> str:
        counts.add(UNREADABLE)
        return "skip"

    path = _file(folder, table)
    parse_options = pa.csv.ParseOptions(delimiter="\t", quote_char=False, invalid_row_handler=skip)
    convert = pa.csv.ConvertOptions(
        include_columns=list(wanted),
        column_types=dict.fromkeys(wanted, pa.binary()),
        strings_can_be_null=False,
        check_utf8=False,
    )
    read = pa.csv.ReadOptions(block_size=_BLOCK, use_threads=False)
    try:
        with opened_file(path) as file:
            packed = file.peek(2)[:2] == b"\x1f\x8b"
            whole: Any = gzip.GzipFile(fileobj=file) if packed else file
            reader = pa.csv.open_csv(pa.PythonFile(whole, "r"), read, parse_options, convert)
            for batch in reader:
                yield pa.Table.from_batches([batch])
    except pa.ArrowKeyError as error:
        raise SourceError(f"{printable(path)} lacks a column: {str(error)[:200]}") from error
    except (ArchiveError, OSError, EOFError, zlib.error, pa.ArrowException) as error:
        raise SourceError(f"cannot read {printable(path)}: {str(error).splitlines()[0][:200]}") from error


def _file(folder: Path, table: str) -> Path:
    for ending in (".csv.gz", ".csv"):
        if (path := folder / f"{table}{ending}").is_file():
            return path
    raise SourceError(f"{printable(folder)} has no {table}.csv.gz; iNaturalist's open data has four such tables")


def _numbers(column: pa.ChunkedArray) -> Ints:
    """Whole numbers, -1 for what is none."""
    texts = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    fine = pc.match_substring_regex(texts, "^[0-9]{1,18}$")
    numbers = pc.if_else(fine, texts, b"-1").cast(pa.string()).cast(pa.int64())
    found: Ints = numbers.to_numpy(zero_copy_only=False)
    return found


def _uuids(column: pa.ChunkedArray) -> npt.NDArray[np.bytes_]:
    """The sixteen bytes of uuids; none for what is no uuid."""
    texts = column.combine_chunks()
    alike = pc.if_else(pc.equal(pc.binary_length(texts), _UUID), texts, b"?" * _UUID)
    letters = np.frombuffer(alike.buffers()[2] or b"", np.uint8)[: len(alike) * _UUID]
    digits = _DIGITS[letters.reshape(-1, _UUID)[:, _DIGIT_AT]]
    whole = np.ascontiguousarray(digits[:, ::2] << 4 | digits[:, 1::2] & 15)
    whole[(digits == _NO_DIGIT).any(1)] = 0
    return whole.view("S16").reshape(-1)


def _text(value: bytes | None) -> str:
    return text((value or b"").decode("utf-8", "replace"))


def _name(said: str) -> str:
    """A scientific name, to be compared."""
    return " ".join(said.replace("_", " ").split()).casefold()
