"""Labels from more votes than fit in memory: read from the catalog, concluded and written a shard at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final, TypeGuard

import numpy as np
from sqlalchemy import Connection

from holotype.catalog import candidates, kept_counts, labels, priors, statements, votes, workers
from holotype.catalog.labels import Labels
from holotype.catalog.votes import Counts
from holotype.consensus.ballot import UNKNOWN, Ballot, Ints
from holotype.consensus.shards import Shard
from holotype.consensus.votes import Ruling, Task
from holotype.crowd.ballots import Axes
from holotype.crowd.columns import NO_VOTES, InMemory, Known, Tasks
from holotype.crowd.conclusion import Memory, Policy
from holotype.crowd.division import Division, Rule
from holotype.crowd.sharded import ShardedConclusion, conclude_shards, goes_by_shards, room_for_shards
from holotype.crowd.tally import Tally
from holotype.project.drawing import decide_others, labels_of
from holotype.project.facts import read_part
from holotype.project.memory import forget_rounds, remember
from holotype.project.parts import Parts

TASKS_AT_ONCE: Final = 250_000
"""Candidates of a shard that is read from the catalog."""


@dataclass(frozen=True, slots=True)
class _Part:
    """A shard of the catalog: its candidates by their numbers, in a file, what gold and curators say of them, the keys
    of its batches, and how many votes were cast on it, up to which round."""

    shard: Shard
    numbers: Path
    gold: Mapping[Task, bool]
    rulings: Mapping[int, Ruling]
    batches: Sequence[str]
    votes: int
    last_round: int

    def of(self) -> Tally:
        """Its candidates, and what is known of them."""
        number = np.load(self.numbers)
        nothing = np.zeros(len(number), np.int64)
        return Tally(
            Tasks(number, nothing, nothing, ()), NO_VOTES, Known(self.gold, (), rulings=self.rulings), _NOTHING
        )

    def places_of(self, numbers: Ints) -> Ints:
        """The place of each number among its candidates, or `NOWHERE`."""
        return self.of().places_of(numbers)


_NOTHING: Final = InMemory(())


@dataclass(frozen=True, slots=True)
class _Read:
    """All that labels follow from, as it was: the parts, and what the numbers in them mean."""

    parts: Sequence[_Part]
    axes: Axes
    counts: Counts
    last: str | None
    ontology: str | None

    def is_all(self, connection: Connection) -> bool:
        """Whether there is no more to go by now."""
        now = votes.evidence_counts(connection), labels.last_policy(connection), _ontology(connection)
        return now == (self.counts, self.last, self.ontology)


def can_be_sharded(rule: Rule, parts: Parts) -> TypeGuard[Policy]:
    """Whether labels can be drawn by a rule shard by shard: by one policy, of which each task needs its own votes and
    what adds up over all."""
    with parts.catalog.read() as connection:
        return not isinstance(rule, Division) and goes_by_shards(rule, workers.counting(connection))


def draw_by_shards(parts: Parts, policy: Policy) -> int | None:
    """Draw all labels by a policy that `can_be_sharded`; how many changed, or None, and nothing is written, if there is
    more to go by than was read."""
    with room_for_shards() as folder:
        with parts.catalog.read() as connection:
            read = _read(connection, parts, folder)
        found = conclude_shards(policy, [part.shard for part in read.parts], folder)
        return parts.catalog.transact(partial(_write, read=read, found=found, policy=policy))


def conclude_by_shards(parts: Parts, policy: Policy) -> Iterator[Labels]:
    """What a policy that `can_be_sharded` concludes of all there is, a shard at a time, which nothing is done with."""
    with room_for_shards() as folder:
        with parts.catalog.read() as connection:
            read = _read(connection, parts, folder)
        found = conclude_shards(policy, [part.shard for part in read.parts], folder)
        for part, (_, conclusion) in zip(read.parts, found, strict=True):
            yield labels_of(part.of(), conclusion, policy)


def _ontology(connection: Connection) -> str | None:
    return statements.meta(connection, statements.ONTOLOGY)


# Reading


def _read(connection: Connection, parts: Parts, folder: Path) -> _Read:
    counts, last, ontology = votes.evidence_counts(connection), labels.last_policy(connection), _ontology(connection)
    blocked = workers.blocked(connection).keys()
    names = [name for name in workers.everybody(connection)[1] if name not in blocked]
    has_priors = bool(len(priors.read(connection).candidate)) if counts.priors else False
    found: list[_Part] = []
    wnids: list[str] = []
    for tasks, first in _tasks(connection):
        if first:
            wnids += tasks.wnids
        start = found[-1].shard.stop if found else 0
        tally = read_part(connection, parts.catalog, tasks)
        axes = replace(tally.axes(), workers=names, wnids=wnids)
        found.append(_part(folder / f"{len(found):06d}.npz", start, tally, axes, has_priors))
    return _Read(*_on_one_axis(found, names, wnids), counts, last, ontology)


def _tasks(connection: Connection) -> Iterator[tuple[candidates.Tasks, bool]]:
    """All that is asked about, `TASKS_AT_ONCE` at most at once, and whether its synsets come for the first time; a
    synset with more candidates comes in parts."""
    for ranks in _ranks_at_once(candidates.asked_by_rank(connection)):
        tasks = candidates.tasks(connection, ranges=[ranks])
        for start in range(0, max(len(tasks.candidate), 1), TASKS_AT_ONCE):
            some = slice(start, start + TASKS_AT_ONCE)
            columns = tasks.candidate[some], tasks.image[some], tasks.synset[some]
            yield candidates.Tasks(*columns, tasks.wnids), start == 0


def _ranks_at_once(counts: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Half-open ranges of ranks, of which each has about `TASKS_AT_ONCE` candidates or one rank; one at least."""
    first, held = counts[0][0] if counts else 0, 0
    for rank, count in counts:
        if held and held + count > TASKS_AT_ONCE:
            yield first, rank
            first, held = rank, 0
        held += count
    yield first, counts[-1][0] + 1 if counts else 0


