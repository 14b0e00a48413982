"""Certified precision: audits of a random sample of accepted labels, and the bounds that follow from them.

The order in which labels are audited is drawn by a seed that nobody chose, the size of the sample is fixed before an
answer is seen, and the auditors have not voted on what they audit. Everything here is a pure function.
"""

from __future__ import annotations

import hashlib
import heapq
import math
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Final

import numpy as np
import numpy.typing as npt

from holotype.crowd.port import Answer
from holotype.errors import CrowdError

CONFIDENCE: Final = 0.95
"""The confidence of every certificate: in 95 of 100 audits the true precision is not below the lower bound."""

Floats = npt.NDArray[np.float64]
Ranges = tuple[tuple[int, int], ...]
_rank = attrgetter("rank")


def clopper_pearson(
    correct: npt.ArrayLike, audited: npt.ArrayLike, confidence: float = CONFIDENCE
) -> tuple[Floats, Floats]:
    """The one-sided exact lower and upper bounds of a share, each with `confidence`; any shape, broadcast.

    The lower bound is the share at which `correct` or more of `audited` has the chance ``1 - confidence``; the upper
    one that at which so few have it. Nothing audited gives (0, 1). Clopper and Pearson, "The Use of Confidence or
    Fiducial Limits Illustrated in the Case of the Binomial", Biometrika 26 (1934); by the quantiles of the beta
    distribution.

    Raises `CrowdError` unless ``0 <= correct <= audited`` everywhere and ``0 < confidence < 1``.

    >>> lower, upper = clopper_pearson([59, 60], [59, 62])
    >>> lower.round(4).tolist(), upper.round(4).tolist()
    ([0.9505, 0.9019], [1.0, 0.9942])
    """
    from scipy.special import betaincinv

    right, asked = np.broadcast_arrays(np.asarray(correct, np.int64), np.asarray(audited, np.int64))
    if not (0 < confidence < 1 and (right >= 0).all() and (right <= asked).all()):
        raise CrowdError("bounds need 0 <= correct <= audited and 0 < confidence < 1")
    wrong = asked - right
    lower = np.where(right > 0, betaincinv(np.maximum(right, 1), wrong + 1, 1 - confidence), 0.0)
    upper = np.where(wrong > 0, betaincinv(right + 1, np.maximum(wrong, 1), confidence), 1.0)
    return lower, upper


def audits_needed(precision: float, confidence: float = CONFIDENCE) -> int:
    """The smallest sample that, all of it correct, has a lower bound of at least `precision`.

    Raises `CrowdError` unless both are in (0, 1).

    >>> audits_needed(0.95), audits_needed(0.99)
    (59, 299)
    """
    if not (0 < precision < 1 and 0 < confidence < 1):
        raise CrowdError(f"a precision and a confidence lie between 0 and 1, not {precision} and {confidence}")
    return math.ceil(math.log(1 - confidence) / math.log(precision) - 1e-9)


@dataclass(frozen=True, slots=True)
class Label:
    """One accepted (image, synset) pair; `rank` is the synset's in the ontology."""

    sha256: str
    wnid: str
    rank: int


@dataclass(frozen=True, slots=True)
class AuditAnswer:
    """What an auditor says of a label, at a Unix time."""

    auditor: str
    answer: Answer
    at: float


Answers = Mapping[Label, Sequence[AuditAnswer]]


@dataclass(frozen=True, slots=True)
class Plan:
    """To audit the first `size` accepted labels of a subtree in the random order of `seed`; made at Unix time `at`.

    `wnid` is the target, `ranges` are the half-open ranges of ranks of its subtree, and `draws` counts the plans that
    were made for this target so far, this one included: whoever draws until the outcome pleases shows it there.
    """

    wnid: str
    ranges: Ranges
    size: int
    seed: str
    at: float
    draws: int


@dataclass(frozen=True, slots=True)
class Certificate:
    """What an audit that is complete says of the precision of the `labels` accepted in a subtree.

    `correct` of `audited` were right; with `confidence` the precision is at least `lower`, and with `confidence` it is
    at most `upper`.
    """

    plan: Plan
    labels: int
    audited: int
    correct: int
    confidence: float
    lower: float
    upper: float

    @property
    def precision(self) -> float:
        """The share of the sample that was correct."""
        return self.correct / self.audited

    def __str__(self) -> str:
        return (
            f"{self.plan.wnid}: {self.correct:,} of {self.audited:,} audited labels correct, so with "
            f"{100 * self.confidence:g} % confidence at least {100 * self.lower:.2f} % of {self.labels:,} are"
        )


@dataclass(frozen=True, slots=True)
class Audit:
    """How far a plan has come over the labels as they stand.

    `sample` is what is to be audited, in the random order; `unanswered` is what no auditor has looked at. `dropped`
    counts what was in the sample, was found wrong after the plan was made, and is no longer accepted: a sample cleaned
    by its own audit is not random any more, and a new plan is needed. The certificate is there when nothing is
    unanswered or dropped.
    """

    plan: Plan
    labels: int
    sample: tuple[Label, ...]
    unanswered: tuple[Label, ...]
    dropped: int
    certificate: Certificate | None

    @property
    def remark(self) -> str:
        """Where the audit stands, in words."""
        if self.dropped:
            return f"void: {self.dropped:,} labels found wrong were taken away since; draw with a fresh seed"
        if not self.sample:
            return "nothing is labelled yes"
        left = len(self.unanswered)
        return f"{left:,} of {len(self.sample):,} left to audit" if left else "certified"


