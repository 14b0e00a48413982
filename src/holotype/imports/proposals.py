"""Files of boxes that a detector proposes: CSV or Parquet with a row a box, or COCO's results in JSON."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from holotype.errors import ArchiveError, CrowdError
from holotype.files import printable
from holotype.imports.tables import read_json
from holotype.textlists import doubled, read_rows

COLUMNS: Final = {
    "image": ("image", "sha256", "image_id", "file", "file_name", "filename", "id"),
    "wnid": ("wnid", "synset", "label", "class", "category"),
    "x_min": ("x_min", "xmin", "x1"),
    "y_min": ("y_min", "ymin", "y1"),
    "x_max": ("x_max", "xmax", "x2"),
    "y_max": ("y_max", "ymax", "y2"),
    "score": ("score", "confidence", "probability"),
}
"""What the columns may be called, the best first; that of scores may lack, others are passed over."""
_CORNERS: Final = ("x_min", "y_min", "x_max", "y_max")
_LARGEST: Final = 1e7
_MOST_JSON: Final = 2 << 30
_SHOWN: Final = 40


@dataclass(frozen=True, slots=True)
class GivenBox:
    """A box that somebody gives: an image by any of its names, a synset by wnid or lemma, the first and last column and
    row in pixels of the upright picture from 0, with fractions maybe, and how sure they are. `row` is where it
    stands."""

    image: str
    synset: str
    corners: tuple[float, float, float, float]
    score: float | None = None
    row: int = 0


@dataclass(frozen=True, slots=True)
class BrokenRow:
    """A row that is no box, a word for why, and what is wrong."""

    row: int
    reason: str
    detail: str


def read_proposals(path: Path, names: Path | None = None) -> tuple[list[GivenBox], list[BrokenRow]]:
    """The boxes in a file, in its order, and the rows that are none.

    Corners in tables are inclusive pixels; COCO's ``bbox`` lies between pixels, and becomes the pixels it touches.
    `names` is a file of COCO's instances, which says what the numbers of images and categories in results are; without
    it they are names. Raises `CrowdError` for a file that is none of these, or is without the columns.
    """
    broken: list[BrokenRow] = []
    if path.suffix.lower() == ".json":
        return list(_of_results(path, names, broken)), broken
    if names is not None:
        raise CrowdError(f"{printable(path)} names its images and synsets: only COCO's results have numbers")
    rows = _of_parquet(path) if path.suffix.lower() == ".parquet" else _of_text(path, broken)
    found = [box for number, cells in rows if (box := _box(number, cells, broken)) is not None]
    return found, sorted(broken, key=lambda one: one.row)


def _box(number: int, cells: Mapping[str, Any], broken: list[BrokenRow]) -> GivenBox | None:
    image, synset = (_text(cells[name]) for name in ("image", "wnid"))
    if not image or not synset:
        broken.append(BrokenRow(number, "empty", f"it names no {'image' if not image else 'synset'}"))
        return None
    if not _can_be_written(image + synset):
        broken.append(BrokenRow(number, "no_name", "its image or synset has half a character, which no name has"))
        return None
    numbers = [_number(cells[name]) for name in _CORNERS]
    said = cells.get("score")
    score = None if said is None or said == "" else _number(said)
    wrong = next((name for name, value in zip(_CORNERS, numbers, strict=True) if value is None), "")
    if not wrong and said not in (None, "") and score is None:
        wrong = "score"
    if wrong:
        told = f"{wrong} is a number below {_LARGEST:,.0f}, not {str(cells[wrong])[:_SHOWN]!r}"
        broken.append(BrokenRow(number, "no_number", told))
        return None
    x_min, y_min, x_max, y_max = (value or 0.0 for value in numbers)
    return GivenBox(image, synset, (x_min, y_min, x_max, y_max), score, number)


def _number(value: Any) -> float | None:
    """A finite number of a size that can be, None for anything else."""
    if isinstance(value, bool):
        return None
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return found if abs(found) < _LARGEST else None


def _text(value: Any) -> str:
    return "" if value is None else str(value).strip()


def _can_be_written(text: str) -> bool:
    """Whether text is none that only JSON's escapes can say, such as half of a pair of surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _of_text(path: Path, broken: list[BrokenRow]) -> Iterator[tuple[int, dict[str, Any]]]:
    rows = read_rows(path, CrowdError)
    names = [name.lower() for name in next(rows, (1, []))[1]]
    wanted = _columns(path, names)
    for number, row in rows:
        if len(row) != len(names):
            broken.append(BrokenRow(number, "cells", f"{len(row):,} cells in {len(names):,} columns"))
        else:
            yield number, {meaning: row[place] for meaning, place in wanted.items()}


