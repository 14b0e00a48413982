"""When to stop asking, and what is then concluded."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from holotype.crowd.ballot import UNKNOWN, Ballot, Floats
from holotype.crowd.calibration import Calibration
from holotype.crowd.confidence import SEED_VOTES, look_up
from holotype.crowd.consensus import Consensus, Priors, fit, majority, prior_log_odds
from holotype.crowd.port import Answer
from holotype.errors import CrowdError

Mask = npt.NDArray[np.bool_]

KNOWN_AFTER: Final = 50
"""A worker is known after so many votes on tasks that others voted on too."""


class State(StrEnum):
    """What is concluded of a task.

    `OPEN` asks for more votes; `UNDECIDED` had its maximum without certainty; `ABANDONED` is of a synset that nobody
    can see.
    """

    OPEN = "open"
    YES = "yes"
    NO = "no"
    UNDECIDED = "undecided"
    ABANDONED = "abandoned"


_STATES: Final = tuple(State)


@dataclass(frozen=True, slots=True)
class Conclusion:
    """One `State` and one score in [0, 1] per task, in the order of the ballot's tasks."""

    states: list[State]
    scores: Floats


class Policy(Protocol):
    """A rule from votes to conclusions: a pure function of the ballot."""

    def conclude(self, ballot: Ballot) -> Conclusion:
        """The state of every task; gold tasks have their known answer, others the answer that a curator gave."""


def _conclusion(ballot: Ballot, scores: Floats, rules: list[tuple[Mask, State]]) -> Conclusion:
    """The state of the first rule that holds, open where none does."""
    for said in (ballot.ruled, ballot.known):
        if said is not None:
            rules = [(said == 1, State.YES), (said == 0, State.NO), *rules]
            scores = np.where(said == UNKNOWN, scores, said)
    chosen = np.select([mask for mask, _ in rules], [_STATES.index(state) for _, state in rules], 0)
    return Conclusion([_STATES[number] for number in chosen], scores)


@dataclass(frozen=True, slots=True)
class Posterior:
    """Ask until the two-coin posterior is above `accept` or below `reject`, with `minimum` to `maximum` votes.

    ImageNet's dynamic consensus (Deng et al., CVPR 2009, section 3.2) with a worker model instead of a table.

    Until a worker is known (`KNOWN_AFTER`), their vote needs company, even with a `minimum` of 1: under a two-coin
    model single votes of strangers collapse to one answer. Where all voters are known, one vote below the `minimum`
    does.

    `miss` bounds the share of good images that noes may lose: a task is rejected only where its votes are at most
    `miss` times as likely on a good image as on a bad one. It matters where good images are rarer than `reject`.

    `calibration` (`holotype.crowd.calibration.calibrate`) corrects the posterior before the thresholds see it.
    """

    accept: float = 0.98
    reject: float = 0.05
    minimum: int = 2
    maximum: int = 12
    miss: float = 0.35
    calibration: Calibration = Calibration()
    priors: Priors = Priors()

    def __post_init__(self) -> None:
        if not (0 < self.reject < self.accept < 1 and 1 <= self.minimum <= self.maximum and 0 < self.miss <= 1):
            raise CrowdError(
                f"a policy needs 0 < reject < accept < 1, 1 <= minimum <= maximum and 0 < miss <= 1, not {self}"
            )

    def __str__(self) -> str:
        limits = f"accept={self.accept}, reject={self.reject}, min={self.minimum}, max={self.maximum}, miss={self.miss}"
        told = "" if self.calibration == Calibration() else f", {self.calibration}"
        own = "" if self.priors == Priors() else f", {self.priors}"
        return f"posterior({limits}{told}{own})"

    def conclude(self, ballot: Ballot) -> Conclusion:
        """The state of every task under the fitted model."""
        model = fit(ballot, self.priors)
        posterior = self.calibration.apply(model.posterior)
        votes = ballot.votes_per_task
        unlikely = evidence_for_yes(ballot, model) <= np.log(self.miss)
        return _conclusion(
            ballot,
            posterior,
            [
                (votes < np.where(known_voters(ballot), max(self.minimum - 1, 1), max(self.minimum, 2)), State.OPEN),
                (posterior >= self.accept, State.YES),
                ((posterior <= self.reject) & unlikely, State.NO),
                (votes >= self.maximum, State.UNDECIDED),
            ],
        )


def evidence_for_yes(ballot: Ballot, model: Consensus) -> Floats:
    """Log likelihood ratio of each task's votes, good image over bad, ``(tasks,)``."""
    inside = np.clip(model.posterior, 1e-300, 1 - 1e-16)
    return np.asarray(np.log(inside / (1 - inside)) - prior_log_odds(ballot, model.base_rates))


