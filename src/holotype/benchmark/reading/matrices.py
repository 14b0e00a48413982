"""Tables of arrays: guesses or scores with a row an image, places, detections with a row a box."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from types import MappingProxyType
from typing import Final

import numpy as np
import pyarrow as pa

from holotype.benchmark.reading.arrays import Array
from holotype.benchmark.reading.columns import BOX, CORNERS, IMAGE, LABEL, RANK, SCORE
from holotype.benchmark.reading.faults import Faults, said, some
from holotype.benchmark.reading.tables import BATCH, Batch, Column, Table
from holotype.benchmark.values import MISSING

_CALLED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "images": IMAGE,
        "image_id": IMAGE,
        "image_ids": IMAGE,
        "ids": IMAGE,
        "files": IMAGE,
        "labels": LABEL,
        "classes_guessed": "guesses",
        "predictions": "guesses",
        "logits": "scores",
        "probs": "scores",
        "probabilities": "scores",
        "boxes": BOX,
        "corners": BOX,
        "confidence": SCORE,
    }
)
_OF_COLUMNS, _OF_ROWS = "classes", "rows"
_FIVE: Final = 5
_VALUES: Final = 1 << 23


def arrays_table(arrays: Mapping[str, Array], faults: Faults, most: int) -> Table:
    """The table that arrays make, of at most so many rows.

    ``images`` are ids; without them rows are in the order of the truth, which ``rows`` may tell: sorted, imagefolder.
    A single array of two sides is guesses where it is of whole numbers or text, else scores.
    """
    found = {_CALLED.get(name.lower(), name.lower()): array for name, array in arrays.items()}
    if len(found) < len(arrays):
        faults.stop(f"has arrays that mean the same: {some(arrays)}")
    order = _word(found.pop(_OF_ROWS, None), faults)
    classes = _words(found.pop(_OF_COLUMNS, None), faults)
    found = _meant(found, faults)
    count = len(next(iter(found.values()))) if found else 0
    for name, array in found.items():
        if len(array) != count:
            faults.stop(f"the arrays {some(found)} are not equally long")
        if array.dtype.kind == "U" and array.ndim > 2:
            faults.stop(f"the array {said(name)} has more than two sides")
    rows = found["guesses"].size if BOX in found and "guesses" in found else count
    if max(rows, count) > most:
        faults.stop(f"has {max(rows, count):,} rows, {most:,} are allowed")
    return _table(found, count, faults, order, classes)


def _word(array: Array | None, faults: Faults) -> str:
    if array is None:
        return ""
    if array.dtype.kind != "U" or array.size != 1:
        faults.stop(f"{_OF_ROWS} is no word")
    return str(array.reshape(-1)[0])


def _words(array: Array | None, faults: Faults) -> tuple[str, ...]:
    if array is None:
        return ()
    if array.ndim != 1 or array.dtype.kind not in "Ui":
        faults.stop(f"{_OF_COLUMNS} is no list of names")
    return tuple(map(str, array.tolist()))


def _meant(found: Mapping[str, Array], faults: Faults) -> dict[str, Array]:
    """The arrays by what they are, each with a first side of rows."""
    told = dict(found)
    others = [name for name in told if name != IMAGE]
    if len(others) == 1 and others[0] not in ("guesses", "scores", LABEL):
        told["array"] = told.pop(others[0])
    if any(array.ndim == 0 for array in told.values()):
        faults.stop("has an array without sides")
    if (array := told.pop("array", None)) is not None:
        told["guesses" if array.dtype.kind != "f" else "scores"] = array
    if LABEL in told and SCORE not in told:  # classes of images, not of boxes
        told["guesses"] = told.pop(LABEL)
    wanted = {IMAGE: 1, SCORE: 1, LABEL: 1, RANK: 1, "scores": 2, **dict.fromkeys(CORNERS, 1)}
    if "guesses" in told:
        told["guesses"] = told["guesses"][:, None] if told["guesses"].ndim < 2 else told["guesses"]
        wanted |= {"guesses": 2, BOX: 3}
    else:
        wanted |= {BOX: 2}
    for name, array in told.items():
        if name not in wanted:
            faults.stop(f"has arrays of no meaning here: {said(name)}")
        if array.ndim != wanted[name] or (name == BOX and array.shape[-1] != len(CORNERS)):
            faults.stop(f"the array {said(name)} has the sides {array.shape}")
        if name not in (IMAGE, LABEL, "guesses") and array.dtype.kind == "U":
            faults.stop(f"the array {said(name)} is of text, not of numbers")
    return told


def _table(found: dict[str, Array], count: int, faults: Faults, order: str, classes: tuple[str, ...]) -> Table:
    positional = IMAGE not in found
    if positional:
        found = {IMAGE: np.arange(count), **found}
    names: tuple[str, ...]
    if "guesses" in found and BOX in found:
        names = (IMAGE, RANK, LABEL, *CORNERS)
    elif "guesses" in found:
        names = (IMAGE, *(f"guess{place}" for place in range(1, 1 + found["guesses"].shape[1])))
    else:
        names = tuple(found)
    width = found["scores"].shape[1] if "scores" in found else 1

    def read(_: Collection[str]) -> Iterator[Batch]:
        size = max(1, min(BATCH, _VALUES // max(1, width)))
        for start in range(0, count, size):
            yield _batch({name: array[start : start + size] for name, array in found.items()}, start, names)

    matrix = found.get("scores")
    return Table(names, faults, read, positional, order, classes, matrix)


def _batch(part: Mapping[str, Array], start: int, names: tuple[str, ...]) -> Batch:
    rows = np.arange(start + 1, start + 1 + len(part[IMAGE]))
    if "guesses" not in part:
        return Batch({name: _column(array) for name, array in part.items()}, rows)
    guesses = part["guesses"]
    if RANK not in names:
        columns = {f"guess{place}": _column(one) for place, one in enumerate(guesses.T[:_FIVE], 1)}
        return Batch({IMAGE: _column(part[IMAGE]), **columns}, rows)
    count = guesses.shape[1]
    corners = part[BOX].reshape(-1, len(CORNERS)).astype(np.float64)
    none = guesses.reshape(-1) == ("" if guesses.dtype.kind == "U" else MISSING)
    corners[none] = (0, 0, 1, 1)  # whatever stands there
    long = {
        IMAGE: _column(np.repeat(part[IMAGE], count)),
        RANK: np.tile(np.arange(1.0, count + 1), len(rows)),
        LABEL: _column(guesses.reshape(-1)),
        **{name: corners[:, at] for at, name in enumerate(CORNERS)},
    }
    return Batch(long, np.repeat(rows, count))


def _column(array: Array) -> Column:
    if array.dtype.kind == "U":
        return pa.array(array.tolist(), pa.string())
    return np.ascontiguousarray(array).astype(array.dtype.newbyteorder("="), copy=False)
