"""What sources say, written to the catalog within one transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
from sqlalchemy import Connection

from holotype.catalog import annotations as annotation_rows
from holotype.catalog import datasets as dataset_rows
from holotype.catalog.candidates import imported, policy_id
from holotype.errors import ArchiveError
from holotype.imports.annotations import annotations_of
from holotype.imports.boxes import Annotation
from holotype.imports.journal import Journal
from holotype.imports.lists import read_urls
from holotype.imports.reports import SourceReport
from holotype.imports.shapes import ANNOTATIONS, IMAGES, Kind, Source
from holotype.ontology import Ontology
from holotype.store.opening import state_of

Advance = Callable[[str, int, int], None]
"""Told the stage, how much of it is done, and how much there is (0 if that is not known)."""
_CHUNK: Final = 20_000


@dataclass(frozen=True, slots=True)
class Said:
    """What a source was found to say: rows in a `journal`, `labels` by image name, `marks` as (wnid, mark, value).

    `size` and `mtime_ns` are its file's when it was scanned, 0 for a folder; `passed_over` is how many links and images
    of other names a tree has.
    """

    size: int = 0
    mtime_ns: int = 0
    journal: Journal | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    marks: Sequence[tuple[str, str, str]] = ()
    passed_over: int = 0

    def tables(self) -> Iterator[pa.Table]:
        """The rows of the journal, part by part. Raises `ArchiveError` as it does."""
        return iter(()) if self.journal is None else self.journal.tables()


class Publication:
    """Writes what sources say about one dataset, within one transaction."""

    def __init__(self, connection: Connection, ontology: Ontology, dataset: str, now: float, advance: Advance) -> None:
        self._connection = connection
        self._ontology = ontology
        self._dataset = dataset_rows.dataset_id(connection, dataset)
        self._policy = policy_id(connection, imported(dataset))
        self._held = {row.path: row for row in dataset_rows.files(connection, dataset)}
        self._by_id = {row.id: row for row in self._held.values()}
        self._gone: dict[int, bool] = {}
        self._now = now
        self._advance = advance
        self._ranks: dict[str, int] = {}

    def take(self, source: Source, said: Said) -> SourceReport:
        """Everything one source says."""
        held = self._held.get(source.absolute)
        if held is not None and held.kind != source.kind:
            raise ArchiveError(f"{source.path} was imported as {held.kind} before, and cannot be {source.kind} too")
        archive = self._archive(source, said, held)
        report = SourceReport(source, passed_over=said.passed_over)
        if source.kind in IMAGES:
            return self._images(report, said, archive, held)
        if source.kind is Kind.URLS:
            return self._urls(report, archive)
        if source.kind in ANNOTATIONS:
            return self._say(report, annotations_of(said.tables()), archive, {})
        report = self._say(report, (Annotation(name, 0, 0, ()) for name in said.labels), archive, said.labels)
        return replace(report, facts=annotation_rows.put_marks(self._connection, said.marks, archive))

    def _archive(self, source: Source, said: Said, held: dataset_rows.File | None) -> int:
        values = {
            "dataset_id": self._dataset,
            "kind": str(source.kind),
            "path": source.absolute,
            "size": said.size,
            "mtime_ns": said.mtime_ns,
            "at": self._now,
        }
        return dataset_rows.put_file(self._connection, None if held is None else held.id, values)

    def _images(self, report: SourceReport, said: Said, archive: int, held: dataset_rows.File | None) -> SourceReport:
        store = _Store(self, report.source, archive, dataset_rows.newest_image(self._connection))
        for table in said.tables():
            for start in range(0, len(table), _CHUNK):
                report = store.add(report, table.slice(start, _CHUNK).to_pylist())
                self._advance("images", report.images, 0)
        changed = held is not None and (held.size, held.mtime_ns) != (said.size, said.mtime_ns)
        if changed and (lost := dataset_rows.images_in(self._connection, archive) - store.here):
            raise ArchiveError(
                f"{report.source.path} no longer holds {lost:,} images that were imported from it: bring it back, "
                "or add this one as another dataset"
            )
        return report

    def rank(self, wnid: str) -> int:
        """The synset's rank; -1 for none, and for one that the ontology does not know."""
        if wnid not in self._ranks:
            self._ranks[wnid] = self._ontology.rank(wnid) if wnid in self._ontology else -1
        return self._ranks[wnid]

    def image(self, row: Mapping[str, Any], archive: int) -> dataset_rows.Imported:
        """A new image."""
        lies = archive, row["path"], row["offset"], row["length"]
        return dataset_rows.Imported(row["name"], row["split"], row["wnid"], self.rank(row["wnid"]), *lies)

    def images_named(self, names: Iterable[str]) -> dict[str, dataset_rows.Known]:
        """The images of the dataset with these names, by name."""
        return dataset_rows.images_by_name(self._connection, self._dataset, names)

    def is_gone(self, image: dataset_rows.Known) -> bool:
        """Whether an image's bytes cannot be read any more where they were imported from."""
        row = self._by_id.get(image.file_id)
        if row is None:  # it has just been imported
            return False
        if row.kind == Kind.TREE:
            return not _has_size(Path(row.path) / image.path, image.length)
        if row.id not in self._gone:
            self._gone[row.id] = state_of(Path(row.path)) != (row.size, row.mtime_ns)
        return self._gone[row.id]

    def write(
        self,
        new: Sequence[dataset_rows.Imported],
        moved: Sequence[dataset_rows.Moved],
        labels: Sequence[tuple[int, str, int]],
        archive: int,
    ) -> None:
        """Append images, say where others lie now, and label those that had no label, by (image id, wnid, rank)."""
        dataset_rows.add_images(self._connection, self._dataset, self._policy, new)
        dataset_rows.move_images(self._connection, moved, archive)
        dataset_rows.set_labels(self._connection, labels, archive, self._policy)

    def _say(
        self, report: SourceReport, found: Iterator[Annotation], archive: int, labels: Mapping[str, str]
    ) -> SourceReport:
        """Add what annotations say; `labels` by image name, or where there is none by a solution's boxes."""
        while chunk := list(islice(found, _CHUNK)):
            held = self.images_named(one.name for one in chunk)
            known = [(held[one.name], one) for one in chunk if one.name in held]
            by_boxes = report.source.kind is Kind.SOLUTION
            told = [(image, labels.get(one.name) or (_label(one) if by_boxes else "")) for image, one in known]
            new = {image.id: (image.id, wnid, self.rank(wnid)) for image, wnid in told if wnid and not image.wnid}
            dataset_rows.set_labels(self._connection, list(new.values()), archive, self._policy)
            boxes: dict[int, list[annotation_rows.BoxRow]] = {}
            for image, one in known:
                boxes.setdefault(image.id, []).extend(annotation_rows.BoxRow(*astuple(box)) for box in one.boxes)
            sizes = {image.id: (one.width, one.height) for image, one in known if one.width and one.height}
            annotation_rows.add_sizes(self._connection, sizes, archive)
            report = replace(
                report,
                labels=report.labels + len(new),
                boxes=report.boxes + annotation_rows.add_boxes(self._connection, boxes, archive),
                unknown=report.unknown + len(chunk) - len(known),
                unplaced=report.unplaced + sum(rank < 0 for _, _, rank in new.values()),
                conflicts=report.conflicts + sum(_contradicts(image, wnid) for image, wnid in told),
            )
            self._advance("facts", report.labels + report.boxes, 0)
        return report

    def _urls(self, report: SourceReport, archive: int) -> SourceReport:
        found = read_urls(report.source.path)
        while lines := list(islice(found, _CHUNK)):
            chunk = dict(filter(None, lines))
            held = self.images_named(chunk)
            urls = {row.id: chunk[name] for name, row in held.items()}
            added = annotation_rows.add_urls(self._connection, urls, archive)
            report = replace(
                report,
                facts=report.facts + added,
                unknown=report.unknown + len(chunk) - len(held),
                unread=report.unread + lines.count(None),
            )
        return report


