"""Submissions of classes: five guesses an image, or the scores of all classes that they follow from."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from holotype.benchmark.highest import GUESSES, highest
from holotype.benchmark.orders import ORDERS
from holotype.benchmark.reading.columns import IMAGE, LABEL, STRING, called, guess_columns
from holotype.benchmark.reading.faults import Faults, said, some
from holotype.benchmark.reading.forms import opened_table
from holotype.benchmark.reading.limits import LIMITS, Limits
from holotype.benchmark.reading.names import (
    Classes,
    Images,
    detected,
    has_numbers,
    number_in,
    numbered,
    told_order,
)
from holotype.benchmark.reading.placing import Placing, row_places, single_labels
from holotype.benchmark.reading.strings import of_guesses
from holotype.benchmark.reading.tables import Batch, Table, numbers_of
from holotype.benchmark.values import MISSING, Bools, Floats, Guesses, Ints, Labels
from holotype.errors import PredictionError

EMPTY: Final = "the submission is empty: every image is missed"
EXAMPLE: Final = "image,guess1,guess2,guess3,guess4,guess5"
_SCORES, _LISTS = "scores", "guesses"
_LARGEST: Final = float(np.finfo(np.float32).max)
_LEAD: Final = 2
"""How many times as often guesses have to be right in another order of rows to be told so."""


def read_guesses(path: Path, truth: Labels, order: str = "", limits: Limits = LIMITS, rows: str = "") -> Guesses:
    """The five guesses for each image of `truth`, or the scores that they follow from.

    Numbers of classes are in `order`, one of `orders.ORDERS`; "" takes the truth's own, else detects it. Where images
    have no ids, `rows` are in one of the orders in `placing.ROWS`; "" takes the one that the file tells, else sorted.
    A truth without labels serves, too: nothing is detected then.

    Raises `PredictionError` naming the rows at fault, and for an image that has no row, or two. A file without rows is
    read: every image is missed.
    """
    classes = Classes.of(truth.classes, truth.numbers)
    with opened_table(path, limits, "guesses") as table:
        if not table.names:
            return nothing(len(truth.items))
        meant = called(table.names, table.faults)
        if IMAGE not in meant:
            table.faults.stop(f"has no column {IMAGE}, but {some(table.names)}; its header must be like {EXAMPLE}")
        places = row_places(truth, rows or table.order, table.faults) if table.positional else None
        images, placing = Images.of(truth.items, places), Placing(truth.items, table.faults)
        if (codes_of := _guessing(table, meant, classes)) is None:
            found = _scored(table, meant, placing, images, classes, order)
            other = _other_order(found, table, meant, classes, single_labels(truth), order)
            if not other:
                return found
            if order:
                return replace(found, remarks=(*found.remarks, f"these scores look as if they were in {other} order"))
            again = read_guesses(path, truth, other, limits, rows)
            remark = f"scores were taken to be in {other} order, which they show"
            return replace(again, remarks=(*again.remarks, remark))
        codes = _guessed(table, meant[IMAGE], codes_of, placing, images)
        if not placing.check(table.positional):
            return nothing(len(codes))
        otherwise = "devkit" if table.positional and STRING in meant else ""
        labels = single_labels(truth)
        guesses, remarks = settled(codes, placing, classes, labels, order, otherwise)
        if table.positional:
            remarks += _of_rows(guesses, labels, truth, rows or table.order)
        return Guesses(guesses, repeated=_repeated(guesses), remarks=tuple(remarks))


def nothing(items: int) -> Guesses:
    """The guesses of a submission that makes none."""
    return Guesses(np.full((items, GUESSES), MISSING, np.int64), remarks=(EMPTY,))


CodesOf = Callable[[Batch], tuple[Ints, Bools]]
"""The codes ``(rows, 5)`` of a batch, and which rows have something wrong."""


def _guessing(table: Table, meant: dict[str, str], classes: Classes) -> CodesOf | None:
    """How the guesses of a batch are read; None where it has scores."""
    others = [name for name in table.names if name != meant[IMAGE]]
    if set(meant) == {IMAGE, STRING}:
        return lambda batch: _of_strings(batch, meant[STRING], classes, table)
    if others == [_LISTS]:
        return lambda batch: _of_lists(batch, *_listed(batch.columns[_LISTS], table.faults), classes, table.faults)
    guessed = [meant[LABEL]] if set(meant) == {IMAGE, LABEL} else guess_columns(others)
    if not guessed or len(guessed) < len(others):
        return None
    return lambda batch: _of_columns(batch, guessed, classes, table.faults)


def _of_strings(batch: Batch, string: str, classes: Classes, table: Table) -> tuple[Ints, Bools]:
    return _of_lists(batch, *of_guesses(batch, string, classes, table.positional), classes, table.faults)


def _listed(column: Any, faults: Faults) -> tuple[Ints, pa.Array]:
    """How many cells each list of a column has, and the cells of all one after the other."""
    if not isinstance(column, pa.Array) or not hasattr(column, "flatten"):
        faults.stop(f"its column {_LISTS!r} holds no lists")
    return pc.fill_null(pc.list_value_length(column), 0).to_numpy(zero_copy_only=False), column.flatten()


def _of_lists(batch: Batch, lengths: Ints, cells: pa.Array, classes: Classes, faults: Faults) -> tuple[Ints, Bools]:
    """The codes of the first five of each list."""
    starts = np.cumsum(lengths) - lengths
    columns = {}
    for slot in range(GUESSES):
        at = pa.array(starts + slot, mask=lengths <= slot)
        columns[str(slot)] = cells.take(at)
    return _of_columns(Batch(columns, batch.rows), list(columns), classes, faults)


def _of_columns(batch: Batch, columns: Sequence[str], classes: Classes, faults: Faults) -> tuple[Ints, Bools]:
    read = [classes.codes(batch, name, faults, optional=True) for name in columns[:GUESSES]]
    found = np.full((len(batch.rows), GUESSES), MISSING, np.int64)
    found[:, : len(read)] = np.stack([codes for codes, _ in read], axis=1)
    bad = np.logical_or.reduce([wrong for _, wrong in read])
    gaps = gaps_in(found) & ~bad
    faults.mark(batch.rows, gaps, lambda _: "an empty guess before a given one")
    return found, bad | gaps


def gaps_in(codes: Ints) -> Bools:
    """Which rows have a guess behind one that was not made."""
    return np.asarray(((codes[:, :-1] == MISSING) & (codes[:, 1:] != MISSING)).any(axis=1))


def _guessed(table: Table, image: str, codes_of: CodesOf, placing: Placing, images: Images) -> Ints:
    """The codes of each item's guesses ``(items, 5)``."""
    codes = np.full((len(placing.items), GUESSES), MISSING, np.int64)
    for batch in table.read(()):
        items, unknown = images.find(batch, image, table.faults)
        found, _ = codes_of(batch)
        kept = np.flatnonzero(~unknown)
        kept = kept[placing.place(items[kept], batch.rows[kept])]
        codes[items[kept]] = found[kept]
    return codes


