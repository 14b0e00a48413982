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
_CHEAP: Final = frozenset({*SYNSETS, "state", "boxes"})


@dataclass(frozen=True, slots=True)
class Sight:
    """What somebody may see: pictures that nobody decided on (`undecided`), those by which workers are checked
    (`gold`), and those that were taken down or that somebody asks to be (`removed`)."""

    undecided: bool = False
    gold: bool = False
    removed: bool = False


PUBLIC: Final = Sight()
"""What everybody may see: what is decided, but for what would tell workers which pictures check them."""


@dataclass(frozen=True, slots=True)
class Twig:
    """A synset in the tree: its labels yes alone and in its subtree, its children, of which some have labels, and the
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
        return Twig(synset, int(self.counts.own[YES, rank]), int(below[rank]), shown or len(children), also)

    def twigs(self, parent: Synset | None, everything: bool = False) -> tuple[list[Twig], int]:
        """What the tree lists under a synset, by name, and how many more there are without any label; None for roots.

        With `everything`, or where nothing has labels, all of it is listed.
        """
        synsets = self.ontology.roots() if parent is None else self.ontology.children(parent)
        full = [one for one in synsets if self.counts.below[YES, self.ontology.rank(one)]]
        shown = synsets if everything or not full else full
        ordered = sorted(shown, key=lambda one: (one.name.lower(), one.wnid))
        return [self.twig(one, parent) for one in ordered], len(synsets) - len(ordered)

    def tiles(self, synset: Synset, area: Area) -> list[Tile[Synset]]:
        """A treemap of what is below a synset, two levels deep, by labels yes; those of the synset itself are left out.

        A synset with several parents has its area below each.
        """

        def sized(one: Synset) -> list[tuple[Synset, int]]:
            return [(child, self._below(child)) for child in self.ontology.children(one)]

        children = [(child, size, sized(child)) for child, size in sized(synset) if size]
        return treemap(children, area, 2, 18)

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
        if self.release:
            return None
        cheap = all(term.field in _CHEAP for term in query.terms)
        ranks = self._ranks(query)[:-1]
        ranks[: mark_of(after, 3)[0] if after else 0] = False
        total = np.cumsum(self._rows * ranks)
        if not len(total) or total[-1] <= (most := MOST_CHEAP if cheap else MOST_DEAR):
            return None
        return max(int(np.searchsorted(total, most, "right")), int(np.flatnonzero(ranks)[0]) + 1)

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
