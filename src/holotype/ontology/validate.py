"""What can be wrong with a taxonomy: each code is a function whose first line says it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from holotype.ontology.concept import Concept
from holotype.ontology.graph import HIGHEST, LARGEST_TREE, Ontology
from holotype.ontology.remarks import REMARKS, Remark
from holotype.ontology.wordnet import lemma_key

Ids = tuple[str, ...]
_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: its code, the ids it is about, and both in words."""

    code: str
    ids: Ids
    message: str

    @property
    def is_error(self) -> bool:
        """Whether no ontology can be made; otherwise it is a warning."""
        return self.code in ERRORS or self.code == NO_EXTENSION


class _Taxonomy:
    """What the checks look at."""

    def __init__(self, concepts: Sequence[Concept], targets: Iterable[str], base: Ontology | None) -> None:
        self.concepts = concepts
        self.targets = list(dict.fromkeys(targets))
        self.base = base
        self.parents: Mapping[str, Ids] = {concept.id: concept.parents for concept in concepts}
        self.children = _grouped((parent, concept.id) for concept in concepts for parent in concept.parents)

    def knows(self, id: str) -> bool:
        return id in self.parents or self.in_base(id)

    def in_base(self, wnid: str) -> bool:
        return self.base is not None and wnid in self.base

    def above(self, id: str) -> Ids:
        """The parents of a concept, or of a synset of the base."""
        if id in self.parents or self.base is None or id not in self.base:
            return self.parents.get(id, ())
        return tuple(parent.wnid for parent in self.base.parents(id))

    def downwards(self) -> list[str]:
        """The ids, each after its parents; without those on or below a cycle."""
        waiting = {id: sum(parent in self.parents for parent in above) for id, above in self.parents.items()}
        found = [id for id, count in waiting.items() if count == 0]
        for id in found:
            for child in self.children.get(id, ()):
                waiting[child] -= 1
                if waiting[child] == 0:
                    found.append(child)
        return found

    def paths_in_base(self, wnid: str) -> list[int]:
        """The length of every path from a root of the base to a synset of it."""
        return [len(path) for path in self.base.paths(wnid)] if self.base is not None and wnid in self.base else []


def _grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for key, value in pairs:
        found.setdefault(key, []).append(value)
    return found


def doubled_id(taxonomy: _Taxonomy) -> Iterator[Ids]:
    """Several concepts have this id."""
    seen = set[str]()
    for concept in taxonomy.concepts:
        if concept.id in seen:
            yield (concept.id,)
        seen.add(concept.id)


def same_wnid(taxonomy: _Taxonomy) -> Iterator[Ids]:
    """These have one wnid, or that of a synset of the base: give one of them another as its wnid."""
    for wnid, ids in _grouped((concept.wnid, concept.id) for concept in taxonomy.concepts).items():
        if len(distinct := tuple(dict.fromkeys(ids))) > 1 or taxonomy.in_base(wnid):
            yield distinct


def unknown_parent(taxonomy: _Taxonomy) -> Iterator[Ids]:
    """The second is a parent of the first, but is not there."""
    for concept in taxonomy.concepts:
        for parent in concept.parents:
            if not taxonomy.knows(parent):
                yield concept.id, parent


def cycle(taxonomy: _Taxonomy) -> Iterator[Ids]:
    """Each is a parent of the one before, and the first of the last."""
    left = taxonomy.parents.keys() - set(taxonomy.downwards())
    seen = set[str]()
    for id in (id for id in taxonomy.parents if id in left):
        path: dict[str, None] = {}
        while id not in seen:
            seen.add(id)
            path[id] = None
            id = next(parent for parent in taxonomy.parents[id] if parent in left)
        if id in path:
            yield tuple(path)[list(path).index(id) :]


def too_deep(taxonomy: _Taxonomy) -> Iterator[Ids]:
    """There are more than 500 levels above it."""
    levels: dict[str, int] = {}
    for id in taxonomy.downwards():
        above = [levels.get(parent, -1) for parent in taxonomy.parents[id]]
        base = [length - 1 for parent in taxonomy.parents[id] for length in taxonomy.paths_in_base(parent)]
        levels[id] = 1 + max([*above, *base], default=-1)
        if levels[id] > HIGHEST:
            yield (id,)
            return


