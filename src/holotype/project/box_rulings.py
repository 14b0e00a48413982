"""What curators say of the boxes of an image, where people do not get on or were wrong."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection

from holotype.boxes.campaign import box_hindrance
from holotype.boxes.deciding import Outcome
from holotype.boxes.instances import overlap_of
from holotype.boxes.rules import Rules
from holotype.boxes.values import LEAST_TIGHT, Corners, Drawn, Kind, Method, Question
from holotype.catalog import box_conclusions, box_facts, box_known, box_subjects, candidates, schema
from holotype.catalog.box_conclusions import DRAWINGS, PEOPLE, ConcludedBox, Covered
from holotype.catalog.box_proposals import drawn_by
from holotype.consensus.votes import CURATOR, Answer
from holotype.errors import CrowdError
from holotype.geometry.boxes import SAME
from holotype.project.box_courses import last_rules
from holotype.project.box_pages import KINDS, corners_of, question_of
from holotype.project.box_proposals import read_pictures
from holotype.project.box_records import ask, made_row
from holotype.project.facts import check_reason, person
from holotype.project.image_names import one_image
from holotype.project.parts import Parts


def settle(parts: Parts, image: str, wnid: str, boxes: Sequence[Corners], curator: str, reason: str) -> int:
    """Rule that these boxes are all there are of a synset in an image, none where there is none; how many others went.

    Raises `UnknownImage`, `AmbiguousImage`, and `CrowdError` where the image is not labelled yes for the synset or
    cannot be looked at, for a box that is not in it, and without a reason.
    """
    check_reason(reason)
    name, now = f"{CURATOR}{person(curator, 'a curator')}", parts.clock()
    with parts.catalog.read() as connection:
        number = _candidate(connection, image, wnid)
    read_pictures(parts, [number])

    def work(connection: Connection) -> int:
        subject = next(iter(box_subjects.subjects(connection, [number])), None)
        if subject is None or number not in box_subjects.labelled_yes(connection, [number]):
            raise CrowdError(f"{image} is not labelled yes for {wnid}, or cannot be looked at: it has no boxes of it")
        wanted = list(dict.fromkeys(boxes))
        for box in wanted:
            if wrong := box_hindrance(box, subject.width, subject.height):
                raise CrowdError(wrong)
        before = _held(connection, number)
        drawn = _draw(connection, number, name, wanted, now)
        _rule(connection, number, drawn, name, reason, now)
        _conclude(connection, number, drawn, now)
        return len(before.keys() - drawn.keys())

    return parts.catalog.transact(work)


def redo(parts: Parts, image: str, wnid: str, curator: str, reason: str) -> int:
    """Rule that the boxes there are of a synset in an image are bad, and not all there are; how many go.

    All drawings go that overlap one of them as if they were of the same instance. Raises `UnknownImage`,
    `AmbiguousImage`, and `CrowdError` where nothing was concluded of it, or without a reason.
    """
    check_reason(reason)
    name, now = f"{CURATOR}{person(curator, 'a curator')}", parts.clock()

    def work(connection: Connection) -> int:
        number = _candidate(connection, image, wnid)
        if number not in box_conclusions.states(connection, [number]):
            raise CrowdError(f"nothing was concluded of the boxes of {wnid} in {image}")
        held = _held(connection, number)
        drawn, shown = _drawings(connection, number), tuple(sorted(held.values()))
        bad = [id for id, box in drawn.items() if id in shown or _overlap(box, held) >= SAME]
        about = [*(Question(number, Kind.QUALITY, one) for one in bad), Question(number, Kind.COVERAGE, shown=shown)]
        box_known.say(connection, dict.fromkeys(ask(connection, about, now), int(Answer.NO)), name, reason, now)
        return len(held)

    return parts.catalog.transact(work)


def _candidate(connection: Connection, image: str, wnid: str) -> int:
    named = one_image(connection, image)
    number = candidates.ids(connection, [(wnid, named.id)]).get((wnid, named.id))
    if number is None:
        raise CrowdError(f"nothing was concluded of the boxes of {wnid} in {image}: it is no candidate of it")
    return number


def _held(connection: Connection, number: int) -> dict[Corners, int]:
    """The boxes that are concluded of a candidate, with the drawings by which they are known."""
    held = box_conclusions.concluded(connection, [number]).get(number, ())
    return {(one.x_min, one.y_min, one.x_max, one.y_max): one.drawing for one in held}


def _drawings(connection: Connection, number: int) -> dict[int, Corners]:
    """The boxes that people and machines, and no curator, drew of a candidate, by the drawings' ids."""
    asked = [
        one.id
        for one in box_facts.questions(connection, box_facts.about(connection, [number]))
        if KINDS[one.kind] is Kind.DRAW
    ]
    drawn = (one for one in box_facts.drawings_of(connection, asked) if not one.worker.startswith(CURATOR))
    return {one.id: box for one in drawn if (box := corners_of(one)) is not None}


