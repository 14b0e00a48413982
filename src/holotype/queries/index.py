"""A release's manifest in memory, column by column as questions need them: rows sorted by rank make a subtree a few
slices."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from copy import copy
from dataclasses import replace
from functools import cached_property, reduce
from operator import and_
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from holotype.errors import OntologyError, QueryError, ReleaseError
from holotype.files import local
from holotype.ontology import Ontology
from holotype.ontology.senses import Senses
from holotype.queries.index_boxes import BoxRows
from holotype.queries.query import BOXED, COMPARE, NUMBERS, SYNSETS, Query, Term
from holotype.queries.rows import (
    Candidate,
    Ints,
    Mask,
    Ranges,
    Stretch,
    by_piece,
    draw,
    first_of_page,
    mark_of,
    ranks_of,
)
from holotype.releases import ID_LENGTH, MANIFEST, MANIFEST_SCHEMA, Release
from holotype.releases.bounds import check_size
from holotype.releases.layout import BOXES
from holotype.store.location import Location

Rows = npt.NDArray[np.int32]

_ROW: Final = (
    *("id", "sha256", "wnid", "rank", "split", "score", "policy", "boxes", "width", "height"),
    *("source", "licence", "format"),
)
_FILE: Final = "origin"
_SIZES: Final = ("width", "height")
_DIGITS: Final = re.compile(r"[0-9a-f]{8,64}")
_PLACE: Final = ("shard", "offset", "length")
_BELOW: Final = "path"
_BATCH: Final = 1 << 16
_PIECE: Final = 1 << 13
_GROUP: Final = 1 << 20
_ODD: Final = np.uint64(0x9E3779B97F4A7C15)
_REPEATED: Final = [field.name for field in MANIFEST_SCHEMA if pa.types.is_string(field.type) and field.name != "id"]


class Index:
    """Answers questions to the rows of a manifest (see `holotype.queries.rows.Questions`).

    `senses` says which synsets a wnid or a lemma may mean; without it the ontology does. `files` are those that images
    lie in, by shard, where they are not the release's own. Opening reads the ranks alone;
    every other column is read when a question first needs it, and kept: 4 bytes a row for a number or a word, its
    length and 4 for an id. Which rows satisfied the terms of the last question is kept too, for the next synset with
    the same terms. Rows themselves are read from the file each time.

    Raises `QueryError` where the manifest is damaged, not sorted by rank and id, or lacks a column asked about. That
    ranks are sorted is checked on opening; that ids are, within a rank, when they are first read: by `ids` and by a
    term on ``id``. That a row's wnid is that of its rank is checked of the rows that are handed out.
    """

    def __init__(
        self,
        manifest: Path,
        ontology: Ontology,
        senses: Senses | None = None,
        files: Mapping[str, Location] = MappingProxyType({}),
    ) -> None:
        self.path = manifest
        self._files = files
        self.ontology = ontology
        self._senses = senses or ontology.named
        with self._reading(), pq.ParquetFile(local(manifest)) as file:
            self._metadata = file.metadata
            self._schema = file.schema_arrow
        if self._metadata.num_rows >= 1 << 31:
            raise QueryError(
                f"{manifest} has {self._metadata.num_rows:,} rows; an index holds fewer than 2,147,483,648"
            )
        self._groups = [self._metadata.row_group(group).num_rows for group in range(self._metadata.num_row_groups)]
        if max(self._groups, default=0) > _GROUP:
            raise QueryError(
                f"{manifest} has a row group of {max(self._groups):,} rows; write it with {_GROUP:,} in each at most"
            )
        self._columns: dict[str, Rows] = {}
        self._words: dict[str, list[str]] = {}
        self._last: tuple[tuple[Term, ...], Rows] | None = None
        self._hidden: Rows = np.zeros(0, np.int32)
        self._starts = self._read_starts()

    @classmethod
    def of(cls, release: Release, ontology: Ontology, senses: Senses | None = None) -> Index:
        """The index of a release. Raises `OntologyError` where it was made on another ontology."""
        if release.summary["ontology"] != ontology.digest:
            raise OntologyError(
                f"{release.path} was made on the ontology {release.summary['ontology'][:12]}, "
                f"but this machine has {ontology.digest[:12]}; name the right one with WNSEARCHDIR"
            )
        return cls(release.path / MANIFEST, ontology, senses, release.files)

    def hiding(self, ids: Collection[str]) -> Index:
        """The same index without the rows of these ids; what was read already is shared."""
        found = pc.is_in(self._ids, pa.array(sorted(ids), pa.string())).to_numpy(zero_copy_only=False)
        other = copy(self)
        other._hidden = np.flatnonzero(found).astype(np.int32)
        return other

    def __len__(self) -> int:
        return int(self._starts[-1])

    def count(self, query: Query) -> int:
        """How many rows match."""
        if not _conditions(query):
            slices = self._slices(query)
            return int(np.diff(slices).sum() - np.diff(np.searchsorted(self._hidden, slices)).sum())
        return len(self._numbers(query))

    def counts(self, query: Query) -> Ints:
        """How many rows match under each synset, ``(synsets,)`` in rank order; a row counts once for each."""
        if self._selects(query):
            starts = np.searchsorted(self._numbers(query), self._starts.astype(np.int32))
            return self.ontology.subtree_sums(np.diff(starts))
        return self.ontology.subtree_sums(np.diff(self._starts) * self._ranks(query))

    def numbers(self, query: Query) -> Rows:
        """The numbers of the rows of the manifest that match, ascending."""
        return self._numbers(query)

    def ids(self, query: Query) -> pa.StringArray:
        """The ids of the rows that match, each once, in order of rank, then id."""
        if len(self._shared):
            return self._ids.take(pa.array(self._firsts(self._numbers(query))))
        if self._selects(query):
            return self._ids.take(pa.array(self._numbers(query)))
        parts = [self._ids.slice(start, stop - start) for start, stop in self._slices(query).tolist()]
        return parts[0] if len(parts) == 1 else pa.concat_arrays([self._ids[:0], *parts])

    def rows(self, query: Query) -> Iterator[Candidate]:
        """The rows that match, in order of rank, then id, read from the file one row group after the other."""
        return self._rows_at(self._numbers(query))

    def page(self, query: Query, number: int, size: int) -> list[Candidate]:
        """Rows of page `number`, the first is 1, of `size` rows each; empty after the last."""
        first = first_of_page(number, size)
        return list(self._rows_at(self._numbers(query)[first : first + size]))

    def stretch(self, query: Query, size: int, after: str = "", until: int | None = None) -> Stretch:
        """The first `size` rows that match after a mark, see `Questions.stretch`; a mark is the number of a row."""
        first = mark_of(after, 1)[0] if after else 0
        stop = len(self) if until is None else int(self._starts[min(until, len(self.ontology))])
        if _conditions(query):
            found = self._numbers(query)
            some = found[np.searchsorted(found, first) :][: size + 1]
        else:
            slices, most = np.maximum(self._slices(query), first), size + 1 + len(self._hidden)
            parts = [np.arange(start, min(stop, start + most)) for start, stop in slices.tolist() if start < stop]
            some = self._seen(np.concatenate([np.zeros(0, np.int64), *parts])[:most].astype(np.int32))[: size + 1]
        shown = some[:size][some[:size] < stop]
        return Stretch(list(self._rows_at(shown)), str(some[len(shown)]) if len(shown) < len(some) else "")

    @property
    def by_rank(self) -> Ints:
        """How many rows each synset alone has, ``(synsets,)`` in rank order."""
        return np.diff(self._starts)

    def votes(self, query: Query) -> Rows:
        """How many voted yes, unsure and no on the rows that match, ``(rows, 3)``."""
        numbers = self._numbers(query)
        return np.stack([self._number(name)[numbers] for name in ("yes", "unsure", "no")], axis=1)

    def sample(self, query: Query, n: int, seed: int) -> list[Candidate]:
        """`n` of the rows that match, without replacement and in order of rank, then id; all if they are fewer.

        The same seed and rows give the same sample, also where the `holotype.queries.Live` catalog is asked.
        """
        numbers = self._numbers(query)
        return list(self._rows_at(numbers[draw(len(numbers), n, seed)]))

    def held(self, ranges: Ranges) -> int:
        """How many rows half-open ranges of ranks have."""
        return sum(int(self._starts[stop] - self._starts[start]) for start, stop in ranges)

    def _ranks(self, query: Query) -> Mask:
        ranks: Mask = ranks_of(query, self.ontology, self._senses, self.held)[:-1]
        return ranks

    def _selects(self, query: Query) -> bool:
        """Whether not all rows of the synsets asked about match."""
        return bool(len(self._hidden) or _conditions(query))

    def _slices(self, query: Query) -> Ints:
        """Half-open slices of rows, ``(n, 2)``, ascending and none empty, whose ranks can match."""
        edges = np.flatnonzero(np.diff(self._ranks(query), prepend=False, append=False)).reshape(-1, 2)
        slices = self._starts[edges]
        return slices[slices[:, 0] < slices[:, 1]]

    def _numbers(self, query: Query) -> Rows:
        """The numbers of the rows that match, ascending."""
        found = self._satisfying(_conditions(query))
        ends = np.searchsorted(found, self._slices(query).astype(np.int32))
        parts = [found[start:stop] for start, stop in ends.tolist()]
        return self._seen(parts[0] if len(parts) == 1 else np.concatenate([found[:0], *parts]))

    def _seen(self, numbers: Rows) -> Rows:
        """Numbers of rows, ascending, without those of hidden ones."""
        if not len(self._hidden):
            return numbers
        at = np.searchsorted(numbers, self._hidden)
        inside = at < len(numbers)
        at = at[inside]
        return np.delete(numbers, at[numbers[at] == self._hidden[inside]])

    def _satisfying(self, terms: tuple[Term, ...]) -> Rows:
        """The numbers of the rows of any synset that satisfy these terms; those of the last question are kept."""
        last = self._last
        if last is None or last[0] != terms:
            masks = [self._matching(term) for term in terms]
            found = np.flatnonzero(reduce(and_, masks)) if masks else np.arange(len(self))
            self._last = last = terms, found.astype(np.int32)  # other threads may ask another question meanwhile
        return last[1]

    def _matching(self, term: Term) -> Mask:
        """Which rows satisfy a term."""
        mask: Mask
        if term.field in NUMBERS:
            number = self._number(term.field)
            mask = COMPARE[term.compare](number, int(term.value))
            if term.field in _SIZES:
                mask &= number > 0  # one that is not known satisfies no comparison
        elif term.field == "id":
            mask = self._called(term.value)
        elif term.field in BOXED:
            mask = np.zeros(len(self), np.bool_)
            mask[self._boxed[self._boxes.matching(term)]] = True
        else:
            codes = self._word(term.field)
            mask = np.array([term.matches(word) for word in self._words[term.field]], np.bool_)[codes]
        return ~mask if term.negated else mask

    @cached_property
    def _boxed(self) -> Ints:
        """The numbers of the rows whose images have boxes."""
        return np.flatnonzero(self._number("boxes"))

    @cached_property
    def _boxes(self) -> BoxRows:
        """What boxes say of the rows whose images have any."""
        boxed = self._boxed
        ranks, place = np.unique(np.searchsorted(self._starts, boxed, "right") - 1, return_inverse=True)
        wnids = pa.array([self.ontology.at_rank(rank).wnid for rank in ranks.tolist()], pa.string())
        sizes = np.stack([self._number(name)[boxed].astype(np.int64) for name in _SIZES], axis=1)
        ids = self._ids.take(pa.array(boxed))
        return BoxRows(self.path.parent / BOXES, ids, wnids.take(pa.array(place)), sizes)

    def _called(self, text: str) -> Mask:
        """Which rows are of an image called so: by its id, or else its sha256 or how that begins, or its origin."""
        mask: Mask = pc.equal(self._ids, text).to_numpy(zero_copy_only=False)
        if not mask.any() and _DIGITS.fullmatch(text.lower()):
            mask = pc.starts_with(self._ids, text.lower()[:ID_LENGTH]).to_numpy(zero_copy_only=False)
        if not mask.any() and "." in text:
            names = [f"/{name}" for name in (text, text.rpartition(".")[0]) if name]  # a dataset's have no ending
            for first, values in self._batches("origin"):
                paths = pc.binary_join_element_wise("", values.cast(pa.string()), "/")
                found = reduce(pc.or_, (pc.ends_with(paths, name) for name in names))
                mask[first : first + len(values)] = found.to_numpy(zero_copy_only=False)
        return mask

    def _number(self, name: str) -> Rows:
        if name not in self._columns:
            column = np.empty(len(self), np.int32)
            for first, values in self._batches(name):
                column[first : first + len(values)] = values.to_numpy()
            self._columns[name] = column
        return self._columns[name]

    def _word(self, name: str) -> Rows:
        """A column of words as numbers, which count the words of the column in order of their first appearance."""
        if name not in self._columns:
            codes, known = np.empty(len(self), np.int32), dict[str, int]()
            for first, values in self._batches(name):
                batch = values.dictionary_encode()
                code = [known.setdefault(word, len(known)) for word in batch.dictionary.to_pylist()]
                codes[first : first + len(values)] = np.array(code, np.int32)[batch.indices.to_numpy()]
            self._words[name], self._columns[name] = list(known), codes  # the words first: see who asks for them
        return self._columns[name]

    @cached_property
    def _ids(self) -> pa.StringArray:
        """The ids in one piece; it grows in place, so that they are never there twice."""
        ends, data = np.zeros(len(self) + 1, np.int32), bytearray()
        for first, values in self._batches("id"):
            offsets = np.frombuffer(values.buffers()[1], np.int32)[values.offset : values.offset + len(values) + 1]
            if len(data) + int(offsets[-1] - offsets[0]) >= 1 << 31:
                raise QueryError(f"the ids of {self.path} are longer than the 2 GiB that an index holds")
            ends[first : first + len(values) + 1] = offsets - offsets[0] + len(data)
            data += memoryview(values.buffers()[2] or b"")[offsets[0] : offsets[-1]]
        ids = pa.StringArray.from_buffers(len(self), pa.py_buffer(ends), pa.py_buffer(data))
        follows = pc.less(ids[:-1], ids[1:]).to_numpy(zero_copy_only=False)
        follows[self._starts[(self._starts > 0) & (self._starts < len(self))] - 1] = True
        if not follows.all():
            raise QueryError(
                f"{self.path} is not sorted by rank and id, row {int(np.argmin(follows)) + 2:,} is the first"
            )
        return ids

    @cached_property
    def _shared(self) -> Rows:
        """The numbers of the rows whose id is that of another row, too; a few more do no harm."""
        ordered = self._id_keys()
        ordered.sort()
        twice = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
        return np.flatnonzero(np.isin(self._id_keys(), twice)).astype(np.int32) if len(twice) else np.empty(0, np.int32)

    def _id_keys(self) -> npt.NDArray[np.generic]:
        """A number for each id, the same for the same id: 64 bits of ids of 16 bytes, as ours are, which is fast."""
        _, offsets, data = self._ids.buffers()
        ends = np.frombuffer(offsets, np.int32)
        if not (np.diff(ends) == ID_LENGTH).all():
            return np.array(self._ids.dictionary_encode().indices)
        halves = np.frombuffer(data, np.uint64).reshape(-1, 2)
        keys: npt.NDArray[np.uint64] = halves[:, 0] * _ODD
        keys += halves[:, 1]
        return keys

    def _firsts(self, numbers: Rows) -> Rows:
        """`numbers` of rows, ascending, without those whose id one before has."""
        at = np.searchsorted(numbers, self._shared)
        at = at[np.isin(self._shared, numbers, assume_unique=True)]
        ids = self._ids.take(pa.array(numbers[at])).dictionary_encode()
        return np.delete(numbers, np.delete(at, np.unique(ids.indices, return_index=True)[1]))

    def _read_starts(self) -> Ints:
        """The number of the first row of each rank, and of all rows at the end."""
        counts, last = np.zeros(len(self.ontology), np.int64), 0
        for first, values in self._batches("rank"):
            ranks = np.concatenate([[last], values.to_numpy()])
            if len(falling := np.flatnonzero(np.diff(ranks) < 0)):
                raise QueryError(
                    f"{self.path} is not sorted by rank and id, row {first + int(falling[0]) + 1:,} is the first"
                )
            last = ranks[-1]
            if last >= len(counts):
                raise QueryError(f"{self.path} has the rank {last:,}, but the ontology has {len(counts):,} synsets")
            counts += np.bincount(ranks[1:], minlength=len(counts))
        return np.concatenate([[0], np.cumsum(counts)])

    def _batches(self, name: str) -> Iterator[tuple[int, pa.Array]]:
        """The number of its first row and the values of a piece of a column, for all pieces."""
        self._check(name)
        first = 0
        with self._open() as file:
            for batch in file.iter_batches(_BATCH, columns=[name]):
                values = batch.column(0)
                values.validate(full=True)
                if values.null_count:
                    raise QueryError(f"{self.path} has empty cells in its column {name}")
                if first + len(values) > self._metadata.num_rows:
                    break
                yield first, values
                first += len(values)
        if first != self._metadata.num_rows:
            raise QueryError(f"{self.path} has more or fewer cells in its column {name} than it has rows")

    def _check(self, *names: str) -> None:
        for name in names:
            if name not in MANIFEST_SCHEMA.names or name not in self._schema.names:
                raise QueryError(f"{self.path} says nothing of {name}: it has no such column")
            if self._schema.field(name).type != MANIFEST_SCHEMA.field(name).type:
                raise QueryError(f"the column {name} of {self.path} is not of type {MANIFEST_SCHEMA.field(name).type}")
        with self._reading():
            check_size(self.path, names)

    def _rows_at(self, numbers: Rows) -> Iterator[Candidate]:
        """Rows by ascending number; only the row groups that hold one are read, piece by piece."""
        names = [*_ROW, *_PLACE, _FILE]
        self._check(*names)
        if _BELOW in self._schema.names:
            names.append(_BELOW)
            with self._reading():
                check_size(self.path, [_BELOW])
        ends = np.cumsum(self._groups)
        with self._open() as file:
            for group, inside in by_piece(ends, numbers):
                first = int(ends[group]) - self._groups[group]
                for batch in file.iter_batches(_PIECE, [group], names):
                    stop = first + len(batch)
                    wanted = inside[slice(*np.searchsorted(inside, (first, stop)))]
                    if len(wanted):
                        yield from self._rows_of(batch.take(pa.array(wanted - first)), wanted)
                    first = stop
                    if stop > inside[-1]:
                        break
                else:
                    raise QueryError(f"{self.path} has fewer rows than it says")

    def _rows_of(self, batch: pa.RecordBatch, numbers: Ints) -> Iterator[Candidate]:
        """Rows as they are handed out, of their numbers; what they hold is checked."""
        batch.validate(full=True)
        if empty := [name for name, column in zip(batch.schema.names, batch.columns, strict=True) if column.null_count]:
            raise QueryError(f"{self.path} has empty cells in its column {empty[0]}")
        ranks = np.searchsorted(self._starts, numbers, "right") - 1
        for number, rank, values in zip(numbers.tolist(), ranks.tolist(), batch.to_pylist(), strict=True):
            if values["wnid"] != (wnid := self.ontology.at_rank(rank).wnid):
                raise QueryError(
                    f"{self.path}, row {number + 1:,}: the synset of rank {rank:,} is {wnid}, not {values['wnid']!a}"
                )
            yield self._row(values)

    def _row(self, values: dict[str, Any]) -> Candidate:
        shard, offset, length = (values[name] for name in _PLACE)
        file = self._files.get(shard, Location(shard, 0, 0))
        location = replace(file, offset=offset, length=length, path=values.get(_BELOW, ""))
        known = {name: values[name] for name in _ROW} | {name: values[name] or None for name in _SIZES}
        return Candidate(**known, state="yes", dataset="", location=location, file=values[_FILE])

    @contextmanager
    def _open(self) -> Iterator[pq.ParquetFile]:
        """The manifest, its words read as numbers: a word that is there a million times is in memory once."""
        with (
            self._reading(),
            pq.ParquetFile(local(self.path), metadata=self._metadata, read_dictionary=_REPEATED) as file,
        ):
            yield file

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except (OSError, pa.ArrowException) as error:
            raise QueryError(f"cannot read {self.path}: {error}") from error
        except ReleaseError as error:
            raise QueryError(str(error)) from error


def _conditions(query: Query) -> tuple[Term, ...]:
    """The terms that are not about the hierarchy."""
    return tuple(term for term in query.terms if term.field not in SYNSETS)
