"""Near-duplicates among hashes in memory or in a file, by independent parts.

What is joined are rows of 32 bytes, hashes `permuted`; with `twins`, rows 2i and 2i + 1 are the hash of image i and
that of its mirror image, and two of the latter are not compared. Each part is a pure function of rows that any process,
on any machine that sees the file, may do; what parts find connects the same images in whatever order it comes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from threading import Lock
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from holotype.images.near_forest import smallest_connected
from holotype.images.near_pairs import Crowd, Numbers, Pairs, alike, close, crowd_pairs, meeting
from holotype.images.near_tables import LEADS, TABLES, Bytes, Table, keys

FEW: Final = 1 << 15
"""Up to so many rows, tables are sorted whole, not by their leading byte first."""
ENTRIES: Final = 1 << 25
"""About so many rows are sorted by their leading byte at a time: 128 MB."""
CHUNK: Final = 1 << 18
"""Rows that are sought at a time, in one table after the other."""
MADE_ONCE: Final = 1 << 18
"""Up to so many rows, all tables of what is sought are held in memory."""
_MANY: Final = 8
_HELD: Final = 1 << 20


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """`count` permuted hashes, in memory or in a file of nothing else; see the module on `twins`."""

    where: Bytes | Path
    count: int
    twins: bool

    def read(self) -> Bytes:
        """The hashes, ``(count, 32)``; of a file, what is asked of them is read then."""
        if isinstance(self.where, Path):
            if not self.count:
                return np.empty((0, 32), np.uint8)
            return np.memmap(self.where, np.uint8, "r", shape=(self.count, 32))
        return self.where[: self.count]


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a join: the tables of a leading byte, and its values, or rows, from `start` to before `stop`."""

    lead: int
    start: int
    stop: int


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What a part found: pairs of images that connect those that are near-duplicates, and the crowds: how many hashes
    each has, and an image of it."""

    left: Numbers
    right: Numbers
    crowds: tuple[tuple[int, int], ...]


def parts_within(count: int) -> list[Part]:
    """The parts of a join of so many rows with themselves."""
    pieces = min(max(-(-count // ENTRIES), 1), 256)
    edges = np.linspace(0, 256, pieces + 1).astype(int).tolist()
    return [Part(lead, low, high) for lead in LEADS for low, high in pairwise(edges)]


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a join with others: the tables of some leading bytes, and the others from `start` to before `stop`."""

    leads: tuple[int, ...]
    start: int
    stop: int


def parts_between(few: int, count: int, step: int = 1 << 21) -> list[Stretch]:
    """The parts of a join of `few` rows with so many others, which are read once for all tables where these are held in
    memory, up to `MADE_ONCE` rows, and else once for each leading byte, `step` rows at a time or four times as many."""
    together = few <= MADE_ONCE
    step = step if together else 4 * step
    leads = [LEADS] if together else [(lead,) for lead in LEADS]
    return [Stretch(some, start, min(start + step, count)) for start in range(0, count, step) for some in leads]


class Sought:
    """A few `rows` that are sought among so many others, and their tables: keys in order, and where they are from.

    Tables of at most `MADE_ONCE` rows are made once in a process, and held, at most 330 MB. Thread-safe; pickled, the
    rows go alone.
    """

    def __init__(self, rows: Rows, among: int) -> None:
        self.rows = rows
        self._among = among
        self._lock = Lock()
        self._made: dict[Table, _Ordered] = {}

    def __reduce__(self) -> tuple[type[Sought], tuple[Rows, int]]:
        return Sought, (self.rows, self._among)

    def tables(self, leads: tuple[int, ...]) -> list[_Ordered]:
        """The tables that some bytes lead."""
        left, wanted = self.rows.read(), [table for lead in leads for table in TABLES[lead]]
        if self.rows.count > MADE_ONCE:
            return [_ordered(left, table, self._among) for table in wanted]
        with self._lock:
            for table in wanted:
                if table not in self._made:
                    self._made[table] = _ordered(left, table, self._among)
            return [self._made[table] for table in wanted]


