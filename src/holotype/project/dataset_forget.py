"""Undoing an import: what a source said, and the images that lie nowhere else, are forgotten in one transaction."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import Connection

from holotype.catalog import datasets as dataset_rows
from holotype.catalog import forgetting
from holotype.catalog.forgetting import Held
from holotype.errors import ArchiveError
from holotype.imports.shapes import IMAGES, Kind, Source
from holotype.project.dataset_said import Advance
from holotype.project.dataset_scan import Importer
from holotype.store.objects import ObjectPath

_SAID_ELSEWHERE: Final = IMAGES | {Kind.BOXES, Kind.SOLUTION, Kind.DEVKIT, Kind.URLS}
"""What may say of an image what a forgotten source said."""


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What went, by its number; `moved` images are read from another source now.

    `problems` has a line for each other source that could not be looked into: what only that has too is forgotten.
    """

    dataset: str
    gone: Held
    moved: int = 0
    problems: tuple[str, ...] = ()

    def __str__(self) -> str:
        gone = self.gone
        counts = (
            (gone.files, "sources"),
            (gone.images, "images"),
            (gone.labels, "labels"),
            (gone.boxes, "boxes"),
            (gone.masks, "masks"),
            (gone.facts, "other facts"),
            (gone.votes, "votes"),
            (gone.statements, "statements of gold and curators"),
            (gone.audit_answers, "answers of auditors"),
        )
        said = ", ".join(f"{count:,} {name}" for count, name in counts if count)
        return f"{self.dataset}: {said}" + (f"; {self.moved:,} images are read from elsewhere" if self.moved else "")


def forget(
    importer: Importer, connection: Connection, dataset: str, paths: Sequence[Path], advance: Advance
) -> Forgotten:
    """Forget the sources of a dataset at some paths or below them, all of it where none is given.

    Images that another source holds too are read from there, and keep all that people said of them. Raises
    `ArchiveError` where there is no such dataset or source, and where images that would go are on a platform's pages.
    """
    rows = dataset_rows.files(connection, dataset)
    gone = [row.id for row in rows if not paths or any(_is_below(row.path, path) for path in paths)]
    _check(connection, dataset, rows, paths)
    before = forgetting.held(connection)
    problems: list[str] = []
    with forgetting.indexed(connection):
        lay = sum(dataset_rows.images_in(connection, number) for number in gone)
        if len(gone) < len(rows):
            forgetting.withdraw_said(connection, gone)
            problems = _say_again(importer, connection, [row for row in rows if row.id not in gone], gone, advance)
        lies = sum(dataset_rows.images_in(connection, number) for number in gone)
        if posted := forgetting.posted(connection, gone):
            raise ArchiveError(f"{dataset} cannot be forgotten: images of it are on {posted:,} pages of a platform")
        if unread := forgetting.unread(connection, gone):
            raise ArchiveError(
                f"{dataset} cannot be forgotten: sheets of {unread:,} pages with images of it are not counted yet"
            )
        forgetting.delete_files(connection, gone)
    if len(gone) == len(rows):
        forgetting.delete_dataset(connection, dataset)
    after = forgetting.held(connection)
    went = Held(*(one - other for one, other in zip(before, after, strict=True)))
    return Forgotten(dataset, went, lay - lies, tuple(problems))


def _say_again(
    importer: Importer,
    connection: Connection,
    rows: Sequence[dataset_rows.File],
    gone: Sequence[int],
    advance: Advance,
) -> list[str]:
    """Let the sources that stay say what they have to say; a line for each that cannot be read."""
    problems = []
    publication = importer.publication(connection, advance)
    publication.leave(gone)
    for row in rows:
        if row.kind not in _SAID_ELSEWHERE:
            continue
        source = Source.again(row.kind, row.path, row.reading)
        try:
            said = importer.scan(source, advance)
            with connection.begin_nested():
                publication.take(source, said)
        except ArchiveError as error:
            problems.append(" ".join(str(error).split()))
        else:
            if said.journal is not None:
                said.journal.clear()
    return problems


def _check(
    connection: Connection,
    dataset: str,
    rows: Sequence[dataset_rows.File],
    paths: Sequence[Path],
) -> None:
    if not rows:
        known = sorted({row.dataset for row in dataset_rows.files(connection)})
        raise ArchiveError(f"there is no dataset {dataset!r}; there are: {', '.join(known) or 'none'}")
    for path in paths:
        if not any(_is_below(row.path, path) for row in rows):
            raise ArchiveError(f"{dataset} has no source {path}; it has: {', '.join(row.path for row in rows[:5])}")


def _is_below(path: str, folder: Path) -> bool:
    above = str(folder) if isinstance(folder, ObjectPath) else os.path.abspath(folder)
    return path == above or path.startswith(above.rstrip("/") + "/")
