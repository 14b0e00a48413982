"""Conclusions: labels drawn from all that they follow from, and drawn again whenever that changes."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TypeVar

import numpy as np
from sqlalchemy import Connection

from holotype.catalog import candidates, labels, votes
from holotype.catalog.labels import Labels
from holotype.crowd.columns import NOWHERE
from holotype.crowd.conclusion import GUARDS, STATES, Conclusion, Policy, State
from holotype.crowd.expert import CURATOR
from holotype.crowd.policy_names import parse_policy
from holotype.crowd.tally import Tally
from holotype.errors import CrowdError
from holotype.project.facts import read_gold, read_rulings, read_tally
from holotype.project.memory import appended_votes, read_drawn, recall, remember, remember_rounds
from holotype.project.parts import Parts

Outcome = TypeVar("Outcome")


@dataclass(frozen=True, slots=True)
class Basis:
    """All there is to go by as far as known, and what it comes to; `held` is what the labels say already that it
    leads to."""

    counts: votes.Counts
    tally: Tally
    held: Conclusion | None = None


def take(parts: Parts, policy: Policy) -> Basis:
    """All that a policy concludes from, with what it concluded, if that was just this."""
    with parts.catalog.read() as connection:
        counts, drawn = votes.evidence_counts(connection), read_drawn(connection)
        tally = read_tally(connection, parts.catalog)
        known = drawn is not None and drawn.is_of(policy, counts)
        return Basis(counts, tally, recall(connection, policy, tally) if known else None)


def labels_of(tally: Tally, conclusion: Conclusion, policy: Policy) -> Labels:
    """What is concluded of tasks as labels."""
    known = tally.known
    policies = [str(policy), "gold", *sorted({CURATOR + ruling.curator for ruling in known.rulings.values()})]
    drawn_by = np.zeros(len(tally.tasks), np.int64)
    ruled = tally.places_of(np.array(list(known.rulings), np.int64))
    by = np.array([policies.index(CURATOR + ruling.curator) for ruling in known.rulings.values()], np.int64)
    drawn_by[ruled[ruled != NOWHERE]] = by[ruled != NOWHERE]
    gold = tally.places_of(np.array([task.number for task in known.gold], np.int64))
    drawn_by[gold[gold != NOWHERE]] = policies.index("gold", 1)
    guard = np.zeros(len(tally.tasks), np.int64) if conclusion.guard is None else conclusion.guard + 1
    names = [str(state) for state in STATES], policies, [None, *map(str, GUARDS)]
    return Labels(tally.tasks.number.astype(np.int64), conclusion.scores, conclusion.state, drawn_by, guard, *names)


def _told(conclusion: Conclusion) -> str:
    """The alarms of a conclusion as they are kept."""
    return json.dumps([asdict(alarm) for alarm in conclusion.alarms])


def policy_of(label: str) -> Policy:
    """The policy that a label says it was drawn by. Raises `CrowdError` where it is not one of holotype's own."""
    try:
        return parse_policy(label)
    except CrowdError as error:
        raise CrowdError(
            f"the labels were drawn by a policy of your own, {label}: give it, to draw them again"
        ) from error


def _write(connection: Connection, policy: Policy, basis: Basis, conclusion: Conclusion) -> int:
    """Write labels and what they are drawn from; how many changed."""
    changed = 0
    if conclusion is not basis.held:
        changed = labels.put(connection, labels_of(basis.tally, conclusion, policy))
        changed += _decide_others(connection, basis.tally)
        labels.set_last_policy(connection, str(policy), _told(conclusion))
        remember(connection, policy, basis.tally, conclusion)
    remember_rounds(connection, policy, basis.counts, basis.tally)
    return changed


def redraw(parts: Parts, change: Callable[[Connection], Outcome], policy: Policy | None = None) -> tuple[Outcome, int]:
    """What `change` returns, and how many labels it changed: facts and conclusions in one transaction.

    Labels are drawn by `policy`, or as they were last. Where none were drawn yet, none are, but those that came with a
    dataset and that gold or a curator now decides.
    """

    def work(connection: Connection) -> tuple[Outcome, int]:
        outcome, last = change(connection), labels.last_policy(connection)
        if last is None:
            return outcome, _decide_others(connection)
        by = policy or policy_of(last)
        basis = Basis(votes.evidence_counts(connection), read_tally(connection, parts.catalog))
        return outcome, _write(connection, by, basis, basis.tally.conclude(by))

    return parts.catalog.transact(work)


def _decide_others(connection: Connection, tally: Tally | None = None) -> int:
    """Say of labels that came with a dataset what gold and curators say; how many that changes.

    With a `tally`, of all labels that it does not have: of images that cannot be read now, or of other synsets than
    the ontology's.
    """
    said = {number: (ruling.answer, CURATOR + ruling.curator) for number, ruling in read_rulings(connection).items()}
    said |= {task.number: (yes, "gold") for task, yes in read_gold(connection).items()}
    if tally is not None:
        numbers = np.array(list(said), np.int64)
        left = np.sort(numbers[tally.places_of(numbers) == NOWHERE]).tolist()
    else:
        left = sorted(candidates.claimed(connection, said))
    states = candidates.states(connection, left)
    left = [number for number in left if states[number] != "withdrawn"]
    policies = sorted({by for _, by in said.values()})
    yes = np.array([said[number][0] for number in left], np.int64)
    by = np.array([policies.index(said[number][1]) for number in left], np.int64)
    columns = np.array(left, np.int64), yes.astype(np.float64), yes, by, np.zeros(len(left), np.int64)
    return labels.put(connection, Labels(*columns, [str(State.NO), str(State.YES)], policies, [None]))


def draw_anew(parts: Parts) -> None:
    """Draw all labels again, as they were last, if some were concluded without the others."""
    with parts.catalog.read() as connection:
        appended = appended_votes(connection)
    if appended:
        redraw(parts, lambda _: None)


@dataclass(frozen=True, slots=True)
class Concluded:
    """What is concluded of all candidates of a tally, and how many labels that changed; the tally has more candidates
    than the one at hand where some came meanwhile."""

    conclusion: Conclusion
    tally: Tally
    changed: int

    @property
    def votes(self) -> int:
        """From how many votes."""
        return len(self.tally.votes)


def conclude(parts: Parts, policy: Policy, basis: Basis | None = None) -> Concluded:
    """Draw labels from all there is to go by, and again if more came in meanwhile."""
    while True:
        basis = basis or take(parts, policy)
        conclusion = basis.tally.conclude(policy)
        changed = _draw(parts, policy, basis, conclusion)
        if changed is not None:
            return Concluded(conclusion, basis.tally, changed)
        basis = None


def _draw(parts: Parts, policy: Policy, basis: Basis, conclusion: Conclusion) -> int | None:
    """Write labels; how many changed, or None, and nothing is written, if there is more to go by than the basis now."""

    def work(connection: Connection) -> int | None:
        if votes.evidence_counts(connection) != basis.counts:
            return None
        return _write(connection, policy, basis, conclusion)

    return parts.catalog.transact(work)