class _Ordered(NamedTuple):
    """The keys of a table in order, the rows that they are of, and a bit for each key that there is, if that pays."""

    table: Table
    keys: npt.NDArray[np.uint32]
    rows: npt.NDArray[np.integer]
    there: Bytes | None


def _ordered(rows: Bytes, table: Table, among: int) -> _Ordered:
    key = keys(rows, table)
    order = np.argsort(key)
    return _Ordered(
        table,
        key.take(order),
        order.astype(np.uint32) if len(rows) < 1 << 32 else order,
        _bits(key) if among > CHUNK else None,
    )


def join_within(rows: Rows, most: int, part: Part) -> Found:
    """A part of the join of rows with themselves: pairs at most `most` bits apart."""
    held, twins = _Held(rows.twins), rows.twins
    read = rows.read()
    for entries, tables in _sharing(read, part):
        here = read.take(entries, axis=0)
        straight = (entries & 1) == 0
        for table in tables:
            for told in alike(_key(here, table, len(entries) == rows.count)):
                if isinstance(told, Crowd):
                    held.crowd(entries[told.left], here[told.left], len(told.left), most)
                    continue
                a, b = told
                if twins:
                    one = straight.take(a) | straight.take(b)
                    a, b = a[one], b[one]
                near = close(here, here, a, b, most)
                held.add(entries[a[near]], entries[b[near]])
    return held.found()


def join_between(sought: Sought, rows: Rows, most: int, part: Stretch) -> Found:
    """A part of the join of a few rows with others: pairs at most `most` bits apart. Images of `rows` are numbered on
    from those that are sought."""
    batch = sought.rows
    held, mine, read = _Held(batch.twins), batch.read(), rows.read()
    for told, chunk in _met(sought.tables(part.leads), read, part.start, part.stop):
        here = read[chunk]
        if isinstance(told, Crowd):
            entries = np.concatenate([told.left, told.right + (chunk.start + batch.count)])
            both = np.concatenate([mine[told.left], here[told.right]])
            held.crowd(entries, both, len(told.left), most)
            continue
        a, b = told
        if batch.twins:
            straight = ((a & b) & 1) == 0
            a, b = a[straight], b[straight]
        near = close(mine, here, a, b, most)
        held.add(a[near], b[near] + (chunk.start + batch.count))
    return held.found()


def pairs_between(left: Bytes, right: Bytes, most: int) -> Iterator[Pairs]:
    """All pairs of permuted hashes, ``(n, 32)`` each, at most `most` bits apart that tables find, every one once."""
    before: list[Table] = []
    for lead in LEADS:
        for table in TABLES[lead]:
            for told, chunk in _met([_ordered(left, table, len(right))], right, 0, len(right)):
                here = right[chunk]
                for a, b in told.pairs() if isinstance(told, Crowd) else (told,):
                    near = close(left, here, a, b, most)
                    a, b = a[near], b[near]
                    same = left[a] == here[b]
                    new = np.ones(len(a), bool)
                    for other in before:
                        new &= ~same[:, other].all(axis=1)
                    yield a[new], b[new] + chunk.start
            before.append(table)


def _met(sought: list[_Ordered], right: Bytes, start: int, stop: int) -> Iterator[tuple[Pairs | Crowd, slice]]:
    """Pairs of a place in what is sought and one in a slice of `right` that have the same bits in a table."""
    for first in range(start, stop, CHUNK):
        chunk = slice(first, min(first + CHUNK, stop))
        here = right[chunk]
        if len(sought) > _MANY:
            here = np.ascontiguousarray(here.T).T  # each byte of all rows together: many tables read it
        for one in sought:
            others = keys(here, one.table)
            shared = np.arange(len(others)) if one.there is None else np.flatnonzero(_has(one.there, others))
            for told in meeting(one.keys, one.rows, others[shared]):
                if isinstance(told, Crowd):
                    yield Crowd(told.left, shared[told.right]), chunk
                else:
                    yield (told[0], shared[told[1]]), chunk


def _bits(key: npt.NDArray[np.uint32]) -> Bytes:
    """A bit for each of 2**24 keys that is set for some, 2 MB: they stay in the processor's cache."""
    there = np.zeros(1 << 24, bool)
    there[key] = True
    return np.packbits(there, bitorder="little")


