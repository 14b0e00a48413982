"""How a simulated person draws one box: well, or in one of the ways in which drawings are no good."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from holotype.boxes.port import Item
from holotype.boxes.values import Corners, Drawn, Method
from holotype.geometry.boxes import SAME, iou
from holotype.geometry.values import Floats
from holotype.simulation.drawers import Drawer, Drawers, normal_of
from holotype.simulation.workers import draw

Dice = Callable[..., float]
"""A number in [0, 1) that depends on who is asked, on the question, and on the words."""

LOOSE: Final = (0.35, 0.66)
"""The intersection over union of a loose drawing with the instance."""

NOTHING: Final = Drawn(None, Method.DRAG)


def overlaps(box: Corners, others: Sequence[Corners]) -> Floats:
    """The intersection over union of a box with each of others, ``(others,)``."""
    return iou(np.array(box, np.float64), np.array(others, np.float64).reshape(-1, 4), inclusive=True)


def left(truth: Sequence[Corners], shown: Sequence[Corners]) -> tuple[Corners, ...]:
    """The instances without a box: a box is of the instance that it overlaps most, from `SAME` on, one of each."""
    free = list(truth)
    for box in shown:
        if free and (alike := overlaps(box, free)).max() >= SAME:
            free.pop(int(alike.argmax()))
    return tuple(free)


def drawn(drawer: Drawer, population: Drawers, item: Item, truth: Sequence[Corners], dice: Dice) -> Drawn:
    """The drawing that a person makes where `truth` is what there is to box."""
    free = left(truth, item.shown)
    if drawer.spammer:
        return Drawn(_anywhere(item, (), dice), Method.DRAG, more=False) if dice("spam") < 0.8 else NOTHING
    slip = _slip(drawer, population, item, truth, free, dice)
    if slip == "nothing" or (slip is None and not free):
        return NOTHING
    more = len(free) > 1 if dice("sees more") < population.more else len(free) <= 1
    if not free or slip in ("repeated", "wrong"):
        box = item.shown[int(dice("again") * len(item.shown))] if slip == "repeated" else None
        box = _jittered(box, drawer, item, dice) if box else _anywhere(item, truth, dice)
        return Drawn(box, Method.DRAG, more=len(free) > 0 if dice("sees more") < population.more else len(free) == 0)
    target = _target(free, dice)
    if slip == "several":
        others = [one for one in truth if one != target]
        box = _around(target, others[int(dice("other") * len(others))])
    else:
        box = _loose(target, item, dice) if slip == "loose" else _jittered(target, drawer, item, dice)
    return Drawn(box, Method.DRAG, more=more)


def _slip(
    drawer: Drawer, population: Drawers, item: Item, truth: Sequence[Corners], free: Sequence[Corners], dice: Dice
) -> str | None:
    """In which way a drawing is no good, of those in which it can be; None where it is good."""
    can = {"loose": bool(free), "wrong": True, "repeated": bool(item.shown), "several": len(truth) > 1 and bool(free)}
    shares = {name: share for name, share in population.slips.items() if can.get(name, bool(free))}
    if not free:  # who looks for what is not there errs less than who draws
        shares = {name: share for name, share in shares.items() if name in ("wrong", "repeated")}
    fate = dice("slip") / (drawer.slip * sum(shares.values()))
    for name, share in shares.items():
        fate -= share / sum(shares.values())
        if fate < 0:
            return name
    return None


def _target(free: Sequence[Corners], dice: Dice) -> Corners:
    """The instance that is drawn next: a large one rather than a small one."""
    sizes = [((box[2] - box[0] + 1) * (box[3] - box[1] + 1)) ** 0.5 for box in free]
    return max(zip(free, sizes, strict=True), key=lambda one: dice("target", one[0]) ** (1 / one[1]))[0]


def _jittered(box: Corners, drawer: Drawer, item: Item, dice: Dice) -> Corners:
    """The box with each edge off by a share of the side and a pixel or so."""
    width, height = box[2] - box[0] + 1, box[3] - box[1] + 1
    off = [normal_of(dice("edge", edge)) for edge in range(4)]
    sides = (width, height, width, height)
    moved = [at + round(z * (drawer.jitter * side + 0.5)) for at, z, side in zip(box, off, sides, strict=True)]
    return inside(moved, item.width, item.height)


def _loose(box: Corners, item: Item, dice: Dice) -> Corners:
    """The box with edges too far out, or some that cut a part off, so that it is as little tight as `LOOSE` says."""
    lowest, highest = LOOSE
    wanted = lowest + (highest - lowest) * (1 - (1 - dice("loose")) ** 0.5)
    width, height = box[2] - box[0] + 1, box[3] - box[1] + 1
    edges = np.array([dice("part", edge) for edge in range(4)]) * (width, height, width, height)
    outward = np.array([1 if dice("out", edge) < 0.75 else -1 for edge in range(4)]) * (-1, -1, 1, 1)
    ends = np.array([item.width - 1, item.height - 1, item.width - 1, item.height - 1])
    room = np.where(np.array([-1, -1, 1, 1]) > 0, ends - np.array(box), np.array(box))
    outward = np.where(room < 0.1 * edges, np.array([1, 1, -1, -1]), outward)
    steps = np.linspace(0.02, 2.0, 100)[:, None]
    tried = np.clip(np.array(box) + steps * edges * outward, 0, ends)
    fits = (tried[:, 2] >= tried[:, 0]) & (tried[:, 3] >= tried[:, 1])
    alike = np.where(fits, iou(tried, np.array(box, np.float64), inclusive=True), 9.0)
    return inside([round(at) for at in tried[int(np.abs(alike - wanted).argmin())].tolist()], item.width, item.height)


def _around(one: Corners, other: Corners) -> Corners:
    return min(one[0], other[0]), min(one[1], other[1]), max(one[2], other[2]), max(one[3], other[3])


def _anywhere(item: Item, truth: Sequence[Corners], dice: Dice) -> Corners:
    """A box round something else: of ten places the one that overlaps what there is least."""
    tried = []
    for turn in range(10):
        width = max(1, round(item.width * (0.1 + 0.4 * dice("width", turn))))
        height = max(1, round(item.height * (0.1 + 0.4 * dice("height", turn))))
        x, y = int(dice("x", turn) * (item.width - width)), int(dice("y", turn) * (item.height - height))
        tried.append(inside((x, y, x + width - 1, y + height - 1), item.width, item.height))
        if not truth or overlaps(tried[-1], truth).max() < 0.2:
            return tried[-1]
    return min(tried, key=lambda box: float(overlaps(box, truth).max()))


def inside(corners: Sequence[int], width: int, height: int) -> Corners:
    """The corners of a box within a picture, in order."""
    x = sorted(min(max(at, 0), width - 1) for at in (corners[0], corners[2]))
    y = sorted(min(max(at, 0), height - 1) for at in (corners[1], corners[3]))
    return x[0], y[0], x[1], y[1]


def dice_of(seed: int, drawer: Drawer, wnid: str, item: Item) -> Dice:
    """Dice that fall as who is asked, what, and of what say."""
    return functools.partial(draw, seed, drawer.name, item.question.kind, wnid, item.sha256, item.box, item.shown)
