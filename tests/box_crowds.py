"""Crowds for tests of campaigns for boxes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from holotype.boxes.port import BoxPage, BoxSheet, Item
from holotype.boxes.values import Corners, Drawn, Judged, Kind, Method, Reply
from holotype.consensus.votes import Answer
from holotype.crowd.port import Page
from holotype.geometry.boxes import iou

Truth = Mapping[str, Sequence[Corners]]
"""The true boxes of each image, by its sha256."""


def overlap(one: Corners, other: Corners) -> float:
    return float(iou(np.array(one, np.float64), np.array(other, np.float64), inclusive=True))


def perfect(item: Item, truth: Truth) -> Reply:
    """What somebody replies who makes no mistake."""
    true = truth[item.sha256]
    left = [box for box in true if not any(overlap(box, shown) >= 0.5 for shown in item.shown)]
    match item.question.kind:
        case Kind.DRAW:
            return Drawn(left[0] if left else None, Method.EXTREME, more=len(left) > 1)
        case Kind.QUALITY:
            good = any(item.box is not None and overlap(item.box, box) >= 0.7 for box in true)
            return Judged(Answer.YES if good else Answer.NO)
        case _:
            return Judged(Answer.NO if left else Answer.YES)


class Band:
    """A crowd of so many people, of whom the next one who may answers each page at once."""

    name = "band"

    def __init__(self, truth: Truth, people: int = 5, reply: Callable[[Item, Truth], Reply] = perfect) -> None:
        self.posted: list[BoxPage] = []
        self.ever: list[str] = []
        self.acknowledged: list[BoxSheet] = []
        self._truth, self._reply = truth, reply
        self._people = [f"worker {number}" for number in range(people)]
        self._turn = 0

    def post(self, pages: Sequence[BoxPage]) -> None:
        self.posted += pages
        self.ever += [page.page.id for page in pages]

    def collect(self) -> list[BoxSheet]:
        found, self.posted, left = [], [], self.posted
        for page in left:
            free = [one for one in self._people[self._turn :] + self._people[: self._turn] if one not in page.page.seen]
            if not free:
                self.posted.append(page)
                continue
            self._turn = (self._turn + 1) % len(self._people)
            replies = tuple(self._reply(item, self._truth) for item in page.items)
            found.append(BoxSheet(page.page, free[0], replies, 10.0, 0.0))
        return found

    def waiting(self) -> list[Page]:
        return [page.page for page in self.posted]

    def acknowledge(self, sheets: Sequence[BoxSheet]) -> None:
        self.acknowledged += sheets
