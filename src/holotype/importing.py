"""From archives where they lie to items in the catalog: what is wrong is found before anything is written."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, Final, TypeVar

import pyarrow as pa
from sqlalchemy import Connection, Row

from holotype.archives.boxes import Annotation, read_voc_archive, read_voc_folder
from holotype.archives.devkit import read_devkit
from holotype.archives.journal import Journal
from holotype.archives.lists import read_marks, read_texts, read_urls
from holotype.archives.scan import Part, kind_of_tar, scan_tar, scan_tree
from holotype.archives.shapes import IMAGES, Kind, Source
from holotype.archives.solution import read_solution
from holotype.archives.webdataset import scan_shard
from holotype.catalog import Catalog, imports
from holotype.errors import ArchiveError
from holotype.ontology import Ontology

Advance = Callable[[str, int, int], None]
"""Told the stage, how much of it is done, and how much there is."""
Value = TypeVar("Value")
_CHUNK: Final = 20_000


@dataclass(frozen=True, slots=True)
class SourceReport:
    """What one archive brought. ``images = new + known``; of what it says of images, `unknown` names none we have.

    `conflicts` are labels it says otherwise than what was known, which stays. One that is `unchanged` since it was
    imported is not scanned again.
    """

    source: Source
    unchanged: bool = False
    new: int = 0
    known: int = 0
    labels: int = 0
    boxes: int = 0
    facts: int = 0
    unknown: int = 0
    conflicts: int = 0

    @property
    def images(self) -> int:
        """Number of images the archive holds."""
        return self.new + self.known

    def __str__(self) -> str:
        if self.unchanged:
            return f"{self.source.kind} {self.source.path}: has not changed since it was imported"
        said = [
            f"{count:,} {name}"
            for name, count in (("labels", self.labels), ("boxes", self.boxes), ("other facts", self.facts))
            if count
        ]
        if self.source.kind in IMAGES:
            said = [f"{self.images:,} images = {self.new:,} new + {self.known:,} known", *said]
        if self.unknown:
            said.append(f"{self.unknown:,} of images that are not imported")
        if self.conflicts:
            said.append(f"{self.conflicts:,} labels that contradict what is known, and were not taken")
        return f"{self.source.kind} {self.source.path}: {', '.join(said) or 'nothing new'}"


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import brought, source by source."""

    dataset: str
    sources: tuple[SourceReport, ...]

    def __str__(self) -> str:
        new, images = sum(one.new for one in self.sources), sum(one.images for one in self.sources)
        lines = [*map(str, self.sources), f"{self.dataset}: {images:,} images, {new:,} of them new"]
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Scanned:
    """The images of one source, and the state its file was in when they were found (0 for a folder)."""

    source: Source
    size: int
    mtime_ns: int
    tables: Callable[[], Iterator[pa.Table]]
    clear: Callable[[], None]


class Importer:
    """Imports sources into one dataset of a catalog; `journals` is the folder where unfinished scans are kept."""

    def __init__(self, catalog: Catalog, ontology: Ontology, dataset: str, journals: Path, now: float) -> None:
        self._catalog = catalog
        self._ontology = ontology
        self._dataset = dataset
        self._journals = journals
        self._now = now

    def run(self, sources: Sequence[Source], advance: Advance, problems: Sequence[str] = ()) -> ImportReport:
        """Scan every source, then write everything in one transaction.

        Raises `ArchiveError` with one line for each source that is not as it should be, `problems` first; the catalog
        is then as it was, and sources that were sound need not be scanned again.
        """
        lines = list(problems)
        unchanged = self._unchanged(sources)
        scans = dict(
            _tried(lines, sources, lambda source: None if source in unchanged else self._scan(source, advance))
        )
        if lines:
            raise ArchiveError("\n".join(lines))

        def work(connection: Connection) -> ImportReport:
            problems: list[str] = []
            publish = _Publication(connection, self._ontology, self._dataset, self._now, advance)
            changed = [source for source in sources if source not in unchanged]
            reports = [(source, SourceReport(source, unchanged=True)) for source in unchanged]
            reports += _tried(problems, changed, lambda source: publish.take(source, scans[source]))
            done = tuple(report for _, report in reports)
            if problems:
                raise ArchiveError("\n".join(problems))
            return ImportReport(self._dataset, done)

        report = self._catalog.transact(work)
        for scanned in scans.values():
            if scanned is not None:
                scanned.clear()
        return report

    def _unchanged(self, sources: Sequence[Source]) -> list[Source]:
        """The tars that lie as they lay when they were imported, by size and time; what shards say is read anew."""
        with self._catalog.read() as connection:
            held = {(row.kind, row.path, row.size, row.mtime_ns) for row in imports.archives(connection, self._dataset)}
        tars = (source for source in sources if source.kind in IMAGES - {Kind.TREE, Kind.SHARD})
        found = []
        for source in tars:
            status = source.path.stat()
            if (source.kind, os.path.abspath(source.path), status.st_size, status.st_mtime_ns) in held:
                found.append(source)
        return found

    def _scan(self, source: Source, advance: Advance) -> Scanned | None:
        if source.kind not in IMAGES:
            return None
        if source.kind is Kind.TREE:
            return Scanned(source, 0, 0, lambda: scan_tree(source.path, source.split), lambda: None)
        if source.kind is not Kind.SHARD and kind_of_tar(source.path) is not source.kind:
            raise ArchiveError(f"{source.path} has changed while it was looked at")
        status = source.path.stat()
        journal = Journal(self._journals, source, status.st_size, status.st_mtime_ns)

        def scan(start: int) -> Iterator[Part]:
            if source.kind is Kind.SHARD:
                return scan_shard(source.path, source.split, source.classes)
            return scan_tar(source, start, lambda at: advance("headers", at, status.st_size))

        journal.complete(scan)
        return Scanned(source, status.st_size, status.st_mtime_ns, journal.tables, journal.clear)


