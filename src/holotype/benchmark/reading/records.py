"""Rows of JSON as a table: objects of a line or of an array each, or one object of all items."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from itertools import chain, islice
from typing import Any, Final

import numpy as np
import pyarrow as pa

from holotype.benchmark.reading.columns import BOXES, CORNERS, IMAGE, NESTED, called
from holotype.benchmark.reading.faults import Faults, said, some
from holotype.benchmark.reading.json_text import JsonText, elements, lines, pairs
from holotype.benchmark.reading.tables import BATCH, Batch, Column, Table
from holotype.benchmark.values import Floats, Ints

Row = dict[str, Any]
_PARTS: Final[Mapping[str, Sequence[str]]] = {
    "places": ("label", *CORNERS),
    "detections": ("label", "score", *CORNERS),
}
"""What the lists in a list say, in this order."""


def json_table(text: JsonText, nested: str, faults: Faults, most: int) -> Table:
    """The table of JSON in any of its forms, at most so many rows; `nested` is what an object says of each item."""
    rows = _rows(text, nested, faults)
    first = next(rows, None)
    if first is None:
        return Table((), faults, lambda _: iter(()))
    flat: Iterator[tuple[int, Any]] = chain([first], rows)
    if not (isinstance(first[1], dict) and _is_flat(first[1])):
        flat = chain.from_iterable(_flat(number, row, faults) for number, row in flat)
    head = next(flat, None)
    if head is None:
        faults.check()
        return Table((), faults, lambda _: iter(()))
    names = tuple(head[1])
    return Table(names, faults, partial(_batches, chain([head], flat), names, faults, most))


def _rows(text: JsonText, nested: str, faults: Faults) -> Iterator[tuple[int, Any]]:
    """The rows with their numbers: lines, or places in an array or object."""
    start = text.peek()
    if start == "[":
        faults.unit = "row"
        yield from enumerate(elements(text), 1)
    elif start == "{":
        found, more = text.first()
        if found is None or not (more or IMAGE in called(list(found), faults)):
            faults.unit = "row"
            for number, (key, value) in enumerate(pairs(text), 1):
                yield number, {IMAGE: key, **_said_of(value, nested)}
        else:
            yield from lines(text)
    elif start:
        text.stop(f"JSON of objects was expected, not {said(start)}")


def _said_of(value: Any, nested: str) -> Row:
    if nested == "guesses" and isinstance(value, dict):
        return {"scores": value}
    if nested == "guesses" and not isinstance(value, list):
        return {"guesses": [value]}
    return {nested: value}


def _is_flat(row: Row) -> bool:
    return not isinstance(row.get("scores"), dict) and not any(name in row for name in NESTED)


def _flat(number: int, row: Any, faults: Faults) -> Iterator[tuple[int, Row]]:
    """The rows that a row with lists of guesses, places or detections stands for."""
    if not isinstance(row, dict):
        faults.add(number, f"an object was expected, not {said(row)}")
        return
    key = next((name for name in NESTED if name in row), "")
    if isinstance(row.get("scores"), dict):
        yield number, {name: value for name, value in row.items() if name != "scores"} | row["scores"]
        return
    if not key:
        yield number, row
        return
    rest = {name: value for name, value in row.items() if name != key}
    said_of = row[key]
    if not isinstance(said_of, list):
        faults.add(number, f"{key} is no list, but {said(said_of)}")
    elif key == "guesses":
        yield number, rest | {f"guess{place}": said_of[place - 1] if place <= len(said_of) else None for place in _FIVE}
    else:
        for place, one in enumerate(said_of or [None] * (key == "places"), 1):
            if (part := _part(key, one)) is None:
                faults.add(number, f"{key} are lists of {', '.join(_PARTS[key])}, not {said(one)}")
            else:
                yield number, rest | ({"rank": place} if key == "places" else {}) | part


_FIVE: Final = range(1, 6)


def _part(key: str, one: Any) -> Row | None:
    names = _PARTS[key]
    if one is None:  # a row all the same, with no guess
        return {"label": None, "x1": 0, "y1": 0, "x2": 1, "y2": 1}
    if isinstance(one, list) and len(one) == len(names):
        return dict(zip(names, one, strict=True))
    if isinstance(one, dict) and isinstance(one.get("box"), list) and len(one["box"]) == len(CORNERS):
        found = {name: value for name, value in one.items() if name != "box"}
        return found | dict(zip(CORNERS, one["box"], strict=True)) if found.keys() < set(names) else None
    return None


def _batches(
    rows: Iterator[tuple[int, Any]], names: Sequence[str], faults: Faults, most: int, numeric: Collection[str]
) -> Iterator[Batch]:
    keys, total = set(names), 0
    while found := list(islice(rows, BATCH)):
        total += len(found)
        if total > most:
            faults.stop(f"has more than the {most:,} rows allowed")
        kept = [(number, row) for number, row in found if type(row) is dict and row.keys() == keys]
        for number, row in found if len(kept) < len(found) else ():
            if type(row) is not dict:
                faults.add(number, f"an object was expected, not {said(row)}")
            elif row.keys() != keys:
                faults.add(number, f"has {some(row.keys())} where the first has {some(keys)}")
        numbers = np.array([number for number, _ in kept], np.int64)
        columns = {
            name: _column(name, [row[name] for _, row in kept], name in numeric, numbers, faults) for name in names
        }
        yield Batch(columns, numbers)


def _column(name: str, values: list[Any], numeric: bool, rows: Ints, faults: Faults) -> Column:
    """The values of a key as a column: of numbers, of text, or of so many numbers a row."""
    if name in BOXES or name == "scores":
        return _matrix(name, values, rows, faults)
    kinds = set(map(type, values))
    if kinds <= {int, float} and (numeric or kinds == {int}):
        with suppress(OverflowError):
            return np.array(values, np.float64 if numeric else np.int64)
    with suppress(pa.ArrowException, TypeError, UnicodeError):
        return pa.array(values, pa.string())
    return pa.array([None if value is None else _text(value) for value in values], pa.string())


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()  # a lone surrogate is no text
    return repr(value)


def _matrix(name: str, values: list[Any], rows: Ints, faults: Faults) -> Floats:
    """So many numbers a row; NaN where a row has others, which are faults."""
    wanted = len(CORNERS) if name in BOXES else len(values[0]) if values and isinstance(values[0], list) else 0
    bad = [at for at, value in enumerate(values) if type(value) is not list or len(value) != wanted]
    if not bad:
        flat = list(chain.from_iterable(values))
        if set(map(type, flat)) <= {int, float}:
            with suppress(OverflowError):
                return np.array(flat, np.float64).reshape(len(values), wanted)
        bad = [at for at, value in enumerate(values) if not set(map(type, value)) <= {int, float}]
    for at in bad or range(len(values)):
        faults.add(int(rows[at]), f"{name} is not a list of {wanted:,} numbers, but {said(values[at])}")
    return np.full((len(values), wanted), np.nan)
