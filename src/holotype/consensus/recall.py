"""What a fit learned of workers and synsets, kept to say of a few tasks what it would say of them, without fitting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from holotype.consensus.ballot import Ballot, Floats, Ints
from holotype.consensus.beliefs import Fit
from holotype.consensus.cliques import as_one
from holotype.consensus.em import evidence, normalised
from holotype.consensus.posteriors import Fits, mixed, said_something
from holotype.consensus.two_coin import Priors, TwoCoins, before_votes, difficulty_odds, prior_odds

if TYPE_CHECKING:
    from scipy.sparse import csr_array


@dataclass(frozen=True, slots=True)
class Learned:
    """One belief as it was fitted, and its `share` among the beliefs.

    `workers` ``(workers, answers, 2)`` and `population` ``(answers, 2)`` are chances of answers on bad and good images,
    `difficulty` ``(synsets, answers, 2)`` those of each synset where they were learned; `hard` is the share of hard
    images, `rates` ``(groups,)`` the base rates.
    """

    priors: Priors
    share: float
    workers: Floats
    population: Floats
    hard: float
    rates: Floats
    difficulty: Floats | None

    @classmethod
    def of(cls, fit: Fit, share: float) -> Learned:
        """That of a fit."""
        return cls.of_model(fit.model, share)

    @classmethod
    def of_model(cls, model: TwoCoins, share: float = 1.0) -> Learned:
        """What a model found last."""
        rates, difficulty = model.group_rates, model.learned_difficulty
        return cls(model.priors, share, model.workers, model.population, model.hard, rates, difficulty)

    def before(self, ballot: Ballot, group: Ints) -> Floats:
        """The chance of yes before any vote, ``(tasks,)``; `group` ``(tasks,)`` are places among `rates`."""
        return before_votes(self.rates[group], ballot.prior)

    def yes(self, ballot: Ballot, group: Ints) -> Floats:
        """The probability of yes, ``(tasks,)``; workers who are new are as the population."""
        return np.asarray(normalised(self.scores(ballot, group, ballot.incidence()))[:, 1::2].sum(axis=1))

    def scores(self, ballot: Ballot, group: Ints, votes: csr_array) -> Floats:
        """The logs of every kind's chance with the votes, ``(tasks, kinds)``, which are also given as incidence;
        workers who are new are as the population."""
        new = ballot.workers - len(self.workers)
        workers = np.concatenate([self.workers, np.broadcast_to(self.population, (new, *self.population.shape))])
        scores = evidence(votes, self.priors.with_hard(workers))
        if ballot.prior is None:
            scores += prior_odds(self.rates, self.hard, self.priors)[group]
        else:
            scores += prior_odds(self.before(ballot, group), self.hard, self.priors)
        if self.difficulty is not None:
            ratio = np.log(self.difficulty / self.population)[ballot.synset]
            scores += difficulty_odds(ballot.counts(), ratio, self.priors)
        return scores


@dataclass(frozen=True, slots=True)
class Recall:
    """All that was learned: by every belief, which workers have one vote together, and the `groups` ``(groups,)`` that
    base rates are of (`group_keys`)."""

    beliefs: tuple[Learned, ...]
    cliques: tuple[Ints, ...]
    groups: Ints

    @classmethod
    def of(cls, ballot: Ballot, fits: Fits) -> Recall:
        """What fits to a ballot learned."""
        groups = np.arange(ballot.synsets) if ballot.batch is None else np.unique(group_keys(ballot))
        return cls(tuple(Learned.of(fit, share) for fit, share in fits.fits), fits.cliques, groups)

    def posterior(self, ballot: Ballot) -> tuple[Floats, Floats]:
        """What is believed of each task of a ballot, and what its votes say, as `Consensus.posterior` and `evidence`.

        The ballot is on the axes of the one that was fitted, but for new workers, who come after those; of its tasks
        each is of a group that is known.
        """
        heard = as_one(ballot, list(self.cliques))
        said = said_something(heard) | ~heard.asked_about
        heard = heard.keep(said[heard.task])
        group = np.searchsorted(self.groups, group_keys(ballot))
        before = [belief.before(heard, group) for belief in self.beliefs]
        yes = [belief.yes(heard, group) for belief in self.beliefs]
        shares = [belief.share for belief in self.beliefs]
        told = mixed(heard, shares, yes, before)
        return told.posterior, told.evidence


def group_keys(ballot: Ballot) -> Ints:
    """A number for the synset and batch of every task, ``(tasks,)``, in the order in which `Ballot.groups` has them."""
    if ballot.batch is None:
        return ballot.synset.astype(np.int64)
    return ballot.batch.astype(np.int64) * ballot.synsets + ballot.synset
