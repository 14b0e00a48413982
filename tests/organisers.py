"""Benchmarks for tests: of a toy task, whose truth is a letter for each item, with time that passes when told to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from holotype.benchmark.booth.outside import Bounds
from holotype.catalog import Catalog
from holotype.catalog.benchmarks import KeptTeam
from holotype.project import Project
from holotype.project.benchmarks import Benchmarks, Settings
from holotype.project.parts import Parts

TOY = Path(__file__).with_name("toy")
ITEMS = [f"item-{number:03d}" for number in range(300)]
TRUTH = {item: "abcd"[number % 4] for number, item in enumerate(ITEMS)}
QUICK = Bounds(memory=1 << 30, seconds=20, written=1 << 20)
DAY = 86_400.0
NOON = 20_000 * DAY + DAY / 2
"""Noon of some day, UTC."""


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        return self.now


def answers(wrong: int, start: int = 0) -> dict[str, str]:
    """Answers to all items, of which so many, in a row, are wrong."""
    bad = set((ITEMS * 2)[start : start + wrong])
    return {item: "z" if item in bad else letter for item, letter in TRUTH.items()}


class Organiser:
    """Whoever runs the benchmark ``letters`` in a folder, and plays its teams."""

    def __init__(self, folder: Path, catalog: Catalog, bounds: Bounds = QUICK) -> None:
        self.clock, self.folder = Clock(), folder
        parts = Parts(folder, catalog, cast(Any, None), cast(Any, None), self.clock, "salt")
        self.rooms = Benchmarks(parts, bounds)

    @classmethod
    def of(cls, db: Project) -> Organiser:
        """Of a whole project, whose site shows it."""
        made = cls(db.path, db.catalog)
        db.benchmarks = made.rooms
        return made

    def create(self, truth: Mapping[str, str] = TRUTH, **settings: Any) -> Organiser:
        """Make the benchmark."""
        path = self.file(truth, "truth.json")
        self.rooms.create("letters", "toy", path, Settings(**{"public": 0.5, "quota": 3, **settings}), "the organiser")
        return self

    def file(self, content: Any, name: str = "answers.json") -> Path:
        """A file on a team's disk."""
        path = self.folder / name
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path

    def team(self, name: str) -> KeptTeam:
        """A new team."""
        found = self.rooms.teams.with_token("letters", self.rooms.teams.add("letters", name))
        assert found is not None
        return found

    def send(self, team: KeptTeam, content: Any, name: str = "answers.json") -> tuple[int, bool]:
        """Submit something for a team."""
        incoming = self.rooms.incoming("letters", team, name)
        incoming.write(content.encode() if isinstance(content, str) else json.dumps(content).encode())
        return self.rooms.submit("letters", team, incoming.finish())

    def work(self) -> list[str]:
        """Evaluate all that waits, and let the time pass until everybody is told: what became of it."""
        found = []
        while (one := self.rooms.evaluate_next()) is not None:
            found.append(one.outcome)
        self.clock.now += 60
        return found

    def sees(self, team: KeptTeam) -> list[tuple[str, float | None]]:
        """The state and the number of what a team sent, oldest first."""
        sent = self.rooms.submissions("letters", team)[::-1]
        return [(one.state, one.rung.estimate.value if one.rung and one.rung.estimate else None) for one in sent]

    def board(self, **more: Any) -> list[tuple[int | None, str]]:
        """The ranks and teams on a board."""
        return [(place.rank, place.team) for place in self.rooms.board("letters", **more).places]
