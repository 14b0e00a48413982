"""The two parts of a benchmark's items: the public one that boards are made of, and the private one, shown once."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from holotype.benchmark.judged import Floats, Judged, Means, Metric, Ratios, Together

Bools = npt.NDArray[np.bool_]


def public_items(items: Sequence[str], share: float, key: bytes) -> Bools:
    """Which of the items are public ``(items,)``: about a `share` of them, as a secret `key` of up to 64 bytes draws.

    It depends on an item's id and the key alone. So nobody without the key can tell what is private, and where a truth
    is corrected, or loses items, no other item changes its part.

    >>> public_items(["a", "b", "c"], 1.0, b"k").tolist(), public_items(["a", "b"], 0.0, b"k").tolist()
    ([True, True, True], [False, False])
    """
    drawn = (hashlib.blake2b(item.encode("utf-8", "surrogatepass"), digest_size=8, key=key).digest() for item in items)
    numbers = np.array([int.from_bytes(one, "big") / 2**64 for one in drawn], np.float64)
    return np.asarray(numbers < share)


def part_of(judged: Judged, chosen: Bools) -> Judged:
    """What a submission did on the `chosen` ``(items,)`` alone."""
    items = [item for item, is_in in zip(judged.items, chosen.tolist(), strict=True) if is_in]
    if isinstance(judged, Means):
        return Means(items, judged.metrics, judged.values[chosen])
    if isinstance(judged, Ratios):
        return Ratios(items, judged.metrics, judged.part[chosen], judged.whole[chosen])
    if isinstance(judged, Together):
        return Together([part_of(part, chosen) for part in judged.parts])
    return Part(items, judged.metrics, judged, chosen)


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Some of the items of what is `judged`: the others count for nothing."""

    items: Sequence[str]
    metrics: Sequence[Metric]
    judged: Judged
    chosen: Bools

    def measure(self, weights: Floats) -> Floats:
        """The metrics where only chosen items weigh anything."""
        every = np.zeros((len(weights), len(self.chosen)))
        every[:, self.chosen] = weights
        return self.judged.measure(every)
