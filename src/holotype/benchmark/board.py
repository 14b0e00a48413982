"""The board: whose submission is ahead, and of whom that can be said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from holotype.benchmark.intervals import Estimate
from holotype.benchmark.kept import Kept, together
from holotype.benchmark.ladder import rounded
from holotype.benchmark.separable import ranks


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """What stands for a team: its submission, which came at a Unix time, and what is kept of it."""

    team: str
    submission: int
    at: float
    kept: Kept


@dataclass(frozen=True, slots=True)
class Place:
    """A team on the board. Those that cannot be told from better ones share their `rank`; None and no `estimate` where
    there was nothing to measure, which is never ranked."""

    rank: int | None
    team: str
    submission: int
    at: float
    estimate: Estimate | None


def placed(entries: Sequence[Entry]) -> list[Place]:
    """The board of entries to the same items: the best first, and of equal ones who came first."""
    known = sorted((one for one in entries if one.kept.known), key=lambda one: (one.at, one.submission))
    known.sort(key=lambda one: -one.kept.score)
    shared = ranks(*together([one.kept for one in known]), 0) if known else []
    told = [_place(one, rank) for one, rank in zip(known, shared, strict=True)]
    return told + [_place(one, None) for one in entries if not one.kept.known]


def _place(entry: Entry, rank: int | None) -> Place:
    estimate = None if rank is None else rounded(entry.kept)
    return Place(rank, entry.team, entry.submission, entry.at, estimate)
