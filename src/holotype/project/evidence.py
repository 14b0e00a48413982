"""Audits of a live catalog: draws samples, records what auditors say, and reads what certificates follow from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter

import numpy as np
from sqlalchemy import Connection

from holotype.audits.certificates import NOTHING, Answers, AuditAnswer, Changes, Evidence, same_person
from holotype.audits.plans import Label, Plan, draw_sample, number_plans, targets_to_draw, union_of
from holotype.catalog import audits, candidates, corrections, schema, votes
from holotype.consensus.votes import Answer, is_machine
from holotype.crowd.conclusion import State
from holotype.errors import CrowdError
from holotype.ontology import Ontology
from holotype.project.facts import person
from holotype.project.image_names import by_candidate, candidate_numbers

Pairs = Mapping[tuple[str, str], Answer]
"""Answers by (sha256, wnid)."""
_rank = attrgetter("rank")


@dataclass(frozen=True, slots=True)
class AuditReport:
    """What became of an auditor's answers: `new` ones, those `known` before, those on images no longer `accepted`."""

    new: int
    known: int
    not_accepted: int = 0

    def __str__(self) -> str:
        return (
            f"{self.new + self.known + self.not_accepted:,} answers = {self.new:,} new + {self.known:,} known + "
            f"{self.not_accepted:,} on images no longer labelled yes"
        )


def draw(
    connection: Connection, ontology: Ontology, wnids: Collection[str], plan: tuple[int, str, float], fresh: bool
) -> None:
    """Draw a sample for those of `wnids` that have none, or for all, if `fresh`; `plan` is size, seed and Unix time.

    Raises `CrowdError` where nothing is accepted below a target, or it has a plan of another size.
    """
    size, seed, at = plan
    held = _plans(connection, ontology)
    new = targets_to_draw(sorted(wnids, key=ontology.rank), size, held, fresh)
    if not new:
        return
    counted = [Plan(wnid, ontology.ranges(wnid), size, seed, at, 0) for wnid in new]
    number = _numbers(candidates.accepted(connection, covered(counted)))
    labels = list(number)
    audits.add_draw(connection, seed, np.fromiter(number.values(), np.int64, len(number)))
    for wanted in counted:
        accepted, sample = draw_sample(wanted, labels)
        if not sample:
            raise CrowdError(f"nothing below {wanted.wnid} is labelled yes: there is nothing to audit")
        row = {"wnid": wanted.wnid, "size": size, "seed": seed, "at": at, "labels": accepted}
        audits.add_plan(connection, row, [number[label] for label in sample])


def read_evidence(
    connection: Connection, ontology: Ontology, released: Iterable[candidates.Accepted] | None = None
) -> Evidence:
    """All that certificates follow from; targets in ontology order.

    They are of the labels that are `released`, of all accepted ones unless given.
    """
    numbered = _plans(connection, ontology)
    newest = {plan.wnid: (plan, row.id) for plan, row in zip(numbered, audits.plans(connection), strict=True)}
    if not newest:
        return NOTHING
    held = audits.samples(connection, [number for _, number in newest.values()])
    ranges = covered(plan for plan, _ in newest.values())
    number = _numbers(candidates.accepted(connection, ranges) if released is None else released)
    seeds = {plan.seed for plan, _ in newest.values() if plan.labels}
    return Evidence(
        numbered,
        {wnid: tuple(map(_label, held.get(newest[wnid][1], ()))) for wnid in sorted(newest, key=ontology.rank)},
        {seed: _changes(connection, seed, number, ranges) for seed in seeds},
        list(number),
        _answers(connection),
    )


def record(connection: Connection, said: Pairs, auditor: str, at: float) -> AuditReport:
    """Append what an auditor says: see `Audits.record`."""
    numbers, before, name = _asked(connection, said, auditor)
    voters = votes.voters(connection, numbers.values())
    curators = {
        said.candidate: said.by for said in corrections.history(connection, schema.overruling, numbers.values())
    }
    for (sha256, wnid), number in numbers.items():
        involved = [*voters.get(number, ()), curators.get(number, "")]
        if same_person(name) in map(same_person, involved):
            raise CrowdError(
                f"auditor {name!r} has voted on {sha256} for {wnid}, or overruled it: an audit needs somebody "
                "independent"
            )
        if before.get(number, said[sha256, wnid]) != said[sha256, wnid]:
            raise CrowdError(
                f"auditor {name!r} has answered otherwise on {sha256} for {wnid} before: an answer is changed by a "
                "correction, with a reason"
            )
    fresh = {pair: number for pair, number in numbers.items() if number not in before}
    states = candidates.states(connection, fresh.values())
    new = [
        {"candidate_id": number, "auditor": name, "answer": int(said[pair]), "at": at}
        for pair, number in fresh.items()
        if states[number] == State.YES
    ]
    audits.add_answers(connection, new)
    return AuditReport(len(new), len(numbers) - len(fresh), len(fresh) - len(new))


