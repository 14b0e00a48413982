"""The images of one source of a dataset: which are new, which are known, and which of those lie here from now on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from holotype.catalog import datasets as dataset_rows
from holotype.errors import ArchiveError
from holotype.imports.comparison import Verdict
from holotype.imports.reports import SourceReport
from holotype.imports.shapes import Kind, Source

if TYPE_CHECKING:
    from holotype.project.dataset_write import Publication

KEPT: Final = "known images of which no label is told here, which keep theirs"


class Shelf:
    """Stores the images of one source, chunk by chunk; `here` counts the images that lie in it.

    `state` is its size and time of change, `held` how it was known before, `verdict` tells of images known elsewhere.
    """

    def __init__(
        self,
        publication: Publication,
        source: Source,
        state: tuple[int, int],
        archive: int,
        newest: int,
        held: dataset_rows.File | None,
        verdict: Verdict,
    ) -> None:
        self._publication = publication
        self._source = source
        self._state = state
        self._archive = archive
        self._newest = newest
        self._held = held
        self._verdict = verdict
        self._laid_out = source.layout is not None
        self._moved: set[int] = set()
        self._overwritten = 0
        self.here = 0

    def add(self, report: SourceReport, rows: Sequence[Mapping[str, Any]]) -> SourceReport:
        """Store some more rows."""
        names = Counter(row["name"] for row in rows)
        if len(names) < len(rows):
            raise self._twice(names.most_common(1)[0][0])
        held = self._publication.single(self._publication.images_named(names))
        new = [self._publication.image(row, self._archive) for row in rows if row["name"] not in held]
        known = [(held[row["name"]], row) for row in rows if row["name"] in held]
        moves = [(image, move) for image, row in known if (move := self._move(image, row)) is not None]
        moved = [image for image, _ in moves if image.file_id != self._archive]
        rank = self._publication.rank
        is_label = self._publication.is_label
        labels = [(image.id, row["wnid"], rank(row["wnid"])) for image, row in known if is_label(image, row["wnid"])]
        contradicted = sum(contradicts(image, row["wnid"]) for image, row in known)
        relabelled = self._publication.relabelled(contradicted)
        relabels = self._publication.terms.relabel
        kept = sum(relabels and bool(image.wnid) and not row["wnid"] for image, row in known)
        self._publication.write(new, [move for _, move in moves], labels, self._archive)
        self._moved.update(image.id for image, _ in moves)
        self.here += len(new) + sum(image.file_id == self._archive or image.id in self._moved for image, _ in known)
        ranks = [*(one.rank for one in new if one.wnid), *(number for _, _, number in labels)]
        return replace(
            report,
            new=report.new + len(new),
            known=report.known + len(known),
            moved=report.moved + len(moved),
            changed=report.changed + len(moves) - len(moved),
            labels=report.labels + len(ranks) - relabelled,
            relabelled=report.relabelled + relabelled,
            unplaced=report.unplaced + sum(number < 0 for number in ranks),
            conflicts=report.conflicts + contradicted - relabelled,
            remarks=Counter(report.remarks) + Counter({KEPT: kept}),
            differing=report.differing + sum(self._is_other(image, row) for image, row in known),
            unproven=report.unproven + sum(self._is_unproven(image, row) for image, row in known),
            classes=report.classes | {row["wnid"] for row in rows if row["wnid"]} if self._laid_out else frozenset(),
        )

    def check(self) -> None:
        """Raises `ArchiveError` where images that lie here have other bytes than they had."""
        if self._overwritten and not self._publication.terms.overwritten:
            raise ArchiveError(
                f"{self._source.path} holds other bytes under the names of {self._overwritten:,} images that were "
                "imported from it: bring the old ones back, add it as another dataset, or add it as overwritten"
            )

    def _move(self, image: dataset_rows.Known, row: Mapping[str, Any]) -> dataset_rows.Moved | None:
        """Where a known image is to be read from now on, or read again; None where all stays as it is."""
        there = _lies_there(image, row)
        if image.file_id == self._archive:
            if image.id > self._newest or image.id in self._moved:
                raise self._twice(image.name)
            self._overwritten += image.length != row["length"]
            return None if there and not self._is_changed(image) else _moved(image, row, anew=True)
        if self._is_unproven(image, row):
            return None
        if not self._is_other(image, row) and self._publication.is_gone(image):
            return _moved(image, row, anew=not there or self._publication.state(image) != self._state)
        if self._source.kind is Kind.SHARD and self._is_other(image, row):
            other = self._publication.source_of(image)
            raise ArchiveError(
                f"{self._source.path} has another image {image.name} than {other}: keys that begin anew in each set of "
                "shards need a dataset for each; add this set alone, under another name"
            )
        return None

    def _is_changed(self, image: dataset_rows.Known) -> bool:
        """Whether the file that an image lies in, here, is not as it was when it was imported."""
        if self._held is None:
            return False
        state = self._held.size, self._held.mtime_ns
        return state != self._state or self._publication.is_touched(image, self._held)

    def _is_other(self, image: dataset_rows.Known, row: Mapping[str, Any]) -> bool:
        """Whether an image that lies elsewhere is another than the one here."""
        return image.file_id != self._archive and self._verdict.is_other(image.id, image.length, row["length"])

    def _is_unproven(self, image: dataset_rows.Known, row: Mapping[str, Any]) -> bool:
        """Whether an image cannot be read any more where it lay, and nothing tells whether it is the one here."""
        if self._publication.terms.overwritten or image.file_id == self._archive or self._is_other(image, row):
            return False
        told = self._publication.source_of(image) not in self._verdict.unproven
        return not told and self._publication.is_gone(image)

    def _twice(self, name: str) -> ArchiveError:
        return ArchiveError(f"{self._source.path} holds {name} twice")


def contradicts(image: dataset_rows.Known, wnid: str) -> bool:
    """Whether a label is another than the one an image has; one of them may be missing."""
    return bool(wnid) and image.wnid not in ("", wnid)


def _lies_there(image: dataset_rows.Known, row: Mapping[str, Any]) -> bool:
    """Whether an image lies in its file where a row says."""
    return (image.path, image.offset, image.length) == (row["path"], row["offset"], row["length"])


def _moved(image: dataset_rows.Known, row: Mapping[str, Any], anew: bool) -> dataset_rows.Moved:
    """Where an image lies now, and whether it is to be read anew."""
    return dataset_rows.Moved(image.id, row["path"], row["offset"], row["length"], anew)
