"""An auditor at work: which label of a plan to look at next, and what they said; blind to what anybody else said."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from holotype.audits.certificates import same_person
from holotype.catalog import audits, candidates, corrections, pictures, schema, votes
from holotype.catalog.audits import Planned
from holotype.consensus.votes import Answer
from holotype.crowd.conclusion import State
from holotype.crowd.keys import audit_key
from holotype.errors import CrowdError
from holotype.images.served import LARGE_SIDE
from holotype.project.parts import Parts

Pair = tuple[str, str]
"""An image and a synset, by (sha256, wnid)."""


@dataclass(frozen=True, slots=True)
class PlanProgress:
    """How far the newest plan of a target has come: how many labels were drawn at a Unix time, how many of them nobody
    needs to look at any more, and how many are `left` for whoever asks."""

    wnid: str
    size: int
    at: float
    done: int
    left: int

    @property
    def complete(self) -> bool:
        """Whether all is looked at."""
        return self.done == self.size


@dataclass(frozen=True, slots=True)
class Asked:
    """A label that an auditor is to look at: its synset, its place in the sample, from 1, the key of its picture's
    address, the picture's width and height, and what they said of it, if they did."""

    wnid: str
    position: int
    key: str
    size: tuple[int, int]
    said: Answer | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """A plan as it lies before an auditor: its sample as candidate ids; of these, those that `wait` for anybody, and
    those that wait and that the auditor may look at, in the order in which they do; and what the auditor said, newest
    last."""

    plan: Planned
    auditor: str
    sample: Sequence[int]
    wait: frozenset[int]
    mine: Sequence[int]
    said: dict[int, Answer]

    @property
    def progress(self) -> PlanProgress:
        """How far it has come."""
        done = len(self.sample) - len(self.wait)
        return PlanProgress(self.plan.wnid, len(self.sample), self.plan.at, done, len(self.mine))

    def position(self, number: int) -> int:
        """The place of a candidate in the sample, from 1."""
        return self.sample.index(number) + 1

    def after(self, position: int) -> int | None:
        """The candidate to look at when that at a position is put off; the first for 0, None where nothing is left."""
        if not self.mine:
            return None
        known = 0 < position <= len(self.sample) and self.sample[position - 1] in self.mine
        place = self.mine.index(self.sample[position - 1]) + 1 if known else 0
        return self.mine[place % len(self.mine)]


def tables(connection: Connection, auditor: str) -> list[Table]:
    """The newest plan of each target, oldest first, as it lies before an auditor; void ones are left out."""
    newest = {plan.wnid: plan for plan in audits.plans(connection)}
    return [_table(connection, plan, auditor) for plan in newest.values() if plan.labels]


def table(connection: Connection, wnid: str, auditor: str) -> Table:
    """The newest plan of a target. Raises `CrowdError` where there is none."""
    found = [plan for plan in audits.plans(connection) if plan.wnid == wnid]
    if not found or not found[-1].labels:
        raise CrowdError(f"no audit of {wnid} is planned")
    return _table(connection, found[-1], auditor)


def _table(connection: Connection, plan: Planned, auditor: str) -> Table:
    sample, me = audits.sample_of(connection, plan.id), same_person(auditor)
    spoken = audits.said_of(connection, sample)
    seen = {number for number, _, _ in spoken}
    states, shown = candidates.states(connection, sample), pictures.shown(connection, sample)
    wait = [one for one in sample if one not in seen and states[one] == State.YES]
    free = [one for one in wait if one in shown and not shown[one].hidden]
    voted, ruled = votes.voters(connection, free), corrections.history(connection, schema.overruling, free)
    involved = {number: set(map(same_person, names)) for number, names in voted.items()}
    for one in ruled:
        involved.setdefault(one.candidate, set()).add(same_person(one.by))
    mine = sorted((one for one in free if me not in involved.get(one, ())), key=_order(plan.seed, me))
    said = {number: Answer(answer) for number, name, answer in spoken if same_person(name) == me}
    return Table(plan, auditor, sample, frozenset(wait), mine, said)


def _order(seed: str, auditor: str) -> Callable[[int], bytes]:
    """An order of candidates for each auditor: two of them look at different ones first."""
    return lambda number: hashlib.sha256(f"{seed} {auditor} {number}".encode()).digest()


def asked(connection: Connection, parts: Parts, lies: Table, number: int) -> Asked:
    """A label of a sample as it is shown to the auditor."""
    (wnid,) = (pair[1] for pair in candidates.pairs(connection, [number]).values())
    position = lies.position(number)
    key = audit_key(parts.salt, lies.plan.seed, position, lies.auditor)
    return Asked(wnid, position, key, _size(connection, number), lies.said.get(number))


def _size(connection: Connection, number: int) -> tuple[int, int]:
    found = pictures.shown(connection, [number]).get(number)
    if found is None or not found.width:
        return LARGE_SIDE, LARGE_SIDE * 3 // 4
    scale = min(1.0, LARGE_SIDE / max(found.width, found.height))
    return max(1, round(found.width * scale)), max(1, round(found.height * scale))
