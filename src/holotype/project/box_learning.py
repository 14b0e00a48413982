"""What people learn before they draw and judge boxes: lessons on gold, a page at a time, of which each tells at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import Connection

from holotype.boxes.lessons import (
    SCHOOL,
    Exercise,
    Mark,
    exercise,
    is_done_step,
    lesson_pages,
    lesson_questions,
    mark_answer,
    mark_drawing,
    passes,
)
from holotype.boxes.port import BoxPage, Item
from holotype.boxes.replies import replies_of, to_json
from holotype.boxes.values import Drawn, Judged, Kind, Reply
from holotype.catalog import box_facts, pages, qualifications, schema, sheets
from holotype.catalog.qualifications import Trial
from holotype.catalog.sheets import KeptSheet, Lease
from holotype.consensus.votes import TRAINING, Answer
from holotype.errors import NotLent
from holotype.project.box_inbox import fitting
from holotype.project.box_pages import read_box_page
from holotype.project.ledger import CatalogLedger
from holotype.project.parts import Parts
from holotype.project.showing import read_page

_FOREVER: Final = 1e12
_ABC: Final = {kind: place for place, kind in enumerate(map(Kind, schema.BOX_KINDS))}


@dataclass(frozen=True, slots=True)
class BoxLesson:
    """That a worker has to learn a `kind` of work before the pages of a synset."""

    kind: Kind
    wnid: str


@dataclass(frozen=True, slots=True)
class DrawingMarked:
    """What became of a drawing in a lesson, and of the lesson so far; `passed` once it `is_over`."""

    mark: Mark
    exercise: Exercise
    drawn: Drawn
    correct: int
    asked: int
    is_over: bool
    passed: bool


@dataclass(frozen=True, slots=True)
class Marked:
    """What became of a page of answers in a lesson: what was given and what is right, in the order of its pictures."""

    marks: tuple[tuple[Judged, bool], ...]
    correct: int
    passed: bool


# What is to be learned


def lesson(connection: Connection, worker: str, page: BoxPage) -> BoxLesson | None:
    """What a worker has to learn before a page; None where they know, or nothing is known to learn it by."""
    kind, wnid = page.kind, page.page.wnid
    if has_learned(connection, worker, kind) or not _questions(connection, worker, kind, wnid, ""):
        return None
    return BoxLesson(kind, wnid)


def has_learned(connection: Connection, worker: str, kind: Kind) -> bool:
    """Whether a worker passed a lesson of a kind, by whatever synset."""
    return any(passes(one.correct, one.asked) for one in _trials(connection, worker, kind))


def _trials(connection: Connection, worker: str, kind: Kind) -> list[Trial]:
    return [one for one in qualifications.trials(connection, worker) if one.kind == kind]


def _questions(connection: Connection, worker: str, kind: Kind, wnid: str, key: str) -> tuple[str, tuple[int, ...]]:
    """The synset whose gold is learned on, the wanted one if there is enough, and the questions."""
    gold = _gold(connection, kind)
    order = sorted(gold, key=lambda one: (one != wnid, -len(gold[one]), one))
    if kind is Kind.DRAW:
        every = {number: True for one in order for number in gold[one]}
        mine = lesson_questions(gold.get(wnid, {}), kind, f"{worker} {key}")
        return wnid, mine or lesson_questions(every, kind, f"{worker} {key}")
    for one in order:
        if found := lesson_questions(gold[one], kind, f"{worker} {key}"):
            return one, found
    return wnid, ()