def _tried(
    problems: list[str], sources: Sequence[Source], work: Callable[[Source], Value]
) -> list[tuple[Source, Value]]:
    """`work` of every source that can be taken; one line in `problems` for each that cannot."""
    done = []
    for source in sources:
        try:
            done.append((source, work(source)))
        except ArchiveError as error:
            problems.append(str(error))
    return done


class _Publication:
    """Writes what sources hold to the catalog, within one transaction."""

    def __init__(self, connection: Connection, ontology: Ontology, dataset: str, now: float, advance: Advance) -> None:
        self._connection = connection
        self._ontology = ontology
        self._dataset = imports.dataset_id(connection, dataset)
        self._held = imports.archives(connection, dataset)
        self._now = now
        self._advance = advance
        self._ranks: dict[str, int] = {}

    def take(self, source: Source, scanned: Scanned | None) -> SourceReport:
        """Everything one source says."""
        if scanned is not None:
            return self._images(scanned)
        if source.kind is Kind.DEVKIT:
            return self._devkit(source)
        if source.kind is Kind.URLS:
            return self._urls(source)
        if source.kind in (Kind.MARKS, Kind.TEXTS):
            read = read_marks if source.kind is Kind.MARKS else read_texts
            marks = ((wnid, source.mark, value) for wnid, value in read(source.path))
            archive = self._archive(source)
            return SourceReport(source, facts=imports.add_marks(self._connection, marks, archive))
        return self._annotations(source)

    def _archive(self, source: Source, size: int = 0, mtime_ns: int = 0, number: int | None = None) -> int:
        path = os.path.abspath(source.path)
        number = next((row.id for row in self._held if row.path == path), number)
        values = {"dataset_id": self._dataset, "kind": str(source.kind), "path": path, "at": self._now}
        return imports.put_archive(self._connection, number, {**values, "size": size, "mtime_ns": mtime_ns})

    def _images(self, scanned: Scanned) -> SourceReport:
        moved = moved_from(self._held, scanned)
        archive = self._archive(scanned.source, scanned.size, scanned.mtime_ns, moved)
        report = SourceReport(scanned.source)
        for table in scanned.tables():
            for start in range(0, len(table), _CHUNK):
                report = self._store(report, table.slice(start, _CHUNK), archive)
                self._advance("images", report.images, 0)
        return report

    def _store(self, report: SourceReport, table: pa.Table, archive: int) -> SourceReport:
        rows = table.to_pylist()
        names = Counter(row["name"] for row in rows)
        if len(names) < len(rows):
            raise ArchiveError(f"{report.source.path} holds {names.most_common(1)[0][0]} twice")
        held = imports.items_by_name(self._connection, self._dataset, names)
        new: list[dict[str, Any]] = []
        labels: list[tuple[int, str, int]] = []
        conflicts = 0
        for row in rows:
            known = held.get(row["name"])
            if known is None:
                new.append(self._item(row, archive))
                continue
            if known.archive_id == archive and (known.path, known.offset, known.length) != _place(row):
                raise ArchiveError(
                    f"{report.source.path} holds {row['name']} twice, or is another archive than the one imported from "
                    "there before: import that one under another name with --dataset"
                )
            if row["wnid"] and not known.wnid:
                labels.append((known.id, row["wnid"], self._rank(row["wnid"])))
            conflicts += bool(row["wnid"] and known.wnid and known.wnid != row["wnid"])
        imports.add_items(self._connection, new)
        imports.set_labels(self._connection, labels, archive)
        return replace(
            report,
            new=report.new + len(new),
            known=report.known + len(rows) - len(new),
            labels=report.labels + len(labels) + sum(bool(item["wnid"]) for item in new),
            conflicts=report.conflicts + conflicts,
        )

    def _item(self, row: Mapping[str, Any], archive: int) -> dict[str, Any]:
        return {
            **row,
            "dataset_id": self._dataset,
            "rank": self._rank(row["wnid"]),
            "labelled_by": archive if row["wnid"] else None,
            "archive_id": archive,
            "boxes": 0,
        }

    def _rank(self, wnid: str) -> int:
        """The synset's rank; -1 for none, and for one that the ontology does not know."""
        if wnid not in self._ranks:
            self._ranks[wnid] = self._ontology.rank(wnid) if wnid in self._ontology else -1
        return self._ranks[wnid]

    def _devkit(self, source: Source) -> SourceReport:
        devkit = read_devkit(source.path)
        archive = self._archive(source)
        truth = (Annotation(name, 0, 0, ()) for name in devkit.truth)
        report = self._say(SourceReport(source), truth, archive, devkit.truth)
        meta = devkit.meta
        marks = [(wnid, "ilsvrc2012_id", str(number)) for number, wnid in enumerate(meta.wnids, 1)]
        marks += [(wnid, "words", text) for wnid, text in meta.words.items()]
        marks += [(wnid, "gloss", text) for wnid, text in meta.glosses.items()]
        return replace(report, facts=imports.add_marks(self._connection, marks, archive))

    def _annotations(self, source: Source) -> SourceReport:
        if source.kind is Kind.SOLUTION:
            found = read_solution(source.path)
        elif source.path.is_dir():
            found = read_voc_folder(source.path)
        else:
            found = read_voc_archive(source.path)
        labels: dict[str, str] | None = {} if source.kind is Kind.SOLUTION else None
        return self._say(SourceReport(source), found, self._archive(source), labels)

    def _say(
        self, report: SourceReport, found: Iterable[Annotation], archive: int, labels: Mapping[str, str] | None
    ) -> SourceReport:
        """Add what annotations say; `labels` by image name, or by the boxes themselves where it is empty."""
        said = iter(found)
        while chunk := list(islice(said, _CHUNK)):
            held = imports.items_by_name(self._connection, self._dataset, (one.name for one in chunk))
            known = [(held[one.name], one) for one in chunk if one.name in held]
            told = [] if labels is None else [(item, labels.get(one.name) or _label(one)) for item, one in known]
            new = [(item.id, wnid, self._rank(wnid)) for item, wnid in told if wnid and not item.wnid]
            imports.set_labels(self._connection, new, archive)
            boxes = {item.id: [imports.BoxRow(*astuple(box)) for box in one.boxes] for item, one in known if one.boxes}
            sizes = {item.id: (one.width, one.height) for item, one in known if one.width and one.height}
            imports.add_annotations(self._connection, sizes, archive)
            report = replace(
                report,
                labels=report.labels + len(new),
                boxes=report.boxes + imports.add_boxes(self._connection, boxes, archive),
                unknown=report.unknown + len(chunk) - len(known),
                conflicts=report.conflicts + sum(bool(wnid and item.wnid not in ("", wnid)) for item, wnid in told),
            )
            self._advance("facts", report.labels + report.boxes, 0)
        return report

    def _urls(self, source: Source) -> SourceReport:
        archive = self._archive(source)
        report = SourceReport(source)
        found = (line for line in read_urls(source.path) if line is not None)
        while chunk := dict(islice(found, _CHUNK)):
            held = imports.items_by_name(self._connection, self._dataset, chunk)
            urls = {row.id: chunk[name] for name, row in held.items()}
            added = imports.add_urls(self._connection, urls, archive)
            report = replace(report, facts=report.facts + added, unknown=report.unknown + len(chunk) - len(held))
        return report


def _label(said: Annotation) -> str:
    """The class of an image by its boxes; "" where they are of several."""
    return said.wnids[0] if len(said.wnids) == 1 else ""


def _place(row: Mapping[str, Any]) -> tuple[str, int, int]:
    return row["path"], row["offset"], row["length"]


def moved_from(held: Sequence[Row[Any]], scanned: Scanned) -> int | None:
    """The archive that this one was before it was moved: of its kind, name and size, and no longer where it lay."""
    return next(
        (
            row.id
            for row in held
            if (row.kind, row.size) == (scanned.source.kind, scanned.size)
            and Path(row.path).name == scanned.source.path.name
            and not Path(row.path).exists()
        ),
        None,
    )
