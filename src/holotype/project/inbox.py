"""What is remembered of pages and sheets on the web, kept in the catalog."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Final, Generic, TypeVar

from sqlalchemy import Connection

from holotype.catalog import Catalog, sheets, wants
from holotype.consensus.votes import Answer
from holotype.crowd.inbox import WEB, Received
from holotype.crowd.port import Page, Sheet
from holotype.project.ledger import CatalogLedger, page_values

_FEW: Final = 20_000
"""Sheets up to which all are looked at each time."""
_MINUTE: Final = 60.0
Kept = TypeVar("Kept", bound=CatalogLedger)


class Wanted(Generic[Kept]):
    """The pages of one crowd that are put up on the project's own site, as a ledger keeps them."""

    def __init__(self, catalog: Catalog, clock: Callable[[], float], crowd: str, ledger: Kept) -> None:
        self._catalog = catalog
        self._clock = clock
        self._crowd = crowd
        self._ledger = ledger
        self._mark: tuple[int, int, int] | None = None
        self._counted: list[int] = []

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

    def count(self, numbers: Iterable[int]) -> None:
        """Note that what sheets say is kept as facts of the catalog, or is none."""
        if said := list(numbers):
            new = self._catalog.transact(lambda connection: sheets.count(connection, said))
            self._counted += said
            if new != len(said):
                self._mark = None

    def _looked_at(self, connection: Connection, mark: tuple[int, int, int]) -> set[str] | None:
        """The pages that may have begun or ceased to wait since the last look; None where that is not known: pages were
        forgotten, or another campaign counted sheets, too."""
        if self._mark is None:
            return None
        last, posted, counted = self._mark
        new = wants.posted_since(connection, last)
        if len(new) != mark[1] - posted or len(self._counted) != mark[2] - counted:
            return None
        return sheets.pages_of(connection, self._counted).union(new)


class CatalogInbox(Wanted[CatalogLedger]):
    """The `holotype.crowd.inbox.Inbox` of one crowd in a project's catalog."""

    def __init__(self, catalog: Catalog, clock: Callable[[], float], crowd: str = WEB) -> None:
        super().__init__(catalog, clock, crowd, CatalogLedger(catalog, crowd, ""))
        self._waited: dict[str, Page] = {}
        self._looked, self._since = float("-inf"), 0

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
                known = self._waited | page_values(connection, [row for row in rows if row.id not in self._waited])
                self._waited = kept | {row.id: known[row.id] for row in rows}
                self._mark, self._counted = mark, []
        return list(self._waited.values())

    def received(self) -> Sequence[Received]:
        """The sheets that are not counted, oldest first."""
        with self._catalog.read() as connection:
            held = sheets.uncounted(connection, self._crowd, since=self._first(connection))
        pages = self._ledger.pages({one.page for one in held})
        return [_received(one, pages[one.page]) for one in held if one.page in pages]  # else all of it was forgotten

    def _first(self, connection: Connection) -> int:
        """The id of the first sheet that may not be counted: where there are many, those before are looked at once a
        minute, for what two write at once may be seen in another order."""
        newest, now = sheets.newest(connection), self._clock()
        if newest <= _FEW or not 0 <= now - self._looked < _MINUTE:
            self._looked, self._since = now, 0
            return 0
        if not self._since:
            self._since = min((one.id for one in sheets.uncounted(connection, self._crowd)), default=newest + 1)
        return self._since

    def voters(self, tasks: Collection[int]) -> Mapping[int, Collection[str]]:
        """Who has voted, on whatever page, on those of these tasks that have votes."""
        return self._ledger.voters(tasks)


def _received(kept: sheets.KeptSheet, page: Page) -> Received:
    answers = tuple(map(Answer, kept.answers))
    return Received(kept.id, Sheet(page, kept.worker, answers, kept.seconds, kept.at), kept.took)
