"""What people learn before they are asked: the quiz on a definition, and a page of gold with feedback."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from holotype.catalog import qualifications
from holotype.catalog.qualifications import Trial
from holotype.consensus.votes import Answer
from holotype.crowd.gold import passed, training_id
from holotype.crowd.lessons import QUIZ, TRAINING, Lesson, next_lesson
from holotype.crowd.port import Sheet
from holotype.crowd.quiz import Quiz, draw_quiz
from holotype.errors import CrowdError, NotLent
from holotype.ontology import Ontology, Synset
from holotype.project.ledger import CatalogLedger
from holotype.project.parts import Parts
from holotype.project.showing import Sight, examples_for, read_page, sizes, tasks_of
from holotype.project.training import own_page, size_to_train_on, train

SCHOOL: Final = "training"
"""The crowd that training pages are remembered for."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Of one picture of a training page, by its position from 1: the answer given, and the right one."""

    position: int
    given: Answer
    right: Answer


@dataclass(frozen=True, slots=True)
class Marked:
    """What became of a training page, and whether it suffices."""

    marks: tuple[Mark, ...]
    passed: bool


def lesson(connection: Connection, parts: Parts, worker: str, wnid: str) -> Lesson | None:
    """What a worker has to learn next before the pages of a synset; None where they may go on."""
    tried = [(one.kind, one.correct, one.asked) for one in qualifications.trials(connection, worker, wnid)]
    if next_lesson(wnid, tried, True, True) is None:  # both passed: what there is need not be found out
        return None
    first = next_lesson(wnid, tried, quiz_of(parts.ontology, worker, wnid, 0) is not None, False)
    if first is not None:
        return first
    return next_lesson(wnid, tried, False, size_to_train_on(connection, wnid) > 0)


def quiz_of(ontology: Ontology, worker: str, wnid: str, attempt: int) -> Quiz | None:
    """A worker's quiz on a synset: see `holotype.crowd.quiz.draw_quiz`."""
    if wnid not in ontology:
        return None
    synset = ontology[wnid]
    near = ([one.gloss for one in group] for group in _near(ontology, synset))
    return draw_quiz(worker, wnid, synset.gloss, near, attempt)


def _near(ontology: Ontology, synset: Synset) -> Iterator[Sequence[Synset]]:
    """Synsets that might be taken for one: its siblings, what else its lemmas mean, and those around."""
    yield ontology.siblings(synset)
    yield [sense for lemma in synset.lemmas for sense in ontology.senses(lemma)]
    yield [one for parent in ontology.parents(synset) for one in ontology.siblings(parent)]
    yield ontology.parents(synset)
    yield ontology.children(synset)


def attempts(connection: Connection, worker: str, wnid: str, kind: str) -> int:
    """How often a worker tried a quiz or a training page."""
    return sum(one.kind == kind for one in qualifications.trials(connection, worker, wnid))


def answer_quiz(parts: Parts, worker: str, wnid: str, attempt: int, choice: int, now: float) -> bool:
    """See `holotype.project.desk.Desk.answer_quiz`."""
    quiz = quiz_of(parts.ontology, worker, wnid, attempt)
    if quiz is None or not 0 <= choice < len(quiz.glosses):
        raise CrowdError("choose one of the definitions")
    right = choice == quiz.right
    _note(parts, worker, attempt, Trial(wnid, QUIZ, int(right), 1), now)
    return right


def _note(parts: Parts, worker: str, attempt: int, trial: Trial, now: float) -> None:
    """Append a try, unless the worker has made as many before: then it was sent twice."""

    def work(connection: Connection) -> None:
        if attempts(connection, worker, trial.wnid, trial.kind) <= attempt:
            qualifications.add(connection, worker, trial, now)

    parts.catalog.transact(work)


def training(parts: Parts, worker: str, wnid: str, now: float) -> Sight | None:
    """See `holotype.project.desk.Desk.training`."""
    with parts.catalog.read() as connection:
        attempt = attempts(connection, worker, wnid, TRAINING)
        if (kept := read_page(connection, SCHOOL, training_id(worker, wnid, attempt))) is not None:
            return _sight(connection, parts, kept.id, wnid, tasks_of(kept))
        if (page := own_page(connection, worker, wnid, attempt)) is None:
            return None
        sight = _sight(connection, parts, page.id, wnid, [task.number for task in page.tasks])
    CatalogLedger(parts.catalog, SCHOOL, "").remember([page], now)
    return sight


def _sight(connection: Connection, parts: Parts, page: str, wnid: str, numbers: Sequence[int]) -> Sight:
    beside = examples_for(connection, parts, wnid, numbers)
    return Sight(SCHOOL, page, wnid, sizes(connection, numbers), beside)


def hand_in_training(
    parts: Parts,
    worker: str,
    page: str,
    attempt: int,
    answers: Sequence[Answer],
    seconds: float,
    now: float,
) -> Marked:
    """See `holotype.project.desk.Desk.train`."""
    with parts.catalog.read() as connection:
        kept = read_page(connection, SCHOOL, page)
    if kept is None or page != training_id(worker, kept.wnid, attempt):
        raise NotLent(page)
    position = {number: at for at, number in enumerate(tasks_of(kept), 1)}
    asked = CatalogLedger(parts.catalog, SCHOOL, "").pages([page])[page]
    found = train(parts, Sheet(asked, worker, tuple(map(Answer, answers)), seconds, now))
    marks = tuple(Mark(position[task.number], given, right) for task, given, right in found)
    correct = sum(mark.given is mark.right for mark in marks)
    _note(parts, worker, attempt, Trial(kept.wnid, TRAINING, correct, len(marks)), now)
    return Marked(marks, passed(found))
