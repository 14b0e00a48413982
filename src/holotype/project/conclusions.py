"""Conclusions: labels drawn from all that they follow from, and drawn again whenever that changes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Final, TypeVar

import numpy as np
from sqlalchemy import Connection

from holotype.catalog import kept_counts, labels, statements, votes
from holotype.catalog.labels import Labels
from holotype.crowd.conclusion import Conclusion, Policy
from holotype.crowd.division import Division, Rule
from holotype.crowd.layers import Layer, layers_of, ranges_of, with_part
from holotype.crowd.policy_names import parse_rule
from holotype.crowd.sharded import LARGE
from holotype.crowd.tally import Tally
from holotype.errors import CrowdError
from holotype.project.drawing import TASKS_AT_ONCE, decide_others, label_parts, labels_of
from holotype.project.facts import read_layer
from holotype.project.large_labels import can_be_sharded, conclude_by_shards, draw_by_shards, put_in_parts
from holotype.project.memory import (
    appended_votes,
    note_appended,
    read_drawn,
    recall,
    remember,
    remember_division,
    remember_rounds,
)
from holotype.project.parts import Parts

Outcome = TypeVar("Outcome")

AT_ONCE: Final = 500
"""Labels that are written in one transaction while others wait to write."""

TRIES: Final = 3
"""How often labels are computed while others write before they have to wait."""

UNDER: Final = "under"
"""Of which subtrees an alarm is that is not of everything."""


@dataclass(frozen=True, slots=True)
class Basis:
    """All there is to go by as far as known in one layer of labels, and what it comes to.

    `rule` is what all labels are drawn by then, `last` what they were drawn by before; `held` is what they say already
    that it leads to. `ontology` is the digest of the one whose ranks these are.
    """

    counts: votes.Counts
    tally: Tally
    layer: Layer
    rule: Rule
    last: str | None = None
    held: Conclusion | None = None
    ontology: str | None = None

    def is_all(self, connection: Connection) -> bool:
        """Whether there is no more to go by now."""
        now = votes.evidence_counts(connection), labels.last_policy(connection), _ontology(connection)
        return now == (self.counts, self.last, self.ontology)

    def conclude(self) -> Conclusion:
        """What the layer's policy concludes."""
        return self.tally.conclude(self.layer.policy)


def take(parts: Parts, policy: Policy, under: Sequence[str] = ()) -> Basis:
    """What a policy concludes from, of everything or of the subtrees `under`, with what it concluded, if that was just
    this."""
    with parts.catalog.read() as connection:
        counts, drawn, last = votes.evidence_counts(connection), read_drawn(connection), labels.last_policy(connection)
        ontology = _ontology(connection)
        if under:
            before = None if last is None else rule_of(last)
            rule = with_part(before, under, policy, votes.newest(connection), parts.ontology)
            layer = Layer(policy, ranges_of(parts.ontology, under), name=" ".join(under))
            return Basis(counts, read_layer(connection, parts.catalog, layer), layer, rule, last, ontology=ontology)
        layer = Layer(policy)
        tally = read_layer(connection, parts.catalog, layer)
        known = drawn is not None and drawn.is_of(policy, counts)
        return Basis(counts, tally, layer, policy, last, recall(connection, policy, tally) if known else None, ontology)


def _ontology(connection: Connection) -> str | None:
    return statements.meta(connection, statements.ONTOLOGY)


def _take_all(connection: Connection, parts: Parts, rule: Rule) -> list[Basis]:
    """What every layer of a rule concludes from."""
    return [_take_layer(connection, parts, rule, layer) for layer in layers_of(rule, parts.ontology)]


def _take_layer(connection: Connection, parts: Parts, rule: Rule, layer: Layer) -> Basis:
    counts, last, ontology = votes.evidence_counts(connection), labels.last_policy(connection), _ontology(connection)
    return Basis(counts, read_layer(connection, parts.catalog, layer), layer, rule, last, ontology=ontology)


def _alarms(connection: Connection, drawn: Sequence[tuple[Basis, Conclusion]]) -> str:
    """The alarms of conclusions as they are kept, with those of the layers that are not drawn now."""
    rule = drawn[0][0].rule
    now = {basis.layer.name for basis, _ in drawn}
    names = {part.wnids for part in rule.parts} | {""} if isinstance(rule, Division) else set[str]()
    kept = [one for one in json.loads(labels.alarms(connection) or "[]") if one.get(UNDER, "") in names - now]
    told = [
        {**asdict(alarm), **({UNDER: basis.layer.name} if basis.layer.name else {})}
        for basis, conclusion in drawn
        for alarm in conclusion.alarms
    ]
    return json.dumps([*told, *kept])


