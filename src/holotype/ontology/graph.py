"""The immutable, array-backed graph of synsets."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from holotype.errors import OntologyError, UnknownSynset
from holotype.ontology.senses import near_lemmas, only_sense
from holotype.ontology.subtrees import Counts, Subtrees
from holotype.ontology.synset import Synset, is_wnid
from holotype.ontology.wordnet import NounRow, lemma_key, senses_from_rows

HIGHEST: Final = 500
"""The most links on a path from a root to a leaf; WordNet has 19."""
LARGEST_TREE: Final = 10_000_000
"""The most paths from a root that an ontology may have: a few dozen diamonds on top of each other have 2^36."""

Ints = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Links:
    """A relation between nodes in compressed sparse rows: node ``i`` points at ``target[start[i]:start[i+1]]``."""

    start: Ints
    target: Ints

    def of(self, node: int) -> Ints:
        found: Ints = self.target[self.start[node] : self.start[node + 1]]
        return found

    def of_many(self, nodes: Ints) -> Ints:
        """All targets of `nodes`, concatenated."""
        starts, stops = self.start[nodes], self.start[nodes + 1]
        counts = stops - starts
        total = int(counts.sum())
        ends = np.cumsum(counts)
        found: Ints = self.target[np.arange(total) - np.repeat(ends - counts, counts) + np.repeat(starts, counts)]
        return found

    def reversed(self) -> Links:
        nodes = len(self.start) - 1
        source = np.repeat(np.arange(nodes, dtype=np.int32), np.diff(self.start))
        return _links(nodes, self.target, source)

    def reachable(self, node: int) -> Ints:
        """`node` and everything it leads to, by node number."""
        seen = np.zeros(len(self.start) - 1, bool)
        frontier = np.array([node], np.int32)
        while len(frontier):
            seen[frontier] = True
            frontier = np.unique(self.of_many(frontier))
            frontier = frontier[~seen[frontier]]
        return np.flatnonzero(seen).astype(np.int32)


def _links(nodes: int, source: Ints, target: Ints) -> Links:
    order = np.lexsort((target, source))
    start = np.zeros(nodes + 1, np.int32)
    np.cumsum(np.bincount(source, minlength=nodes), out=start[1:])
    return Links(start, target[order].astype(np.int32))


class Ontology:
    """Synsets and their hypernym hierarchy, immutable and in memory.

    The hierarchy is WordNet's hypernym pointer ``@`` alone; instance links ``@i`` are kept apart
    (`instances`, `instance_of`). It is a directed acyclic graph: a synset may have several parents.

    Every synset has one `rank` in a depth-first order, so a subtree is a few contiguous ranges of
    ranks (`ranges`). Iteration is in rank order. Synsets are given as `Synset` or wnid.
    """

    def __init__(
        self,
        offsets: Ints,
        texts: Sequence[str],
        parents: Links,
        instance_of: Links,
        order: Ints,
        heights: npt.NDArray[np.int16],
        depths: npt.NDArray[np.int16],
        senses: Mapping[str, str],
        digest: str,
    ) -> None:
        self._offsets = offsets
        self._texts = texts
        self._parents = parents
        self._children = parents.reversed()
        self._instance_of = instance_of
        self._instances = instance_of.reversed()
        self._order = order
        self._ranks = np.empty_like(order)
        self._ranks[order] = np.arange(len(order), dtype=np.int32)
        self._heights = heights
        self._depths = depths
        self._senses = senses
        self.digest = digest
        """sha256 of synsets, links and senses: the same for every source that says the same."""

    @classmethod
    def build(cls, rows: Iterable[NounRow], senses: Mapping[str, Sequence[int]]) -> Ontology:
        """The ontology of `rows`; `senses` gives, per `lemma_key`, the offsets in order of preference.

        Raises `OntologyError` for a link to a missing synset, a doubled offset, a cycle or more than `HIGHEST` levels.
        """
        ordered = sorted(rows, key=lambda row: row.offset)
        offsets = np.array([row.offset for row in ordered], np.int32)
        if len(ordered) == 0 or (np.diff(offsets) == 0).any():
            raise OntologyError("an ontology needs at least one synset, and each offset only once")
        parents = _resolve(offsets, [row.hypernyms for row in ordered])
        children = parents.reversed()
        instance_of = _resolve(offsets, [row.instance_of for row in ordered])
        texts = ["\t".join((row.gloss, *row.lemmas)) for row in ordered]
        named = {lemma: " ".join(map(str, found)) for lemma, found in sorted(senses.items())}
        return cls(
            offsets,
            texts,
            parents,
            instance_of,
            _depth_first(parents, children),
            _heights(parents, children),
            _depths(parents, children),
            named,
            _digest(
                (offsets, parents.start, parents.target, instance_of.start, instance_of.target),
                (texts, list(named), list(named.values())),
            ),
        )

    def __len__(self) -> int:
        return len(self._offsets)

    def __iter__(self) -> Iterator[Synset]:
        return (self._synset(node) for node in self._order)

    def __contains__(self, synset: object) -> bool:
        try:
            self._node(synset if isinstance(synset, Synset) else str(synset))
        except UnknownSynset:
            return False
        return True

    def __getitem__(self, wnid: str) -> Synset:
        """The synset with this wnid. Raises `UnknownSynset`."""
        return self._synset(self._node(wnid))

    def __repr__(self) -> str:
        return f"<Ontology of {len(self):,} synsets>"

    def senses(self, lemma: str) -> tuple[Synset, ...]:
        """Every synset named by `lemma` (any case, ``_`` or blank), in WordNet's order of senses; maybe none."""
        found = self._senses.get(lemma_key(lemma), "")
        return tuple(self._synset(self._find(int(offset))) for offset in found.split())

    def lemmas(self) -> Iterator[str]:
        """Every lemma in the form `senses` compares."""
        return iter(self._senses)

    def meanings(self, text: str) -> tuple[Synset, ...]:
        """Every synset that a wnid or a lemma may mean; none for a lemma that there is not.

        Raises `UnknownSynset` for a wnid that there is not.
        """
        return (self[text],) if is_wnid(text) else self.senses(text)

    def resolve(self, text: str) -> Synset:
        """The one synset meant by a wnid or an unambiguous lemma.

        Raises `UnknownSynset`, with the lemmas that are written nearly so, or `AmbiguousLemma` with every sense.
        """
        return only_sense(text, self.named(text))

    def named(self, text: str) -> tuple[Synset, ...]:
        """Every synset that a wnid or a lemma may mean, one or more. Raises `UnknownSynset` as `resolve` does."""
        if senses := self.meanings(text):
            return senses
        raise self.unknown(text)

    def near(self, text: str) -> list[str]:
        """Up to three lemmas that are written nearly as `text`, the nearest first."""
        return [lemma for lemma in near_lemmas(text, self.lemmas()) if self.senses(lemma)]

    def unknown(self, text: str) -> UnknownSynset:
        """The error that no synset is called `text`; it names lemmas that are written nearly so."""
        near = self.near(text)
        meant = f"did you mean {' or '.join(near)}?" if near else "give a wnid such as n02084071, or a lemma"
        return UnknownSynset(f"no synset is called {text!r}; {meant}")

    def roots(self) -> tuple[Synset, ...]:
        """Synsets without parents that are not instances, in rank order."""
        alone = (np.diff(self._parents.start) == 0) & (np.diff(self._instance_of.start) == 0)
        return self._in_rank_order(np.flatnonzero(alone).astype(np.int32))

    def parents(self, synset: Synset | str) -> tuple[Synset, ...]:
        """Direct hypernyms, by wnid."""
        return tuple(map(self._synset, self._parents.of(self._node(synset))))

    def children(self, synset: Synset | str) -> tuple[Synset, ...]:
        """Direct hyponyms, by wnid."""
        return tuple(map(self._synset, self._children.of(self._node(synset))))

    def siblings(self, synset: Synset | str) -> tuple[Synset, ...]:
        """Other children of the synset's parents that are neither above nor below it, by wnid."""
        found = {child for parent in self.parents(synset) for child in self.children(parent)}
        apart = (one for one in found if not self.is_under(one, synset) and not self.is_under(synset, one))
        return tuple(sorted(apart, key=lambda one: one.wnid))

    def instance_of(self, synset: Synset | str) -> tuple[Synset, ...]:
        """The classes an instance belongs to; empty for a class."""
        return tuple(map(self._synset, self._instance_of.of(self._node(synset))))

    def instances(self, synset: Synset | str) -> tuple[Synset, ...]:
        """The direct instances of a class, by wnid."""
        return tuple(map(self._synset, self._instances.of(self._node(synset))))

    def ancestors(self, synset: Synset | str) -> tuple[Synset, ...]:
        """Every hypernym, direct or not, without the synset itself, lowest (smallest height) first."""
        nodes = self._without(self._parents.reachable(self._node(synset)), synset)
        return tuple(map(self._synset, nodes[np.lexsort((self._ranks[nodes], self._heights[nodes]))]))

    def descendants(self, synset: Synset | str) -> tuple[Synset, ...]:
        """Every hyponym, direct or not, without the synset itself, in rank order."""
        return self._in_rank_order(self._without(self._children.reachable(self._node(synset)), synset))

    def leaves(self, synset: Synset | str) -> tuple[Synset, ...]:
        """The childless synsets of the subtree (the synset itself if it has no children), in rank order."""
        nodes = self._children.reachable(self._node(synset))
        return self._in_rank_order(nodes[self._heights[nodes] == 0])

    def is_under(self, synset: Synset | str, ancestor: Synset | str) -> bool:
        """Whether `synset` is `ancestor` or one of its descendants."""
        rank = self.rank(synset)
        return any(start <= rank < stop for start, stop in self.ranges(ancestor))

    def depth(self, synset: Synset | str) -> int:
        """Number of links on the shortest path up to a root."""
        return int(self._depths[self._node(synset)])

    def height(self, synset: Synset | str) -> int:
        """Number of links on the longest path down to a leaf (``wordnet_height`` of the ILSVRC devkit)."""
        return int(self._heights[self._node(synset)])

    def rank(self, synset: Synset | str) -> int:
        """Position in the depth-first order of the whole ontology."""
        return int(self._ranks[self._node(synset)])

    def at_rank(self, rank: int) -> Synset:
        """The synset at a position in the depth-first order. Raises IndexError."""
        return self._synset(self._order[rank])

    def depths(self) -> npt.NDArray[np.int16]:
        """The `depth` of every synset, by rank."""
        return self._depths[self._order]

    def ranges(self, synset: Synset | str) -> tuple[tuple[int, int], ...]:
        """The subtree with the synset itself as half-open ``(start, stop)`` ranges of ranks, ascending."""
        return self._subtrees.ranges(self.rank(synset))

    def subtree_sums(self, by_rank: npt.ArrayLike) -> Counts:
        """The sum over every subtree of a number per synset, both ``(len(self),)`` in rank order.

        A descendant counts once, however many paths lead to it.
        """
        return self._subtrees.sums(by_rank)

    @cached_property
    def _subtrees(self) -> Subtrees:
        return Subtrees.of(self._ranks, self._children.start, self._children.target, self._heights)

    def paths(self, synset: Synset | str) -> tuple[tuple[Synset, ...], ...]:
        """Every path from a root down to the synset, shortest first."""
        node = self._node(synset)
        found = sorted(self._paths(node), key=lambda path: (len(path), path))
        return tuple(tuple(map(self._synset, path)) for path in found)

    def lowest_common_ancestor(self, a: Synset | str, b: Synset | str) -> Synset:
        """The common ancestor of least height, where a synset counts as its own ancestor; ties go to the lowest rank.

        Raises `UnknownSynset` when the two have no common ancestor.
        """
        common = np.intersect1d(
            self._parents.reachable(self._node(a)), self._parents.reachable(self._node(b)), assume_unique=True
        )
        if len(common) == 0:
            raise UnknownSynset(f"{a} and {b} have no common ancestor")
        return self._synset(common[np.lexsort((self._ranks[common], self._heights[common]))[0]])

    def cost_matrix(self, wnids: Sequence[str]) -> npt.NDArray[np.int16]:
        """Hierarchical cost of guessing one of `wnids` where another is right: height of their lowest common ancestor.

        Shape ``(n, n)``, symmetric, 0 on the diagonal; -1 where two have no common ancestor. Heights are those of
        the full ontology, as in ILSVRC-2010 (devkit readme, section 3.2; `eval_hie.m`).
        """
        nodes = np.array([self._node(wnid) for wnid in wnids], np.int32)
        members: dict[int, list[int]] = {}
        for row, node in enumerate(nodes):
            for ancestor in self._parents.reachable(node):
                members.setdefault(int(ancestor), []).append(row)
        cost = np.full((len(nodes), len(nodes)), -1, np.int16)
        for ancestor in sorted(members, key=lambda node: -int(self._heights[node])):
            rows = members[ancestor]
            cost[np.ix_(rows, rows)] = self._heights[ancestor]
        np.fill_diagonal(cost, 0)
        return cost

    def links(self) -> Iterator[tuple[str, str]]:
        """``(parent, child)`` of every hypernym link, as wnids, sorted."""
        children = np.repeat(np.arange(len(self)), np.diff(self._parents.start))
        order = np.lexsort((children, self._parents.target))
        pairs = self._offsets[np.stack([self._parents.target[order], children[order]], 1)]
        return ((f"n{parent:08d}", f"n{child:08d}") for parent, child in pairs.tolist())

    def tree_size(self) -> int:
        """Number of paths from a root down to any synset: of elements, when the graph is written out as a tree."""
        paths = [0] * len(self)
        instance = np.diff(self._instance_of.start) > 0
        for node in np.argsort(-self._heights, kind="stable").tolist():
            above = self._parents.of(node).tolist()
            paths[node] = sum(paths[parent] for parent in above) if above else int(not instance[node])
        return sum(paths)

    def trimmed(self, targets: Iterable[Synset | str]) -> Ontology:
        """The `targets` and all above them, so that the targets are the leaves, as ILSVRC's 1000 classes are of its.

        Links from instances to classes are kept where both are. Ancestors stay the same; heights, and with them lowest
        common ancestors, are those of the smaller graph.

        Raises `UnknownSynset`, or `OntologyError` where one target is above another (code `ancestor_and_descendant`).
        """
        wanted = np.array(sorted({self._node(target) for target in targets}), np.int32)
        kept = np.zeros(len(self), bool)
        for node in wanted:
            above = self._parents.reachable(node)
            if len(other := np.setdiff1d(np.intersect1d(above, wanted), node)):
                raise OntologyError(
                    f"ancestor_and_descendant: {self._synset(other[0])} is above {self._synset(node)}, "
                    "but both are targets; choose one"
                )
            kept[above] = True
        return Ontology.build(self._rows(kept), self._offsets_of_senses(set(self._offsets[kept].tolist())))

    def extended(self, rows: Sequence[NounRow], ids: Mapping[str, Sequence[int]] = {}) -> Ontology:
        """This ontology with more synsets, whose links may point into it; their senses come after those it has.

        `ids` gives other names, as `build` takes senses: those that are no lemma are added.
        """
        everything = np.ones(len(self), bool)
        senses = self._offsets_of_senses(set(self._offsets.tolist()))
        for lemma, offsets in senses_from_rows(rows).items():
            senses[lemma] = [*senses.get(lemma, ()), *offsets]
        return Ontology.build([*self._rows(everything), *rows], {**ids, **senses})

    def to_bytes(self) -> bytes:
        """The whole ontology as one uncompressed ``.npz``, without pickles; `from_bytes` reads it back."""
        buffer = io.BytesIO()
        np.savez(
            buffer,
            offsets=self._offsets,
            texts=_to_array(self._texts),
            parents_start=self._parents.start,
            parents_target=self._parents.target,
            instance_start=self._instance_of.start,
            instance_target=self._instance_of.target,
            order=self._order,
            heights=self._heights,
            depths=self._depths,
            lemmas=_to_array(list(self._senses)),
            senses=_to_array(list(self._senses.values())),
            digest=_to_array([self.digest]),
        )
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> Ontology:
        """Read what `to_bytes` wrote. Damage is an error of `numpy.load`."""
        with np.load(io.BytesIO(data), allow_pickle=False) as held:
            return cls(
                held["offsets"],
                _from_array(held["texts"]),
                Links(held["parents_start"], held["parents_target"]),
                Links(held["instance_start"], held["instance_target"]),
                held["order"],
                held["heights"],
                held["depths"],
                dict(zip(_from_array(held["lemmas"]), _from_array(held["senses"]), strict=True)),
                _from_array(held["digest"])[0],
            )

    def _find(self, offset: int) -> int:
        node = int(np.searchsorted(self._offsets, np.int32(offset)))  # another type would convert all offsets each time
        if node == len(self._offsets) or self._offsets[node] != offset:
            raise UnknownSynset(f"no synset n{offset:08d} in this ontology")
        return node

    def _node(self, synset: Synset | str) -> int:
        wnid = synset.wnid if isinstance(synset, Synset) else synset
        if not is_wnid(wnid):
            raise UnknownSynset(f"{wnid!r} is not a wnid such as n02084071; look lemmas up with senses() or resolve()")
        return self._find(int(wnid[1:]))

    def _synset(self, node: int | np.integer) -> Synset:
        gloss, *lemmas = self._texts[int(node)].split("\t")
        return Synset(f"n{self._offsets[node]:08d}", tuple(lemmas), gloss)

    def _rows(self, kept: npt.NDArray[np.bool_]) -> Iterator[NounRow]:
        offsets = self._offsets.tolist()
        for node in np.flatnonzero(kept).tolist():
            gloss, *lemmas = self._texts[node].split("\t")
            above = tuple([offsets[parent] for parent in self._parents.of(node).tolist()])
            classes = tuple([offsets[one] for one in self._instance_of.of(node).tolist() if kept[one]])
            yield NounRow(offsets[node], tuple(lemmas), gloss, above, classes)

    def _offsets_of_senses(self, kept: set[int]) -> dict[str, list[int]]:
        named = {
            lemma: [offset for offset in map(int, found.split()) if offset in kept]
            for lemma, found in self._senses.items()
        }
        return {lemma: offsets for lemma, offsets in named.items() if offsets}

    def _without(self, nodes: Ints, synset: Synset | str) -> Ints:
        rest: Ints = nodes[nodes != self._node(synset)]
        return rest

    def _in_rank_order(self, nodes: Ints) -> tuple[Synset, ...]:
        return tuple(map(self._synset, nodes[np.argsort(self._ranks[nodes])]))

    def _paths(self, node: int) -> list[tuple[int, ...]]:
        above = self._parents.of(node)
        if len(above) == 0:
            return [(node,)]
        return [(*path, node) for parent in above for path in self._paths(int(parent))]


