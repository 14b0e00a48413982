"""Submissions: guessed classes, guessed places, detections and answers, keyed by the ids of a truth's items."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from holotype.benchmark.reading.columns import (
    CORNERS,
    IMAGE,
    LABEL,
    RANK,
    SCORE,
    called,
    corners_of,
    guess_columns,
    only,
)
from holotype.benchmark.reading.faults import Faults, said, some
from holotype.benchmark.reading.forms import opened_table
from holotype.benchmark.reading.limits import LIMITS, Limits
from holotype.benchmark.reading.names import Classes, Images, has_numbers, told_order
from holotype.benchmark.reading.placing import Placing, grouped
from holotype.benchmark.reading.scores import GUESSES, best
from holotype.benchmark.reading.tables import Batch, Table, numbers_of
from holotype.benchmark.values import MISSING, Boxes, Detections, Floats, Guesses, Ints, Labels, Places

EMPTY: Final = "the submission is empty: every image is missed"
_GUESSES_ARE: Final = "image,guess1,guess2,guess3,guess4,guess5"
_PLACES_ARE: Final = "image,rank,label,x1,y1,x2,y2"
_DETECTIONS_ARE: Final = "image,label,score,x1,y1,x2,y2"


def read_guesses(path: Path, truth: Labels, order: str = "", limits: Limits = LIMITS) -> Guesses:
    """The five guesses for each image of `truth`, or the scores that they follow from.

    Numbers of classes are in `order`, one of `orders.ORDERS`; "" takes the truth's own, else detects it.
    Raises `PredictionError` naming the rows at fault, and for an image that has no row, or two.
    """
    classes = Classes.of(truth.classes, truth.numbers)
    with opened_table(path, limits) as table:
        if not table.names:
            return _nothing(len(truth.items))
        meant = called(table.names, table.faults)
        if IMAGE not in meant:
            table.faults.stop(f"has no column {IMAGE}, but {some(table.names)}; its header must be like {_GUESSES_ARE}")
        others = [name for name in table.names if name != meant[IMAGE]]
        guessed = guess_columns(others) or ([meant[LABEL]] if set(meant) == {IMAGE, LABEL} else [])
        placing = Placing(truth.items, table.faults)
        if guessed and len(guessed) == len(others):
            codes = _guessed(table, meant[IMAGE], guessed, placing, classes)
            return _guesses(codes, placing, classes, _single(truth), order) if placing.check() else _nothing(len(codes))
        return _scored(table, meant[IMAGE], others, placing, classes, order)


def _nothing(items: int) -> Guesses:
    return Guesses(np.full((items, GUESSES), MISSING, np.int64), remarks=(EMPTY,))


def _single(truth: Labels | Boxes) -> Ints:
    """The one class of each item, `MISSING` for those that have none or several."""
    found = np.full(len(truth.items), MISSING, np.int64)
    found[truth.image] = truth.label
    last = found[truth.image] != truth.label
    found[truth.image[last]] = MISSING
    return found


def _guessed(table: Table, image: str, columns: Sequence[str], placing: Placing, classes: Classes) -> Ints:
    """The codes of each item's guesses, of the first five columns."""
    codes = np.full((len(placing.items), GUESSES), MISSING, np.int64)
    images = Images.of(placing.items)
    for batch in table.read(()):
        items, bad = images.find(batch, image, table.faults)
        read = [classes.codes(batch, name, table.faults, optional=True) for name in columns[:GUESSES]]
        found = np.stack([code for code, _ in read], axis=1)
        found = np.pad(found, ((0, 0), (0, GUESSES - found.shape[1])), constant_values=MISSING)
        gaps = _gaps(found) & ~np.logical_or.reduce([wrong for _, wrong in read])
        table.faults.mark(batch.rows, gaps, lambda _: "an empty guess before a given one")
        kept = np.flatnonzero(~bad)
        kept = kept[placing.place(items[kept], batch.rows[kept])]
        codes[items[kept]] = found[kept]
    return codes


def _gaps(codes: Ints) -> np.ndarray:
    return np.asarray(((codes[:, :-1] == MISSING) & (codes[:, 1:] != MISSING)).any(axis=1))


def _guesses(codes: Ints, placing: Placing, classes: Classes, truth: Ints, order: str, otherwise: str = "") -> Guesses:
    """The guesses that `codes` are, whose numbers are settled by an order."""
    guesses, remark = _settled(codes, placing, classes, truth, order, otherwise)
    return Guesses(guesses, repeated=_repeated(guesses), remarks=(remark,) if remark else ())


def _settled(
    codes: Ints, placing: Placing, classes: Classes, truth: Ints, order: str, otherwise: str
) -> tuple[Ints, str]:
    if not has_numbers(codes):
        return codes, ""
    name, remark = told_order(codes, classes, truth, order, otherwise)
    settled, bad = classes.settle(codes, classes.table(name))
    what = f"no class in order {name}" if name else "no class of this truth"
    for item, slot in np.argwhere(bad).tolist():
        placing.faults.add(int(placing.row_of[item]), f"{classes.number(int(codes[item, slot]))} is {what}")
    placing.faults.check()
    return settled, remark