def rule_of(label: str) -> Rule:
    """What labels say they were drawn by. Raises `CrowdError` where it is not holotype's own."""
    try:
        return parse_rule(label)
    except CrowdError as error:
        raise CrowdError(
            f"the labels were drawn by a policy of your own, {label}: give it, to draw them again"
        ) from error


def _write(connection: Connection, parts: Parts, drawn: Sequence[tuple[Basis, Conclusion]]) -> int:
    """Write labels of some layers of a rule, and what they are drawn from; how many changed."""
    new = [pair for pair in drawn if pair[1] is not pair[0].held]
    changed = sum(_put(connection, parts, *pair) for pair in new)
    return changed + _keep(connection, parts, drawn, bool(new))


def _put(connection: Connection, parts: Parts, basis: Basis, conclusion: Conclusion) -> int:
    put = labels.put if len(basis.tally.tasks) <= TASKS_AT_ONCE else put_in_parts
    return sum(put(connection, found) for found in owned_parts(parts, basis, conclusion))


def _keep(connection: Connection, parts: Parts, drawn: Sequence[tuple[Basis, Conclusion]], new: bool) -> int:
    """Write what labels are drawn from, and what no layer concludes of, if they are `new`; how many labels changed."""
    kept_counts.fold(connection)
    basis, conclusion = drawn[0]
    changed, whole = 0, len(drawn) == len(layers_of(basis.rule, parts.ontology))
    if new:
        changed += decide_others(connection, [one.tally.places_of for one, _ in drawn]) if whole else 0
        labels.set_last_policy(connection, str(basis.rule), _alarms(connection, drawn))
    if isinstance(basis.rule, Division):
        remember_division(connection, basis.rule, basis.counts, 0 if whole else appended_votes(connection))
        return changed
    if new:
        tally, memory = basis.tally, conclusion.memory
        pilot = None if memory.pilot is None else tally.tasks.number[memory.pilot]
        remember(connection, basis.rule, memory, tally.axes(), pilot)
    remember_rounds(connection, basis.rule, basis.counts, basis.tally)
    return changed


def owned(parts: Parts, basis: Basis, conclusion: Conclusion) -> Labels:
    """What is concluded of the tasks that are a layer's as labels."""
    found = labels_of(basis.tally, conclusion, basis.layer.policy)
    mine = basis.layer.owned(basis.tally, parts.ontology) if basis.layer.taken else None
    return found if mine is None else found.take(mine)


def owned_parts(parts: Parts, basis: Basis, conclusion: Conclusion) -> Iterator[Labels]:
    """`owned`, a part at a time where a layer owns all it hears of."""
    if basis.layer.taken:
        return iter([owned(parts, basis, conclusion)])
    return label_parts(basis.tally, conclusion, basis.layer.policy)


def put_some(parts: Parts, found: Labels) -> None:
    """Write labels, a few in each transaction, as ones that were concluded without all the others."""
    for start in range(0, len(found), AT_ONCE):
        some = found.take(np.arange(start, min(start + AT_ONCE, len(found))))

        def work(connection: Connection, some: Labels = some) -> None:
            labels.put(connection, some)
            note_appended(connection, len(some))

        parts.catalog.transact(work)


def settle(parts: Parts, basis: Basis, conclusion: Conclusion) -> bool:
    """Say that labels that were put are what all there is leads to; False where there is more to go by than the basis
    now."""

    def work(connection: Connection) -> bool:
        if not basis.is_all(connection):
            return False
        _keep(connection, parts, [(basis, conclusion)], True)
        return True

    return parts.catalog.transact(work)


def redraw(parts: Parts, change: Callable[[Connection], Outcome], policy: Policy | None = None) -> tuple[Outcome, int]:
    """What `change` returns, and how many labels it changed: facts and conclusions in one transaction.

    Labels are drawn by `policy`, or as they were last. Where none were drawn yet, none are, but those that came with a
    dataset and that gold or a curator now decides.

    Where others wait to write, as in a server, or votes are very many, facts are written first, and what they lead to
    is computed while others write; only what they write all the time makes it one transaction again. Interrupted
    between the two, the next campaign or release draws labels.
    """

    def work(connection: Connection) -> tuple[Outcome, int]:
        return redraw_within(connection, parts, change, policy)

    def facts(connection: Connection) -> tuple[Outcome, Rule | None, int]:
        outcome, rule = _changed(connection, change, policy)
        note_appended(connection, 1)
        return outcome, rule, decide_others(connection) if rule is None else 0

    if not (parts.catalog.shared or are_many(parts)):
        return parts.catalog.transact(work)
    outcome, rule, changed = parts.catalog.transact(facts)
    if rule is None:
        return outcome, changed
    found = next((one for one in (_draw_all(parts, rule) for _ in range(TRIES)) if one is not None), None)
    return outcome, parts.catalog.transact(partial(_redrawn, parts=parts, rule=rule)) if found is None else found


