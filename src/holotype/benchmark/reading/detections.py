"""Submissions of detections: boxes with a class and a score, as many as an image has."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from holotype.benchmark.reading.columns import IMAGE, LABEL, RANK, SCORE, STRING, box_columns, called, only
from holotype.benchmark.reading.faults import Faults, said
from holotype.benchmark.reading.forms import opened_table
from holotype.benchmark.reading.images import Images
from holotype.benchmark.reading.limits import LIMITS, Limits
from holotype.benchmark.reading.names import PLACES_BY_NAME, Classes, has_numbers, number_in
from holotype.benchmark.reading.places import NO_ROWS, Known, Rows, rows_of
from holotype.benchmark.reading.strings import DETECTIONS, spread
from holotype.benchmark.reading.tables import Table
from holotype.benchmark.values import Bools, Boxes, Detections, Floats, Ints

EXAMPLE: Final = "image,label,score,x1,y1,x2,y2"


def read_detections(path: Path, truth: Boxes, limits: Limits = LIMITS, turned: bool = False) -> Detections:
    """The boxes that a submission says, with their scores. An image without a row has none.

    Numbers of classes are those of the truth's own file; of one that has none, places by name from 0, with a remark;
    those of ILSVRC2012's classification have several orders, and are refused. Boxes that end before they begin are
    refused; `turned` ones are read, as the devkit reads them: its own demonstration has some.

    Raises `PredictionError` naming the rows at fault, and for an image with more rows than are allowed.
    """
    with opened_table(path, limits, "detections") as table:
        classes = Classes.of(truth.classes, truth.numbers)
        images = Images.of(truth.items, np.arange(len(truth.items)) if table.positional else None)
        parts: list[Rows] = []
        remarks: tuple[str, ...] = ()
        if table.names:
            table, meant = _spread(table, limits)
            only(meant, (IMAGE, LABEL, SCORE, *box_columns(meant)), (RANK,), table.faults, EXAMPLE)
            rows = rows_of(table, meant, SCORE, Known(images, classes, truth.inclusive), turned)
            for part in rows:
                remarks = remarks or _remarks(part, classes, table.faults)
                parts.append(_named(part, classes, table.faults)._replace(rows=NO_ROWS.rows))
        table.faults.check()
        items, codes, scores = (_joined([part[at] for part in parts]) for at in (1, 2, 3))
        _check_counts(items, truth, limits.per_item, table.faults)
        boxes = [part.corners for part in parts]
        del parts
        order = canonical(items, codes, scores, boxes)
        return Detections(items[order], codes[order], scores[order], _in_order(boxes, order), remarks)


def _joined(columns: Sequence[np.ndarray]) -> np.ndarray:
    return np.concatenate(columns) if columns else np.empty(0, np.int64)


def _in_order(parts: list[Floats], order: Ints) -> Floats:
    """The rows of all `parts` in an order; those are taken away, so that not all of them are in memory twice."""
    found = np.empty((len(order), 4))
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    start = 0
    while parts:
        part = parts.pop(0)
        found[place[start : start + len(part)]] = part
        start += len(part)
    return found


def _spread(table: Table, limits: Limits) -> tuple[Table, dict[str, str]]:
    """The table with a row a box, and its columns by what they mean."""
    meant = called(table.names, table.faults)
    if set(meant) != {IMAGE, STRING}:
        return table, meant
    found = spread(table, meant[IMAGE], meant[STRING], DETECTIONS, limits.rows, empty=False)
    return found, called(found.names, table.faults)


def _remarks(part: Rows, classes: Classes, faults: Faults) -> tuple[str, ...]:
    """What is to be said of the numbers of classes in some rows. Raises `PredictionError` where they are ambiguous."""
    if classes.numbers or not has_numbers(part.codes):
        return ()
    if classes.are_ilsvrc2012s:
        row = int(part.rows[np.flatnonzero(part.codes >= 0)[0]])
        faults.stop("numbers of ILSVRC2012's classes have several orders: name the classes", row)
    return (PLACES_BY_NAME,)


def _named(part: Rows, classes: Classes, faults: Faults) -> Rows:
    """The rows with classes where they have numbers; those that are no class are left out, and faults."""
    if not has_numbers(part.codes):
        return part
    codes, bad = classes.settle(part.codes, classes.table("" if classes.numbers else "sorted"))
    faults.mark(part.rows, bad, lambda at: f"{number_in(int(part.codes[at]))} is no class of this truth")
    return part._replace(codes=codes).only(~bad)


def _check_counts(items: Ints, truth: Boxes, most: int, faults: Faults) -> None:
    counts = np.bincount(items, minlength=len(truth.items))
    if counts.max(initial=0) > most:
        image = int(counts.argmax())
        faults.stop(f"image {said(truth.items[image])} has {counts[image]:,} rows, {most:,} are allowed")


def canonical(items: Ints, codes: Ints, scores: Floats, boxes: Sequence[Floats]) -> Ints:
    """The order by class, falling score, image and corners, in which nothing is left of the order of rows.

    Images and corners are only looked at where all else is equal: seven keys of two million rows take seconds to sort.
    """
    order = np.argsort(-scores)
    small = codes[order].astype(np.int16 if codes.max(initial=0) < 1 << 15 else np.int64)
    order = order[np.argsort(small, kind="stable")]  # of 16 bits by their digits
    same = _same((codes[order], scores[order]))
    if not same.any():
        return order
    levels = np.concatenate([np.zeros(1, np.int64), np.cumsum(~same)])
    order = order[np.argsort(levels * (int(items.max()) + 1) + items[order])]
    same = _same((codes[order], scores[order], items[order]))
    equal = np.flatnonzero(np.append(same, False) | np.insert(same, 0, False))
    if len(equal):
        corners = np.concatenate(boxes)[order[equal]]
        levels = np.concatenate([np.zeros(1, np.int64), np.cumsum(~same)])[equal]
        order[equal] = order[equal][np.lexsort([*corners.T[::-1], levels])]
    return order


def _same(columns: Sequence[np.ndarray]) -> Bools:
    """Which rows the next one is equal to."""
    return np.asarray(np.logical_and.reduce([column[1:] == column[:-1] for column in columns]))
