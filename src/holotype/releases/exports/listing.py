"""The list of classes that lies in an export, and other tables as text."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from holotype.releases.exports.chosen import Chosen
from holotype.releases.quantities import plural

CLASSES: Final = "classes.csv"
_FORMULA: Final = frozenset("=+-@\t\r\n＝＋－＠")


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write a table as CSV in UTF-8; cells with commas, quotes or line breaks are quoted."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def write_classes(chosen: Chosen, folder: Path) -> None:
    """Write ``classes.csv``: the number, wnid, name, lemmas and gloss of each class."""
    rows = ((one.number, one.wnid, one.name, "; ".join(one.lemmas), one.gloss) for one in chosen.classes)
    write_csv(folder / CLASSES, ("number", "wnid", "name", "lemmas", "gloss"), rows)


def formulas(cells: Iterable[Any]) -> int:
    """How many cells a spreadsheet would run: tables that programs read have what others said as they said it."""
    return sum(isinstance(cell, str) and cell[:1] in _FORMULA for cell in cells)


def second_labels(chosen: Chosen, what: str) -> list[str]:
    """A remark on labels that are not the first of their image, where there are any; `what` became of them."""
    more = len(chosen.labels) - len(chosen.images)
    return [f"{plural(more, 'label is', 'labels are')} not the first of their image: {what}"] if more else []
