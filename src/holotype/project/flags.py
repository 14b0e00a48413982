"""Flags: what workers say is wrong with a question or a picture, and what became of that."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from holotype.boxes.inbox import WEB as BOXES
from holotype.catalog import flags, sheets
from holotype.catalog.flags import Flag as Flag
from holotype.crowd.flags import KINDS, LONGEST, OF_PICTURES, OUTCOMES
from holotype.crowd.inbox import WEB
from holotype.errors import CrowdError, NotLent
from holotype.project.box_pages import read_box_page
from holotype.project.parts import Parts
from holotype.project.showing import read_page, tasks_of

MOST_DECIDED: Final = 10_000


@dataclass(frozen=True, slots=True)
class Flagged:
    """A page that was lent to somebody who flags it, and the candidates of its pictures."""

    crowd: str
    page: str
    wnid: str
    candidates: Sequence[int]


class Flags:
    """The flags of a project."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def add(self, worker: str, page: str, position: int | None, kind: str, text: str, now: float) -> bool:
        """Flag the question of a page that was lent to a worker, or the picture at a position, from 1; whether that is
        new: said again while it is open, it is one flag.

        Raises `NotLent` for a page that never was theirs, and `CrowdError` for a kind or position that there is not.
        """
        with self._parts.catalog.read() as connection:
            kept = read_page(connection, WEB, page)
            if kept is None or not sheets.leases_of(connection, WEB, page, worker):
                raise NotLent(page)
        return self._add(worker, Flagged(WEB, page, kept.wnid, tasks_of(kept)), position, kind, text, now)

    def add_of_boxes(self, worker: str, page: str, position: int | None, kind: str, text: str, now: float) -> bool:
        """The same for a page of boxes."""
        with self._parts.catalog.read() as connection:
            kept = read_box_page(connection, BOXES, page)
            if kept is None or not sheets.leases_of(connection, BOXES, page, worker):
                raise NotLent(page)
        tasks = [item.question.candidate for item in kept.items]
        return self._add(worker, Flagged(BOXES, page, kept.page.wnid, tasks), position, kind, text, now)

    def _add(self, worker: str, flagged: Flagged, position: int | None, kind: str, text: str, now: float) -> bool:
        if kind not in (KINDS if position is None else OF_PICTURES):
            raise CrowdError(f"what may be said is {', '.join(KINDS if position is None else OF_PICTURES)}")
        tasks = flagged.candidates
        if position is not None and not 1 <= position <= len(tasks):
            raise CrowdError(f"the page has pictures 1 to {len(tasks)}")
        about = (
            flagged.wnid,
            None if position is None else tasks[position - 1],
            kind,
            text.replace("\0", "").strip()[:LONGEST],
            now,
        )

        def work(connection: Connection) -> bool:
            sheets.claim(connection, flagged.crowd, flagged.page)  # of two at once the second sees the first
            return flags.add(connection, worker, *about)[1]

        return self._parts.catalog.transact(work)

    def open(self) -> list[Flag]:
        """The flags of which nothing became yet, oldest first."""
        return self._listing(True, None)

    def everything(self, wnid: str | None = None) -> list[Flag]:
        """All flags ever, or those of a synset, oldest first."""
        return self._listing(False, wnid)

    def _listing(self, only_open: bool, wnid: str | None) -> list[Flag]:
        with self._parts.catalog.read() as connection:
            return flags.listing(connection, only_open, wnid)

    def decide(self, numbers: Iterable[int], outcome: str, by: str, reason: str) -> int:
        """Say what becomes of open flags: ``upheld`` or ``dismissed``; of how many that was new.

        It is written down, and nothing follows by itself: whoever upholds a flag withdraws the image or corrects the
        synset. Raises `CrowdError` for another outcome, and without a reason.
        """
        asked: Collection[int] = list(numbers)
        if outcome not in OUTCOMES or not reason.strip() or not by.strip() or len(asked) > MOST_DECIDED:
            raise CrowdError(f"a flag is {' or '.join(OUTCOMES)}, by somebody and for a reason")
        said = outcome, by, reason.strip(), self._parts.clock()
        return self._parts.catalog.transact(lambda connection: flags.decide(connection, asked, *said))

    def workers(self, wnid: str | None = None) -> dict[tuple[str, str], int]:
        """How many workers ever flagged the question of each synset, by (wnid, kind)."""
        with self._parts.catalog.read() as connection:
            return flags.counts(connection, wnid)
