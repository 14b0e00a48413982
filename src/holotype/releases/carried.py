"""A certificate of leaks carried over to a release without some of the images: that makes no pair that was not there.

What was compared of pictures, or with other collections, is not in a release. But where no pair was found none is left,
and where all that were found are listed it is known which are. Else those are counted that are surely left.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from holotype.releases.keys import NOTHING, address_keys, author_keys
from holotype.releases.leaks import AUTHOR, BYTES, PICTURE, UPLOAD, WITHIN, Check

Mask = npt.NDArray[np.bool_]
_NONE: Final[frozenset[str]] = frozenset()


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two sets of images of a check: what it is called now, how many images it had and has, the ids of those
    that are `gone`, and how many of these the fact that is checked was surely not known of."""

    name: str
    had: int
    has: int
    gone: frozenset[str] = _NONE
    unknown: int = 0


def carried(check: Check, one: Side, other: Side) -> Check:
    """What a check says after images are gone.

    Where the fact was known of some images only, and not of which, no more of those that are left are counted as
    compared than surely were.
    """
    sides = one, other
    unknown = [min(max(of - side.unknown, 0), side.has) for of, side in zip(check.unknown, sides, strict=True)]
    counts = replace(
        check,
        between=(one.name, other.name),
        compared=(one.has - unknown[0], other.has - unknown[1]),
        unknown=(unknown[0], unknown[1]),
    )
    if not (one.gone or other.gone) or not (check.pairs or check.at_least):
        return counts
    left = tuple((a, b) for a, b in check.examples if a not in one.gone and b not in other.gone)
    listed = len(check.examples) == check.pairs and not check.at_least
    images = len({a for a, _ in left}), len({b for _, b in left})
    return replace(counts, pairs=len(left), images=images, examples=left, at_least=not listed)


@dataclass(frozen=True, slots=True, eq=False)
class Removal:
    """Images, each once, in columns `id`, `split`, `sha256`, `url` and `author`, of which some are `gone`,
    ``(images,)``, in a release that was called `old` and is now called `new`."""

    images: pa.Table
    gone: Mask
    old: str
    new: str

    def checks(self, before: Sequence[Check], fresh: Sequence[Check]) -> Iterator[Check]:
        """The certificate of what is left: of the checks `before`, and of the `fresh` ones between splits, which know
        no pictures."""
        there = len(pc.unique(self.images["split"]))
        own = there * (there - 1) // 2 * len(WITHIN)
        pictures = {check.between: check for check in before[:own] if check.name == PICTURE}
        for check in fresh:
            old = pictures.get(self._before(check.between)) if check.name == PICTURE else None
            sides = [self._side(name, PICTURE) for name in self._before(check.between)]
            yield carried(old, *sides) if old is not None and _fits(old, *sides) else check
        for check in before[own:]:
            mine = self._side(check.between[0], check.name)
            theirs = Side(check.between[1], *2 * (check.compared[1] + check.unknown[1],))
            if mine.has and _fits(check, mine, theirs):
                yield carried(check, mine, theirs)

    def _before(self, between: tuple[str, str]) -> tuple[str, str]:
        """What two splits of the release were called."""
        one, other = (f"{self.old}/{name.rpartition('/')[2]}" for name in between)
        return one, other

    def _side(self, name: str, fact: str) -> Side:
        """What is gone of the split that was called so."""
        split = name.rpartition("/")[2]
        here = pc.equal(self.images["split"], split).to_numpy()
        lost = self.images.filter(pa.array(here & self.gone))
        ids = frozenset(lost["id"].to_pylist())
        return Side(f"{self.new}/{split}", int(here.sum()), int(here.sum()) - len(ids), ids, _unknown(lost, fact))


def _fits(check: Check, *sides: Side) -> bool:
    """Whether a check is of as many images as there were."""
    numbers = zip(check.compared, check.unknown, sides, strict=True)
    return all(compared + unknown == side.had for compared, unknown, side in numbers)


def _unknown(images: pa.Table, fact: str) -> int:
    """Of how many images a fact is surely not known."""
    keys: dict[str, Any] = {UPLOAD: (address_keys, "url"), AUTHOR: (author_keys, "author")}
    if fact in (BYTES, PICTURE):
        return pc.sum(pc.equal(images["sha256"], "")).as_py() or 0
    if fact not in keys:
        return 0
    of, column = keys[fact]
    return int((of(images[column]) == NOTHING).sum())
