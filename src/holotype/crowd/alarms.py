"""What a campaign's votes cannot tell, and what would mend it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from holotype.consensus.ballot import UNKNOWN, Ballot, Floats
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


def alarms_of(ballot: Ballot, model: Consensus) -> tuple[Alarm, ...]:
    """Every alarm of a fitted model; none without votes."""
    return tuple(_alarms(ballot, model)) if len(ballot.task) else ()


def _alarms(ballot: Ballot, model: Consensus) -> Iterator[Alarm]:
    bad, good = _seen(ballot, model.posterior)
    if bad < LEAST_SEEN:
        yield Alarm(
            "no-bad",
            f"about {bad:.0f} wrong images were seen, so how often workers say yes to one is a guess",
            "add 10 gold noes, such as images of sibling synsets",
        )
    if good < LEAST_SEEN:
        yield Alarm(
            "no-good",
            f"about {good:.0f} right images were seen, so how often workers overlook one is a guess",
            "add 10 gold yeses",
        )
    if ballot.known is not None and len(sides := np.unique(ballot.known[ballot.known != UNKNOWN])) == 1:
        missing = "noes" if sides[0] else "yeses"
        yield Alarm("one-sided-gold", f"all gold is {'yes' if sides[0] else 'no'}", f"add 10 gold {missing}")
    asked = ballot.asked_about & (ballot.votes_per_task > 0)
    apart = float(model.apart[asked].mean()) if asked.any() else 0.0
    if apart > MOST_APART:
        yield Alarm(
            "modes",
            f"the votes have several explanations, whose answers differ by {apart:.2f} on average",
            "add gold of both sides, or ask for more votes (a larger pilot or minimum)",
        )
    if model.cliques:
        members = sum(map(len, model.cliques))
        yield Alarm(
            "clique",
            f"{members} workers in {len(model.cliques)} groups answer as one, and have one vote a group",
            "look at them and block who copies",
        )
    yield from _of_workers(ballot, model)


def useless_share(ballot: Ballot, model: Consensus) -> float:
    """The share of the votes that come from workers whose answers tell next to nothing; 0 without votes."""
    return useless_votes(ballot, model.confusion[:, 1, Answer.YES] - model.confusion[:, 0, Answer.YES])


def _of_workers(ballot: Ballot, model: Consensus) -> Iterator[Alarm]:
    votes, share = np.bincount(ballot.worker, minlength=ballot.workers), useless_share(ballot, model)
    if share > MOST_USELESS:
        yield Alarm(
            "spammers",
            f"{100 * share:.0f} % of the votes are from workers whose answers say nothing of the image",
            "review them, and add gold of both sides",
        )
    if np.median(votes[ballot.worker]) < LEAST_VOTES:
        yield Alarm("strangers", "most votes are from workers who cast few", "let people do several pages each")
    power = float(model.population[1, Answer.YES] - model.population[0, Answer.YES])
    if power < LEAST_POWER:
        yield Alarm(
            "weak",
            f"the crowd says yes {100 * power:.0f} points more often to right images than to wrong ones",
            "make the definition clearer, train workers, or allow more votes",
        )


def _seen(ballot: Ballot, posterior: Floats) -> tuple[float, float]:
    """How many bad and good images were probably voted on, gold among them."""
    yes = posterior[ballot.votes_per_task > 0]
    return float((1 - yes).sum()), float(yes.sum())
