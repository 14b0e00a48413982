"""Who draws: whose drawings are good too seldom is not asked any more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Final

from holotype.consensus.votes import is_machine

WEIGHT: Final = 4.0
"""How many drawings the share of all weighs against a worker's own."""


def poor_drawers(judged: Iterable[tuple[str, bool]], least: float) -> frozenset[str]:
    """Who is not asked to draw any more, of drawings by who made them and whether they were found good.

    They are the people whose share of good drawings, drawn to that of all as `WEIGHT` says, is below `least` times
    that of all; the worst first, and never more than half of those who drew. What they drew counts as before.

    >>> sorted(poor_drawers([("ann", True)] * 9 + [("bob", False)] * 4 + [("bob", True)], 0.8))
    ['bob']
    """
    good, all = Counter[str](), Counter[str]()
    for worker, was_good in judged:
        if not is_machine(worker):
            all[worker] += 1
            good[worker] += was_good
    if not all:
        return frozenset()
    mean = good.total() / all.total()
    share = {worker: (good[worker] + WEIGHT * mean) / (count + WEIGHT) for worker, count in all.items()}
    worst = sorted(share, key=lambda worker: (share[worker], worker))[: len(share) // 2]
    return frozenset(worker for worker in worst if share[worker] < least * mean)
