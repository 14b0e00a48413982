"""What is known of who draws and judges boxes: how much of what they draw is good, and what their answers tell."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Final

import numpy as np

from holotype.audits.bounds import clopper_pearson
from holotype.boxes.deciding import Boxing
from holotype.boxes.instances import instances
from holotype.boxes.states import Polls, said_of_coverage
from holotype.boxes.tally import Given, Tally
from holotype.boxes.values import Drawn, Kind, Question
from holotype.consensus.posteriors import fit
from holotype.consensus.votes import TRAINING, is_curator, is_machine
from holotype.crowd.columns import InMemory
from holotype.crowd.conclusion import State
from holotype.crowd.reviews import Limits, Timing, Verdict, WorkerReview, review_workers
from holotype.crowd.tally import Tally as VoteTally

BLOCK: Final = 0.5
"""Drawers are to be blocked of whom it is sure that less is good than this share of what is good of the others'."""
WATCH: Final = 0.75


@dataclass(frozen=True, slots=True)
class Attempt:
    """A reply to a question to draw: whether it was `good` in the end, a box that was accepted or rightly nothing left;
    None where that is not known."""

    worker: str
    good: bool | None
    seconds: float


@dataclass(frozen=True, slots=True)
class DrawerReview:
    """One who draws: replies to questions to draw, of how many it is known whether they are good, and of how many they
    are; `interval` is the share's by Clopper and Pearson. `others` is the share of what is good of all others'. `pace`
    is median seconds over the crowd's. `reasons` name nobody."""

    worker: str
    replies: int
    known: int
    good: int
    interval: tuple[float, float]
    others: float | None
    pace: float
    verdict: Verdict
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BoxReviews:
    """Reviews of everybody whose replies count: of drawers, and of judges of quality and of coverage, by name."""

    drawers: tuple[DrawerReview, ...]
    quality: tuple[WorkerReview, ...]
    coverage: tuple[WorkerReview, ...]

    def to_block(self) -> dict[str, str]:
        """The workers who are to be blocked, people and machines, with the reasons, by name."""
        found: dict[str, list[str]] = {}
        for what, some in (("draws", self.drawers), ("judges", self.quality), ("covers", self.coverage)):
            for one in some:
                if one.verdict is Verdict.BLOCK:
                    found.setdefault(one.worker, []).append(f"{what}: {'; '.join(one.reasons)}")
        return {worker: ", ".join(reasons) for worker, reasons in sorted(found.items())}


def review_boxes(given: Sequence[Given], tally: Tally, limits: Limits = Limits()) -> BoxReviews:
    """Reviews of who replied, from all replies and the tally of them that is concluded.

    Judges are reviewed as voters are (`holotype.crowd.reviews.review_workers`): by the two-coin model and gold.
    What is said of coverage beside a drawing, or by "nothing left", is an answer as well.
    """
    drawers = review_drawers(list(attempts(given, tally)), limits)
    return BoxReviews(
        tuple(drawers), judges(given, tally, Kind.QUALITY, limits), judges(given, tally, Kind.COVERAGE, limits)
    )


def attempts(given: Iterable[Given], tally: Tally) -> Iterator[Attempt]:
    """The replies to questions to draw that count, with what became of them."""
    known: dict[int, _Known] = {}
    for one in given:
        question = tally.question(one.question)
        if question is None or question.kind is not Kind.DRAW or not isinstance(one.reply, Drawn):
            continue
        if one.round == TRAINING or one.worker in tally.blocked or is_curator(one.worker):
            continue
        candidate = question.candidate
        if candidate not in known:
            known[candidate] = _Known.of(tally.boxing(candidate))
        yield Attempt(one.worker, known[candidate].good(one, question), one.seconds)


@dataclass(frozen=True, slots=True)
class _Known:
    """What is concluded of a candidate: of drawings by their ids, and of coverage by what was shown."""

    drawings: Mapping[int, State]
    coverage: Mapping[tuple[int, ...], State]

    @classmethod
    def of(cls, boxing: Boxing) -> _Known:
        states = {one.number: one.state for one in boxing.drawings}
        accepted = (number for found in instances(boxing.drawings) for number in found.drawings)
        return cls(states | dict.fromkeys(accepted, State.YES), boxing.coverage)

    def good(self, one: Given, question: Question) -> bool | None:
        left = isinstance(one.reply, Drawn) and one.reply.box is None
        said = self.coverage.get(question.shown) if left else self.drawings.get(one.number)
        return {State.YES: True, State.NO: False}.get(said or State.OPEN)


