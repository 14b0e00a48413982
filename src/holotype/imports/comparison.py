"""Whether what lies under a known name is the image that is known by it: its bytes decide, not its name."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple, TypeVar

from holotype.errors import ArchiveError
from holotype.store.location import Location

Value = TypeVar("Value")
_SOME: Final = 250
"""Images of twenty thousand whose bytes are compared while none differs."""
_BY_CHANCE: Final = 0.1
"""The most that two images of a source may have the same length by chance where lengths alone tell them apart."""
_UNCOMPRESSED: Final = (b"BM", b"II*\0", b"MM\0*", *(b"P%d" % number for number in range(1, 8)))
"""What files begin with whose length follows from width and height, whatever they show: BMP, TIFF, PNM."""


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

    Where most are others, the rest are `doubtful` too: by chance a few of other images have the same length. `unproven`
    are the paths of known sources of which nothing could be read, while lengths tell too little.
    """

    others: frozenset[int] = frozenset()
    differing: int = 0
    doubtful: bool = False
    unproven: frozenset[str] = frozenset()

    def is_other(self, image: int, known: int, here: int) -> bool:
        """Whether an image of `known` bytes is another than what has `here` bytes."""
        return known != here or image in self.others or self.doubtful


@dataclass(slots=True)
class _Evidence:
    """What is known of the images of one known source that have here the length they had: how often each length
    occurs; whether they are `proved` to be the same; how many of those looked at here are `uncompressed`."""

    lengths: Counter[int] = field(default_factory=Counter)
    proved: bool = False
    unread: int = 0
    uncompressed: int = 0

    @property
    def is_enough(self) -> bool:
        """Whether they are the same images: proved by bytes or by the file they lie in, or told by their lengths."""
        count = self.lengths.total()
        alike = sum(one * (one - 1) for one in self.lengths.values())
        by_chance = alike / (count * (count - 1)) if count > 1 else 0.0
        return self.proved or (by_chance <= _BY_CHANCE and self.uncompressed <= self.unread * _BY_CHANCE)


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
    _evidence: dict[str, _Evidence] = field(default_factory=lambda: defaultdict(_Evidence))

    def add(self, pairs: Sequence[Pair]) -> None:
        """Compare some more. Raises `ArchiveError` where what was just found cannot be read."""
        alike = [pair for pair in pairs if pair.known.length == pair.here.length]
        self._differing += len(pairs) - len(alike)
        self._same += len(alike)
        for pair in alike:
            self._evidence[pair.known.file].lengths[pair.known.length] += 1
        if not self.thorough:
            self.thorough = any(map(self._differs, _spread(alike, _SOME)))
        if self.thorough:
            self._others.update(pair.image for pair in alike if self._differs(pair))

    def verdict(self) -> Verdict:
        """What came out."""
        others = self._differing + len(self._others)
        unproven = frozenset(path for path, evidence in self._evidence.items() if not evidence.is_enough)
        return Verdict(frozenset(self._others), others, others > self._same - len(self._others), unproven)

    def _differs(self, pair: Pair) -> bool:
        """Whether the bytes are found to be others; not where nothing can be read of those that were known."""
        here, evidence = self.read(pair.here), self._evidence[pair.known.file]
        if pair.sha256:
            same = hashlib.sha256(here).hexdigest() == pair.sha256
        else:
            try:
                same = self.read(pair.known) == here
            except ArchiveError:
                evidence.unread += 1
                evidence.uncompressed += here.startswith(_UNCOMPRESSED)
                evidence.proved |= _is_same_file(pair)
                return False
        evidence.proved |= same
        return not same


def paired(found: Mapping[int, Location], known: Mapping[int, Location], digests: Mapping[int, str]) -> Iterator[Pair]:
    """What was found of images, by id, with what is known of them."""
    return (Pair(image, known[image], here, digests.get(image, "")) for image, here in found.items())


def _is_same_file(pair: Pair) -> bool:
    """Whether both lie at the same bytes of an archive of the same size and time of change, as one that was moved."""
    known, here = pair.known, pair.here
    state = known.size, known.mtime_ns
    return state != (0, 0) and state == (here.size, here.mtime_ns) and known.offset == here.offset


def _spread(values: Sequence[Value], most: int) -> Sequence[Value]:
    """At most so many of the values, evenly."""
    return values[:: -(-len(values) // most)] if values else values
