"""A plan: leaves, the questions that cover several of them, and which is asked before which."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import exp, log1p
from types import MappingProxyType
from typing import Final

SECONDS: Final = 1.9
"""What an answer takes of a picture on a page, where nobody said or measured it."""

Mask = int
"""A set of leaves: bit n is that of the n-th."""


@dataclass(frozen=True, slots=True)
class Question:
    """Does this image show any of these `leaves`, wnids? Asked as the synset or the group `wnid`; `text` is how it is
    put where that was written by hand, `seconds` what an answer takes, None where nobody said."""

    wnid: str
    leaves: frozenset[str]
    text: str = ""
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """The questions of a set of `leaves`, none of which is above another; each leaf's own is among them.

    `asked` are the questions' wnids, each after its parents; `covers` the leaves of each; `parents` the places of the
    smallest questions that cover all that one covers, none where it is asked of every image; `seconds` what an answer
    takes; ``(questions,)`` each. `rates` ``(leaves,)`` are the shares of images that show each leaf.
    """

    leaves: tuple[str, ...]
    asked: tuple[str, ...]
    covers: tuple[Mask, ...]
    parents: tuple[tuple[int, ...], ...]
    seconds: tuple[float, ...]
    rates: tuple[float, ...]
    texts: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def __len__(self) -> int:
        return len(self.asked)

    @property
    def places(self) -> dict[str, int]:
        """The place of each question, by wnid."""
        return {wnid: at for at, wnid in enumerate(self.asked)}

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many leaves each question covers."""
        return tuple(mask.bit_count() for mask in self.covers)

    @property
    def stakes(self) -> tuple[float, ...]:
        """Labels that an image has below each question, where it has any: what a false no would lose."""
        some = (_some(self.rates, mask) for mask in self.covers)
        sums = (sum(self.rates[bit] for bit in bits(mask)) for mask in self.covers)
        return tuple(total / chance if chance else 1.0 for total, chance in zip(sums, some, strict=True))

    @property
    def reach(self) -> tuple[float, ...]:
        """The share of images of which each question is asked, if nobody ever errs: those with a yes to a parent."""
        above = ([self.covers[one] for one in parents] for parents in self.parents)
        return tuple(_some(self.rates, union(masks)) if masks else 1.0 for masks in above)

    @property
    def chances(self) -> tuple[float, ...]:
        """The chance of a yes to each question, where it is asked."""
        told = zip(self.covers, self.reach, strict=True)
        return tuple(min(_some(self.rates, mask) / reach, 1.0) if reach else 0.0 for mask, reach in told)

    @property
    def worth(self) -> tuple[float, ...]:
        """Leaves that a second of asking is expected to resolve: all below by a no, and a leaf by its own yes too."""
        told = zip(self.chances, self.sizes, self.seconds, strict=True)
        return tuple(((1 - chance) * size + chance * (size == 1)) / seconds for chance, size, seconds in told)

    @property
    def expected(self) -> tuple[float, float]:
        """Questions and seconds that an image takes of people who never err."""
        reach = self.reach
        return sum(reach), sum(share * seconds for share, seconds in zip(reach, self.seconds, strict=True))


def bits(mask: Mask) -> Iterator[int]:
    """The numbers of the leaves in a set.

    >>> list(bits(0b1011))
    [0, 1, 3]
    """
    while mask:
        yield (mask & -mask).bit_length() - 1
        mask &= mask - 1


def union(masks: Sequence[Mask]) -> Mask:
    """All leaves of some sets."""
    whole = 0
    for mask in masks:
        whole |= mask
    return whole


def _some(rates: Sequence[float], mask: Mask) -> float:
    """The chance that an image shows any of some leaves, were they independent."""
    return 1 - exp(sum(log1p(-rates[bit]) for bit in bits(mask)))
