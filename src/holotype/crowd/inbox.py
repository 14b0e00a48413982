"""People who answer pages on the web, as a crowd: what they hand in lies in an inbox until a campaign reads it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

from holotype.crowd.port import Page, Sheet

WEB: Final = "web"
"""What the crowd on the web is called in reports."""


@dataclass(frozen=True, slots=True)
class Received:
    """A sheet as it came in, by its number in the inbox: `took` is what passed, in seconds, since its page was lent."""

    number: int
    sheet: Sheet
    took: float


class Posts(Protocol):
    """What is remembered of pages. What a call told it is durable when the call returns."""

    def post(self, pages: Sequence[Page]) -> None:
        """Remember pages and want a sheet of each. One that is known is wanted again when all its sheets are counted,
        and else stays as it is."""

    def take_down(self, pages: Collection[str]) -> int:
        """Want no more sheets of pages, by their ids; those that come in count all the same. How many were open."""

    def waiting(self) -> Sequence[Page]:
        """The pages of which more sheets are wanted than were counted, oldest first, with nobody in `seen`."""

    def count(self, numbers: Iterable[int]) -> None:
        """Hear that what sheets say is durable, or is none."""


class Inbox(Posts, Protocol):
    """What is remembered of pages and sheets."""

    def received(self) -> Sequence[Received]:
        """The sheets that are not counted, oldest first."""

    def voters(self, tasks: Collection[int]) -> Mapping[int, Collection[str]]:
        """Who has voted, on whatever page, on those of these tasks that have votes."""


class WebCrowd:
    """The `Crowd` of people who answer pages on the web.

    Nothing here waits for anybody: `post` puts pages into people's reach, and `collect` brings what they handed in
    since, be it late or of somebody who is blocked by now; those votes are kept like all others of theirs. A page
    that brought no vote, because whoever answered it had voted on its tasks before, is put up again when the campaign
    asks for it again.
    """

    def __init__(self, inbox: Inbox, name: str = WEB) -> None:
        self.name = name
        self._inbox = inbox
        self._numbers: dict[Sheet, int] = {}

    def post(self, pages: Sequence[Page]) -> None:
        """Put pages up."""
        self._inbox.post(pages)

    def collect(self) -> list[Sheet]:
        """The sheets that came in and have votes that are not known, until they are acknowledged.

        A worker who voted on some of a page's tasks on another page answers the others; a sheet without any is done
        with at once.
        """
        received = self._inbox.received()
        asked = {task.number for one in received for task in one.sheet.page.tasks}
        voters = {task: set(names) for task, names in self._inbox.voters(asked).items()} if asked else {}
        found = {one.number: new_part(one, voters) for one in received}
        self._inbox.count([number for number, sheet in found.items() if sheet is None])
        self._numbers = {sheet: number for number, sheet in found.items() if sheet is not None}
        return list(self._numbers)

    def waiting(self) -> list[Page]:
        """The pages that are up and unanswered."""
        return list(self._inbox.waiting())

    def acknowledge(self, sheets: Sequence[Sheet]) -> None:
        """Remember that the votes of sheets that `collect` returned are durable."""
        self._inbox.count([self._numbers.pop(sheet) for sheet in sheets if sheet in self._numbers])

    def take_down(self) -> int:
        """Ask nobody any more: pages that are open are lent to no one until a campaign posts them again; how many.

        Who has one before them may still hand it in.
        """
        return self._inbox.take_down([page.id for page in self._inbox.waiting()])


def new_part(received: Received, voters: dict[int, set[str]]) -> Sheet | None:
    """A sheet without the tasks that its worker has voted on, by `voters`, who are kept up; None where none is left.

    Its seconds are those that the browser told, but no more than passed since the page was lent.
    """
    sheet, tasks = received.sheet, received.sheet.page.tasks
    left = [n for n, task in enumerate(tasks) if sheet.worker not in voters.get(task.number, ())]
    if not left:
        return None
    for n in left:
        voters.setdefault(tasks[n].number, set()).add(sheet.worker)
    seconds = min(sheet.seconds, received.took) * len(left) / len(tasks)
    page = replace(sheet.page, tasks=tuple(tasks[n] for n in left))
    return replace(sheet, page=page, answers=tuple(sheet.answers[n] for n in left), seconds=seconds)
