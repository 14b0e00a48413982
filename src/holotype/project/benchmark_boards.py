"""The boards of a benchmark: what is told of each submission by the Ladder, and which of them stand for their teams."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from holotype.benchmark.board import Entry, Place, placed
from holotype.benchmark.booth.job import estimate
from holotype.benchmark.judged import Metric
from holotype.benchmark.kept import Kept
from holotype.benchmark.ladder import Rung, Try, climb
from holotype.catalog.submissions import KeptEvaluation
from holotype.project.benchmark_files import Drawer
from holotype.project.benchmark_story import Story

Side = Literal["public", "private"]


@dataclass(frozen=True, slots=True)
class Board:
    """Teams by how far ahead they are on one side of the items, by a metric, and what they were scored with: the
    evaluator, and which truth of those that the benchmark had, from 1. Its `digest` is for the organiser alone: who
    knows all labels but one could find that by it. `tries` are how many submissions of each team were scored. Without a
    metric nothing was scored yet."""

    side: Side
    metric: Metric | None
    items: int
    evaluator: str
    truth: int
    digest: str
    places: Sequence[Place]
    tries: Mapping[str, int]


def rungs(drawer: Drawer, story: Story, team: int) -> list[Rung]:
    """What a team is told of each of its scored submissions."""
    scored = story.scored(team)
    return list(
        climb(Try(one.id, found.digest, read_kept(drawer, found, "public")) for one, found in scored if found.result)
    )


def standing(told: Sequence[Rung], withdrawn: frozenset[int]) -> int | None:
    """The submission that stands for a team: the last that the board heard a new number of, but for those withdrawn;
    without any, the last that was scored, which has no number."""
    left = [rung for rung in told if rung.submission not in withdrawn]
    heard = [rung.submission for rung in left if rung.new]
    silent = [rung.submission for rung in left if rung.best is None]
    return next(reversed(heard or silent), None)


def board(drawer: Drawer, story: Story, side: Side, climbed: Callable[[int], Sequence[Rung]]) -> Board:
    """The board of one side, where `climbed` tells the rungs of a team."""
    entries = []
    found: KeptEvaluation | None = None
    came = {one.id: one.at for one in story.submissions}
    for team in story.teams.values():
        number = standing(climbed(team.id), story.withdrawn)
        if number is not None:
            found = story.told[number, story.shown]
            if json.loads(found.result)[side] is not None:
                entries.append(Entry(team.name, number, came[number], read_kept(drawer, found, side)))
    if not entries or found is None:
        return Board(side, None, 0, "", story.truths, "", [], {})
    kept, digest = entries[0].kept, found.truth if story.open_eyed else ""
    tries = {team.name: len(story.scored(team.id)) for team in story.teams.values()}
    places = placed(entries)
    counted = {place.team: tries[place.team] for place in places}
    return Board(side, kept.metric, kept.items, found.evaluator, story.truths, digest, places, counted)


def read_kept(drawer: Drawer, found: KeptEvaluation, side: Side) -> Kept:
    """What is kept of a scored submission on one side."""
    told: dict[str, Any] = json.loads(found.result)[side]
    ranked = told["metrics"][told["ranked"]]
    held = drawer.kept(found.submission, found.round, f"{side}_samples", f"{side}_values")
    metric = Metric(ranked["name"], ranked["better"], ranked["about"])
    samples = held.get(f"{side}_samples", np.empty(0))
    return Kept(metric, told["items"], estimate(ranked), samples, held.get(f"{side}_values"))
