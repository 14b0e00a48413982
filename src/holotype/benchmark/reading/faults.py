"""What is wrong with a file, by row: the first faults are told, and how many more there are."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, NoReturn

import numpy as np

from holotype.benchmark.values import Bools, Ints
from holotype.errors import PredictionError

SHOWN: Final = 5
MOST: Final = 1000
"""Faults after which a file is not read on."""
_LONGEST: Final = 40


class Faults:
    """The faults of a file called `where`, whose rows are counted as a `unit`: "line" or "row"."""

    def __init__(self, where: str, unit: str) -> None:
        self.where, self.unit = where, unit
        self._found: list[tuple[int, str]] = []

    def __bool__(self) -> bool:
        return bool(self._found)

    def add(self, row: int, what: str) -> None:
        """Note a fault. Raises `PredictionError` where there are too many."""
        self._found.append((row, what))
        if len(self._found) >= MOST:
            self.check(f"at least {MOST - SHOWN:,}")

    def mark(self, rows: Ints, bad: Bools, what: Callable[[int], str]) -> None:
        """Note a fault for each of the `rows` that is `bad`; `what` says it from the place in `rows`."""
        for at in np.flatnonzero(bad).tolist():
            self.add(int(rows[at]), what(at))

    def check(self, more: str = "") -> None:
        """Raise `PredictionError` where there are any."""
        if self._found:
            shown = [f"{self.unit} {row}: {what}" for row, what in sorted(self._found)[:SHOWN]]
            more = more or f"{len(self._found) - SHOWN:,}"
            left = f" (and {more} more)" if len(self._found) > SHOWN else ""
            raise PredictionError(f"{self.where}, {'; '.join(shown)}{left}")

    def stop(self, what: str, row: int = 0) -> NoReturn:
        """Raise `PredictionError` for what leaves nothing to go on with; of a row, where one is given."""
        raise PredictionError(f"{self.where}, {self.unit} {row}: {what}" if row else f"{self.where}: {what}")


def said(text: object) -> str:
    """What a cell holds, for a message: in quotes, and cut where it is long."""
    shown = str(text)
    return repr(shown[:_LONGEST]) + ("..." if len(shown) > _LONGEST else "")


def some(names: Iterable[str]) -> str:
    """The first of some names, for a message."""
    found = sorted(names)
    return ", ".join(name[:_LONGEST] for name in found[:SHOWN]) + (", ..." if len(found) > SHOWN else "")
