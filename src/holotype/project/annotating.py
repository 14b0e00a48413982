"""Bringing in what a file of an annotators' tool says: the images that it means, and facts written in a transaction."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from sqlalchemy import Connection

from holotype.catalog import annotations as annotation_rows
from holotype.catalog import candidates, datasets, images, schema, sightings, votes
from holotype.catalog import masks as mask_rows
from holotype.catalog.fingerprints import unsound
from holotype.catalog.image_names import meant
from holotype.catalog.images import Named
from holotype.consensus.votes import Answer
from holotype.engine import Progress
from holotype.imports.tools.reading import Read
from holotype.imports.tools.shapes import Export
from holotype.project.annotated import Said, Site
from holotype.project.fingerprints import fingerprint_images
from holotype.project.image_names import alike
from holotype.project.parts import Parts
from holotype.releases.quantities import plural

KIND: Final = annotation_rows.ANNOTATIONS
"""The kind of a file that says what people said of images in a tool."""


@dataclass(frozen=True, slots=True)
class AnnotationsReport:
    """What a file of a tool brought.

    Of its `images`, `unknown` are called as none of the project's, and `ambiguous` as several: their names, as the file
    has them. `boxes`, `masks`, `votes` and `candidates` are new, `known_boxes` and the others were there. `wordless`
    counts what was said by labels that mean no synset; `unmet` are labels that a meaning was given for and that are not
    there; `remarks` counts what else was not taken as it stands. `overtaken` labels were a dataset's word alone, and
    are up to votes from now on; `opened` of these are yes no more, as so few votes do not decide them. `changed` labels
    of the project are others now. Of what was `rehearsed` nothing was written: it says what would be so.
    """

    file: str
    tool: str
    images: int
    unknown: tuple[str, ...]
    ambiguous: tuple[str, ...]
    workers: tuple[str, ...]
    wordless: Mapping[str, int]
    unmet: tuple[str, ...]
    remarks: Mapping[str, int]
    boxes: int = 0
    known_boxes: int = 0
    votes: int = 0
    known_votes: int = 0
    candidates: int = 0
    overtaken: int = 0
    opened: int = 0
    changed: int = 0
    rehearsed: bool = False
    masks: int = 0
    known_masks: int = 0

    def __str__(self) -> str:
        found = self.images - len(self.unknown) - len(self.ambiguous)
        ambiguous = f" + {len(self.ambiguous):,} ambiguous" if self.ambiguous else ""
        images = f"{plural(self.images, 'image')} = {found:,} known + {len(self.unknown):,} unknown{ambiguous}"
        boxes = f"{plural(self.boxes, 'box is', 'boxes are')} new, {self.known_boxes:,} were known"
        if self.masks or self.known_masks:
            boxes += f"; {plural(self.masks, 'mask is', 'masks are')} new, {self.known_masks:,} were known"
        cast = f"{plural(self.votes, 'vote is', 'votes are')} new, {self.known_votes:,} were known"
        taken = (
            f"; {plural(self.overtaken, 'label that a dataset gave is', 'labels that a dataset gave are')} up to votes "
            "from now on"
            if self.overtaken
            else ""
        )
        taken += f", and {self.opened:,} of them are not yes any more" if self.opened else ""
        end = "nothing was written" if self.rehearsed else f"{plural(self.changed, 'label')} changed"
        return f"{self.file} ({self.tool}): {images}; {boxes}; {cast}; {self.candidates:,} new candidates{taken}; {end}"


class Meant(NamedTuple):
    """The image that each picture of a file is of, None for none or several; and the names, as the file has them, of
    pictures that are of none, and that may be of several."""

    images: list[Named | None]
    unknown: tuple[str, ...]
    ambiguous: tuple[str, ...]


def images_of(connection: Connection, export: Export) -> Meant:
    """The images that the pictures of a file are of. Of several with the same bytes the first that is asked about."""
    found = _meanings(connection, [picture.names for picture in export.pictures])
    asked = candidates.wnids_of(connection, {one.id for some in found for one in some})
    called = [(*picture.names, "")[0] for picture in export.pictures]
    pairs = list(zip(called, found, strict=True))
    several = [name for name, some in pairs if some and not alike(some)]
    return Meant(
        [_first(some, asked) for some in found],
        tuple(dict.fromkeys(name for name, some in pairs if not some)),
        tuple(dict.fromkeys(several)),
    )


def _meanings(connection: Connection, names: Sequence[Sequence[str]]) -> list[Sequence[Named]]:
    """The images that the first of some names means which means any, of each sequence of them."""
    found: list[Sequence[Named]] = [()] * len(names)
    left = [place for place, some in enumerate(names) if some]
    turn = 0
    while left:
        known = meant(connection, {names[place][turn] for place in left})
        for place in left:
            found[place] = known.get(names[place][turn], ())
        turn += 1
        left = [place for place in left if not found[place] and len(names[place]) > turn]
    return found


def _first(some: Sequence[Named], asked: Collection[int]) -> Named | None:
    if not some or not alike(some):
        return None
    return next((one for one in some if one.id in asked), some[0])


def sites_of(parts: Parts, found: Sequence[Named | None], progress: Progress) -> tuple[list[Site | None], int]:
    """Images that are sound with their sizes, those that were not read yet read; and how many are not sound."""
    ids = {one.id for one in found if one is not None}
    fingerprint_images(parts.catalog, parts.store, ids, progress)
    with parts.catalog.read() as connection:
        bad = unsound(connection, ids)
        sizes = annotation_rows.sizes(connection, ids - bad.keys())
    sites = [Site(one.id, *sizes[one.id]) if one is not None and one.id in sizes else None for one in found]
    return sites, len(bad)


def write(
    connection: Connection, parts: Parts, read: Read, said: Said, report: AnnotationsReport
) -> tuple[AnnotationsReport, list[int]]:
    """Append the facts that a file says; the report with how many of them are new, and the candidates that were a
    dataset's word alone."""
    file = _file(connection, read, report.file, parts.clock())
    boxes = {image: list(held.elements()) for image, held in said.boxes.items()}
    new_boxes = annotation_rows.add_boxes(connection, boxes, file, said.flags)
    masks = {image: list(held.elements()) for image, held in said.masks.items()}
    new_masks = mask_rows.add(connection, masks, file)
    made = _propose(connection, parts, said, f"{report.tool}:{report.file}")
    numbers = candidates.ids(connection, ((wnid, image) for image, wnid, _ in said.votes))
    overtaken = candidates.not_asked(connection, numbers.values())
    candidates.ask(connection, overtaken)
    cast = [
        {
            "candidate_id": numbers[wnid, image],
            "worker": worker,
            "answer": int(Answer.YES),
            "page": "",
            "round": 0,
            "seconds": 0.0,
            "at": at,
        }
        for (image, wnid, worker), at in said.votes.items()
    ]
    new_votes = votes.add(connection, cast)
    written = replace(
        report,
        boxes=new_boxes,
        known_boxes=sum(map(len, boxes.values())) - new_boxes,
        masks=new_masks,
        known_masks=sum(map(len, masks.values())) - new_masks,
        votes=new_votes,
        known_votes=len(cast) - new_votes,
        candidates=made,
        overtaken=len(overtaken),
    )
    return written, overtaken


def opened(connection: Connection, overtaken: Sequence[int]) -> int:
    """How many labels that were a dataset's word are yes no more."""
    return sum(state != "yes" for state in candidates.states(connection, overtaken).values())


def _file(connection: Connection, read: Read, name: str, now: float) -> int:
    """The file that says so, known by its bytes and its name."""
    path = f"{read.sha256}/{name}"
    held = next((row for row in datasets.files(connection, "") if row.path == path), None)
    values = {"dataset_id": schema.OWN, "kind": KIND, "path": path, "size": read.size, "mtime_ns": 0, "at": now}
    return held.id if held is not None else datasets.put_file(connection, None, values)


def _propose(connection: Connection, parts: Parts, said: Said, source: str) -> int:
    """Make images candidates for what is said of them where they are none; how many."""
    pairs = {(wnid, image) for image, wnid, _ in said.votes}
    new = sorted(pairs - candidates.ids(connection, pairs).keys())
    origin = {number: one.origin for number, one in images.with_ids(connection, {image for _, image in new}).items()}
    rank = parts.ontology.rank
    rows = [sightings.Sighting(wnid, rank(wnid), image, origin[image], source, "", 0, "") for wnid, image in new]
    sightings.add(connection, rows)
    return len(new)
