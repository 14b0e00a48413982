"""Boxes that machines propose become drawings by a machine worker, which people only verify."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection

from holotype.boxes.proposals import Hindrance, laid, repeats
from holotype.boxes.values import Corners, Drawn, Kind, Method
from holotype.catalog import box_facts, box_subjects, schema
from holotype.catalog.box_proposals import drawn_by
from holotype.catalog.candidates import images_of
from holotype.catalog.fingerprints import unread_of
from holotype.catalog.image_names import meant
from holotype.crowd.machines.voter import worker_name
from holotype.errors import AmbiguousLemma, OntologyError
from holotype.imports.proposals import BrokenRow, GivenBox, read_proposals
from holotype.ontology import Synset
from holotype.project.box_records import made_row
from holotype.project.fingerprints import fingerprint_images
from holotype.project.image_names import SHOWN, Pair, lines, named_candidates
from holotype.project.parts import Parts
from holotype.project.synset_names import fitting, meanings

BATCH: Final = 20_000
"""Proposals that are read, placed and made durable together."""
_DRAW: Final = schema.BOX_KINDS.index(Kind.DRAW)
_TOLD: Final = {
    Hindrance.INVERTED: "it ends before it begins",
    Hindrance.OUTSIDE: "it lies outside of the picture of {} x {} pixels",
    Hindrance.REPEATED: "it overlaps a surer one, or one proposed before",
    Hindrance.UNSURE: "its score is below what is wanted, or not said",
}


@dataclass(frozen=True, slots=True)
class ProposalsReport:
    """What became of proposals: drawings that are new, boxes that were `known`, and those that are not asked about with
    the reason; `clipped` of the new ones reached beyond their picture."""

    worker: str
    new: int = 0
    known: int = 0
    clipped: int = 0
    refused: tuple[BrokenRow, ...] = field(default=())

    @property
    def reasons(self) -> dict[str, int]:
        """How many are not asked about, by reason."""
        return dict(sorted(Counter(one.reason for one in self.refused).items()))

    def __str__(self) -> str:
        told = ", ".join(f"{name} {count:,}" for name, count in self.reasons.items())
        total = self.new + self.known + len(self.refused)
        return (
            f"{total:,} proposals of {self.worker} = {self.new:,} new + {self.known:,} known + "
            f"{len(self.refused):,} left out{f' ({told})' if told else ''}; {self.clipped:,} were clipped"
        )


@dataclass(frozen=True, slots=True)
class Placed:
    """A proposal on the pixels of its candidate's picture."""

    given: GivenBox
    candidate: int
    box: Corners
    clipped: bool


Boxes = Iterable[GivenBox] | str | os.PathLike[str]
"""Boxes one by one, or a file of them."""


def boxes_in(boxes: Boxes, names: Path | None = None) -> tuple[Iterable[GivenBox], Sequence[BrokenRow]]:
    """Boxes, and the rows that are none where they are a file: see `holotype.imports.proposals.read_proposals`."""
    if isinstance(boxes, str | os.PathLike):
        return read_proposals(Path(boxes), names)
    return boxes, ()


def propose(
    parts: Parts,
    senses: Callable[[str], Sequence[Synset]],
    name: str,
    boxes: Iterable[GivenBox],
    broken: Iterable[BrokenRow] = (),
    least: float | None = None,
) -> ProposalsReport:
    """Record the boxes that a machine proposes as drawings of the worker ``machine:NAME``, told with what was `broken`
    before it could be a box.

    Boxes are rounded to pixels and clipped to their picture. Those that the machine proposed before are known: the same
    again adds nothing. Left out, with the reason, are boxes of nothing that is a candidate here, those outside of their
    picture, that end before they begin, whose score is below `least`, and that overlap a surer one of the same image
    and synset (`holotype.boxes.proposals.REPEATED`). Each batch is durable before the next is read. Raises `CrowdError`
    for a name that is none.
    """
    parts.check_writable()
    worker = worker_name(name)
    refused, counts = list(broken), Counter[str]()
    left = iter(boxes)
    while batch := list(islice(left, BATCH)):
        placed = placed_boxes(parts, senses, batch, least, refused)
        done, repeated = parts.catalog.transact(partial(_record, worker=worker, placed=placed, at=parts.clock()))
        counts += done
        refused += repeated
    order = tuple(sorted(refused, key=lambda one: one.row))
    return ProposalsReport(worker, counts["new"], counts["known"], counts["clipped"], order)


def placed_boxes(
    parts: Parts,
    senses: Callable[[str], Sequence[Synset]],
    given: Sequence[GivenBox],
    least: float | None,
    refused: list[BrokenRow],
) -> list[Placed]:
    """The boxes that are in the pictures of candidates, which are read where they were not; the others are `refused`,
    with the reason."""
    pairs = dict.fromkeys((one.image, one.synset) for one in given)
    with parts.catalog.read() as connection:
        number = _candidates(connection, senses, pairs)
    known = {one for one in number.values() if isinstance(one, int)}
    read_pictures(parts, known)
    with parts.catalog.read() as connection:
        size = {one.candidate: (one.width, one.height) for one in box_subjects.subjects(connection, known)}
    return list(_in_pictures(given, number, size, least, refused))


