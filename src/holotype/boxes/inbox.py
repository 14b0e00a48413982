"""People who draw and judge boxes on the web, as a crowd: what they hand in lies in an inbox until it is read."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

from holotype.boxes.port import BoxPage, BoxSheet
from holotype.crowd.inbox import Posts
from holotype.crowd.port import Page

WEB: Final = "web-boxes"
"""What the crowd on the web is called that is asked about boxes."""
SIMULATED: Final = "simulated-boxes"
"""What the simulated crowd is called that is asked about boxes."""


@dataclass(frozen=True, slots=True)
class Received:
    """A sheet as it came in, by its number in the inbox: `took` is what passed, in seconds, since its page was lent."""

    number: int
    sheet: BoxSheet
    took: float


class BoxInbox(Posts, Protocol):
    """What is remembered of pages and sheets about boxes, as `holotype.crowd.inbox.Inbox`."""

    def received(self) -> tuple[Sequence[Received], Mapping[int, str]]:
        """The sheets that are not counted, oldest first, and why others are none of their pages, by their numbers."""

    def mark(self) -> object:
        """What changes whenever a sheet comes in, or a page is put up or taken down."""

    def involved(self, questions: Collection[int]) -> Mapping[int, Collection[str]]:
        """Who may not be asked each of these questions."""


class WebBoxCrowd:
    """The `BoxCrowd` of people on the web. Nothing here waits for anybody.

    Whoever replied to some of a page's questions before, or drew what it shows, answers the others; a sheet with none
    left, or that does not fit its page, is done with at once, and its page is put up again when it is asked for again.
    """

    def __init__(self, inbox: BoxInbox, name: str = WEB) -> None:
        self.name = name
        self.refused: list[str] = []
        """Why sheets were refused."""
        self._inbox = inbox
        self._numbers: dict[BoxSheet, int] = {}

    def post(self, pages: Sequence[BoxPage]) -> None:
        """Put pages up."""
        self._inbox.post([page.page for page in pages])

    def collect(self) -> list[BoxSheet]:
        """The sheets that came in and have replies that are not known, until they are acknowledged."""
        received, bad = self._inbox.received()
        self.refused += bad.values()
        asked = {task.number for one in received for task in one.sheet.page.tasks}
        involved = {number: set(names) for number, names in self._inbox.involved(asked).items()} if asked else {}
        found = {one.number: new_part(one, involved) for one in received}
        self._inbox.count([*bad, *(number for number, sheet in found.items() if sheet is None)])
        self._numbers = {sheet: number for number, sheet in found.items() if sheet is not None}
        return list(self._numbers)

    def waiting(self) -> list[Page]:
        """The pages that are up and unanswered."""
        return list(self._inbox.waiting())

    def mark(self) -> object:
        """What changes whenever a sheet comes in, or a page is put up or taken down."""
        return self._inbox.mark()

    def acknowledge(self, sheets: Sequence[BoxSheet]) -> None:
        """Remember that the replies of sheets that `collect` returned are durable."""
        self._inbox.count([self._numbers.pop(sheet) for sheet in sheets if sheet in self._numbers])

    def take_down(self) -> int:
        """Ask nobody any more: pages that are open are lent to no one until a campaign posts them again; how many."""
        return self._inbox.take_down([page.id for page in self._inbox.waiting()])


def new_part(received: Received, involved: dict[int, set[str]]) -> BoxSheet | None:
    """A sheet without the questions its worker may not be asked, by `involved`, who are kept up; None where none is
    left. Its seconds are those that the browser told, but no more than passed since the page was lent."""
    sheet, tasks = received.sheet, received.sheet.page.tasks
    left = [n for n, task in enumerate(tasks) if sheet.worker not in involved.get(task.number, ())]
    if not left:
        return None
    for n in left:
        involved.setdefault(tasks[n].number, set()).add(sheet.worker)
    seconds = min(sheet.seconds, received.took) * len(left) / len(tasks)
    page = replace(sheet.page, tasks=tuple(tasks[n] for n in left))
    return replace(sheet, page=page, replies=tuple(sheet.replies[n] for n in left), seconds=seconds)
