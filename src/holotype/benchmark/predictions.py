"""Predictions as CSV, joined to the images they are for by id."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from holotype.benchmark.highest import GUESSES
from holotype.benchmark.values import MISSING
from holotype.errors import PredictionError
from holotype.files import printable
from holotype.textlists import read_rows

_SHOWN = 5
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)
EXAMPLE: Final = "image,guess1,guess2,guess3,guess4,guess5"


def read_predictions(path: Path, images: Sequence[str], wnids: Sequence[str]) -> npt.NDArray[np.int64]:
    """The guesses in a CSV file, ``(images, 5)`` class numbers in the order of `images`, `MISSING` where none.

    The header is ``image`` and then either guess columns (``image,guess1,...``; wnids, best first, cells at the
    end may be empty) or one column per class (``image,n01440764,...``; scores, of which the five highest are the
    guesses; equal scores go to the class first in `wnids`). The order of rows means nothing.

    Raises `PredictionError` naming the first rows at fault: missing, doubled or unknown ids, unknown classes,
    a class guessed twice, cells that are no finite number, rows of another length.
    """
    return _read(read_rows(path, PredictionError), printable(path), images, wnids)


def _read(
    rows: Iterator[tuple[int, list[str]]], where: str, images: Sequence[str], wnids: Sequence[str]
) -> npt.NDArray[np.int64]:
    _, header = next(rows, (1, []))
    if len(header) < 2 or header[0].strip() != "image":
        raise PredictionError(f"{where}, line 1: the header must be like {EXAMPLE}, not {','.join(header)[:80]!r}")
    columns = [name.strip() for name in header[1:]]
    classes = {wnid: number for number, wnid in enumerate(wnids)}
    scored = any(name in classes for name in columns)
    if scored and sorted(columns) != sorted(wnids):
        raise PredictionError(
            f"{where}, line 1: score columns must be the {len(wnids)} classes, each once; "
            f"missing: {_some(set(wnids) - set(columns))}; unknown or doubled: "
            f"{_some({c for c in columns if c not in classes or columns.count(c) > 1})}"
        )
    numbers = {image: number for number, image in enumerate(images)}
    guesses = np.full((len(images), GUESSES), MISSING, np.int64)
    row_of: dict[str, int] = {}
    faults: list[str] = []
    for number, row in rows:
        try:
            image, found = _row(row, len(header), numbers, row_of)
            row_of[image] = number
            guesses[numbers[image]] = _highest(found, columns, classes) if scored else _guesses(found, classes)
        except ValueError as error:
            faults.append(f"line {number}: {error}")
    missing = [image for image in images if image not in row_of]
    if missing and not faults:
        faults.append(f"{len(missing)} of {len(images)} images have no row: {_some(missing)}")
    if faults:
        more = f" (and {len(faults) - _SHOWN} more)" if len(faults) > _SHOWN else ""
        raise PredictionError(f"{where}: {'; '.join(faults[:_SHOWN])}{more}")
    return guesses


def _row(
    row: Sequence[str], width: int, numbers: Mapping[str, int], row_of: Mapping[str, int]
) -> tuple[str, list[str]]:
    if len(row) != width:
        raise ValueError(f"{len(row)} cells where the header has {width}")
    image = row[0].strip()
    if image not in numbers:
        raise ValueError(f"unknown image {image[:40]!r}")
    if image in row_of:
        raise ValueError(f"image {image!r} stands in line {row_of[image]} already")
    return image, [cell.strip() for cell in row[1:]]


def _guesses(cells: Sequence[str], classes: Mapping[str, int]) -> list[int]:
    given = list(cells)
    while given and not given[-1]:
        given.pop()
    for cell in given:
        if cell not in classes:
            raise ValueError(f"unknown class {cell[:40]!r}" if cell else "an empty guess before a given one")
    if len(set(given)) < len(given):
        raise ValueError(f"a class is guessed twice: {_some({c for c in given if given.count(c) > 1})}")
    found = [classes[cell] for cell in given[:GUESSES]]
    return found + [MISSING] * (GUESSES - len(found))


def _highest(cells: Sequence[str], columns: Sequence[str], classes: Mapping[str, int]) -> list[int]:
    scores = np.empty(len(classes))
    for cell, column in zip(cells, columns, strict=True):
        value = float(cell) if _NUMBER.fullmatch(cell) else math.nan
        if not math.isfinite(value):
            raise ValueError(f"the score of {column} is not a finite number: {cell[:40]!r}")
        scores[classes[column]] = value
    found: list[int] = np.argsort(-scores, kind="stable")[:GUESSES].tolist()
    return found + [MISSING] * (GUESSES - len(found))


def _some(names: Sequence[str] | set[str]) -> str:
    shown = sorted(names)[:_SHOWN]
    return ", ".join(shown) + (", ..." if len(names) > _SHOWN else "") if shown else "none"
