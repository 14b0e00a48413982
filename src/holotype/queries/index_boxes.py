"""Terms about boxes, of a release: its table of boxes, column by column as questions need them."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from holotype.errors import QueryError, ReleaseError
from holotype.queries.query import COMPARE, Term
from holotype.queries.rows import Ints, Mask
from holotype.releases.census import batches
from holotype.releases.joins import NOWHERE, places
from holotype.releases.layout import UNSAID
from holotype.releases.release import columns_of

_CORNERS: Final = ("x_min", "y_min", "x_max", "y_max")
_MILLION: Final = 1_000_000


class BoxRows:
    """Which labels have boxes that satisfy terms.

    `ids` and `wnids` are those of the labels that have boxes, and `sizes` ``(labels, 2)`` width and height of their
    pictures. Columns of the table are read when a term first needs them, and what follows from them is kept: 8 bytes a
    box each. Raises `QueryError` where there is no table of boxes at `path`, or it does not tell.
    """

    def __init__(self, path: Path, ids: pa.Array, wnids: pa.Array, sizes: Ints) -> None:
        self.path = path
        self._labels = ids, wnids
        self._sizes = sizes

    def matching(self, term: Term) -> Ints:
        """The places of the labels that have a box of their synset that satisfies a term, ascending."""
        found = np.zeros(len(self._sizes), np.bool_)
        found[self._place[self._satisfied(term)]] = True
        return np.flatnonzero(found)

    def _satisfied(self, term: Term) -> Mask:
        """Which boxes, of those that are of labels, satisfy a term."""
        if term.field == "boxes.by":
            return np.asarray(pc.equal(self._column("by"), term.value), np.bool_)[self._held]
        compare = COMPARE[term.compare]
        if term.field == "boxes.support":
            support = self._support
            return np.asarray((support != UNSAID) & compare(support, float(term.value)), np.bool_)
        area = np.minimum(self._area, self._picture + 1)  # more is more than any share, and may be beyond 64 bits
        return np.asarray((self._picture > 0) & compare(area * _MILLION, self._picture * term.millionths))

    @cached_property
    def _rows(self) -> Ints:
        """The place of each box's label, `NOWHERE` where there is none."""
        columns = [pa.chunked_array([values]) for values in self._labels]
        return np.asarray(places([self._column("id"), self._column("wnid")], columns), np.int64)

    @cached_property
    def _held(self) -> Mask:
        return np.asarray(self._rows != NOWHERE)

    @cached_property
    def _place(self) -> Ints:
        return self._rows[self._held]

    @cached_property
    def _support(self) -> npt.NDArray[np.float64]:
        return np.asarray(self._column("support").to_numpy()[self._held], np.float64)

    @cached_property
    def _area(self) -> Ints:
        corners = (self._column(name).to_numpy()[self._held].astype(np.int64) for name in _CORNERS)
        x_min, y_min, x_max, y_max = corners
        return np.asarray((x_max - x_min + 1) * (y_max - y_min + 1))

    @cached_property
    def _picture(self) -> Ints:
        return np.asarray(self._sizes.prod(axis=1)[self._place])

    def _column(self, name: str) -> pa.ChunkedArray:
        try:
            if name not in columns_of(self.path):
                raise QueryError(f"{self.path} says nothing of {name}, as older releases do not")
            parts = [table[name] for table in batches(self.path, [name])]
        except ReleaseError as error:
            raise QueryError(str(error)) from error
        chunks = [chunk for part in parts for chunk in part.chunks]
        return pa.chunked_array(chunks) if chunks else pa.chunked_array([[]], pa.string())
