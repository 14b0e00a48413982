"""Policies that conclude shard by shard, of more votes than fit in memory: the same conclusions."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np

from holotype.consensus.ballot import Ballot, Floats, Ints
from holotype.consensus.recall import Recall, group_keys
from holotype.consensus.sharded import Believed, Census, fit_shards, said_of
from holotype.consensus.shards import Shard
from holotype.consensus.two_coin import useless_votes
from holotype.consensus.votes import is_machine
from holotype.crowd.alarms import Alarm, Seen, alarms_on, information_of, sides_of
from holotype.crowd.conclusion import FREE, Conclusion, Memory, Policy
from holotype.crowd.guards import Mask
from holotype.crowd.imageable import Imageable, give_up, hopeless_of, outcomes_of
from holotype.crowd.policies import Fixed, Lead, Posterior, only_known
from holotype.engine import map_batches
from holotype.errors import CrowdError

LARGE: Final = 5_000_000
"""Votes from which on labels are concluded shard by shard."""


@dataclass(frozen=True, slots=True)
class Concluded:
    """What is concluded of the tasks of a shard, in a file at `path`."""

    path: Path
    shard: Shard

    def read(self) -> Conclusion:
        """State, score and guard of every task."""
        with np.load(self.path, allow_pickle=False) as held:
            guard = held["guard"]
            return Conclusion(held["state"], held["scores"], guard if len(guard) else None)

    @classmethod
    def write(cls, folder: Path, shard: Shard, found: Conclusion) -> Concluded:
        """Keep a conclusion in a folder."""
        path = folder / f"concluded-{shard.path.name}"
        guard = np.zeros(0, np.int8) if found.guard is None else found.guard
        np.savez(path, state=found.state, scores=found.scores, guard=guard)
        return cls(path, shard)


@dataclass(frozen=True, slots=True)
class ShardedConclusion:
    """What is concluded of all tasks, in `parts` in the order of tasks, with alarms and memory as `Conclusion` has
    them."""

    parts: tuple[Concluded, ...]
    alarms: tuple[Alarm, ...]
    memory: Memory

    def __iter__(self) -> Iterator[tuple[Shard, Conclusion]]:
        """Each shard, and what is concluded of its tasks."""
        return ((part.shard, part.read()) for part in self.parts)

    def whole(self) -> Conclusion:
        """What is concluded of all tasks: ten bytes a task."""
        tasks = self.parts[-1].shard.stop
        state, scores, guard = np.empty(tasks, np.int8), np.empty(tasks), np.full(tasks, FREE, np.int8)
        guarded = True
        for shard, found in self:
            some = slice(shard.start, shard.stop)
            state[some], scores[some] = found.state, found.scores
            if found.guard is None:
                guarded = False
            else:
                guard[some] = found.guard
        return Conclusion(state, scores, guard if guarded else None, self.alarms, self.memory)


def goes_by_shards(policy: Policy, names: Sequence[str] | None) -> bool:
    """Whether a policy can conclude shard by shard of the votes of workers with these names: none of them may be a
    machine, of whom all votes tell."""
    if isinstance(policy, Imageable):
        return goes_by_shards(policy.policy, names)
    return isinstance(policy, Posterior | Fixed | Lead) and not any(map(is_machine, names or ()))


@contextmanager
def room_for_shards() -> Iterator[Path]:
    """A folder for files that are of use for as long as this lasts, where `TMPDIR` says. Raises `CrowdError` where they
    cannot be written."""
    with tempfile.TemporaryDirectory(prefix="holotype-") as folder:
        try:
            yield Path(folder)
        except OSError as error:
            raise no_room(Path(folder).parent, error) from error


def no_room(folder: Path | str, error: OSError) -> CrowdError:
    """That files for votes could not be written in a folder."""
    return CrowdError(
        f"votes are concluded from by way of files in {folder}, which cannot be written: "
        f"{error.strerror}; name another folder with TMPDIR"
    )


def conclude_shards(policy: Policy, shards: Sequence[Shard], folder: Path) -> ShardedConclusion:
    """What a policy that `goes_by_shards` concludes of votes in shards; `folder` is for what is found of each.

    As its `conclude` of the whole ballot, but for the order in which numbers are added.
    """
    if isinstance(policy, Imageable):
        return _imageable(policy, shards, folder)
    if isinstance(policy, Posterior):
        return _posterior(policy, shards, folder)
    parts = map_batches(partial(_by_itself, policy=policy, folder=folder), shards)
    return ShardedConclusion(tuple(parts), (), Memory())


def _by_itself(shard: Shard, policy: Policy, folder: Path) -> Concluded:
    """Each task by its own votes."""
    return Concluded.write(folder, shard, policy.conclude(shard.read()))


# By the posterior


@dataclass(frozen=True, slots=True)
class _Deciding:
    """What it takes to decide of a shard that models heard: what they say, who is a stranger, the share of votes that
    say nothing."""

    policy: Posterior
    told: list[tuple[Believed, Floats, float]]
    stranger: Mask
    useless: float
    folder: Path


@dataclass(frozen=True, slots=True)
class _Glimpse:
    """What alarms go by, of a shard: as `Seen`, but for a sum of what beliefs differ by, and the tasks it is over."""

    bad: float
    good: float
    apart: float
    asked: int
    sides: frozenset[int]


def _posterior(policy: Posterior, shards: Sequence[Shard], folder: Path) -> ShardedConclusion:
    fits = fit_shards(shards, folder, policy.priors)
    census, confusion = fits.census, fits.confusion
    useless = useless_votes(census.votes, information_of(confusion))
    stranger = census.shared < policy.known_after
    pilot = _pilot(shards, policy.pilot)
    deciding = _Deciding(policy, fits.told, stranger, useless, folder)
    work = [(shard, heard, _within(pilot, shard)) for shard, heard in zip(shards, fits.heard, strict=True)]
    parts, glimpses = zip(*map_batches(partial(_decide, deciding=deciding), work), strict=True)
    alarms = alarms_on(_seen(glimpses, census), fits.cliques, confusion, fits.population)
    model = Recall(fits.recalled, fits.cliques, census.groups)
    return ShardedConclusion(parts, alarms, Memory(model, useless, stranger, pilot))


def _decide(work: tuple[Shard, Shard, Ints], deciding: _Deciding) -> tuple[Concluded, _Glimpse]:
    """What is concluded of a shard as it was cast, as it was heard, and with the pilot's places in it."""
    shard, heard, pilot = work
    policy, ballot, said = deciding.policy, shard.read(), said_of(heard, deciding.told)
    least = policy.least(only_known(ballot, deciding.stranger), pilot, deciding.useless)
    found = policy.decided(ballot, said.posterior, (said.evidence, np.zeros(ballot.tasks)), least)
    voted = ballot.votes_per_task > 0
    asked = voted & ballot.asked_about
    yes, apart = said.posterior[voted], float(said.apart[asked].sum())
    glimpse = _Glimpse(float((1 - yes).sum()), float(yes.sum()), apart, int(asked.sum()), sides_of(ballot))
    return Concluded.write(deciding.folder, shard, found), glimpse


