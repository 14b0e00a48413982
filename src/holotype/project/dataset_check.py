"""Whether what was imported is still where it was: a disk that is away, a folder that moved, files that changed."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from holotype.catalog import datasets as dataset_rows
from holotype.catalog.datasets import File
from holotype.imports.shapes import Kind
from holotype.store.objects import place
from holotype.store.opening import Tree, state_of

THERE, CHANGED, MISSING = "there", "changed", "missing"


@dataclass(frozen=True, slots=True)
class Checked:
    """A source as it is now: ``there``, ``changed`` or ``missing``, and so its `images`, which are the sum of three."""

    dataset: str
    kind: str
    path: str
    state: str
    there: int
    changed: int
    missing: int

    @property
    def images(self) -> int:
        """Number of images that lie in it, as the catalog knows them."""
        return self.there + self.changed + self.missing


def check(connection: Connection, dataset: str | None) -> list[Checked]:
    """Every source of a dataset, or of all. Only sizes and times are looked at."""
    return [_checked(connection, row) for row in dataset_rows.files(connection, dataset)]


def _checked(connection: Connection, row: File) -> Checked:
    state = state_of(place(row.path))
    if row.kind == Kind.TREE and state is not None:
        return _tree(connection, row)
    now = MISSING if state is None else THERE if row.size == 0 or state == (row.size, row.mtime_ns) else CHANGED
    images = dataset_rows.images_in(connection, row.id)
    counts = {name: images if name == now else 0 for name in (THERE, CHANGED, MISSING)}
    return Checked(row.dataset, row.kind, row.path, now, **counts)


def _tree(connection: Connection, row: File) -> Checked:
    counts = dict.fromkeys((THERE, CHANGED, MISSING), 0)
    tree = Tree(place(row.path))
    for path, length in dataset_rows.paths_in(connection, row.id):
        counts[_file(tree, path, length, row.at)] += 1
    state = next((name for name in (MISSING, CHANGED) if counts[name]), THERE)
    return Checked(row.dataset, row.kind, row.path, state, **counts)


def _file(tree: Tree, path: str, length: int, at: float) -> str:
    if (status := tree.status(path)) is None:
        return MISSING
    touched = max(status.st_mtime_ns, status.st_ctime_ns) > at * 1e9
    return CHANGED if touched or status.st_size != length else THERE