def too_many_paths(taxonomy: _Taxonomy) -> Iterator[Ids]:
    """With it the hierarchy has more than 10,000,000 paths, for too many concepts have several parents."""
    total = 0 if taxonomy.base is None else taxonomy.base.tree_size()
    paths: dict[str, int] = {}
    for id in taxonomy.downwards():
        above = taxonomy.parents[id]
        found = sum(paths.get(parent, 0) or len(taxonomy.paths_in_base(parent)) for parent in above)
        paths[id] = found if above else 1
        total += paths[id]
        if total > LARGEST_TREE:
            yield (id,)
            return


def unknown_target(taxonomy: _Taxonomy) -> Iterator[Ids]:
    """This target is not there."""
    for target in taxonomy.targets:
        if not taxonomy.knows(target):
            yield (target,)


def orphan(taxonomy: _Taxonomy) -> Iterator[Ids]:
    """It has neither parents nor children, while others have."""
    if taxonomy.children:
        for id, parents in taxonomy.parents.items():
            if not parents and id not in taxonomy.children:
                yield (id,)


def no_gloss(taxonomy: _Taxonomy) -> Iterator[Ids]:
    """It has no gloss, so nobody can tell what it means."""
    for concept in taxonomy.concepts:
        if not concept.gloss:
            yield (concept.id,)


def duplicate_lemma(taxonomy: _Taxonomy) -> Iterator[Ids]:
    """These share a lemma, so they can be told apart by wnid only."""
    named = _grouped((lemma_key(lemma), concept.id) for concept in taxonomy.concepts for lemma in concept.lemmas)
    groups = (tuple(dict.fromkeys(ids)) for ids in named.values())
    yield from dict.fromkeys(ids for ids in groups if len(ids) > 1)


def single_child(taxonomy: _Taxonomy) -> Iterator[Ids]:
    """The second is the only child of the first, so one of them adds nothing to the hierarchy."""
    for parent, children in taxonomy.children.items():
        if len(children) == 1 and parent in taxonomy.parents:
            yield parent, children[0]


def ancestor_and_descendant(taxonomy: _Taxonomy) -> Iterator[Ids]:
    """Both are targets, but the first is above the second."""
    targets = set(taxonomy.targets)
    for target in taxonomy.targets:
        seen, left = set[str](), [target]
        while left:
            new = set(taxonomy.above(left.pop())) - seen
            seen |= new
            left.extend(new)
        for above in sorted(seen & targets - {target}):
            yield above, target


_Check = Callable[[_Taxonomy], Iterator[Ids]]
_ERRORS: tuple[_Check, ...] = (
    doubled_id,
    same_wnid,
    unknown_parent,
    cycle,
    too_deep,
    too_many_paths,
    unknown_target,
)
_WARNINGS: tuple[_Check, ...] = (orphan, no_gloss, duplicate_lemma, single_child, ancestor_and_descendant)
NO_EXTENSION: Final = "no_extension"
"""The code of what cannot be added to an ontology, as it would change what is there or a parent may be several."""
ERRORS: Final = {check.__name__: str(check.__doc__) for check in _ERRORS}
"""The codes that let no ontology be made, with what they mean."""
WARNINGS: Final = {check.__name__: str(check.__doc__) for check in _WARNINGS}
"""The codes of what should be looked at."""


def remarked(remarks: Iterable[Remark]) -> list[Problem]:
    """Remarks of who read a taxonomy, as warnings, by code."""
    order = list(REMARKS)
    found = sorted(remarks, key=lambda remark: order.index(remark[0]))
    return [Problem(code, ids, f"{REMARKS[code]}: {_listed(ids)}") for code, ids in found]


def check(concepts: Sequence[Concept], targets: Iterable[str] = (), base: Ontology | None = None) -> list[Problem]:
    """All that is wrong with a taxonomy, errors first.

    `targets` are the ids that are to be leaves (see `Ontology.trimmed`); parents and targets may also be wnids of the
    `base`.

    >>> [str(problem.message) for problem in check([Concept.of("dog", ["animal"], [], "barks")])]
    ['The second is a parent of the first, but is not there: dog, animal']
    """
    taxonomy = _Taxonomy(concepts, targets, base)
    return [
        Problem(found.__name__, ids, f"{str(found.__doc__).rstrip('.')}: {_listed(ids)}")
        for found in (*_ERRORS, *_WARNINGS)
        for ids in found(taxonomy)
    ]


def _listed(ids: Ids) -> str:
    more = f" and {len(ids) - _SHOWN} more" if len(ids) > _SHOWN else ""
    return ", ".join(ids[:_SHOWN]) + more