def _seen(glimpses: Sequence[_Glimpse], census: Census) -> Seen:
    bad, good, apart = (sum(getattr(one, name) for one in glimpses) for name in ("bad", "good", "apart"))
    sides = frozenset[int]().union(*(one.sides for one in glimpses))
    return Seen(bad, good, sides, apart / max(sum(one.asked for one in glimpses), 1), census.votes)


def _pilot(shards: Sequence[Shard], size: int) -> Ints:
    """As `holotype.crowd.policies.pilot_tasks`."""
    batches, counts = zip(*map_batches(_asked_of_batches, shards), strict=True)
    every = np.unique(np.concatenate(batches))
    there = np.zeros((len(shards), len(every)), np.int64)
    for row, batch, count in zip(there, batches, counts, strict=True):
        row[np.searchsorted(every, batch)] = count
    ends = np.cumsum(there, axis=0)
    spread = [np.linspace(0, total - 1, min(size, total)).astype(np.int64) for total in ends[-1].tolist()]
    wanted = [
        {
            batch: turns[(turns >= end - count) & (turns < end)] - (end - count)
            for batch, turns, end, count in zip(every.tolist(), spread, row_ends.tolist(), row.tolist(), strict=True)
        }
        for row_ends, row in zip(ends, there, strict=True)
    ]
    found = list(map_batches(_turns, zip(shards, wanted, strict=True)))
    return np.concatenate([np.zeros(0, np.int64), *(part[batch] for batch in every.tolist() for part in found)])


def _asked_of_batches(shard: Shard) -> tuple[Ints, Ints]:
    """The batches of a shard, and the tasks asked about of each."""
    ballot = shard.read()
    batch, of = np.unique(_batch(ballot), return_inverse=True)
    return batch, np.bincount(of, ballot.asked_about, minlength=len(batch)).astype(np.int64)


def _turns(work: tuple[Shard, dict[int, Ints]]) -> dict[int, Ints]:
    """The places of tasks among all, by batch, of their turns among those of a shard's that are asked about."""
    shard, wanted = work
    ballot = shard.read()
    asked, batch = np.flatnonzero(ballot.asked_about), _batch(ballot)
    return {one: shard.start + asked[batch[asked] == one][turns] for one, turns in wanted.items()}


def _batch(ballot: Ballot) -> Ints:
    return np.zeros(ballot.tasks, np.int32) if ballot.batch is None else ballot.batch


def _within(places: Ints, shard: Shard) -> Ints:
    """Those of some places that are a shard's, as its own."""
    return places[(places >= shard.start) & (places < shard.stop)] - shard.start


# What nobody can see


def _imageable(policy: Imageable, shards: Sequence[Shard], folder: Path) -> ShardedConclusion:
    found = conclude_shards(policy.policy, shards, folder)
    keys, asked, noes = zip(*map_batches(_outcomes, found.parts), strict=True)
    groups, at = np.unique(np.concatenate(keys), return_inverse=True)
    total, bad = (np.bincount(at, np.concatenate(part), minlength=len(groups)) for part in (asked, noes))
    hopeless = groups[hopeless_of(total, bad, policy.least)]
    parts = tuple(map_batches(partial(_given_up, hopeless=hopeless), found.parts))
    return replace(found, parts=parts, memory=replace(found.memory, hopeless=hopeless))


def _outcomes(part: Concluded) -> tuple[Ints, Ints, Ints]:
    ballot = part.shard.read()
    keys, group = np.unique(group_keys(ballot), return_inverse=True)
    return keys, *outcomes_of(ballot, part.read(), group, len(keys))


def _given_up(part: Concluded, hopeless: Ints) -> Concluded:
    """The part without the open tasks of groups that nobody can see."""
    ballot, found = part.shard.read(), part.read()
    gone = give_up(ballot, found, np.isin(group_keys(ballot), hopeless))
    return Concluded.write(part.path.parent, part.shard, gone)
