"""Conclusions as labels: what policies, gold and curators say, as it is written."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from sqlalchemy import Connection

from holotype.catalog import candidates, labels
from holotype.catalog.labels import Labels
from holotype.consensus.ballot import Ints
from holotype.crowd.columns import NOWHERE
from holotype.crowd.conclusion import GUARDS, STATES, Conclusion, Policy, State
from holotype.crowd.expert import CURATOR
from holotype.crowd.tally import Tally
from holotype.project.facts import read_gold, read_rulings


def labels_of(tally: Tally, conclusion: Conclusion, policy: Policy) -> Labels:
    """What is concluded of tasks as labels."""
    known = tally.known
    policies = [str(policy), "gold", *sorted({CURATOR + ruling.curator for ruling in known.rulings.values()})]
    drawn_by = np.zeros(len(tally.tasks), np.int64)
    ruled = tally.places_of(np.array(list(known.rulings), np.int64))
    by = np.array([policies.index(CURATOR + ruling.curator) for ruling in known.rulings.values()], np.int64)
    drawn_by[ruled[ruled != NOWHERE]] = by[ruled != NOWHERE]
    gold = tally.places_of(np.array([task.number for task in known.gold], np.int64))
    drawn_by[gold[gold != NOWHERE]] = policies.index("gold", 1)
    guard = np.zeros(len(tally.tasks), np.int64) if conclusion.guard is None else conclusion.guard + 1
    names = [str(state) for state in STATES], policies, [None, *map(str, GUARDS)]
    return Labels(tally.tasks.number.astype(np.int64), conclusion.scores, conclusion.state, drawn_by, guard, *names)


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
