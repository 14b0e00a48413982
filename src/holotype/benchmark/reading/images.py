"""Which image a cell of a file, or the place of a row, means."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from holotype.benchmark.reading.faults import Faults, said
from holotype.benchmark.reading.tables import Batch, cells_of, indices_of
from holotype.benchmark.values import MISSING, Bools, Ints

_PICTURE: Final = re.compile(r"(?:.*[/\\])?(.+?)(?:\.(?:jpe?g|png|webp|bmp|gif|tiff?))?", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True, eq=False)
class Images:
    """The ids of a truth's images, to look others up: the same, or files that are named so. Where a file has none,
    `places` has the number of the image that each row is for."""

    ids: Sequence[str]
    places: Ints | None
    _sorted: pa.Array
    _by_id: Mapping[str, int]

    @classmethod
    def of(cls, ids: Sequence[str], places: Ints | None = None) -> Images:
        """Those of a truth."""
        return cls(ids, places, pa.array(ids, pa.string()), {name: number for number, name in enumerate(ids)})

    def find(self, batch: Batch, name: str, faults: Faults) -> tuple[Ints, Bools]:
        """The number of each row's image, and for which rows there is none, which are `faults`."""
        column = cells_of(batch, name, faults)
        if self.places is not None:
            return self._placed(column, batch.rows, faults)
        told = column if not isinstance(column, np.ndarray) else pa.array(column)
        if not pa.types.is_dictionary(told.type):
            told = told.cast(pa.string())
        found = self._numbers(told)
        bad = found < 0
        if bad.any():
            cells = told.cast(pa.string()).to_pylist()
            faults.mark(batch.rows, bad, lambda at: f"unknown image {said(cells[at] or '')}")
        return found, bad

    def _placed(self, given: Ints, rows: Ints, faults: Faults) -> tuple[Ints, Bools]:
        places = np.asarray(self.places)
        bad = (given < 0) | (given >= len(places))
        faults.mark(rows, bad, lambda at: f"image {given[at] + 1:,} of {len(places):,}")
        return (places[np.where(bad, 0, given)] if len(places) else np.zeros(len(given), np.int64)), bad

    def _numbers(self, told: pa.Array) -> Ints:
        found: Ints
        if pa.types.is_dictionary(told.type):
            of = np.append(self._numbers(told.dictionary.cast(pa.string())), MISSING)
            places = indices_of(told)
            return np.asarray(of[places], np.int64)
        found = pc.fill_null(pc.index_in(told, self._sorted), MISSING).to_numpy(zero_copy_only=False).astype(np.int64)
        if (found < 0).any():
            left = np.flatnonzero(found < 0)
            encoded = told.take(pa.array(left)).dictionary_encode()
            numbers = [self._number(one or "") for one in encoded.dictionary.to_pylist()]
            places = indices_of(encoded)
            found[left] = np.array([*numbers, MISSING])[places]
        return found

    def _number(self, text: str) -> int:
        given = text.strip()
        if given in self._by_id:
            return self._by_id[given]
        named = _PICTURE.fullmatch(given)
        return self._by_id.get(named[1], MISSING) if named else MISSING
