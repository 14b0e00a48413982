"""All that is said of one image: its labels and why they are so, boxes, masks, its source, and what is like it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from sqlalchemy import Connection

from holotype.catalog import removals, shown
from holotype.catalog.image_names import can_be_asked, meant
from holotype.catalog.masks import MaskRow
from holotype.catalog.masks import of_images as masks_of
from holotype.catalog.shown import ShownBox
from holotype.consensus.votes import Answer
from holotype.crowd.expert import CURATOR
from holotype.crowd.policy_names import without_names
from holotype.crowd.reasons import reasons
from holotype.geometry.masks import Masks, runs_of_text
from holotype.images.outlines import path_of
from holotype.project.image_names import alike
from holotype.project.views import Sight
from holotype.queries import Candidate
from holotype.queries.live import candidates as candidates_of
from holotype.queries.live import first_rows

SOMEBODY: Final = "somebody"
MOST_ALIKE: Final = 24
MOST_MASKS: Final = 50
"""Masks of an image that a page draws."""
_MOST_TEXT: Final = 1 << 20
"""Characters of run lengths of all masks that a page draws: outlines of more take seconds."""
DECIDED: Final = ("yes", "no")
"""The states of labels that everybody may see."""


@dataclass(frozen=True, slots=True)
class LabelFacts:
    """A label of an image: its row, the votes that count by answer, and why it is what it is, in sentences.

    `told` is what drew it, without names.
    """

    row: Candidate
    votes: Mapping[Answer, int]
    told: str
    why: Sequence[str]


@dataclass(frozen=True, slots=True)
class ShownMask:
    """A mask as a page draws it: its synset, how many pixels it has, whether it is a crowd, and its outline as a path
    of SVG in pixels of the upright picture."""

    wnid: str
    area: int
    crowd: bool
    path: str


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """An image: what is known of its bytes and where it is from (`row`), its labels, its boxes by synset, other images
    that nearly look the same, the masks that are drawn, the largest first, and how many it has in all by synset."""

    row: Candidate
    labels: Sequence[LabelFacts]
    boxes: Sequence[ShownBox]
    alike: Sequence[Candidate]
    masks: Sequence[ShownMask] = ()
    masked: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Gone:
    """An image that was taken down, or that somebody asks to be."""


def seen(connection: Connection, key: str, sight: Sight) -> list[int] | Gone | None:
    """The ids of an image, which several datasets may have, by its sha256, or ``DATASET/NAME`` where it was not read
    yet; None where there is none to be seen."""
    if not can_be_asked(key):
        return None
    named = meant(connection, [key]).get(key, [])
    digests = {image.sha256 for image in named} - {""} if named else {key}
    if not sight.removed and removals.hidden_among(connection, digests):
        return Gone()
    if not named or not alike(named):
        return None
    ids = [image.id for image in named]
    if not sight.gold and shown.are_secret(connection, ids):
        return None
    return ids if sight.undecided or shown.are_decided(connection, ids) else None


def read_image(connection: Connection, key: str, sight: Sight) -> ImageFacts | Gone | None:
    """All that is said of an image, as `seen` finds it."""
    ids = seen(connection, key, sight)
    if not isinstance(ids, list):
        return ids
    labels = [label for label in _labels(connection, ids, sight) if sight.undecided or label.row.state in DECIDED]
    others = first_rows(connection, shown.alike(connection, ids))
    row = labels[0].row if labels else first_rows(connection, ids[:1])[0]
    boxes, masks = shown.boxes_of(connection, ids), _masks(connection, ids, row)
    masked = Counter(one.wnid for one in masks)
    return ImageFacts(row, labels, boxes, _to_show(connection, others, sight), _drawn(masks), masked)


def _masks(connection: Connection, ids: Sequence[int], row: Candidate) -> list[MaskRow]:
    """The masks of an image that have its size, the largest first."""
    said = [one for one in masks_of(connection, ids) if (one.width, one.height) == (row.width, row.height)]
    return sorted(said, key=lambda one: -one.area)


def _drawn(masks: Sequence[MaskRow]) -> list[ShownMask]:
    """The first of some masks, as far as their outlines are found at once."""
    left, drawn = _MOST_TEXT, []
    for one in masks[:MOST_MASKS]:
        if len(one.counts) <= left:
            left -= len(one.counts)
            drawn.append(one)
    kept = Masks.of([runs_of_text(one.counts) for one in drawn], [(one.height, one.width) for one in drawn])
    return [ShownMask(one.wnid, one.area, bool(one.crowd), path_of(kept.pixels(at))) for at, one in enumerate(drawn)]


def _labels(connection: Connection, ids: Sequence[int], sight: Sight) -> list[LabelFacts]:
    """All labels of an image; what is still asked about says nothing of its votes to who may be asked."""
    said = shown.said_of(connection, ids)
    rows = candidates_of(connection, [one.candidate for one in said])
    found = []
    for one, row in zip(said, rows, strict=True):
        if row.state == "open" and not sight.gold:
            found.append(label_of(replace(row, score=None, policy=""), {}))
        else:
            votes = {Answer(answer): count for answer, count in one.votes.items()}
            found.append(label_of(row, votes, one.guard))
    return found


def label_of(row: Candidate, votes: Mapping[Answer, int], guard: str | None = None) -> LabelFacts:
    """A label with its votes, and why it is what it is."""
    told = "a curator" if row.policy.startswith(CURATOR) else without_names(row.policy, lambda _: SOMEBODY)
    return LabelFacts(row, votes, told, reasons(row.policy, row.state, row.score, guard, votes))


def _to_show(connection: Connection, rows: Sequence[Candidate], sight: Sight) -> list[Candidate]:
    """Those of some rows that may be shown."""
    gone = set() if sight.removed else removals.hidden_among(connection, (row.sha256 for row in rows))
    left = [row for row in rows if row.sha256 not in gone and (sight.undecided or row.state in DECIDED)]
    return left[:MOST_ALIKE]
