"""The same questions to the live catalog: its candidates, and the images that are none.

The database counts by rank and sorts within a rank; what a rank means stays with the ontology. So one index of
``(rank, state, boxes)`` serves every subtree, and no statement grows with the number of ranges.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import compress
from typing import Any, Final, NamedTuple, TypeVar
from weakref import WeakKeyDictionary

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import (
    ColumnElement,
    Connection,
    Result,
    RowMapping,
    Select,
    and_,
    case,
    collate,
    false,
    func,
    literal,
    not_,
    null,
    or_,
    select,
    tuple_,
    union_all,
)

from holotype.catalog import Catalog
from holotype.catalog import candidates as candidate_rows
from holotype.catalog import licences as licence_rows
from holotype.catalog import schema as t
from holotype.catalog.image_names import meant
from holotype.catalog.inputs import path_of
from holotype.catalog.schema import STATES
from holotype.catalog.statements import chunks, read_some
from holotype.ontology import Ontology
from holotype.ontology.senses import Senses
from holotype.queries.live_boxes import has_box
from holotype.queries.query import BOXED, COMPARE, NUMBERS, SYNSETS, Query, Term, ascii_lower
from holotype.queries.rows import (
    Candidate,
    Ints,
    Mask,
    Stretch,
    by_piece,
    draw,
    first_of_page,
    groups_of,
    mark_of,
    ranks_of,
)
from holotype.releases import ID_LENGTH
from holotype.store.location import Location

Value = TypeVar("Value")
Columns = dict[str, ColumnElement[Any]]

_CHUNK: Final = 500
_MOST_RANKS: Final = 64
"""Ranks whose rows are read at once."""
_STREAMED: Final = 10_000


class Live:
    """Answers questions to a project's catalog (see `holotype.queries.rows.Questions`).

    A row has the licence and the source of its first sighting, or the dataset that says so as its source; its size is
    that of its image as it was read, else as its dataset says. An unknown size satisfies no comparison.

    A candidate is under the synset that it was collected for, whatever its state. An image that is a candidate for
    nothing is under no synset, and comes last. Images that `hidden` selects, by their ids, are passed over.
    """

    def __init__(
        self,
        catalog: Catalog,
        ontology: Ontology,
        senses: Senses | None = None,
        hidden: Select[tuple[int]] | None = None,
    ) -> None:
        self._catalog = catalog
        self.ontology = ontology
        self._senses = senses or ontology.named
        self._hidden = hidden

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

    def images(self, query: Query) -> list[int]:
        """The images of the rows that match, by their ids in the catalog, each once, ascending: what a question about
        images needs, without a row for each of their candidates."""
        columns, others = _ARMS
        with self._catalog.read() as connection:
            ranks = np.flatnonzero(self._by_rank(connection, query)).tolist()
            here = self._conditions(connection, _CANDIDATES, query)
            asked = select(columns["image"]).where(*here).distinct()
            (found,) = read_some(connection, asked, columns["rank"], ranks, np.int64)
            if len(self.ontology) in ranks:
                besides = select(others["image"]).where(*self._conditions(connection, _OTHERS, query))
                alone = connection.execute(besides).scalars()
                found = np.concatenate([found, np.fromiter(alone, np.int64)])
        return list(np.unique(found).tolist())

    def chosen(self, connection: Connection, query: Query) -> tuple[Mask, list[ColumnElement[bool]]]:
        """Which ranks can match, ``(synsets,)``, and what else is true of just the candidates that do, in SQL."""
        ranks: Mask = ranks_of(query, self.ontology, self._senses, partial(candidate_rows.count, connection))
        return ranks[:-1], self._conditions(connection, _CANDIDATES, query)

    def licensed(self, connection: Connection, allows: Callable[[str], bool]) -> ColumnElement[bool]:
        """Whether a candidate is under a licence whose text is allowed, in SQL."""
        texts = [text for text in licence_rows.said(connection) if allows(text)]
        return licence_rows.is_one_of(connection, _ARMS[_CANDIDATES]["licence"], texts)

    def licences(self, query: Query) -> dict[str, int]:
        """How many rows that match have which text for a licence."""
        found = Counter[str]()
        with self._catalog.read() as connection:
            ranks = ranks_of(query, self.ontology, self._senses, partial(candidate_rows.count, connection))
            for arm, columns in enumerate(_ARMS):
                rank, licence = columns["rank"], columns["licence"].label("licence")
                keys = select(rank.label("rank"), licence).where(*self._conditions(connection, arm, query)).subquery()
                asked = select(keys.c.rank, keys.c.licence, func.count()).group_by(keys.c.rank, keys.c.licence)
                for place, text, number in connection.execute(asked):
                    if ranks[place]:
                        found[text] += number
        return dict(found)

    def rows(self, query: Query) -> Iterator[Candidate]:
        """The rows that match, in order of rank, then id, all as they are when the first is asked for."""
        with self._catalog.read() as connection:
            for ranks in groups_of(self._by_rank(connection, query), _STREAMED, _CHUNK):
                for keys in self._keys(connection, query, ranks).partitions(_CHUNK):
                    yield from _rows(connection, keys)

    def page(self, query: Query, number: int, size: int) -> list[Candidate]:
        """Rows of page `number`, the first is 1, of `size` rows each; empty after the last."""
        first = first_of_page(number, size)
        with self._catalog.read() as connection:
            total = self._by_rank(connection, query)
            stop = min(first + size, int(total.sum()))
            return self._at(connection, query, total, np.arange(first, max(first, stop)))

    def stretch(self, query: Query, size: int, after: str = "", until: int | None = None) -> Stretch:
        """The first `size` rows that match after a mark, see `Questions.stretch`: asks of no more ranks than it needs.

        A mark is a rank, the number of a row there, and whether that is an image without a label.
        """
        place = mark_of(after, 3)
        with self._catalog.read() as connection:
            ranks = ranks_of(query, self.ontology, self._senses, partial(candidate_rows.count, connection))
            ranks[: place[0] if place else 0] = False
            stop = len(ranks) if until is None else until
            last = _last_of(connection, place) if place else None
            keys: list[Any] = []
            for some in self._ranks_with_rows(connection, query, ranks, stop, size):
                keys += self._keys(connection, query, some, slice(0, size + 1 - len(keys)), last)
                if len(keys) > size:
                    break
            rows = [row for chunk in chunks(keys[:size]) for row in _rows(connection, chunk)]
        if len(keys) > size:
            end = keys[size - 1]
            return Stretch(rows, f"{len(self.ontology) if end.rank < 0 else end.rank}-{end.number}-{end.arm}")
        return Stretch(rows, f"{stop}-0-0" if ranks[stop:].any() else "")

    def _ranks_with_rows(
        self, connection: Connection, query: Query, ranks: Mask, stop: int, size: int
    ) -> Iterator[list[int]]:
        """Wanted ranks before `stop` that have rows, ascending, as many at once as have more than `size` rows.

        Hidden images are counted here: there are few, and their ranks are found by the index alone.
        """
        found, rows, last = list[int](), 0, len(self.ontology)
        for rank, count in self._counted(connection, query, np.flatnonzero(ranks[: min(stop, last)])):
            found.append(rank)
            rows += count
            if rows > size or len(found) == _MOST_RANKS:
                yield found
                found, rows = [], 0
        if found:
            yield found
        if stop > last and ranks[last]:
            yield [last]

    def _counted(self, connection: Connection, query: Query, wanted: Ints) -> Iterator[tuple[int, int]]:
        """Ranks with how many rows of each match, ascending, asked for more and more at once."""
        rank, conditions, step = t.candidate.c.rank, _conditions(connection, _CANDIDATES, query), 2
        for run in np.split(wanted, np.flatnonzero(np.diff(wanted) > 1) + 1):
            first, last = (int(run[0]), int(run[-1])) if len(run) else (0, -1)
            while first <= last:
                asked = select(rank, func.count()).where(rank.between(first, last), *conditions)
                some = connection.execute(asked.group_by(rank).order_by(rank).limit(step)).all()
                yield from ((row[0], row[1]) for row in some)
                first = some[-1][0] + 1 if len(some) == step else last + 1
                step = min(2 * step, _MOST_RANKS)

    def sample(self, query: Query, n: int, seed: int) -> list[Candidate]:
        """`n` of the rows that match, without replacement and in order of rank, then id; all if they are fewer.

        The same seed and rows give the same sample, also where the `holotype.queries.Index` of a release is asked.
        """
        with self._catalog.read() as connection:
            total = self._by_rank(connection, query)
            return self._at(connection, query, total, draw(int(total.sum()), n, seed))

    def _by_rank(self, connection: Connection, query: Query) -> Ints:
        """How many rows of each rank match, ``(synsets + 1,)``: the last is of those without a label."""
        ranks = ranks_of(query, self.ontology, self._senses, partial(candidate_rows.count, connection))
        found = np.zeros(len(ranks), np.int64)
        if not ranks.any():
            return found
        numbers = np.flatnonzero(ranks)
        first, last = (-1 if ranks[-1] else int(numbers[0])), int(numbers[-1])
        rank, conditions = t.candidate.c.rank, _conditions(connection, _CANDIDATES, query)
        asked = select(rank, func.count()).where(rank.between(first, last), *conditions).group_by(rank)
        for number, count in connection.execute(asked):
            found[number] += count
        if self._hidden is not None:  # so that others are counted by the index alone
            for number, count in connection.execute(asked.where(t.candidate.c.image_id.in_(self._hidden))):
                found[number] -= count
        if ranks[-1]:
            others = select(func.count()).select_from(_UNASSIGNED)
            found[-1] += connection.execute(others.where(*self._conditions(connection, _OTHERS, query))).scalar_one()
        found[~ranks] = 0
        return found

    def _keys(
        self,
        connection: Connection,
        query: Query,
        ranks: Sequence[int],
        within: slice = slice(0, None),
        after: tuple[int, str, int, int] | None = None,
    ) -> Result[Any]:
        """``(rank, id, number, arm)`` of the rows of these ranks that match, sorted, as they come; those `within`.

        `after` is ``(rank, id, arm, number)`` of a row: those of its rank come after it.
        """
        last = len(self.ontology)
        wanted = [-1 if rank == last else rank for rank in ranks]
        parts = []
        for arm, columns in enumerate(_ARMS):
            key = (columns[name].label(name) for name in ("rank", "id", "number"))
            found = select(*key, literal(arm).label("arm"))
            parts.append(found.where(columns["rank"].in_(wanted), *self._conditions(connection, arm, query)))
        keys = union_all(*parts).subquery()
        in_rank = _by_code_point(connection, keys.c.id), keys.c.arm, keys.c.number
        asked = select(keys).order_by(keys.c.rank < 0, keys.c.rank, *in_rank)
        if after is not None:
            beyond = tuple_(*in_rank) > tuple_(*map(literal, after[1:]))
            asked = asked.where(or_(keys.c.rank != after[0], beyond))
        if within.stop is not None:
            asked = asked.offset(within.start).limit(within.stop - within.start)
        return connection.execute(asked, execution_options={"yield_per": _STREAMED})

    def _conditions(self, connection: Connection, arm: int, query: Query) -> list[ColumnElement[bool]]:
        """What is true of every row of an arm that matches, wherever in the hierarchy it is."""
        conditions = _conditions(connection, arm, query)
        return conditions if self._hidden is None else [*conditions, _ARMS[arm]["image"].not_in(self._hidden)]

    def _at(self, connection: Connection, query: Query, total: Ints, positions: Ints) -> list[Candidate]:
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


def _last_of(connection: Connection, place: Sequence[int]) -> tuple[int, str, int, int]:
    """``(rank, id, arm, number)`` of the row of a mark, whether that still matches or not."""
    rank, number, arm = place
    columns = _ARMS[_OTHERS if arm else _CANDIDATES]
    held = connection.execute(select(columns["id"]).where(columns["number"] == number)).scalar()
    return -1 if arm else rank, held or "", arm, number


def _of(column: ColumnElement[Any], key: ColumnElement[Any], owner: ColumnElement[Any]) -> ColumnElement[Any]:
    """What another table says of a row: looked up only where a statement names it."""
    table = key.table
    return select(column).where(key == owner).order_by(*table.primary_key).limit(1).scalar_subquery()


def _image_columns(number: ColumnElement[Any]) -> Columns:
    """What is known of the image of that number."""
    image, file, read, said = t.image.c, t.file.c, t.fingerprint.c, t.annotation.c

    def held(column: ColumnElement[Any]) -> ColumnElement[Any]:
        return _of(column, image.id, number)

    def looked(column: ColumnElement[Any]) -> ColumnElement[Any]:
        return _of(column, read.image_id, number)

    def side(name: str) -> ColumnElement[Any]:
        return func.coalesce(func.nullif(looked(read[name]), 0), _of(said[name], said.image_id, number))

    def lies(column: ColumnElement[Any]) -> ColumnElement[Any]:
        joined = t.file.join(t.image, image.file_id == file.id)
        return select(column).select_from(joined).where(image.id == number).scalar_subquery()

    own = func.substr(image.name, 1, ID_LENGTH)
    came = _of(path_of(t.intake.c), t.intake.c.image_id, number)
    lies_at = case((image.path != "", image.path), else_=image.name)
    name = case((held(image.dataset_id) == t.OWN, func.coalesce(came, "")), else_=held(lies_at))
    url = _of(t.url.c.url, t.url.c.image_id, number)
    return {
        "id": held(case((image.dataset_id == t.OWN, own), else_=image.name)),
        "sha256": func.coalesce(looked(read.sha256), ""),
        "split": held(image.split),
        "width": side("width"),
        "height": side("height"),
        "dataset": select(t.dataset.c.name)
        .select_from(t.dataset.join(t.image))
        .where(image.id == number)
        .scalar_subquery(),
        "format": func.coalesce(looked(read.format), ""),
        "file": lies(file.path),
        "name": name,
        "author": func.coalesce(_said_beside("author", number), ""),
        "url": func.coalesce(_said_beside("url", number), url, ""),
        "offset": held(image.offset),
        "length": held(image.length),
        "kind": lies(file.kind),
        "path": held(image.path),
        "size": lies(file.size),
        "mtime_ns": lies(file.mtime_ns),
        "thumbnail_offset": looked(read.thumbnail_offset),
        "thumbnail_length": looked(read.thumbnail_length),
    }


def _said_beside(name: str, number: ColumnElement[Any]) -> ColumnElement[Any]:
    """What the newest credit of an image says, NULL where it says nothing."""
    credit = t.credit.c
    newest = select(func.nullif(credit[name], "")).where(credit.image_id == number).order_by(credit.id.desc())
    return newest.limit(1).scalar_subquery()


def _candidate_columns() -> Columns:
    candidate, sighting = t.candidate.c, t.sighting.c
    named = select(literal("imported:").concat(t.dataset.c.name)).select_from(t.dataset.join(t.file))
    imported = named.where(t.file.c.id == candidate.labelled_by).scalar_subquery()
    return {
        "number": candidate.id,
        "wnid": candidate.wnid,
        "rank": candidate.rank,
        "state": candidate.state,
        "score": candidate.posterior,
        "policy": func.coalesce(_of(t.policy.c.name, t.policy.c.id, candidate.policy_id), ""),
        "boxes": candidate.boxes,
        "source": func.coalesce(_of(sighting.source, sighting.candidate_id, candidate.id), imported, ""),
        "licence": func.coalesce(
            _said_beside("licence", candidate.image_id), _of(sighting.licence, sighting.candidate_id, candidate.id), ""
        ),
        "image": candidate.image_id,
        **_image_columns(candidate.image_id),
    }


_UNASSIGNED: Final = t.image.alias("unassigned")
"""The images that are candidates for nothing."""


def _unassigned_columns() -> Columns:
    image, nothing = _UNASSIGNED.c, literal("")
    return {
        "number": image.id,
        "wnid": nothing,
        "rank": literal(-1),
        "state": literal(0),
        "score": null(),
        "policy": nothing,
        "boxes": image.boxes,
        "source": nothing,
        "licence": func.coalesce(_said_beside("licence", image.id), ""),
        "image": image.id,
        **_image_columns(image.id),
    }


_ARMS: Final = (_candidate_columns(), _unassigned_columns())
_CANDIDATES, _OTHERS = 0, 1


def _conditions(connection: Connection, arm: int, query: Query) -> list[ColumnElement[bool]]:
    """The terms of a query that are not about the hierarchy, each true or false of every row of an arm."""
    terms = [term for term in query.terms if term.field not in SYNSETS]
    columns = _ARMS[arm]
    told = [(_met(connection, arm, columns, term), term.negated) for term in terms]
    conditions = [not_(condition) if negated else condition for condition, negated in told]
    return [_UNASSIGNED.c.assigned == 0, *conditions] if arm == _OTHERS else conditions


def _met(connection: Connection, arm: int, columns: Columns, term: Term) -> ColumnElement[bool]:
    """Whether a row of an arm satisfies a term, before negation."""
    if term.field == "id":
        return _is_called(connection, columns["image"], term.value)
    if term.field in BOXED:
        wnid = columns["wnid"] if arm == _CANDIDATES else None
        return and_(columns["boxes"] > 0, has_box(columns["image"], wnid, term))
    return _condition(connection, columns[term.field], term)


def _is_called(connection: Connection, image: ColumnElement[Any], text: str) -> ColumnElement[bool]:
    """Whether an image is one that a text may mean: an id, a sha256 or how it begins, the name of a file."""
    found = [one.id for one in meant(connection, [text]).get(text, ())]
    return or_(false(), *(image.in_(chunk) for chunk in chunks(found)))


def _condition(connection: Connection, column: ColumnElement[Any], term: Term) -> ColumnElement[bool]:
    """`Term.matches` and the comparisons, in SQL."""
    if term.field in NUMBERS:
        known: ColumnElement[bool] = COMPARE[term.compare](column, int(term.value))
        return and_(column.is_not(None), known)
    if term.field == "state":
        return column == STATES.index(term.value)
    if term.is_of_licences:
        return licence_rows.is_one_of(connection, column, _licences(connection, term))
    if term.field == "licence":
        lower = func.lower(_by_code_point(connection, column))
        return lower.contains(ascii_lower(term.value), autoescape=True)
    if term.field == "format":
        return func.lower(_by_code_point(connection, column)) == ascii_lower(term.value)
    return column == term.value


_READ: Final = WeakKeyDictionary[Connection, dict[str, list[str]]]()
"""Texts of licences by the term that they satisfy, for as long as a snapshot is read: all its statements ask for them.
"""


def _licences(connection: Connection, term: Term) -> list[str]:
    """The texts in the catalog that satisfy a term on licences."""
    read = _READ.setdefault(connection, {})
    if term.value not in read:
        read[term.value] = [text for text in licence_rows.said(connection) if term.matches(text)]
    return read[term.value]


def _by_code_point(connection: Connection, column: ColumnElement[Any]) -> ColumnElement[Any]:
    """A text that sorts by code point and has only ASCII capitals, which SQLite does without being told."""
    return collate(column, "C") if connection.dialect.name == "postgresql" else column


def _rows(connection: Connection, keys: Sequence[Any]) -> list[Candidate]:
    """The rows of keys, in their order."""
    rows = {}
    for arm, columns in enumerate(_ARMS):
        numbers = [key.number for key in keys if key.arm == arm]
        if numbers:
            asked = select(*(column.label(name) for name, column in columns.items()))
            for row in connection.execute(asked.where(columns["number"].in_(numbers))).mappings():
                rows[arm, row["number"]] = _candidate(row)
    return [rows[key.arm, key.number] for key in keys]


def _candidate(row: RowMapping) -> Candidate:
    """A row of all columns of an arm as it is handed out."""
    location = Location(**{name: row[name] for name in Location.__slots__})
    offset, length = row["thumbnail_offset"], row["thumbnail_length"]
    thumbnail = None if offset is None else replace(location, offset=offset, length=length)
    values = {name: row[name] for name in Candidate.__slots__ if name in row} | {"file": row["name"]}
    return Candidate(**{**values, "state": STATES[row["state"]]}, location=location, thumbnail=thumbnail)


def candidates(connection: Connection, ids: Sequence[int]) -> list[Candidate]:
    """Candidates by their ids, in that order."""
    columns = _ARMS[_CANDIDATES]
    asked = select(*(column.label(name) for name, column in columns.items()))
    found = {
        row["number"]: _candidate(row)
        for chunk in chunks(ids)
        for row in connection.execute(asked.where(columns["number"].in_(chunk))).mappings()
    }
    return [found[number] for number in ids]


def first_rows(connection: Connection, images: Sequence[int]) -> list[Candidate]:
    """A row of each image, by its id: that of the first candidate that it is, or of one that is a candidate for
    nothing."""
    return _rows(connection, _first_keys(connection, images))


def near_duplicate_groups(connection: Connection, across: bool) -> list[list[Candidate]]:
    """Groups of near-duplicates by their lowest image; with `across`, those of several datasets.

    An image stands there as the first candidate that it is.
    """
    near, image = t.near_duplicate.c, t.image.c
    members = select(near.group_id, near.image_id).order_by(near.group_id, near.image_id)
    if across:
        several = select(near.group_id).join(t.image, image.id == near.image_id).group_by(near.group_id)
        members = members.where(near.group_id.in_(several.having(func.count(image.dataset_id.distinct()) > 1)))
    rows = connection.execute(members).all()
    groups: dict[int, list[_Key]] = {}
    for row, key in zip(rows, _first_keys(connection, [row.image_id for row in rows]), strict=True):
        groups.setdefault(row.group_id, []).append(key)
    return [_rows(connection, keys) for keys in groups.values()]


class _Key(NamedTuple):
    arm: int
    number: int


def _first_keys(connection: Connection, images: Sequence[int]) -> list[_Key]:
    first = _first_candidates(connection, images)
    return [_Key(_CANDIDATES, first[image]) if image in first else _Key(_OTHERS, image) for image in images]


def _first_candidates(connection: Connection, images: Sequence[int]) -> dict[int, int]:
    table = t.candidate.c
    asked = select(table.image_id, func.min(table.id)).where(table.rank >= candidate_rows.LACKING)
    asked = asked.group_by(table.image_id)
    return {
        image: number
        for chunk in chunks(images)
        for image, number in connection.execute(asked.where(table.image_id.in_(chunk)))
    }
