"""Conclusions: labels drawn from all that they follow from, and drawn again whenever that changes."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, TypeVar

from sqlalchemy import Connection

from holotype.catalog import candidates, labels, votes
from holotype.crowd.campaign import Tally
from holotype.crowd.conclusion import Conclusion, Policy, State
from holotype.crowd.expert import CURATOR
from holotype.crowd.policy_names import parse_policy
from holotype.errors import CrowdError
from holotype.project.facts import read_gold, read_rulings, read_tally
from holotype.project.parts import Parts

Outcome = TypeVar("Outcome")


def _labels(tally: Tally, conclusion: Conclusion, policy: Policy) -> list[dict[str, Any]]:
    by = str(policy)
    return [
        {
            "candidate_id": task.number,
            "state": str(state),
            "posterior": float(score),
            "policy": _label_policy(tally, task.number, by),
            "guard": str(conclusion.guards[place]) if place in conclusion.guards else None,
        }
        for place, (task, state, score) in enumerate(
            zip(tally.tasks, conclusion.states, conclusion.scores, strict=True)
        )
    ]


def _told(conclusion: Conclusion) -> str:
    """The alarms of a conclusion as they are kept."""
    return json.dumps([asdict(alarm) for alarm in conclusion.alarms])


def _label_policy(tally: Tally, number: int, by: str) -> str:
    if number in tally.gold:
        return "gold"
    return CURATOR + tally.rulings[number].curator if number in tally.rulings else by


def _policy_of(label: str) -> Policy:
    """The policy that a label says it was drawn by."""
    try:
        return parse_policy(label)
    except CrowdError as error:
        raise CrowdError(
            f"the labels were drawn by a policy of your own, {label}: give it, to draw them again"
        ) from error


def redraw(parts: Parts, change: Callable[[Connection], Outcome], policy: Policy | None = None) -> tuple[Outcome, int]:
    """What `change` returns, and how many labels it changed: facts and conclusions in one transaction.

    Labels are drawn by `policy`, or as they were last. Where none were drawn yet, none are, but those that came with a
    dataset and that gold or a curator now decides.
    """

    def work(connection: Connection) -> tuple[Outcome, int]:
        outcome, last = change(connection), labels.last_policy(connection)
        if last is None:
            return outcome, _decide_imported(connection)
        by, tally = policy or _policy_of(last), read_tally(connection)
        conclusion = tally.conclude(by)
        labels.set_last_policy(connection, str(by), _told(conclusion))
        return outcome, labels.put(connection, _labels(tally, conclusion, by))

    return parts.catalog.transact(work)


def _decide_imported(connection: Connection) -> int:
    """Say of labels that came with a dataset what gold and curators say; how many that changes."""
    said = {number: (ruling.answer, CURATOR + ruling.curator) for number, ruling in read_rulings(connection).items()}
    said |= {task.number: (yes, "gold") for task, yes in read_gold(connection).items()}
    rows = [
        {
            "candidate_id": number,
            "state": str(State.YES if yes else State.NO),
            "posterior": float(yes),
            "policy": by,
            "guard": None,
        }
        for number in candidates.claimed(connection, said)
        for yes, by in (said[number],)
    ]
    return labels.put(connection, rows)


def conclude(parts: Parts, policy: Policy, known: tuple[votes.Counts, Tally] | None = None) -> tuple[Conclusion, int]:
    """Draw labels from all there is to go by, and again if more came in meanwhile.

    `known` is what there is to go by as far as known, with what it comes to.
    """
    while True:
        if known is None:
            with parts.catalog.read() as connection:
                known = votes.evidence_counts(connection), read_tally(connection)
        counts, tally = known
        conclusion = tally.conclude(policy)
        if _draw(parts, policy, counts, conclusion, _labels(tally, conclusion, policy)):
            return conclusion, len(tally.votes)
        known = None


def _draw(
    parts: Parts, policy: Policy, counts: votes.Counts, conclusion: Conclusion, rows: list[dict[str, Any]]
) -> bool:
    """Write labels, unless there is more to go by than `counts` by now; whether they were written."""

    def work(connection: Connection) -> bool:
        if votes.evidence_counts(connection) != counts:
            return False
        labels.put(connection, rows)
        labels.set_last_policy(connection, str(policy), _told(conclusion))
        return True

    return parts.catalog.transact(work)
