"""Files of a classifier's scores: CSV or Parquet, one row for an image, a synset and a probability."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from holotype.errors import CrowdError
from holotype.files import printable
from holotype.textlists import doubled, read_rows

COLUMNS: Final = (
    ("sha256", "image", "id", "file", "file_name"),
    ("wnid", "synset"),
    ("probability", "score", "chance"),
)
"""What the columns of a file of scores may be called, the best first; others are passed over."""


def read_scores(path: Path) -> dict[tuple[str, str], float]:
    """Scores by image and synset, as they are named there.

    Raises `CrowdError` for a file that is none, and naming a row whose score is no chance, or contradicts another.
    """
    found: dict[tuple[str, str], float] = {}
    for number, image, synset, said in _rows(path):
        score = _chance(said)
        if not image or not synset or score is None:
            what = (
                f"a score is a chance between 0 and 1, not {str(said)[:40]!r}"
                if image and synset
                else "a cell is empty"
            )
            raise CrowdError(f"{printable(path)}, row {number}: {what}")
        if found.setdefault((image, synset), score) != score:
            raise CrowdError(f"{printable(path)}, row {number}: a row above has another score for {image[:80]!r}")
    if not found:
        raise CrowdError(f"{printable(path)} holds no scores")
    return found


def _chance(said: Any) -> float | None:
    try:
        value = float(said.replace(",", ".") if isinstance(said, str) else said)
    except (TypeError, ValueError):
        return None
    return value if 0 <= value <= 1 else None


def _rows(path: Path) -> Iterator[tuple[int, str, str, Any]]:
    """The number of each row, its image, its synset and what it says."""
    if path.suffix.lower() == ".parquet":
        return _of_parquet(path)
    return _of_text(path, read_rows(path, CrowdError))


def _of_text(path: Path, rows: Iterator[tuple[int, list[str]]]) -> Iterator[tuple[int, str, str, Any]]:
    names = [name.lower() for name in next(rows, (1, []))[1]]
    places = [names.index(name) for name in _columns(path, names)]
    for number, row in rows:
        if len(row) != len(names):
            raise CrowdError(f"{printable(path)}, row {number}: {len(row)} cells in {len(names)} columns")
        image, synset, said = (row[place] for place in places)
        yield number, image, synset, said


def _of_parquet(path: Path) -> Iterator[tuple[int, str, str, Any]]:
    try:
        with pq.ParquetFile(path) as file:
            names = file.schema_arrow.names
            wanted = [names[[name.lower() for name in names].index(one)] for one in _columns(path, names)]
            number = 0
            for batch in file.iter_batches(columns=wanted):
                columns = [batch.column(name).to_pylist() for name in wanted]
                for number, row in enumerate(zip(*columns, strict=True), number + 1):  # noqa: B020 - goes on counting
                    yield number, _text(row[0]), _text(row[1]), row[2]
    except (OSError, pa.ArrowException) as error:
        raise CrowdError(f"cannot read {printable(path)}: {str(error)[:200]}") from error


def _text(value: Any) -> str:
    return "" if value is None else str(value).strip()


def _columns(path: Path, given: Sequence[str]) -> list[str]:
    """The names of the three columns. Raises `CrowdError` where one is missing, or is there twice."""
    names = [name.lower() for name in given]
    found = [next((name for name in some if name in names), "") for some in COLUMNS]
    if "" in found:
        wanted = _or(COLUMNS[found.index("")])
        raise CrowdError(f"{printable(path)} has no column {wanted}; scores are image, wnid and probability")
    if twice := doubled(names, found.__contains__):
        raise CrowdError(f"{printable(path)} has the column {twice} {names.count(twice)} times: leave one")
    return found


def _or(names: Iterable[str]) -> str:
    return " or ".join(names)
