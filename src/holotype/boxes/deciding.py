"""What is asked next about a candidate's boxes: decided from what is known, without asking anybody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from holotype.boxes.instances import Drawing, Instance, instances
from holotype.boxes.rules import Rules
from holotype.boxes.values import Kind, Question
from holotype.consensus.votes import is_machine
from holotype.crowd.conclusion import State


class Outcome(StrEnum):
    """What became of a candidate's boxes: all instances have one (`COVERED`), there is none (`EMPTY`), or people do not
    get on and a `PERSON` who knows must look."""

    COVERED = "covered"
    EMPTY = "empty"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class Boxing:
    """All that is known of a candidate's boxes: its drawings, oldest first, and what is concluded of coverage by the
    drawings that were shown, sorted."""

    candidate: int
    drawings: tuple[Drawing, ...] = ()
    coverage: Mapping[tuple[int, ...], State] = field(default_factory=dict)


def next_question(boxing: Boxing, rules: Rules) -> tuple[Question, ...] | Outcome:
    """What is to be asked of a candidate now, or what became of it (Su, Deng and Fei-Fei 2012, section 3).

    First a box is drawn, unless machines did. Drawings that are not decided are judged, all at once. Is one accepted,
    people are asked whether the instances that have boxes now are all there are, unless who drew it said that there are
    more; as they are where somebody says that nothing is left. Then the next one is drawn, until they are. Where
    `Rules.attempts` drawings in a row brought nothing, or nobody can tell, a person must look. Of the several who are
    to draw at once (`Rules.draws`) as many may find nothing: then the drawings there are get judged.
    """
    return question_after(boxing, instances(boxing.drawings), rules)


def question_after(boxing: Boxing, found: Sequence[Instance], rules: Rules) -> tuple[Question, ...] | Outcome:
    """`next_question` where the instances that are accepted are known already."""
    shown = tuple(one.head for one in found)
    merged = {number for one in found for number in one.drawings}
    here = [one for one in boxing.drawings if one.shown == shown and not is_machine(one.worker)]
    drawn = sum(one.box is not None for one in here)
    if 0 < drawn < rules.draws and len(here) < max(rules.draws, rules.attempts):
        return (Question(boxing.candidate, Kind.DRAW, shown=shown),)
    if left := [one for one in boxing.drawings if _is_open(one) and one.number not in merged]:
        return tuple(Question(boxing.candidate, Kind.QUALITY, one.number) for one in left)
    return _beyond(boxing, rules, shown, here)


def _is_open(drawing: Drawing) -> bool:
    return drawing.box is not None and drawing.state is State.OPEN


def _beyond(
    boxing: Boxing, rules: Rules, shown: tuple[int, ...], here: list[Drawing]
) -> tuple[Question, ...] | Outcome:
    """What is to be asked where every drawing is decided."""
    said = boxing.coverage.get(shown)
    if said is State.YES:
        return Outcome.COVERED if shown else Outcome.EMPTY
    if said in (State.UNDECIDED, State.ABANDONED) or len(here) >= rules.attempts or len(shown) >= rules.most:
        return Outcome.PERSON
    if said in (None, State.OPEN) and _may_be_complete(boxing, shown, here):
        return (Question(boxing.candidate, Kind.COVERAGE, shown=shown),)
    return (Question(boxing.candidate, Kind.DRAW, shown=shown),)


def _may_be_complete(boxing: Boxing, shown: tuple[int, ...], here: list[Drawing]) -> bool:
    """Whether coverage is worth asking for: somebody found nothing left, or the last who drew did not see more."""
    if any(one.box is None for one in here):
        return True
    accepted = [one for one in boxing.drawings if one.number in shown]
    return bool(accepted) and max(accepted, key=lambda one: one.number).more is not True
