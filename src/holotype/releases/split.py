"""Which image goes to train, val or test."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from holotype.errors import ReleaseError

SPLITS: Final = ("train", "val", "test")
HELD_OUT: Final = ("test", "val", "train")
"""The splits, the one first that training must see least of."""


@dataclass(frozen=True, slots=True)
class Fractions:
    """The share of images for each split; they sum to 1."""

    train: float = 0.6
    val: float = 0.15
    test: float = 0.25

    def __post_init__(self) -> None:
        shares = (self.train, self.val, self.test)
        if not (min(shares) >= 0 and abs(sum(shares) - 1) <= 1e-9):
            raise ReleaseError(f"the shares of train, val and test must sum to 1, not {shares}")


def split(
    labels: Sequence[tuple[str, str]],
    groups: Mapping[str, str],
    fractions: Fractions,
    seed: int,
    fixed: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, str]:
    """The split of each image: stratified by synset, seeded, near-duplicates together.

    `labels` are (wnid, image) pairs, `groups` gives the near-duplicate group of an image (its own id if alone). `fixed`
    images came with a split, and keep it: of a group with several, all go to the one that is most held out.
    Groups are dealt out one by one, in an order drawn by `seed`, each to the split that is furthest behind its
    share over the synsets the group shows; ties go to train, then test. A synset with a single image is trained
    on. A pure function: the order of `labels` does not matter.
    """
    shows: dict[str, set[str]] = defaultdict(set)
    members: dict[str, set[str]] = defaultdict(set)
    for wnid, image in labels:
        group = groups[image]
        shows[group].add(wnid)
        members[group].add(image)
    shares = {"train": fractions.train, "test": fractions.test, "val": fractions.val}
    placed: dict[str, dict[str, float]] = defaultdict(lambda: dict.fromkeys(shares, 0.0))
    chosen: dict[str, str] = {}
    kept = {group: {fixed[image] for image in images if image in fixed} for group, images in members.items()}
    for group in sorted(members, key=lambda group: (not kept[group], _draw(seed, group))):
        size, shown = len(members[group]), [placed[wnid] for wnid in sorted(shows[group])]
        came_in = [name for name in HELD_OUT if name in kept[group]]
        target = came_in[0] if came_in else _furthest_behind(shares, shown, size)
        for held in shown:
            held[target] += size
        chosen.update(dict.fromkeys(members[group], target))
    return chosen


def _furthest_behind(shares: Mapping[str, float], shown: Sequence[Mapping[str, float]], size: int) -> str:
    """The split that lacks the most images of its share, over synsets of which so many are `shown` in each so far."""

    def behind(name: str) -> float:
        return sum(shares[name] * (sum(held.values()) + size) - held[name] for held in shown)

    return max((name for name in shares if shares[name] > 0), key=behind)


def _draw(seed: int, group: str) -> bytes:
    return hashlib.sha256(f"{seed} {group}".encode()).digest()
