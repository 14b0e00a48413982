"""What a page shows of the live catalog or of a release, as somebody may see it: branches of the tree, and pictures."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from holotype.catalog.schema import STATES
from holotype.errors import QueryError
from holotype.ontology import Ontology, Synset
from holotype.ontology.senses import Senses
from holotype.project.tree_counts import YES, Counts, TreeCounts
from holotype.queries import Query, Questions, Term
from holotype.queries.query import SYNSETS
from holotype.queries.results import Result
from holotype.queries.rows import Mask, Ranges, mark_of, ranks_of
from holotype.statistics.treemap import Area, Tile, treemap
from holotype.store.store import Store

PAGE: Final = 60
"""Pictures of a page."""
MOST_CHEAP: Final = 3_000_000
MOST_DEAR: Final = 100_000
"""Labels that are looked at for one page, by what the index of the catalog holds and by what it does not."""
FEW: Final = 8
"""Kinds that a map has where there are so many."""
_CHEAP: Final = frozenset({*SYNSETS, "state", "boxes"})


@dataclass(frozen=True, slots=True)
class Sight:
    """What somebody may see: pictures that nobody decided on (`undecided`), those by which workers are checked
    (`gold`), and those that were taken down or that somebody asks to be (`removed`)."""

    undecided: bool = False
    gold: bool = False
    removed: bool = False


_YES: Final = Term("state", ":", "yes")
PUBLIC: Final = Sight()
"""What everybody may see: what is decided, but for what would tell workers which pictures check them."""


@dataclass(frozen=True, slots=True)
class Twig:
    """A synset in the tree: its labels yes alone and in its subtree, how many children are listed below it, and the
    parents it has besides the one that it is listed under."""

    synset: Synset
    own: int
    below: int
    children: int
    also: tuple[Synset, ...] = ()


@dataclass(frozen=True, slots=True)
class Pictures:
    """Some pictures that a query finds, and the mark by which the next are asked for; with a mark and fewer than were
    asked for, so many were looked through that the rest waits for another question."""

    results: list[Result]
    after: str


@dataclass(frozen=True)
class View:
    """The live catalog, or the release of a name, as somebody sees it."""

    release: str
    ontology: Ontology
    senses: Senses
    questions: Questions
    counts: TreeCounts
    store: Store
    sight: Sight

    def twig(self, synset: Synset, parent: Synset | None = None) -> Twig:
        """A synset as it is listed under a parent."""
        rank = self.ontology.rank(synset)
        below = self.counts.below[YES]
        children = [self.ontology.rank(child) for child in self.ontology.children(synset)]
        also = tuple(one for one in self.ontology.parents(synset) if parent is not None and one != parent)
        shown = sum(bool(below[child]) for child in children)
        listed = shown if self._any else len(children)
        return Twig(synset, int(self.counts.own[YES, rank]), int(below[rank]), listed, also)

    def twigs(self, parent: Synset | None, everything: bool = False) -> tuple[list[Twig], int]:
        """What the tree lists under a synset, by name, and how many more there are without any label; None for roots.

        With `everything`, or where nothing at all has labels, all of it is listed.
        """
        synsets = self.ontology.roots() if parent is None else self.ontology.children(parent)
        full = [one for one in synsets if self.counts.below[YES, self.ontology.rank(one)]]
        shown = full if self._any and not everything else synsets
        ordered = sorted(shown, key=lambda one: (one.name.lower(), one.wnid))
        return [self.twig(one, parent) for one in ordered], len(synsets) - len(ordered)

    def size(self) -> tuple[int, int]:
        """How many labels yes there are, and of how many synsets."""
        own = self.counts.own[YES]
        return int(own.sum()), int((own > 0).sum())

    def spread(self, most: int) -> list[Result]:
        """A picture of each of some synsets with labels yes, spread evenly over the tree."""
        ranks = np.flatnonzero(self.counts.own[YES])
        chosen = ranks[np.unique(np.linspace(0, len(ranks) - 1, min(most, len(ranks))).astype(np.int64))]
        queries = (Query((Term("synset", ":", self.ontology.at_rank(rank).wnid), _YES)) for rank in chosen.tolist())
        rows = (row for query in queries for row in self.questions.stretch(self.adapted(query), 1).rows)
        return [Result(row, self.store) for row in rows]

    def folded(self, synset: Synset) -> list[Synset]:
        """A synset and those below it that have all of its labels, one after the other: there is nothing else to see
        between them."""
        found = [synset]
        while True:
            rank = self.ontology.rank(found[-1])
            full = [child for child in self.ontology.children(found[-1]) if self._below(child)]
            if len(full) != 1 or self.counts.own[YES, rank]:
                return found
            found.append(full[0])

    def tiles(self, synset: Synset, area: Area) -> list[Tile[Synset]]:
        """A treemap of what is below a synset, by labels yes, in two levels; those of the synset itself are left out.

        Where it has few kinds, the largest are taken apart. A synset with several parents has its area below each.
        """
        kinds = {kind.wnid: kind for kind in self._kinds(synset)}
        while 0 < len(kinds) < FEW:
            deeper = {wnid: self._kinds(kind) for wnid, kind in kinds.items()}
            several = [wnid for wnid, found in deeper.items() if len(found) > 1]
            if not several:
                break
            largest = max(several, key=lambda wnid: (self._below(kinds[wnid]), wnid))
            kinds.pop(largest)
            kinds |= {kind.wnid: kind for kind in deeper[largest]}
        children = []
        for kind in kinds.values():
            parts = [(part, self._below(part)) for part in self._kinds(kind)]
            children.append((kind if parts else self.folded(kind)[-1], self._below(kind), parts))
        return treemap(children, area, 2, 18)

    def _kinds(self, synset: Synset) -> list[Synset]:
        """The kinds of a synset that have labels."""
        return [child for child in self.ontology.children(self.folded(synset)[-1]) if self._below(child)]

    def _below(self, synset: Synset) -> int:
        return int(self.counts.below[YES, self.ontology.rank(synset)])

    def find(self, query: Query, after: str = "", size: int = PAGE) -> Pictures:
        """Pictures that a query finds after a mark. Raises `QueryError`, `UnknownSynset` or `AmbiguousLemma`."""
        asked = self.adapted(query)
        if not after and self.count(query) == 0:
            return Pictures([], "")
        found = self.questions.stretch(asked, size, after, self._until(asked, after))
        return Pictures([Result(row, self.store) for row in found.rows], found.after)

    def count(self, query: Query) -> int | None:
        """How many labels a query finds; None where that takes more than adding up what is counted already.

        Images that are kept from sight are counted among them.
        """
        asked = self.adapted(query)
        if self.release:
            return self.questions.count(asked)
        if any(term.field not in (*SYNSETS, "state") for term in asked.terms):
            return None
        ranks = self._ranks(asked)[:-1]
        return int(self.counts.own[_states(asked)][:, ranks].sum())

    def adapted(self, query: Query) -> Query:
        """The query as it is put to the catalog or the release: what is not to be seen is not asked for.

        Raises `QueryError` where a release is asked for what it does not hold.
        """
        if self.release:
            return Query(tuple(term for term in query.terms if not _holds_in_releases(term)))
        unseen = () if self.sight.undecided else ("open", "undecided", "abandoned")
        unseen = unseen if self.sight.removed else (*unseen, "withdrawn")
        return Query((*query.terms, *(Term("state", ":", state, True) for state in unseen)))

    def _until(self, query: Query, after: str) -> int | None:
        """The rank up to which is looked."""
        if self.release or any(term.field == "id" and not term.negated for term in query.terms):
            return None
        cheap = all(term.field in _CHEAP for term in query.terms)
        most = MOST_CHEAP if cheap else MOST_DEAR
        if self.counts.total() <= most:
            return None
        ranks = self._ranks(query)[:-1]
        ranks[: mark_of(after, 3)[0] if after else 0] = False
        total = np.cumsum(self._rows * ranks)
        if total[-1] <= most:
            return None
        return max(int(np.searchsorted(total, most, "right")), int(np.flatnonzero(ranks)[0]) + 1)

    def things_below(self, synset: Synset) -> int:
        """How many synsets are below one, each once."""
        return sum(stop - start for start, stop in self.ontology.ranges(synset)) - 1

    @cached_property
    def _any(self) -> bool:
        return bool(self.counts.own[YES].any())

    @cached_property
    def _rows(self) -> Counts:
        found: Counts = self.counts.own.sum(axis=0)
        return found

    def _ranks(self, query: Query) -> Mask:
        def rows(ranges: Ranges) -> int:
            return sum(int(self._rows[start:stop].sum()) for start, stop in ranges)

        return ranks_of(query, self.ontology, self.senses, rows)


def _states(query: Query) -> list[int]:
    """The states that a query lets through, by their numbers."""
    terms = [term for term in query.terms if term.field == "state"]
    return [n for n, state in enumerate(STATES) if all((term.value == state) != term.negated for term in terms)]


def _holds_in_releases(term: Term) -> bool:
    """Whether a term is true of all labels of a release. Raises `QueryError` for one that is of none."""
    if term.field != "state":
        return False
    if (term.value == "yes") == term.negated:
        raise QueryError(f"a release holds labels yes alone, and {term} asks for others")
    return True


def trail(ontology: Ontology, synset: Synset, most: int = 12) -> list[tuple[Synset, ...]]:
    """The paths from the roots down to a synset, the shortest first, `most` at most."""
    return list(ontology.paths(synset)[:most])
