"""What a question is answered with, and by whom."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from holotype.errors import QueryError
from holotype.ontology import Ontology, Synset
from holotype.ontology.senses import Senses, only_sense
from holotype.queries.query import SYNSETS, Query, Term
from holotype.store.location import Location

Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Ranges = Sequence[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Candidate:
    """An image and a synset that it may show, and what is concluded of that.

    An image that is a candidate for nothing has a row all the same, whose `wnid` is empty and whose `rank` is -1. Width
    and height are None where they are unknown, `sha256` is empty where the image was not read yet, and `score` is None
    where nothing was concluded. A thumbnail is kept of own images only.

    `file` is the path of its file below the folder that was taken in, or its name in a dataset or a release; `author`
    and `url` are as what lay beside the file said, "" where that is not known.
    """

    id: str
    sha256: str
    wnid: str
    rank: int
    split: str
    state: str
    score: float | None
    policy: str
    boxes: int
    width: int | None
    height: int | None
    dataset: str
    source: str
    licence: str
    format: str
    location: Location
    thumbnail: Location | None = None
    file: str = ""
    author: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some rows that follow one another, and the mark by which the next are asked for: "" where there are none."""

    rows: list[Candidate]
    after: str = ""


class Questions(Protocol):
    """What answers queries: a release's `Index` or the `Live` catalog. All answers are in order of rank, then id.

    Rows are labels, so an image with two labels below a synset counts twice there.
    """

    def count(self, query: Query) -> int:
        """How many rows match."""

    def counts(self, query: Query) -> Ints:
        """How many rows match under each synset, ``(synsets,)`` in rank order; a row counts once for each."""

    def ids(self, query: Query) -> pa.Array:
        """The ids of the rows that match, each once, where it comes first."""

    def rows(self, query: Query) -> Iterator[Candidate]:
        """The rows that match, one after the other."""

    def page(self, query: Query, number: int, size: int) -> list[Candidate]:
        """Rows of page `number`, the first is 1, of `size` rows each; empty after the last."""

    def stretch(self, query: Query, size: int, after: str = "", until: int | None = None) -> Stretch:
        """The first `size` rows that match after a mark; those of ranks from `until` on are not looked at yet.

        Fewer rows with a mark say that there was no time for more: go on from there. Raises `QueryError` for a mark
        that is none.
        """

    def sample(self, query: Query, n: int, seed: int) -> list[Candidate]:
        """`n` of the rows that match, or all if they are fewer, every set of so many as probable as every other."""


def ranks_of(query: Query, ontology: Ontology, senses: Senses, rows: Callable[[Ranges], int]) -> Mask:
    """The ranks whose rows can match, ``(synsets + 1,)``: the last, -1, is that of rows without a label.

    An ambiguous lemma means the sense that has rows; `rows` counts those of half-open ranges of ranks. Raises
    `UnknownSynset`, and `AmbiguousLemma` where several have.
    """
    mask = np.ones(len(ontology) + 1, np.bool_)
    for term in query.terms:
        if term.field in SYNSETS:
            inside = np.zeros_like(mask)
            for start, stop in ranges_meant(term, ontology, senses, rows):
                inside[start:stop] = True
            mask &= inside != term.negated
    return mask


def ranges_meant(term: Term, ontology: Ontology, senses: Senses, rows: Callable[[Ranges], int]) -> Ranges:
    """The ranges of ranks that a term on a synset means, as in `ranks_of`; none where no sense has rows."""
    known = senses(term.value)
    ranges = [_ranges(term, ontology, sense) for sense in known]
    if len(known) == 1:
        return ranges[0]
    counts = [rows(one) for one in ranges]
    return ranges[known.index(only_sense(term.value, known, counts))] if any(counts) else ()


def _ranges(term: Term, ontology: Ontology, synset: Synset) -> Ranges:
    rank = ontology.rank(synset)
    return ontology.ranges(synset) if term.field == "under" else [(rank, rank + 1)]


def draw(total: int, n: int, seed: int) -> Ints:
    """`n` of the numbers below `total`, or all if they are fewer, drawn by `seed` and ascending."""
    if n < 0 or seed < 0:
        raise QueryError(f"a sample needs a size and a seed of at least 0, not {n} and {seed}")
    drawn: Ints = np.sort(np.random.default_rng(seed).choice(total, min(n, total), replace=False))
    return drawn


def by_piece(ends: npt.NDArray[np.integer], positions: npt.NDArray[np.integer]) -> Iterator[tuple[int, Ints]]:
    """Ascending positions by the piece they are in, each piece once; piece ``i`` ends before position ``ends[i]``."""
    pieces, firsts = np.unique(np.searchsorted(ends, positions, "right"), return_index=True)
    return zip(pieces.tolist(), np.split(positions, firsts)[1:], strict=True)


def groups_of(total: Ints, rows: int, ranks: int) -> Iterator[list[int]]:
    """The ranks that have any of `total` rows, ascending, in groups of at most so many `ranks`, and of about so many
    `rows` beside those of its first.

    >>> list(groups_of(np.array([2, 0, 3, 40, 1, 1]), 10, 2))
    [[0, 2], [3, 4], [5]]
    """
    there = np.flatnonzero(total)
    full = np.flatnonzero(np.diff(np.cumsum(total[there]) // rows)) + 1
    for some in np.split(there, full):
        yield from (some[start : start + ranks].tolist() for start in range(0, len(some), ranks))


def first_of_page(number: int, size: int) -> int:
    """Where a page begins, from 0. Raises `QueryError` for pages that cannot be."""
    if not (1 <= number < 1 << 31 and 1 <= size <= 10_000):
        raise QueryError(f"pages count from 1 and have 1 to 10,000 rows; there is no page {number} of {size} rows")
    return (number - 1) * size


def mark_of(after: str, numbers: int) -> list[int]:
    """The numbers that a mark is made of; none for the empty mark. Raises `QueryError` for another text."""
    if not after:
        return []
    parts = after.split("-")
    if len(parts) != numbers or not all(_NUMBER.fullmatch(part) for part in parts):
        raise QueryError("this is no place in an answer to go on from: ask the query again")
    return list(map(int, parts))


_NUMBER: Final = re.compile(r"[0-9]{1,18}", re.ASCII)
