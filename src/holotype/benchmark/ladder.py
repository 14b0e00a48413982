"""The Ladder: a board that tells a team no more of the public items than that it became better."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from holotype.benchmark.intervals import Estimate
from holotype.benchmark.kept import Kept, standard_error

_ROUNDING: Final = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Try:
    """A submission of a team, the `digest` of what it says, and what is kept of it on the public part."""

    submission: int
    digest: str
    kept: Kept


@dataclass(frozen=True, slots=True)
class Rung:
    """What a team is told of a `submission`: the `estimate` of the one called `best`, which is the best so far that the
    board has heard of; both None before there is one. `new` says that this submission is it."""

    submission: int
    best: int | None
    estimate: Estimate | None
    new: bool


def climb(tries: Iterable[Try]) -> Iterator[Rung]:
    """What a team is told of each of its submissions, in their order.

    A new number is told only where it is better than that of the best so far by more than the standard error of their
    paired difference by item, and then rounded to one n-th of n items: Blum and Hardt, *The Ladder* (ICML 2015),
    algorithm 2, which has no parameter. Else the best so far is told again. What was submitted before is told what it
    was told then, and changes nothing. All follows from the submissions alone, so that it is the same when it is asked
    for again, and anew when they are scored anew.
    """
    best: Try | None = None
    told: dict[str, Rung] = {}
    for one in tries:
        again = told.get(one.digest)
        if again is not None:
            yield Rung(one.submission, again.best, again.estimate, False)
            continue
        new = beats(one.kept, best.kept if best else None)
        best = one if new else best
        rung = Rung(one.submission, None, None, False)
        if best is not None:
            rung = Rung(one.submission, best.submission, rounded(best.kept), new)
        told[one.digest] = rung
        yield rung


def beats(one: Kept, best: Kept | None) -> bool:
    """Whether a number is to be told, where `best` was told before.

    Of a single item the difference is its standard error; how numbers are rounded does not tell it.
    """
    if not one.known:
        return False
    return best is None or one.score - best.score > standard_error(one, best) * (1 + _ROUNDING)


def rounded(kept: Kept) -> Estimate:
    """The estimate with no more digits than so many items can have."""
    value, low, high = (
        round(one * kept.items) / kept.items for one in (kept.estimate.value, kept.estimate.low, kept.estimate.high)
    )
    return Estimate(value, low, high)