def settled(
    codes: Ints, placing: Placing, classes: Classes, truth: Ints, order: str, otherwise: str
) -> tuple[Ints, list[str]]:
    """The classes of codes ``(items, guesses)``, whose numbers an order settles (see `told_order`), and remarks."""
    if not has_numbers(codes):
        return codes, []
    try:
        name, remark = told_order(codes, classes, truth, order, otherwise)
        found, bad = classes.settle(codes, classes.table(name))
    except PredictionError as error:
        placing.faults.stop(str(error))
    what = (f"no class in order {name}" if name else "no class of this truth") + (f" ({remark})" if remark else "")
    for item in np.flatnonzero(bad.any(axis=1)).tolist():
        number = number_in(int(codes[item][bad[item]][0]))
        placing.faults.add(int(placing.row_of[item]), f"{number} is {what}")
    placing.faults.check()
    return found, [remark] if remark else []


def _repeated(guesses: Ints) -> int:
    """How many guesses say a class of their row again."""
    ordered = np.sort(guesses, axis=1)
    return int(((ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] != MISSING)).sum())


def _of_rows(guesses: Ints, labels: Ints, truth: Labels, rows: str) -> list[str]:
    """What is to be said of rows without ids: in which order they were taken, and whether they look like another."""
    told = "rows have no ids, and were taken in the order of the images' " + (
        "classes and ids" if rows == "imagefolder" else "ids"
    )
    if (labels == MISSING).any() or not len(labels):
        return [told]
    folders = np.lexsort([np.arange(len(labels)), labels])
    first = guesses[folders, 0] if rows == "imagefolder" else guesses[:, 0]  # as the rows were
    right = {"sorted": int((first == labels).sum()), "imagefolder": int((first == labels[folders]).sum())}
    mine = rows or "sorted"
    other = next(name for name in right if name != mine)
    if right[other] > _LEAD * right[mine] and right[other] * len(truth.classes) > _LEAD * len(labels) + 20:
        return [told, f"they look as if they were in the order {other}, and not {mine}"]
    return [told]


def _scored(
    table: Table, meant: dict[str, str], placing: Placing, images: Images, classes: Classes, order: str
) -> Guesses:
    """The guesses that follow from scores of all classes."""
    columns = [name for name in table.names if name != meant[IMAGE]]
    read = _rows_of_scores(table, columns)
    count = len(classes.names)
    scores = np.zeros((len(placing.items), count), np.float32)
    guesses = np.full((len(placing.items), GUESSES), MISSING, np.int64)
    tied, places = 0, None
    for batch in table.read(columns):
        given, bad = read(batch)
        if places is None:
            names = table.classes or (columns if columns != [_SCORES] else _places(given.shape[1], classes))
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
        with np.errstate(over="ignore"):
            scores[items[kept]] = part
        tied += int(ties.sum())
    if not placing.check(table.positional):
        return nothing(len(guesses))
    remarks = ["rows have no ids, and were taken in the order of the images' ids"] if table.positional else []
    return Guesses(guesses, scores, tied=tied, remarks=tuple(remarks))


def _beyond(scores: Floats) -> Bools:
    """Which rows have a score that the floats of 32 bits in which they are kept have not."""
    if scores.dtype.itemsize <= 4 or not scores.size:
        return np.zeros(len(scores), np.bool_)
    return np.asarray((np.abs(scores) > _LARGEST).any(axis=1))


def _other_order(found: Guesses, table: Table, meant: dict[str, str], classes: Classes, truth: Ints, order: str) -> str:
    """Another order of classes in which the columns of scores look as if they were; "" for none."""
    columns = table.classes or [name for name in table.names if name not in (meant[IMAGE], _SCORES)]
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
    if list(columns) == [_SCORES]:
        return lambda batch: _of_matrix(batch, table.faults)
    return lambda batch: _of_wide(batch, columns, table.faults)


def _of_matrix(batch: Batch, faults: Faults) -> tuple[Floats, Bools]:
    given = batch.columns[_SCORES]
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
            hint = f"unknown: {said(name)}" if known else f"its header must be like {EXAMPLE}"
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
