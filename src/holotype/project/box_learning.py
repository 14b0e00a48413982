"""What people learn before they draw and judge boxes: lessons on gold, of which each page tells at once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import Connection

from holotype.boxes.lessons import (
    ASKED,
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
from holotype.catalog import box_facts, box_known, box_subjects, pages, qualifications, schema, sheets
from holotype.catalog.qualifications import Trial
from holotype.catalog.sheets import KeptSheet, Lease
from holotype.consensus.votes import TRAINING, Answer
from holotype.errors import NotLent
from holotype.project.box_inbox import fitting
from holotype.project.box_pages import items_of, read_box_page
from holotype.project.parts import Parts

_PLACES: Final = {kind: place for place, kind in enumerate(map(Kind, schema.BOX_KINDS))}


@dataclass(frozen=True, slots=True)
class BoxLesson:
    """That a worker has to learn a `kind` of work before the pages of a synset."""

    kind: Kind
    wnid: str


@dataclass(frozen=True, slots=True)
class DrawingMarked:
    """What became of a drawing in a lesson, and of the lesson so far: how many of those `done`, of so many `steps`, are
    correct; `passed` once it `is_over`."""

    mark: Mark
    exercise: Exercise
    drawn: Drawn
    correct: int
    done: int
    steps: int
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
    """What a worker has to learn before a page; None where they know, or too little is known to learn it by."""
    kind, wnid = page.kind, page.page.wnid
    if has_learned(connection, worker, kind):
        return None
    may = _pages(connection, worker, kind) or _chosen(connection, worker, kind, wnid)
    return BoxLesson(kind, wnid) if may else None


def has_learned(connection: Connection, worker: str, kind: Kind) -> bool:
    """Whether a worker passed a lesson of a kind, by whatever synset."""
    return any(passes(one.correct, one.asked) for one in _trials(connection, worker, kind))


def _trials(connection: Connection, worker: str, kind: Kind) -> list[Trial]:
    return [one for one in qualifications.trials(connection, worker) if one.kind == kind]


def _pages(connection: Connection, worker: str, kind: Kind) -> list[str]:
    """The pages of the lesson that a worker is at, in their order; none before it began."""
    ids = lesson_pages(worker, kind, len(_trials(connection, worker, kind)), ASKED[kind])
    there = {page.id for page in pages.read(connection, SCHOOL, ids)}
    return [id for id in ids if id in there]


def _chosen(connection: Connection, worker: str, kind: Kind, wnid: str) -> tuple[int, ...]:
    """The questions of a new lesson: of the wanted synset's gold if there is enough, else of another's; to draw, of
    any."""
    gold, key = _gold(connection, kind), f"{worker} {len(_trials(connection, worker, kind))}"
    order = sorted(gold, key=lambda one: (one != wnid, -len(gold[one]), one))
    groups = [gold[one] for one in order]
    if kind is Kind.DRAW:
        groups = [gold.get(wnid, {}), {number: yes for group in groups for number, yes in group.items()}]
    return next((found for group in groups if (found := lesson_questions(group, kind, key))), ())


def _gold(connection: Connection, kind: Kind) -> dict[str, dict[int, bool]]:
    """What a kind of work may be learned on, by synset: questions whose pictures can be seen, and their answers. To
    draw, those are images whose boxes are all known."""
    known = {number: said == Answer.YES for number, said in box_known.gold(connection).items()}
    wanted = _PLACES[Kind.COVERAGE if kind is Kind.DRAW else kind]
    asked = [one for one in box_facts.questions(connection, known) if one.kind == wanted]
    seen = {one.candidate: one.wnid for one in box_subjects.subjects(connection, {one.candidate for one in asked})}
    found: dict[str, dict[int, bool]] = {}
    for one in asked:
        if one.candidate in seen and (kind is not Kind.DRAW or known[one.id]):
            found.setdefault(seen[one.candidate], {})[one.id] = known[one.id]
    return found


# A lesson


def next_page(parts: Parts, worker: str, kind: Kind, wnid: str, now: float) -> str | None:
    """See `holotype.project.box_desk.BoxDesk.lesson`."""

    def work(connection: Connection) -> str | None:
        if has_learned(connection, worker, kind):
            return None
        ids = _pages(connection, worker, kind) or _begin(connection, worker, kind, wnid, now)
        done = {one.page for one in sheets.of_worker(connection, SCHOOL, worker, ids)}
        return next((id for id in ids if id not in done), None)

    return parts.catalog.transact(work)


def _begin(connection: Connection, worker: str, kind: Kind, wnid: str, now: float) -> list[str]:
    """Write down the pages of a new lesson; none where there is too little gold."""
    if not (asked := _chosen(connection, worker, kind, wnid)):
        return []
    ids = lesson_pages(worker, kind, len(_trials(connection, worker, kind)), len(asked))
    tasks = [[number] for number in asked] if kind is Kind.DRAW else [list(asked)]
    items = items_of(connection, asked)
    about = box_subjects.sizes(connection, {item.question.candidate for item in items.values()})
    common = {"crowd": SCHOOL, "round": TRAINING, "at": now}
    rows = []
    for id, numbers in zip(ids, tasks, strict=True):
        subject = about[items[numbers[0]].question.candidate]
        rows.append(common | {"id": id, "wnid": subject.wnid, "tasks": json.dumps(numbers)})
    pages.add(connection, rows)
    for id in ids:
        sheets.lend(connection, SCHOOL, Lease(id, worker, now, now))
    return ids


def progress(connection: Connection, worker: str, kind: Kind) -> tuple[int, int]:
    """How many pages of the lesson that a worker is at they handed in, of how many."""
    ids = _pages(connection, worker, kind)
    return len(sheets.of_worker(connection, SCHOOL, worker, ids)), len(ids)


def read_lesson_page(connection: Connection, page: str) -> BoxPage | None:
    """A page of a lesson as it is shown: to draw, some of the boxes are left out; to judge, a page as any."""
    kept = read_box_page(connection, SCHOOL, page)
    if kept is None or not page.startswith(f"{Kind.DRAW}-"):
        return kept
    item = kept.items[0]
    shown = _exercise(connection, page, item).shown
    return replace(kept, kind=Kind.DRAW, items=(replace(item, shown=shown),))


def _exercise(connection: Connection, page: str, item: Item) -> Exercise:
    head = page.rpartition("-")[0]
    ids = [f"{head}-{step}" for step in range(ASKED[Kind.DRAW])]
    return exercise(item.shown, page, is_done_step(page, len(pages.read(connection, SCHOOL, ids))))


def hand_in(
    parts: Parts, worker: str, page: str, replies: Sequence[Reply], seconds: float, now: float
) -> DrawingMarked | Marked:
    """See `holotype.project.box_desk.BoxDesk.train`. What was handed in first is what counts."""
    with parts.catalog.read() as connection:
        shown, kept = read_lesson_page(connection, page), read_box_page(connection, SCHOOL, page)
    if shown is None or kept is None:
        raise NotLent(page)
    told = [to_json(reply) for reply in replies]
    fitting(shown, worker, told)

    def work(connection: Connection) -> DrawingMarked | Marked:
        sheets.claim(connection, SCHOOL, page)
        if not sheets.of_worker(connection, SCHOOL, worker, [page]):
            sheets.add(connection, SCHOOL, KeptSheet(0, page, worker, tuple(told), seconds, seconds, now))
        ids = _siblings(connection, page)
        marks = {one.page: _marks(connection, one) for one in sheets.of_worker(connection, SCHOOL, worker, ids)}
        right = [is_right for found in marks.values() for is_right in found]
        is_over = len(marks) == len(ids)
        if is_over and ids == _pages(connection, worker, shown.kind):
            qualifications.add(connection, worker, Trial(shown.page.wnid, shown.kind, sum(right), len(right)), now)
        first = replies_of(shown.kind, sheets.of_worker(connection, SCHOOL, worker, [page])[0].answers)
        is_passed = is_over and passes(sum(right), len(right))
        if isinstance(drawn := first[0], Drawn):
            known = _exercise(connection, page, kept.items[0])
            mark = mark_drawing(drawn, known)
            return DrawingMarked(mark, known, drawn, sum(right), len(right), len(ids), is_over, is_passed)
        yes = _answers(connection, kept)
        given = tuple((one, sure) for one, sure in zip(first, yes, strict=True) if isinstance(one, Judged))
        return Marked(given, sum(right), is_passed)

    return parts.catalog.transact(work)


def _siblings(connection: Connection, page: str) -> list[str]:
    """All pages of the lesson that one is of."""
    head = page.rpartition("-")[0]
    ids = [f"{head}-{step}" for step in range(max(ASKED.values()))]
    there = {one.id for one in pages.read(connection, SCHOOL, ids)}
    return [id for id in ids if id in there]


def _marks(connection: Connection, sheet: KeptSheet) -> list[bool]:
    """Which answers on a sheet of a lesson are right."""
    kept = read_box_page(connection, SCHOOL, sheet.page)
    if kept is None:
        return []
    if sheet.page.startswith(f"{Kind.DRAW}-"):
        drawn = replies_of(Kind.DRAW, sheet.answers)[0]
        known = _exercise(connection, sheet.page, kept.items[0])
        return [isinstance(drawn, Drawn) and mark_drawing(drawn, known) is Mark.RIGHT]
    given = zip(replies_of(kept.kind, sheet.answers), _answers(connection, kept), strict=True)
    return [isinstance(one, Judged) and mark_answer(one, yes) for one, yes in given]


def _answers(connection: Connection, page: BoxPage) -> list[bool]:
    """What is right of the questions of a page of a lesson; what is not known any more counts as a no."""
    known = {number: said == Answer.YES for number, said in box_known.gold(connection, _numbers(page)).items()}
    return [known.get(item.number, False) for item in page.items]


def _numbers(page: BoxPage) -> list[int]:
    return [item.number for item in page.items]
