"""What is remembered of pages and sheets about boxes, kept in the catalog: for the web, and for platforms."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from holotype.boxes.campaign import hindrance
from holotype.boxes.inbox import WEB, Received
from holotype.boxes.port import BoxPage, BoxSheet
from holotype.boxes.replies import replies_of
from holotype.boxes.values import Reply
from holotype.catalog import Catalog, box_facts, pages, sheets, wants
from holotype.catalog.sheets import KeptSheet
from holotype.crowd.port import Page
from holotype.errors import CrowdError
from holotype.project.box_pages import box_page_values
from holotype.project.inbox import Wanted
from holotype.project.ledger import CatalogLedger


class BoxLedger(CatalogLedger):
    """The `holotype.crowd.port.Ledger` of one crowd's pages about boxes, whose tasks are questions."""

    def pages(self, ids: Collection[str]) -> Mapping[str, Page]:
        """The remembered pages among `ids`, by id, with nobody in `seen`."""
        return {id: page.page for id, page in self.box_pages(ids).items()}

    def box_pages(self, ids: Collection[str]) -> Mapping[str, BoxPage]:
        """The remembered pages among `ids` with all that they show, by id."""
        with self._catalog.read() as connection:
            return box_page_values(connection, pages.read(connection, self._crowd, ids))

    def answered(self) -> Collection[str]:
        """The ids of remembered pages that brought a reply to anything but gold."""
        with self._catalog.read() as connection:
            return set(box_facts.answered(connection, self._crowd))

    def voters(self, tasks: Collection[int]) -> Mapping[int, Collection[str]]:
        """Who may not be asked each of these questions: see `holotype.catalog.box_facts.involved`."""
        with self._catalog.read() as connection:
            return box_facts.involved(connection, tasks)


class CatalogBoxInbox(Wanted[BoxLedger]):
    """The `holotype.boxes.inbox.BoxInbox` of one crowd in a project's catalog."""

    def __init__(self, catalog: Catalog, clock: Callable[[], float], crowd: str = WEB) -> None:
        super().__init__(catalog, clock, crowd, BoxLedger(catalog, crowd, ""))
        self._waited: dict[str, Page] = {}

    def waiting(self) -> Sequence[Page]:
        """The pages of which more sheets are wanted than were counted, oldest first, but for those that wait anew.

        What a page asks never changes: those that waited before are not read again, and only those are looked at that
        were put up or counted since.
        """
        with self._catalog.read() as connection:
            mark = wants.numbers(connection)
            if mark != self._mark:
                few = self._looked_at(connection, mark)
                rows = wants.waiting(connection, self._crowd, few)
                kept = {} if few is None else {id: page for id, page in self._waited.items() if id not in few}
                new = box_page_values(connection, [row for row in rows if row.id not in self._waited])
                known = self._waited | {id: page.page for id, page in new.items()}
                self._waited = kept | {row.id: known[row.id] for row in rows if row.id in known}
                self._mark, self._counted = mark, []
        return list(self._waited.values())

    def mark(self) -> object:
        """What changes whenever a sheet comes in, or a page is put up or taken down."""
        with self._catalog.read() as connection:
            return wants.last_posting(connection), sheets.newest(connection)

    def received(self) -> tuple[Sequence[Received], Mapping[int, str]]:
        """The sheets that are not counted, oldest first, and why others are none of their pages, by their numbers."""
        with self._catalog.read() as connection:
            held = sheets.uncounted(connection, self._crowd)
        pages = self._ledger.box_pages({one.page for one in held})
        found, bad = [], dict[int, str]()
        for one in held:
            if one.page in pages:
                try:
                    found.append(_received(one, pages[one.page]))
                except CrowdError as error:
                    bad[one.id] = str(error)
        return found, bad

    def involved(self, questions: Collection[int]) -> Mapping[int, Collection[str]]:
        """Who may not be asked each of these questions."""
        return self._ledger.voters(questions)


def _received(kept: KeptSheet, page: BoxPage) -> Received:
    replies = fitting(page, kept.worker, kept.answers)
    return Received(kept.id, BoxSheet(page.page, kept.worker, replies, kept.seconds, kept.at), kept.took)


def fitting(page: BoxPage, worker: str, told: Sequence[object]) -> tuple[Reply, ...]:
    """A worker's replies to a page, of JSON objects. Raises `CrowdError`, and says why, where they are none."""
    about = f"the sheet of {worker!r} for page {page.page.id}"
    if len(told) != len(page.items):
        raise CrowdError(f"{about} has {len(told)} replies to {len(page.items)} questions")
    try:
        replies = replies_of(page.kind, told)
    except CrowdError as error:
        raise CrowdError(f"{about}: {error}") from error
    for place, (item, reply) in enumerate(zip(page.items, replies, strict=True), 1):
        if wrong := hindrance(page.kind, reply, item.width, item.height):
            raise CrowdError(f"{about}, reply {place}: {wrong}")
    return replies
