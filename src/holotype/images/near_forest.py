"""Groups of what pairs connect, while the pairs come."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.int64]


class Forest:
    """Nodes 0 to `count` - 1 and the groups that pairs, told some at a time, make of them: a union-find on arrays.

    It takes 4 bytes for each node, 8 from 2**31 nodes on; pairs are forgotten at once.
    """

    def __init__(self, count: int) -> None:
        self._parent = np.arange(count, dtype=np.int32 if count < 1 << 31 else np.int64)

    def roots(self, nodes: Numbers) -> Numbers:
        """The smallest node of each node's group."""
        found = self._parent[nodes]
        while not np.array_equal(above := self._parent[found], found):
            found = above
        self._parent[nodes] = found
        return found.astype(np.int64)

    def join(self, left: Numbers, right: Numbers) -> None:
        """Make one group of those of each pair."""
        a, b = self.roots(left), self.roots(right)
        apart = a != b
        nodes, smallest = smallest_connected(a[apart], b[apart])
        self._parent[nodes] = smallest

    def groups(self) -> Numbers:
        """The smallest node of the group of every node."""
        return self.roots(np.arange(len(self._parent)))


def smallest_connected(left: Numbers, right: Numbers) -> tuple[Numbers, Numbers]:
    """The nodes of some pairs, ascending, and the smallest that each is connected to by them."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    nodes, place = np.unique(np.concatenate([left, right]), return_inverse=True)
    if not len(nodes):
        return nodes, nodes
    source, target = place[: len(left)], place[len(left) :]
    edges = coo_array((np.ones(len(left), bool), (source, target)), shape=(len(nodes), len(nodes)))
    component = connected_components(edges, directed=False)[1]
    first = np.unique(component, return_index=True)[1]
    return nodes, nodes[first[component]]
