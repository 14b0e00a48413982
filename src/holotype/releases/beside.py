"""What releases hold beside labels, boxes, masks and what is verified, counted where two are compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from holotype.releases.layout import BOXES, MASKS, VERIFIED
from holotype.releases.release import Release

CORNERS: Final = ("x_min", "y_min", "x_max", "y_max")
_BESIDE: Final = {
    "boxes": (BOXES, ("id", "wnid", *CORNERS)),
    "masks": (MASKS, ("id", "wnid", "counts")),
    "verified": (VERIFIED, ("id", "wnid", "said")),
}
"""The file of each kind, and what two rows of the same fact have in common: not who says it, nor how sure it is."""
_MANY: Final = "many"


@dataclass(frozen=True, slots=True)
class Beside:
    """How many rows of a kind a release has `before` and `after`, how many were `added`, and how many `removed`."""

    before: int
    after: int
    added: int
    removed: int


def diff_beside(before: Release, after: Release) -> dict[str, Beside]:
    """What changed of boxes, masks and what is verified, of those kinds that one of two releases has at least.

    A fact that stands twice in one release and once in the other is one that came or went. Raises `ReleaseError` where
    a file cannot be read.
    """
    found = {kind: (_rows(before, kind), _rows(after, kind)) for kind in _BESIDE}
    return {
        kind: Beside(len(old), len(new), _beyond(new, old), _beyond(old, new))
        for kind, (old, new) in found.items()
        if len(old) or len(new)
    }


def _rows(release: Release, kind: str) -> pa.Table:
    file, columns = _BESIDE[kind]
    if not (release.path / file).exists():
        return pa.table({name: pa.array([], pa.string()) for name in columns})
    table: pa.Table = getattr(release, kind)
    return table.select(list(columns))


def _beyond(one: pa.Table, other: pa.Table) -> int:
    """How many rows of a table another does not have, each as often as it stands there."""
    if not len(one) or not len(other):
        return len(one)
    columns = one.column_names
    mine, theirs = (
        table.group_by(columns).aggregate([([], "count_all")]).rename_columns([*columns, name])
        for table, name in ((one, _MANY), (other, f"{_MANY}_there"))
    )
    held = mine.join(theirs, columns, join_type="left outer")
    there = pc.fill_null(held[f"{_MANY}_there"], 0)
    return int(pc.sum(pc.max_element_wise(pc.subtract(held[_MANY], there), 0)).as_py() or 0)