def correct(connection: Connection, said: Pairs, auditor: str, reason: str, at: float) -> AuditReport:
    """Append corrections of what an auditor said: see `Audits.correct`."""
    why = reason.strip()
    if not why or not why.isprintable():
        raise CrowdError(f"a correction needs a reason that can be printed, not {reason!r}")
    numbers, before, name = _asked(connection, said, auditor)
    for (sha256, wnid), number in numbers.items():
        if number not in before:
            raise CrowdError(f"auditor {name!r} has said nothing on {sha256} for {wnid} that could be corrected")
    new = [
        {"candidate_id": number, "auditor": name, "answer": int(said[pair]), "reason": why, "at": at}
        for pair, number in numbers.items()
        if before[number] != said[pair]
    ]
    audits.add_corrections(connection, new)
    return AuditReport(len(new), len(numbers) - len(new))


def _asked(
    connection: Connection, said: Pairs, auditor: str
) -> tuple[dict[tuple[str, str], int], dict[int, Answer], str]:
    """The ids of the candidates that are spoken of, what the auditor says of candidates so far, and the name they used
    first."""
    name = person(auditor, "an auditor")
    if is_machine(name):
        raise CrowdError(f"an auditor is a person, and {name!r} is a machine")
    number = candidate_numbers(connection, said, "answers")
    by_candidate(number, said, "answers")
    number = {pair: one for one, pair in {one: pair for pair, one in number.items()}.items()}  # each once
    theirs = [row for row in audits.answers(connection) if same_person(row.auditor) == same_person(name)]
    before = {row.candidate_id: Answer(row.answer) for row in theirs}
    return number, before, theirs[0].auditor if theirs else name


def _plans(connection: Connection, ontology: Ontology) -> list[Plan]:
    return number_plans(
        Plan(row.wnid, ontology.ranges(row.wnid), row.size, row.seed, row.at, row.labels or 0)
        for row in audits.plans(connection)
    )


def covered(plans: Iterable[Plan]) -> list[tuple[int, int]]:
    """The ranges of ranks that are in any plan's subtree, ascending and apart."""
    return list(union_of(pair for plan in plans for pair in plan.ranges))


def _numbers(accepted: Iterable[candidates.Accepted]) -> dict[Label, int]:
    """Candidate ids of accepted labels, in order of rank; the first of those with the same bytes."""
    number: dict[Label, int] = {}
    for one in accepted:
        number.setdefault(Label(one.sha256, one.wnid, one.rank), one.id)
    return number


def _changes(
    connection: Connection, seed: str, number: Mapping[Label, int], ranges: Sequence[tuple[int, int]]
) -> Changes:
    now = np.fromiter(number.values(), np.int64, len(number))
    then = audits.accepted_at(connection, seed)
    joined = ~np.isin(now, then)
    gone = map(_label, audits.candidates(connection, np.setdiff1d(then, now).tolist()))
    left = [label for label in gone if any(start <= label.rank < stop for start, stop in ranges)]
    return Changes(sorted(left, key=_rank), [label for label, new in zip(number, joined.tolist(), strict=True) if new])


def _answers(connection: Connection) -> Answers:
    """What was said of each label, but no yes of somebody who had voted on it: that is not independent.

    Votes cast later change nothing; and a doubt stays one, whoever voices it.
    """
    voted: dict[tuple[int, str], float] = {}
    for first in audits.votes_on_audited(connection):
        key = first.candidate_id, same_person(first.worker)
        voted[key] = min(first.at, voted.get(key, first.at))
    names: dict[str, str] = {}
    found: dict[Label, list[AuditAnswer]] = defaultdict(list)
    for row in audits.answers(connection):
        person = same_person(row.auditor)
        given = AuditAnswer(names.setdefault(person, row.auditor), Answer(row.answer), row.at, row.reason)
        if given.answer is not Answer.YES or row.at < voted.get((row.candidate_id, person), float("inf")):
            found[_label(row)].append(given)
    return found


def _label(row: audits.Labelled | audits.AuditorAnswer) -> Label:
    return Label(row.sha256, row.wnid, row.rank)
