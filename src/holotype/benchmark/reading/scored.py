"""Submissions of scores of all classes, and the guesses that follow from them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Final

import numpy as np

from holotype.benchmark.highest import GUESSES, highest
from holotype.benchmark.orders import ORDERS
from holotype.benchmark.reading.columns import IMAGE
from holotype.benchmark.reading.faults import Faults, said, some
from holotype.benchmark.reading.images import Images
from holotype.benchmark.reading.names import Classes, detected, has_numbers, numbered
from holotype.benchmark.reading.placing import Placing, nothing
from holotype.benchmark.reading.tables import Batch, Table, numbers_of
from holotype.benchmark.values import MISSING, Bools, Floats, Guesses, Ints

SCORES: Final = "scores"
_EXAMPLE: Final = "image,guess1,guess2,guess3,guess4,guess5"
_LARGEST: Final = float(np.finfo(np.float32).max)


def scored_guesses(
    table: Table, meant: dict[str, str], placing: Placing, images: Images, classes: Classes, order: str
) -> Guesses:
    """The guesses that follow from scores of all classes."""
    columns = [name for name in table.names if name != meant[IMAGE]]
    read = _rows_of_scores(table, columns)
    count = len(classes.names)
    scores = np.zeros((len(placing.items), count), np.float32)
    guesses = np.full((len(placing.items), GUESSES), MISSING, np.int64)
    tied, places, whole = 0, None, _in_place(table, images)
    for batch in table.read(columns):
        given, bad = read(batch)
        if places is None:
            names = table.classes or (columns if columns != [SCORES] else _places(given.shape[1], classes))
            places = _class_columns(names, classes, order, table.faults)
            straight = np.array_equal(places, np.arange(count)) and given.shape[1] == count
        elif given.shape[1] != len(names):
            table.faults.stop(f"{given.shape[1]:,} scores where there were {len(names):,} before")
        items, unknown = images.find(batch, meant[IMAGE], table.faults)
        given = given if straight else given[:, np.argsort(places, kind="stable")[(places == MISSING).sum() :]]
        kept = np.flatnonzero(~(unknown | bad))
        kept = kept[placing.place(items[kept], batch.rows[kept])]
        part = given if len(kept) == len(given) else given[kept]
        table.faults.mark(batch.rows[kept], _beyond(part), lambda _: f"a score is beyond {_LARGEST:.2g}")
        guesses[items[kept]], ties = highest(part)
        if not (straight and whole):
            with np.errstate(over="ignore"):
                scores[items[kept]] = part
        tied += int(ties.sum())
    if not placing.check(table.positional):
        return nothing(len(guesses))
    return Guesses(guesses, table.matrix if straight and whole else scores, tied=tied)


def _in_place(table: Table, images: Images) -> bool:
    """Whether the scores of a file can stay where they are, mapped: of the kind and in the order that is asked for."""
    given = table.matrix
    ordered = images.places is not None and np.array_equal(images.places, np.arange(len(images.ids)))
    return given is not None and given.dtype == np.float32 and ordered and len(given) == len(images.ids)


def other_order(found: Guesses, table: Table, meant: dict[str, str], classes: Classes, truth: Ints, order: str) -> str:
    """Another order of classes in which the columns of scores look as if they were; "" for none."""
    columns = table.classes or [name for name in table.names if name not in (meant[IMAGE], SCORES)]
    if classes.numbers or not classes.are_ilsvrc2012s or any(not name.isdecimal() for name in columns):
        return ""
    table_of = classes.table(order or "sorted")
    number = np.full(len(classes.names) + 1, MISSING)
    number[table_of[table_of != MISSING]] = np.flatnonzero(table_of != MISSING)
    told = detected(numbered(number[found.guesses]), classes, truth, order or "sorted")
    return told if told in ORDERS and told != (order or "sorted") else ""


def _places(width: int, classes: Classes) -> list[str]:
    """The numbers by which columns without names are called."""
    first = 1 if classes.numbers and min(classes.numbers) == 1 else 0
    return [str(number) for number in range(first, first + width)]


def _rows_of_scores(table: Table, columns: Sequence[str]) -> Callable[[Batch], tuple[Floats, Bools]]:
    if list(columns) == [SCORES]:
        return lambda batch: _of_matrix(batch, table.faults)
    return lambda batch: _of_wide(batch, columns, table.faults)


def _of_matrix(batch: Batch, faults: Faults) -> tuple[Floats, Bools]:
    given = batch.columns[SCORES]
    bad = np.zeros(len(given), np.bool_)
    if not np.isfinite(given).all():
        bad = ~np.isfinite(given).all(axis=1)
        faults.mark(batch.rows, bad, lambda _: "a score is not a finite number")
    return given, bad


def _of_wide(batch: Batch, columns: Collection[str], faults: Faults) -> tuple[Floats, Bools]:
    given, bad = np.empty((len(batch.rows), len(columns))), np.zeros(len(batch.rows), np.bool_)
    for place, name in enumerate(columns):
        given[:, place], wrong = numbers_of(batch, name, faults, f"score of {name}")
        bad |= wrong
    return given, bad


def _class_columns(columns: Sequence[str], classes: Classes, order: str, faults: Faults) -> Ints:
    """The class that each column of scores is for, `MISSING` for one of none.

    Raises `PredictionError` unless all classes have a column, and none has two.
    """
    count = len(classes.names)
    codes = []
    for name in columns:
        try:
            codes.append(classes.code(name))
        except ValueError:
            known = some(name for name in columns if name in classes.names)
            hint = f"unknown: {said(name)}" if known else f"its header must be like {_EXAMPLE}"
            faults.stop(f"score columns must be the {count:,} classes, each once; {hint}")
    found = np.array(codes, np.int64)
    if has_numbers(found):
        found, bad = classes.settle(found, classes.table(order or ("" if classes.numbers else "sorted")))
        if order != "background" and bad.any():
            at = int(np.flatnonzero(bad)[0])
            faults.stop(f"{len(columns):,} columns of scores for {count:,} classes: {said(columns[at])} is none")
    missing = np.setdiff1d(np.arange(count), found)
    if len(missing) or (found != MISSING).sum() != count:
        names = some(classes.names[at] for at in missing[:6].tolist()) or "none; some have two"
        faults.stop(f"score columns must be the {count:,} classes, each once; missing: {names}")
    return found


def _beyond(scores: Floats) -> Bools:
    """Which rows have a score that the floats of 32 bits in which they are kept have not."""
    if scores.dtype.itemsize <= 4 or not scores.size:
        return np.zeros(len(scores), np.bool_)
    return np.asarray((np.abs(scores) > _LARGEST).any(axis=1))
