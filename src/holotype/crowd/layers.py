"""Layers of labels: what each policy concludes, and from which votes, where subtrees have their own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from holotype.audits.plans import union_of
from holotype.crowd.columns import NOWHERE
from holotype.crowd.conclusion import Policy
from holotype.crowd.division import Division, Part, Rule
from holotype.crowd.guards import Mask
from holotype.crowd.tally import Tally
from holotype.errors import CrowdError
from holotype.ontology import Ontology

Ranges = tuple[tuple[int, int], ...]
"""Half-open ranges of ranks, ascending and apart."""


@dataclass(frozen=True, slots=True)
class Layer:
    """A policy, and the ranges of ranks whose votes it hears; None is all. `name` are the wnids of the subtrees.

    What newer layers have taken from it, by their ranges, is concluded by them, and of the votes there it hears those
    up to an id.
    """

    policy: Policy
    ranges: Ranges | None = None
    taken: tuple[tuple[Ranges, int], ...] = ()
    name: str = ""

    def holds(self, rank: int) -> bool:
        """Whether it hears the votes on what is of a rank."""
        return self.ranges is None or _within(rank, self.ranges)

    def owned(self, tally: Tally, ontology: Ontology) -> Mask | None:
        """Which tasks of a tally it concludes of, ``(tasks,)``; None where of all."""
        if not self.taken:
            return None
        ranks = (ontology.rank(wnid) if wnid in ontology else NOWHERE for wnid in tally.tasks.wnids)
        mine = [not any(_within(rank, ranges) for ranges, _ in self.taken) for rank in ranks]
        return np.array(mine, bool)[tally.tasks.synset] if mine else np.zeros(0, bool)


def _within(rank: int, ranges: Ranges) -> bool:
    return any(start <= rank < stop for start, stop in ranges)


def ranges_of(ontology: Ontology, wnids: Iterable[str]) -> Ranges:
    """What lies in subtrees, as ranges of ranks. Raises `UnknownSynset`."""
    return union_of(pair for wnid in wnids for pair in ontology.ranges(wnid))


def tops(ontology: Ontology, wnids: Iterable[str]) -> tuple[str, ...]:
    """Those of some synsets that are below none of the others, each once, in the order of the ontology."""
    named = sorted(set(wnids), key=ontology.rank)
    return tuple(one for one in named if not any(ontology.is_under(one, two) for two in named if two != one))


def overlap(one: Ranges, other: Ranges) -> bool:
    """Whether two sets of ranges have a rank in common."""
    return any(start < end and begin < stop for start, stop in one for begin, end in other)


def layers_of(rule: Rule, ontology: Ontology) -> list[Layer]:
    """The layers of a rule, the newest first."""
    if not isinstance(rule, Division):
        return [Layer(rule)]
    taken: tuple[tuple[Ranges, int], ...] = ()
    found = []
    for part in rule.parts:
        mine = ranges_of(ontology, part.wnids.split())
        if not covered(mine, union_of(pair for ranges, _ in taken for pair in ranges)):
            found.append(Layer(part.policy, mine, tuple(pair for pair in taken if overlap(pair[0], mine)), part.wnids))
        taken = (*taken, (mine, part.since))
    return found if rule.rest is None else [*found, Layer(rule.rest, None, taken)]


def with_part(rule: Rule | None, wnids: Sequence[str], policy: Policy, since: int, ontology: Ontology) -> Rule:
    """The rule by which `policy` draws what lies in the subtrees of `wnids`, or everything where there are none, and
    what drew the others draws them still; `since` is the id of the newest vote.

    That is the same rule where they were drawn just so before, and nothing newer has taken any of it.
    """
    if not wnids:
        return policy
    mine, name = ranges_of(ontology, wnids), " ".join(wnids)
    if not isinstance(rule, Division):
        return Division((Part(name, policy, since),), rule)
    held = [(part, ranges_of(ontology, part.wnids.split())) for part in rule.parts]
    above = next(at for at, (_, ranges) in enumerate([*held, (None, mine)]) if overlap(ranges, mine))
    if above < len(held) and (held[above][0].wnids, str(held[above][0].policy)) == (name, str(policy)):
        return rule
    replaced = [part.since for part, ranges in held if ranges == mine]
    kept = [pair for pair in held if pair[1] != mine]
    while kept and rule.rest is None and covered(kept[-1][1], mine):
        kept.pop()  # nothing older hears of what it had
    return Division((Part(name, policy, min(replaced, default=since)), *(part for part, _ in kept)), rule.rest)


def refuse_overlap(ontology: Ontology, wnids: Sequence[str], running: Mapping[int, Sequence[str]]) -> None:
    """Raises `CrowdError` where a campaign that is `running`, by its id, asks about some of what lies in the subtrees
    of `wnids`; none is everything."""
    everything = ((0, len(ontology)),)
    mine = ranges_of(ontology, wnids) if wnids else everything
    for number, theirs in running.items():
        if overlap(mine, ranges_of(ontology, theirs) if theirs else everything):
            named = ", ".join(ontology[wnid].name for wnid in theirs) or "everything"
            raise CrowdError(f"campaign {number} on {named} is running, and asks about some of that: pause or stop it")


def covered(ranges: Ranges, by: Ranges) -> bool:
    """Whether all that is in some ranges is in others."""
    return union_of([*ranges, *by]) == by
