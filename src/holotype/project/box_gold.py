"""Gold of boxes: made of drawings that agree, and of boxes that archives gave or somebody knows; told, withdrawn."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Final

from sqlalchemy import Connection

from holotype.boxes.campaign import box_hindrance
from holotype.boxes.deciding import Outcome
from holotype.boxes.gold import PEOPLE, GoldQuestion, KnownImage, agreeing, choose
from holotype.boxes.instances import instances
from holotype.boxes.rules import Rules
from holotype.boxes.tally import Tally
from holotype.boxes.values import Corners, Drawn, Kind, Method, Question
from holotype.catalog import box_facts, box_given, box_known, box_subjects
from holotype.catalog.box_proposals import drawn_by
from holotype.consensus.votes import MACHINE, Answer, is_curator
from holotype.crowd.gold import draw
from holotype.errors import CrowdError
from holotype.imports.proposals import BrokenRow, GivenBox
from holotype.ontology import Synset
from holotype.project.box_courses import last_rules
from holotype.project.box_pages import KINDS, corners_of
from holotype.project.box_proposals import Boxes, boxes_in, placed_boxes, read_pictures
from holotype.project.box_records import ask, made_row, read_boxes
from holotype.project.facts import check_reason
from holotype.project.image_names import images_called
from holotype.project.lemmas import Lemmas
from holotype.project.parts import Parts

MAKER: Final = f"{MACHINE}gold"
"""The worker that gold's drawings are by, which are boxes of no image: no person can be called so."""
AGREED: Final = "agreement"
"""The source of gold that people's drawings agree on."""
PER_SYNSET: Final = 40
"""Gold questions of each kind that a synset is to have."""


@dataclass(frozen=True, slots=True)
class GoldReport:
    """What became of gold that was made: questions that are `new`, that were `known` (withdrawn ones too, which stay
    withdrawn), of how many images; and what was left out, by reason."""

    new: int
    known: int
    images: int
    left_out: Mapping[str, int]

    def __str__(self) -> str:
        told = ", ".join(f"{name} {count:,}" for name, count in self.left_out.items())
        made = f"{self.new + self.known:,} gold questions = {self.new:,} new + {self.known:,} known, of"
        return f"{made} {self.images:,} images{f'; left out: {told}' if told else ''}"


@dataclass(frozen=True, slots=True)
class BoxStatement:
    """What was said of a question about boxes to be known, and still is unless `withdrawn`: of the quality of its one
    box, or whether the `boxes` are all there are. `number` is the question's id."""

    number: int
    sha256: str
    wnid: str
    kind: Kind
    boxes: tuple[Corners, ...]
    answer: bool | None
    source: str
    reason: str
    at: float

    @property
    def withdrawn(self) -> bool:
        """Whether it is known no more."""
        return self.answer is None


class BoxGold:
    """The gold of a project's boxes: questions of quality and coverage whose answers are known for sure."""

    def __init__(self, parts: Parts, lemmas: Lemmas) -> None:
        self._parts = parts
        self._lemmas = lemmas

    def statements(self) -> list[BoxStatement]:
        """What is known of questions about boxes, or was, by synset: of each what was said last."""
        with self._parts.catalog.read() as connection:
            return read_gold(connection)

    def agree(self, least: int = PEOPLE, most: int = PER_SYNSET) -> GoldReport:
        """Make gold of drawings that agree: see `make_of_agreement`."""
        return make_of_agreement(self._parts, least, most)

    def imported(self, under: Iterable[str] = (), complete: bool = False, most: int = PER_SYNSET) -> GoldReport:
        """Make gold of boxes that archives gave, of all synsets or of those below some: see `make_of_archives`."""
        ontology = self._parts.ontology
        tops = [self._lemmas.meant(text) for text in under]
        wnids = {one.wnid for top in tops for one in (top, *ontology.descendants(top.wnid))}
        return make_of_archives(self._parts, wnids, complete, most)

    def add(
        self, boxes: Boxes, source: str, complete: bool = False, names: Path | None = None
    ) -> tuple[GoldReport, list[BrokenRow]]:
        """Make gold of boxes that somebody knows, or of a file of them (`holotype.imports.proposals`): see
        `make_of_known`. Raises `CrowdError` for a source that looks like a curator's ruling."""
        if is_curator(source):
            raise CrowdError(f"{source[:80]!r} is no source of gold: what curators rule begins so")
        given, broken = boxes_in(boxes, names)
        return make_of_known(self._parts, self._lemmas.senses, given, source, complete, broken)

    def withdraw(self, what: Sequence[int | str], by: str, reason: str) -> int:
        """Be sure no more of gold: see `withdraw`."""
        return withdraw(self._parts, what, by, reason)


