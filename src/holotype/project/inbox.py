"""What is remembered of pages and sheets on the web, kept in the catalog."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Generic, TypeVar

from sqlalchemy import Connection

from holotype.catalog import Catalog, sheets, wants
from holotype.consensus.votes import Answer
from holotype.crowd.inbox import WEB, Received
from holotype.crowd.port import Page, Sheet
from holotype.project.ledger import CatalogLedger, page_values

Kept = TypeVar("Kept", bound=CatalogLedger)


class Wanted(Generic[Kept]):
    """The pages of one crowd that are put up on the project's own site, as a ledger keeps them."""

    def __init__(self, catalog: Catalog, clock: Callable[[], float], crowd: str, ledger: Kept) -> None:
        self._catalog = catalog
        self._clock = clock
        self._crowd = crowd
        self._ledger = ledger

    def post(self, pages: Sequence[Page]) -> None:
        """Remember pages and want a sheet of each, unless one is wanted or not counted yet."""
        now = self._clock()

        def work(connection: Connection) -> None:
            self._ledger.add(connection, pages, now)
            wants.want(connection, self._crowd, [page.id for page in pages], now)

        self._catalog.transact(work)

    def take_down(self, pages: Collection[str]) -> int:
        """Want no more sheets of pages; how many were open."""
        now = self._clock()
        return self._catalog.transact(lambda connection: wants.unwant(connection, self._crowd, pages, now))


class CatalogInbox(Wanted[CatalogLedger]):
    """The `holotype.crowd.inbox.Inbox` of one crowd in a project's catalog."""

    def __init__(self, catalog: Catalog, clock: Callable[[], float], crowd: str = WEB) -> None:
        super().__init__(catalog, clock, crowd, CatalogLedger(catalog, crowd, ""))
        self._waited: Mapping[str, Page] = {}

    def waiting(self) -> Sequence[Page]:
        """The pages of which more sheets are wanted than were counted, oldest first.

        What a page asks never changes: those that waited before are not read again.
        """
        with self._catalog.read() as connection:
            rows = wants.waiting(connection, self._crowd)
            new = page_values(connection, [row for row in rows if row.id not in self._waited])
        self._waited = {row.id: self._waited.get(row.id) or new[row.id] for row in rows}
        return list(self._waited.values())

    def received(self) -> Sequence[Received]:
        """The sheets that are not counted, oldest first."""
        with self._catalog.read() as connection:
            held = sheets.uncounted(connection, self._crowd)
        pages = self._ledger.pages({one.page for one in held})
        return [_received(one, pages[one.page]) for one in held if one.page in pages]  # else all of it was forgotten

    def count(self, numbers: Iterable[int]) -> None:
        """Note that the votes of sheets are votes of the catalog."""
        if said := list(numbers):
            self._catalog.transact(lambda connection: sheets.count(connection, said))

    def voters(self, tasks: Collection[int]) -> Mapping[int, Collection[str]]:
        """Who has voted, on whatever page, on those of these tasks that have votes."""
        return self._ledger.voters(tasks)


def _received(kept: sheets.KeptSheet, page: Page) -> Received:
    answers = tuple(map(Answer, kept.answers))
    return Received(kept.id, Sheet(page, kept.worker, answers, kept.seconds, kept.at), kept.took)
