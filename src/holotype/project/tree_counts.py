"""How many labels there are of every synset and below it, by state: counted once for every change, and kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock, Thread
from typing import Final, Generic, TypeVar

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection

from holotype.catalog import Catalog, labels
from holotype.catalog.schema import STATES
from holotype.errors import HolotypeError
from holotype.ontology import Ontology, Synset

Counts = npt.NDArray[np.int64]
Value = TypeVar("Value")
YES: Final = STATES.index("yes")
LARGE: Final = 200_000
"""Labels from which on a count takes so long that pages show the one before meanwhile."""


@dataclass(frozen=True, slots=True)
class TreeCounts:
    """Labels by state (`holotype.catalog.schema.STATES`) and rank, ``(states, synsets)``: those of each synset alone,
    and those of its whole subtree, where each counts once, whichever paths lead there."""

    own: Counts
    below: Counts

    @classmethod
    def of(cls, ontology: Ontology, own: Counts) -> TreeCounts:
        """Those of a number of labels by state and rank."""
        return cls(own, np.stack([ontology.subtree_sums(row) for row in own]))

    def total(self) -> int:
        """All labels."""
        return int(self.own.sum())

    def by_state(self, rank: int, below: bool = False) -> dict[str, int]:
        """The labels of a synset, or below it, by state, of states that there are."""
        column = (self.below if below else self.own)[:, rank]
        return {state: count for state, count in zip(STATES, column.tolist(), strict=True) if count}

    def until(self, rank: int, most: int) -> int:
        """The rank before which there are at most `most` labels from `rank` on, but always one rank."""
        total = np.cumsum(self.own[:, rank:].sum(axis=0))
        return rank + max(1, int(np.searchsorted(total, most, "right")))


def count_states(connection: Connection, ontology: Ontology) -> TreeCounts:
    """All labels of the catalog, but those of synsets that the ontology lacks."""
    own = np.zeros((len(STATES), len(ontology)), np.int64)
    for (rank, _, state), number in labels.counts(connection).items():
        if rank >= 0:
            own[STATES.index(state), rank] = number
    return TreeCounts.of(ontology, own)


def count_release(ontology: Ontology, by_rank: Counts) -> TreeCounts:
    """The labels of a release, which are all yes, from how many each synset alone has."""
    own = np.zeros((len(STATES), len(ontology)), np.int64)
    own[YES] = by_rank
    return TreeCounts.of(ontology, own)


def number_of(counts: TreeCounts, ontology: Ontology, synset: Synset) -> tuple[int, int]:
    """The labels yes of a synset alone and of its subtree."""
    rank = ontology.rank(synset)
    return int(counts.own[YES, rank]), int(counts.below[YES, rank])


class Kept(Generic[Value]):
    """A value that follows from the catalog and its ontology, read again when its mark is another.

    Where the value is `large`, it is read on a thread of its own and what was held before is given meanwhile: pages do
    not wait, unless ranks are others now. Several who ask at once read it once.
    """

    def __init__(
        self,
        catalog: Catalog,
        mark: Callable[[Connection], object],
        read: Callable[[Connection], Value],
        large: Callable[[Value], bool] = lambda _: False,
    ) -> None:
        self._catalog, self._mark, self._read, self._large = catalog, mark, read, large
        self._held: tuple[tuple[str, object], Value] | None = None
        self._lock, self._reading = Lock(), Lock()

    def get(self) -> Value:
        """The value as it is now, or as it was until just now where it is large."""
        held = self._held
        with self._catalog.read() as connection:
            mark = self._marked(connection)
        if held is not None and held[0] == mark:
            return held[1]
        if held is not None and held[0][0] == mark[0] and self._large(held[1]):
            if self._reading.acquire(blocking=False):
                Thread(target=self._read_aside, daemon=True).start()
            return held[1]
        with self._lock:
            return self._read_now(mark)

    def _read_aside(self) -> None:
        try:
            self._read_now(None)
        except HolotypeError:
            pass  # whoever asks next tries again, and is told
        finally:
            self._reading.release()

    def _marked(self, connection: Connection) -> tuple[str, object]:
        return self._catalog.ontology, self._mark(connection)

    def _read_now(self, wanted: tuple[str, object] | None) -> Value:
        held = self._held
        if held is not None and wanted is not None and held[0] == wanted:
            return held[1]
        with self._catalog.read() as connection:
            (ontology, mark), value = self._marked(connection), self._read(connection)
        self._held = (ontology or self._catalog.ontology, mark), value
        return value
