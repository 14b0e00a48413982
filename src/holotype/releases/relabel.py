"""Labels drawn again from what a release ships: its votes, what is known beside them, and its policy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from holotype.consensus.ballot import UNKNOWN, Floats, Ints
from holotype.consensus.votes import Ruling, Task
from holotype.crowd.alarms import Alarm
from holotype.crowd.columns import Chances, InMemory, Known, Rounds, Sightings, Tasks, Votes
from holotype.crowd.conclusion import STATES, State
from holotype.crowd.division import Rule
from holotype.crowd.expert import CURATOR
from holotype.crowd.layers import Layer, Ranges, layers_of
from holotype.crowd.policy_names import GOLD
from holotype.crowd.tally import Tally
from holotype.ontology import Ontology
from holotype.releases.joins import NOWHERE, Mask
from holotype.releases.shipped import Shipped, sources_of

_YES, _NO, _OPEN = (STATES.index(state) for state in (State.YES, State.NO, State.OPEN))


@dataclass(frozen=True, slots=True)
class Relabelled:
    """What a release's votes and policy come to, ``(candidates,)`` each: `state` are places in `STATES`, `policy`
    places among the `policies`, or `NOWHERE`; and what the votes cannot tell."""

    state: npt.NDArray[np.int8]
    score: Floats
    policy: Ints
    policies: Sequence[str]
    alarms: tuple[Alarm, ...]

    @property
    def accepted(self) -> Mask:
        """Which candidates are labelled yes, ``(candidates,)``."""
        return np.asarray(self.state == _YES)

    def states(self) -> pa.Array:
        """The names of the states."""
        names = pa.array([str(state) for state in STATES], pa.string())
        return pa.DictionaryArray.from_arrays(pa.array(self.state), names).cast(pa.string())


def relabel(shipped: Shipped, rule: Rule | None, ontology: Ontology) -> Relabelled:
    """The label of every candidate, drawn by a rule as a project draws it: by the same functions of the same columns.

    Without a rule none were drawn: there is what datasets said, and what gold and curators say of that.
    """
    names, said = _sayings(shipped)
    label = _undrawn(shipped, said, len(names), rule is not None)
    names = [*names, *shipped.datasets]
    alarms: list[Alarm] = []
    for number, layer in enumerate([] if rule is None else layers_of(rule, ontology)):
        tally = _tally(shipped, layer, number)
        found, mine = tally.conclude(layer.policy), layer.owned(tally, ontology)
        chosen = np.arange(len(tally.tasks)) if mine is None else np.flatnonzero(mine)
        rows = tally.tasks.number[chosen]
        label.state[rows], label.score[rows] = found.state[chosen], found.scores[chosen]
        label.policy[rows] = np.where(said[rows] == NOWHERE, len(names), said[rows])
        names.append(str(layer.policy))
        alarms += found.alarms
    return replace(label, policies=names, alarms=tuple(dict.fromkeys(alarms)))


def _sayings(shipped: Shipped) -> tuple[list[str], Ints]:
    """The policies of what gold and curators say, and the place of each candidate's among them, or `NOWHERE`."""
    ruled = np.flatnonzero(shipped.ruling != UNKNOWN)
    curators = shipped.evidence["curator"].take(pa.array(ruled)).to_pylist()
    names = [GOLD, *sorted({CURATOR + name for name in curators})]
    said = np.full(len(shipped), NOWHERE)
    said[ruled] = [names.index(CURATOR + name) for name in curators]
    said[shipped.gold != UNKNOWN] = 0
    return names, said


def _undrawn(shipped: Shipped, said: Ints, sayings: int, drawn: bool) -> Relabelled:
    """The labels of candidates that no policy concludes of; where none were `drawn` at all, gold and curators decide
    only what a dataset labels. The places of datasets come after those of `sayings`."""
    claimed = shipped.dataset != NOWHERE
    decided = (said != NOWHERE) & (claimed | drawn) & shipped.column("asked").astype(bool)
    answer = np.where(decided, np.where(shipped.gold != UNKNOWN, shipped.gold, shipped.ruling), claimed)
    state = np.where(answer == 1, _YES, np.where(decided, _NO, _OPEN)).astype(np.int8)
    policy = np.where(decided, said, np.where(claimed, shipped.dataset + sayings, NOWHERE))
    return Relabelled(state, answer.astype(np.float64), policy, (), ())


def _tally(shipped: Shipped, layer: Layer, number: int) -> Tally:
    """What a layer hears of, which is number `number`, as the tally of a project that has only that; the tasks are
    called by their rows."""
    ranks = shipped.column("rank")
    asked = shipped.column("asked").astype(bool)
    here = np.flatnonzero(asked if layer.ranges is None else asked & _within(ranks, layer.ranges))
    _, first, synset = np.unique(ranks[here], return_index=True, return_inverse=True)
    wnids = [shipped.wnids[one] for one in shipped.synset[here][first].tolist()]
    tasks = Tasks(here, synset, np.zeros(len(here), np.int64), wnids)
    return Tally(tasks, _votes(shipped, layer, ranks), _known(shipped, number), InMemory(()))


def _votes(shipped: Shipped, layer: Layer, ranks: Ints) -> Votes:
    """The votes that a layer hears; of what newer ones have taken only the early ones."""
    heard = shipped.row != NOWHERE
    for ranges, until in layer.taken:
        taken = heard & _within(np.where(heard, ranks[shipped.row], NOWHERE), ranges)
        heard &= ~(taken & (np.arange(len(heard)) >= until))
    chosen = np.flatnonzero(heard)
    columns = shipped.row[chosen], shipped.worker[chosen], shipped.answer[chosen], np.zeros(len(chosen), np.int32)
    return Votes(*columns, shipped.workers)


def _known(shipped: Shipped, layer: int) -> Known:
    gold, ruled = (np.flatnonzero(one != UNKNOWN) for one in (shipped.gold, shipped.ruling))
    wnids = shipped.synset[gold].tolist()
    curators = shipped.evidence["curator"].take(pa.array(ruled)).to_pylist()
    prior = shipped.column("prior")
    believed = np.flatnonzero(prior > 0)
    rounds = shipped.rounds(layer)
    asked = np.flatnonzero(rounds)
    return Known(
        {
            Task(row, shipped.wnids[synset], ""): answer == 1
            for row, synset, answer in zip(gold.tolist(), wnids, shipped.gold[gold].tolist(), strict=True)
        },
        chances=Chances(believed, prior[believed]),
        rulings={
            row: Ruling(answer == 1, curator)
            for row, answer, curator in zip(ruled.tolist(), shipped.ruling[ruled].tolist(), curators, strict=True)
        },
        found=Sightings(*sources_of(shipped.evidence)),
        rounds=Rounds(asked, rounds[asked]),
    )


def _within(ranks: Ints, ranges: Ranges) -> Mask:
    found = np.zeros(len(ranks), bool)
    for start, stop in ranges:
        found |= (ranks >= start) & (ranks < stop)
    return found
