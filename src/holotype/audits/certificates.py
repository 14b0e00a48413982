"""Certified precision: audits of random samples of accepted labels, and what follows from them.

A sample is drawn by a seed that nobody chose, its size is fixed before the seed is known, and what was drawn is a
stored fact. Whatever happens afterwards, labels that leave or join, more answers, corrected ones, never raises a bound:
only a fresh draw can, and every draw is counted. Everything here is a pure function.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Final

from holotype.audits.bounds import CONFIDENCE, right_at_least, right_at_most
from holotype.audits.plans import Label, Plan, Sample, count_below, draw_sample
from holotype.consensus.votes import Answer


@dataclass(frozen=True, slots=True)
class AuditAnswer:
    """What an auditor says of a label, at a Unix time; with a `reason` where it corrects what they said before."""

    auditor: str
    answer: Answer
    at: float
    reason: str = ""


Answers = Mapping[Label, Sequence[AuditAnswer]]
"""All that was ever said of each label, what an auditor said last being last of theirs."""


@dataclass(frozen=True, slots=True)
class Changes:
    """How the accepted labels differ from those of a draw, each in order of rank: what left, what joined."""

    left: Sequence[Label] = ()
    joined: Sequence[Label] = ()


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that certificates follow from.

    `plans` are all that were ever made, oldest first (`holotype.audits.plans.number_plans`); `samples` are what the
    newest of each target drew, by wnid; `changes` what left and joined since, by the seed of the draw; `labels` are
    accepted now, in order of rank.
    """

    plans: Sequence[Plan]
    samples: Mapping[str, Sample]
    changes: Mapping[str, Changes]
    labels: Sequence[Label]
    answers: Answers


NOTHING: Final = Evidence((), {}, {}, (), {})
"""No audit was ever planned."""


