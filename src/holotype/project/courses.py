"""Courses: a campaign driven step by step, in a process that has other things to do, and to write, meanwhile."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

import numpy as np

from holotype.catalog import labels
from holotype.catalog import votes as vote_rows
from holotype.catalog.labels import Labels
from holotype.catalog.votes import Counts
from holotype.consensus.ballot import Floats, Ints
from holotype.consensus.votes import Vote
from holotype.crowd.ballots import Axes
from holotype.crowd.campaign import PAGE_SIZE, PAGES_AT_ONCE, affordable, pages_of_round
from holotype.crowd.columns import NOWHERE
from holotype.crowd.conclusion import Codes, Conclusion, Incremental
from holotype.crowd.guards import Mask
from holotype.crowd.imageable import is_incremental
from holotype.crowd.layers import with_part
from holotype.crowd.port import Crowd, Page
from holotype.project.appending import MOST_GROWN
from holotype.project.asking import Scope, back_off
from holotype.project.conclusions import Basis, owned, owned_parts, put_some, rule_of, settle, take
from holotype.project.memory import on_touched
from holotype.project.parts import Parts

EVERY: Final = 10.0
"""Seconds after which labels are drawn again while people vote."""

PATIENCE: Final = 4.0
"""Within a round everything is concluded again only when so many times as long has passed as that took."""


class Step(StrEnum):
    """How a campaign is after a step: people are asked, everything is decided, or no votes are left for a page."""

    ASKING = "asking"
    DECIDED = "decided"
    SPENT = "spent"


@dataclass(frozen=True, slots=True)
class News:
    """What came in since the last step: votes, which are durable, how many of them were new, and all there is now."""

    votes: Sequence[Vote]
    recorded: int
    counts: Counts


@dataclass(frozen=True, slots=True)
class _Fitted:
    """What was concluded of everything last, from how many votes, on which axes; the pilot's tasks, by their numbers;
    how many seconds it took, and when it was done."""

    conclusion: Conclusion
    votes: int
    axes: Axes
    pilot: Ints
    took: float
    at: float


@dataclass(frozen=True, slots=True)
class _Told:
    """The labels that were written last, by the places of tasks, ``(tasks,)`` each; NaN where none was."""

    posterior: Floats
    state: Codes
    policy: Ints
    guard: Codes

    @classmethod
    def of(cls, tasks: int) -> _Told:
        return cls(
            np.full(tasks, np.nan), np.zeros(tasks, np.int8), np.zeros(tasks, np.int32), np.zeros(tasks, np.int8)
        )

    def differs(self, found: Labels, places: Ints) -> Mask:
        """Which labels of tasks at these places are others than these; they are these from now on."""
        names = "posterior", "state", "policy", "guard"
        differs = np.any([getattr(self, name)[places] != getattr(found, name) for name in names], axis=0)
        for name in names:
            getattr(self, name)[places] = getattr(found, name)
        return np.asarray(differs)


class Course:
    """A campaign as far as it is known in this process. All of it follows from facts: who starts anew goes on so, too.

    What is computed is computed outside of transactions, and what is written is written a little at a time.
    """

    def __init__(self, parts: Parts, scope: Scope) -> None:
        self.scope = scope
        self._parts = parts
        self._basis: Basis | None = None
        self._fitted: _Fitted | None = None
        self._told: _Told | None = None
        self._touched: set[int] = set()
        self._drawn_at = -np.inf

    def step(self, crowd: Crowd, up: Sequence[Page], news: News, now: float) -> Step:
        """Count what is new, draw labels where a round is complete, or it is time to, and post what is to be asked
        beside the pages that are `up`; `now` is a time in seconds."""
        basis = self._known(news)
        tally, number = basis.tally, basis.tally.last_round or 1
        wnids = set(tally.tasks.wnids)
        up = [page for page in up if page.wnid in wnids]
        if str(basis.rule) != basis.last and not self._draw(now):
            return Step.ASKING  # something else has changed meanwhile
        while True:
            asked = tally.open_at(number, self.scope.policy)
            here = [page for page in up if page.round == number]
            room = max(PAGES_AT_ONCE - len(here), 1)
            made = pages_of_round(tally, asked, number, PAGE_SIZE, here, room)
            if pages := [tally.with_gold(page) for page in made]:
                return self._post(crowd, pages, up, now)
            if not self._draw(now):
                return Step.ASKING
            number += 1
            if not tally.begin(number, basis.conclude()).any():
                return self._end(basis)

    def _post(self, crowd: Crowd, pages: Sequence[Page], up: Sequence[Page], now: float) -> Step:
        posted = affordable(pages, up, self._current.tally, self.scope.most)
        known = {page.id for page in up}
        if new := [page for page in posted if page.id not in known]:
            crowd.post(new)
        if posted or up:
            self._tell(now)
            return Step.ASKING
        return Step.SPENT if self._draw(now) else Step.ASKING

    def _end(self, basis: Basis) -> Step:
        basis.tally.done = True
        conclusion = basis.conclude()
        if self.scope.back_off and back_off(self._parts, basis.layer, basis.tally, conclusion):
            self._basis = None
            return Step.ASKING
        return Step.DECIDED if settle(self._parts, self._current, conclusion) else Step.ASKING

    # What there is to go by

    @property
    def _current(self) -> Basis:
        """What there is to go by. Raises `RuntimeError` before the first step."""
        if self._basis is None:
            raise RuntimeError("nothing was read yet")
        return self._basis

    def _known(self, news: News) -> Basis:
        """What there is to go by now, read anew where anything but these votes has changed."""
        basis = self._basis
        if basis is None or news.counts != replace(basis.counts, votes=basis.counts.votes + news.recorded):
            self._basis = take(self._parts, self.scope.policy, self.scope.under)
            self._fitted, self._told, self._touched = None, None, set()
            return self._basis
        basis.tally.add(news.votes)
        cast = np.array([vote.task for vote in news.votes], np.int64)
        self._touched |= set(cast[basis.tally.places_of(cast) != NOWHERE].tolist())
        self._basis = replace(self._with_rule(basis), counts=news.counts)
        return self._basis

    def _with_rule(self, basis: Basis) -> Basis:
        """The same, where other campaigns may have said since how their labels are drawn."""
        with self._parts.catalog.read() as connection:
            last, newest = labels.last_policy(connection), vote_rows.newest(connection)
        if last == basis.last or not self.scope.under:
            return replace(basis, last=last)
        before = None if last is None else rule_of(last)
        rule = with_part(before, self.scope.under, self.scope.policy, newest, self._parts.ontology)
        return replace(basis, rule=rule, last=last)

    # Labels

    def _draw(self, now: float) -> bool:
        """Draw all labels; False where that has to be done again, for there is more to go by now."""
        basis, start = self._current, time.perf_counter()
        conclusion = basis.conclude()
        if self._fitted is None or self._fitted.conclusion is not conclusion:
            took = time.perf_counter() - start
            numbers, pilot = basis.tally.tasks.number, conclusion.memory.pilot
            chosen = numbers[:0] if pilot is None else numbers[pilot]
            self._fitted = _Fitted(conclusion, basis.tally.votes_cast, basis.tally.axes(), chosen, took, now)
        elif basis.last == str(basis.rule) and not self._touched:
            return True  # as it is drawn already
        for found in owned_parts(self._parts, basis, conclusion):
            self._put(found)
        if not settle(self._parts, basis, conclusion):
            self._basis = None
            return False
        self._basis = replace(basis, last=str(basis.rule))
        self._touched, self._drawn_at = set(), now
        return True

    def _tell(self, now: float) -> None:
        """Draw labels while people vote, where it is time to: of what votes came on, or of everything."""
        if not self._touched or now - self._drawn_at < EVERY:
            return
        fitted, tally = self._fitted, self._current.tally
        grown = fitted is None or tally.votes_cast - fitted.votes > MOST_GROWN * fitted.votes
        if fitted is None or (grown and now - fitted.at >= PATIENCE * fitted.took) or not self._tell_touched():
            self._draw(now)
        self._drawn_at = now

    def _tell_touched(self) -> bool:
        """Draw the labels of what votes came on; False where the policy needs all votes for that."""
        basis, policy, fitted = self._current, self.scope.policy, self._fitted
        if fitted is None or not isinstance(policy, Incremental) or not is_incremental(policy):
            return False
        places = basis.tally.places_of(np.array(sorted(self._touched), np.int64))
        few = basis.tally.only(np.sort(places[places != NOWHERE]))
        ballot = few.ballot_on(fitted.axes)
        if ballot is None:
            return False
        conclusion = policy.again(ballot, on_touched(fitted.conclusion.memory, fitted.pilot, few))
        self._put(owned(self._parts, replace(basis, tally=few), conclusion))
        self._touched = set()
        return True

    def _put(self, found: Labels) -> None:
        """Write labels where they are not what was written last."""
        tally = self._current.tally
        if self._told is None:
            self._told = _Told.of(len(tally.tasks))
        put_some(self._parts, found.take(self._told.differs(found, tally.places_of(found.candidate))))
