"""Submissions of classes: five guesses an image, or the scores of all classes that they follow from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from holotype.benchmark.highest import GUESSES
from holotype.benchmark.reading.columns import IMAGE, LABEL, STRING, called, guess_columns
from holotype.benchmark.reading.faults import Faults, some
from holotype.benchmark.reading.forms import opened_table
from holotype.benchmark.reading.images import Images
from holotype.benchmark.reading.limits import LIMITS, Limits
from holotype.benchmark.reading.names import (
    Classes,
    has_numbers,
    number_in,
    told_order,
)
from holotype.benchmark.reading.placing import EMPTY, Placing, nothing, row_places, single_labels
from holotype.benchmark.reading.scored import other_order, scored_guesses
from holotype.benchmark.reading.strings import of_guesses
from holotype.benchmark.reading.tables import Batch, Table
from holotype.benchmark.values import MISSING, Bools, Guesses, Ints, Labels
from holotype.errors import PredictionError

EXAMPLE: Final = "image,guess1,guess2,guess3,guess4,guess5"
_LISTS: Final = "guesses"
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
            found = scored_guesses(table, meant, placing, images, classes, order)
            if table.positional and EMPTY not in found.remarks:
                remarks = _other_rows(found.guesses, single_labels(truth), len(classes.names), rows or table.order)
                found = replace(found, remarks=(of_rows(rows or table.order), *remarks))
            other = other_order(found, table, meant, classes, single_labels(truth), order)
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
        taken = of_rows(rows or table.order) if table.positional else ""
        guesses, remarks = settled(codes, placing, classes, labels, order, otherwise, taken)
        if table.positional:
            remarks.append(taken)
            remarks += _other_rows(guesses, labels, len(classes.names), rows or table.order)
        return Guesses(guesses, repeated=_repeated(guesses), remarks=tuple(remarks))


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
    return _of_lists(batch, *of_guesses(batch, string, classes, table.positional, table.faults), classes, table.faults)


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
    codes: Ints, placing: Placing, classes: Classes, truth: Ints, order: str, otherwise: str, taken: str = ""
) -> tuple[Ints, list[str]]:
    """The classes of codes ``(items, guesses)``, whose numbers an order settles (see `told_order`), and remarks. Where
    rows had no ids, how they were `taken` is told with an order that is not: either may be what is wrong."""
    if not has_numbers(codes):
        return codes, []
    try:
        name, remark = told_order(codes, classes, truth, order, otherwise)
        found, bad = classes.settle(codes, classes.table(name))
    except PredictionError as error:
        placing.faults.stop(f"{error}{f'; {taken}, unless the order of rows is told' if taken else ''}")
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


def of_rows(rows: str) -> str:
    """In which order rows without ids were taken."""
    by = "classes and ids" if rows == "imagefolder" else "ids"
    return f"rows have no ids, and were taken in the order of the images' {by}"


def _other_rows(guesses: Ints, labels: Ints, classes: int, rows: str) -> list[str]:
    """A remark on rows without ids that look as if they were in another order."""
    if (labels == MISSING).any() or not len(labels):
        return []
    folders = np.lexsort([np.arange(len(labels)), labels])
    first = guesses[folders, 0] if rows == "imagefolder" else guesses[:, 0]  # as the rows were
    right = {"sorted": int((first == labels).sum()), "imagefolder": int((first == labels[folders]).sum())}
    mine = rows or "sorted"
    other = next(name for name in right if name != mine)
    if right[other] > _LEAD * right[mine] and right[other] * classes > _LEAD * len(labels) + 20:
        return [f"they look as if they were in the order {other}, and not {mine}: tell the order of rows, {other}"]
    return []
