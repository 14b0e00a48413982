"""The boards of a benchmark: what is told of each submission by the Ladder, and which of them stand for their teams."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from holotype.benchmark.board import Entry, Place, placed
from holotype.benchmark.booth.job import estimate
from holotype.benchmark.judged import Metric
from holotype.benchmark.kept import Kept
from holotype.benchmark.ladder import Rung, Try, climb
from holotype.catalog import Catalog
from holotype.catalog import submissions as sent
from holotype.catalog.submissions import KeptEvaluation, KeptSubmission
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


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where what is kept of evaluations is read."""

    catalog: Catalog
    drawer: Drawer

    def results(self, numbers: Iterable[int]) -> dict[int, dict[str, Any]]:
        """The results of evaluations, by their ids."""
        with self.catalog.read() as connection:
            return {number: json.loads(text) for number, text in sent.results(connection, numbers).items()}

    def kept(self, found: KeptEvaluation, side: Side) -> Kept | None:
        """What is kept of a scored submission on one side; None where there is no such side."""
        told = self.results([found.id])[found.id][side]
        if told is None:
            return None
        ranked = told["metrics"][told["ranked"]]
        held = self.drawer.kept(found.submission, found.round, f"{side}_samples", f"{side}_values")
        metric = Metric(ranked["name"], ranked["better"], ranked["about"])
        samples = held.get(f"{side}_samples", np.empty(0))
        return Kept(metric, told["items"], estimate(ranked), samples, held.get(f"{side}_values"))


def rungs(shelf: Shelf, story: Story, team: int) -> list[Rung]:
    """What a team is told of each of its scored submissions."""
    scored = ((one, found, shelf.kept(found, "public")) for one, found in story.scored(team))
    return list(climb(Try(one.id, found.digest, kept) for one, found, kept in scored if kept is not None))


def standing(told: Sequence[Rung], withdrawn: frozenset[int]) -> int | None:
    """The submission that stands for a team: the last that the board heard a new number of, but for those withdrawn;
    without any, the last that was scored, which has no number."""
    left = [rung for rung in told if rung.submission not in withdrawn]
    heard = [rung.submission for rung in left if rung.new]
    silent = [rung.submission for rung in left if rung.best is None]
    return next(reversed(heard or silent), None)


Standing = Sequence[tuple[str, KeptSubmission, KeptEvaluation, int]]
"""Teams by their names, what stands for each, what it was found to be, and how many of the team's were scored."""


def board(shelf: Shelf, story: Story, side: Side, standing: Standing) -> Board:
    """The board of one side, of what stands for each team."""
    some = [(team, one, found, shelf.kept(found, side)) for team, one, found, _ in standing]
    entries = [Entry(team, one.id, one.at, kept) for team, one, _, kept in some if kept is not None]
    if not entries:
        return Board(side, None, 0, "", story.truths, "", [], {})
    kept, (_, _, found, _) = entries[0].kept, standing[0]
    digest = found.truth if story.open_eyed else ""
    tries = {team: number for team, _, _, number in standing}
    return Board(side, kept.metric, kept.items, found.evaluator, story.truths, digest, placed(entries), tries)
