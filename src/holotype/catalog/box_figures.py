"""How the boxes of synsets stand, in numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection, case, func, select

from holotype.catalog import schema as t
from holotype.catalog.box_facts import newest
from holotype.catalog.box_known import is_gold

_QUALITY = t.BOX_KINDS.index("quality")
_GOLD = t.BOX_KINDS.index("gold")
_DRAW = t.BOX_KINDS.index("draw")
_YES = t.STATES.index("yes")


@dataclass(slots=True)
class Figures:
    """Of a synset: candidates by the name of what became of them, boxes, drawings, and how many of the drawings that
    were judged most judges call good; the seconds that people took; and the candidates that were asked about, and are
    not labelled yes."""

    states: dict[str, int] = field(default_factory=dict)
    boxes: int = 0
    drawings: int = 0
    judged: int = 0
    good: int = 0
    seconds: float = 0.0
    unlabelled: int = 0


def read(connection: Connection) -> Mapping[str, Figures]:
    """The figures of every synset whose boxes were ever asked about, by wnid."""
    found: dict[str, Figures] = {}
    _states(connection, found)
    _drawings(connection, found)
    _judged(connection, found)
    _seconds(connection, found)
    _unlabelled(connection, found)
    return found


def mark(connection: Connection) -> tuple[object, ...]:
    """Changes whenever facts about boxes come, or what is concluded of candidates does."""
    table = t.coverage.c
    concluded = select(func.count(), func.max(table.at), func.sum(table.boxes)).select_from(t.coverage)
    return *newest(connection), *connection.execute(concluded).one()


def _of(found: dict[str, Figures], wnid: str) -> Figures:
    return found.setdefault(wnid, Figures())


def _states(connection: Connection, found: dict[str, Figures]) -> None:
    candidate, table = t.candidate.c, t.coverage.c
    joined = t.coverage.join(t.candidate, candidate.id == table.candidate_id)
    asked = select(candidate.wnid, table.state, func.count(), func.sum(table.boxes)).select_from(joined)
    asked = asked.where(candidate.state == _YES)
    for wnid, state, count, boxes in connection.execute(asked.group_by(candidate.wnid, table.state)):
        one = _of(found, wnid)
        one.states[t.COVERAGES[state]] = count
        one.boxes += int(boxes)


def _drawings(connection: Connection, found: dict[str, Figures]) -> None:
    candidate, question, drawing = t.candidate.c, t.box_question.c, t.drawing.c
    joined = t.drawing.join(t.box_question, question.id == drawing.question_id)
    joined = joined.join(t.candidate, candidate.id == question.candidate_id)
    asked = select(candidate.wnid, func.count()).select_from(joined).where(drawing.x_min.is_not(None))
    for wnid, count in connection.execute(asked.where(question.kind != _GOLD).group_by(candidate.wnid)):
        _of(found, wnid).drawings = count


def _judged(connection: Connection, found: dict[str, Figures]) -> None:
    candidate, question, answer = t.candidate.c, t.box_question.c, t.box_answer.c
    side = case((answer.answer == 2, 1), (answer.answer == 0, -1), else_=0)
    known = select(t.box_gold.c.question_id).where(is_gold())
    each = (
        select(answer.question_id.label("question"), func.sum(side).label("lead"))
        .where(answer.round >= 0, answer.question_id.not_in(known))
        .group_by(answer.question_id)
        .subquery()
    )
    joined = each.join(t.box_question, question.id == each.c.question)
    joined = joined.join(t.candidate, candidate.id == question.candidate_id)
    good = func.sum(case((each.c.lead > 0, 1), else_=0))
    asked = select(candidate.wnid, func.count(), good).select_from(joined).where(question.kind == _QUALITY)
    for wnid, judged, yes in connection.execute(asked.group_by(candidate.wnid)):
        one = _of(found, wnid)
        one.judged, one.good = judged, int(yes)


def _seconds(connection: Connection, found: dict[str, Figures]) -> None:
    candidate, question = t.candidate.c, t.box_question.c
    for table in (t.drawing, t.box_answer):
        joined = table.join(t.box_question, question.id == table.c.question_id)
        joined = joined.join(t.candidate, candidate.id == question.candidate_id)
        asked = select(candidate.wnid, func.sum(table.c.seconds)).select_from(joined).where(table.c.round >= 0)
        for wnid, seconds in connection.execute(asked.group_by(candidate.wnid)):
            _of(found, wnid).seconds += float(seconds)


def _unlabelled(connection: Connection, found: dict[str, Figures]) -> None:
    candidate, question = t.candidate.c, t.box_question.c
    drawn = select(question.candidate_id).where(question.kind == _DRAW)
    asked = select(candidate.wnid, func.count()).where(candidate.state != _YES, candidate.id.in_(drawn))
    for wnid, count in connection.execute(asked.group_by(candidate.wnid)):
        _of(found, wnid).unlabelled = count
