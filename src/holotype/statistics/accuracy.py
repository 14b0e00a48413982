"""Accuracy: precision by depth of the tree, from audits (Deng et al., CVPR 2009, section 3.1)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Audited:
    """A synset at a depth: `correct` of its `audited` labels are right, and its precision is at least `lower`."""

    wnid: str
    depth: int
    correct: int
    audited: int
    lower: float


@dataclass(frozen=True, slots=True)
class DepthAccuracy:
    """The audited synsets of one depth: the mean of their precisions, and the least of their lower bounds."""

    depth: int
    synsets: int
    audited: int
    precision: float
    lower: float


def accuracy(audits: Iterable[Audited]) -> tuple[DepthAccuracy, ...]:
    """Accuracy by depth, the shallowest first. Every synset counts alike, however many of its labels were audited.

    >>> accuracy([Audited("n00000001", 3, 9, 10, 0.6), Audited("n00000002", 3, 20, 20, 0.86)])
    (DepthAccuracy(depth=3, synsets=2, audited=30, precision=0.95, lower=0.6),)
    """
    at = defaultdict[int, list[Audited]](list)
    for audit in audits:
        at[audit.depth].append(audit)
    return tuple(
        DepthAccuracy(
            depth,
            len(found),
            sum(audit.audited for audit in found),
            sum(audit.correct / audit.audited for audit in found) / len(found),
            min(audit.lower for audit in found),
        )
        for depth, found in sorted(at.items())
    )
