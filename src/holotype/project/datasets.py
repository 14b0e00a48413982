"""What a project knows of archives that lie where their owner put them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from holotype.catalog import datasets as dataset_rows
from holotype.catalog import fingerprints
from holotype.engine import Progress, no_progress
from holotype.errors import ArchiveError
from holotype.imports.reports import ImportReport
from holotype.imports.shapes import Source
from holotype.lint.blemishes import Finding
from holotype.project.dataset_check import Checked, check
from holotype.project.dataset_forget import Forgotten, forget
from holotype.project.dataset_said import Advance, Terms
from holotype.project.dataset_samples import ImportedDataset, imported_dataset
from holotype.project.dataset_scan import Importer
from holotype.project.fingerprints import FingerprintReport, fingerprint_all
from holotype.project.lemmas import Lemmas
from holotype.project.lint import lint_dataset
from holotype.project.near_duplicates import INDEX, group_near_duplicates
from holotype.project.parts import Parts
from holotype.store.allowance import Allowance, Cost


class Datasets:
    """The imported datasets of a project: archives and trees that lie where their owner put them."""

    def __init__(self, parts: Parts, lemmas: Lemmas) -> None:
        self._parts = parts
        self._lemmas = lemmas

    def add(
        self,
        sources: Sequence[Source],
        dataset: str,
        advance: Advance = lambda *_: None,
        problems: Sequence[str] = (),
        *,
        overwritten: bool = False,
        relabel: bool = False,
        allowance: Allowance | None = None,
        expect: Callable[[Source, Cost], None] = lambda *_: None,
    ) -> ImportReport:
        """Register archives, trees and lists of a dataset: headers are read, nothing is copied.

        They may lie in an object store. `allowance` is what may be asked of that for headers, and `expect` is told
        about what each archive there will take, before any is read.

        Other bytes under a known name are not taken, unless files that were imported before were `overwritten`. A label
        that contradicts what is known is not taken, unless it is to `relabel`.

        Raises `ArchiveError` with a line for each source that is not as it should be, after `problems`; nothing has
        then changed. Stopped and run again, it goes on where it was. Raises `OverAllowance` where more is needed than
        is allowed.
        """
        self._parts.check_writable()
        terms = Terms(self._parts.clock(), overwritten, relabel)
        return Importer(self._parts, dataset, terms, allowance).run(sources, advance, problems, expect)

    def __getitem__(self, dataset: str) -> ImportedDataset:
        """An imported dataset, to train from where it lies. Raises `ArchiveError` where there is none of that name."""
        return imported_dataset(self._parts, self._lemmas.senses, dataset)

    def forget(
        self,
        dataset: str,
        paths: Sequence[Path] = (),
        rehearse: bool = False,
        advance: Advance = lambda *_: None,
    ) -> Forgotten:
        """Undo the import of a dataset, or of what lies at or below `paths`: all or nothing of it.

        Images that another source of the dataset holds too are read from there, and what that says is said again. The
        other ones go, and with them all that people said of them. Releases stay as they are. With `rehearse` nothing
        changes, and what would go is counted.

        Raises `ArchiveError` where there is no such dataset or source.
        """
        self._parts.check_writable()
        importer = Importer(self._parts, dataset, Terms(self._parts.clock()))

        def work(connection: Connection) -> Forgotten:
            step = connection.begin_nested()
            found = forget(importer, connection, dataset, paths, advance)
            if rehearse:
                step.rollback()
            return found

        with importer.alone():
            return self._parts.catalog.transact(work)

    def check(self, dataset: str | None = None) -> list[Checked]:
        """Whether the sources of a dataset, or of all, are where they were and as they were.

        Raises `ArchiveError` where there is no such dataset.
        """
        with self._parts.catalog.read() as connection:
            found = check(connection, dataset)
        if dataset is not None and not found:
            raise ArchiveError(f"there is no dataset {dataset!r}")
        return found

    def counts(self) -> list[dict[str, Any]]:
        """Images, labelled images and boxes, by dataset and split."""
        with self._parts.catalog.read() as connection:
            return [row._asdict() for row in dataset_rows.dataset_counts(connection)]

    def unread(self) -> int:
        """Number of images that `fingerprint` would read."""
        with self._parts.catalog.read() as connection:
            images, done = fingerprints.read_counts(connection)
        return images - done

    def lint(self) -> Iterator[tuple[str, Finding]]:
        """All that is wrong with the imported datasets, as (dataset, finding); `CODES` says what the codes mean."""
        with self._parts.catalog.read() as connection:
            for number, dataset in dict.fromkeys(
                (row.dataset_id, row.dataset) for row in dataset_rows.files(connection)
            ):
                for finding in lint_dataset(connection, number, self._parts.ontology):
                    yield dataset, finding

    def fingerprint(self, progress: Progress = no_progress, compared: Progress = no_progress) -> FingerprintReport:
        """Read every image that has not been read yet, for its sha256, size in pixels and hash; then near-duplicates
        are found among all, also between datasets and with own images: `compared` is told how far that is."""
        self._parts.check_writable()
        found = fingerprint_all(self._parts.catalog, self._parts.store, progress)
        group_near_duplicates(self._parts.catalog, self._parts.folder / INDEX, progress=compared)
        return found