def _of_parquet(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        with pq.ParquetFile(path) as file:
            names = file.schema_arrow.names
            wanted = {
                meaning: names[place] for meaning, place in _columns(path, [one.lower() for one in names]).items()
            }
            number = 0
            for batch in file.iter_batches(columns=list(wanted.values())):
                columns = [batch.column(name).to_pylist() for name in wanted.values()]
                for row in zip(*columns, strict=True):
                    number += 1
                    yield number, dict(zip(wanted, row, strict=True))
    except (OSError, pa.ArrowException, OverflowError) as error:  # the last: dates that Python has not
        raise CrowdError(f"cannot read {printable(path)}: {str(error)[:200]}") from error


def _columns(path: Path, names: Sequence[str]) -> dict[str, int]:
    """The place of each column by what it means. Raises `CrowdError` where one is missing, or is there twice."""
    found = {
        meaning: names.index(name)
        for meaning, some in COLUMNS.items()
        if (name := next((one for one in some if one in names), None)) is not None
    }
    if missing := [meaning for meaning in COLUMNS if meaning not in found and meaning != "score"]:
        told = "boxes are image, wnid, x_min, y_min, x_max, y_max and, if you like, score"
        raise CrowdError(f"{printable(path)} has no column {' or '.join(COLUMNS[missing[0]][:3])}; {told}")
    if twice := doubled(names, {names[place] for place in found.values()}.__contains__):
        raise CrowdError(f"{printable(path)} has the column {twice} {names.count(twice)} times: leave one")
    return found


def _of_results(path: Path, names: Path | None, broken: list[BrokenRow]) -> Iterator[GivenBox]:
    """The boxes of COCO's results: a list of objects with image_id, category_id, bbox and score."""
    value = _json(path)
    if not isinstance(value, list):
        raise CrowdError(f"{printable(path)} is no list of results: [{{image_id, category_id, bbox, score}}, ...]")
    images, categories = ({}, {}) if names is None else _named(names)
    for number, one in enumerate(value, 1):
        found = _of_result(one, images, categories, names is not None)
        if isinstance(found, str):
            broken.append(BrokenRow(number, "no_result", found))
        elif (box := _box(number, found, broken)) is not None:
            yield box


def _of_result(
    one: Any, images: Mapping[Any, str], categories: Mapping[Any, str], named: bool
) -> Mapping[str, Any] | str:
    """A result as the cells of a row, or why it is none."""
    if not isinstance(one, dict) or not {"image_id", "category_id", "bbox"} <= one.keys():
        return "it lacks image_id, category_id or bbox"
    image, category, sides = one["image_id"], one["category_id"], one["bbox"]
    if not all(isinstance(part, int | str) and not isinstance(part, bool) for part in (image, category)):
        return "image_id and category_id are numbers or text"
    if named and (image not in images or category not in categories):
        return (
            f"image {str(image)[:_SHOWN]!r} or category {str(category)[:_SHOWN]!r} is not in the file that names them"
        )
    if not named and isinstance(category, int):
        return f"category {category} is a number: a file of COCO's instances must say what it is"
    if not isinstance(sides, list) or len(sides) != 4 or any(_number(side) is None for side in sides):
        return f"bbox is four numbers, not {str(sides)[:_SHOWN]}"
    x, y, width, height = map(float, sides)
    corners = math.floor(x), math.floor(y), math.ceil(x + width) - 1, math.ceil(y + height) - 1
    about = {"image": images.get(image, image), "wnid": categories.get(category, category), "score": one.get("score")}
    return about | dict(zip(_CORNERS, corners, strict=True))


def _named(path: Path) -> tuple[dict[Any, str], dict[Any, str]]:
    """The files of images and the names of categories by their numbers, in a file of COCO's instances."""
    try:
        value = _json(path)
        return _by_id(value["images"], "file_name"), _by_id(value["categories"], "name")
    except (KeyError, TypeError) as error:
        raise CrowdError(f"{printable(path)} is no file of COCO's instances: it lacks {error}") from error


def _by_id(values: Iterable[Mapping[str, Any]], name: str) -> dict[Any, str]:
    return {one["id"]: str(one[name]) for one in values}


def _json(path: Path) -> Any:
    try:
        return read_json(path, _MOST_JSON)
    except ArchiveError as error:
        raise CrowdError(str(error)) from error