def _part(path: Path, start: int, tally: Tally, axes: Axes, has_priors: bool) -> _Part:
    ballot = _filled(tally, axes, has_priors)
    numbers = path.with_suffix(".npy")
    np.save(numbers, tally.tasks.number)
    shard = Shard(path, start, start + ballot.tasks, 0, ballot.workers, ballot.synsets, ballot.answers)
    known = tally.known.gold, tally.known.rulings
    return _Part(shard.write(path, ballot), numbers, *known, axes.batches, tally.votes_cast, tally.last_round)


def _filled(tally: Tally, axes: Axes, has_priors: bool) -> Ballot:
    """The votes of a tally, task by task, with the columns that all shards have."""
    ballot = tally.ballot_on(axes)
    if ballot is None:
        raise RuntimeError("a shard has synsets or batches that were not read with it")
    ballot = ballot.keep(np.argsort(ballot.task, kind="stable"))
    nothing = np.full(ballot.tasks, UNKNOWN)
    return replace(
        ballot,
        known=nothing if ballot.known is None else ballot.known,
        ruled=nothing if ballot.ruled is None else ballot.ruled,
        batch=np.zeros(ballot.tasks, np.int64) if ballot.batch is None else ballot.batch,
        prior=np.full(ballot.tasks, np.nan) if ballot.prior is None and has_priors else ballot.prior,
    )


def _on_one_axis(found: Sequence[_Part], names: list[str], wnids: list[str]) -> tuple[list[_Part], Axes]:
    """The parts on the axes of all, and these; each had its own batches."""
    batches = sorted({_key(key) for part in found for key in part.batches})
    place = {key: number for number, key in enumerate(batches)}
    made = []
    for part in found:
        codes = np.array([place[_key(key)] for key in part.batches], np.int64)
        shard = replace(part.shard, synsets=len(wnids))
        ballot = shard.read()
        batch = codes[ballot.batch] if len(codes) else ballot.batch
        made.append(replace(part, shard=shard.write(shard.path, replace(ballot, batch=batch))))
    return made, Axes(names, wnids, batches)


def _key(key: str) -> str:
    """The key of a batch as where some images were found somewhere; it is a round alone where none was."""
    return key if key.startswith("(") else str(([], int(key)))


# Writing


def _write(connection: Connection, read: _Read, found: ShardedConclusion, policy: Policy) -> int | None:
    if not read.is_all(connection):
        return None
    kept_counts.fold(connection)
    changed = 0
    for part, (_, conclusion) in zip(read.parts, found, strict=True):
        changed += put_in_parts(connection, labels_of(part.of(), conclusion, policy))
    changed += decide_others(connection, [part.places_of for part in read.parts])
    labels.set_last_policy(connection, str(policy), json.dumps([asdict(alarm) for alarm in found.alarms]))
    remember(connection, policy, found.memory, read.axes, _numbers(read.parts, found.memory))
    fitted, last = sum(part.votes for part in read.parts), max(part.last_round for part in read.parts)
    forget_rounds(connection, policy, read.counts, fitted, last)
    return changed


def put_in_parts(connection: Connection, found: Labels) -> int:
    """Write labels, so many at once that only theirs are looked up; how many changed."""
    starts = range(0, len(found), labels.FEW)
    parts = (found.take(np.arange(start, min(start + labels.FEW, len(found)))) for start in starts)
    return sum(labels.put(connection, part) for part in parts)


def _numbers(parts: Sequence[_Part], memory: Memory) -> Ints | None:
    """The candidates of the pilot, by their numbers."""
    if memory.pilot is None:
        return None
    found = np.zeros(len(memory.pilot), np.int64)
    for part in parts:
        mine = (memory.pilot >= part.shard.start) & (memory.pilot < part.shard.stop)
        found[mine] = np.load(part.numbers)[memory.pilot[mine] - part.shard.start]
    return found
