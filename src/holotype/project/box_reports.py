"""What is told of the boxes of a project."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from holotype.boxes.tally import OPEN
from holotype.boxes.values import Corners
from holotype.catalog.annotations import said_by
from holotype.catalog.box_conclusions import DETECTIONS, KnownBox


@dataclass(frozen=True, slots=True)
class BoxesReport:
    """The outcome of `Boxes.run`: candidates by what became of them (covered, empty, person, open), the replies that
    this call and all calls brought, and the boxes there are; `unread` images could not be looked at.

    `up` pages wait for somebody; some may be `held_back` since the budget has no replies left for them. `refused` says
    why sheets were. `archived` candidates were left out, since archives or annotators gave them boxes.
    """

    states: Mapping[str, int]
    boxes: int
    new_replies: int
    replies: int
    rules: str
    up: int = 0
    unread: int = 0
    held_back: bool = False
    refused: tuple[str, ...] = ()
    archived: int = 0

    @property
    def waiting(self) -> bool:
        """Whether some candidates are open: the crowd is still working, or was stopped."""
        return self.states.get(OPEN, 0) > 0

    def __str__(self) -> str:
        total = sum(self.states.values())
        parts = ", ".join(f"{name} {count:,}" for name, count in self.states.items())
        unread = f"; {self.unread:,} more cannot be looked at" if self.unread else ""
        return (
            f"{total:,} candidates: {parts}; {self.boxes:,} boxes; {self.replies:,} replies, {self.new_replies:,} of "
            f"them new{unread}"
        )


@dataclass(frozen=True, slots=True)
class ImageBox:
    """A box of an image: its synset, inclusive pixels of the upright picture, the share of people who drew it (None
    where nobody was asked), what is said of it, and `by` whom: people, ``machine:NAME``, or an archive, whose file is
    the `source`."""

    wnid: str
    box: Corners
    by: str
    source: str
    support: float | None = None
    truncated: bool | None = None
    occluded: bool | None = None
    group_of: bool | None = None
    difficult: bool | None = None


@dataclass(frozen=True, slots=True)
class SynsetBoxes:
    """How the boxes of a synset stand: its candidates by what became of them, boxes and drawings, how many of the
    drawings that were judged are good, and the time that people took, in seconds. `unlabelled` candidates were drawn on
    or asked about, and are not labelled yes (any more): they have no boxes and are in none of these states."""

    wnid: str
    states: Mapping[str, int]
    boxes: int = 0
    drawings: int = 0
    good: int = 0
    judged: int = 0
    seconds: float = 0.0
    unlabelled: int = 0

    @property
    def images(self) -> int:
        """How many images there are."""
        return sum(self.states.values())


@dataclass(frozen=True, slots=True)
class RulesChange:
    """What other rules change of what was concluded: of how many images, and how many boxes these had and have."""

    before: str
    after: str
    images: int
    boxes_before: int
    boxes_after: int

    def __str__(self) -> str:
        boxes = f"{self.boxes_before:,} boxes become {self.boxes_after:,}"
        return f"other rules than last change {self.images:,} images, where {boxes}: {self.before} becomes {self.after}"


@dataclass(frozen=True, slots=True)
class WantedPerson:
    """An image, by its name and sha256, of whose boxes of a synset somebody who knows must say what there is."""

    image: str
    sha256: str
    wnid: str


def image_box(one: KnownBox) -> ImageBox:
    """A box as it is kept."""
    by = one.path if one.kind == DETECTIONS else said_by(one.kind)
    corners = one.x_min, one.y_min, one.x_max, one.y_max
    flags = (
        None if said is None else bool(said) for said in (one.truncated, one.occluded, one.group_of, one.difficult)
    )
    truncated, occluded, group_of, difficult = flags
    return ImageBox(one.wnid, corners, by, one.path, one.support, truncated, occluded, group_of, difficult)
