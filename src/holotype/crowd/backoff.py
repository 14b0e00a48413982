"""Backing off to an ancestor where the crowd splits between siblings.

A cat that some call Burmese and some Siamese is a cat for all of them: what cannot be decided for either may be decided
for their common ancestor.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod

from holotype.consensus.votes import Task
from holotype.crowd.conclusion import Conclusion, State

SEEN = 0.1
"""The least score of a synset that some of the crowd saw."""


@dataclass(frozen=True, slots=True)
class Split:
    """An image on which the crowd split between the synsets `wnids`; `ancestor` is to be asked about instead.

    `chance` is that of any of them, were the models of their votes independent.
    """

    sha256: str
    wnids: tuple[str, ...]
    ancestor: str
    chance: float


def split_images(
    tasks: Sequence[Task],
    conclusion: Conclusion,
    ancestor: Callable[[Sequence[str]], str | None],
    least: float = 0.5,
) -> list[Split]:
    """The images to back off with: nothing is decided yes, two or more synsets have some of the crowd for them, one at
    least is undecided, and together they reach the chance `least`.

    `ancestor` names a common ancestor near enough to be worth asking for, or None; an ancestor that is a task of the
    image already is not asked again.
    """
    images: dict[str, list[tuple[Task, State, float]]] = {}
    for task, state, score in zip(tasks, conclusion.states, conclusion.scores, strict=True):
        images.setdefault(task.sha256, []).append((task, state, float(score)))
    found = []
    for sha256, asked in images.items():
        states = {state for _, state, _ in asked}
        seen = [(task.wnid, score) for task, _, score in asked if score >= SEEN]
        chance = 1 - prod(1 - score for _, score in seen)
        if len(seen) < 2 or chance < least or State.UNDECIDED not in states or states & {State.YES, State.OPEN}:
            continue
        wnids = tuple(sorted(wnid for wnid, _ in seen))
        above = ancestor(wnids)
        if above is not None and above not in {task.wnid for task, _, _ in asked}:
            found.append(Split(sha256, wnids, above, chance))
    return found
