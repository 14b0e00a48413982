"""Whether what lies under a known name is the image that is known by it: its bytes decide, not its name."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple, TypeVar

from holotype.errors import ArchiveError
from holotype.store.location import Location

Value = TypeVar("Value")
_SOME: Final = 250
"""Images of twenty thousand whose bytes are compared while none differs."""


class Pair(NamedTuple):
    """A known image and what lies under its name elsewhere: its id, both places, and the sha256 that was read ("" for
    none)."""

    image: int
    known: Location
    here: Location
    sha256: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a source's images of known names are: `others` have other bytes, by id; `differing` is the number of all
    that are others, most of them by their length.

    Where most are others, the rest are `doubtful` too: by chance a few of other images have the same length.
    """

    others: frozenset[int] = frozenset()
    differing: int = 0
    doubtful: bool = False

    def is_other(self, image: int, known: int, here: int) -> bool:
        """Whether an image of `known` bytes is another than what has `here` bytes."""
        return known != here or image in self.others or self.doubtful


@dataclass(slots=True)
class Comparison:
    """Compares images chunk by chunk: of all the length, of some the bytes, and of all the bytes where one differs.

    `read` gives the bytes of a place, and raises `ArchiveError` where they cannot be had; with `thorough` the bytes of
    all are compared.
    """

    read: Callable[[Location], bytes]
    thorough: bool = False
    _same: int = 0
    _differing: int = 0
    _others: set[int] = field(default_factory=set)

    def add(self, pairs: Sequence[Pair]) -> None:
        """Compare some more. Raises `ArchiveError` where what was just found cannot be read."""
        alike = [pair for pair in pairs if pair.known.length == pair.here.length]
        self._differing += len(pairs) - len(alike)
        self._same += len(alike)
        if not self.thorough:
            self.thorough = any(map(self._differs, _spread(alike, _SOME)))
        if self.thorough:
            self._others.update(pair.image for pair in alike if self._differs(pair))

    def verdict(self) -> Verdict:
        """What came out."""
        others = self._differing + len(self._others)
        return Verdict(frozenset(self._others), others, doubtful=others > self._same - len(self._others))

    def _differs(self, pair: Pair) -> bool:
        """Whether the bytes are found to be others; not where nothing can be read of those that were known."""
        if pair.sha256:
            return hashlib.sha256(self.read(pair.here)).hexdigest() != pair.sha256
        try:
            known = self.read(pair.known)
        except ArchiveError:
            return False
        return known != self.read(pair.here)


def paired(found: Mapping[int, Location], known: Mapping[int, Location], digests: Mapping[int, str]) -> Iterator[Pair]:
    """What was found of images, by id, with what is known of them."""
    return (Pair(image, known[image], here, digests.get(image, "")) for image, here in found.items())


def _spread(values: Sequence[Value], most: int) -> Sequence[Value]:
    """At most so many of the values, evenly."""
    return values[:: -(-len(values) // most)] if values else values
