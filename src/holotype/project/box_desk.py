"""The desk for boxes, where people draw, judge and cover: pages are lent and handed in, and that is learned."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import Connection

from holotype.boxes.inbox import WEB
from holotype.boxes.lessons import SCHOOL
from holotype.boxes.port import BoxPage
from holotype.boxes.replies import replies_of, to_json
from holotype.boxes.values import Judged, Kind, Reply
from holotype.catalog import box_facts, box_known, pictures, sheets, wants
from holotype.consensus.votes import Answer
from holotype.crowd.keys import crowd_secret, fits, page_key, picture_key
from holotype.crowd.lending import Nothing
from holotype.errors import CrowdError, NotLent
from holotype.project import box_learning, lending
from holotype.project.board import Board
from holotype.project.box_inbox import fitting
from holotype.project.box_learning import BoxLesson, DrawingMarked, Marked
from holotype.project.box_pages import read_box_page
from holotype.project.lending import Counter
from holotype.project.parts import Parts
from holotype.project.showing import boxed_picture_bytes

PLATFORMS: Final = ("mturk-boxes", "mturk-sandbox-boxes")
"""Crowds whose workers see a page by its address alone."""


@dataclass(frozen=True, slots=True)
class Boxing:
    """What is asked about boxes, as `holotype.project.lending.Asking`."""

    crowd: str = WEB

    def seen(self, connection: Connection, worker: str, tasks: Collection[int]) -> set[int]:
        """The questions that a worker replied to, or that are about what they drew or said."""
        return {number for number, names in box_facts.involved(connection, tasks).items() if worker in names}

    def gold(self, connection: Connection, tasks: Collection[int]) -> set[int]:
        """The questions whose answers are known."""
        return set(box_known.gold(connection, tasks))


@dataclass(frozen=True, slots=True)
class BoxSight:
    """A page of boxes as it is shown: the positions, from 1, of pictures that are `hidden` by now, and what the worker
    handed in before, None where they did not."""

    crowd: str
    page: BoxPage
    hidden: frozenset[int]
    replies: tuple[Reply | None, ...] | None = None


@dataclass(frozen=True, slots=True)
class BoxFigures:
    """How many pages of each kind a worker handed in, and what is known of how fast: the median seconds of each."""

    pages: Mapping[str, int]
    seconds: Mapping[str, float]


class BoxDesk:
    """What workers on the web do about boxes, by their names; `now` is Unix time."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._counter = Counter(parts, Boxing(), Board(WEB))

    # Pages

    def next_page(self, worker: str, now: float, after: str = "") -> str | Nothing:
        """Lend a worker a page and return its id, or why there is none: see `holotype.project.desk.Desk.next_page`.

        Nobody is asked a question again, nor to judge what they drew or said themselves.
        """
        return lending.next_page(self._counter, worker, now, after)

    def outlook(self, worker: str, now: float) -> str | Nothing:
        """What `next_page` would come to: the page that a worker has, "" where they would be lent one, or why not."""
        found = lending.look(self._counter, worker, now)
        return "" if isinstance(found, list) else found

    def is_open(self) -> bool:
        """Whether any page wants a sheet."""
        with self._parts.catalog.read() as connection:
            return bool(wants.open_pages(connection, WEB))

    def renew(self, worker: str, page: str, now: float) -> float | None:
        """Hear that a worker is still at a page: see `holotype.project.desk.Desk.renew`."""
        return lending.renew(self._counter, worker, page, now)

    def give_back(self, worker: str, page: str, now: float) -> bool:
        """Let others have a page that a worker has; whether they had it. They may still hand it in."""
        return lending.give_back(self._counter, worker, page, now)

    def page(self, worker: str, page: str, now: float, ahead: bool = False) -> BoxSight | BoxLesson:
        """A page that is or was a worker's, or what they have to learn before. Raises `NotLent` for any other.

        Unless it is only fetched `ahead`, that is a sign of life.
        """
        if not ahead:
            self.renew(worker, page, now)
        with self._parts.catalog.read() as connection:
            kept = self._lent(connection, worker, page)
            given = sheets.of_worker(connection, WEB, worker, [page])
            if not given and (wanted := box_learning.lesson(connection, worker, kept)) is not None:
                return wanted
            sight = self._sight(connection, WEB, kept)
        return replace(sight, replies=_told(kept.kind, given[0].answers)) if given else sight

    def asked(self, worker: str, page: str) -> BoxSight:
        """What a page asks. Raises `NotLent` for one that never was the worker's."""
        with self._parts.catalog.read() as connection:
            return self._sight(connection, WEB, self._lent(connection, worker, page))

    def _lent(self, connection: Connection, worker: str, page: str) -> BoxPage:
        kept = read_box_page(connection, WEB, page)
        if kept is None or not sheets.leases_of(connection, WEB, page, worker):
            raise NotLent(page)
        return kept

    def hand_in(
        self, worker: str, page: str, replies: Sequence[Reply | None], seconds: float | None, now: float
    ) -> bool:
        """Keep a worker's replies to a page, in the order of its pictures; whether they are the first.

        As with `holotype.project.desk.Desk.hand_in` the first sheet counts, late ones too. Of a picture that was taken
        down meanwhile an answer is kept as unsure, and a drawing is not kept.

        Raises `NotLent` for a page that never was theirs, and `CrowdError` with the reason for what does not answer
        it: too many or few replies, those of another kind, boxes that are not in their picture.
        """
        sight = self.asked(worker, page)
        told = [None if reply is None else to_json(reply) for reply in replies]
        if len(told) != len(sight.page.items):
            raise CrowdError(f"page {page} has {len(sight.page.items)} pictures, and an answer for each is wanted")
        seen = [at for at in range(len(told)) if at + 1 not in sight.hidden]
        visible = replace(sight.page, items=tuple(sight.page.items[at] for at in seen))
        fitting(visible, worker, [told[at] for at in seen])
        gone = None if sight.page.kind is Kind.DRAW else to_json(Judged(Answer.UNSURE))
        said = [told[at] if at in seen else gone for at in range(len(told))]
        return lending.keep(self._counter, worker, page, said, seconds, now)

    def figures(self, worker: str) -> BoxFigures:
        """What a worker may know of their own work."""
        with self._parts.catalog.read() as connection:
            given = sheets.of_worker(connection, WEB, worker)
        times: dict[str, list[float]] = {}
        for one in given:
            times.setdefault(one.page.partition("-")[0], []).append(min(one.seconds, one.took))
        middle = {kind: sorted(found)[len(found) // 2] for kind, found in times.items()}
        return BoxFigures({kind: len(found) for kind, found in times.items()}, middle)

    # Lessons

    def lesson(self, worker: str, kind: Kind, wnid: str, now: float) -> BoxSight | None:
        """The page of a worker's lesson that comes next, of the synset's gold first; None where there is too little
        gold, or they have learned it."""
        page = box_learning.next_page(self._parts, worker, kind, wnid, now)
        if page is None:
            return None
        with self._parts.catalog.read() as connection:
            return self._lesson_sight(connection, page)

    def lesson_sight(self, worker: str, page: str) -> BoxSight:
        """A page of a worker's lesson. Raises `NotLent` for one that is none, or another's."""
        with self._parts.catalog.read() as connection:
            if not sheets.leases_of(connection, SCHOOL, page, worker):
                raise NotLent(page)
            return self._lesson_sight(connection, page)

    def progress(self, worker: str, kind: Kind) -> tuple[int, int]:
        """How many pages of the lesson that a worker is at they handed in, of how many."""
        with self._parts.catalog.read() as connection:
            return box_learning.progress(connection, worker, kind)

    def train(
        self, worker: str, page: str, replies: Sequence[Reply], seconds: float, now: float
    ) -> DrawingMarked | Marked:
        """Keep what a worker did on a page of a lesson, and tell what was right.

        Raises `NotLent` for a page that is none of theirs, and `CrowdError` for what does not answer it.
        """
        with self._parts.catalog.read() as connection:
            if not sheets.leases_of(connection, SCHOOL, page, worker):
                raise NotLent(page)
        return box_learning.hand_in(self._parts, worker, page, replies, seconds, now)

    def _lesson_sight(self, connection: Connection, page: str) -> BoxSight:
        kept = box_learning.read_lesson_page(connection, page)
        if kept is None:
            raise NotLent(page)
        return self._sight(connection, SCHOOL, kept)

    # Pictures

    def key(self, sight: BoxSight, position: int, worker: str = "") -> str:
        """What the address of the picture at a position, from 1, of a page must hold."""
        return picture_key(self._parts.salt, sight.crowd, sight.page.page.id, position, worker)

    def picture(self, page: str, position: int, worker: str, key: str, side: int) -> bytes | None:
        """The picture at a position of a page, `side` pixels on its longer side at most, upright, as a JPEG whose bytes
        are other ones each time; None where the key is not the right one.

        No worker is one of a platform. A picture that was taken down is a placeholder.
        """
        for crowd in (WEB, SCHOOL) if worker else PLATFORMS:
            if fits(key, picture_key(self._parts.salt, crowd, page, position, worker)):
                with self._parts.catalog.read() as connection:
                    kept = read_box_page(connection, crowd, page)
                items = kept.items if kept is not None else ()
                if 0 < position <= len(items):
                    return boxed_picture_bytes(self._parts, items[position - 1].question.candidate, side)
        return None

    def platform_page(self, page: str, key: str) -> BoxSight | None:
        """A page that lies on a platform, as whoever has its address sees it; None where the key is wrong."""
        for crowd in PLATFORMS:
            if fits(key, page_key(crowd_secret(self._parts.salt, crowd), page)):
                with self._parts.catalog.read() as connection:
                    if (kept := read_box_page(connection, crowd, page)) is not None:
                        return self._sight(connection, crowd, kept)
        return None

    def _sight(self, connection: Connection, crowd: str, page: BoxPage) -> BoxSight:
        seen = pictures.shown(connection, {item.question.candidate for item in page.items})
        hidden = {
            place
            for place, item in enumerate(page.items, 1)
            if (one := seen.get(item.question.candidate)) is None or one.hidden
        }
        return BoxSight(crowd, page, frozenset(hidden))


def _told(kind: Kind, told: Sequence[object]) -> tuple[Reply | None, ...]:
    return tuple(None if one is None else replies_of(kind, [one])[0] for one in told)