def is_correct(answers: Iterable[AuditAnswer]) -> bool:
    """Whether more auditors say yes than no and unsure together."""
    said = [answer.answer for answer in answers]
    return 2 * said.count(Answer.YES) > len(said)


def draw_order(seed: str, label: Label) -> bytes:
    """The place of a label in the random order of `seed`: labels are audited by ascending bytes."""
    return hashlib.sha256(f"{seed} {label.wnid} {label.sha256}".encode()).digest()


def _below(ranges: Ranges, labels: Sequence[Label]) -> list[Label]:
    """The labels of a subtree, out of all labels by rank."""
    return [
        label
        for start, stop in ranges
        for label in labels[bisect_left(labels, start, key=_rank) : bisect_left(labels, stop, key=_rank)]
    ]


def draw_sample(plan: Plan, labels: Sequence[Label]) -> tuple[int, tuple[Label, ...]]:
    """How many of `labels` (in order of rank) are in the plan's subtree, and the sample in its random order.

    Where fewer than planned are accepted the sample is all of them.
    """
    below = _below(plan.ranges, labels)
    return len(below), tuple(heapq.nsmallest(plan.size, below, key=lambda label: draw_order(plan.seed, label)))


def new_plans(wanted: Iterable[Plan], held: Sequence[Plan], labels: Sequence[Label], answers: Answers) -> list[Plan]:
    """Those of `wanted` that are to be made: with a seed that is new, or where `held` (oldest first) has none like it.

    Raises `CrowdError` where nothing is accepted in a subtree, or where the seed is known and some answers to the
    sample are too: the size would not be chosen blindly.
    """
    newest = {plan.wnid: plan.size for plan in held}
    seeds = {plan.seed for plan in held}
    made = []
    for plan in wanted:
        if newest.get(plan.wnid) == plan.size and plan.seed in seeds:
            continue
        _, sample = draw_sample(plan, labels)
        if not sample:
            raise CrowdError(f"nothing below {plan.wnid} is labelled yes: there is nothing to audit")
        known = sum(label in answers for label in sample)
        if known and plan.seed in seeds:
            raise CrowdError(
                f"{known:,} labels of the sample of {plan.wnid} are audited already, so its size would not be planned "
                "before answers are seen; draw it with a fresh seed"
            )
        made.append(plan)
    return made


def assess(plans: Iterable[Plan], labels: Sequence[Label], answers: Answers) -> list[Audit]:
    """How far each plan has come over `labels`, the accepted ones in order of rank."""
    accepted = set(labels)
    wrong = {
        label: max(answer.at for answer in given)
        for label, given in answers.items()
        if label not in accepted and not is_correct(given)
    }
    return [_assess(plan, labels, answers, wrong) for plan in plans]


def _assess(plan: Plan, labels: Sequence[Label], answers: Answers, wrong: Mapping[Label, float]) -> Audit:
    below, sample = draw_sample(plan, labels)
    unanswered = tuple(label for label in sample if label not in answers)
    dropped = _dropped(plan, sample, wrong) if len(sample) < below else 0
    certificate = None
    if sample and not unanswered and not dropped:
        certificate = certify(plan, below, [is_correct(answers[label]) for label in sample])
    return Audit(plan, below, sample, unanswered, dropped, certificate)


def _dropped(plan: Plan, sample: Sequence[Label], wrong: Mapping[Label, float]) -> int:
    last = draw_order(plan.seed, sample[-1])
    return sum(
        at >= plan.at
        and any(start <= label.rank < stop for start, stop in plan.ranges)
        and draw_order(plan.seed, label) < last
        for label, at in wrong.items()
    )


def certify(plan: Plan, labels: int, verdicts: Sequence[bool]) -> Certificate:
    """The certificate of a subtree with so many accepted `labels`, from whether each of its sample is correct."""
    lower, upper = clopper_pearson(sum(verdicts), len(verdicts))
    return Certificate(plan, labels, len(verdicts), sum(verdicts), CONFIDENCE, float(lower), float(upper))


def certify_synsets(truth: Mapping[tuple[str, str], bool], size: int, seed: str) -> list[Certificate]:
    """What auditors who never err certify of each synset by itself, by wnid: to measure how often the bounds hold.

    `truth` is by (sha256, wnid), of every accepted label, whether it is right; `size` is audited of each synset.
    """
    ranks = {wnid: rank for rank, wnid in enumerate(sorted({wnid for _, wnid in truth}))}
    labels = sorted((Label(sha256, wnid, ranks[wnid]) for sha256, wnid in truth), key=_rank)
    plans = [Plan(wnid, ((rank, rank + 1),), size, seed, 0.0, 1) for wnid, rank in ranks.items()]
    samples = [draw_sample(plan, labels) for plan in plans]
    return [
        certify(plan, below, [truth[label.sha256, label.wnid] for label in sample])
        for plan, (below, sample) in zip(plans, samples, strict=True)
    ]