@dataclass(frozen=True, slots=True)
class Count:
    """A sample as it stands: labels that are `correct`, and those that `may_be`; where they went since the draw.

    Of the sample `left` labels are no longer accepted, of the other ones `lost`; `joined` were accepted since.
    """

    audited: int
    correct: int
    may_be: int
    left: int = 0
    lost: int = 0
    joined: int = 0


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a complete audit says of the precision of the `labels` that are accepted in a subtree now.

    `count` is the sample. With 95 % confidence the precision is at least `lower`, whichever draws of this target or of
    others that overlap it were made and will be; at least `simultaneous`, together with every other target of the
    project; and at most `upper`. Of the sample, `doubled` labels had several auditors, who in the end `disagreed` on
    some, and on `corrected` ones an answer was changed.
    """

    plan: Plan
    labels: int
    count: Count
    doubled: int
    disagreed: int
    corrected: int
    lower: float
    simultaneous: float
    upper: float

    @property
    def audited(self) -> int:
        """The size of the sample."""
        return self.count.audited

    @property
    def correct(self) -> int:
        """What of the sample is correct, and accepted still."""
        return self.count.correct

    @property
    def precision(self) -> float:
        """The share of the sample that is correct, and accepted still."""
        return self.correct / self.audited

    @property
    def remark(self) -> str:
        """What is to be known of it, in words: changes since the draw, second opinions, corrections."""
        left, joined = self.count.left + self.count.lost, self.count.joined
        changed = f"{left:,} left and {joined:,} joined since the draw" if left + joined else ""
        doubled = f"{self.doubled:,} had several auditors, who disagreed on {self.disagreed:,}" if self.doubled else ""
        corrected = f"{self.corrected:,} corrected" if self.corrected else ""
        return "; ".join(filter(None, (changed, doubled, corrected)))

    def __str__(self) -> str:
        return (
            f"{self.plan.wnid}: {self.correct:,} of {self.audited:,} audited labels correct, so with "
            f"{100 * CONFIDENCE:g} % confidence at least {100 * self.lower:.2f} % of {self.labels:,} are"
            f"{self.remark and f' ({self.remark})'}"
        )


@dataclass(frozen=True, slots=True)
class Audit:
    """How far a plan has come; `labels` are accepted in its subtree now.

    `sample` is what was drawn; `unanswered` is what no auditor has looked at of what is still accepted, and `gone` the
    number of those that nobody has looked at and that are no longer. The certificate is there when nothing is
    unanswered.
    """

    plan: Plan
    labels: int
    sample: Sample
    unanswered: Sample
    gone: int
    certificate: Certificate | None

    @property
    def remark(self) -> str:
        """Where the audit stands, in words."""
        if not self.plan.labels:
            return "void: drawn before samples were stored; draw again"
        if not self.labels:
            return "nothing is labelled yes"
        if self.certificate is None:
            return f"{len(self.unanswered):,} of {len(self.sample):,} left to audit"
        return "; ".join(filter(None, ("certified", self.certificate.remark)))


def same_person(name: str) -> str:
    """What is alike for the names of one person: width, case and spaces do not make another one.

    >>> same_person(" Ann Smith") == same_person("annsmith") != same_person("ann")
    True
    """
    return "".join(unicodedata.normalize("NFKC", name).casefold().split())


def is_correct(answers: Iterable[AuditAnswer]) -> bool:
    """Whether everybody who looked has always said yes: so no further answer, nor a corrected one, makes it correct."""
    said = [answer.answer for answer in answers]
    return bool(said) and all(answer is Answer.YES for answer in said)


def may_be_correct(answers: Sequence[AuditAnswer]) -> bool:
    """Whether anybody has ever said yes, or nobody has looked: what an upper bound has to reckon with."""
    return not answers or any(answer.answer is Answer.YES for answer in answers)


def assess(evidence: Evidence) -> list[Audit]:
    """How far the newest plan of each target has come, in the order of ``evidence.samples``."""
    newest = {plan.wnid: plan for plan in evidence.plans}
    gone = {seed: frozenset(found.left) for seed, found in evidence.changes.items()}
    return [
        _assess(newest[wnid], sample, evidence, gone.get(newest[wnid].seed, frozenset()))
        for wnid, sample in evidence.samples.items()
    ]


def _assess(plan: Plan, sample: Sample, evidence: Evidence, left: Set[Label]) -> Audit:
    answers, since = evidence.answers, evidence.changes.get(plan.seed, Changes())
    unseen = tuple(label for label in sample if not answers.get(label))
    unanswered = tuple(label for label in unseen if label not in left)
    now = count_below(plan.ranges, evidence.labels)
    complete = plan.labels and now and not unanswered
    certificate = certify(plan, sample, since, left, answers) if complete else None
    return Audit(plan, now, sample, unanswered, len(unseen) - len(unanswered), certificate)


def certify(plan: Plan, sample: Sample, since: Changes, left: Set[Label], answers: Answers) -> Certificate:
    """The certificate of a plan whose sample is answered; `left` are the labels of ``since.left``."""
    said = [answers.get(label, ()) for label in sample]
    gone = [label in left for label in sample]
    count = Count(
        len(sample),
        sum(is_correct(given) and not out for given, out in zip(said, gone, strict=True)),
        sum(map(may_be_correct, said)),
        sum(gone),
        count_below(plan.ranges, since.left) - sum(gone),
        count_below(plan.ranges, since.joined),
    )
    lower, upper = precision_bounds(count, plan.labels, plan.alpha)
    simultaneous, _ = precision_bounds(count, plan.labels, plan.shared_alpha)
    now = plan.labels - count.left - count.lost + count.joined
    opinions = [_opinions(given) for given in said]
    doubled = [found for found in opinions if len(found) > 1]
    disagreed = sum(len(set(found.values())) > 1 for found in doubled)
    corrected = sum(any(one.reason for one in given) for given in said)
    return Certificate(plan, now, count, len(doubled), disagreed, corrected, lower, simultaneous, upper)


def _opinions(answers: Iterable[AuditAnswer]) -> dict[str, Answer]:
    """What each auditor says in the end."""
    return {given.auditor: given.answer for given in answers}


def precision_bounds(count: Count, labels: int, alpha: float) -> tuple[float, float]:
    """The lower and upper bound of the precision of labels as they stand, from a sample of the `labels` of the draw.

    With the chance ``1 - alpha`` each, they hold for whoever knew the sample, its answers and the truth when deciding
    what leaves and joins. For the lower one a label of the sample that left counts as wrong and present, another that
    left as right, and one that joined as wrong; for the upper one each the other way.

    Proof: let `R` of the labels drawn be right, at least `right_at_least` of them with that chance. Of those still
    accepted at least ``R - lost - (right ones of the sample that left)`` are. One right label more in the sample moves
    `right_at_least` by 1 or more (turning a wrong label right moves any sample by at most 1), so counting those that
    left as wrong has subtracted them. What joined may all be wrong. Nothing but `count` changes after the draw, and
    each of its changes lowers this bound.

    >>> precision_bounds(Count(5, 5, 5), 5, 0.05)
    (1.0, 1.0)
    >>> low, high = precision_bounds(Count(60, 58, 59, left=1, lost=10, joined=200), 1000, 0.05)
    >>> round(low, 3), round(high, 3)
    (0.749, 1.0)
    """
    lower = right_at_least(count.correct, count.audited, labels, alpha)
    upper = right_at_most(count.may_be, count.audited, labels, alpha)
    held = labels - count.lost
    kept = held - count.left
    low = max(lower - count.lost, 0) / (held + count.joined)
    high = (min(upper, kept) + count.joined) / (kept + count.joined) if kept + count.joined else 1.0
    return low, high


def certify_synsets(truth: Mapping[tuple[str, str], bool], size: int, seed: str) -> list[Certificate]:
    """What auditors who never err certify of each synset by itself, by wnid: to measure how often the bounds hold.

    `truth` is by (sha256, wnid), of every accepted label, whether it is right; `size` is audited of each synset, all
    in one draw.
    """
    ranks = {wnid: rank for rank, wnid in enumerate(sorted({wnid for _, wnid in truth}))}
    labels = sorted((Label(sha256, wnid, ranks[wnid]) for sha256, wnid in truth), key=lambda label: label.rank)
    answers = {
        label: (AuditAnswer("auditor", Answer.YES if truth[label.sha256, label.wnid] else Answer.NO, 0.0),)
        for label in labels
    }
    found = []
    for wnid, rank in ranks.items():
        plan = Plan(wnid, ((rank, rank + 1),), size, seed, 0.0, 0, targets=len(ranks))
        accepted, sample = draw_sample(plan, labels)
        found.append(certify(replace(plan, labels=accepted), sample, Changes(), frozenset(), answers))
    return found