def known_voters(ballot: Ballot) -> Mask:
    """Whether everybody who voted on a task is known, ``(tasks,)``."""
    shared = ballot.votes_per_task[ballot.task] >= 2
    stranger = np.bincount(ballot.worker[shared], minlength=ballot.workers) < KNOWN_AFTER
    return np.asarray(np.bincount(ballot.task, stranger[ballot.worker], minlength=ballot.tasks) == 0)


@dataclass(frozen=True, slots=True)
class Fixed:
    """Ask `votes` workers about everything and take the majority; the score is the share of yes."""

    votes: int = 5

    def __post_init__(self) -> None:
        if self.votes < 1:
            raise CrowdError(f"a policy needs 1 vote or more, not {self}")

    def __str__(self) -> str:
        return f"fixed({self.votes})"

    def conclude(self, ballot: Ballot) -> Conclusion:
        """The state of every task by majority."""
        asked = ballot.votes_per_task
        rules = [(asked < self.votes, State.OPEN), (majority(ballot), State.YES), (asked >= self.votes, State.NO)]
        return _conclusion(ballot, ballot.count(Answer.YES) / np.maximum(asked, 1), rules)


@dataclass(frozen=True, slots=True)
class Lead:
    """Ask until one of yes and no leads by `lead` votes, or `cap` votes are cast: no model of workers at all.

    As good as any on an easy task and an even crowd. The score is the share of yes.
    """

    lead: int = 3
    cap: int = 9

    def __post_init__(self) -> None:
        if not 1 <= self.lead <= self.cap:
            raise CrowdError(f"a policy needs 1 <= lead <= cap, not {self}")

    def __str__(self) -> str:
        return f"lead({self.lead}, {self.cap})"

    def conclude(self, ballot: Ballot) -> Conclusion:
        """The state of every task by the lead."""
        yes, no = ballot.count(Answer.YES), ballot.count(Answer.NO)
        rules = [
            (yes - no >= self.lead, State.YES),
            (no - yes >= self.lead, State.NO),
            (ballot.votes_per_task >= self.cap, State.UNDECIDED),
        ]
        return _conclusion(ballot, (yes + 0.5) / (yes + no + 1), rules)


@dataclass(frozen=True, slots=True)
class Table:
    """The dynamic consensus of 2009: a confidence table per synset, learned from a seed, decides the rest.

    The first `seeds` tasks of each synset get `SEED_VOTES` votes each; the others are asked until the table's
    confidence is above `accept` or below `reject`, or `maximum` votes are cast. The order of tasks in a campaign is by
    hash, so the seed is a uniform draw of the synset's candidates. Unsure abstains.
    """

    accept: float = 0.95
    reject: float = 0.05
    seeds: int = 50
    maximum: int = 12

    def __post_init__(self) -> None:
        if not (0 < self.reject < self.accept < 1 and self.seeds >= 1 and self.maximum >= SEED_VOTES):
            raise CrowdError(
                f"a policy needs 0 < reject < accept < 1, seeds >= 1 and maximum >= {SEED_VOTES}, not {self}"
            )

    def __str__(self) -> str:
        return f"table(accept={self.accept}, reject={self.reject}, seeds={self.seeds}, max={self.maximum})"

    def conclude(self, ballot: Ballot) -> Conclusion:
        """The state of every task; those beside the seed are not asked about, and undecided, until it is complete."""
        asked = ballot.votes_per_task
        yes, no = ballot.count(Answer.YES), ballot.count(Answer.NO)
        seed = self._seed(ballot)
        lacking = seed & (asked < SEED_VOTES) & ballot.left_to_policy
        waiting = np.bincount(ballot.synset[lacking], minlength=ballot.synsets) > 0
        scores = look_up(yes, no, ballot.synset, ballot.synsets, seed & (asked >= SEED_VOTES))
        ready = asked > 0
        rules = [
            (seed & (asked < SEED_VOTES), State.OPEN),
            (seed & (yes > no), State.YES),
            (seed, State.NO),
            (waiting[ballot.synset], State.UNDECIDED),
            (ready & (scores >= self.accept), State.YES),
            (ready & (scores <= self.reject), State.NO),
            (asked >= self.maximum, State.UNDECIDED),
        ]
        return _conclusion(ballot, scores, rules)

    def _seed(self, ballot: Ballot) -> Mask:
        """The first tasks of each synset that are not gold."""
        order = np.flatnonzero(ballot.asked_about)
        order = order[np.argsort(ballot.synset[order], kind="stable")]
        starts = np.searchsorted(ballot.synset[order], ballot.synset[order])
        first = np.zeros(ballot.tasks, bool)
        first[order] = np.arange(len(order)) - starts < self.seeds
        return first


