"""Answers from CSV files, which may be anything: read defensively."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from holotype.errors import CrowdError

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
            raise ValueError(f"must be {' or '.join(known)}")
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
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.reader(file, strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CrowdError(f"cannot read {path}: {error}") from error
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
