"""Tables of what classes or images have in common: natural or man-made, deformable, ImageNet-X's factors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final

import numpy as np

from holotype.benchmark.analysis.binning import SHARES, fifths, named
from holotype.benchmark.reading.columns import IMAGE, LABEL, called
from holotype.benchmark.reading.faults import Faults, said
from holotype.benchmark.reading.forms import opened_table
from holotype.benchmark.reading.limits import LIMITS
from holotype.benchmark.reading.numbers import number
from holotype.benchmark.values import Bools

CLASSES, IMAGES = "classes", "images"
MOST_NAMES: Final = 20
"""A property that is no number has at most so many values; what has more is text, and no property."""
MOST_COLUMNS: Final = 200
_FLAGS: Final = {"0": False, "1": True, "False": False, "True": True}


@dataclass(frozen=True, slots=True, eq=False)
class Properties:
    """What a table says of `unit` ("classes" or "images"), in the order of the truth: a cell for each, "" for
    unknown, by property. `left` are the columns that are text and no property."""

    unit: str
    columns: Mapping[str, Sequence[str]]
    left: tuple[str, ...]

    @property
    def flags(self) -> dict[str, Bools]:
        """Which units have each property that they have or have not, as ImageNet-X's factors of images."""
        return {name: _flags(cells) == 1 for name, cells in self.columns.items() if _is_flag(cells)}

    @property
    def flagged(self) -> Bools:
        """The units that anything is said of in such a property."""
        found = [_flags(cells) >= 0 for cells in self.columns.values() if _is_flag(cells)]
        return np.asarray(np.logical_or.reduce(found), np.bool_)

    def parts(self, name: str) -> dict[str, Bools]:
        """The parts that a property makes: by number in equal shares, else by name."""
        cells = self.columns[name]
        numbers = _numbers(cells)
        if numbers is None or len(set(cells) - {""}) <= SHARES:
            return named(cells)
        return fifths(np.array(numbers))


def read_properties(path: Path, items: Sequence[str], classes: Sequence[str]) -> Properties:
    """Properties of the classes or the images of a truth, from a table (CSV, JSON lines, Parquet) with a column of
    ``wnid`` or ``class``, or one of ``image`` or ``file_name`` (ImageNet-X).

    What it says of others is passed over. Raises `PredictionError` where it says nothing of these, or something twice.
    """
    with opened_table(path, LIMITS, "guesses") as table:
        meant = called(table.names, table.faults)
        key = next((one for one in (IMAGE, LABEL) if one in meant), None)
        if key is None:
            table.faults.stop("has no column wnid or class, nor image or file_name, of what it tells the properties")
        ids = items if key == IMAGE else classes
        names = [name for meaning, name in meant.items() if meaning not in (IMAGE, LABEL)]
        if len(names) > MOST_COLUMNS:
            table.faults.stop(f"has {len(names):,} properties, {MOST_COLUMNS} are allowed: keep those you mean")
        columns = {name: [""] * len(ids) for name in names}
        seen = _fill(columns, _rows(table, meant[key], names), {one: at for at, one in enumerate(ids)}, table.faults)
        table.faults.check()
        unit = IMAGES if key == IMAGE else CLASSES
        if not seen:
            table.faults.stop(f"says nothing of any of the {unit} of the truth")
    left = tuple(name for name, cells in columns.items() if _is_text(cells))
    return Properties(unit, {name: cells for name, cells in columns.items() if name not in left}, left)


def _rows(table: Any, key: str, names: Sequence[str]) -> Iterator[tuple[int, str, list[str]]]:
    for batch in table.read(()):
        cells = [_texts(batch.columns[name]) for name in (key, *names)]
        for row, (one, *rest) in zip(batch.rows.tolist(), zip(*cells, strict=True), strict=True):
            yield row, one, rest


def _texts(column: Any) -> list[str]:
    values = column.tolist() if isinstance(column, np.ndarray) else column.to_pylist()
    return [_text(value) for value in values]


def _text(value: Any) -> str:
    if isinstance(value, float):
        return "" if value != value else f"{value:g}" if value == int(value) else repr(value)
    return "" if value is None else str(value).strip()


def _fill(
    columns: Mapping[str, list[str]],
    rows: Iterator[tuple[int, str, list[str]]],
    place: Mapping[str, int],
    faults: Faults,
) -> set[int]:
    seen: set[int] = set()
    for row, one, cells in rows:
        at = place.get(one, place.get(_stem(one), -1))
        if at in seen:
            faults.add(row, f"{said(one)} is there twice")
        if at < 0:
            continue
        seen.add(at)
        for name, cell in zip(columns, cells, strict=True):
            columns[name][at] = cell
    return seen


def _stem(name: str) -> str:
    """What a file is called without folders and ending: images may be told by their files."""
    return PurePosixPath(name).stem


def _numbers(cells: Sequence[str]) -> list[float] | None:
    with suppress(ValueError):
        return [number(cell) if cell else float("nan") for cell in cells]
    return None


def _is_flag(cells: Sequence[str]) -> bool:
    return bool(found := set(cells) - {""}) and found <= _FLAGS.keys()


def _flags(cells: Sequence[str]) -> np.ndarray:
    return np.array([_FLAGS.get(cell, -1) for cell in cells], np.int8)


def _is_text(cells: Sequence[str]) -> bool:
    return len(set(cells) - {""}) > MOST_NAMES and _numbers(cells) is None
