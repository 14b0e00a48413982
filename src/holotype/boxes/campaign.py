"""A campaign for boxes: ask, collect, conclude, each image by itself, until nothing is open."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from dataclasses import field as _field
from typing import Protocol

from holotype.boxes.gold import questions_on_a_page
from holotype.boxes.pages import page_of, questions_to_ask, with_gold_of
from holotype.boxes.port import PAGE_SIZE, BoxCrowd, BoxPage, BoxSheet
from holotype.boxes.rules import Rules
from holotype.boxes.tally import Given, Tally
from holotype.boxes.values import Corners, Drawn, Judged, Kind, Question, Reply
from holotype.crowd.port import Page
from holotype.errors import CrowdError

SHEETS_PER_COMMIT = 20


class Record(Protocol):
    """Makes facts durable."""

    def ask(self, questions: Sequence[Question]) -> Sequence[int]:
        """The ids of questions, which are appended where they are new."""

    def reply(self, given: Sequence[Given]) -> Sequence[Given]:
        """Append replies; those that are new, with their ids. A worker's second to a question is skipped."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a campaign stands: candidates by what became of them (covered, empty, person, open), replies of this call and
    of all, and why sheets were refused; whether pages were `held_back` since too few replies were left for them."""

    counts: Mapping[str, int]
    new: int
    replies: int
    up: int
    refused: tuple[str, ...] = ()
    held_back: bool = False
    done: bool = False

    @property
    def waiting(self) -> bool:
        """Whether people are still to answer what is up."""
        return not self.done and not self.held_back


@dataclass
class _Come:
    """What came in during a call."""

    new: int = 0
    refused: list[str] = _field(default_factory=list)


def run_boxes(
    tally: Tally,
    crowd: BoxCrowd,
    rules: Rules,
    record: Record,
    progress: Callable[[Standing], None] = lambda _: None,
    most: int | None = None,
) -> Standing:
    """Ask `crowd` under `rules`, adding to `tally`, until nothing is to be asked or the crowd has no more for now.

    What comes in is made durable by `record` before it counts, and nothing waits for anything else: each image goes on
    by itself. Stopped at any moment and run again with the recorded facts, the campaign goes on as if nothing had
    happened: pages that are up stay as they are. New ones are put up only as long as the tally cannot come to hold more
    than `most` replies by them. Sheets that do not fit their page are refused, and told; the others count.

    Gold of the tally is mixed in among the questions of pages. `progress` gets each step's standing.
    """
    come, anew, before = _Come(), False, list[tuple[Question, ...]]()
    while True:
        came = _collect(tally, crowd, record, come)
        asked = tally.conclude(rules, anew)
        up = crowd.waiting()
        wanted = questions_to_ask(asked, tally, up)
        posted = _affordable(wanted, up, tally, most)
        held_back = len(posted) < len(wanted)
        if posted:
            crowd.post([with_gold_of(page, tally) for page in _made(posted, tally, record)])
        done = not asked
        standing = Standing(
            tally.counts(), come.new, tally.replies, len(up) + len(posted), tuple(come.refused), held_back, done
        )
        progress(standing)
        anew = not came and (not posted or posted == before)  # what cannot be put up is not tried for ever
        before = list(posted)
        if anew and tally.settled:
            return standing


def _made(questions: Sequence[Sequence[Question]], tally: Tally, record: Record) -> list[BoxPage]:
    """Pages of questions, which are durable and have their ids."""
    new = [one for page in questions for one in page if tally.id_of(one) is None]
    for number, question in zip(record.ask(new) if new else (), new, strict=True):
        tally.ask(number, question)
    return [page_of(page, tally) for page in questions]


def _affordable(
    pages: Sequence[tuple[Question, ...]], up: Sequence[Page], tally: Tally, most: int | None
) -> Sequence[tuple[Question, ...]]:
    """The first of `pages` that can all be answered before the tally holds more than `most` replies of pages."""
    if most is None:
        return pages
    left = most - tally.replies - sum(len(page.tasks) for page in up)
    for place, page in enumerate(pages):
        has_gold = bool(tally.gold_of(page[0].kind, tally.subjects[page[0].candidate].wnid))
        left -= len(page) + PAGE_SIZE[page[0].kind] - questions_on_a_page(page[0].kind, has_gold)
        if left < 0:
            return pages[:place]
    return pages


def _collect(tally: Tally, crowd: BoxCrowd, record: Record, come: _Come) -> bool:
    """Record, count and acknowledge all sheets that can be, some at once; whether any was counted."""
    sheets = crowd.collect()
    counted = False
    for start in range(0, len(sheets), SHEETS_PER_COMMIT):
        given: list[Given] = []
        good = []
        for sheet in sheets[start : start + SHEETS_PER_COMMIT]:
            try:
                given += given_of(sheet, tally)
                good.append(sheet)
            except CrowdError as error:
                come.refused.append(str(error))
        recorded = record.reply(given)
        tally.add(recorded)
        crowd.acknowledge(good)
        come.new += len(recorded)
        counted = counted or bool(good)
    return counted


def given_of(sheet: BoxSheet, tally: Tally) -> list[Given]:
    """The replies of a sheet, without those about images that are not there any more, and to questions that its worker
    replied to on another page.

    Raises `CrowdError` if the sheet does not fit its page: too many or few replies, one of another kind than its
    question, a box that cannot be, a worker who may not be asked this or is blocked, a time that cannot be.
    """
    page, about = sheet.page, f"the sheet of {sheet.worker!r} for page {sheet.page.id}"
    if not page.tasks or not 0 <= sheet.seconds < math.inf or not math.isfinite(sheet.at):
        raise CrowdError(f"{about} has no questions, or times that cannot be")
    if len(sheet.replies) != len(page.tasks):
        raise CrowdError(f"{about} has {len(sheet.replies)} replies to {len(page.tasks)} questions")
    if sheet.worker in page.seen:
        raise CrowdError(f"{about}: they replied to a question of it before, drew what it shows, or are blocked")
    each = sheet.seconds / len(page.tasks)
    found = []
    for task, reply in zip(page.tasks, sheet.replies, strict=True):
        question = tally.question(task.number)
        if question is None:
            continue
        subject = tally.subjects[question.candidate]
        if wrong := hindrance(question.kind, reply, subject.width, subject.height):
            raise CrowdError(f"{about}, question {task.number}: {wrong}")
        if sheet.worker not in tally.involved(question):
            found.append(Given(task.number, sheet.worker, reply, page.id, page.round, each, sheet.at))
    return found


def hindrance(kind: Kind, reply: Reply, width: int, height: int) -> str:
    """Why a reply is none to a question of a kind about a picture of so many upright pixels; "" where it is one."""
    if kind is Kind.DRAW:
        if not isinstance(reply, Drawn):
            return "it asks for a box, and the reply is an answer"
        return "" if reply.box is None else box_hindrance(reply.box, width, height)
    if not isinstance(reply, Judged):
        return f"it asks for an answer about {kind}, and the reply is a box"
    return "" if reply.answer in (0, 1, 2) else f"{reply.answer} is no answer; they are 0 (no), 1 (unsure) and 2 (yes)"


def box_hindrance(box: Corners | Sequence[float], width: int, height: int) -> str:
    """Why four numbers are no box in a picture of so many upright pixels; "" where they are one."""
    if len(box) != 4 or not all(isinstance(one, int | float) and -(2**31) < one < 2**31 for one in box):
        return f"a box has four whole numbers, not {list(box)}"
    if any(one != int(one) for one in box):
        return f"a box lies on whole pixels, not {list(box)}"
    x_min, y_min, x_max, y_max = box
    if x_min > x_max or y_min > y_max:
        return f"the box {list(box)} ends before it begins"
    if x_min < 0 or y_min < 0 or x_max >= width or y_max >= height:
        return f"the box {list(box)} is not inside the picture of {width} x {height} pixels, from 0 on"
    return ""


class Memory:
    """The `Record` of a campaign that is kept nowhere: for rehearsals and tests."""

    def __init__(self) -> None:
        self.questions: dict[Question, int] = {}
        self.given: dict[tuple[int, str], Given] = {}

    def ask(self, questions: Sequence[Question]) -> list[int]:
        """The ids of questions, from 1 in the order in which they came."""
        return [self.questions.setdefault(one, len(self.questions) + 1) for one in questions]

    def reply(self, given: Sequence[Given]) -> list[Given]:
        """Keep replies; those that are new, with their ids."""
        found = []
        for one in given:
            if (one.question, one.worker) not in self.given:
                kept = replace(one, number=len(self.given) + 1)
                self.given[one.question, one.worker] = kept
                found.append(kept)
        return found
