"""The port between a campaign for boxes and whoever draws and judges: people on a page, a platform, or a simulation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from holotype.boxes.values import Corners, Kind, Question, Reply
from holotype.crowd.port import Page

PAGE_SIZE: Final = {Kind.DRAW: 1, Kind.QUALITY: 12, Kind.COVERAGE: 12}
"""Questions on a page of each kind, gold among them."""


@dataclass(frozen=True, slots=True)
class Item:
    """A question on a page as it is shown: its picture of so many upright pixels, the box that is judged (None but for
    quality), and the boxes that there are. `number` is the question's id."""

    number: int
    question: Question
    sha256: str
    width: int
    height: int
    box: Corners | None
    shown: tuple[Corners, ...]


@dataclass(frozen=True, slots=True)
class BoxPage:
    """A page of questions of one kind about one synset; `page` is what inboxes and platforms know of it, whose tasks
    have the ids of the questions as their numbers, in the order of the `items`. Whoever drew a box does not judge it,
    and is among those who have `seen` the page."""

    page: Page
    kind: Kind
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class BoxSheet:
    """A worker's replies to a page, in the order of its tasks; `at` is Unix time, `seconds` the time taken."""

    page: Page
    worker: str
    replies: tuple[Reply, ...]
    seconds: float
    at: float


class BoxCrowd(Protocol):
    """Whoever draws and judges."""

    @property
    def name(self) -> str:
        """What the crowd is called in reports."""

    def post(self, pages: Sequence[BoxPage]) -> None:
        """Put pages up. A page that is already up, by its id, stays as it is."""

    def collect(self) -> Sequence[BoxSheet]:
        """The sheets that came in since the last call; empty while people are still working."""

    def waiting(self) -> Sequence[Page]:
        """The pages that are up, from this run or earlier ones, and have brought no reply yet."""

    def acknowledge(self, sheets: Sequence[BoxSheet]) -> None:
        """Hear that the replies of these sheets are durable: whoever gave them can be paid."""