def _has(bits: Bytes, key: npt.NDArray[np.uint32]) -> Bytes:
    return (bits.take(key >> np.uint32(3)) >> (key & np.uint32(7)).astype(np.uint8)) & np.uint8(1)


def _sharing(rows: Bytes, part: Part) -> Iterator[tuple[npt.NDArray[np.integer], tuple[Table, ...]]]:
    """Places of rows that have a leading byte of the part in common; of few rows, all together."""
    tables = TABLES[part.lead]
    if len(rows) <= FEW:
        if part.start == 0:
            yield np.arange(len(rows)), tables
        return
    order, starts = _by_byte(rows, part)
    for start, stop in pairwise(starts):
        if stop - start > 1:
            yield order[start:stop], tables


def _by_byte(rows: Bytes, part: Part) -> tuple[npt.NDArray[np.integer], list[int]]:
    """The places of rows whose leading byte is a part's, by that, and where each value's begin, and the last ends."""
    chunks = [slice(start, start + (1 << 20)) for start in range(0, len(rows), 1 << 20)]
    counts = sum((np.bincount(rows[chunk, part.lead], minlength=256) for chunk in chunks), np.zeros(256, np.int64))
    starts = np.concatenate([[0], np.cumsum(counts[part.start : part.stop])])
    order = np.empty(starts[-1], np.uint32 if len(rows) < 1 << 32 else np.int64)
    filled = starts[:-1].copy()
    for chunk in chunks:
        byte = np.ascontiguousarray(rows[chunk, part.lead])
        places = np.argsort(byte, kind="stable")
        ends = np.cumsum(np.bincount(byte, minlength=256))
        for value in range(part.start, part.stop):
            mine = places[ends[value - 1] if value else 0 : ends[value]] + chunk.start
            at = value - part.start
            order[filled[at] : filled[at] + len(mine)] = mine
            filled[at] += len(mine)
    return order, starts.tolist()


def _key(rows: Bytes, table: Table, whole: bool) -> npt.NDArray[np.uint16] | npt.NDArray[np.uint32]:
    """A table's bits of rows; only those after the leading byte where they have that in common."""
    if whole:
        return keys(rows, table)
    key = rows[:, table[1]].astype(np.uint16)
    key <<= np.uint16(8)
    key |= rows[:, table[2]]
    return key


class _Held:
    """Pairs of images and crowds that were found so far; only what connects the images, where pairs become many."""

    def __init__(self, twins: bool) -> None:
        self._shift = 1 if twins else 0
        self._pairs: list[Pairs] = []
        self._crowds: list[tuple[int, int]] = []
        self._count, self._bound = 0, _HELD

    def add(self, left: npt.NDArray[np.integer], right: npt.NDArray[np.integer]) -> None:
        """Pairs of rows."""
        if not len(left):
            return
        a, b = (side.astype(np.int64) >> self._shift for side in (left, right))
        apart = a != b
        self._pairs.append((a[apart], b[apart]))
        self._count += int(apart.sum())
        if self._count > self._bound:
            self._pairs = [self._joined()]
            self._count = len(self._pairs[0][0])
            self._bound = self._count + _HELD

    def crowd(self, entries: npt.NDArray[np.integer], rows: Bytes, first: int, most: int) -> None:
        """Pairs of one of the `first` rows of a crowd and any."""
        twins = (entries & self._shift).astype(bool)
        a, b = crowd_pairs(rows, twins, first, most)
        self._crowds.append((len(entries), int(entries[0]) >> self._shift))
        self.add(entries[a], entries[b])

    def found(self) -> Found:
        """All of it."""
        return Found(*self._joined(), tuple(self._crowds))

    def _joined(self) -> Pairs:
        left, right = (
            np.concatenate([np.empty(0, np.int64), *(pair[side] for pair in self._pairs)]) for side in (0, 1)
        )
        nodes, smallest = smallest_connected(left, right)
        other = nodes != smallest
        return nodes[other], smallest[other]
