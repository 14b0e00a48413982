"""Facts about boxes, read from the catalog and appended to it."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from holotype.boxes.tally import Given, Subject, Tally
from holotype.boxes.values import Drawn, Judged, Method, Question, Reason
from holotype.catalog import Catalog, box_facts, box_known, box_subjects, workers
from holotype.catalog.box_facts import KeptAnswer, KeptDrawing
from holotype.consensus.votes import Answer
from holotype.project.box_pages import KINDS, corners_of, question_of


class CatalogRecord:
    """The `holotype.boxes.campaign.Record` of a project: what a call was told is durable when it returns."""

    def __init__(self, catalog: Catalog, clock: Callable[[], float]) -> None:
        self._catalog = catalog
        self._clock = clock

    def ask(self, questions: Sequence[Question]) -> list[int]:
        """The ids of questions, which are appended where they are new."""
        now = self._clock()
        return self._catalog.transact(lambda connection: ask(connection, questions, now))

    def reply(self, given: Sequence[Given]) -> list[Given]:
        """Append replies, in one transaction; those that are new, with their ids."""
        return self._catalog.transact(lambda connection: add_replies(connection, given)) if given else []


def ask(connection: Connection, questions: Sequence[Question], at: float) -> list[int]:
    """The ids of questions, which are appended where they are new."""
    rows = [(KINDS.index(one.kind), one.candidate, one.drawing, one.shown) for one in questions]
    return box_facts.ask(connection, rows, at)


def add_replies(connection: Connection, given: Sequence[Given]) -> list[Given]:
    """Append replies of people; those that are new, with their ids, in their order."""
    drawn = [drawing_row(one, one.reply) for one in given if isinstance(one.reply, Drawn)]
    judged = [_answer_row(one, one.reply) for one in given if isinstance(one.reply, Judged)]
    ids = box_facts.add_drawings(connection, drawn) | box_facts.add_answers(connection, judged)
    first = {(one.question, one.worker): one for one in reversed(given)}
    numbered = {(question, worker): id for (question, worker, _), id in ids.items()}
    return [replace(one, number=numbered[key]) for key, one in reversed(first.items()) if key in numbered]


def _row(one: Given) -> dict[str, Any]:
    about = {"question_id": one.question, "worker": one.worker, "page": one.page, "round": one.round}
    return about | {"seconds": one.seconds, "at": one.at}


def drawing_row(one: Given, drawn: Drawn, number: int = 0) -> dict[str, Any]:
    """The row of a drawing, the `number`-th of its worker for its question."""
    corners = drawn.box or (None,) * 4
    names = ("x_min", "y_min", "x_max", "y_max")
    flags = {name: _as_number(getattr(drawn, name)) for name in ("more", "truncated", "occluded", "group_of")}
    points = json.dumps(drawn.points) if drawn.points else ""
    made = {"number": number, "method": str(drawn.method), "points": points, "score": drawn.score}
    return _row(one) | dict(zip(names, corners, strict=True)) | flags | made


def made_row(question: int, worker: str, number: int, drawn: Drawn, at: float) -> dict[str, Any]:
    """The row of a drawing that was made on no page: a machine's, a curator's, or gold's."""
    return drawing_row(Given(question, worker, drawn, at=at), drawn, number)


def _answer_row(one: Given, judged: Judged) -> dict[str, Any]:
    return _row(one) | {"answer": int(judged.answer), "reason": str(judged.reason or "")}


def _as_number(said: bool | None) -> int | None:
    return None if said is None else int(said)


def _as_bool(kept: int | None) -> bool | None:
    return None if kept is None else bool(kept)


def given_drawing(kept: KeptDrawing) -> Given:
    """A drawing as it is kept, without the points it was made by."""
    more, truncated, occluded, group_of = map(_as_bool, (kept.more, kept.truncated, kept.occluded, kept.group_of))
    flags = more, truncated, occluded, group_of
    drawn = Drawn(corners_of(kept), Method(kept.method), (), *flags, kept.score)
    return Given(kept.question, kept.worker, drawn, kept.page, kept.round, kept.seconds, kept.at, kept.id)


def given_answer(kept: KeptAnswer) -> Given:
    """An answer as it is kept."""
    judged = Judged(Answer(kept.answer), Reason(kept.reason) if kept.reason else None)
    return Given(kept.question, kept.worker, judged, kept.page, kept.round, kept.seconds, kept.at, kept.id)


def read_boxes(connection: Connection, asked: Collection[int] | None = None) -> Tally:
    """All that is known of boxes, with the candidates that are to be `asked` about: all that ever were, unless given.

    Images that cannot be seen are left out, whatever was said of them.
    """
    wanted: Iterable[Any] = box_subjects.subjects(connection)
    if asked is not None:
        wanted = {*wanted, *box_subjects.subjects(connection, asked)}
    subjects = [Subject(*one) for one in wanted]
    numbers = {one.number for one in subjects}
    gold, blocked, ruled = read_known(connection)
    tally = Tally(subjects, gold, blocked, None if asked is None else numbers.intersection(asked), ruled)
    for one in box_facts.questions(connection):
        tally.ask(one.id, question_of(one))
    tally.add(map(given_drawing, box_facts.drawings(connection)))
    tally.add(map(given_answer, box_facts.answers(connection)))
    return tally


def read_known(connection: Connection) -> tuple[dict[Question, bool], Collection[str], set[Question]]:
    """What is known of questions for sure, who is blocked, and which of what is known a curator ruled."""
    said = {one.question: one for one in box_known.known(connection) if one.answer is not None}
    asked = {one.id: question_of(one) for one in box_facts.questions(connection, said)}
    gold = {question: said[number].answer == Answer.YES for number, question in asked.items()}
    ruled = {question for number, question in asked.items() if said[number].is_ruling}
    return gold, workers.blocked(connection).keys(), ruled


def read_given(connection: Connection) -> list[Given]:
    """All replies, drawings before answers, oldest first; those of blocked workers and of training too."""
    drawn, answered = box_facts.drawings(connection), box_facts.answers(connection)
    return [*map(given_drawing, drawn), *map(given_answer, answered)]
