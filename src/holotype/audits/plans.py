"""Plans of audits: which labels are to be looked at, drawn at random, and how many draws there were."""

from __future__ import annotations

import hashlib
import heapq
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter

from holotype.audits.bounds import share_of_alpha
from holotype.errors import AlreadyPlanned

Ranges = tuple[tuple[int, int], ...]
_rank = attrgetter("rank")


@dataclass(frozen=True, slots=True)
class Label:
    """One accepted (image, synset) pair; `rank` is the synset's in the ontology."""

    sha256: str
    wnid: str
    rank: int


Sample = tuple[Label, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """To audit `size` of the `labels` accepted in a subtree, the first in the random order of `seed`; drawn at Unix
    time `at`.

    `wnid` is the target, `ranges` are the half-open ranges of ranks of its subtree. `draws` counts the draws so far
    that took in anything of this subtree, `rounds` all of the project, each this one included, and `targets` what was
    drawn together in this one. No labels are known of a plan from before samples were stored; it is void.
    """

    wnid: str
    ranges: Ranges
    size: int
    seed: str
    at: float
    labels: int
    draws: int = 1
    rounds: int = 1
    targets: int = 1

    @property
    def alpha(self) -> float:
        """The chance of an error of a bound that is to hold for this target, however often it is drawn."""
        return share_of_alpha(self.draws)

    @property
    def shared_alpha(self) -> float:
        """The chance of an error of a bound that is to hold together with those of all targets ever drawn."""
        return share_of_alpha(self.rounds) / self.targets


def draw_order(seed: str, label: Label) -> bytes:
    """The place of a label in the random order of `seed`: labels are audited by ascending bytes."""
    return hashlib.sha256(f"{seed} {label.wnid} {label.sha256}".encode()).digest()


def below(ranges: Ranges, labels: Sequence[Label]) -> list[Label]:
    """The labels of a subtree, out of `labels` in order of rank."""
    return [label for start, stop in _slices(ranges, labels) for label in labels[start:stop]]


def count_below(ranges: Ranges, labels: Sequence[Label]) -> int:
    """How many of `labels`, in order of rank, are of a subtree."""
    return sum(stop - start for start, stop in _slices(ranges, labels))


def _slices(ranges: Ranges, labels: Sequence[Label]) -> Iterator[tuple[int, int]]:
    for start, stop in ranges:
        yield bisect_left(labels, start, key=_rank), bisect_left(labels, stop, key=_rank)


def draw_sample(plan: Plan, labels: Sequence[Label]) -> tuple[int, Sample]:
    """How many of `labels` (in order of rank) are in the plan's subtree, and the sample in its random order.

    Where fewer than planned are accepted the sample is all of them.
    """
    some = below(plan.ranges, labels)
    return len(some), tuple(heapq.nsmallest(plan.size, some, key=lambda label: draw_order(plan.seed, label)))


def number_plans(plans: Iterable[Plan]) -> list[Plan]:
    """All plans ever made, oldest first, with `draws`, `rounds` and `targets` as they follow from that.

    Plans with one seed and time are of one draw. Two targets overlap where their subtrees share a synset: then a draw
    of one counts as one of the other, so drawing a parent, a child or another size is no way round.
    """
    rounds: dict[tuple[str, float], list[Plan]] = {}
    for plan in plans:
        rounds.setdefault((plan.seed, plan.at), []).append(plan)
    found: list[Plan] = []
    covered: list[Ranges] = []
    for number, together in enumerate(rounds.values(), 1):
        covered.append(union_of(pair for plan in together for pair in plan.ranges))
        for plan in together:
            draws = sum(_overlap(plan.ranges, some) for some in covered)
            found.append(replace(plan, draws=draws, rounds=number, targets=len(together)))
    return found


def union_of(ranges: Iterable[tuple[int, int]]) -> Ranges:
    """Half-open ranges that hold what any of `ranges` holds, ascending and apart."""
    merged: list[tuple[int, int]] = []
    for start, stop in sorted(ranges):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(stop, merged[-1][1]))
        else:
            merged.append((start, stop))
    return tuple(merged)


def _overlap(ranges: Ranges, union: Ranges) -> bool:
    for start, stop in ranges:
        place = bisect_left(union, stop, key=lambda pair: pair[0])
        if place and union[place - 1][1] > start:
            return True
    return False


def targets_to_draw(wnids: Iterable[str], size: int, plans: Iterable[Plan], fresh: bool) -> list[str]:
    """Those of `wnids` that need a new plan, where `plans` were made so far, oldest first: all of them, if `fresh`.

    Raises `AlreadyPlanned` where a plan of another size is there, and no fresh draw is asked for.
    """
    held = {plan.wnid: plan for plan in plans if plan.labels}
    if fresh:
        return list(wnids)
    for wnid in wnids:
        if wnid in held and held[wnid].size != size:
            raise AlreadyPlanned(wnid, held[wnid].size, size)
    return [wnid for wnid in wnids if wnid not in held]
