"""The queue of submissions: the next is claimed, evaluated in a process of its own, and what it was found to be is
written down."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Event
from typing import Any, Final

from sqlalchemy import Connection

from holotype.benchmark.alike import ALIKE, Hashes, likeness
from holotype.benchmark.booth.job import Finding, Job, numbers
from holotype.benchmark.booth.job import Side as Found
from holotype.benchmark.booth.outside import Bounds, evaluate
from holotype.catalog import benchmarks as rows
from holotype.catalog import submissions as sent
from holotype.catalog.benchmarks import KeptBenchmark
from holotype.catalog.submissions import KeptEvaluation, KeptSubmission
from holotype.project.benchmark_files import Drawer
from holotype.project.benchmark_story import Story
from holotype.project.parts import Parts

ATTEMPTS: Final = 3
"""How often the evaluation of a submission is begun before the evaluator is said to have failed."""
_GRACE: Final = 60.0
_NEVER: Final = Finding("failed", f"its evaluation was begun {ATTEMPTS} times and never ended")
_GONE: Final = Finding("failed", "its file is not there any more")


@dataclass(frozen=True, slots=True)
class Claim:
    """A submission that this process evaluates in a round, by a truth, and what it was found to be in the round before.
    `given_up` says that it was tried too often."""

    submission: KeptSubmission
    round: int
    truth: str
    previous: int | None
    given_up: bool


@dataclass(frozen=True, slots=True)
class Queue:
    """The submissions to a benchmark that are to be evaluated, with the key that draws its public part."""

    parts: Parts
    benchmark: KeptBenchmark
    drawer: Drawer
    key: bytes
    bounds: Bounds

    def step(self, stop: Event | None = None) -> KeptEvaluation | None:
        """Evaluate the oldest submission that waits, and say what it was found to be; None where none waits.

        Raises `Stopped` where `stop` is set meanwhile; it is tried again when its claim has run out.
        """
        claim = self.parts.catalog.transact(self._claim)
        if claim is None:
            return None
        began = self.parts.clock()
        found, network = self._found(claim, stop)
        if found.outcome == "scored":
            self.drawer.keep(claim.submission.id, claim.round, found)
        row = _row(claim, found, network, began, self.parts.clock())
        alike = self._alike(claim, found.sketch)
        return self.parts.catalog.transact(lambda connection: self._end(connection, claim, row, alike))

    def _claim(self, connection: Connection) -> Claim | None:
        rows.hold(connection, self.benchmark.id)
        now = self.parts.clock()
        story = Story.read(connection, self.benchmark, now, open_eyed=True)
        begun = {(one.submission, one.round): one for one in sent.starts(connection, self.benchmark.id)}
        round = story.rounds[-1].id
        for one in story.unknown:
            before = begun.get((one.id, round))
            if before is None or before.at + self.bounds.patience + _GRACE < now:
                attempts = before.attempts if before else 0
                if attempts < ATTEMPTS:
                    sent.start(connection, one.id, round, attempts + 1, now)
                last = story.evaluation(one.id)
                return Claim(one, round, story.truth, last and last.id, attempts >= ATTEMPTS)
        return None

    def _found(self, claim: Claim, stop: Event | None) -> tuple[Finding, str]:
        if claim.given_up:
            return _NEVER, ""
        job = self._job(claim)
        return evaluate(job, self.bounds, stop) if job.submission.is_file() else (_GONE, "")

    def _job(self, claim: Claim) -> Job:
        paths = self.drawer.folder / claim.truth, self.drawer.folder / claim.submission.file
        return Job(self.benchmark.task, *paths, self.benchmark.metric, self.benchmark.share, self.key)

    def _end(
        self, connection: Connection, claim: Claim, row: KeptEvaluation, alike: Sequence[tuple[int, float]]
    ) -> KeptEvaluation:
        """Write what was found, unless another process did first."""
        rows.hold(connection, self.benchmark.id)
        story = Story.read(connection, self.benchmark, row.at, open_eyed=True)
        if (before := story.told.get((claim.submission.id, claim.round))) is not None:
            return before
        number = sent.end(connection, row)
        for other, share in alike:
            detail = json.dumps({"with": other, "likeness": round(share, 4)})
            rows.say(connection, self.benchmark.id, "alike", claim.submission.id, "", detail, row.at)
        return row._replace(id=number)

    def _alike(self, claim: Claim, sketch: Hashes) -> list[tuple[int, float]]:
        """The other teams' submissions that say nearly the same, but for those that this was said of before."""
        with self.parts.catalog.read() as connection:
            story = Story.read(connection, self.benchmark, self.parts.clock(), open_eyed=True)
        said = {json.loads(one.detail)["with"] for one in story.events if _says_alike(one, claim.submission.id)}
        others = [
            one.id
            for one in story.submissions
            if one.team != claim.submission.team and one.id not in said and story.state(one.id) == "scored"
        ]
        found = [(other, likeness(sketch, self._sketch(story, other))) for other in others if len(sketch)]
        return [(other, share) for other, share in found if share >= ALIKE]

    def _sketch(self, story: Story, submission: int) -> Hashes:
        evaluation = story.evaluation(submission)
        assert evaluation is not None  # noqa: S101 - it was scored
        return self.drawer.kept(submission, evaluation.round, "sketch")["sketch"]


def _says_alike(event: rows.KeptEvent, submission: int) -> bool:
    return event.kind == "alike" and event.submission == submission


def _row(claim: Claim, found: Finding, network: str, began: float, now: float) -> KeptEvaluation:
    about = found.outcome, found.detail, found.evaluator, found.truth, found.digest, found.hierarchy
    result = json.dumps(_result(found, network)) if found.outcome == "scored" else ""
    return KeptEvaluation(
        0, claim.submission.id, claim.round, claim.previous, *about, result, max(0.0, now - began), now
    )


def _result(found: Finding, network: str) -> dict[str, Any]:
    sides = {"public": found.public, "private": found.private}
    return {
        **{name: None if side is None else _side(side) for name, side in sides.items()},
        "remarks": list(found.remarks),
        "network": network,
    }


def _side(side: Found) -> dict[str, Any]:
    """The estimates of all metrics, and which of them ranks."""
    told = [
        {"name": metric.name, "better": metric.better, "about": metric.about, **numbers(one)}
        for metric, one in side.metrics
    ]
    return {
        "items": side.kept.items,
        "ranked": next(at for at, (metric, _) in enumerate(side.metrics) if metric == side.kept.metric),
        "metrics": told,
    }
