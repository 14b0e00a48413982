"""Choosing a synset: by its wnid, or by how its name begins in any language, with what there is to be had of it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from holotype.ontology import Synset
from holotype.web.visit import Refused, Visit

MOST: Final = 20
LONGEST: Final = 100


@dataclass(frozen=True, slots=True)
class Choice:
    """A synset that may be meant, and how many labels there are in its subtree."""

    synset: Synset
    labels: int


def choices(visit: Visit, *states: str) -> list[Choice]:
    """The synsets that the address asks for as ``q``, those with the most labels in their subtree first, of some states
    or of all; those with none are left out, unless all have none."""
    text = visit.asked("q").strip()
    if not text:
        return []
    if len(text) > LONGEST:
        raise Refused(400, f"A name has up to {LONGEST} characters.")
    ontology = visit.db.ontology
    found = [ontology[text]] if text in ontology else [synset for synset, _ in visit.db.explore.search(text, MOST)]
    some = [Choice(one, labels_of(visit, one, states)) for one in found]
    return sorted([one for one in some if one.labels] or some, key=lambda one: -one.labels)


def labels_of(visit: Visit, synset: Synset, states: Collection[str] = ()) -> int:
    """How many labels there are in a subtree, of some states or of all."""
    counted = visit.db.explore.view().counts.by_state(visit.db.ontology.rank(synset), below=True)
    return sum(number for state, number in counted.items() if not states or state in states)