def _digest(arrays: Iterable[Ints], texts: Iterable[Sequence[str]]) -> str:
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(array.astype("<i4").tobytes() + b"\0")
    for lines in texts:
        digest.update("\n".join(lines).encode() + b"\0")
    return digest.hexdigest()


def _to_array(texts: Sequence[str]) -> npt.NDArray[np.uint8]:
    return np.frombuffer("\n".join(texts).encode(), np.uint8)


def _from_array(array: npt.NDArray[np.uint8]) -> list[str]:
    return array.tobytes().decode().split("\n")


def _resolve(offsets: Ints, links: Sequence[Sequence[int]]) -> Links:
    source = np.repeat(np.arange(len(links), dtype=np.int32), [len(found) for found in links])
    wanted = np.array([offset for found in links for offset in found], np.int32)
    target = np.searchsorted(offsets, wanted).astype(np.int32)
    missing = offsets[np.minimum(target, len(offsets) - 1)] != wanted
    if missing.any():
        raise OntologyError(
            f"synset n{offsets[source[missing][0]]:08d} points at n{wanted[missing][0]:08d}, which is not there"
        )
    return _links(len(offsets), source, target)


def _heights(parents: Links, children: Links) -> npt.NDArray[np.int16]:
    """Longest way down: a node's height is the round in which the last of its children has been removed."""
    waiting = np.diff(children.start).copy()
    heights = np.full(len(waiting), -1, np.int16)
    layer = np.flatnonzero(waiting == 0).astype(np.int32)
    height = 0
    while len(layer):
        if height > HIGHEST:
            raise OntologyError(f"the hierarchy has more than {HIGHEST} levels")
        heights[layer] = height
        above = parents.of_many(layer)
        np.subtract.at(waiting, above, 1)
        layer = np.unique(above)
        layer = layer[waiting[layer] == 0]
        height += 1
    if left := int((heights < 0).sum()):
        raise OntologyError(f"the hypernym links form a cycle ({left} synsets are on or above it)")
    return heights


def _depths(parents: Links, children: Links) -> npt.NDArray[np.int16]:
    """Shortest way up, breadth first from the roots."""
    depths = np.full(len(parents.start) - 1, -1, np.int16)
    layer = np.flatnonzero(np.diff(parents.start) == 0).astype(np.int32)
    depth = 0
    while len(layer):
        depths[layer] = depth
        layer = np.unique(children.of_many(layer))
        layer = layer[depths[layer] < 0]
        depth += 1
    return depths


def _depth_first(parents: Links, children: Links) -> Ints:
    """Nodes in depth-first preorder: roots with children first, then lone nodes, siblings by wnid."""
    start, target = children.start.tolist(), children.target.tolist()
    roots = np.flatnonzero(np.diff(parents.start) == 0)
    lone = np.diff(children.start)[roots] == 0
    stack = [*roots[lone][::-1].tolist(), *roots[~lone][::-1].tolist()]
    seen = bytearray(len(start) - 1)
    order = []
    while stack:
        node = stack.pop()
        if not seen[node]:
            seen[node] = 1
            order.append(node)
            stack.extend(reversed(target[start[node] : start[node + 1]]))
    return np.array(order, np.int32)
