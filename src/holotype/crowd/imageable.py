"""Giving up on synsets that nobody can see."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from holotype.consensus.ballot import Ballot, Ints
from holotype.consensus.joint import people_of
from holotype.consensus.recall import group_keys
from holotype.consensus.votes import Answer
from holotype.crowd.conclusion import STATES, Conclusion, Incremental, Memory, Policy, State
from holotype.crowd.guards import Mask
from holotype.errors import CrowdError


@dataclass(frozen=True, slots=True)
class Imageable:
    """Another policy, which gives up on a synset that nobody can see.

    When fewer than a share `least` of a synset's candidates are good, with 95 % confidence and even if all that were
    asked about and are not yet decided were good, its open tasks are abandoned (59 noes and nothing else, for .05), but
    for those that somebody said yes to: the few good images there are can still be had. Deng et al. flagged synsets
    whose images never reach a majority.
    """

    policy: Policy
    least: float = 0.05

    def __post_init__(self) -> None:
        if isinstance(self.policy, Imageable):
            raise CrowdError("imageable(...) around imageable(...): say it once")
        if not 0 < self.least < 1:
            raise CrowdError(f"the least share of good images must lie between 0 and 1, not {self.least}")

    def __str__(self) -> str:
        return f"imageable({self.policy}, least={self.least})"

    def conclude(self, ballot: Ballot) -> Conclusion:
        """The other policy's states, but abandoned instead of open where the synset is not imageable."""
        found = self.policy.conclude(ballot)
        hopeless = unimageable(ballot, found, self.least)
        memory = replace(found.memory, hopeless=np.unique(group_keys(ballot)[hopeless]))
        return replace(give_up(ballot, found, hopeless), memory=memory)

    def again(self, ballot: Ballot, memory: Memory) -> Conclusion:
        """The other policy's states of a few tasks; a synset is given up or not as it was. Raises `CrowdError` where
        the other policy cannot, or the memory is not of this policy."""
        if memory.hopeless is None or not isinstance(self.policy, Incremental):
            raise CrowdError(f"{self} cannot conclude of a few tasks")
        found = self.policy.again(ballot, memory)
        return give_up(ballot, found, np.isin(group_keys(ballot), memory.hopeless))


def is_incremental(policy: Policy) -> bool:
    """Whether a policy can conclude of a few tasks by what it learned of all."""
    if isinstance(policy, Imageable):
        return is_incremental(policy.policy)
    return isinstance(policy, Incremental)


def give_up(ballot: Ballot, found: Conclusion, hopeless: Mask) -> Conclusion:
    """The conclusion with open tasks that are `hopeless` ``(tasks,)``, and that nobody said yes to, abandoned."""
    gone = hopeless & (ballot.count(Answer.YES) == 0) & found.are(State.OPEN)
    return replace(found, state=np.where(gone, np.int8(STATES.index(State.ABANDONED)), found.state))


def unimageable(ballot: Ballot, conclusion: Conclusion, least: float = 0.05) -> Mask:
    """Whether, with 95 % confidence, fewer than a share `least` of a task's synset and batch are good, ``(tasks,)``.

    Of those asked about all that are not decided no count as good: noes are decided first, so the decided alone are
    no fair draw. Gold and what a curator ruled on say nothing here: somebody chose them. Nor do machines: it is people
    who cannot see it.
    """
    group, groups = ballot.groups()
    return hopeless_of(*outcomes_of(ballot, conclusion, group, len(groups)), least)[group]


def outcomes_of(ballot: Ballot, conclusion: Conclusion, group: Ints, groups: int) -> tuple[Ints, Ints]:
    """How many tasks of every group people were asked about, and how many of them are noes, ``(groups,)`` each."""
    asked = ballot.left_to_policy & (people_of(ballot).votes_per_task > 0)
    noes = asked & conclusion.are(State.NO)
    total, bad = (np.bincount(group[of], minlength=groups) for of in (asked, noes))
    return total, bad


def hopeless_of(total: Ints, bad: Ints, least: float) -> Mask:
    """Whether fewer than a share `least` of each group are good, with 95 % confidence, ``(groups,)``."""
    from scipy.stats import binom

    return np.asarray((total > 0) & (binom.cdf(total - bad, total, least) <= 0.05))
