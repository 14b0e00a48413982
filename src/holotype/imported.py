"""What a project knows of archives that lie where their owner put them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from holotype.archives.blemishes import Finding
from holotype.archives.reader import ArchiveReader, read_file
from holotype.archives.shapes import Kind, Source
from holotype.catalog import Catalog, imports
from holotype.catalog.places import Place
from holotype.errors import ArchiveError
from holotype.fingerprinting import FingerprintReport, fingerprint_items
from holotype.importing import Importer
from holotype.linting import lint_dataset
from holotype.ontology import Ontology
from holotype.publishing import Advance, ImportReport


class Imported:
    """The imported datasets of a project: see `holotype.Project.imported`."""

    def __init__(self, catalog: Catalog, ontology: Callable[[], Ontology], journals: Path, now: Callable[[], float]):
        self._catalog = catalog
        self._ontology = ontology
        self._journals = journals
        self._now = now
        self._reader = ArchiveReader()

    def close(self) -> None:
        """Close every archive."""
        self._reader.close()

    def add(
        self,
        sources: Sequence[Source],
        dataset: str,
        advance: Advance = lambda *_: None,
        problems: Sequence[str] = (),
    ) -> ImportReport:
        """Register archives, trees and lists of a dataset: headers are read, nothing is copied.

        Raises `ArchiveError` with a line for each source that is not as it should be, after `problems`; nothing has
        then changed. Stopped and run again, it goes on where it was.
        """
        importer = Importer(self._catalog, self._ontology(), dataset, self._journals, self._now())
        return importer.run(sources, advance, problems)

    def datasets(self) -> list[dict[str, Any]]:
        """Images, labelled images and boxes, by dataset and split."""
        with self._catalog.read() as connection:
            return [dict(row._mapping) for row in imports.dataset_counts(connection)]

    def lint(self) -> Iterator[tuple[str, Finding]]:
        """All that is wrong with the imported datasets, as (dataset, finding); `CODES` says what the codes mean."""
        with self._catalog.read() as connection:
            for number, dataset in dict.fromkeys((row.dataset_id, row.dataset) for row in imports.archives(connection)):
                for finding in lint_dataset(connection, number, self._ontology()):
                    yield dataset, finding

    def fingerprint(self, progress: Callable[[int, int], None] = lambda *_: None) -> FingerprintReport:
        """Read every image that has not been read yet, for its sha256, size in pixels and hash."""
        return fingerprint_items(self._catalog, self.read, progress)

    def read(self, place: Place) -> bytes:
        """The bytes of an item, by one `pread` from its archive, or the file in its folder.

        Raises `ArchiveError` if they are not there any more.
        """
        if place.kind != Kind.TREE:
            return self._reader.read(Path(place.file), place.offset, place.length, (place.size, place.mtime_ns))
        data = read_file(Path(place.file), place.path)
        if len(data) != place.length:
            raise ArchiveError(
                f"{place.file}/{place.path} has changed since it was imported (another size); import it again"
            )
        return data