def _repeated(guesses: Ints) -> int:
    """How many guesses say a class of their row again."""
    ordered = np.sort(guesses, axis=1)
    return int(((ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] != MISSING)).sum())


def _scored(
    table: Table, image: str, columns: Sequence[str], placing: Placing, classes: Classes, order: str
) -> Guesses:
    """The guesses that follow from a column of scores for each class."""
    places = _class_columns(columns, classes, order, table.faults)
    scores = np.zeros((len(placing.items), len(classes.names)), np.float32)
    guesses = np.full((len(placing.items), GUESSES), MISSING, np.int64)
    images, tied = Images.of(placing.items), 0
    for batch in table.read(columns):
        items, bad = images.find(batch, image, table.faults)
        given = np.zeros((len(batch.rows), len(classes.names)))
        for name, place in zip(columns, places, strict=True):
            values, wrong = numbers_of(batch, name, table.faults, f"score of {name}")
            given[:, place], bad = values, bad | wrong
        kept = np.flatnonzero(~bad)
        kept = kept[placing.place(items[kept], batch.rows[kept])]
        guesses[items[kept]], ties = best(given[kept])
        scores[items[kept]] = given[kept]
        tied += int(ties.sum())
    return Guesses(guesses, scores, tied=tied) if placing.check() else _nothing(len(guesses))


def _class_columns(columns: Sequence[str], classes: Classes, order: str, faults: Faults) -> Ints:
    """The class that each column of scores is for. Raises `PredictionError` unless they are all classes, each once."""
    codes = []
    for name in columns:
        try:
            codes.append(classes.code(name))
        except ValueError:
            known = some(name for name in columns if name in classes.names)
            hint = f"unknown: {said(name)}" if known else f"its header must be like {_GUESSES_ARE}"
            faults.stop(f"score columns must be the {len(classes.names):,} classes, each once; {hint}")
    found = np.array(codes, np.int64)
    if has_numbers(found):
        found, bad = classes.settle(found, classes.table(order or ("" if classes.numbers else "sorted")))
        if bad.any():
            faults.stop(f"the score column {said(columns[int(np.flatnonzero(bad)[0])])} is no class")
    missing = np.setdiff1d(np.arange(len(classes.names)), found)
    if len(missing) or len(found) != len(classes.names):
        names = some(classes.names[at] for at in missing[:6].tolist())
        faults.stop(f"score columns must be the {len(classes.names):,} classes, each once; missing: {names}")
    return found


def read_places(path: Path, truth: Boxes, limits: Limits = LIMITS) -> Places:
    """Five guesses for each image of `truth` and where each of them is.

    Raises `PredictionError` naming the rows at fault, and for an image that has no row.
    """
    classes, images = Classes.of(truth.classes, truth.numbers), Images.of(truth.items)
    with opened_table(path, limits) as table:
        meant = called(table.names, table.faults)
        if table.names:
            only(meant, (IMAGE, LABEL, *CORNERS), (RANK, SCORE), table.faults, _PLACES_ARE)
        key = next((name for name in (RANK, SCORE) if name in meant), "")
        columns = [meant[name] for name in (*CORNERS, *filter(None, [key]))] if meant else []
        parts = [
            _place_rows(batch, meant, key, images, classes, truth.inclusive, table) for batch in table.read(columns)
        ]
        table.faults.check()
        return _placed(parts, bool(key), truth, classes, table.faults)


Rows = tuple[Ints, Ints, Ints, Floats, Floats]
"""Of some rows: their numbers, items, codes of classes, scores, and corners."""


def _place_rows(
    batch: Batch, meant: dict[str, str], key: str, images: Images, classes: Classes, inclusive: bool, table: Table
) -> Rows:
    """The rows of a batch that are sound; the others are faults."""
    faults = table.faults
    items, strange = images.find(batch, meant[IMAGE], faults)
    codes, unknown = classes.codes(batch, meant[LABEL], faults)
    corners, bad = corners_of(batch, meant, inclusive, faults)
    scores, wrong = np.zeros(len(batch.rows)), np.zeros(len(batch.rows), np.bool_)
    if key:
        scores, wrong = numbers_of(batch, meant[key], faults)
    if key == RANK:
        odd = ((scores < 1) | (scores != np.floor(scores))) & ~wrong
        faults.mark(batch.rows, odd, lambda at: f"the rank {scores[at]:g} is not 1, 2, 3 ...")
        scores = -scores
    kept = ~(strange | unknown | bad | wrong)
    return batch.rows[kept], items[kept], codes[kept], scores[kept], corners[kept]