def review_drawers(made: Sequence[Attempt], limits: Limits = Limits()) -> list[DrawerReview]:
    """A review of every drawer, by name.

    Each is compared with the others together: blocked where even the upper bound of their share is below `BLOCK` of the
    lower bound of the others', both of `Limits.level`; watched where it is below `WATCH` of that, or where they are
    quicker than `Limits.pace`. So who draws hard synsets must do far worse before anybody says so.
    """
    by_worker: dict[str, list[Attempt]] = {}
    for one in made:
        by_worker.setdefault(one.worker, []).append(one)
    names = sorted(by_worker)
    known = np.array([sum(one.good is not None for one in by_worker[name]) for name in names], np.int64)
    good = np.array([sum(bool(one.good) for one in by_worker[name]) for name in names], np.int64)
    level = (1 + limits.level) / 2
    low, high = clopper_pearson(good, known, level)
    least, _ = clopper_pearson(good.sum() - good, known.sum() - known, level)
    pace = _paces({name: [one.seconds for one in by_worker[name]] for name in names if not is_machine(name)})
    return [
        _drawer(
            DrawerReview(
                worker=name,
                replies=len(by_worker[name]),
                known=int(known[at]),
                good=int(good[at]),
                interval=(float(low[at]), float(high[at])),
                others=float((good.sum() - good[at]) / rest) if (rest := int(known.sum() - known[at])) else None,
                pace=pace.get(name, 1.0),
                verdict=Verdict.OK,
                reasons=(),
            ),
            float(least[at]),
            limits,
        )
        for at, name in enumerate(names)
    ]


def _paces(seconds: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """Each one's median seconds over the median of those; nobody's where they took none."""
    medians = {name: median(some) for name, some in seconds.items()}
    crowd = median(medians.values()) if medians else 0.0
    return {name: one / crowd for name, one in medians.items()} if crowd > 0 else {}


def _drawer(found: DrawerReview, least: float, limits: Limits) -> DrawerReview:
    """The review with its verdict; `least` is the lower bound of the others' share."""
    high, told = found.interval[1], f"{found.good:,} of {found.known:,} are good"
    block = [f"{told}, of the others' {found.others:.0%}"] if found.others is not None and high < BLOCK * least else []
    watch = []
    if not block and found.others is not None and high < WATCH * least:
        watch.append(f"{told}, of the others' {found.others:.0%}")
    if found.pace < limits.pace and found.replies >= limits.votes:
        watch.append(f"takes {found.pace:.0%} of the crowd's time")
    verdict = Verdict.BLOCK if block else Verdict.WATCH if watch else Verdict.OK
    return replace(found, verdict=verdict, reasons=(*block, *watch))


def judges(given: Iterable[Given], tally: Tally, kind: Kind, limits: Limits = Limits()) -> tuple[WorkerReview, ...]:
    """Reviews of those who answered questions of quality or coverage, by name."""
    polls = tally.quality if kind is Kind.QUALITY else tally.coverage
    votes = polls.tally(tally.gold, tally.blocked)
    timed = _timed(votes, _times(given, tally, polls, kind))
    if not len(timed.counting):
        return ()
    ballot, cast = timed.ballot(), timed.counting
    found = review_workers(ballot, Timing(*cast.timing), ballot.names or (), fit(ballot), limits)
    return tuple(sorted(found, key=lambda review: review.worker))


def _times(
    given: Iterable[Given], tally: Tally, polls: Polls, kind: Kind
) -> dict[tuple[int, str], tuple[float, float]]:
    """The seconds and the Unix time of each answer, by the place of the question and the worker.

    Whether there are more is said beside a box, in no time of its own: such an answer takes what its worker's others do
    in the median, or those of most where there are none.
    """
    found: dict[tuple[int, str], tuple[float, float]] = {}
    beside: dict[tuple[int, str], float] = {}
    for one in given:
        question = tally.question(one.question)
        if question is not None and kind is Kind.COVERAGE and isinstance(one.reply, Drawn):
            said = said_of_coverage(question, one.number, one.reply)
            question = None if said is None else said[0]
        if question is None or question.kind is not kind or (place := polls.place(question)) is None:
            continue
        if isinstance(one.reply, Drawn) and one.reply.box is not None:
            beside.setdefault((place, one.worker), one.at)
        else:
            found.setdefault((place, one.worker), (one.seconds, one.at))
    by_worker: dict[str, list[float]] = {}
    for (_, worker), (seconds, _) in found.items():
        by_worker.setdefault(worker, []).append(seconds)
    usual = {worker: median(some) for worker, some in by_worker.items()}
    most = median(usual.values()) if usual else 0.0
    return {(place, worker): (usual.get(worker, most), at) for (place, worker), at in beside.items()} | found


def _timed(held: VoteTally, times: Mapping[tuple[int, str], tuple[float, float]]) -> VoteTally:
    votes = held.votes
    keys = zip(votes.task.tolist(), (votes.workers[code] for code in votes.worker.tolist()), strict=True)
    both = np.array([times.get(key, (0.0, 0.0)) for key in keys], np.float64).reshape(-1, 2)
    return VoteTally(held.tasks, replace(votes, seconds=both[:, 0], at=both[:, 1]), held.known, InMemory(()))
