"""Which questions to ask: those that make an image cost the least time."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
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
MOST: Final = 0.9
"""The greatest share of images that a leaf is taken to be in."""
GAIN: Final = 1e-9

Parents = tuple[Mask, ...]


def make_plan(
    ontology: Ontology,
    leaves: Sequence[str],
    groups: Iterable[Question] = (),
    skip: Collection[str] = ABSTRACT,
    rates: Mapping[str, float] = MappingProxyType({}),
    seconds: Mapping[str, float] = MappingProxyType({}),
    labels: float = LABELS,
    keep: Collection[str] = (),
    lists: int = 0,
) -> Plan:
    """The questions about `leaves` by which an image takes the least time, of people who never err.

    Each synset above several leaves could be asked, but for those to `skip`, and each group; what does not pay is left
    out, unless it is one to `keep`. So cut points are chosen, not set: a question pays where enough images get a no to
    it. `rates` are the shares of images that show leaves, by wnid; of others, an image is taken to have so many
    `labels` in all. `seconds` is what an answer to a question takes, by wnid.

    Deng et al., "Scalable Multi-label Annotation" (CHI 2014), choose what resolves the most labels a second image by
    image; here the expected time of whole plans is compared, which the independence of leaves gives in closed form.
    Raises `CrowdError` for leaves of which one is above another, and for what is no rate or time; `UnknownSynset`.
    """
    named = check_leaves(ontology, leaves)
    _check(rates, seconds, labels)
    chances = [min(rates.get(one, labels / len(named)), MOST) for one in named]
    bit = {leaf: 1 << at for at, leaf in enumerate(named)}
    found = {union([bit[leaf] for leaf in one.leaves]): one for one in covering(ontology, named, groups, skip, lists)}
    own = {bit[leaf]: Question(leaf, frozenset([leaf])) for leaf in named}
    known = found | own
    time = {mask: _seconds(one, seconds) for mask, one in known.items()}
    fixed = {mask for mask, one in found.items() if one.wnid in keep}
    tree = chosen(dict.fromkeys([*found, *own]), time, chances, fixed)
    order = sorted(tree, key=lambda mask: (-mask.bit_count(), ontology_rank(ontology, known[mask].wnid)))
    place = {mask: at for at, mask in enumerate(order)}
    return Plan(
        named,
        tuple(known[mask].wnid for mask in order),
        tuple(order),
        tuple(tuple(sorted(place[one] for one in tree[mask])) for mask in order),
        tuple(time[mask] for mask in order),
        tuple(chances),
        MappingProxyType({one.wnid: one.text for mask in order if (one := known[mask]).text}),
    )


def ontology_rank(ontology: Ontology, wnid: str) -> tuple[int, str]:
    """Where a question stands among those of its size: groups come first."""
    return (ontology.rank(wnid) if wnid in ontology else -1, wnid)


def _seconds(question: Question, measured: Mapping[str, float]) -> float:
    return measured.get(question.wnid, SECONDS if question.seconds is None else question.seconds)


def _check(rates: Mapping[str, float], seconds: Mapping[str, float], labels: float) -> None:
    if wrong := [rate for rate in rates.values() if not 0 <= rate < 1]:
        raise CrowdError(f"the share of images that show a leaf is 0 or more and less than 1, not {wrong[0]}")
    if wrong := [one for one in seconds.values() if not 0 < one < 1e6]:
        raise CrowdError(f"an answer takes more than 0 seconds, not {wrong[0]}")
    if not 0 < labels < 1e6:
        raise CrowdError(f"an image has more than 0 labels, not {labels}")


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
    left = list(masks)
    inner = [mask for mask in left if mask.bit_count() > 1]
    tree = {mask: parents_of(mask, inner) for mask in left}
    changed = True
    while changed:
        changed = False
        for mask in sorted(tree.keys() - set(fixed), key=lambda one: (one.bit_count(), one)):
            if mask.bit_count() > 1 and (new := _without(mask, tree, seconds, reached)) is not None:
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
