"""Rows of one table found in another by the values of some columns: by keys that are made and sorted once a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from holotype.consensus.ballot import Ints
from holotype.releases.keys import Keys, mixed, text_keys

Mask = npt.NDArray[np.bool_]
Column: TypeAlias = "pa.ChunkedArray"
"""Texts or whole numbers."""
NOWHERE: Final = -1
"""The row of what is not there."""
_ODD: Final = np.uint64(0x9E3779B97F4A7C15)
_SAMPLE: Final = 4096
_AT_ONCE: Final = 1 << 18


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """The values of some columns that rows are told apart by, and their `keys` in ascending `order`, ``(rows,)``: rows
    of other values hardly ever have the same key. Those that have are in the order of the table."""

    columns: Sequence[Column]
    keys: Keys
    order: Ints

    @classmethod
    def of(cls, *columns: Column) -> Rows:
        """Those of columns."""
        return cls.keyed(row_keys(columns), columns)

    @classmethod
    def keyed(cls, keys: Keys, columns: Sequence[Column] = ()) -> Rows:
        """Those with keys that are known, ``(rows,)``; without columns, they are told apart by these alone."""
        order = np.argsort(keys)
        found = keys[order]
        if (found[1:] == found[:-1]).any():  # sorting those in their order takes three times as long
            order = np.argsort(keys, kind="stable")
        return cls(columns, found, order)

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def by_keys(self) -> Rows:
        """The same, told apart by their keys alone."""
        return replace(self, columns=())

    def first(self) -> Mask:
        """Which rows are the first with their values, ``(rows,)``."""
        found = np.zeros(len(self), bool)
        found[self.found_in(self)] = True
        return found

    def found_in(self, other: Rows) -> Ints:
        """The row of another table that has the same values as each row, ``(rows,)``: the first of several, `NOWHERE`
        where none has."""
        found = np.full(len(self), NOWHERE)
        if len(other):
            at = np.minimum(np.searchsorted(other.keys, self.keys), len(other) - 1)
            found[self.order] = np.where(other.keys[at] == self.keys, other.order[at], NOWHERE)
        return found if self._are(other, found) else self._by_values(other)

    def _are(self, other: Rows, rows: Ints) -> bool:
        """Whether rows that were found have the same values; so many at a time that their values take little memory."""
        return all(
            _same(one.slice(start, _AT_ONCE), another, rows[start : start + _AT_ONCE])
            for one, another in zip(self.columns, other.columns, strict=True)
            for start in range(0, len(rows), _AT_ONCE)
        )

    def _by_values(self, other: Rows) -> Ints:
        """`found_in` where rows of different values have the same key."""
        first: dict[tuple[object, ...], int] = {}
        for row, values in enumerate(_values(other.columns)):
            first.setdefault(values, row)
        return np.array([first.get(values, NOWHERE) for values in _values(self.columns)], np.int64)


def _same(column: Column, other: Column, rows: Ints) -> bool:
    """Whether values are those of rows of another column, but for those that are `NOWHERE`."""
    here = rows != NOWHERE
    mine = column if here.all() else column.filter(pa.array(here))
    return pc.all(pc.equal(mine, other.take(pa.array(rows[here])))).as_py() is not False


def _values(columns: Sequence[Column]) -> zip[tuple[object, ...]]:
    return zip(*(column.to_pylist() for column in columns), strict=True)


def places(of: Sequence[Column], among: Sequence[Column]) -> Ints:
    """The row of `among` that has the same values as each row of `of`; the first of several, `NOWHERE` where none
    has."""
    return Rows.of(*of).found_in(Rows.of(*among))


def row_keys(columns: Sequence[Column]) -> Keys:
    """A key of each row, which rows of other values hardly ever have, ``(rows,)``."""
    keys = np.zeros(len(columns[0]), np.uint64)
    for column in columns:
        keys = longer_keys(keys, column_keys(column))
    return keys


def longer_keys(keys: Keys, column: Keys) -> Keys:
    """The keys of rows that have one more column, from those of the others and of the column's values."""
    return mixed(keys * _ODD + column)


def column_keys(column: Column) -> Keys:
    """A key of each value, ``(rows,)``: of texts as `text_keys`, made once for each text of a column that has few."""
    if not pa.types.is_string(column.type):
        return np.asarray(column.to_numpy().astype(np.int64).view(np.uint64))
    if len(column) < _SAMPLE or len(pc.unique(column.slice(0, _SAMPLE))) > _SAMPLE // 2:
        return text_keys(column)
    code, texts = codes(column)
    return np.asarray(text_keys(pa.array(texts, pa.string()))[code])


def codes(column: pa.ChunkedArray | pa.Array) -> tuple[Ints, list[str]]:
    """The place of each text of a column among those that there are, which are in the order they come first."""
    encoded = pc.dictionary_encode(whole(column))
    return encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64), encoded.dictionary.to_pylist()


def rows_by_text(column: pa.ChunkedArray | pa.Array) -> dict[str, Ints]:
    """The rows, ascending, that have each text of a column, by the text; texts are sorted."""
    code, texts = codes(column)
    rows = np.split(np.argsort(code, kind="stable"), np.cumsum(np.bincount(code, minlength=len(texts)))[:-1])
    found = dict(zip(texts, rows, strict=False))  # where there are no texts there is one piece of no rows
    return {text: found[text] for text in sorted(found)}


def whole(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    """A column in one piece."""
    if not isinstance(column, pa.ChunkedArray):
        return column
    found = column.combine_chunks()
    if not isinstance(found, pa.ChunkedArray):
        return found
    return pa.concat_arrays(found.chunks) if found.num_chunks else pa.array([], found.type)
