"""Which questions to ask: those that make an image cost the least time."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from math import exp, log1p
from types import MappingProxyType
from typing import Final

from holotype.errors import CrowdError
from holotype.ontology import Ontology
from holotype.questions.abstract import ABSTRACT
from holotype.questions.covering import check_leaves, covering
from holotype.questions.plan import SECONDS, Mask, Plan, Question, bits, union

LABELS: Final = 2.5
"""Labels that an image is taken to have, where nobody knows."""
MOST_SECONDS: Final = 1e6
MOST: Final = 0.9
"""The greatest share of images that a leaf is taken to be in."""
GAIN: Final = 1e-9

Parents = tuple[Mask, ...]


@dataclass(frozen=True, slots=True)
class Believed:
    """What is believed of leaves and questions, by wnid: `rates` are shares of images that show a leaf, and of leaves
    without one an image has so many `labels` in all; `seconds` is what an answer to a question takes.

    Raises `CrowdError` for what is no rate or time.
    """

    rates: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    seconds: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    labels: float = LABELS

    def __post_init__(self) -> None:
        if wrong := [rate for rate in self.rates.values() if not 0 <= rate < 1]:
            raise CrowdError(f"the share of images that show a leaf is 0 or more and less than 1, not {wrong[0]}")
        if wrong := [one for one in self.seconds.values() if not 0 < one < MOST_SECONDS]:
            raise CrowdError(f"an answer takes more than 0 seconds, not {wrong[0]}")
        if not 0 < self.labels < MOST_SECONDS:
            raise CrowdError(f"an image has more than 0 labels, not {self.labels}")

    def rates_of(self, leaves: Sequence[str]) -> list[float]:
        """The share of images that show each leaf."""
        return [min(self.rates.get(one, self.labels / len(leaves)), MOST) for one in leaves]

    def seconds_of(self, question: Question) -> float:
        """What an answer takes: as measured, else as its maker says."""
        return self.seconds.get(question.wnid, SECONDS if question.seconds is None else question.seconds)


def make_plan(
    ontology: Ontology,
    leaves: Sequence[str],
    groups: Iterable[Question] = (),
    skip: Collection[str] = ABSTRACT,
    lists: int = 0,
    believed: Believed = Believed(),
) -> Plan:
    """The questions about `leaves` by which an image takes the least time, of people who never err.

    Each synset above several leaves could be asked, but for those to `skip`; what does not pay is left out, and groups,
    which somebody made by hand, are asked in any case. So cut points are chosen, not set: a question pays where enough
    images get a no to it. With `lists`, up to so many leaves that nothing else tells apart are asked for by their
    names, where that pays.

    Deng et al., "Scalable Multi-label Annotation" (CHI 2014), choose what resolves the most labels a second image by
    image; here the expected time of whole plans is compared, which the independence of leaves gives in closed form.
    Raises `CrowdError` for leaves of which one is above another; `UnknownSynset`.
    """
    named, groups = check_leaves(ontology, leaves), list(groups)
    bit = {leaf: 1 << at for at, leaf in enumerate(named)}
    found = {_mask(one, bit): one for one in covering(ontology, named, groups, skip, lists)}
    own = {bit[leaf]: Question(leaf, frozenset([leaf])) for leaf in named}
    time = {mask: believed.seconds_of(one) for mask, one in (found | own).items()}
    given = {one.wnid for one in groups}
    fixed = {mask for mask, one in found.items() if one.wnid in given}
    left = chosen([*found, *own], time, believed.rates_of(named), fixed)
    return plan_of(ontology, named, [found[mask] for mask in left if mask in found], believed)


def plan_of(
    ontology: Ontology, leaves: Sequence[str], questions: Iterable[Question], believed: Believed = Believed()
) -> Plan:
    """The plan that asks just these questions of several leaves, and of each leaf by itself. Raises as `make_plan`."""
    named = check_leaves(ontology, leaves)
    bit = {leaf: 1 << at for at, leaf in enumerate(named)}
    known = {bit[leaf]: Question(leaf, frozenset([leaf])) for leaf in named}
    for one in questions:
        known.setdefault(_mask(one, bit), one)
    inner = [mask for mask in known if mask.bit_count() > 1]
    order = sorted(known, key=lambda mask: (-mask.bit_count(), mask))
    place = {mask: at for at, mask in enumerate(order)}
    return Plan(
        named,
        tuple(known[mask].wnid for mask in order),
        tuple(order),
        tuple(tuple(sorted(place[one] for one in parents_of(mask, inner))) for mask in order),
        tuple(believed.seconds_of(known[mask]) for mask in order),
        tuple(believed.rates_of(named)),
        MappingProxyType({one.wnid: one.text for one in known.values() if one.text}),
    )


def _mask(question: Question, bit: Mapping[str, Mask]) -> Mask:
    return union([bit[leaf] for leaf in question.leaves if leaf in bit])


def parents_of(mask: Mask, masks: Iterable[Mask]) -> Parents:
    """The smallest of some sets that hold all of a set and more.

    >>> parents_of(0b001, [0b011, 0b101, 0b111])
    (3, 5)
    """
    wider = [one for one in masks if one != mask and one & mask == mask]
    return tuple(one for one in wider if not any(two != one and two & one == two for two in wider))


def chosen(
    masks: Iterable[Mask], seconds: Mapping[Mask, float], rates: Sequence[float], fixed: Collection[Mask] = ()
) -> dict[Mask, Parents]:
    """Those of some sets of leaves that pay, with the parents of each; sets of one leaf stay, and `fixed` ones.

    One is left out, the smallest first, as long as that makes an image cost less.
    """
    reached = _reach(rates)
    left = list(dict.fromkeys(masks))
    inner = [mask for mask in left if mask.bit_count() > 1]
    tree = {mask: parents_of(mask, inner) for mask in left}
    changed = True
    while changed:
        changed = False
        for mask in sorted(inner, key=lambda one: (one.bit_count(), one)):
            if mask in tree and mask not in fixed and (new := _without(mask, tree, seconds, reached)) is not None:
                del tree[mask]
                tree.update(new)
                changed = True
    return tree


def _without(
    mask: Mask, tree: Mapping[Mask, Parents], seconds: Mapping[Mask, float], reached: Callable[[Parents], float]
) -> dict[Mask, Parents] | None:
    """The parents of a question's children without it, or None where it pays to ask it."""
    children = [one for one, parents in tree.items() if mask in parents]
    inner = [one for one in tree if one.bit_count() > 1 and one != mask]
    new = {one: parents_of(one, inner) for one in children}
    dearer = sum((reached(new[one]) - reached(tree[one])) * seconds[one] for one in children)
    return new if reached(tree[mask]) * seconds[mask] - dearer > GAIN else None


def _reach(rates: Sequence[float]) -> Callable[[Parents], float]:
    """The share of images with a yes to any of some parents; of all where there is none."""
    logs = [log1p(-rate) for rate in rates]

    @cache
    def some(mask: Mask) -> float:
        return 1 - exp(sum(logs[bit] for bit in bits(mask)))

    return lambda parents: some(union(parents)) if parents else 1.0
