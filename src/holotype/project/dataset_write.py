"""What sources say, written to the catalog within one transaction."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, replace
from itertools import islice
from typing import Any, Final

from sqlalchemy import Connection

from holotype.catalog import annotations as annotation_rows
from holotype.catalog import claims, credits
from holotype.catalog import datasets as dataset_rows
from holotype.catalog import fingerprints as fingerprint_rows
from holotype.catalog import masks as mask_rows
from holotype.catalog.candidates import imported, policy_id
from holotype.catalog.locations import locations
from holotype.errors import ArchiveError
from holotype.imports.annotations import annotations_of
from holotype.imports.boxes import Annotation, Box, scaled
from holotype.imports.comparison import Comparison, Verdict, paired
from holotype.imports.lists import read_urls
from holotype.imports.masks import OTHER_SIZE
from holotype.imports.reports import SourceReport
from holotype.imports.shapes import ANNOTATIONS, IMAGES, SEVERAL, Kind, Source
from holotype.imports.webdataset import annotation_of
from holotype.ontology import Ontology
from holotype.project.dataset_said import CHUNK, Advance, Said, Terms, chunks, location
from holotype.project.dataset_shelf import Shelf, contradicts
from holotype.store.objects import place
from holotype.store.opening import Tree, state_of
from holotype.store.store import Store

OTHERWISE: Final = "images whose label is none of those said here, which were added"
UNSIZED: Final = "boxes in fractions of images of unknown size: run datasets fingerprint, and add this again"


class Publication:
    """Writes what sources say about one dataset, within one transaction."""

    def __init__(
        self, connection: Connection, ontology: Ontology, store: Store, dataset: str, terms: Terms, advance: Advance
    ) -> None:
        self._connection = connection
        self._ontology = ontology
        self._read = store.read
        self.terms = terms
        self._dataset = dataset_rows.dataset_id(connection, dataset)
        self._policy = policy_id(connection, imported(dataset))
        self._held = {row.path: row for row in dataset_rows.files(connection, dataset)}
        self._by_id = {row.id: row for row in self._held.values()}
        self._gone: dict[int, bool] = {}
        self._trees: dict[str, Tree] = {}
        self._left: frozenset[int] = frozenset()
        self._advance = advance
        self._ranks: dict[str, int] = {}

    def take(self, source: Source, said: Said) -> SourceReport:
        """Everything one source says."""
        held = self._held.get(source.absolute)
        if held is not None and held.kind != source.kind:
            raise ArchiveError(f"{source.path} was imported as {held.kind} before, and cannot be {source.kind} too")
        archive = self._archive(source, said, held)
        report = SourceReport(source, passed_over=said.passed_over, remarks=said.left)
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
            "at": self.terms.at,
            "reading_id": dataset_rows.reading_id(self._connection, source.reading),
        }
        number = dataset_rows.put_file(self._connection, None if held is None else held.id, values)
        states = str(source.kind), source.absolute, said.size, said.mtime_ns, self.terms.at, source.reading
        self._by_id[number] = dataset_rows.File(number, self._dataset, "", *states)
        return number

    def _images(self, report: SourceReport, said: Said, archive: int, held: dataset_rows.File | None) -> SourceReport:
        verdict = self._verdict(report.source, said, archive)
        newest = dataset_rows.newest_image(self._connection)
        shelf = Shelf(self, report.source, (said.size, said.mtime_ns), archive, newest, held, verdict)
        for rows in chunks(said):
            report = shelf.add(report, rows)
            report = self._say(report, filter(None, map(annotation_of, rows)), archive, {})
            self._advance("images", report.images, 0)
        changed = held is not None and (held.size, held.mtime_ns) != (said.size, said.mtime_ns)
        if changed and (lost := dataset_rows.images_in(self._connection, archive) - shelf.here):
            raise ArchiveError(
                f"{report.source.path} no longer holds {lost:,} images that were imported from it: bring it back, "
                "or add this one as another dataset"
            )
        shelf.check()
        return report

    def _verdict(self, source: Source, said: Said, archive: int) -> Verdict:
        """Whether what lies here under names that are known is what lies elsewhere.

        Raises `ArchiveError` where most of it is other images, as those of another dataset with the same names are.
        """
        if not any(row.kind in IMAGES and row.id != archive for row in self._by_id.values()):
            return Verdict()
        comparison, count = Comparison(self._read, thorough=source.kind is Kind.SHARD), 0
        for rows in chunks(said):
            count += len(rows)
            named = self.images_named(row["name"] for row in rows)
            held = {name: image.id for name, image in named.items() if image.file_id != archive}
            found = {held[row["name"]]: location(source, said, row) for row in rows if row["name"] in held}
            known = locations(self._connection, found)
            digests = fingerprint_rows.digests(self._connection, found)
            comparison.add(list(paired(found, known, digests)))
        verdict = comparison.verdict()
        if 2 * verdict.differing > count and source.kind is not Kind.SHARD:
            raise ArchiveError(
                f"{source.path} holds other images under the names of {verdict.differing:,} known ones: "
                "add it as another dataset"
            )
        return verdict

    def leave(self, files: Iterable[int]) -> None:
        """From now on the images in these files are to be read from elsewhere, if they can be."""
        self._left = frozenset(files)

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

    def single(self, held: Mapping[str, dataset_rows.Known]) -> dict[str, dataset_rows.Known]:
        """Images with the label that they have of sources of one label each: what others say stands beside that."""
        several = self._several()
        labelled = [image.id for image in held.values() if image.wnid] if several else []
        if not labelled:
            return dict(held)
        wnids = claims.first_wnids(self._connection, labelled, several)
        return {name: image._replace(wnid=wnids.get(image.id, "")) for name, image in held.items()}

    def _several(self) -> list[int]:
        """The files of the dataset that say several labels of an image."""
        return [row.id for row in self._by_id.values() if row.kind in SEVERAL]

    def is_gone(self, image: dataset_rows.Known) -> bool:
        """Whether an image's bytes cannot be read any more where they were imported from."""
        if image.file_id in self._left:
            return True
        row = self._by_id[image.file_id]
        if row.kind == Kind.TREE:
            status = self._tree(row.path).status(image.path)
            return status is None or status.st_size != image.length
        if row.id not in self._gone:
            self._gone[row.id] = state_of(place(row.path)) != (row.size, row.mtime_ns)
        return self._gone[row.id]

    def source_of(self, image: dataset_rows.Known) -> str:
        """The path of the file or folder that an image was imported from."""
        return self._by_id[image.file_id].path

    def state(self, image: dataset_rows.Known) -> tuple[int, int]:
        """Size and time of change of the file that an image lies in, when that was imported."""
        row = self._by_id[image.file_id]
        return row.size, row.mtime_ns

    def is_touched(self, image: dataset_rows.Known, held: dataset_rows.File) -> bool:
        """Whether an image's file in a tree has changed since, to whatever bytes of its length."""
        return held.kind == Kind.TREE and _changed_after(self._tree(held.path).status(image.path), held.at)

    def _tree(self, path: str) -> Tree:
        return self._trees.setdefault(path, Tree(place(path)))

    def write(
        self,
        new: Sequence[dataset_rows.Imported],
        moved: Sequence[dataset_rows.Moved],
        labels: Sequence[tuple[int, str, int]],
        archive: int,
    ) -> None:
        """Append images, say where others lie now, and label those that had no label, by (image id, wnid, rank)."""
        dataset_rows.add_images(self._connection, self._dataset, self._policy, new)
        dataset_rows.move_images(self._connection, moved, archive, self.terms.overwritten)
        self._label(labels, archive)

    def is_label(self, image: dataset_rows.Known, wnid: str) -> bool:
        """Whether what a source says that an image shows is to be its label from now on."""
        return bool(wnid) and (not image.wnid or (self.terms.relabel and image.wnid != wnid))

    def _label(self, labels: Sequence[tuple[int, str, int]], archive: int) -> None:
        """Say what images show, by (image id, wnid, rank), instead of whatever their dataset said."""
        if self.terms.relabel:
            held = claims.of_images(self._connection, [image for image, _, _ in labels], self._several())
            claims.withdraw(self._connection, held)
        dataset_rows.set_labels(self._connection, labels, archive, self._policy)

    def _say(
        self, report: SourceReport, found: Iterator[Annotation], archive: int, labels: Mapping[str, str]
    ) -> SourceReport:
        """Add what annotations say; `labels` by image name, or where there is none by a solution's boxes."""
        while chunk := list(islice(found, CHUNK)):
            held = self.images_named(name for one in chunk for name in (one.name, *one.aliases))
            held = held if report.source.kind in SEVERAL else self.single(held)
            called = [(next((n for n in (one.name, *one.aliases) if n in held), ""), one) for one in chunk]
            known, unsized = self._in_pixels([(held[name], one) for name, one in called if name])
            by_boxes = report.source.kind is Kind.SOLUTION
            told = [(image, labels.get(one.name) or _label(image, one, by_boxes)) for image, one in known]
            new = {image.id: (image.id, wnid, self.rank(wnid)) for image, wnid in told if self.is_label(image, wnid)}
            self._label(list(new.values()), archive)
            contradicted = sum(contradicts(image, wnid) for image, wnid in told)
            boxes: dict[int, list[annotation_rows.BoxRow]] = {}
            flags: dict[annotation_rows.BoxKey, annotation_rows.Flags] = {}
            for image, one in known:
                for box in one.boxes:
                    row, said = _row_of(box)
                    boxes.setdefault(image.id, []).append(row)
                    flags[image.id, row] = flags.get((image.id, row), said).filled(said)
            sizes = {image.id: (one.width, one.height) for image, one in known if one.width and one.height}
            annotation_rows.add_sizes(self._connection, sizes, archive)
            masks, missized = self._masks(known)
            urls = {image.id: one.url for image, one in known if one.url}
            credited = [
                credits.Credit(image.id, report.source.absolute, one.licence, "", one.url)
                for image, one in known
                if one.licence
            ]
            credits.add(self._connection, credited, self.terms.at)
            further = [(image.id, wnid, self.rank(wnid)) for image, one in known for wnid in one.labels]
            truth = report.source.kind is Kind.TRUTH
            others = sum(truth and _is_other(image, one) for image, one in known)
            other = Counter({OTHERWISE: others, UNSIZED: unsized, OTHER_SIZE: missized})
            report = replace(
                report,
                labels=report.labels + len(new) - self.relabelled(contradicted),
                relabelled=report.relabelled + self.relabelled(contradicted),
                further=report.further + dataset_rows.further_labels(self._connection, further, archive, self._policy),
                facts=report.facts + annotation_rows.add_urls(self._connection, urls, archive),
                boxes=report.boxes + annotation_rows.add_boxes(self._connection, boxes, archive, flags),
                masks=report.masks + mask_rows.add(self._connection, masks, archive),
                unknown=report.unknown + len(chunk) - len(known),
                unplaced=report.unplaced + sum(rank < 0 for _, _, rank in new.values()),
                conflicts=report.conflicts + contradicted - self.relabelled(contradicted),
                remarks=Counter(report.remarks) + Counter(remark for one in chunk for remark in one.remarks) + other,
            )
            self._advance("facts", report.labels + report.boxes, 0)
        return report

    def _masks(
        self, said: Sequence[tuple[dataset_rows.Known, Annotation]]
    ) -> tuple[dict[int, list[mask_rows.MaskRow]], int]:
        """The masks of images that are of their image's size, or whose image is of unknown size; and how many others
        there are."""
        masked = [(image.id, mask) for image, one in said for mask in one.masks]
        sizes = annotation_rows.sizes(self._connection, {image for image, _ in masked}) if masked else {}
        found: dict[int, list[mask_rows.MaskRow]] = {}
        for image, mask in masked:
            if sizes.get(image, (mask.width, mask.height)) == (mask.width, mask.height):
                found.setdefault(image, []).append(mask_rows.MaskRow(*astuple(mask)))
        return found, len(masked) - sum(map(len, found.values()))

    def relabelled(self, contradicted: int) -> int:
        """How many of the contradicted labels have changed: all of them, or none."""
        return contradicted if self.terms.relabel else 0

    def _in_pixels(
        self, said: Sequence[tuple[dataset_rows.Known, Annotation]]
    ) -> tuple[list[tuple[dataset_rows.Known, Annotation]], int]:
        """Annotations whose boxes are all in pixels; and how many boxes could not be, as an image's size is unknown."""
        wanted = [image.id for image, one in said if one.fractions and one.boxes]
        sizes, unsized = annotation_rows.sizes(self._connection, wanted) if wanted else {}, 0
        found = []
        for image, one in said:
            if one.fractions:
                size = sizes.get(image.id)
                unsized += 0 if size else len(one.boxes)
                one = replace(one, boxes=tuple(scaled(box, *size) for box in one.boxes) if size else ())
            found.append((image, one))
        return found, unsized

    def _urls(self, report: SourceReport, archive: int) -> SourceReport:
        found = read_urls(report.source.path)
        while lines := list(islice(found, CHUNK)):
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


def _is_other(image: dataset_rows.Known, said: Annotation) -> bool:
    """Whether the label that an image has is none of those said."""
    return bool(image.wnid and said.labels) and image.wnid not in said.labels


def _changed_after(status: os.stat_result | None, at: float) -> bool:
    """Whether a file was written, or put here, after a time in Unix seconds, or is none any more."""
    return status is None or max(status.st_mtime_ns, status.st_ctime_ns) > at * 1e9


def _row_of(box: Box) -> tuple[annotation_rows.BoxRow, annotation_rows.Flags]:
    """A box as the catalog compares it, and what is said of it."""
    values = astuple(box)
    return annotation_rows.BoxRow(*values[:5]), annotation_rows.Flags(*values[5:])


def _label(image: dataset_rows.Known, said: Annotation, by_boxes: bool) -> str:
    """The class of an image: of those said, if it has none yet; or by its boxes, "" where they are of several."""
    if said.labels and not image.wnid:
        return said.labels[0]
    return said.wnids[0] if by_boxes and len(said.wnids) == 1 else ""
