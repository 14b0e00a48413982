"""Gold of boxes as ILSVRC made it: drawings that agree are good, good ones moved or scaled are bad, and a complete
image from which one box is taken away is not covered (Su, Deng and Fei-Fei, HCOMP 2012)."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from typing import Final

import numpy as np

from holotype.boxes.instances import AGREED, Drawing, median_of
from holotype.boxes.port import PAGE_SIZE
from holotype.boxes.values import Corners, Kind, Reason
from holotype.consensus.votes import is_machine
from holotype.crowd.conclusion import State
from holotype.crowd.gold import balanced, draw, gold_share
from holotype.geometry.boxes import SAME, iou
from holotype.geometry.values import Bools, Ints

PEOPLE: Final = 3
"""From how many people's drawings that agree on a box is known."""
BAD: Final = (0.4, 0.65)
"""The least and the largest intersection over union of a bad box with the good one it is made of."""
VISIBLE: Final = 3
"""Pixels by which an edge of a bad box is off at least: nobody sees one pixel."""

_TRIES: Final = 1024
_NEAR: Final = 4


@dataclass(frozen=True, slots=True)
class Agreed:
    """A box that is known since people agree on it: the median of their `drawings`."""

    box: Corners
    drawings: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class KnownImage:
    """A candidate whose picture, of so many upright pixels, is known to have these boxes; they are all there are where
    it is `complete`."""

    candidate: int
    width: int
    height: int
    boxes: tuple[Corners, ...]
    complete: bool


@dataclass(frozen=True, slots=True)
class GoldQuestion:
    """A question whose `answer` is known: of the quality of the first of `boxes`, or whether all `boxes` are all there
    are. `reason` says what a bad drawing is."""

    candidate: int
    kind: Kind
    boxes: tuple[Corners, ...]
    answer: bool
    reason: Reason | None = None


def agreeing(drawings: Sequence[Drawing], least: int = PEOPLE) -> list[Agreed]:
    """The boxes on which `least` people or more agree: every two of their drawings overlap by `AGREED` or more.

    Machines are no people, nobody counts twice for a box, bad drawings do not count, and whoever saw a drawing when
    they drew does not confirm it. Drawings join from the most alike on, and each is of one box only.
    """
    drawn = [one for one in drawings if _may_agree(one)]
    overlap = _overlaps(drawn)
    group = [[at] for at in range(len(drawn))]
    pairs = [pair for pair in combinations(range(len(drawn)), 2) if overlap[pair] >= AGREED]
    for one, other in sorted(pairs, key=lambda pair: (-overlap[pair], drawn[pair[0]].number, drawn[pair[1]].number)):
        left, right = group[one], group[other]
        if left is not right and all(_confirm(drawn[a], drawn[b], overlap[a, b]) for a, b in product(left, right)):
            left += right
            for member in right:
                group[member] = left
    found = {id(members): members for members in group if len(members) >= least}
    return sorted((_agreed([drawn[at] for at in members]) for members in found.values()), key=lambda one: one.drawings)


def _may_agree(drawing: Drawing) -> bool:
    return drawing.box is not None and drawing.state is not State.NO and not is_machine(drawing.worker)


def _overlaps(drawn: Sequence[Drawing]) -> np.ndarray:
    corners = np.array([one.box for one in drawn], np.float64).reshape(-1, 4)
    return np.asarray(iou(corners[:, None], corners[None], inclusive=True))


def _confirm(one: Drawing, other: Drawing, overlap: float) -> bool:
    saw = one.number in other.shown or other.number in one.shown
    return overlap >= AGREED and one.worker != other.worker and not saw


def _agreed(members: Sequence[Drawing]) -> Agreed:
    box = median_of([one.box for one in members if one.box is not None])
    return Agreed(box, tuple(sorted(one.number for one in members)))


def perturbed(box: Corners, width: int, height: int, key: str, others: Sequence[Corners] = ()) -> Corners | None:
    """A bad box made of a good one, always the same by `key`: moved or scaled so that they overlap as `BAD` says.

    It is in the picture, and overlaps none of the `others` by more. None where there is no such box, as where the good
    one is a pixel, or fills a picture of a few.

    >>> perturbed((10, 10, 59, 59), 100, 80, "an example")
    (10, 0, 37, 60)
    """
    corners = np.array(box, np.float64)
    for made in (_drawn(box, key), _nearby(box)):
        bad = _is_bad(made, corners, others) & _inside(made, width, height)
        if bad.any():
            chosen = np.flatnonzero(bad)
            x_min, y_min, x_max, y_max = made[chosen[draw(key) % len(chosen)]].tolist()
            return x_min, y_min, x_max, y_max
    return None


def _drawn(box: Corners, key: str) -> Ints:
    """Boxes drawn by `key`, ``(_TRIES, 4)``: half of them moved, half of them scaled round a point of the box."""
    data = hashlib.shake_128(key.encode()).digest(_TRIES * 5 * 8)
    chance = np.frombuffer(data, "<u8").reshape(_TRIES, 5) / 2.0**64
    start = np.array(box[:2], np.float64)
    sides = np.array(box[2:], np.float64) - start + 1
    moved = start + (chance[:, 1:3] - 0.5) * 1.4 * sides
    factor = np.exp((chance[:, 1:3] - 0.5) * 2.0)
    scaled = start + chance[:, 3:5] * sides * (1 - factor)
    is_moved = chance[:, :1] < 0.5
    low = np.rint(np.where(is_moved, moved, scaled))
    high = low + np.maximum(np.rint(np.where(is_moved, sides, factor * sides)), 1) - 1
    return np.concatenate([low, high], axis=1).astype(np.int64)


