"""What is remembered of the labels drawn last: what they were drawn from, by what model, and how far a campaign was."""

from __future__ import annotations

import io
import json
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection

from holotype.catalog import labels, learned
from holotype.catalog.labels import Labels
from holotype.catalog.votes import Counts
from holotype.consensus.ballot import Ints
from holotype.consensus.recall import Learned, Recall
from holotype.consensus.two_coin import Priors
from holotype.crowd.ballots import Axes
from holotype.crowd.columns import NOWHERE
from holotype.crowd.conclusion import FREE, GUARDS, STATES, Conclusion, Memory, Policy
from holotype.crowd.division import Division
from holotype.crowd.imageable import is_incremental
from holotype.crowd.policy_names import parse_policy
from holotype.crowd.tally import Tally
from holotype.errors import CrowdError
from holotype.project.drawing import TASKS_AT_ONCE
from holotype.project.facts import read_alarms

_MODEL: Final = "model"
_OPENED: Final = "opened"
Arrays = Mapping[str, npt.NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Drawn:
    """What labels were drawn from: the policy, and all there was to go by.

    `fitted` is the number of votes that the policy concluded all labels from, `appended` how many came since of which
    only the candidates they touch were concluded again. `round` is the newest round of the campaign; it was `done`, or
    not.
    """

    policy: str
    counts: Counts
    fitted: int
    round: int
    done: bool
    appended: int = 0

    def is_of(self, policy: Policy, counts: Counts) -> bool:
        """Whether a policy would draw just these labels of what there is, all anew."""
        return not self.appended and self.counts == counts and self.policy == str(policy) and _is_named(policy)


def _is_named(policy: Policy) -> bool:
    """Whether a policy's name says all that it goes by, as those of holotype's own do."""
    try:
        return str(parse_policy(str(policy))) == str(policy)
    except CrowdError:
        return False


def read_drawn(connection: Connection) -> Drawn | None:
    """What labels were drawn from last; None where that is not known."""
    told = learned.drawn(connection)
    if told is None:
        return None
    values = json.loads(told)
    return Drawn(**{**values, "counts": Counts(**values["counts"])})


def appended_votes(connection: Connection) -> int:
    """The number of votes that came since all labels were drawn and of which only what they touch was concluded."""
    drawn = read_drawn(connection)
    return 0 if drawn is None else drawn.appended


def note_appended(connection: Connection, number: int) -> None:
    """Note that so many labels were concluded without all the others."""
    if (drawn := read_drawn(connection)) is not None:
        write_drawn(connection, replace(drawn, done=False, appended=drawn.appended + number))


def write_drawn(connection: Connection, drawn: Drawn) -> None:
    """Say what labels are drawn from now."""
    learned.set_drawn(connection, json.dumps(asdict(drawn)))


def remember(connection: Connection, policy: Policy, memory: Memory, axes: Axes, pilot: Ints | None) -> None:
    """Keep what it takes to conclude of a few candidates again: what was learned, on which axes, and the candidates of
    the pilot."""
    learned.put(connection, _MODEL, _to_bytes(memory, axes, pilot) if is_incremental(policy) else b"")


def remember_division(connection: Connection, rule: Division, counts: Counts, appended: int) -> None:
    """Keep what labels of several layers are drawn from; what each learned is not kept."""
    write_drawn(connection, Drawn(str(rule), counts, counts.votes, 0, False, appended))
    for name in (_MODEL, _OPENED):
        learned.put(connection, name, b"")


def remember_rounds(connection: Connection, policy: Policy, counts: Counts, tally: Tally) -> None:
    """Keep what labels are drawn from, and what was open when the tally's rounds began."""
    write_drawn(connection, Drawn(str(policy), counts, tally.votes_cast, tally.last_round, tally.done))
    learned.put(connection, _OPENED, _opened_to_bytes(tally))


def forget_rounds(connection: Connection, policy: Policy, counts: Counts, fitted: int, last: int) -> None:
    """Keep what labels are drawn from, and nothing of the rounds up to the `last`."""
    write_drawn(connection, Drawn(str(policy), counts, fitted, last, False))
    learned.put(connection, _OPENED, b"")


def recall(connection: Connection, policy: Policy, tally: Tally) -> Conclusion | None:
    """What is concluded of a tally as the labels say, which it knows from now on; None where they do not say it of
    every task."""
    number = tally.tasks.number
    tasks, at_once = len(number), TASKS_AT_ONCE
    if tasks > at_once and labels.drawn(connection) != tasks:
        return None
    found = Conclusion(np.empty(tasks, np.int8), np.empty(tasks), np.empty(tasks, np.int8), read_alarms(connection))
    for start in range(0, max(tasks, 1), at_once):
        some = slice(start, start + at_once)
        held = labels.read(connection, number[some].tolist() if tasks > at_once else None)
        if not _recalled(held, found, number, some):
            return None
    tally.remember(policy, found)
    tally.opened = _opened_from_bytes(learned.read(connection, _OPENED) or b"", tally)
    return found


def _recalled(held: Labels, found: Conclusion, number: Ints, some: slice) -> bool:
    """Whether labels are of just some tasks, by their numbers; what they say of those is what was found then."""
    if not np.array_equal(held.candidate, np.sort(number[some])):
        return False
    of = held.take(np.searchsorted(held.candidate, number[some]))
    states = np.array([STATES.index(state) for state in map(str, held.states)], np.int8)
    guards = np.array([FREE if name is None else list(map(str, GUARDS)).index(name) for name in held.guards], np.int8)
    if found.guard is not None and len(of):
        found.state[some], found.scores[some], found.guard[some] = states[of.state], of.posterior, guards[of.guard]
    return True


def read_model(connection: Connection) -> tuple[Memory, Axes, Ints] | None:
    """What was learned of all votes, on which axes, and the candidates of the pilot; None where nothing is kept."""
    told = learned.read(connection, _MODEL)
    return _from_bytes(told) if told else None


def _opened_to_bytes(tally: Tally) -> bytes:
    """Which candidates were open when rounds began: for each, bit number id is of a candidate."""
    numbers = tally.tasks.number
    bits = {}
    for number, mask in tally.opened.items():
        row = np.zeros(int(numbers.max(initial=0)) + 1, bool)
        row[numbers[mask]] = True
        bits[str(number)] = np.packbits(row)
    return _packed(bits)


def _opened_from_bytes(told: bytes, tally: Tally) -> dict[int, npt.NDArray[np.bool_]]:
    rounds = _unpacked(told)
    return {int(number): np.unpackbits(bits).astype(bool)[tally.tasks.number] for number, bits in rounds.items()}


def _to_bytes(memory: Memory, axes: Axes, pilot: Ints | None) -> bytes:
    model = memory.model
    beliefs = () if model is None else model.beliefs
    about = {
        "workers": list(axes.workers),
        "wnids": list(axes.wnids),
        "batches": list(axes.batches),
        "useless": memory.useless,
        "beliefs": [{"priors": asdict(one.priors), "share": one.share, "hard": one.hard} for one in beliefs],
        "cliques": [] if model is None else [clique.tolist() for clique in model.cliques],
    }
    arrays = {
        "groups": None if model is None else model.groups,
        "stranger": memory.stranger,
        "pilot": pilot,
        "hopeless": memory.hopeless,
    }
    for at, one in enumerate(beliefs):
        arrays |= {f"{name}{at}": getattr(one, name) for name in _OF_BELIEFS}
    told = {name: array for name, array in arrays.items() if array is not None}
    return _packed({"about": np.frombuffer(json.dumps(about).encode(), np.uint8), **told})


_OF_BELIEFS: Final = ("workers", "population", "rates", "difficulty")


def _from_bytes(told: bytes) -> tuple[Memory, Axes, Ints]:
    arrays = _unpacked(told)
    about = json.loads(arrays["about"].tobytes())
    model = None
    if about["beliefs"]:
        beliefs = tuple(_belief(one, arrays, at) for at, one in enumerate(about["beliefs"]))
        model = Recall(beliefs, tuple(np.array(clique, np.int64) for clique in about["cliques"]), arrays["groups"])
    memory = Memory(model, about["useless"], arrays.get("stranger"), None, arrays.get("hopeless"))
    pilot = arrays.get("pilot")
    axes = Axes(about["workers"], about["wnids"], about["batches"])
    return memory, axes, np.zeros(0, np.int64) if pilot is None else pilot


def _belief(told: Mapping[str, Any], arrays: Arrays, at: int) -> Learned:
    workers, population, rates, difficulty = (arrays.get(f"{name}{at}") for name in _OF_BELIEFS)
    if workers is None or population is None or rates is None:
        raise CrowdError("what was learned of the crowd is not whole: draw all labels again")
    return Learned(Priors(**told["priors"]), told["share"], workers, population, told["hard"], rates, difficulty)


def on_touched(memory: Memory, pilot: Ints, tally: Tally) -> Memory:
    """The memory for a ballot of a tally that holds a few candidates only."""
    places = tally.places_of(pilot)
    return replace(memory, pilot=places[places != NOWHERE])


def _packed(arrays: Arrays) -> bytes:
    held = io.BytesIO()
    np.savez(held, **dict(arrays))  # type: ignore[arg-type]
    return zlib.compress(held.getvalue(), 1)


def _unpacked(told: bytes) -> dict[str, npt.NDArray[Any]]:
    if not told:
        return {}
    with np.load(io.BytesIO(zlib.decompress(told)), allow_pickle=False) as held:
        return {name: held[name] for name in held.files}
