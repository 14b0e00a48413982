"""Conclusions as labels: what policies, gold and curators say, as it is written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final

import numpy as np
from sqlalchemy import Connection

from holotype.catalog import candidates, labels
from holotype.catalog.labels import Labels
from holotype.consensus.ballot import Ints
from holotype.crowd.columns import NOWHERE
from holotype.crowd.conclusion import GUARDS, STATES, Conclusion, Policy, State
from holotype.crowd.expert import CURATOR
from holotype.crowd.guards import Mask
from holotype.crowd.tally import Tally
from holotype.project.facts import read_gold, read_rulings

TASKS_AT_ONCE: Final = 1_000_000
"""Tasks of which labels are made at once."""


def labels_of(tally: Tally, conclusion: Conclusion, policy: Policy) -> Labels:
    """What is concluded of tasks as labels."""
    return _labels(tally, conclusion, policy, slice(0, len(tally.tasks)))


def label_parts(tally: Tally, conclusion: Conclusion, policy: Policy) -> Iterator[Labels]:
    """`labels_of`, of so many tasks at once; one part at least."""
    for start in range(0, max(len(tally.tasks), 1), TASKS_AT_ONCE):
        yield _labels(tally, conclusion, policy, slice(start, min(start + TASKS_AT_ONCE, len(tally.tasks))))


def _labels(tally: Tally, conclusion: Conclusion, policy: Policy, some: slice) -> Labels:
    known, number = tally.known, tally.tasks.number[some]
    policies = [str(policy), "gold", *sorted({CURATOR + ruling.curator for ruling in known.rulings.values()})]
    drawn_by = np.zeros(len(number), np.int64)

    def within(numbers: Iterable[int]) -> tuple[Ints, Mask]:
        place = tally.places_of(np.array(list(numbers), np.int64))
        here = (place >= some.start) & (place < some.stop)
        return place[here] - some.start, here

    ruled, here = within(known.rulings)
    by = np.array([policies.index(CURATOR + ruling.curator) for ruling in known.rulings.values()], np.int64)
    drawn_by[ruled] = by[here]
    drawn_by[within(task.number for task in known.gold)[0]] = policies.index("gold", 1)
    guard = np.zeros(len(number), np.int64) if conclusion.guard is None else conclusion.guard[some] + 1
    names = [str(state) for state in STATES], policies, [None, *map(str, GUARDS)]
    return Labels(number.astype(np.int64), conclusion.scores[some], conclusion.state[some], drawn_by, guard, *names)


def decide_others(connection: Connection, places: Iterable[Callable[[Ints], Ints]] | None = None) -> int:
    """Say of labels that came with a dataset what gold and curators say; how many that changes.

    With the `places` of candidates in tallies, of all labels that these do not have: of images that cannot be read now,
    or of other synsets than the ontology's, or that no policy concludes of.
    """
    said = {number: (ruling.answer, CURATOR + ruling.curator) for number, ruling in read_rulings(connection).items()}
    said |= {task.number: (yes, "gold") for task, yes in read_gold(connection).items()}
    if places is not None:
        numbers = np.array(list(said), np.int64)
        nowhere = np.all([of(numbers) == NOWHERE for of in places], axis=0)
        left = np.sort(numbers[nowhere]).tolist()
    else:
        left = sorted(candidates.claimed(connection, said))
    states = candidates.states(connection, left)
    left = [number for number in left if states[number] != "withdrawn"]
    policies = sorted({by for _, by in said.values()})
    yes = np.array([said[number][0] for number in left], np.int64)
    by = np.array([policies.index(said[number][1]) for number in left], np.int64)
    columns = np.array(left, np.int64), yes.astype(np.float64), yes, by, np.zeros(len(left), np.int64)
    return labels.put(connection, Labels(*columns, [str(State.NO), str(State.YES)], policies, [None]))
