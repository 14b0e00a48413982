"""What a campaign's votes cannot tell, and what would mend it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from holotype.consensus.ballot import UNKNOWN, Ballot, Floats, Ints
from holotype.consensus.posteriors import Consensus
from holotype.consensus.two_coin import useless_votes
from holotype.consensus.votes import Answer

LEAST_SEEN: Final = 8.0
"""Images of one side, gold among them, below which the errors made on that side are a guess."""

MOST_APART: Final = 0.05
"""Mean difference between the posteriors of beliefs that the votes bear out alike."""

MOST_USELESS: Final = 0.25
"""Share of the votes that come from workers whose answers tell nothing."""

LEAST_VOTES: Final = 10
"""Median votes a worker, weighted by votes, from which workers can be told apart."""

LEAST_POWER: Final = 0.5
"""Sensitivity less false yes of the crowd, below which images take many votes."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something that the votes leave open: a `code`, what is wrong and what would mend it."""

    code: str
    message: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.message}; {self.remedy}"


@dataclass(frozen=True, slots=True)
class Seen:
    """What alarms go by: how many `bad` and `good` images were probably voted on, gold among them; the `sides` that
    gold shows; by how much beliefs differ on average over tasks that have votes; and how many `votes` every worker
    cast, ``(workers,)``."""

    bad: float
    good: float
    sides: Collection[int]
    apart: float
    votes: Ints

    @classmethod
    def of(cls, ballot: Ballot, model: Consensus) -> Seen:
        """What is seen in the votes of a ballot."""
        yes = model.posterior[ballot.votes_per_task > 0]
        asked = ballot.asked_about & (ballot.votes_per_task > 0)
        apart = float(model.apart[asked].mean()) if asked.any() else 0.0
        votes = np.bincount(ballot.worker, minlength=ballot.workers)
        return cls(float((1 - yes).sum()), float(yes.sum()), sides_of(ballot), apart, votes)


def sides_of(ballot: Ballot) -> frozenset[int]:
    """The classes that gold shows."""
    return frozenset() if ballot.known is None else frozenset(np.unique(ballot.known).tolist()) - {UNKNOWN}


def alarms_of(ballot: Ballot, model: Consensus) -> tuple[Alarm, ...]:
    """Every alarm of a fitted model; none without votes."""
    return alarms_on(Seen.of(ballot, model), model.cliques, model.confusion, model.population)


def alarms_on(
    seen: Seen, cliques: Collection[Collection[int]], confusion: Floats, population: Floats
) -> tuple[Alarm, ...]:
    """Every alarm of what was seen, and of what `Consensus` says of workers; none without votes."""
    if not seen.votes.sum():
        return ()
    return (*_of_images(seen), *_of_cliques(cliques), *_of_workers(seen.votes, confusion, population))


def _of_images(seen: Seen) -> Iterator[Alarm]:
    if seen.bad < LEAST_SEEN:
        yield Alarm(
            "no-bad",
            f"about {seen.bad:.0f} wrong images were seen, so how often workers say yes to one is a guess",
            "add 10 gold noes, such as images of sibling synsets",
        )
    if seen.good < LEAST_SEEN:
        yield Alarm(
            "no-good",
            f"about {seen.good:.0f} right images were seen, so how often workers overlook one is a guess",
            "add 10 gold yeses",
        )
    if len(seen.sides) == 1:
        (side,) = seen.sides
        missing = "noes" if side else "yeses"
        yield Alarm("one-sided-gold", f"all gold is {'yes' if side else 'no'}", f"add 10 gold {missing}")
    if seen.apart > MOST_APART:
        yield Alarm(
            "modes",
            f"the votes have several explanations, whose answers differ by {seen.apart:.2f} on average",
            "add gold of both sides, or ask for more votes (a larger pilot or minimum)",
        )


def _of_cliques(cliques: Collection[Collection[int]]) -> Iterator[Alarm]:
    if cliques:
        yield Alarm(
            "clique",
            f"{sum(map(len, cliques))} workers in {len(cliques)} groups answer as one, and have one vote a group",
            "look at them and block who copies",
        )


def useless_share(ballot: Ballot, model: Consensus) -> float:
    """The share of the votes that come from workers whose answers tell next to nothing; 0 without votes."""
    votes = np.bincount(ballot.worker, minlength=ballot.workers)
    return useless_votes(votes, information_of(model.confusion))


def information_of(confusion: Floats) -> Floats:
    """Sensitivity less false yes of every worker, ``(workers,)``, of `Consensus.confusion`."""
    return np.asarray(confusion[:, 1, Answer.YES] - confusion[:, 0, Answer.YES])


def _of_workers(votes: Ints, confusion: Floats, population: Floats) -> Iterator[Alarm]:
    share = useless_votes(votes, information_of(confusion))
    if share > MOST_USELESS:
        yield Alarm(
            "spammers",
            f"{100 * share:.0f} % of the votes are from workers whose answers say nothing of the image",
            "review them, and add gold of both sides",
        )
    if _median_of_votes(votes) < LEAST_VOTES:
        yield Alarm("strangers", "most votes are from workers who cast few", "let people do several pages each")
    power = float(population[1, Answer.YES] - population[0, Answer.YES])
    if power < LEAST_POWER:
        yield Alarm(
            "weak",
            f"the crowd says yes {100 * power:.0f} points more often to right images than to wrong ones",
            "make the definition clearer, train workers, or allow more votes",
        )


def _median_of_votes(votes: Ints) -> float:
    """The median over all votes of how many their workers cast, by how many every worker cast, ``(workers,)``."""
    votes = np.sort(votes)
    ends = np.cumsum(votes)
    middle = np.searchsorted(ends, [(ends[-1] - 1) // 2, ends[-1] // 2], side="right")
    return float(votes[middle].mean())
