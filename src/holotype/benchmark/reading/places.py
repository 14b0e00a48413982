"""Submissions of places: five guesses an image, each with a box; the same rows read detections."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from holotype.benchmark.highest import GUESSES
from holotype.benchmark.reading.columns import (
    CORNERS,
    IMAGE,
    LABEL,
    RANK,
    SCORE,
    STRING,
    box_columns,
    called,
    corners_of,
    only,
)
from holotype.benchmark.reading.faults import Faults, said
from holotype.benchmark.reading.forms import opened_table
from holotype.benchmark.reading.guesses import gaps_in, settled
from holotype.benchmark.reading.limits import LIMITS, Limits
from holotype.benchmark.reading.names import Classes, Images
from holotype.benchmark.reading.placing import Placing, grouped, row_places, single_labels
from holotype.benchmark.reading.strings import PLACES, spread
from holotype.benchmark.reading.tables import Batch, Table, numbers_of
from holotype.benchmark.values import MISSING, Bools, Boxes, Floats, Ints, Places

EXAMPLE: Final = "image,rank,label,x1,y1,x2,y2"


class Rows(NamedTuple):
    """What rows say of boxes: their numbers, items, codes of classes, scores, and corners."""

    rows: Ints
    items: Ints
    codes: Ints
    scores: Floats
    corners: Floats

    def only(self, kept: np.ndarray) -> Rows:
        """Some of the rows."""
        return Rows(*(column[kept] for column in self))


_NONE: Final = np.empty(0, np.int64)


class Known(NamedTuple):
    """What a truth knows: its images and classes, and whether the last pixel of a box belongs to it."""

    images: Images
    classes: Classes
    inclusive: bool


NO_ROWS: Final = Rows(_NONE, _NONE, _NONE, np.empty(0), np.empty((0, 4)))


def read_places(path: Path, truth: Boxes, limits: Limits = LIMITS, rows: str = "") -> Places:
    """Five guesses for each image of `truth` and where each of them is: by rank, or else by falling score.

    `rows` are as those of `read_guesses`. Raises `PredictionError` naming the rows at fault, and for an image that has
    no row. A file without rows is read: every image is missed.
    """
    with opened_table(path, limits, "places") as table:
        if not table.names:
            return _nothing(len(truth.items))
        devkit = table.positional and STRING in table.names
        table, meant = _spread(table)
        only(meant, (IMAGE, LABEL, *box_columns(meant)), (RANK, SCORE), table.faults, EXAMPLE)
        key = next((name for name in (RANK, SCORE) if name in meant), "")
        places = row_places(truth, rows or table.order, table.faults) if table.positional else None
        classes, images = Classes.of(truth.classes, truth.numbers), Images.of(truth.items, places)
        parts = list(rows_of(table, meant, key, Known(images, classes, truth.inclusive)))
        table.faults.check()
        said_rows = joined(parts)
        if not len(said_rows.rows):
            return _nothing(len(truth.items))
        placing = Placing(truth.items, table.faults)
        guesses, corners = _placed(said_rows, bool(key), placing, table.positional)
        found, _ = settled(guesses, placing, classes, single_labels(truth), "", "devkit" if devkit else "")
        return Places(found, corners)


def _nothing(items: int) -> Places:
    return Places(np.full((items, GUESSES), MISSING, np.int64), np.zeros((items, GUESSES, 4)))


def _spread(table: Table) -> tuple[Table, dict[str, str]]:
    """The table with a row a guess, and its columns by what they mean."""
    meant = called(table.names, table.faults)
    if set(meant) != {IMAGE, STRING}:
        return table, meant
    found = spread(table, meant[IMAGE], meant[STRING], PLACES, empty=True)
    return found, called(found.names, table.faults)


def rows_of(table: Table, meant: dict[str, str], key: str, known: Known, turned: bool = False) -> Iterator[Rows]:
    """The rows of a table, in batches; those with something wrong are left out, and faults. `key` is what says which
    is better: `RANK`, whose scores are below 0 then, `SCORE`, or "" for neither. For `turned`, see `corners_of`."""
    columns = [meant[name] for name in (*CORNERS, RANK, SCORE) if name in meant]
    for batch in table.read(columns):
        corners = corners_of(batch, meant, known.inclusive, table.faults, turned)
        yield _rows(batch, meant, key, known, corners, table.faults)


def _rows(
    batch: Batch, meant: dict[str, str], key: str, known: Known, boxes: tuple[Floats, Bools], faults: Faults
) -> Rows:
    items, bad = known.images.find(batch, meant[IMAGE], faults)
    codes, unknown = known.classes.codes(batch, meant[LABEL], faults, optional=key == RANK)
    corners, wrong = boxes
    bad = bad | unknown | wrong
    scores = np.zeros(len(batch.rows))
    if key:
        scores, wrong = numbers_of(batch, meant[key], faults)
        bad |= wrong
    if key == RANK:
        odd = ((scores < 1) | (scores != np.floor(scores))) & ~wrong
        faults.mark(batch.rows, odd, lambda at: f"the rank {scores[at]:g} is not 1, 2, 3 ...")
        scores, bad = -scores, bad | odd
    found = Rows(batch.rows, items, codes, scores, corners)
    return found.only(~bad) if bad.any() else found


def joined(parts: Sequence[Rows]) -> Rows:
    """The rows of all batches."""
    return Rows(*(np.concatenate(columns) for columns in zip(*(parts or [NO_ROWS]), strict=True)))


def _placed(given: Rows, ranked: bool, placing: Placing, positional: bool) -> tuple[Ints, Floats]:
    """The codes and corners of each item's five best guesses."""
    keys = (-given.scores, given.codes.astype(np.float64), *given.corners.T)
    order, place = grouped(given.items, keys)
    given, faults = given.only(order), placing.faults
    again = place > 0
    if ranked:
        again = np.zeros(len(place), np.bool_)
        again[1:] = (place[1:] > 0) & (given.scores[1:] == given.scores[:-1]) & (given.scores[1:] < 0)
    why = "the same rank as another of" if ranked else "another row, without a rank or score, of"
    faults.mark(given.rows, again, lambda at: f"{why} image {said(placing.items[given.items[at]])}")
    first = place == 0
    placing.place(given.items[first], given.rows[first])
    placing.check(positional)
    guesses = np.full((len(placing.items), GUESSES), MISSING, np.int64)
    corners = np.zeros((len(placing.items), GUESSES, 4))
    kept = place < GUESSES
    guesses[given.items[kept], place[kept]] = given.codes[kept]
    corners[given.items[kept], place[kept]] = given.corners[kept]
    corners[guesses == MISSING] = 0
    gaps = np.flatnonzero(gaps_in(guesses))
    for item in gaps.tolist():
        faults.add(int(placing.row_of[item]), "an empty guess before a given one")
    faults.check()
    return guesses, corners