class _Store:
    """Stores the images of one source, chunk by chunk; `here` counts the images that lie in it."""

    def __init__(self, publication: Publication, source: Source, archive: int, newest: int) -> None:
        self._publication = publication
        self._source = source
        self._archive = archive
        self._newest = newest
        self._moved: set[int] = set()
        self.here = 0

    def add(self, report: SourceReport, rows: Sequence[Mapping[str, Any]]) -> SourceReport:
        """Store some more rows."""
        names = Counter(row["name"] for row in rows)
        if len(names) < len(rows):
            raise self._twice(names.most_common(1)[0][0])
        held = self._publication.images_named(names)
        new = [self._publication.image(row, self._archive) for row in rows if row["name"] not in held]
        known = [(held[row["name"]], row) for row in rows if row["name"] in held]
        moved = [(image, row) for image, row in known if self._has_moved(image, row)]
        rank = self._publication.rank
        labels = [(image.id, row["wnid"], rank(row["wnid"])) for image, row in known if row["wnid"] and not image.wnid]
        self._publication.write(new, [_move(image, row) for image, row in moved], labels, self._archive)
        self._moved.update(image.id for image, _ in moved)
        self.here += len(new) + sum(image.file_id == self._archive or image.id in self._moved for image, _ in known)
        there = [(image, row) for image, row in known if image.file_id != self._archive and image.id not in self._moved]
        ranks = [*(one.rank for one in new if one.wnid), *(number for _, _, number in labels)]
        return replace(
            report,
            new=report.new + len(new),
            known=report.known + len(known),
            moved=report.moved + len(moved),
            labels=report.labels + len(ranks),
            unplaced=report.unplaced + sum(number < 0 for number in ranks),
            conflicts=report.conflicts + sum(_contradicts(image, row["wnid"]) for image, row in known),
            differing=report.differing + sum(image.length != row["length"] for image, row in there),
        )

    def _has_moved(self, image: dataset_rows.Known, row: Mapping[str, Any]) -> bool:
        """Whether a known image is to be read from here from now on."""
        if image.file_id == self._archive:
            if image.id > self._newest or image.id in self._moved:
                raise self._twice(image.name)
            return not _lies_there(image, row)
        if self._source.kind is Kind.SHARD and image.length != row["length"]:
            raise ArchiveError(
                f"{self._source.path} has another image {image.name} than one that was imported before: keys that "
                "begin anew in every set of shards need a dataset of their own"
            )
        return self._publication.is_gone(image)

    def _twice(self, name: str) -> ArchiveError:
        return ArchiveError(f"{self._source.path} holds {name} twice")


def _lies_there(image: dataset_rows.Known, row: Mapping[str, Any]) -> bool:
    """Whether an image lies in its file where a row says."""
    return (image.path, image.offset, image.length) == (row["path"], row["offset"], row["length"])


def _contradicts(image: dataset_rows.Known, wnid: str) -> bool:
    """Whether a label is another than the one an image has; one of them may be missing."""
    return bool(wnid) and image.wnid not in ("", wnid)


def _move(image: dataset_rows.Known, row: Mapping[str, Any]) -> dataset_rows.Moved:
    """Where an image lies now; it is read anew unless all of its archive was moved."""
    return dataset_rows.Moved(image.id, row["path"], row["offset"], row["length"], anew=not _lies_there(image, row))


def _has_size(path: Path, length: int) -> bool:
    try:
        return path.lstat().st_size == length
    except OSError:
        return False


def _label(said: Annotation) -> str:
    """The class of an image by its boxes; "" where they are of several."""
    return said.wnids[0] if len(said.wnids) == 1 else ""
