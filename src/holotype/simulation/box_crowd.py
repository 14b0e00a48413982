"""A crowd of simulated people who draw and judge boxes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from holotype.boxes.port import BoxPage, BoxSheet, Item
from holotype.boxes.values import Corners, Kind, Reply
from holotype.crowd.port import Page
from holotype.simulation.drawers import PEOPLE, Drawer, Drawers, hire_drawer, normal_of
from holotype.simulation.drawing import Dice, dice_of, drawn
from holotype.simulation.judging import coverage, looks, quality
from holotype.simulation.workers import draw

Truth = Callable[[str, str, int, int], Sequence[Corners]]
"""The instances of a synset that an image of so many pixels shows: by sha256, wnid, width and height."""


class SimulatedDrawers:
    """A shipped implementation of the `BoxCrowd` port, for rehearsals, tests and the demo.

    Only people's eyes see the `truth`. Who takes a page and what each replies depend on the seed, the page and the
    question alone, so a campaign that is interrupted and resumed ends with the same facts as one that is not.
    """

    name = "simulated"

    def __init__(
        self,
        truth: Truth,
        clock: Callable[[], float],
        population: Drawers = PEOPLE,
        seed: int = 2009,
    ) -> None:
        self._truth, self._clock, self._population, self._seed = truth, clock, population, seed
        self._people = [hire_drawer(population, seed, number) for number in range(population.workers)]
        self._posted: list[BoxPage] = []

    def post(self, pages: Sequence[BoxPage]) -> None:
        """Put pages up; they are answered at the next `collect`."""
        self._posted.extend(pages)

    def collect(self) -> list[BoxSheet]:
        """Every posted page, answered. More people are hired where all have seen one of a page's questions."""
        pages, self._posted = self._posted, []
        return [self._answer(page) for page in pages]

    def waiting(self) -> list[Page]:
        """Nothing: every page is answered at once."""
        return []

    def acknowledge(self, sheets: Sequence[BoxSheet]) -> None:
        """Simulated people are not paid."""

    def _answer(self, page: BoxPage) -> BoxSheet:
        who = self._taker(page)
        wnid = page.page.wnid
        replies = tuple(self._reply(who, page.kind, wnid, item) for item in page.items)
        seconds = sum(self._seconds(who, page.kind, dice_of(self._seed, who, wnid, item)) for item in page.items)
        return BoxSheet(page.page, who.name, replies, seconds, self._clock())

    def _taker(self, page: BoxPage) -> Drawer:
        """Who takes a page: of those who may, by lot, the more active more often."""
        while not (free := [one for one in self._people if one.name not in page.page.seen]):
            self._people.append(hire_drawer(self._population, self._seed, len(self._people)))
        key = page.page.id
        return min(free, key=lambda one: -math.log(1 - draw(self._seed, "takes", key, one.name)) / one.activity)

    def _reply(self, who: Drawer, kind: Kind, wnid: str, item: Item) -> Reply:
        truth, dice = self._truth(item.sha256, wnid, item.width, item.height), dice_of(self._seed, who, wnid, item)
        if kind is Kind.DRAW:
            return drawn(who, self._population, item, truth, dice)
        if kind is Kind.QUALITY and item.box is not None:
            look = looks(self._seed, item.sha256, item.box)
            return quality(who, self._population, item, truth, dice, look)
        hidden = [looks(self._seed, item.sha256, box) for box in truth]
        return coverage(who, self._population, item, truth, dice, hidden)

    def _seconds(self, who: Drawer, kind: Kind, dice: Dice) -> float:
        """The seconds that a question takes a person: a quarter of the variance is theirs."""
        pace = self._population.paces[kind]
        return pace.at(who.slow + math.sqrt(0.75) * normal_of(dice("seconds")))
