"""Drawings of several people merged to instances: greedily by overlap, as we do, or by facility location.

    python bench/box_instances.py [--images 300] [--seeds 31 32 33]

Each of 2 to 5 simulated people boxes all they see in a picture of several instances, without a look at the others'
boxes. Greedy merging joins the most alike pairs first (`holotype.boxes.instances.instances`). Facility location
(Branson, Van Horn and Perona, CVPR 2017) opens drawings as instances and assigns the others to them, at most one of
each worker, so that costs are least: here by the greedy algorithm that opens, again and again, what costs least for
each drawing that it serves. Whatever merged them, an instance is accepted where two people agree, and its box is the
median of those who do.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence

import numpy as np

from holotype.boxes.instances import Drawing, instances
from holotype.boxes.port import Item
from holotype.boxes.values import Corners, Kind, Question
from holotype.geometry.boxes import SAME, iou
from holotype.simulation.box_rehearsal import Picture, made_pictures
from holotype.simulation.box_scores import matched
from holotype.simulation.drawers import PEOPLE, hire_drawer
from holotype.simulation.drawing import dice_of, drawn
from holotype.simulation.scenes import Scenes

OPEN = 0.3
"""What it costs to open an instance, beside one less the overlap of each drawing that it serves."""
ALONE = 0.5
"""What it costs to take a drawing as nobody's."""


def all_drawn(picture: Picture, people: Sequence[int], seed: int) -> list[Drawing]:
    """The drawings of some people who each box all they see."""
    subject, found = picture.subject, list[Drawing]()
    for number in people:
        who, mine = hire_drawer(PEOPLE, seed, number), list[Corners]()
        while len(mine) < 30:
            question = Question(subject.number, Kind.DRAW)
            item = Item(1, question, subject.sha256, subject.width, subject.height, None, tuple(mine))
            box = drawn(who, PEOPLE, item, picture.truth, dice_of(seed, who, subject.wnid, item)).box
            if box is None:
                break
            mine.append(box)
            found.append(Drawing(len(found) + 1, who.name, box))
    return found


def facilities(drawings: Sequence[Drawing]) -> list[list[Drawing]]:
    """The drawings that each opened instance serves."""
    corners = np.array([one.box for one in drawings], np.float64).reshape(-1, 4)
    cost = 1 - iou(corners[:, None], corners[None], inclusive=True)
    left, found = set(range(len(drawings))), []
    while left:
        best, served = min(((_ratio(at, left, drawings, cost)) for at in sorted(left)), key=lambda one: one[0])
        if best > ALONE:
            break
        found.append([drawings[at] for at in served])
        left -= set(served)
    return found + [[drawings[at]] for at in sorted(left)]


def _ratio(at: int, left: set[int], drawings: Sequence[Drawing], cost: np.ndarray) -> tuple[float, list[int]]:
    """What an instance costs for each drawing that it serves at best, and those."""
    nearest: dict[str, int] = {}
    for other in sorted(left, key=lambda one: cost[at, one]):
        if cost[at, other] <= 1 - SAME:
            nearest.setdefault(drawings[other].worker, other)
    served = list(nearest.values())
    costs = (OPEN + np.cumsum([cost[at, one] for one in served])) / np.arange(1, len(served) + 1)
    count = int(costs.argmin()) + 1
    return float(costs[count - 1]), served[:count]


def measured(name: str, scenes: Scenes, people: int, images: int, seeds: Sequence[int]) -> None:
    rows: dict[str, list[tuple[int, int, int, float]]] = {"greedy": [], "facility": []}
    for seed in seeds:
        for picture in made_pictures(images, scenes, seed):
            start = picture.subject.number * 7
            made = all_drawn(picture, range(start, start + people), seed)
            ways = {
                "greedy": [one.box for one in instances(made)],
                "facility": [one.box for some in facilities(made) for one in instances(some)],
            }
            for way, boxes in ways.items():
                best = matched(boxes, picture.truth)
                rows[way].append((len(boxes), sum(value > 0 for value in best), len(best), sum(best)))
    for way, counts in rows.items():
        boxes, right, true, overlap = np.sum(counts, axis=0)
        print(
            f"{name:24} {people} people  {way:9} instances right {right / boxes:.4f}, found {right / true:.4f}, "
            f"IoU {overlap / right:.4f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=300)
    parser.add_argument("--seeds", type=int, nargs="+", default=[31, 32, 33])
    asked = parser.parse_args()
    print(f"{os.cpu_count()} cores; {asked.images} images for each of {len(asked.seeds)} seeds")
    for name, scenes in (("several (3.6 an image)", Scenes(0.0, 1.6)), ("crowded (9 an image)", Scenes(0.0, 7.0))):
        for people in (2, 3, 4, 5):
            measured(name, scenes, people, asked.images, asked.seeds)


if __name__ == "__main__":
    main()
