"""What could be asked about leaves: the synsets above them, and groups that somebody made by hand."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Final

from holotype.errors import CrowdError
from holotype.ontology import Ontology
from holotype.questions.abstract import ABSTRACT
from holotype.questions.groups import group_wnid
from holotype.questions.plan import SECONDS, Question

SHOWN: Final = 5
READ: Final = 0.4
"""Seconds that each further name of a list takes to read."""


def check_leaves(ontology: Ontology, leaves: Sequence[str]) -> tuple[str, ...]:
    """The leaves, each once, in the order of the ontology.

    Raises `CrowdError` where there are none, or some are above others, with the pairs; `UnknownSynset`.
    """
    named = sorted({ontology[wnid].wnid for wnid in leaves}, key=ontology.rank)
    if not named:
        raise CrowdError("there are no leaves to ask about")
    among = set(named)
    pairs = [(above.wnid, one) for one in named for above in ontology.ancestors(one) if above.wnid in among]
    if pairs:
        told = ", ".join(f"{above} is above {below}" for above, below in pairs[:SHOWN])
        more = f", and {len(pairs) - SHOWN:,} more" if len(pairs) > SHOWN else ""
        raise CrowdError(f"no leaf may be above another: {told}{more}; keep one of each pair")
    return tuple(named)


def synsets_above(ontology: Ontology, leaves: Sequence[str], skip: Collection[str] = ABSTRACT) -> list[Question]:
    """A question for each synset above two leaves or more, but for those to `skip`.

    Of synsets that are above just the same leaves the lowest is asked: it means least besides them.
    """
    below: dict[str, set[str]] = {}
    for leaf in leaves:
        for above in ontology.ancestors(leaf):
            below.setdefault(above.wnid, set()).add(leaf)
    lowest: dict[frozenset[str], str] = {}
    for wnid in sorted(below.keys() - set(skip), key=lambda one: (ontology.depth(one), ontology.rank(one))):
        if len(below[wnid]) > 1:
            lowest[frozenset(below[wnid])] = wnid
    return [Question(wnid, covered) for covered, wnid in lowest.items()]


def of_leaves(ontology: Ontology, group: Question, leaves: Collection[str]) -> Question:
    """A group with those of `leaves` that it names, or that are below what it names. Raises `UnknownSynset`."""
    named = {ontology[wnid].wnid for wnid in group.leaves}
    covered = {one for one in leaves if one in named or any(above.wnid in named for above in ontology.ancestors(one))}
    return Question(group.wnid, frozenset(covered), group.text, group.seconds)


def lists_of(ontology: Ontology, leaves: Sequence[str], questions: Iterable[Question], size: int) -> list[Question]:
    """Lists of up to `size` leaves that are covered by just the same `questions`, neighbours in the ontology: what has
    no common word below a wide question is asked for by its names."""
    covers: dict[str, list[str]] = {leaf: [] for leaf in leaves}
    for question in questions:
        for leaf in question.leaves:
            covers[leaf].append(question.wnid)
    alike: dict[tuple[str, ...], list[str]] = {}
    for leaf in leaves:
        alike.setdefault(tuple(sorted(covers[leaf])), []).append(leaf)
    chunks = [some[at : at + size] for some in alike.values() for at in range(0, len(some), size)]
    return [_list(ontology, some) for some in chunks if len(some) > 1]


def _list(ontology: Ontology, leaves: Sequence[str]) -> Question:
    names = [ontology[leaf].name for leaf in leaves]
    text = f"Is there any of these: {', '.join(names[:-1])} or {names[-1]}?"
    covered = frozenset(leaves)
    return Question(group_wnid(text, covered), covered, text, SECONDS + READ * (len(leaves) - 1))


def covering(
    ontology: Ontology,
    leaves: Sequence[str],
    groups: Iterable[Question] = (),
    skip: Collection[str] = ABSTRACT,
    lists: int = 0,
) -> list[Question]:
    """All that could be asked about leaves together: groups, and the synsets above them that cover other sets, and
    with `lists`, lists of up to so many leaves that nothing else tells apart.

    Groups that cover fewer than two of the leaves are left out, and of several that cover the same ones all but the
    first.
    """
    found: dict[frozenset[str], Question] = {}
    for one in [*(of_leaves(ontology, group, leaves) for group in groups), *synsets_above(ontology, leaves, skip)]:
        if len(one.leaves) > 1:
            found.setdefault(one.leaves, one)
    if lists > 1:
        for one in lists_of(ontology, leaves, list(found.values()), lists):
            found.setdefault(one.leaves, one)
    return list(found.values())
