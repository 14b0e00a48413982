"""When to stop asking a crowd, and what is then concluded."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from holotype.consensus.ballot import Ballot, Floats, Ints
from holotype.consensus.calibration import Calibration, Stopping
from holotype.consensus.confidence import SEED_VOTES, look_up
from holotype.consensus.em import log_odds
from holotype.consensus.joint import one_voice, people_of
from holotype.consensus.posteriors import average, fit_all, majority
from holotype.consensus.recall import Recall
from holotype.consensus.two_coin import Priors
from holotype.consensus.votes import Answer
from holotype.crowd.alarms import alarms_of, useless_share
from holotype.crowd.conclusion import Conclusion, Memory, State, conclusion
from holotype.crowd.guards import Mask, guards_of, nobody_sure
from holotype.errors import CrowdError

KNOWN_AFTER: Final = 50
"""A worker is known after so many votes on tasks that others voted on too."""

MOST_USELESS: Final = 0.4
"""Share of votes by workers whose answers tell nothing, above which two votes that agree settle nothing."""

PILOT_VOTES: Final = 5
"""Votes on each task of a pilot."""

MIN_HUMAN: Final = 1
"""People who voted on a task before it is decided, unless a policy says otherwise: machines decide nothing alone."""


@dataclass(frozen=True, slots=True)
class Posterior:
    """Ask until the posterior of `fit` is above `accept` or below `reject`, with `minimum` to `maximum` votes.

    ImageNet's dynamic consensus (Deng et al., CVPR 2009, section 3.2) with a worker model instead of a table.

    The `pilot`, so many tasks of each batch evenly spread over it, has `PILOT_VOTES` votes before anything is concluded
    of it: votes that stop as soon as they agree do not show how often workers err. Until a worker is known
    (`known_after` votes on tasks that others voted on too), their vote needs company, even with a `minimum` of 1. Where
    all voters are known, one vote below the `minimum` does. Where more than `MOST_USELESS` of the votes say nothing,
    every task is treated as the pilot is: with few votes nobody can tell who is lazy from who is right.

    Whatever prior, base rate or calibration say, votes must speak for the answer by themselves
    (`holotype.crowd.guards`): nothing is accepted without a yes, or where the votes are not at least twice as likely on
    a good image as on a bad one; nothing is rejected without a no, or where they are more than `miss` times as likely
    on a good image. So `miss` bounds the share of good images that noes may lose.

    `calibration` (`holotype.consensus.calibration.calibrate`) corrects the posterior before the thresholds see it;
    `priors` is one belief to use instead of those that the votes bear out.
    """

    accept: float = 0.96
    reject: float = 0.05
    minimum: int = 2
    maximum: int = 14
    miss: float = 0.1
    pilot: int = 50
    calibration: Calibration = Calibration()
    priors: Priors | None = None
    min_human: int = MIN_HUMAN
    known_after: int = KNOWN_AFTER

    def __post_init__(self) -> None:
        if not (0 < self.reject < self.accept < 1 and 1 <= self.minimum <= self.maximum and 0 < self.miss <= 1):
            raise CrowdError(
                f"a policy needs 0 < reject < accept < 1, 1 <= minimum <= maximum and 0 < miss <= 1, not {self}"
            )
        if min(self.pilot, self.known_after) < 0:
            raise CrowdError(
                f"a policy's pilot is a number of tasks, and known_after of votes, not {self.pilot} and "
                f"{self.known_after}"
            )
        check_min_human(self.min_human)

    def __str__(self) -> str:
        limits = f"accept={self.accept}, reject={self.reject}, min={self.minimum}, max={self.maximum}, miss={self.miss}"
        told = "" if self.calibration == Calibration() else f", calibration={self.calibration}"
        own = "" if self.priors is None else f", priors={self.priors}"
        known = "" if self.known_after == KNOWN_AFTER else f", known_after={self.known_after}"
        return f"posterior({limits}, pilot={self.pilot}{_people(self.min_human)}{known}{told}{own})"

    def conclude(self, ballot: Ballot) -> Conclusion:
        """The state of every task under the fitted models."""
        people, fits = people_of(ballot), fit_all(ballot, self.priors)
        model = average(fits)
        useless = useless_share(people, model)
        found = self.decided(
            ballot, model.posterior, (model.evidence, model.machines), self.least_votes(people, useless)
        )
        pilot, stranger = pilot_tasks(ballot, self.pilot), strangers(people, self.known_after)
        memory = Memory(Recall.of(people, fits), useless, stranger, pilot) if people is ballot else Memory()
        return replace(found, alarms=alarms_of(people, model), memory=memory)

    def again(self, ballot: Ballot, memory: Memory) -> Conclusion:
        """The state of a few tasks under the models fitted last. Raises `CrowdError` without a memory of them, and
        where machines voted: what those are worth is learned from all."""
        if memory.model is None or memory.stranger is None or memory.pilot is None or people_of(ballot) is not ballot:
            raise CrowdError(f"{self} concludes of a few tasks only by a model that was fitted to all")
        posterior, evidence = memory.model.posterior(ballot)
        new = np.ones(ballot.workers - len(memory.stranger), bool)
        known = only_known(ballot, np.concatenate([memory.stranger, new]))
        least = self.least(known, memory.pilot, memory.useless)
        return self.decided(ballot, posterior, (evidence, np.zeros(ballot.tasks)), least)

    def decided(self, ballot: Ballot, posterior: Floats, told: tuple[Floats, Floats], least: Ints) -> Conclusion:
        """What follows of a posterior, where each task needs at least so many votes; `told` is what people's votes and
        what machines' say, in logs."""
        posterior, (evidence, machines) = self.calibration.apply(posterior), told
        people, everybody = people_of(ballot), one_voice(ballot)
        heard, said = (people, evidence) if self.min_human else (everybody, evidence + machines)
        votes = everybody.votes_per_task
        enough = (votes >= least) & (people.votes_per_task >= self.min_human)
        likely, unlikely = enough & (posterior >= self.accept), enough & (posterior <= self.reject)
        rules = [
            (nobody_sure(heard), State.UNDECIDED),
            (likely, State.YES),
            (unlikely, State.NO),
            (votes >= self.maximum, State.UNDECIDED),
        ]
        guards = guards_of(heard, said, likely, unlikely, self.miss, evidence + machines)
        return conclusion(ballot, posterior, rules, guards)

    @property
    def stopping(self) -> Stopping:
        """When it stops asking, for `holotype.consensus.calibration.posterior_of_gold`."""
        return Stopping(self.accept, self.reject, max(self.minimum, 2), self.maximum)

    def least_votes(self, ballot: Ballot, useless: float) -> Ints:
        """How many votes each task needs before anything is concluded of it, ``(tasks,)``.

        `useless` is the share of votes that say nothing of the images.
        """
        return self.least(known_voters(ballot, self.known_after), pilot_tasks(ballot, self.pilot), useless)

    def least(self, known: Mask, pilot: Ints, useless: float) -> Ints:
        """How many votes each task needs, ``(tasks,)``, of which all voters are `known`, or not; `pilot` are places."""
        several = max(min(PILOT_VOTES, self.maximum), self.minimum)
        if useless > MOST_USELESS:
            return np.full(len(known), several)
        least = np.where(known, max(self.minimum - 1, 1), max(self.minimum, 2))
        least[pilot] = several
        return least


