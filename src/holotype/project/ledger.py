"""What a crowd platform remembers of its pages, kept in the catalog."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import Connection

from holotype.catalog import Catalog, candidates, votes, workers
from holotype.catalog import pages as page_rows
from holotype.consensus.votes import Task
from holotype.crowd.port import Page, Posting


class CatalogLedger:
    """The `holotype.crowd.port.Ledger` of one crowd in a project's catalog."""

    def __init__(self, catalog: Catalog, crowd: str, identity: str) -> None:
        self.identity = identity
        self._catalog = catalog
        self._crowd = crowd

    def remember(self, pages: Sequence[Page], at: float) -> None:
        """Append pages that are about to be put up, unless they are known."""
        self._catalog.transact(lambda connection: self.add(connection, pages, at))

    def add(self, connection: Connection, pages: Sequence[Page], at: float) -> None:
        """`remember`, in a transaction that does more."""
        rows = [
            {
                "id": page.id,
                "crowd": self._crowd,
                "wnid": page.wnid,
                "tasks": json.dumps([task.number for task in page.tasks]),
                "round": page.round,
                "at": at,
            }
            for page in pages
        ]
        page_rows.add(connection, rows)

    def pages(self, ids: Collection[str]) -> Mapping[str, Page]:
        """The remembered pages among `ids`, by id, with nobody in `seen`."""
        with self._catalog.read() as connection:
            return page_values(connection, page_rows.read(connection, self._crowd, ids))

    def unposted(self) -> Collection[str]:
        """The ids of remembered pages without a posting."""
        with self._catalog.read() as connection:
            posted = {held.page for held in page_rows.postings(connection, self._crowd)}
            return set(page_rows.ids(connection, self._crowd)) - posted

    def add_posting(self, posting: Posting) -> None:
        """Append a posting; a page may have several."""
        row = {"reference": posting.reference, "assignments": posting.assignments, "at": posting.at}
        self._catalog.transact(lambda connection: page_rows.add_posting(connection, self._crowd, posting.page, row))

    def postings(self) -> Sequence[Posting]:
        """Every posting, oldest first."""
        with self._catalog.read() as connection:
            held = page_rows.postings(connection, self._crowd)
        return [Posting(one.page, one.reference, one.assignments, one.at) for one in held]

    def answered(self) -> Collection[str]:
        """The ids of remembered pages that brought a vote on anything but gold."""
        with self._catalog.read() as connection:
            return set(page_rows.answered(connection, self._crowd))

    def voters(self, tasks: Collection[int]) -> Mapping[int, Collection[str]]:
        """Who has voted, on whatever page, on those of these tasks that have votes."""
        with self._catalog.read() as connection:
            return votes.voters(connection, tasks)

    def blocked(self) -> Collection[str]:
        """The workers whose votes do not count."""
        with self._catalog.read() as connection:
            return workers.blocked(connection).keys()


def page_values(connection: Connection, rows: Sequence[page_rows.KeptPage]) -> dict[str, Page]:
    """Pages as they are kept as values, by id, with nobody in `seen`."""
    tasks = {row.id: json.loads(row.tasks) for row in rows}
    asked = sorted({number for numbers in tasks.values() for number in numbers})
    digests = dict(zip(asked, candidates.digests(connection, asked), strict=True))
    return {
        row.id: Page(
            row.id,
            row.wnid,
            tuple(Task(number, row.wnid, digests[number]) for number in tasks[row.id]),
            frozenset(),
            row.round,
        )
        for row in rows
    }