def make_of_agreement(parts: Parts, least: int = PEOPLE, most: int = PER_SYNSET) -> GoldReport:
    """Make gold of boxes on which `least` people's drawings agree, at most `most` questions of each kind a synset.

    An image is known to be complete where its candidate is covered, and all of its instances are agreed on.
    """
    with parts.catalog.read() as connection:
        tally, rules = read_boxes(connection), last_rules(connection)
    tally.conclude(rules or Rules())
    by_synset: dict[str, list[KnownImage]] = defaultdict(list)
    for number, subject in tally.subjects.items():
        if (known := _agreed(tally, number, least)) is not None:
            by_synset[subject.wnid].append(known)
    return _write(parts, by_synset, AGREED, most, {})


def _agreed(tally: Tally, number: int, least: int) -> KnownImage | None:
    drawings, subject = tally.boxing(number).drawings, tally.subjects[number]
    boxes = tuple(dict.fromkeys(one.box for one in agreeing(drawings, least)))
    if not boxes:
        return None
    complete = tally.outcome(number) is Outcome.COVERED and len(instances(drawings)) == len(boxes)
    return KnownImage(number, subject.width, subject.height, boxes, complete)


def make_of_archives(
    parts: Parts, wnids: Iterable[str] = (), complete: bool = False, most: int = PER_SYNSET
) -> GoldReport:
    """Make gold of the boxes that archives gave, of all synsets or of some; the boxes of an image are all there are
    only where the caller says that they are `complete`.

    Images that were not read yet are read. Those with a box that lies outside of them are left out: they are of another
    picture, or of one not turned upright. Boxes of groups and difficult ones are not known well enough to be gold, nor
    are their images to be complete.
    """
    with parts.catalog.read() as connection:
        boxed = _drawn(box_given.boxed(connection, wnids), most)
    read_pictures(parts, boxed)
    with parts.catalog.read() as connection:
        rows = box_given.given(connection, boxed)
    by_synset: dict[str, list[KnownImage]] = defaultdict(list)
    outside = 0
    for (wnid, candidate), some in groupby(rows, key=lambda row: (row.wnid, row.candidate)):
        mine = list(some)
        width, height = mine[0].width, mine[0].height
        boxes = dict.fromkeys((one.x_min, one.y_min, one.x_max, one.y_max) for one in mine if not one.doubtful)
        if any(box_hindrance((one.x_min, one.y_min, one.x_max, one.y_max), width, height) for one in mine):
            outside += 1
        elif boxes:
            whole = complete and not any(one.doubtful for one in mine)
            by_synset[wnid].append(KnownImage(candidate, width, height, tuple(boxes), whole))
    return _write(parts, by_synset, "archives", most, {"outside of the picture": outside} if outside else {})


def _drawn(boxed: Iterable[tuple[str, int]], most: int) -> list[int]:
    """The candidates, given by synset, that gold is made of: as many of each synset as it has questions of a kind."""
    found: list[int] = []
    for wnid, some in groupby(boxed, key=lambda pair: pair[0]):
        found += sorted((number for _, number in some), key=lambda number: draw(wnid, number))[:most]
    return found


def make_of_known(
    parts: Parts,
    senses: Callable[[str], Sequence[Synset]],
    boxes: Iterable[GivenBox],
    source: str,
    complete: bool = False,
    broken: Iterable[BrokenRow] = (),
) -> tuple[GoldReport, list[BrokenRow]]:
    """Make gold of boxes that somebody knows, all of them, and tell of those that are none why.

    They are all that the images have only where they are `complete`; of an image with a box that is none, they are not.
    """
    refused = list(broken)
    given = list(boxes)
    placed = placed_boxes(parts, senses, given, None, refused)
    with parts.catalog.read() as connection:
        subjects = {one.candidate: one for one in box_subjects.subjects(connection, {one.candidate for one in placed})}
    lost = {row.row for row in refused}
    broken_images = {one.image for one in given if one.row in lost}
    by_synset: dict[str, list[KnownImage]] = defaultdict(list)
    by_candidate: dict[int, list[Corners]] = defaultdict(list)
    partial = {one.candidate for one in placed if one.given.image in broken_images or one.clipped}
    for one in placed:
        by_candidate[one.candidate].append(one.box)
    for number, some in by_candidate.items():
        about = subjects[number]
        whole = complete and number not in partial
        known = KnownImage(number, about.width, about.height, tuple(dict.fromkeys(some)), whole)
        by_synset[about.wnid].append(known)
    everything = 4 * len(given) + 4
    return _write(parts, by_synset, source, everything, {}), sorted(refused, key=lambda row: row.row)


