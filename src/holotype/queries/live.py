"""The same questions to the live catalog: candidates that were ingested, and items of datasets that were imported.

The database counts by rank and sorts within a rank; what a rank means stays with the ontology. So one index of
``(rank, boxes)`` serves every subtree, and no statement grows with the number of ranges.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import compress
from typing import Any, Final, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import ColumnElement, Connection, Result, and_, case, collate, func, literal, not_, select, union_all

from holotype.catalog import Catalog
from holotype.catalog import schema as t
from holotype.catalog.statements import chunks
from holotype.ontology import Ontology
from holotype.queries.query import COMPARE, NUMBERS, SYNSETS, Query, Term, ascii_lower
from holotype.queries.rows import Ints, Resolve, Row, by_piece, draw, first_of_page, ranks_of
from holotype.releases import ID_LENGTH
from holotype.store.location import Location

Value = TypeVar("Value")
Columns = dict[str, ColumnElement[Any]]

_CHUNK: Final = 500
_STREAMED: Final = 10_000


class Live:
    """Answers questions to a project's catalog (see `holotype.queries.rows.Questions`).

    A candidate has the state of its label, the licence and the source of its first sighting, no split, no dataset and
    no boxes. An item has the state ``yes`` of the synset that its archive says, or ``open`` without one; its size is
    that of its fingerprint, else of its annotation. An unknown size satisfies no comparison.

    A candidate is under the synset that it was collected for, whatever the state of its label. An item without a label
    is under no synset, and comes last.
    """

    def __init__(self, catalog: Catalog, ontology: Ontology, resolve: Resolve | None = None) -> None:
        self._catalog = catalog
        self.ontology = ontology
        self._resolve = resolve or ontology.resolve

    def count(self, query: Query) -> int:
        """How many rows match."""
        with self._catalog.read() as connection:
            return int(self._by_rank(connection, query).sum())

    def counts(self, query: Query) -> Ints:
        """How many rows match under each synset, ``(synsets,)`` in rank order; a row counts once for each."""
        with self._catalog.read() as connection:
            return self.ontology.subtree_sums(self._by_rank(connection, query)[:-1])

    def ids(self, query: Query) -> pa.StringArray:
        """The ids of the rows that match, each once, in order of rank, then id."""
        with self._catalog.read() as connection:
            ranks = np.flatnonzero(self._by_rank(connection, query)).tolist()
            parts = [
                pa.array([key.id for key in keys], pa.string())
                for chunk in chunks(ranks)
                for keys in self._keys(connection, query, chunk).partitions()
            ]
        return pc.unique(pa.concat_arrays([pa.array([], pa.string()), *parts]))

    def rows(self, query: Query) -> Iterator[Row]:
        """The rows that match, in order of rank, then id, all as they are when the first is asked for."""
        with self._catalog.read() as connection:
            for chunk in chunks(np.flatnonzero(self._by_rank(connection, query)).tolist(), 1):
                for keys in self._keys(connection, query, chunk).partitions(_CHUNK):
                    yield from _rows(connection, keys)

    def page(self, query: Query, number: int, size: int) -> list[Row]:
        """Rows of page `number`, the first is 1, of `size` rows each; empty after the last."""
        first = first_of_page(number, size)
        with self._catalog.read() as connection:
            total = self._by_rank(connection, query)
            stop = min(first + size, int(total.sum()))
            return self._at(connection, query, total, np.arange(first, max(first, stop)))

    def sample(self, query: Query, n: int, seed: int) -> list[Row]:
        """`n` of the rows that match, without replacement and in order of rank, then id; all if they are fewer.

        The same seed and rows give the same sample, also where the `holotype.queries.Index` of a release is asked.
        """
        with self._catalog.read() as connection:
            total = self._by_rank(connection, query)
            return self._at(connection, query, total, draw(int(total.sum()), n, seed))

    def _by_rank(self, connection: Connection, query: Query) -> Ints:
        """How many rows of each rank match, ``(synsets + 1,)``: the last is of those without a label."""
        ranks = ranks_of(query, self.ontology, self._resolve)
        found = np.zeros(len(ranks), np.int64)
        if not ranks.any():
            return found
        numbers = np.flatnonzero(ranks)
        first, last = (-1 if ranks[-1] else int(numbers[0])), int(numbers[-1])
        for columns in _ARMS:
            rank = columns["rank"]
            asked = select(rank, func.count()).where(
                rank.between(first, last), *_conditions(connection, columns, query)
            )
            for number, count in connection.execute(asked.group_by(rank)):
                found[number] += count
        found[~ranks] = 0
        return found

    def _keys(
        self, connection: Connection, query: Query, ranks: Sequence[int], within: slice = slice(0, None)
    ) -> Result[Any]:
        """``(rank, id, number, arm)`` of the rows of these ranks that match, sorted, as they come; those `within`."""
        last = len(self.ontology)
        wanted = [-1 if rank == last else rank for rank in ranks]
        parts = []
        for arm, columns in enumerate(_ARMS):
            key = (columns[name].label(name) for name in ("rank", "id", "number"))
            found = select(*key, literal(arm).label("arm"))
            parts.append(found.where(columns["rank"].in_(wanted), *_conditions(connection, columns, query)))
        keys = union_all(*parts).subquery()
        order = keys.c.rank < 0, keys.c.rank, _by_code_point(connection, keys.c.id), keys.c.arm, keys.c.number
        asked = select(keys).order_by(*order)
        if within.stop is not None:
            asked = asked.offset(within.start).limit(within.stop - within.start)
        return connection.execute(asked, execution_options={"yield_per": _STREAMED})

    def _at(self, connection: Connection, query: Query, total: Ints, positions: Ints) -> list[Row]:
        """The rows at ascending positions among those that match; `total` is how many of each rank do."""
        ends = np.cumsum(total)
        keys: list[Any] = []
        for rank, inside in by_piece(ends, positions):
            inside = inside - (ends[rank] - total[rank])
            first, stop = int(inside[0]), int(inside[-1]) + 1
            wanted = np.zeros(stop - first, np.bool_)
            wanted[inside - first] = True
            keys.extend(compress(self._keys(connection, query, [rank], slice(first, stop)), wanted.tobytes()))
        return [row for chunk in chunks(keys) for row in _rows(connection, chunk)]


def _of(column: ColumnElement[Any], key: ColumnElement[Any], owner: ColumnElement[Any]) -> ColumnElement[Any]:
    """What another table says of a row: looked up only where a statement names it."""
    return select(column).where(key == owner).order_by(*column.table.primary_key).limit(1).scalar_subquery()


def _candidate_columns() -> Columns:
    candidate, image, sighting, label = t.candidate.c, t.image.c, t.sighting.c, t.label.c

    def stored(name: str) -> ColumnElement[Any]:
        return _of(image[name], image.id, candidate.image_id)

    return {
        "number": candidate.id,
        "id": func.substr(stored("sha256"), 1, ID_LENGTH),
        "wnid": candidate.wnid,
        "rank": candidate.rank,
        "split": literal(""),
        "state": func.coalesce(_of(label.state, label.candidate_id, candidate.id), "open"),
        "boxes": literal(0),
        "width": stored("width"),
        "height": stored("height"),
        "dataset": literal(""),
        "source": func.coalesce(_of(sighting.source, sighting.candidate_id, candidate.id), ""),
        "licence": func.coalesce(_of(sighting.licence, sighting.candidate_id, candidate.id), ""),
        "format": stored("format"),
        "file": stored("pack"),
        "offset": stored("offset"),
        "length": stored("length"),
    }


def _item_columns() -> Columns:
    item, archive, read, said = t.item.c, t.archive.c, t.fingerprint.c, t.annotation.c

    def lies(name: str) -> ColumnElement[Any]:
        return _of(archive[name], archive.id, item.archive_id)

    def side(name: str) -> ColumnElement[Any]:
        return func.coalesce(
            func.nullif(_of(read[name], read.item_id, item.id), 0), _of(said[name], said.item_id, item.id)
        )

    return {
        "number": item.id,
        "id": item.name,
        "wnid": item.wnid,
        "rank": item.rank,
        "split": item.split,
        "state": case((item.rank >= 0, "yes"), else_="open"),
        "boxes": item.boxes,
        "width": side("width"),
        "height": side("height"),
        "dataset": _of(t.dataset.c.name, t.dataset.c.id, item.dataset_id),
        "source": literal(""),
        "licence": literal(""),
        "format": func.coalesce(_of(read.format, read.item_id, item.id), ""),
        "file": lies("path"),
        "offset": item.offset,
        "length": item.length,
        "kind": lies("kind"),
        "path": item.path,
        "size": lies("size"),
        "mtime_ns": lies("mtime_ns"),
    }


_ARMS: Final = (_candidate_columns(), _item_columns())


def _conditions(connection: Connection, columns: Columns, query: Query) -> list[ColumnElement[bool]]:
    """The terms of a query that are not about the hierarchy, each true or false of every row."""
    terms = [term for term in query.terms if term.field not in SYNSETS]
    found = [(_condition(connection, columns[term.field], term), term.negated) for term in terms]
    return [not_(condition) if negated else condition for condition, negated in found]


def _condition(connection: Connection, column: ColumnElement[Any], term: Term) -> ColumnElement[bool]:
    """`Term.matches` and the comparisons, in SQL."""
    if term.field in NUMBERS:
        known: ColumnElement[bool] = COMPARE[term.compare](column, int(term.value))
        return and_(column.is_not(None), known)
    if term.field == "licence":
        lower = func.lower(_by_code_point(connection, column))
        return lower.contains(ascii_lower(term.value), autoescape=True)
    if term.field == "format":
        return func.lower(_by_code_point(connection, column)) == ascii_lower(term.value)
    return column == term.value


def _by_code_point(connection: Connection, column: ColumnElement[Any]) -> ColumnElement[Any]:
    """A text that sorts by code point and has only ASCII capitals, which SQLite does without being told."""
    return collate(column, "C") if connection.dialect.name == "postgresql" else column


def _rows(connection: Connection, keys: Sequence[Any]) -> list[Row]:
    """The rows of keys, in their order."""
    found = {}
    for arm, columns in enumerate(_ARMS):
        numbers = [key.number for key in keys if key.arm == arm]
        if numbers:
            asked = select(*(column.label(name) for name, column in columns.items()))
            for row in connection.execute(asked.where(columns["number"].in_(numbers))).mappings():
                values = {name: value for name, value in row.items() if name != "number"}
                place = {name: values.pop(name) for name in Location.__slots__ if name in values}
                found[arm, row["number"]] = Row(**values, place=Location(**place))
    return [found[key.arm, key.number] for key in keys]
