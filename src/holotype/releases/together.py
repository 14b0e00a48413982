"""Which images must not be torn apart: those that one group of near-duplicates, one upload or one author links."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from holotype.releases.keys import Keys

Numbers = npt.NDArray[np.int64]
Places = npt.NDArray[np.int32]
Links = npt.NDArray[np.integer]
"""What links images, one number a row: equal ones do. Numbers below 0 link nothing, nor does the key 0 of nothing in a
column of `Keys`."""


@dataclass(frozen=True, slots=True)
class Linked:
    """What one kind of link did: of how many images it says nothing, how many share it with another, how many groups
    fewer there are than without it, after the kinds before it; and the images of its own largest class, with the place
    of the first of them, -1 if it links nothing."""

    kind: str
    unsaid: int
    shared: int
    joined: int
    largest: int
    first_of_largest: int


@dataclass(frozen=True, slots=True, eq=False)
class Together:
    """Groups of images, ``(n,)``: each has the number of its first image, its place among the images.

    `groups` counts them, `largest` is the number of images of the largest, `first_of_largest` the place of its first
    image, -1 where there are no images; `kinds` says what linked them.
    """

    group: Numbers
    groups: int
    largest: int
    first_of_largest: int
    kinds: tuple[Linked, ...]

    @property
    def largest_share(self) -> float:
        """The part of all images that the largest group is: a split cannot come closer to its share than that allows.

        0 where there are no images.
        """
        return self.largest / len(self.group) if len(self.group) else 0.0


def together(images: int, links: Mapping[str, Links]) -> Together:
    """The groups that images fall into if all that any column of `links` links stay together.

    `links` has for each kind a column with a row per image, say a number of the near-duplicate group, `address_keys` of
    uploads and `author_keys` of authors (`holotype.releases.keys`). The order of the kinds decides what each is said
    to have joined, and nothing else. Groups are the connected components of all links, by
    `scipy.sparse.csgraph.connected_components` where more than one kind links.

    >>> import numpy as np
    >>> found = together(5, {"near": np.array([7, -1, 7, -1, -1]), "author": np.array([-1, 3, 3, -1, 4])})
    >>> found.group.tolist(), found.groups, [kind.joined for kind in found.kinds]
    ([0, 0, 0, 3, 4], 3, [1, 1])

    Raises `ValueError` where a column has another length.
    """
    group, groups = np.arange(images, dtype=np.int32), images
    kinds = []
    for kind, column in links.items():
        if column.shape != (images,):
            raise ValueError(f"{kind} has {column.shape} rows, not {images:,}")
        heads = _classes(column)
        group = _merged(group, heads)
        left = _count_heads(group)
        unsaid = images - int(np.count_nonzero(_speaks(column)))
        kinds.append(_told(kind, unsaid, heads, groups - left))
        groups = left
    largest, first = _largest(group) if images else (0, -1)
    return Together(group.astype(np.int64), groups, largest, first, tuple(kinds))


def smallest_ids(group: Numbers, keys: Keys) -> Numbers:
    """For each image the place of the image with the smallest key in its group, ``(n,)``; `group` is as of `together`.

    With `holotype.releases.keys.id_keys` that image's id names the group whatever the order of the images.
    """
    several = np.flatnonzero(_is_shared(group))
    named = np.arange(len(group))
    if len(several):
        order = several[np.argsort(keys[several])]
        first = np.empty(len(group), np.int64)
        first[group[order[::-1]]] = order[::-1]  # the last one written is the one with the smallest key
        named[several] = first[group[several]]
    return named


def _speaks(column: Links) -> npt.NDArray[np.bool_]:
    return column > 0 if column.dtype.kind == "u" else column >= 0


def _classes(column: Links) -> Places:
    """The first row with the same number, for each row; itself where the column says nothing of it."""
    heads = np.arange(len(column), dtype=np.int32)
    rows = np.flatnonzero(_speaks(column)).astype(np.int32)
    values = column[rows]
    order = np.argsort(values).astype(np.int32)
    values = values[order]
    order = rows[order]
    same = np.flatnonzero(values[1:] == values[:-1])
    del values, rows
    if len(same):
        # Runs of equal values: they start where the row before is of another.
        starts = same[np.r_[True, np.diff(same) > 1]]
        run = np.cumsum(np.r_[False, np.diff(same) > 1])
        first = order[starts]
        np.minimum.at(first, run, order[same + 1])
        heads[order[starts]] = first
        heads[order[same + 1]] = first[run]
    return heads


def _is_shared(group: Places | Numbers) -> npt.NDArray[np.bool_]:
    """Whether there is another image in the group of each image."""
    shared = np.zeros(len(group), bool)
    shared[group[group != np.arange(len(group), dtype=group.dtype)]] = True
    return np.asarray(shared[group])


def _merged(group: Places, heads: Places) -> Places:
    """The finest groups that both partitions are finer than, each by its first row as both are.

    Classes of the one are connected to classes of the other by the rows that have company in both.
    """
    grouped = _is_shared(group)
    linking = np.flatnonzero(grouped & _is_shared(heads))
    renamed = np.arange(len(group), dtype=np.int32)
    if len(linking):
        source, target = group[linking], heads[linking]
        node = np.zeros(len(group), bool)
        node[source] = node[target] = True
        nodes = np.flatnonzero(node).astype(np.int32)
        number = np.cumsum(node, dtype=np.int32) - np.int32(1)
        renamed[nodes] = _components(nodes, number[source], number[target])
    return np.asarray(np.where(grouped, renamed[group], renamed[heads]))


def _components(nodes: Places, source: Places, target: Places) -> Places:
    """The smallest of the sorted `nodes` that each is connected to; `source` and `target` are places among them."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    edges = coo_array((np.ones(len(source), np.int8), (source, target)), (len(nodes), len(nodes)))
    component = connected_components(edges, directed=False)[1]
    smallest = np.empty(len(nodes), np.int32)
    smallest[component[::-1]] = nodes[::-1]  # the last one written is the smallest
    return np.asarray(smallest[component])


def _count_heads(group: Places) -> int:
    return int(np.count_nonzero(group == np.arange(len(group), dtype=np.int32)))


def _told(kind: str, unsaid: int, heads: Places, joined: int) -> Linked:
    shared = int(np.count_nonzero(_is_shared(heads)))
    largest, first = _largest(heads) if shared else (0, -1)
    return Linked(kind, unsaid, shared, joined, largest, first)


def _largest(heads: Places) -> tuple[int, int]:
    members = np.bincount(heads)
    first = int(np.argmax(members))
    return int(members[first]), first
