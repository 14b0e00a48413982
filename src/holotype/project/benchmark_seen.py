"""Submissions as their teams see them, and as the organiser does."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from holotype.benchmark.ladder import Rung
from holotype.benchmark.quota import State
from holotype.catalog.benchmarks import KeptEvent
from holotype.catalog.submissions import KeptEvaluation, KeptSubmission
from holotype.project.benchmark_story import Story


@dataclass(frozen=True, slots=True)
class Sent:
    """A submission as its team, or the organiser, may see it. `place` is that in the queue, 0 for one that does not
    wait; `detail` says why it was refused or failed; `rung` what the Ladder tells, None of what has no number."""

    id: int
    team: str
    name: str
    sha256: str
    size: int
    at: float
    state: State
    place: int
    detail: str
    withdrawn: bool
    rung: Rung | None


@dataclass(frozen=True, slots=True)
class Inside:
    """What only the organiser sees of a submission: its newest evaluation with all numbers of both parts, and the other
    teams' submissions that say nearly the same, with how much of it."""

    sent: Sent
    evaluation: KeptEvaluation | None
    result: Mapping[str, Any]
    alike: Mapping[int, float] = field(default_factory=dict)


def seen(story: Story, one: KeptSubmission, rung: Rung | None) -> Sent:
    """A submission as the one sees it whose story it is, with what the Ladder tells of it."""
    state, evaluation = story.state(one.id), story.evaluation(one.id)
    place = story.place(one.id) if state == "waiting" else 0
    detail = evaluation.detail if evaluation and (state == "refused" or story.open_eyed) else ""
    about = one.name, one.sha256, one.size, one.at
    return Sent(one.id, story.teams[one.team].name, *about, state, place, detail, one.id in story.withdrawn, rung)


def alike_of(events: Sequence[KeptEvent]) -> dict[int, dict[int, float]]:
    """How alike submissions were found to be, by both."""
    found: dict[int, dict[int, float]] = {}
    for event in events:
        if event.kind == "alike" and event.submission is not None:
            told = json.loads(event.detail)
            found.setdefault(event.submission, {})[told["with"]] = told["likeness"]
            found.setdefault(told["with"], {})[event.submission] = told["likeness"]
    return found
