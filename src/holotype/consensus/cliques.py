"""Workers who answer as one: copies, shared accounts, colluders. Together they have one vote.

A worker model believes whoever agrees most, so a minority that shares its answers passes for the truth. Honest workers
agree because of what the images show, and then the others agree with them too; a clique agrees with itself alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from holotype.consensus.ballot import UNKNOWN, Ballot, Floats, Ints
from holotype.consensus.votes import Answer

if TYPE_CHECKING:
    from scipy.sparse import csr_array

LEAST_VOTES: Final = 5
MOST_WORKERS: Final = 1500
"""The most active workers are compared, and on tasks drawn to at most `MOST_VOTES` votes."""
MOST_VOTES: Final = 200_000

FAITH: Final = 0.05
"""How often members differ, as a share of how often strangers with their shares of yes would."""

LEAST_EVIDENCE: Final = 40.0
"""Log likelihood ratio, members over strangers, from which a clique is one, beyond what it takes to name each member:
among many workers some agree by chance."""

LEAST_CORRELATION: Final = 0.8
"""Of members' answers, so that each may differ from the common one in five of a hundred."""
LEAST_TRUTH: Final = 4.0
"""Standard errors by which the others' answers must hang together: where they do not, as with spammers, the set may as
well be the honest ones."""

GOLD_VOTES: Final = 5
"""Votes on gold from which a worker may be known to be right."""

MOST_SHARED: Final = 0.4
"""What a clique's answers have in common with the others', squared, over what one truth behind all would explain."""


@dataclass(frozen=True, slots=True)
class _Agreement:
    """Of every two workers: votes in common, how often they differed, and the sum of products of their deviations from
    their own shares of yes, ``(workers, workers)`` each; `votes` and `yes` of each, ``(workers,)``."""

    common: Floats
    differed: Floats
    moved: Floats
    votes: Ints
    yes: Floats

    def certainty(self, of: Ints) -> float:
        """By how many standard errors the covariance within a set of workers is above 0."""
        spread = (self.yes * (1 - self.yes))[of]
        noise = float(spread @ self.common[np.ix_(of, of)] @ spread)
        return float(self.moved[np.ix_(of, of)].sum() / max(2 * noise, 1e-9) ** 0.5)

    def covariance(self, a: Ints, b: Ints) -> float:
        """The mean product of deviations between two sets of workers."""
        return float(self.moved[np.ix_(a, b)].sum() / max(self.common[np.ix_(a, b)].sum(), 1.0))


def find_cliques(ballot: Ballot) -> list[Ints]:
    """Sets of three or more workers whose answers are one and the same, by their numbers; at most half of the votes.

    Greedy: from the pair that is likelier copying than not by the largest factor, whoever makes the set likelier joins.
    A set is a clique if its answers agree as good as always (`LEAST_CORRELATION`) while its covariance with the others
    falls short of what one truth would make of it: under any one-factor model cov(in, in) cov(out, out) =
    cov(in, out)^2 (Spearman's tetrads). Experts, whom the others follow in part, meet that; a clique does not. The
    others must have something in common of their own, and whom gold shows right is in no clique.
    """
    chosen = compared(ballot, sure_votes(ballot))
    return cliques_among(ballot.keep(chosen), known_right(*right_on_gold(ballot)))


def cliques_among(ballot: Ballot, trusted: npt.NDArray[np.bool_]) -> list[Ints]:
    """`find_cliques` among the votes that are `compared`; who is `trusted` ``(workers,)`` is in no clique."""
    workers, seen = _agreement(ballot)
    if len(workers) < 4:
        return []
    gain = _copying(seen)
    free = (seen.yes > 0.02) & (seen.yes < 0.98)  # who always gives one answer copies nobody
    found = []
    free &= ~trusted[workers]
    while free.sum() >= 3:
        members = _grow(gain, free)
        if len(members) < 3:
            break
        free[members] = False
        if _is_clique(members, gain, seen):
            found.append(np.sort(workers[members]))
    return found