@dataclass(frozen=True, slots=True)
class Imageable:
    """Another policy, which gives up on a synset that nobody can see.

    When fewer than a share `least` of a synset's candidates are good, with 95 % confidence and even if all that were
    asked about and are not yet decided were good, its open tasks are abandoned (59 noes and nothing else, for .05).
    Deng et al. flagged synsets whose images never reach a majority.
    """

    policy: Policy
    least: float = 0.05

    def __post_init__(self) -> None:
        if not 0 < self.least < 1:
            raise CrowdError(f"the least share of good images must lie between 0 and 1, not {self.least}")

    def __str__(self) -> str:
        return f"imageable({self.policy}, least={self.least})"

    def conclude(self, ballot: Ballot) -> Conclusion:
        """The other policy's states, but abandoned instead of open where the synset is not imageable."""
        found = self.policy.conclude(ballot)
        hopeless = unimageable(ballot, found, self.least)[ballot.synset]
        states = [
            State.ABANDONED if state is State.OPEN and gone else state
            for state, gone in zip(found.states, hopeless, strict=True)
        ]
        return Conclusion(states, found.scores)


def unimageable(ballot: Ballot, conclusion: Conclusion, least: float = 0.05) -> Mask:
    """Whether, with 95 % confidence, fewer than a share `least` of a synset's candidates are good, ``(synsets,)``.

    Of those asked about all that are not decided no count as good: noes are decided first, so the decided alone are
    no fair draw. Gold and what a curator ruled on say nothing here: somebody chose them.
    """
    from scipy.stats import binom

    asked = ballot.left_to_policy & (ballot.votes_per_task > 0)
    noes = asked & np.array([state is State.NO for state in conclusion.states], bool)
    total, bad = (np.bincount(ballot.synset[of], minlength=ballot.synsets) for of in (asked, noes))
    return np.asarray((total > 0) & (binom.cdf(total - bad, total, least) <= 0.05))


_WORDS: Final = {"min": "minimum", "max": "maximum"}
_NUMBER: Final = r"-?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?"


def parse_policy(text: str) -> Policy:
    """The policy that `text` names as policies name themselves: ``posterior(accept=0.98, max=9)``, ``lead(3, 9)``.

    Raises `CrowdError` for what is not one.

    >>> print(parse_policy("posterior(reject=0.1)"))
    posterior(accept=0.98, reject=0.1, min=2, max=12, miss=0.35)
    >>> str(parse_policy("lead(2, 5)"))
    'lead(2, 5)'
    """
    from holotype.crowd.expert import parse_expert

    if expert := parse_expert(text):
        return expert
    kinds: dict[str, type[Fixed | Lead | Posterior | Table]] = {
        "fixed": Fixed,
        "lead": Lead,
        "posterior": Posterior,
        "table": Table,
    }
    if nested := re.fullmatch(rf"\s*imageable\((?!\s*imageable)(.*), least=({_NUMBER})\)\s*", text):
        return Imageable(parse_policy(nested[1]), float(nested[2]))
    values: dict[str, Any] = {}
    if told := re.search(rf", calibration\(slope=({_NUMBER}), shift=({_NUMBER})\)(?=\)\s*$)", text):
        values["calibration"] = Calibration(float(told[1]), float(told[2]))
        text = text.replace(told[0], "")
    form = re.fullmatch(r"\s*(\w+)\s*(?:\((.*)\))?\s*", text)
    kind = kinds.get(form[1].lower()) if form else None
    if form is None or kind is None:
        raise CrowdError(f"a policy is one of {', '.join(kinds)} with its values, as in lead(3, 9), not {text!r}")
    if values and kind is not Posterior:
        raise CrowdError(f"only a posterior can be calibrated, not {text!r}")
    types: dict[str, Any] = {field.name: type(field.default) for field in fields(kind)}
    types = {name: of for name, of in types.items() if of in (int, float)}
    try:
        for place, part in enumerate(filter(None, map(str.strip, (form[2] or "").split(",")))):
            word, equals, value = part.partition("=")
            name = _WORDS.get(word.strip(), word.strip()) if equals else list(types)[place]
            if name in values:
                raise KeyError(name)
            values[name] = types[name](value if equals else word)
    except (KeyError, IndexError, ValueError) as error:
        known = ", ".join(types)
        raise CrowdError(f"the values of {form[1]} are {known}, each a number and once: {text!r} has others") from error
    return kind(**values)