def pilot_tasks(ballot: Ballot, size: int) -> Ints:
    """`size` tasks of each batch, evenly spread over those that are asked about; all where there are fewer."""
    asked = np.flatnonzero(ballot.asked_about)
    batches = (
        [asked] if ballot.batch is None else [asked[ballot.batch[asked] == one] for one in np.unique(ballot.batch)]
    )
    spread = [tasks[np.linspace(0, len(tasks) - 1, min(size, len(tasks))).astype(np.int64)] for tasks in batches]
    return np.concatenate([np.zeros(0, np.int64), *spread])


def known_voters(ballot: Ballot, after: int = KNOWN_AFTER) -> Mask:
    """Whether everybody who voted on a task is known, ``(tasks,)``."""
    return only_known(ballot, strangers(ballot, after))


def strangers(ballot: Ballot, after: int = KNOWN_AFTER) -> Mask:
    """Who is not known yet, ``(workers,)``: who has not so many votes on tasks that others voted on too."""
    shared = ballot.votes_per_task[ballot.task] >= 2
    return np.asarray(np.bincount(ballot.worker[shared], minlength=ballot.workers) < after)


def only_known(ballot: Ballot, stranger: Mask) -> Mask:
    """Whether no `stranger` ``(workers,)`` voted on a task, ``(tasks,)``."""
    return np.asarray(np.bincount(ballot.task, stranger[ballot.worker], minlength=ballot.tasks) == 0)


def check_min_human(number: int) -> None:
    """Raises `CrowdError` for what is no number of people."""
    if number < 0:
        raise CrowdError(f"min_human is a number of people, 0 or more, not {number}")


def _people(min_human: int) -> str:
    """How many people must have voted, as policies name it where it is not what all have."""
    return "" if min_human == MIN_HUMAN else f", min_human={min_human}"


def _too_few(ballot: Ballot, min_human: int) -> Mask:
    """Which tasks fewer people voted on than must have, ``(tasks,)``."""
    return np.asarray(people_of(ballot).votes_per_task < min_human)


@dataclass(frozen=True, slots=True)
class Fixed:
    """Ask `votes` workers about everything and take the majority; the score is the share of yes.

    Machines are one worker together, and `min_human` of the votes are people's.
    """

    votes: int = 5
    min_human: int = MIN_HUMAN

    def __post_init__(self) -> None:
        check_min_human(self.min_human)
        if self.votes < 1:
            raise CrowdError(f"a policy needs 1 vote or more, not {self}")

    def __str__(self) -> str:
        return f"fixed({self.votes}{_people(self.min_human)})"

    def conclude(self, ballot: Ballot) -> Conclusion:
        """The state of every task by majority."""
        lacking, ballot = _too_few(ballot, self.min_human), one_voice(ballot)
        asked = ballot.votes_per_task
        full = (asked >= self.votes) & ~lacking
        rules = [
            (~full, State.OPEN),
            (majority(ballot), State.YES),
            (full & (ballot.count(Answer.NO) > 0), State.NO),
            (full, State.UNDECIDED),
        ]
        return conclusion(ballot, ballot.count(Answer.YES) / np.maximum(asked, 1), rules)

    def again(self, ballot: Ballot, _: Memory) -> Conclusion:
        """The same: each task is decided by its own votes."""
        return self.conclude(ballot)


