"""Kaggle's prediction strings and the devkit's lines: all that is said of an image in one cell, blanks between."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from functools import partial
from typing import Final

import numpy as np
import pyarrow as pa

from holotype.benchmark.reading.columns import CORNERS, LABEL, RANK, SCORE
from holotype.benchmark.reading.devkit import split
from holotype.benchmark.reading.faults import Faults
from holotype.benchmark.reading.names import Classes
from holotype.benchmark.reading.tables import Batch, Table, cells_of
from holotype.benchmark.values import Ints

PLACES: Final = (LABEL, *CORNERS)
DETECTIONS: Final = (LABEL, SCORE, *CORNERS)
GUESSES: Final = (LABEL,)
FIVE: Final = 5
_NO_GUESS: Final = {LABEL: "", "x1": "0", "y1": "0", "x2": "1", "y2": "1"}


def spread(table: Table, image: str, string: str, parts: tuple[str, ...], most: int, *, empty: bool) -> Table:
    """The table with a row for each of the `parts` that strings repeat, and their `RANK`; at most so many rows.

    With `empty`, a string that says nothing is a row without a label all the same.
    """
    names = (image, RANK, *parts)
    return replace(table, names=names, read=partial(_read, table, image, string, parts, most, empty))


def _read(
    table: Table, image: str, string: str, parts: tuple[str, ...], most: int, empty: bool, _: Collection[str]
) -> Iterator[Batch]:
    total = 0
    for batch in table.read(()):
        lengths, cells = split(cells_of(batch, string, table.faults))
        total += len(cells) // len(parts)
        if total > most:
            table.faults.stop(f"has more than the {most:,} rows allowed, which are in its strings")
        sound = lengths % len(parts) == 0
        for at in np.flatnonzero(~sound).tolist():
            table.faults.add(int(batch.rows[at]), f"{lengths[at]} cells do not repeat {' '.join(parts)}")
        if not sound.all():
            cells = cells.filter(pa.array(np.repeat(sound, lengths)))
        yield _spread(batch, np.flatnonzero(sound), lengths[sound] // len(parts), cells, (image, *parts), empty)


def _spread(batch: Batch, at: Ints, counts: Ints, cells: pa.Array, names: tuple[str, ...], empty: bool) -> Batch:
    image, *parts = names
    owner = np.repeat(at, counts)
    rank = np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)
    columns = {name: cells.take(pa.array(np.arange(n, len(cells), len(parts)))) for n, name in enumerate(parts)}
    if empty and (counts == 0).any():
        none = at[counts == 0]
        owner, rank = np.append(owner, none), np.append(rank, np.zeros(len(none), np.int64))
        for name in parts:
            fill = pa.array([_NO_GUESS[name]] * len(none), pa.string())
            columns[name] = pa.concat_arrays([columns[name].cast(pa.string()), fill])
    images = batch.columns[image]
    told = images[owner] if isinstance(images, np.ndarray) else images.take(pa.array(owner))
    return Batch({image: told, RANK: (rank + 1).astype(np.float64), **columns}, batch.rows[owner])


def of_guesses(batch: Batch, string: str, classes: Classes, positional: bool, faults: Faults) -> tuple[Ints, pa.Array]:
    """The classes guessed in each string, as how many there are and all of them.

    A string of places, as Kaggle has them, says its classes in every fifth cell; the devkit's lines are classes alone.
    """
    lengths, cells = split(cells_of(batch, string, faults))
    if positional or not len(cells) or not (lengths % FIVE == 0).all():
        return lengths, cells
    second = cells[1].as_py() if len(cells) > 1 else ""
    if classes.known(cells[0].as_py()) is None or classes.known(second) is not None:
        return lengths, cells
    return lengths // FIVE, cells.take(pa.array(np.arange(0, len(cells), FIVE)))