def read_pictures(parts: Parts, candidates: Collection[int]) -> None:
    """Read the images of candidates that were not read yet: boxes are of pictures whose size is known."""
    with parts.catalog.read() as connection:
        images = images_of(connection, candidates)
        new = [number for number, _ in unread_of(connection, images)]
    if new:
        fingerprint_images(parts.catalog, parts.store, new)


def _in_pictures(
    given: Sequence[GivenBox],
    number: Mapping[Pair, int | tuple[str, str]],
    size: Mapping[int, tuple[int, int]],
    least: float | None,
    refused: list[BrokenRow],
) -> Iterator[Placed]:
    for one in given:
        candidate = number[one.image, one.synset]
        if not isinstance(candidate, int):
            refused.append(BrokenRow(one.row, *candidate))
        elif candidate not in size:
            refused.append(BrokenRow(one.row, "unseen", f"{one.image[:SHOWN]!r} cannot be looked at"))
        elif least is not None and (one.score is None or one.score < least):
            refused.append(_why(one, Hindrance.UNSURE))
        elif isinstance(found := laid(one.corners, *size[candidate]), Hindrance):
            refused.append(_why(one, found, *size[candidate]))
        else:
            yield Placed(one, candidate, *found)


def _why(one: GivenBox, hindrance: Hindrance, *size: int) -> BrokenRow:
    return BrokenRow(one.row, hindrance, _TOLD[hindrance].format(*size))


def _candidates(
    connection: Connection, senses: Callable[[str], Sequence[Synset]], pairs: Iterable[Pair]
) -> dict[Pair, int | tuple[str, str]]:
    """The candidate of each pair of an image and a synset as people name them; or why it is none: a word for it, and
    what is wrong."""
    wnids = fitting(connection, pairs, meanings({word for _, word in pairs}, senses))
    said = {pair: (pair[0], wnid) for pair, wnid in wnids.items() if isinstance(wnid, str)}
    held = named_candidates(connection, dict.fromkeys(said.values()))
    there = meant(connection, {image for image, wnid in said.values() if (image, wnid) not in held})
    return {pair: _meant(connection, pair, wnids[pair], held, there) for pair in wnids}


def _meant(
    connection: Connection,
    pair: Pair,
    wnid: str | OntologyError,
    held: Mapping[Pair, Mapping[int, bool]],
    there: Mapping[str, object],
) -> int | tuple[str, str]:
    image, name = pair[0], pair[0][:SHOWN]
    if isinstance(wnid, OntologyError):
        return ("ambiguous_synset" if isinstance(wnid, AmbiguousLemma) else "unknown_synset"), str(wnid)
    numbers = held.get((image, wnid))
    if numbers is None and image not in there:
        return "unknown_image", f"no image is called {name!r}"
    if numbers is None:
        return "no_candidate", f"{name!r} is no candidate for {wnid}"
    if len(numbers) > 1 and not all(numbers.values()):
        return "ambiguous_image", "; ".join(lines(connection, image, meant(connection, [image])[image]))
    return min(numbers)


def _record(
    connection: Connection, worker: str, placed: Sequence[Placed], at: float
) -> tuple[Counter[str], list[BrokenRow]]:
    """Append drawings: how many are new, known and clipped; and those that repeat another."""
    asked = sorted({one.candidate for one in placed})
    questions = box_facts.ask(connection, [(_DRAW, number, 0, ()) for number in asked], at)
    question = dict(zip(asked, questions, strict=True))
    before = drawn_by(connection, worker, questions)
    rows: list[dict[str, Any]] = []
    counts, repeated = Counter[str](), list[BrokenRow]()
    for candidate, mine in _by_candidate(placed).items():
        there = before.get(question[candidate], [])
        fresh = [one for one in mine if one.box not in there]
        again = repeats([one.box for one in fresh], [one.given.score for one in fresh], there)
        new = [one for one, twice in zip(fresh, again, strict=True) if not twice]
        repeated += [_why(one.given, Hindrance.REPEATED) for one, twice in zip(fresh, again, strict=True) if twice]
        drawn = enumerate((Drawn(one.box, Method.MACHINE, score=one.given.score) for one in new), len(there))
        rows += [made_row(question[candidate], worker, number, one, at) for number, one in drawn]
        counts += Counter(new=len(new), known=len(mine) - len(fresh), clipped=sum(one.clipped for one in new))
    box_facts.add_drawings(connection, rows)
    return counts, repeated


def _by_candidate(placed: Sequence[Placed]) -> dict[int, list[Placed]]:
    found: dict[int, list[Placed]] = {}
    for one in placed:
        found.setdefault(one.candidate, []).append(one)
    return found
