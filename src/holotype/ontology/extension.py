"""An ontology grown by concepts that nobody asked about yet: nothing that was there is changed."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from holotype.errors import InvalidTaxonomy, UnknownSynset
from holotype.ontology.concept import Concept
from holotype.ontology.graph import Ontology
from holotype.ontology.taxonomy import build_ontology

SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class Extension:
    """An ontology with the concepts that were added to it, and how many of those given it had already."""

    ontology: Ontology
    added: tuple[Concept, ...]
    known: int

    def __str__(self) -> str:
        return f"{len(self.added):,} concepts added, {self.known:,} known; {len(self.ontology):,} synsets now"


def extend(ontology: Ontology, concepts: Sequence[Concept]) -> Extension:
    """`ontology` with those of `concepts` that it lacks; parents are ids, wnids or lemmas of either.

    Raises `InvalidTaxonomy` for a concept that it has and that is now said otherwise, and for what `check` finds;
    `UnknownSynset` and `AmbiguousLemma` for parents.
    """
    added = lacking(ontology, concepts)
    ids = {concept.id for concept in added}
    for parent in (parent for concept in added for parent in concept.parents):
        if parent not in ids and parent not in ontology:
            ontology.resolve(parent)  # which says what is wrong with it
    return Extension(build_ontology(added, ontology) if added else ontology, added, len(concepts) - len(added))


def lacking(ontology: Ontology, concepts: Sequence[Concept]) -> tuple[Concept, ...]:
    """Those of `concepts` that `ontology` lacks; parents that it has by their wnids, those that nothing has as they
    are said. Raises `InvalidTaxonomy` and `AmbiguousLemma` as `extend` does."""
    ids = {concept.id: concept.wnid for concept in concepts}
    known = [concept for concept in concepts if concept.wnid in ontology]
    told = {concept.id: ", ".join(_said(ontology, concept, ids)) for concept in known}
    if changed := [f"{id} ({said})" for id, said in told.items() if said]:
        more = f"; and of {len(changed) - SHOWN:,} more" if len(changed) > SHOWN else ""
        raise InvalidTaxonomy(
            f"an extension changes nothing that is there, but this file changes {'; '.join(changed[:SHOWN])}{more}",
            len(changed),
        )

    def above(parent: str) -> str:
        wnid = ids.get(parent, parent)
        if parent not in ids:
            with contextlib.suppress(UnknownSynset):
                wnid = ontology.resolve(parent).wnid
        return wnid if wnid in ontology else parent

    fresh = (concept for concept in concepts if concept.wnid not in ontology)
    return tuple(replace(concept, parents=tuple(map(above, concept.parents))) for concept in fresh)


def _said(ontology: Ontology, concept: Concept, ids: Mapping[str, str]) -> Iterator[str]:
    """What a concept says otherwise than the synset that there is."""
    held = ontology[concept.wnid]
    if concept.lemmas != held.lemmas:
        yield f"lemmas were {', '.join(held.lemmas)}"
    if concept.gloss != held.gloss:
        yield f"gloss was {held.gloss[:40]!r}"
    parents = {parent.wnid for parent in ontology.parents(held)}
    told = [{ids[one]} if one in ids else {sense.wnid for sense in ontology.meanings(one)} for one in concept.parents]
    if not all(parents & senses for senses in told) or not parents <= set().union(*told):
        yield "other parents"


def moves(old: Ontology, new: Ontology) -> list[tuple[int, int, int]]:
    """How the ranks of the synsets of `old` move in `new`, which has all of them: ``(first, last, by)``, the ranks
    from first to last move by as many; those that stay are left out."""
    now: npt.NDArray[np.int64] = np.fromiter((new.rank(synset.wnid) for synset in old), np.int64, len(old))
    by = now - np.arange(len(old))
    starts = np.flatnonzero(np.diff(by, prepend=-1 - by[:1]))
    ends = np.append(starts[1:], len(old))
    return [
        (int(start), int(end) - 1, int(by[start])) for start, end in zip(starts, ends, strict=True) if by[start] != 0
    ]