def _nearby(box: Corners) -> Ints:
    """Boxes whose edges are a few pixels away, and halves: for what is so small or large that chance finds none."""
    x_min, y_min, x_max, y_max = box
    x_mid, y_mid = (x_min + x_max) // 2, (y_min + y_max) // 2
    halves = [(x_min, y_min, x_mid, y_max), (x_min, y_min, x_max, y_mid)]
    steps = np.array(list(product(range(-_NEAR, _NEAR + 1), repeat=4)), np.int64)
    return np.concatenate([np.array(halves, np.int64), np.array(box, np.int64) + steps])


def _is_bad(made: Ints, good: np.ndarray, others: Sequence[Corners]) -> Bools:
    corners = made.astype(np.float64)
    overlap = iou(corners, good, inclusive=True)
    bad = (overlap >= BAD[0]) & (overlap <= BAD[1]) & (np.abs(corners - good).max(axis=1) >= VISIBLE)
    for other in others:
        bad &= iou(corners, np.array(other, np.float64), inclusive=True) <= BAD[1]
    return np.asarray(bad, np.bool_)


def _inside(made: Ints, width: int, height: int) -> Bools:
    low, high = made[:, :2], made[:, 2:]
    return np.asarray((low >= 0).all(axis=1) & (high < (width, height)).all(axis=1) & (low <= high).all(axis=1))


def gold_questions(known: KnownImage, key: str = "") -> Iterator[GoldQuestion]:
    """The questions that follow from what is known of an image: each box is good, and so each made of it is bad; and
    where they are all there are, all but one are not. Which one is taken away, and what bad ones are, follows from
    `key`."""
    for place, box in enumerate(known.boxes):
        yield GoldQuestion(known.candidate, Kind.QUALITY, (box,), True)
        others = known.boxes[:place] + known.boxes[place + 1 :]
        bad = perturbed(box, known.width, known.height, f"{key} {known.candidate} {box}", others)
        if bad is not None:
            yield GoldQuestion(known.candidate, Kind.QUALITY, (bad,), False, Reason.LOOSE)
    if known.complete:
        yield GoldQuestion(known.candidate, Kind.COVERAGE, known.boxes, True)
        if known.boxes:
            yield GoldQuestion(known.candidate, Kind.COVERAGE, _without_one(known, key), False)


def _without_one(known: KnownImage, key: str) -> tuple[Corners, ...]:
    """All boxes but one: of those that stand alone, where there are, as what another box covers is not missed."""
    corners = np.array(known.boxes, np.float64)
    overlap = iou(corners[:, None], corners[None], inclusive=True)
    np.fill_diagonal(overlap, 0)
    alone = np.flatnonzero(overlap.max(axis=1) < SAME).tolist() or list(range(len(corners)))
    away = alone[draw(key, known.candidate, "away") % len(alone)]
    return tuple(box for place, box in enumerate(known.boxes) if place != away)


def choose(known: Iterable[KnownImage], most: int, key: str = "") -> list[GoldQuestion]:
    """At most `most` gold questions of each kind from images of one synset, half of them yes and half no; images are
    taken in an order drawn by `key`, none more than is needed."""
    found: list[GoldQuestion] = []
    count = Counter[tuple[Kind, bool]]()
    share = {True: most - most // 2, False: most // 2}
    for image in sorted(known, key=lambda one: draw(key, one.candidate)):
        for one in gold_questions(image, key):
            if count[one.kind, one.answer] < share[one.answer]:
                count[one.kind, one.answer] += 1
                found.append(one)
        if all(count[kind, answer] >= share[answer] for kind in (Kind.QUALITY, Kind.COVERAGE) for answer in share):
            break
    return found


def questions_on_a_page(kind: Kind, has_gold: bool) -> int:
    """How many questions that are not gold a page is made of, so that there is room where the synset has gold."""
    return PAGE_SIZE[kind] - (has_gold and PAGE_SIZE[kind] > 1)


def with_gold(asked: Sequence[int], gold: Mapping[int, bool], kind: Kind, round: int, key: str) -> tuple[int, ...]:
    """The ids of the questions on a page: those `asked`, and some gold of their kind and synset among them.

    `gold` has the ids of gold questions, and whether the answer is yes. As with labels it is one of twelve at first, on
    fewer pages later (`holotype.crowd.gold.gold_share`); all of them are `PAGE_SIZE` at most. Which and where follows
    from `key`, that of the page: who resumes a campaign asks the same, and no place tells gold from the rest.
    """
    room = PAGE_SIZE[kind] - len(asked)
    wanted = max(int(gold_share(round) * len(asked) + draw(key) / 2**64), round == 1)
    free = {number: yes for number, yes in gold.items() if number not in asked}
    chosen = balanced(free, key)[: min(wanted, room) if room > 0 else 0]
    return tuple(sorted((*asked, *chosen), key=lambda number: draw(key, number)))