def redraw_within(
    connection: Connection, parts: Parts, change: Callable[[Connection], Outcome], policy: Policy | None = None
) -> tuple[Outcome, int]:
    """As `redraw`, within a transaction."""
    outcome, rule = _changed(connection, change, policy)
    return outcome, decide_others(connection) if rule is None else _redrawn(connection, parts, rule)


def _changed(
    connection: Connection, change: Callable[[Connection], Outcome], policy: Policy | None
) -> tuple[Outcome, Rule | None]:
    """What `change` returns, and by what labels are to be drawn; None where none were."""
    outcome, last = change(connection), labels.last_policy(connection)
    return outcome, None if last is None else policy or rule_of(last)


def _redrawn(connection: Connection, parts: Parts, rule: Rule) -> int:
    """Draw all labels within a transaction; how many changed."""
    bases = _take_all(connection, parts, rule)
    return _write(connection, parts, [(basis, basis.conclude()) for basis in bases])


def draw_anew(parts: Parts) -> None:
    """Draw all labels again, as they were last, if some were concluded without the others, or of less than there is to
    go by now; but for those of a policy that only who made it knows."""
    with parts.catalog.read() as connection:
        drawn, last = read_drawn(connection), labels.last_policy(connection)
        counts = votes.evidence_counts(connection)
    new = last is not None and (drawn is None or drawn.counts != counts) and is_rule(last)
    if new or (drawn is not None and drawn.appended):
        redraw(parts, lambda _: None)


def is_rule(label: str) -> bool:
    """Whether what labels say they were drawn by is holotype's own."""
    try:
        parse_rule(label)
    except CrowdError:
        return False
    return True


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
        return self.tally.votes_cast


def conclude(parts: Parts, policy: Policy, basis: Basis | None = None, under: Sequence[str] = ()) -> Concluded:
    """Draw labels, of everything or of the subtrees `under`, from all there is to go by, and again if more came in
    meanwhile."""
    while True:
        basis = basis or take(parts, policy, under)
        conclusion = basis.conclude()
        changed = _draw(parts, [(basis, conclusion)])
        if changed is not None:
            return Concluded(conclusion, basis.tally, changed)
        basis = None


def conclude_all(parts: Parts, rule: Rule) -> int:
    """Draw all labels by a rule from all there is to go by, and again if more came in meanwhile; how many changed."""
    while True:
        changed = _draw_all(parts, rule)
        if changed is not None:
            return changed


def are_many(parts: Parts) -> bool:
    """Whether there are so many votes that labels are drawn shard by shard, where a policy can."""
    with parts.catalog.read() as connection:
        return votes.newest(connection) >= LARGE


def _draw_all(parts: Parts, rule: Rule) -> int | None:
    """Draw all labels by a rule; as `_draw`."""
    if are_many(parts) and can_be_sharded(rule, parts):
        return draw_by_shards(parts, rule)
    with parts.catalog.read() as connection:
        bases = _take_all(connection, parts, rule)
    return _draw(parts, [(basis, basis.conclude()) for basis in bases])


def _draw(parts: Parts, drawn: Sequence[tuple[Basis, Conclusion]]) -> int | None:
    """Write labels; how many changed, or None, and nothing is written, if there is more to go by than the basis now."""
    basis = drawn[0][0]

    def work(connection: Connection) -> int | None:
        if not basis.is_all(connection):
            return None
        return _write(connection, parts, drawn)

    return parts.catalog.transact(work)


def conclude_anew(parts: Parts, last: str) -> Iterator[Labels]:
    """What the rule that labels were drawn by last concludes of all there is, which nothing is done with: a shard at a
    time where votes are very many, else a layer.

    Raises `CrowdError` where the rule is not holotype's own.
    """
    rule = rule_of(last)
    if are_many(parts) and can_be_sharded(rule, parts):
        yield from conclude_by_shards(parts, rule)
        return
    for layer in layers_of(rule, parts.ontology):
        with parts.catalog.read() as connection:
            basis = _take_layer(connection, parts, rule, layer)
        yield owned(parts, basis, basis.conclude())
