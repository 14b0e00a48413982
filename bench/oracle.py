"""What the votes could give to one who knew the workers and the base rates: a bound on every policy of the regimes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from crowds import Crowd, Ground
from holotype.consensus.ballot import Ballot
from holotype.consensus.votes import Answer
from holotype.crowd.conclusion import STATES, Conclusion, State


@dataclass(frozen=True, slots=True)
class Oracle:
    """Bayes' rule with every worker's own chances and every batch's own base rate, stopped as `Posterior` stops.

    Spammers and colluders weigh nothing; of a stranger the population's mean is known. A task is accepted above
    `accept` with a yes at least; rejected below `reject`, where its votes are at most `miss` times as likely on a good
    image; undecided after `maximum` votes. Where no such values hold a cell, the votes do not tell enough.
    """

    accept: float = 0.95
    reject: float = 0.05
    miss: float = 0.1
    maximum: float = 12

    def __str__(self) -> str:
        return f"oracle(accept={self.accept}, reject={self.reject}, miss={self.miss}, max={self.maximum})"

    def knowing(self, place: Ground, crowd: Crowd) -> Knowing:
        """The policy of one seed."""
        return Knowing(self, place, crowd)


@dataclass(frozen=True, slots=True)
class Knowing:
    """An oracle about one crowd."""

    oracle: Oracle
    place: Ground
    crowd: Crowd

    def conclude(self, ballot: Ballot) -> Conclusion:
        """The state of every task; gold has its known answer."""
        truth, batch, known = (of[: ballot.tasks] for of in (self.place.truth, self.place.batch, self.place.known))
        rates = np.clip(np.bincount(batch, truth) / np.bincount(batch), 1e-6, 1 - 1e-6)[batch]
        evidence = np.bincount(ballot.task, self.crowd.weights(ballot), ballot.tasks)
        posterior = 1 / (1 + np.exp(-evidence) * (1 - rates) / rates)
        told = self.oracle
        rules = [
            (known == 1, State.YES),
            (known == 0, State.NO),
            ((posterior >= told.accept) & (ballot.count(Answer.YES) > 0), State.YES),
            ((posterior <= told.reject) & (evidence <= np.log(told.miss)), State.NO),
            (ballot.votes_per_task >= told.maximum, State.UNDECIDED),
        ]
        states = [STATES.index(state) for _, state in rules]
        chosen = np.select([mask for mask, _ in rules], states, STATES.index(State.OPEN))
        return Conclusion(chosen.astype(np.int8), posterior)
