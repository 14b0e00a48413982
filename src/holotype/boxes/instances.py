"""Which drawings are of one instance, and the box that follows from them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import median
from typing import Final

from holotype.boxes.values import Corners
from holotype.consensus.votes import is_machine
from holotype.crowd.conclusion import State
from holotype.geometry.boxes import SAME

AGREED: Final = 0.7
"""The intersection over union from which two people's drawings of one instance confirm each other."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """A drawing by its id: who drew it, with which drawings before them, the box (None where nothing was left), what
    is concluded of its quality, and whether they saw another instance without a box."""

    number: int
    worker: str
    box: Corners | None
    shown: tuple[int, ...] = ()
    state: State = State.OPEN
    more: bool | None = None


@dataclass(frozen=True, slots=True)
class Instance:
    """An instance with a box: its first drawing, by which questions name it, all of its `drawings`, and how many of the
    people who looked for an instance together drew this one."""

    head: int
    box: Corners
    drawings: tuple[int, ...]
    support: float


def instances(drawings: Sequence[Drawing]) -> list[Instance]:
    """The instances that are accepted, by their heads.

    Drawings whose workers did not see each other's are of one instance where they overlap (`SAME`): pairs are merged
    from the most alike on, no worker twice in an instance (a machine's only once). An instance is accepted where one
    of its drawings is good or, with none that is bad, where two people's agree (`AGREED`). Its box is the median of its
    good drawings, or of those that agree.
    """
    drawn = [one for one in drawings if one.box is not None and one.state is not State.NO]
    found = (_instance(cluster, drawings) for cluster in _clusters(drawn))
    return sorted((one for one in found if one is not None), key=lambda one: one.head)


def _clusters(drawn: Sequence[Drawing]) -> list[list[Drawing]]:
    cluster = {one.number: [one] for one in drawn}
    for _, one, other in sorted(_alike(drawn), key=lambda pair: (-pair[0], pair[1].number, pair[2].number)):
        left, right = cluster[one.number], cluster[other.number]
        if left is not right and _may_merge(left, right):
            left += right
            cluster.update(dict.fromkeys((member.number for member in right), left))
    return list({id(members): members for members in cluster.values()}.values())


def _alike(drawn: Sequence[Drawing]) -> Iterator[tuple[float, Drawing, Drawing]]:
    for one, other in combinations(drawn, 2):
        if one.box is not None and other.box is not None and (overlap := overlap_of(one.box, other.box)) >= SAME:
            yield overlap, one, other


def overlap_of(one: Corners, other: Corners) -> float:
    """The intersection over union of two boxes: as `holotype.geometry.boxes.iou`, and quicker for a few.

    >>> overlap_of((0, 0, 9, 9), (5, 0, 14, 9)) == 50 / 150
    True
    """
    wide = min(one[2], other[2]) - max(one[0], other[0]) + 1
    high = min(one[3], other[3]) - max(one[1], other[1]) + 1
    if wide <= 0 or high <= 0:
        return 0.0
    areas = ((box[2] - box[0] + 1) * (box[3] - box[1] + 1) for box in (one, other))
    return wide * high / (sum(areas) - wide * high)


def _may_merge(left: Sequence[Drawing], right: Sequence[Drawing]) -> bool:
    """Whether nobody of either saw a drawing of the other, and no worker is in both."""
    seen = {number for one in left for number in one.shown} & {one.number for one in right}
    seen |= {number for one in right for number in one.shown} & {one.number for one in left}
    return not seen and {one.worker for one in left}.isdisjoint(one.worker for one in right)


def _instance(cluster: Sequence[Drawing], drawings: Sequence[Drawing]) -> Instance | None:
    good = [one for one in cluster if one.state is State.YES] or _agreeing(cluster)
    if not good:
        return None
    head = min(good, key=lambda one: one.number)
    box = median_of([one.box for one in good if one.box is not None])
    looked = {one.worker for one in drawings if one.shown == head.shown and not is_machine(one.worker)}
    people = {one.worker for one in cluster if not is_machine(one.worker)}
    support = len(people & looked) / len(looked) if looked else 1.0
    return Instance(head.number, box, tuple(sorted(one.number for one in cluster)), support)


def median_of(boxes: Sequence[Corners]) -> Corners:
    """The median of boxes, rounded outwards."""
    if len(boxes) == 1:
        return boxes[0]
    x_min, y_min, x_max, y_max = (median(corners) for corners in zip(*boxes, strict=True))
    return math.floor(x_min), math.floor(y_min), math.ceil(x_max), math.ceil(y_max)


def _agreeing(cluster: Sequence[Drawing]) -> list[Drawing]:
    """The people's drawings of a cluster that agree with another's."""
    people = [one for one in cluster if not is_machine(one.worker)]
    found = [pair[1:] for pair in _alike(people) if pair[0] >= AGREED]
    return list({one.number: one for pair in found for one in pair}.values())
