"""What is known of every worker: gold, skill, speed, agreement, drift, mistakes shared with others; and a verdict."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from holotype.audits.bounds import clopper_pearson
from holotype.consensus.ballot import UNKNOWN, Ballot, Floats, Ints
from holotype.consensus.joint import by_machines
from holotype.consensus.posteriors import Consensus
from holotype.consensus.votes import Answer

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Bools = npt.NDArray[np.bool_]

CROWDED: Final = 200
"""Tasks with more votes than this, such as gold that everybody has seen, are left out when pairs are compared."""

_BLOCK_OF_WORKERS: Final = 256


class Verdict(StrEnum):
    """What to do about a worker."""

    OK = "ok"
    WATCH = "watch"
    BLOCK = "block"


@dataclass(frozen=True, slots=True)
class Limits:
    """From where a worker is watched or blocked.

    A bound is that of a `level` interval. `block_information` and `watch_information`: the worker's informativeness,
    sensitivity + specificity - 1, which is 0 for answers that do not depend on the image, has its upper bound below.
    `gold`: so has the share of gold right. `pace`: the worker's median seconds an image over the crowd's, judged from
    `votes` votes on. Drift is tested from `votes` votes in each half on, correlated mistakes from `votes` common tasks
    on, each with the chance `alarm` that any of all honest workers is accused.
    """

    level: float = 0.99
    block_information: float = 0.2
    watch_information: float = 0.35
    gold: float = 0.5
    pace: float = 0.25
    votes: int = 20
    alarm: float = 0.01


@dataclass(frozen=True, slots=True)
class WorkerReview:
    """One worker: what they did, and what follows.

    `gold` votes on gold of which `right`; `gold_interval` is Clopper and Pearson's. `agreement` is with the majority of
    the others on the same tasks. `pace` is median seconds an image over the crowd's. `drift` is the change of being
    right, compared with the others on the same tasks, from the first to the second half of the votes. Both are None
    where too few others voted. `partners` make the same mistakes. `reasons` name nobody.
    """

    worker: str
    votes: int
    gold: int
    right: int
    gold_interval: tuple[float, float]
    sensitivity: float
    specificity: float
    agreement: float | None
    pace: float
    drift: float | None
    partners: tuple[str, ...]
    verdict: Verdict
    reasons: tuple[str, ...]


def hidden_name(worker: str, salt: str) -> str:
    """A worker's name as it may be exported: 16 hex digits that only who knows the `salt` can tie to it."""
    return hashlib.sha256(f"{salt} {worker}".encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Timing:
    """The seconds that each vote of a ballot took, and its Unix time, ``(votes,)`` each."""

    seconds: Floats
    at: Floats

    def keep(self, chosen: Bools) -> Timing:
        """That of the chosen votes."""
        return Timing(self.seconds[chosen], self.at[chosen])


def review_workers(
    ballot: Ballot, timing: Timing, names: Sequence[str], consensus: Consensus, limits: Limits = Limits()
) -> list[WorkerReview]:
    """A review of every worker of a ballot, in its order; `names` are theirs.

    `consensus` is fitted to the ballot, whose `known` is the gold. Machines have neither pace nor drift, and that they
    make the same mistakes is counted with: they are compared with nobody.
    """
    people = ~by_machines(ballot)
    theirs = ballot.keep(people)
    found = _measure(ballot, theirs, timing.keep(people), consensus, limits)
    partners: dict[int, list[str]] = {}
    for a, b, _ in correlated_pairs(theirs, consensus, limits):
        partners.setdefault(a, []).append(names[b])
        partners.setdefault(b, []).append(names[a])
    return [
        _review(name, row, tuple(sorted(partners.get(worker, ()))), limits)
        for worker, (name, row) in enumerate(zip(names, found, strict=True))
    ]


@dataclass(frozen=True, slots=True)
class _Measures:
    """A worker's numbers; see `WorkerReview`. `information` is an upper bound."""

    votes: int
    gold: int
    right: int
    low: float
    high: float
    sensitivity: float
    specificity: float
    information: float
    agreement: float | None
    pace: float
    drift: float | None
    drifted: bool


def _measure(ballot: Ballot, theirs: Ballot, timing: Timing, consensus: Consensus, limits: Limits) -> list[_Measures]:
    """The numbers of all workers; `theirs` and `timing` are people's votes alone."""
    mine, people = _Columns.of(ballot, consensus), _Columns.of(theirs, consensus)
    gold, right = mine.per_worker(mine.gold), mine.per_worker(mine.gold & mine.right)
    drift, p = _drift(people, timing.at, limits.votes)
    low, high = clopper_pearson(right, gold, (1 + limits.level) / 2)
    columns: dict[str, npt.NDArray[Any]] = {
        "votes": np.bincount(mine.ballot.worker, minlength=mine.ballot.workers),
        "gold": gold,
        "right": right,
        "low": low,
        "high": high,
        "sensitivity": consensus.confusion[:, 1, Answer.YES],
        "specificity": consensus.confusion[:, 0, Answer.NO],
        "information": _information_bound(mine, consensus, limits.level),
        "agreement": _agreement(people),
        "pace": _pace(people, timing.seconds),
        "drift": drift,
        "drifted": p < limits.alarm / max(np.isfinite(p).sum(), 1),
    }
    rows = zip(*(column.tolist() for column in columns.values()), strict=True)
    return [_Measures(**dict(zip(columns, map(_told, row), strict=True))) for row in rows]


def _told(value: Any) -> Any:
    return None if value != value else value  # NaN


def _review(name: str, found: _Measures, partners: tuple[str, ...], limits: Limits) -> WorkerReview:
    block = list(_reasons_to_block(found, limits))
    watch = list(_reasons_to_watch(found, partners, limits))
    return WorkerReview(
        worker=name,
        votes=found.votes,
        gold=found.gold,
        right=found.right,
        gold_interval=(found.low, found.high),
        sensitivity=found.sensitivity,
        specificity=found.specificity,
        agreement=found.agreement,
        pace=found.pace,
        drift=found.drift,
        partners=partners,
        verdict=Verdict.BLOCK if block else Verdict.WATCH if watch else Verdict.OK,
        reasons=(*block, *watch),
    )


def _reasons_to_block(found: _Measures, limits: Limits) -> Iterator[str]:
    if found.information < limits.block_information:
        yield f"answers tell nothing: {_skill(found)}"
    if found.high < limits.gold:
        yield f"{found.right:,} of {found.gold:,} gold answers right"


def _reasons_to_watch(found: _Measures, partners: Sequence[str], limits: Limits) -> Iterator[str]:
    if limits.block_information <= found.information < limits.watch_information:
        yield f"answers tell little: {_skill(found)}"
    if found.pace < limits.pace and found.votes >= limits.votes:
        yield f"takes {found.pace:.0%} of the crowd's time for an image"
    if found.drifted and found.drift is not None:
        yield f"right less often than before, by {-found.drift:.2f}"
    if partners:
        others = "1 other worker" if len(partners) == 1 else f"{len(partners):,} other workers"
        yield f"makes the same mistakes as {others}"


def _skill(found: _Measures) -> str:
    return f"sensitivity {found.sensitivity:.2f}, specificity {found.specificity:.2f}"


@dataclass(frozen=True, slots=True)
class _Columns:
    """A ballot, and of each vote whether its task is gold, its image good, its answer right; ``(votes,)`` each."""

    ballot: Ballot
    gold: Bools
    good: Bools
    right: Bools

    @classmethod
    def of(cls, ballot: Ballot, consensus: Consensus) -> _Columns:
        good = (consensus.posterior > 0.5)[ballot.task]
        known = np.zeros(len(good), bool) if ballot.known is None else ballot.known[ballot.task] != UNKNOWN
        return cls(ballot, known, good, ballot.answer == np.where(good, Answer.YES, Answer.NO))

    def per_worker(self, chosen: Bools) -> Ints:
        return np.bincount(self.ballot.worker[chosen], minlength=self.ballot.workers)


def _agreement(mine: _Columns) -> Floats:
    """Share of each worker's yeses and noes that are the majority of the others' on the task."""
    ballot = mine.ballot
    sign = np.asarray(ballot.answer, np.int64) - Answer.UNSURE
    others = np.bincount(ballot.task, sign, minlength=ballot.tasks)[ballot.task] - sign
    compared = (sign != 0) & (others != 0)
    agreed = mine.per_worker(compared & (sign * others > 0))
    total = mine.per_worker(compared)
    return np.where(total > 0, agreed / np.maximum(total, 1), np.nan)


def _pace(mine: _Columns, seconds: Floats) -> Floats:
    """Each worker's median seconds over the median of those medians; 1 where a worker or the crowd took none."""
    from scipy import ndimage

    pace = np.ones(mine.ballot.workers)
    voted = np.unique(mine.ballot.worker)
    medians = ndimage.median(seconds, mine.ballot.worker, voted) if len(voted) else np.zeros(1)
    if (crowd := np.median(medians)) > 0:
        pace[voted] = medians / crowd
    return pace


def _information_bound(mine: _Columns, consensus: Consensus, level: float) -> Floats:
    """Upper bounds of sensitivity + specificity - 1."""
    from scipy.stats import norm

    sensitivity, specificity = consensus.confusion[:, 1, Answer.YES], consensus.confusion[:, 0, Answer.NO]
    weight = sum(share * priors.worker_weight for priors, share in consensus.beliefs)
    good, bad = mine.per_worker(mine.good) + weight, mine.per_worker(~mine.good) + weight
    variance = sensitivity * (1 - sensitivity) / good + specificity * (1 - specificity) / bad
    return np.asarray(sensitivity + specificity - 1 + norm.ppf((1 + level) / 2) * np.sqrt(variance))


def _drift(mine: _Columns, at: Floats, least: int) -> tuple[Floats, Floats]:
    """Each worker's change of being right from the first to the second half of their votes, and its p-value.

    A vote is compared with the others on its task, so that harder images, which come later in an adaptive campaign, are
    no drift. NaN with less than `least` such votes in a half.
    """
    ballot, right = mine.ballot, mine.right.astype(np.float64)
    others = ballot.votes_per_task[ballot.task] - 1
    rest = np.bincount(ballot.task, right, minlength=ballot.tasks)[ballot.task] - right
    shared = np.flatnonzero(others > 0)
    shared = shared[np.lexsort((at[shared], ballot.worker[shared]))]
    worker = ballot.worker[shared]
    count = np.bincount(worker, minlength=ballot.workers)
    place = np.arange(len(worker)) - (np.cumsum(count) - count)[worker]
    half = 2 * worker + (2 * place >= count[worker])
    change, p = _welch(half, right[shared] - rest[shared] / others[shared], ballot.workers)
    enough = count // 2 >= least
    return np.where(enough, change, np.nan), np.where(enough, p, np.nan)


def _welch(half: Ints, values: Floats, workers: int) -> tuple[Floats, Floats]:
    """The second half's mean less the first's, and Welch's one-sided p for a fall; `half` is 2 * worker + 0 or 1."""
    from scipy.stats import t

    size = np.bincount(half, minlength=2 * workers)
    mean = np.bincount(half, values, minlength=2 * workers) / np.maximum(size, 1)
    square = np.bincount(half, (values - mean[half]) ** 2, minlength=2 * workers)
    least = np.maximum(size - 1, 1)
    # Half an observation more: a half without any mistake has not the variance 0.
    error = ((square + 0.5) / least / np.maximum(size, 1)).reshape(-1, 2)
    change = np.diff(mean.reshape(-1, 2), axis=1)[:, 0]
    freedom = error.sum(axis=1) ** 2 / (error**2 / least.reshape(-1, 2)).sum(axis=1)
    return change, np.asarray(t.cdf(change / np.sqrt(error.sum(axis=1)), freedom))


def correlated_pairs(ballot: Ballot, consensus: Consensus, limits: Limits = Limits()) -> list[tuple[int, int, float]]:
    """Pairs of workers who make the same mistakes more often than their error rates explain, with p-values.

    On the tasks both voted on, mistakes in common are counted against the sum of the products of their chances of one
    (`Consensus.confusion`). A sum of independent rare events has a lighter tail than Poisson's (Hoeffding 1956), which
    gives p, Bonferroni-corrected over all pairs with `limits.votes` common tasks. What survives must do so again with
    each task as hard as the rest of its voters found it: an image that fools everybody accuses nobody. Tasks with more
    than `CROWDED` votes are left out.
    """
    from scipy.sparse import csr_array

    mine = _Columns.of(ballot, consensus)
    kept = ballot.votes_per_task[ballot.task] <= CROWDED
    task, worker = ballot.task[kept], ballot.worker[kept]
    good = mine.good[kept]
    wrong = (~mine.right & (ballot.answer != Answer.UNSURE))[kept].astype(np.float64)
    chance = np.where(good, consensus.confusion[worker, 1, Answer.NO], consensus.confusion[worker, 0, Answer.YES])

    def matrix(values: Floats) -> csr_array:
        made = csr_array((values, (worker, task)), shape=(ballot.workers, ballot.tasks))
        made.eliminate_zeros()
        return made

    voted, mistakes, chances = matrix(np.ones(len(task))), matrix(wrong), matrix(chance)
    tested, suspects = 0, []
    for rows in range(0, ballot.workers, _BLOCK_OF_WORKERS):
        block = slice(rows, min(rows + _BLOCK_OF_WORKERS, ballot.workers))
        common = (voted[block] @ voted.T).toarray()
        enough = np.triu(common >= limits.votes, k=rows + 1)
        tested += int(enough.sum())
        if enough.any():
            same = (mistakes[block] @ mistakes.T).toarray()
            a, b = np.nonzero(enough & (same > 1))
            expected = (chances[block] @ chances.T).toarray()[a, b]
            suspects.append((a + rows, b, same[a, b], expected))
    return list(_proven(suspects, limits.alarm / max(tested, 1), mistakes, chances))


def _proven(
    suspects: Sequence[tuple[Any, ...]], alarm: float, mistakes: csr_array, chances: csr_array
) -> Iterator[tuple[int, int, float]]:
    """The pairs that are below `alarm` by the counts, and again with every task's difficulty told by its others."""
    from scipy.stats import poisson

    made, foreseen = (np.asarray(matrix.sum(axis=0)) for matrix in (mistakes, chances))
    for block in suspects:
        likely = poisson.sf(block[2] - 1, block[3]) < alarm
        for a, b, same in zip(*(column[likely].tolist() for column in block[:3]), strict=True):
            both = chances[[a]].multiply(chances[[b]]).tocoo()
            task = both.coords[1]
            ours = [matrix[[a, b]][:, task].sum(axis=0) for matrix in (mistakes, chances)]
            harder = (made[task] - ours[0] + 1) / (foreseen[task] - ours[1] + 1)
            p = float(poisson.sf(same - 1, (both.data * harder**2).sum()))
            if p < alarm:
                yield a, b, p