def _write(
    parts: Parts, by_synset: Mapping[str, Collection[KnownImage]], source: str, most: int, left_out: Mapping[str, int]
) -> GoldReport:
    """Append the gold of known images, synset by synset."""
    parts.check_writable()
    new = known = 0
    images: set[int] = set()
    for wnid in sorted(by_synset):
        chosen = choose(by_synset[wnid], most, wnid)
        images |= {one.candidate for one in chosen}

        def work(connection: Connection, chosen: Sequence[GoldQuestion] = chosen) -> int:
            return _append(connection, chosen, source, parts.clock())

        made = parts.catalog.transact(work)
        new, known = new + made, known + len(chosen) - made
    return GoldReport(new, known, len(images), left_out)


def _append(connection: Connection, chosen: Sequence[GoldQuestion], source: str, at: float) -> int:
    """Append gold of which nothing was said before; how many questions."""
    drawing = _drawings(connection, chosen, at)
    asked = [_question(one, drawing) for one in chosen]
    numbers = ask(connection, asked, at)
    said = {one.question for one in box_known.known(connection, numbers)}
    answers = {
        number: (int(Answer.YES if one.answer else Answer.NO), str(one.reason or ""))
        for number, one in zip(numbers, chosen, strict=True)
        if number not in said
    }
    for reason in sorted({reason for _, reason in answers.values()}):
        some = {number: answer for number, (answer, why) in answers.items() if why == reason}
        box_known.say(connection, some, source, reason, at)
    return len(answers)


def _drawings(connection: Connection, chosen: Sequence[GoldQuestion], at: float) -> dict[tuple[int, Corners], int]:
    """The ids of the drawings of all boxes that gold shows, which are appended where they are new."""
    wanted: dict[int, list[Corners]] = defaultdict(list)
    for one in chosen:
        wanted[one.candidate] += one.boxes
    order = sorted(wanted)
    question = dict(zip(order, ask(connection, [Question(one, Kind.GOLD) for one in order], at), strict=True))
    before = drawn_by(connection, MAKER, question.values())
    rows = []
    for candidate, boxes in wanted.items():
        there = before.get(question[candidate], [])
        fresh = [box for box in dict.fromkeys(boxes) if box not in there]
        drawn = enumerate((Drawn(box, Method.MACHINE) for box in fresh), len(there))
        rows += [made_row(question[candidate], MAKER, number, one, at) for number, one in drawn]
    box_facts.add_drawings(connection, rows)
    of = {number: candidate for candidate, number in question.items()}
    mine = box_facts.drawings_of(connection, of)
    return {(of[one.question], box): one.id for one in mine if (box := corners_of(one)) is not None}


def _question(one: GoldQuestion, drawing: Mapping[tuple[int, Corners], int]) -> Question:
    numbers = tuple(sorted(drawing[one.candidate, box] for box in one.boxes))
    if one.kind is Kind.QUALITY:
        return Question(one.candidate, Kind.QUALITY, numbers[0])
    return Question(one.candidate, Kind.COVERAGE, shown=numbers)


def read_gold(connection: Connection) -> list[BoxStatement]:
    """The statement that counts of every question about boxes that is or was gold, by synset."""
    newest = {said.question: said for said in box_known.history(connection)}
    shown = {
        said.question: box_facts.shown_ids(said.shown) or ((said.drawing,) if said.drawing else ())
        for said in newest.values()
    }
    drawn = box_facts.drawings(connection, {number for some in shown.values() for number in some})
    box = {one.id: corners for one in drawn if (corners := corners_of(one)) is not None}
    return [
        BoxStatement(
            said.question,
            said.sha256,
            said.wnid,
            KINDS[said.kind],
            tuple(box[number] for number in shown[said.question] if number in box),
            None if said.answer is None else said.answer == Answer.YES,
            said.source,
            said.reason,
            said.at,
        )
        for said in newest.values()
    ]


def withdraw(parts: Parts, what: Sequence[int | str], by: str, reason: str) -> int:
    """Be sure no more of gold, by the numbers of questions, or of all that an image has, by any of its names; how many
    questions. Gold that is withdrawn is asked of nobody any more, and is not made again.

    Raises `CrowdError` for an empty `reason`, for what never was gold, and for what names no image.
    """
    check_reason(reason)

    def work(connection: Connection) -> int:
        held = {said.question: said for said in box_known.history(connection)}
        wanted = set(_meant(connection, what, held))
        numbers: dict[int, int | None] = dict.fromkeys(sorted(wanted))
        return box_known.say(connection, numbers, by, reason, parts.clock())

    return parts.catalog.transact(work)


def _meant(connection: Connection, what: Sequence[int | str], held: Mapping[int, box_known.Statement]) -> Iterator[int]:
    names = [one for one in what if isinstance(one, str)]
    images = images_called(connection, names) if names else {}
    for one in what:
        if isinstance(one, int):
            mine = [one] if one in held else []
        else:
            named = images[one]
            mine = [number for number, said in held.items() if said.image == named.id or said.sha256 == named.sha256]
        if not mine:
            raise CrowdError(
                f"no gold of boxes is called {str(one)[:80]!r}: give the number of a question, or an image"
            )
        yield from mine
