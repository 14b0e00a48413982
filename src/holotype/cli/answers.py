"""Answers from CSV files, which may be anything: read defensively."""

from __future__ import annotations

import csv
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from holotype.errors import AmbiguousImage, CrowdError, UnknownImage
from holotype.images.decode import EXTENSIONS
from holotype.project.images import Named

ANSWERS = ("sha256", "wnid", "answer")
AUDIT = ("sha256", "wnid", "name", "answer")
PRIORS = ("sha256", "wnid", "chance")
_Said = TypeVar("_Said")


def read_answers(path: Path) -> dict[tuple[str, str], bool]:
    """Yes and no by (sha256, wnid)."""
    return read_csv(path, ANSWERS, choice({"yes": True, "no": False}))


def choice(known: Mapping[str, _Said]) -> Callable[[str], _Said]:
    """A reader of one of some words."""

    def read(said: str) -> _Said:
        if said not in known:
            raise ValueError(f"must be {' or '.join(word or 'empty' for word in known)}")
        return known[said]

    return read


def chance(said: str) -> float:
    """A reader of chances."""
    try:
        value = float(said)
    except ValueError:
        value = 0.0
    if not 0 < value < 1:
        raise ValueError("must be between 0 and 1")
    return value


def read_csv(path: Path, header: Sequence[str], read: Callable[[str], _Said]) -> dict[tuple[str, str], _Said]:
    """What the last column of a CSV says, by (sha256, wnid).

    Raises `CrowdError` for a file that is not one, or contradicts itself.
    """
    rows = _rows(path)
    if not rows or tuple(rows[0]) != tuple(header):
        raise CrowdError(f"{path}: the header must be {','.join(header)}")
    found: dict[tuple[str, str], _Said] = {}
    for number, row in enumerate(rows[1:], 2):
        said = row[-1].strip().lower() if row else ""
        try:
            if len(row) != len(header):
                raise ValueError(f"must be the last of {len(header)} cells")
            value = read(said)
        except ValueError as error:
            raise CrowdError(f"{path}, row {number}: the {header[-1]} {error}, not {said[:40]!r}") from error
        if found.setdefault((row[0], row[1]), value) != value:
            raise CrowdError(f"{path}, row {number}: a row above says the contrary")
    return found


def _rows(path: Path) -> list[list[str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return list(csv.reader(file, strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CrowdError(f"cannot read {path}: {error}") from error


def read_pairs(
    texts: Sequence[str], known: Collection[tuple[str, str]], called: Callable[[str], Sequence[Named]]
) -> list[tuple[str, str]]:
    """(sha256, wnid) named by files and by images, each once.

    A file is a CSV whose header begins with sha256,wnid. An image is named as everywhere: `called` tells which a text
    may mean. It stands for all of its pairs in `known`.

    Raises `CrowdError` for what is neither, `UnknownImage` for an image that is not in `known`, and `AmbiguousImage`.
    """
    found = [pair for text in texts for pair in (_of_file(text) if _is_table(text) else _of_image(text, known, called))]
    return list(dict.fromkeys(found))


_TABLES = frozenset((".csv", ".txt", ".tsv"))
_IMAGES = frozenset((*EXTENSIONS.values(), "jpeg", "tiff"))


def _is_table(text: str) -> bool:
    """Whether a text names a CSV file, and no image."""
    path = Path(text)
    return path.suffix.lower() in _TABLES or (path.is_file() and path.suffix.lstrip(".").lower() not in _IMAGES)


def _of_image(
    text: str, known: Collection[tuple[str, str]], called: Callable[[str], Sequence[Named]]
) -> list[tuple[str, str]]:
    names = {name for image in called(text) for name in (image.sha256, image.name)} - {""}
    meant = [pair for pair in known if pair[0] in names]
    images = sorted({sha256 for sha256, _ in meant})
    if not images:
        raise UnknownImage([f"{text!r} names no image that this is about"])
    if len(images) > 1:
        raise AmbiguousImage([f"{text!r} may be {sha256}" for sha256 in images])
    return meant


def _of_file(name: str) -> list[tuple[str, str]]:
    rows = _rows(Path(name))
    if not rows or tuple(rows[0][:2]) != ANSWERS[:2] or any(len(row) < 2 for row in rows):
        raise CrowdError(f"{name}: the header must begin with {','.join(ANSWERS[:2])}, and every row have as much")
    return [(row[0], row[1]) for row in rows[1:]]
