"""The desk, where people on the web work: pages are lent and handed in there, and what they take is learned."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection

from holotype.catalog import corrections, pages, schema, sheets
from holotype.consensus.votes import Answer
from holotype.crowd.figures import Figures, Work, figures_of, told
from holotype.crowd.inbox import WEB
from holotype.crowd.keys import crowd_secret, example_key, fits, page_key, picture_key
from holotype.crowd.lending import Nothing
from holotype.crowd.lessons import Lesson
from holotype.crowd.quiz import Quiz
from holotype.errors import NotLent
from holotype.project import learning, lending
from holotype.project.board import Board
from holotype.project.learning import Marked
from holotype.project.lending import Counter, Verifying
from holotype.project.parts import Parts
from holotype.project.showing import Sight, examples_for, picture_bytes, read_page, sizes, tasks_of

PLATFORMS: Final = ("mturk", "mturk-sandbox")
"""Crowds whose workers see a page by its address alone."""


class Desk:
    """What workers on the web do, by their names; `now` is Unix time."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._counter = Counter(parts, Verifying(), Board(WEB))

    # Pages

    def next_page(self, worker: str, now: float, after: str = "") -> str | Nothing:
        """Lend a worker a page and return its id: the one they have already, or the oldest that wants a sheet, that
        nobody else has, and of whose tasks they have seen none but gold; or why there is none.

        With `after` it is one besides that page, kept for them for five minutes.
        """
        return lending.next_page(self._counter, worker, now, after)

    def outlook(self, worker: str, now: float) -> str | Nothing:
        """What `next_page` would come to: the page that a worker has, "" where they would be lent one, or why not."""
        found = lending.look(self._counter, worker, now)
        return "" if isinstance(found, list) else found

    def length(self, worker: str, page: str) -> int:
        """How many pictures are on a page. Raises `NotLent` for one that never was the worker's."""
        with self._parts.catalog.read() as connection:
            kept = read_page(connection, WEB, page)
            if kept is None or not sheets.leases_of(connection, WEB, page, worker):
                raise NotLent(page)
            return len(tasks_of(kept))

    def renew(self, worker: str, page: str, now: float) -> float | None:
        """Hear that a worker is still at a page; until when it is theirs, which may be past where somebody else has it
        now. None where it never was."""
        return lending.renew(self._counter, worker, page, now)

    def give_back(self, worker: str, page: str, now: float) -> bool:
        """Let others have a page that a worker has; whether they had it. They may still hand it in."""
        return lending.give_back(self._counter, worker, page, now)

    def page(self, worker: str, page: str, now: float, ahead: bool = False) -> Sight | Lesson:
        """A page that is or was a worker's, or what they have to learn before. Raises `NotLent` for any other.

        Unless it is only fetched `ahead`, that is a sign of life.
        """
        if not ahead:
            self.renew(worker, page, now)
        with self._parts.catalog.read() as connection:
            kept = read_page(connection, WEB, page)
            if kept is None or not sheets.leases_of(connection, WEB, page, worker):
                raise NotLent(page)
            given = sheets.of_worker(connection, WEB, worker, [page])
            if not given and (wanted := learning.lesson(connection, self._parts, worker, kept.wnid)) is not None:
                return wanted
            return self._sight(connection, WEB, page, given[0].answers if given else None)

    def hand_in(self, worker: str, page: str, answers: Sequence[Answer], seconds: float | None, now: float) -> bool:
        """Keep a worker's answers to a page, in the order of its pictures; whether they are the first.

        A worker's first sheet counts; any further one, such as the same sent again, changes nothing. So do late ones
        count, and what a blocked worker hands in is kept as well. `seconds` is what their browser says; the time
        since the page was lent is kept beside it. What was taken down meanwhile is counted as unsure.

        Raises `NotLent` for a page that never was theirs, and `CrowdError` for a sheet that does not answer it.
        """
        return lending.hand_in(self._counter, worker, page, answers, seconds, now)

    def figures(self, worker: str, with_gold: bool = True) -> Figures:
        """What a worker may know of their own work, quicker without gold: see `holotype.crowd.figures.figures_of`."""
        with self._parts.catalog.read() as connection:
            given = sheets.of_worker(connection, WEB, worker)
            kept = {page.id: page for page in pages.read(connection, WEB, {one.page for one in given})}
            work = [
                Work(tasks_of(kept[one.page]), one.answers, min(one.seconds, one.took))
                for one in given
                if one.page in kept
            ]
            asked = {number for one in told(work) for number in one.tasks} if with_gold else set()
            gold = corrections.newest(connection, schema.gold, asked)
        known = {one.candidate: one.answer == Answer.YES for one in gold if one.answer is not None}
        return figures_of(work, known)

    # Lessons

    def lesson(self, worker: str, wnid: str) -> Lesson | None:
        """What a worker has to learn next before a synset's pages; None where they may go on."""
        with self._parts.catalog.read() as connection:
            return learning.lesson(connection, self._parts, worker, wnid)

    def attempts(self, worker: str, wnid: str, kind: str) -> int:
        """How often a worker tried a synset's ``quiz`` or ``training``."""
        with self._parts.catalog.read() as connection:
            return learning.attempts(connection, worker, wnid, kind)

    def quiz(self, worker: str, wnid: str, attempt: int) -> Quiz | None:
        """The glosses to choose from at a worker's attempt, from 0; None where there is nothing to ask."""
        return learning.quiz_of(self._parts.ontology, worker, wnid, attempt)

    def answer_quiz(self, worker: str, wnid: str, attempt: int, choice: int, now: float) -> bool:
        """Whether the gloss at place `choice` is the right one; kept once for each attempt.

        Raises `CrowdError` for a place that there is not.
        """
        return learning.answer_quiz(self._parts, worker, wnid, attempt, choice, now)

    def training(self, worker: str, wnid: str, now: float) -> Sight | None:
        """A worker's training page of a synset, their own and another one at each attempt; None where the synset has
        too little gold."""
        return learning.training(self._parts, worker, wnid, now)

    def training_sight(self, page: str) -> Sight:
        """A training page by its id, as it was when it was first shown. Raises `NotLent` for a page that is none."""
        with self._parts.catalog.read() as connection:
            return self._sight(connection, learning.SCHOOL, page)

    def train(
        self, worker: str, page: str, attempt: int, answers: Sequence[Answer], seconds: float, now: float
    ) -> Marked:
        """Keep a worker's answers to their training page, as votes on gold that count for nothing, and tell what was
        right.

        Raises `NotLent` for a page that is none, or not that of the attempt, and `CrowdError` for a sheet that does not
        answer it.
        """
        return learning.hand_in_training(self._parts, worker, page, attempt, answers, seconds, now)

    # Pictures

    def key(self, sight: Sight, position: int, worker: str = "") -> str:
        """What the address of the picture at a position, from 1, of a page must hold."""
        return picture_key(self._parts.salt, sight.crowd, sight.page, position, worker)

    def picture(self, page: str, position: int, worker: str, key: str, large: bool = False) -> bytes | None:
        """The picture at a position of a page, 256 pixels on its longer side or, if `large`, 1024, as a JPEG whose
        bytes are other ones each time; None where the key is not the right one.

        No worker is one of a platform. A picture that was taken down is a placeholder.
        """
        for crowd in (WEB, learning.SCHOOL) if worker else PLATFORMS:
            if fits(key, picture_key(self._parts.salt, crowd, page, position, worker)):
                with self._parts.catalog.read() as connection:
                    kept = read_page(connection, crowd, page)
                tasks = tasks_of(kept) if kept is not None else []
                if 0 < position <= len(tasks):
                    return picture_bytes(self._parts, tasks[position - 1], large)
        return None

    def example(self, number: int, key: str, large: bool = False) -> bytes | None:
        """The picture of an example; None where the key is not the right one."""
        right = fits(key, example_key(self._parts.salt, number))
        return picture_bytes(self._parts, number, large) if right else None

    def platform_page(self, page: str, key: str) -> Sight | None:
        """A page that lies on a platform, as whoever has its address sees it; None where the key is wrong."""
        for crowd in PLATFORMS:
            if fits(key, page_key(crowd_secret(self._parts.salt, crowd), page)):
                with self._parts.catalog.read() as connection:
                    if read_page(connection, crowd, page) is not None:
                        return self._sight(connection, crowd, page)
        return None

    def _sight(self, connection: Connection, crowd: str, page: str, answers: tuple[int, ...] | None = None) -> Sight:
        kept = read_page(connection, crowd, page)
        if kept is None:
            raise NotLent(page)
        tasks = tasks_of(kept)
        beside = examples_for(connection, self._parts, kept.wnid, tasks)
        return Sight(crowd, page, kept.wnid, sizes(connection, tasks), beside, answers)