def as_one(ballot: Ballot, cliques: list[Ints]) -> Ballot:
    """The ballot in which each clique is its first member: of its votes on a task one is left, that of most members.

    Where as many say another, the first in order of answers.
    """
    if not cliques:
        return ballot
    leader = np.arange(ballot.workers)
    for clique in cliques:
        leader[clique] = clique[0]
    keys = ballot.task.astype(np.int64) * ballot.workers + leader[ballot.worker]
    voters, place = np.unique(keys, return_inverse=True)
    counts = np.bincount(place * ballot.answers + ballot.answer, minlength=len(voters) * ballot.answers)
    answer = counts.reshape(-1, ballot.answers).argmax(axis=1)
    return replace(ballot, task=voters // ballot.workers, worker=voters % ballot.workers, answer=answer)


def right_on_gold(ballot: Ballot) -> tuple[Ints, Ints]:
    """How many votes every worker cast on gold, and how many were right, ``(workers,)`` each; unsure abstains."""
    if ballot.known is None:
        return np.zeros(ballot.workers, np.int64), np.zeros(ballot.workers, np.int64)
    truth = ballot.known[ballot.task]
    told = np.flatnonzero((truth != UNKNOWN) & (ballot.answer != Answer.UNSURE))
    right = (ballot.answer[told] == Answer.YES) == (truth[told] == 1)
    votes = np.bincount(ballot.worker[told], minlength=ballot.workers)
    return votes, np.bincount(ballot.worker[told[right]], minlength=ballot.workers)


def known_right(votes: Ints, hits: Ints) -> npt.NDArray[np.bool_]:
    """Whether gold shows workers right, nine times in ten, ``(workers,)``, of what `right_on_gold` says."""
    return np.asarray((votes >= GOLD_VOTES) & (hits >= 0.9 * votes))


def sure_votes(ballot: Ballot) -> int:
    """How many votes are not unsure."""
    return int(np.count_nonzero(ballot.answer != Answer.UNSURE))


def compared(ballot: Ballot, sure: int, first: int = 0) -> npt.NDArray[np.bool_]:
    """Which votes are compared, ``(votes,)``, of a ballot that begins with task number `first` of one that has so many
    `sure` votes."""
    chosen = ballot.answer != Answer.UNSURE
    if sure > MOST_VOTES:
        chosen = chosen & ((ballot.task + first) % (sure // MOST_VOTES + 1) == 0)
    return np.asarray(chosen)


def _agreement(ballot: Ballot) -> tuple[Ints, _Agreement]:
    """The workers that are compared, and how they agree."""
    from scipy.sparse import csr_array

    votes = np.bincount(ballot.worker, minlength=ballot.workers)
    workers = np.argsort(-votes, kind="stable")[:MOST_WORKERS]
    workers = np.sort(workers[votes[workers] >= LEAST_VOTES])
    place = np.full(ballot.workers, -1)
    place[workers] = np.arange(len(workers))
    sure = np.flatnonzero(place[ballot.worker] >= 0)
    worker, task, yes = place[ballot.worker[sure]], ballot.task[sure], ballot.answer[sure] == Answer.YES
    votes = votes[workers]
    share = (np.bincount(worker, yes, minlength=len(workers)) + 0.5) / (votes + 1)

    def matrix(values: npt.NDArray[np.float64]) -> csr_array:
        return csr_array((values, (worker, task)), shape=(len(workers), ballot.tasks))

    voted, said, moved = matrix(np.ones(len(task))), matrix(yes.astype(np.float64)), matrix(yes - share[worker])
    mine = (said @ voted.T).toarray()
    differed = mine + mine.T - 2 * (said @ said.T).toarray()
    common, together = (voted @ voted.T).toarray(), (moved @ moved.T).toarray()
    for table in (common, differed, together):
        np.fill_diagonal(table, 0.0)
    return workers, _Agreement(common, differed, together, votes, share)


def _copying(seen: _Agreement) -> Floats:
    """How much likelier every two workers' answers are of copies than of strangers, in logs."""
    yes = seen.yes
    strangers = np.clip(yes[:, None] * (1 - yes) + yes * (1 - yes[:, None]), 1e-3, 0.5)
    same = np.log((1 - FAITH * strangers) / (1 - strangers))
    gain = seen.differed * np.log(FAITH) + (seen.common - seen.differed) * same
    np.fill_diagonal(gain, 0.0)
    return np.asarray(gain)


def _grow(gain: Floats, free: npt.NDArray[np.bool_]) -> Ints:
    """The set that grows from the likeliest pair; empty where no pair is likely."""
    pairs = np.where(free[:, None] & free, gain, 0.0)
    pair = np.array(np.unravel_index(int(np.argmax(pairs)), pairs.shape))
    if pairs[tuple(pair)] <= 1.0:
        return np.zeros(0, np.int64)
    members, joins = pair, np.where(free, gain[:, pair].sum(axis=1), -np.inf)
    joins[members] = -np.inf
    while joins.max() > 0:
        new = int(joins.argmax())
        members = np.append(members, new)
        joins += gain[:, new]
        joins[new] = -np.inf
    return members


def _is_clique(members: Ints, gain: Floats, seen: _Agreement) -> bool:
    votes = seen.votes[members]
    named = len(members) * np.log(len(seen.votes))
    if gain[np.ix_(members, members)].sum() / 2 < LEAST_EVIDENCE + named or 2 * votes.sum() > seen.votes.sum():
        return False
    others = np.setdiff1d(np.arange(len(seen.votes)), members)
    if seen.certainty(others) < LEAST_TRUTH:
        return False
    variance = float(votes @ (seen.yes * (1 - seen.yes))[members]) / float(votes.sum())
    within, between, without = (
        seen.covariance(*sets) for sets in ((members, members), (members, others), (others, others))
    )
    shared = max(between, 0.0) ** 2 / max(within * without, 1e-9)
    return bool(within > LEAST_CORRELATION * variance and shared < MOST_SHARED)