def _draw(connection: Connection, number: int, name: str, boxes: Sequence[Corners], at: float) -> dict[Corners, int]:
    """The ids of a curator's drawings of boxes, which are appended where they are new."""
    [question] = ask(connection, [Question(number, Kind.DRAW)], at)
    before = drawn_by(connection, name, [question]).get(question, [])
    fresh = [box for box in boxes if box not in before]
    drawn = enumerate((Drawn(box, Method.NUMBERS) for box in fresh), len(before))
    box_facts.add_drawings(connection, [made_row(question, name, number, one, at) for number, one in drawn])
    mine = (one for one in box_facts.drawings_of(connection, [question]) if one.worker == name)
    return {box: one.id for one in mine if (box := corners_of(one)) in boxes and box is not None}


def _rule(connection: Connection, number: int, drawn: dict[Corners, int], name: str, reason: str, at: float) -> None:
    """Say that drawings are all there are, no others any more, and that what is tight round none of them is bad."""
    complete = Question(number, Kind.COVERAGE, shown=tuple(sorted(drawn.values())))
    others = _drawings(connection, number)
    bad = [Question(number, Kind.QUALITY, id) for id, box in others.items() if _overlap(box, drawn) < LEAST_TIGHT]
    kept, *gone = ask(connection, [complete, *bad], at)
    before: dict[int, int | None] = {one: None for one in _ruled_complete(connection, number) if one != kept}
    answers: dict[int, int | None] = {kept: int(Answer.YES), **dict.fromkeys(gone, int(Answer.NO))}
    box_known.say(connection, before | answers, name, reason, at)


def _ruled_complete(connection: Connection, number: int) -> Iterable[int]:
    """The questions of a candidate of which a curator ruled that what is shown is all there is."""
    asked = {one.id: question_of(one) for one in box_facts.questions(connection, box_facts.about(connection, [number]))}
    for one in box_known.known(connection, asked):
        if one.is_ruling and one.answer == Answer.YES and asked[one.question].kind is Kind.COVERAGE:
            yield one.question


def _conclude(connection: Connection, number: int, drawn: dict[Corners, int], at: float) -> None:
    """Write what follows from a ruling, as the next run would."""
    file = box_conclusions.by_file(connection, DRAWINGS, PEOPLE, at)
    boxes = [ConcludedBox(id, file, *box, 1.0, None, None, None) for box, id in sorted(drawn.items(), key=_by_id)]
    state = schema.COVERAGES.index(str(Outcome.COVERED if boxes else Outcome.EMPTY))
    policy = candidates.policy_id(connection, str(last_rules(connection) or Rules()))
    box_conclusions.put(connection, {number: Covered(state, boxes)}, policy, at)


def _by_id(drawn: tuple[Corners, int]) -> int:
    return drawn[1]


def _overlap(box: Corners, others: Iterable[Corners]) -> float:
    """The largest intersection over union of a box with others; 0 where there is none."""
    return max((overlap_of(box, other) for other in others), default=0.0)
