"""Amazon Mechanical Turk as a crowd that draws and judges boxes: ``holotype[mturk]``."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Final

from holotype.boxes.forms import read_replies
from holotype.boxes.port import BoxPage, BoxSheet, Item
from holotype.boxes.values import Reply
from holotype.crowd.mturk.forms import read_fields
from holotype.crowd.mturk.platform import MTurk, Refusal
from holotype.crowd.mturk.terms import Terms
from holotype.crowd.port import Page
from holotype.errors import CrowdError

TITLE: Final = "Draw boxes round things in pictures, or say whether boxes are good"
DESCRIPTION: Final = (
    "A page of a few minutes: draw one box, or look at a dozen pictures with boxes and say what you see"
)
KEYWORDS: Final = "image, picture, bounding box, draw, quick"

Items = Callable[[Collection[int]], Mapping[int, Item]]
"""Questions as they are shown, by their ids."""


class BoxForm:
    """The form of a page of box work, of `items`: its fields are those of `holotype.boxes.forms`."""

    crowd = "-boxes"

    def __init__(self, items: Items) -> None:
        self._items = items

    def read(self, xml: str, page: Page) -> tuple[Sequence[Reply], float]:
        """The replies to a page, and the seconds taken. Raises `CrowdError` for what does not answer it."""
        fields = read_fields(xml)
        held = self._items([task.number for task in page.tasks])
        shown = tuple(held[task.number] for task in page.tasks if task.number in held)
        if not shown or len(shown) < len(page.tasks):
            raise CrowdError("some of what the page showed is not there any more")
        return read_replies(fields, BoxPage(page, shown[0].question.kind, shown))

    def sheet(self, page: Page, worker: str, answers: Sequence[Reply], seconds: float, at: float) -> BoxSheet:
        """What a worker handed in."""
        return BoxSheet(page, worker, tuple(answers), seconds, at)


class TurkBoxes:
    """The `holotype.boxes.port.BoxCrowd` of Mechanical Turk."""

    def __init__(self, turk: MTurk[BoxSheet]) -> None:
        self.name = turk.name
        self._turk = turk

    @property
    def refusals(self) -> Sequence[Refusal]:
        """What the last `collect` could not read: a person approves or rejects it."""
        return self._turk.refused

    @property
    def refused(self) -> list[str]:
        """Why assignments could not be read."""
        return [f"assignment {one.assignment} of {one.worker}: {one.reason}" for one in self.refusals]

    def post(self, pages: Sequence[BoxPage]) -> None:
        """Put pages up, after their price was agreed to: see `MTurk.post`."""
        self._turk.post([page.page for page in pages])

    def collect(self) -> list[BoxSheet]:
        """The sheets that came in and have replies that are not known: see `MTurk.collect`."""
        return self._turk.collect()

    def waiting(self) -> list[Page]:
        """The pages that are up and unanswered."""
        return self._turk.waiting()

    def acknowledge(self, sheets: Sequence[BoxSheet]) -> None:
        """Approve, and thereby pay, the assignments of sheets that `collect` returned."""
        self._turk.acknowledge(sheets)


def box_terms(terms: Terms) -> Terms:
    """The terms with what a HIT about boxes is called, where they say nothing of their own."""
    plain = Terms(terms.page_url, terms.reward)
    return replace(
        terms,
        title=TITLE if terms.title == plain.title else terms.title,
        description=DESCRIPTION if terms.description == plain.description else terms.description,
        keywords=KEYWORDS if terms.keywords == plain.keywords else terms.keywords,
    )