@dataclass(frozen=True, slots=True)
class Lead:
    """Ask until one of yes and no leads by `lead` votes, or `cap` votes are cast: no model of workers at all.

    As good as any on an easy task and an even crowd. The score is the share of yes. Machines are one vote together, and
    `min_human` people must have voted.
    """

    lead: int = 3
    cap: int = 9
    min_human: int = MIN_HUMAN

    def __post_init__(self) -> None:
        check_min_human(self.min_human)
        if not 1 <= self.lead <= self.cap:
            raise CrowdError(f"a policy needs 1 <= lead <= cap, not {self}")

    def __str__(self) -> str:
        return f"lead({self.lead}, {self.cap}{_people(self.min_human)})"

    def conclude(self, ballot: Ballot) -> Conclusion:
        """The state of every task by the lead."""
        lacking, ballot = _too_few(ballot, self.min_human), one_voice(ballot)
        yes, no = ballot.count(Answer.YES), ballot.count(Answer.NO)
        rules = [
            (lacking, State.OPEN),
            (nobody_sure(ballot), State.UNDECIDED),
            (yes - no >= self.lead, State.YES),
            (no - yes >= self.lead, State.NO),
            (ballot.votes_per_task >= self.cap, State.UNDECIDED),
        ]
        return conclusion(ballot, (yes + 0.5) / (yes + no + 1), rules)

    def again(self, ballot: Ballot, _: Memory) -> Conclusion:
        """The same: each task is decided by its own votes."""
        return self.conclude(ballot)


@dataclass(frozen=True, slots=True)
class Table:
    """The dynamic consensus of 2009: a confidence table per synset, learned from a seed, decides the rest.

    The first `seeds` tasks of each synset get `SEED_VOTES` votes each; the others are asked until the table's
    confidence is above `accept` or below `reject`, or `maximum` votes are cast. The order of tasks in a campaign is by
    hash, so the seed is a uniform draw of the synset's candidates. Unsure abstains. Machines are one vote together, and
    `min_human` people must have voted.
    """

    accept: float = 0.95
    reject: float = 0.05
    seeds: int = 50
    maximum: int = 12
    min_human: int = MIN_HUMAN

    def __post_init__(self) -> None:
        check_min_human(self.min_human)
        if not (0 < self.reject < self.accept < 1 and self.seeds >= 1 and self.maximum >= SEED_VOTES):
            raise CrowdError(
                f"a policy needs 0 < reject < accept < 1, seeds >= 1 and maximum >= {SEED_VOTES}, not {self}"
            )

    def __str__(self) -> str:
        limits = f"accept={self.accept}, reject={self.reject}, seeds={self.seeds}, max={self.maximum}"
        return f"table({limits}{_people(self.min_human)})"

    def conclude(self, ballot: Ballot) -> Conclusion:
        """The state of every task; those beside the seed are not asked about, and undecided, until it is complete."""
        lacking, ballot = _too_few(ballot, self.min_human), one_voice(ballot)
        asked = ballot.votes_per_task
        yes, no = ballot.count(Answer.YES), ballot.count(Answer.NO)
        seed = self._seed(ballot)
        lacking = seed & (asked < SEED_VOTES) & ballot.left_to_policy
        waiting = np.bincount(ballot.synset[lacking], minlength=ballot.synsets) > 0
        learned = seed & (asked >= SEED_VOTES)
        scores = look_up(yes, no, ballot.synset, ballot.synsets, learned)
        before = look_up(yes * learned, no * learned, ballot.synset, ballot.synsets, learned)
        likely, unlikely = ~seed & (scores >= self.accept), ~seed & (scores <= self.reject)
        guards = guards_of(ballot, log_odds(scores) - log_odds(before), likely, unlikely, 1.0)
        rules = [
            (lacking & ~waiting[ballot.synset], State.OPEN),
            (seed & (asked < SEED_VOTES), State.OPEN),
            (seed & (yes > no), State.YES),
            (seed & (no > 0), State.NO),
            (seed, State.UNDECIDED),
            (waiting[ballot.synset] | nobody_sure(ballot), State.UNDECIDED),
            (likely, State.YES),
            (unlikely, State.NO),
            (asked >= self.maximum, State.UNDECIDED),
        ]
        return conclusion(ballot, scores, rules, guards)

    def _seed(self, ballot: Ballot) -> Mask:
        """The first tasks of each synset that are not gold."""
        order = np.flatnonzero(ballot.asked_about)
        order = order[np.argsort(ballot.synset[order], kind="stable")]
        starts = np.searchsorted(ballot.synset[order], ballot.synset[order])
        first = np.zeros(ballot.tasks, bool)
        first[order] = np.arange(len(order)) - starts < self.seeds
        return first
