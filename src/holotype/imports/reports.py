"""What became of the sources of a dataset."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from holotype.imports.shapes import IMAGES, Kind, Source
from holotype.store.allowance import Cost

UNPROVEN: Final = (
    "known ones that cannot be read where they were, so that nothing tells whether these are the same, which were not "
    "taken: bring those back and add this again, add it as another dataset, or say that they were overwritten"
)


@dataclass(frozen=True, slots=True)
class SourceReport:
    """What one source brought. ``images = new + known``; `moved` are known ones that are now read from here.

    `further` are labels beside the first of an image. Of what it says of images, `unknown` names none that is imported,
    `conflicts` are labels it says otherwise than what was known, which stays unless it is `relabelled`, and `unplaced`
    are labels that are no synset of the ontology. `differing` are known images that have other bytes here,
    `unproven` ones that cannot be read where they were, so that nothing tells whether these are their bytes, `changed`
    ones whose file here has changed since, so that they are read again. One that is `unchanged` since it was imported
    is not scanned again. `classes` are the wnids of the images where a layout tells them. `remarks` are further things
    that were rounded or not taken, each with its number, `unread` lines of a list of URLs that say something else.
    """

    source: Source
    unchanged: bool = False
    new: int = 0
    known: int = 0
    moved: int = 0
    labels: int = 0
    further: int = 0
    boxes: int = 0
    masks: int = 0
    facts: int = 0
    unknown: int = 0
    unplaced: int = 0
    conflicts: int = 0
    differing: int = 0
    unproven: int = 0
    changed: int = 0
    relabelled: int = 0
    passed_over: int = 0
    classes: frozenset[str] = frozenset()
    remarks: Mapping[str, int] = field(default_factory=dict)
    unread: int = 0

    @property
    def images(self) -> int:
        """Number of images the source holds."""
        return self.new + self.known

    def __str__(self) -> str:
        where = f"{self.source.kind} {self.source.path}"
        if self.source.layout is not None:
            where = f"{self.source.path}: {self.source.layout.title}, {len(self.classes):,} classes"
        if self.unchanged:
            return f"{where}: has not changed since it was imported"
        images = f"{self.images:,} images = {self.new:,} new + {self.known:,} known"
        remarks = (
            (self.moved, "known ones are now read from here"),
            (self.labels, "labels"),
            (self.relabelled, "labels changed"),
            (self.further, "further labels of images that have one"),
            (self.boxes, "boxes"),
            (self.masks, "masks"),
            (self.facts, "other facts"),
            (self.unknown, "of images that are not imported"),
            (self.unplaced, "labels on synsets that the ontology does not have"),
            (self.conflicts, "labels that contradict what is known, and were not taken"),
            (self.changed, "known ones have changed here since, and are to be read again"),
            (self.differing, "other images under known names, which were not taken"),
            (self.unproven, UNPROVEN),
            (self.passed_over, "links, leftovers and images with other names passed over"),
            (self.unread, "lines that are no name of an image and a URL"),
        )
        if self.source.kind is Kind.OTHER or (self.source.kind is Kind.TREE and not self.images):
            besides = f", but {self.passed_over:,} links or others" if self.passed_over else ""
            return f"{where}: passed over, it holds no images of this dataset{besides}"
        counted = [*remarks, *((count, text) for text, count in sorted(self.remarks.items()))]
        said = [images] if self.source.kind in IMAGES else []
        said += [f"{count:,} {text}" for count, text in counted if count]
        return f"{where}: {', '.join(said) or 'nothing new'}"


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import brought, source by source; `requests` to object stores that it took, and bytes `received`."""

    dataset: str
    sources: tuple[SourceReport, ...]
    requests: int = 0
    received: int = 0

    def __str__(self) -> str:
        new, images = sum(one.new for one in self.sources), sum(one.images for one in self.sources)
        lines = [*map(str, self.sources), f"{self.dataset}: {images:,} images, {new:,} of them new"]
        lines += [str(Cost(self.requests, self.received))] if self.requests else []
        return "\n".join(lines)