def _placed(parts: Sequence[Rows], ranked: bool, truth: Boxes, classes: Classes, faults: Faults) -> Places:
    count = len(truth.items)
    guesses, corners = np.full((count, GUESSES), MISSING, np.int64), np.zeros((count, GUESSES, 4))
    if not sum(len(part[0]) for part in parts):
        return Places(guesses, corners)
    rows, items, codes, scores, boxes = (np.concatenate(some_parts) for some_parts in zip(*parts, strict=True))
    order, place = grouped(items, (-scores, codes, *boxes.T))
    items, codes, boxes, rows = items[order], codes[order], boxes[order], rows[order]
    if not ranked and place.any():
        faults.mark(
            rows, place > 0, lambda at: f"a second row of {said(truth.items[items[at]])}, without a rank or score"
        )
    placing = Placing(truth.items, faults)
    first = place == 0
    placing.place(items[first], rows[first])
    placing.check()
    kept = place < GUESSES
    guesses[items[kept], place[kept]], corners[items[kept], place[kept]] = codes[kept], boxes[kept]
    settled, _ = _settled(guesses, placing, classes, _single(truth), "", "")
    return Places(settled, corners)


def read_detections(path: Path, truth: Boxes, limits: Limits = LIMITS) -> Detections:
    """The boxes that a submission says, with their scores. An image without a row has none.

    Raises `PredictionError` naming the rows at fault.
    """
    classes, images = Classes.of(truth.classes, truth.numbers), Images.of(truth.items)
    with opened_table(path, limits) as table:
        meant = called(table.names, table.faults)
        if table.names:
            only(meant, (IMAGE, LABEL, SCORE, *CORNERS), (), table.faults, _DETECTIONS_ARE)
        columns = [meant[name] for name in (SCORE, *CORNERS)] if meant else []
        parts = []
        for batch in table.read(columns):
            rows, items, codes, scores, corners = _place_rows(
                batch, meant, SCORE, images, classes, truth.inclusive, table
            )
            if has_numbers(codes):
                codes, bad = classes.settle(codes, classes.table("" if classes.numbers else "sorted"))
                table.faults.mark(rows, bad, lambda _: "a number that is no class")
                items, codes, scores, corners = items[~bad], codes[~bad], scores[~bad], corners[~bad]
            parts.append((items, codes, scores, corners))
        table.faults.check()
        return _detections(parts, truth, limits, table.faults)


def _detections(parts: Sequence[tuple[Any, ...]], truth: Boxes, limits: Limits, faults: Faults) -> Detections:
    empty = (np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0), np.empty((0, 4)))
    items, codes, scores, corners = (np.concatenate(some_parts) for some_parts in zip(*(parts or [empty]), strict=True))
    counts = np.bincount(items, minlength=len(truth.items))
    if counts.max(initial=0) > limits.per_item:
        most = int(counts.argmax())
        faults.stop(f"image {said(truth.items[most])} has {counts[most]:,} rows, {limits.per_item:,} are allowed")
    order = canonical(items, codes, scores, corners)
    return Detections(items[order], codes[order], scores[order], corners[order])


def canonical(items: Ints, codes: Ints, scores: Floats, corners: Floats) -> Ints:
    """The order by class, falling score, image and corners, in which no order of rows is left."""
    order = np.argsort(-scores)
    order = order[np.argsort(codes[order], kind="stable")]
    levels = _runs((codes[order], scores[order]))
    if len(levels) and levels[-1] == len(order) - 1:
        return order
    order = order[np.argsort(levels * (int(items.max()) + 1) + items[order])]
    levels = _runs((codes[order], scores[order], items[order]))
    sizes = np.bincount(levels)
    equal = np.flatnonzero(sizes[levels] > 1)
    if len(equal):
        left = corners[order[equal]]
        order[equal] = order[equal][np.lexsort([*left.T[::-1], levels[equal]])]
    return order


def _runs(columns: Sequence[np.ndarray]) -> Ints:
    """The number of the run of equal rows that each row is in."""
    if not len(columns[0]):
        return np.empty(0, np.int64)
    fresh = np.logical_or.reduce([column[1:] != column[:-1] for column in columns])
    return np.asarray(np.concatenate([[0], np.cumsum(fresh)]))


def read_answers(path: Path, limits: Limits = LIMITS) -> dict[str, Any]:
    """Answers by the ids of items. Raises `PredictionError` naming the rows at fault, and for an id that is doubled."""
    with opened_table(path, limits) as table:
        meant = called(table.names, table.faults)
        if table.names:
            only(meant, (IMAGE, "answer"), (), table.faults, "id,answer")
        found: dict[str, Any] = {}
        for batch in table.read(()):
            cells = (batch.columns[meant[name]].to_pylist() for name in (IMAGE, "answer"))
            for row, key, answer in zip(batch.rows.tolist(), *cells, strict=True):
                if key in found:
                    table.faults.add(row, f"{said(key)} has an answer already")
                found[key] = answer
        table.faults.check()
        return found
