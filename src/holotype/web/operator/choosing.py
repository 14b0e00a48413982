"""Choosing a synset: by its wnid, or by how its name begins in any language, with what there is to be had of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from holotype.ontology import Synset
from holotype.web.visit import Refused, Visit

MOST: Final = 20
LONGEST: Final = 100


@dataclass(frozen=True, slots=True)
class Choice:
    """A synset that may be meant, and how many labels of a state there are in its subtree."""

    synset: Synset
    labels: int


def choices(visit: Visit, state: str) -> list[Choice]:
    """The synsets that the address asks for as ``q``, those with the most labels of a state in their subtree first."""
    text = visit.asked("q").strip()
    if not text:
        return []
    if len(text) > LONGEST:
        raise Refused(400, f"A name has up to {LONGEST} characters.")
    ontology, counts = visit.db.ontology, visit.db.explore.view().counts
    found = [ontology[text]] if text in ontology else [synset for synset, _ in visit.db.explore.search(text, MOST)]
    some = [Choice(one, counts.by_state(ontology.rank(one), below=True).get(state, 0)) for one in found]
    return sorted(some, key=lambda one: -one.labels)
