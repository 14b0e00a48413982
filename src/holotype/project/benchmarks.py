"""Benchmarks with a hidden truth: made, submitted to, evaluated, and shown on boards that tell what they may."""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Event
from typing import Any

from sqlalchemy import Connection

from holotype.benchmark.board import Place as Place
from holotype.benchmark.booth.outside import BOUNDS, Bounds
from holotype.benchmark.ladder import Rung
from holotype.benchmark.quota import Quota
from holotype.benchmark.reading.hidden import check_hidden
from holotype.benchmark.task import task
from holotype.benchmark.tasks import OURS
from holotype.catalog import benchmarks as rows
from holotype.catalog import submissions as sent
from holotype.catalog.benchmarks import KeptBenchmark, KeptEvent
from holotype.catalog.benchmarks import KeptTeam as KeptTeam
from holotype.catalog.submissions import KeptEvaluation, KeptSubmission
from holotype.errors import BenchmarkError, PredictionError
from holotype.project.benchmark_boards import Board as Board
from holotype.project.benchmark_boards import Shelf, Side, Standing, board, rungs, standing
from holotype.project.benchmark_files import Drawer
from holotype.project.benchmark_files import Incoming as Incoming
from holotype.project.benchmark_files import Received as Received
from holotype.project.benchmark_queue import Queue
from holotype.project.benchmark_seen import Inside as Inside
from holotype.project.benchmark_seen import Sent as Sent
from holotype.project.benchmark_seen import alike_of, seen
from holotype.project.benchmark_settings import DEFAULTS as DEFAULTS
from holotype.project.benchmark_settings import MOST_BYTES as MOST_BYTES
from holotype.project.benchmark_settings import Settings as Settings
from holotype.project.benchmark_story import NAME, Status, Story, called, check_taken
from holotype.project.benchmark_teams import Teams
from holotype.project.benchmark_truths import check_items
from holotype.project.parts import Parts


class Benchmarks:
    """The benchmarks of a project, by their names."""

    def __init__(self, parts: Parts, bounds: Bounds = BOUNDS) -> None:
        self._parts, self._bounds = parts, bounds
        self._climbed: dict[tuple[int, ...], list[Rung]] = {}
        self._boards: dict[tuple[Any, ...], Board] = {}
        self._some = False
        self.teams = Teams(parts)

    # Benchmarks

    def create(
        self, name: str, task_name: str, truth: Path, settings: Settings = DEFAULTS, by: str = ""
    ) -> KeptBenchmark:
        """Make a benchmark of a task, whose truth is copied from a file.

        Raises `BenchmarkError` for a name that is taken or cannot be, and for settings that cannot be;
        `PredictionError` for a task that there is not, and for a truth that it cannot read.
        """
        if not NAME.fullmatch(name):
            raise BenchmarkError("a benchmark is called by up to 64 small letters, digits and hyphens")
        settings.check()
        check_hidden(task(task_name, OURS).read_truth(truth))
        self._parts.check_writable()
        drawer, now = self._drawer(name), self._parts.clock()
        drawer.make()
        file, sha256 = drawer.add_truth(truth)
        told = settings.title or name, task_name, settings.metric, settings.public, settings.quota, settings.most_bytes
        values = KeptBenchmark(0, name, *told, by, now)

        def work(connection: Connection) -> None:
            if rows.called(connection, name) is not None:
                raise BenchmarkError(f"there is a benchmark {name!r} already")
            number = rows.add(connection, values)
            rows.say(connection, number, "truth", None, by, json.dumps({"file": file, "sha256": sha256}), now)

        self._transact_or_drop(work, drawer, file)
        return self[name]

    def everything(self) -> list[KeptBenchmark]:
        """All benchmarks, oldest first."""
        with self._parts.catalog.read() as connection:
            return rows.everything(connection)

    def are_any(self) -> bool:
        """Whether there is one; once there is, there always will be."""
        if not self._some:
            with self._parts.catalog.read() as connection:
                self._some = rows.are_any(connection)
        return self._some

    def __getitem__(self, name: str) -> KeptBenchmark:
        """The benchmark of a name. Raises `UnknownBenchmark`."""
        with self._parts.catalog.read() as connection:
            return called(connection, name)

    def correct(self, name: str, truth: Path, by: str, reason: str) -> None:
        """Go by another truth from now on, and score all submissions anew; what they were found to be by the old one
        is kept, and shown until all are. Raises as `create` does, and `BenchmarkError` where items are gone: every
        submission that says something of them would be refused."""
        drawer = self._drawer(name)
        read = task(self[name].task, OURS).read_truth
        after = read(truth)
        check_hidden(after)
        with suppress(PredictionError, OSError):  # one that cannot be read may be put right by any
            check_items(read(drawer.folder / self._story(name).truth), after)
        file, sha256 = drawer.add_truth(truth)
        detail = json.dumps({"file": file, "sha256": sha256, "reason": reason})
        self._transact_or_drop(lambda connection: self._say(connection, name, "truth", None, by, detail), drawer, file)

    def rescore(self, name: str, by: str, reason: str) -> None:
        """Score all submissions anew: because the evaluator changed, or failed. What they were found to be is kept."""
        self._parts.catalog.transact(lambda connection: self._say(connection, name, "rescore", None, by, reason))

    def say(self, name: str, kind: str, by: str, reason: str = "") -> None:
        """Let a benchmark ``pause``, ``open`` again or ``close``; or ``reveal`` the private part, which closes it.

        Raises `BenchmarkError` where it is revealed, which it is once and for good.
        """
        if kind not in ("pause", "open", "close", "reveal"):
            raise BenchmarkError(f"a benchmark does not {kind}")

        def work(connection: Connection) -> None:
            benchmark = called(connection, name)
            rows.hold(connection, benchmark.id)
            if any(one.kind == "reveal" for one in rows.events(connection, benchmark.id)):
                raise BenchmarkError(f"the private part of {name} is revealed, and it stays as it is")
            if kind == "reveal" and benchmark.share >= 1:
                raise BenchmarkError(f"{name} has no private part")
            self._say(connection, name, kind, None, by, reason)

        self._parts.catalog.transact(work)

    # Submissions

    def check_taken(self, name: str, team: KeptTeam) -> None:
        """Raises `NotTaken` where nothing of a team is taken now."""
        check_taken(self._story(name), team.id)

    def incoming(self, name: str, team: KeptTeam, file_name: str) -> Incoming:
        """A file that a team sends, to be written to. Raises `NotTaken` where it would not be taken anyway."""
        self.check_taken(name, team)
        return self._drawer(name).incoming(file_name, self[name].most_bytes, self._parts.clock())

    def submit(self, name: str, team: KeptTeam, received: Received, by: str = "") -> tuple[int, bool]:
        """Take a file that came in: the number of the submission, and whether it is new; the same file again is the
        submission that it was. Of several that come at once for a last place on a day one is taken.

        Raises `NotTaken`, and the file is gone.
        """
        drawer = self._drawer(name)
        file = drawer.take(received)

        def work(connection: Connection) -> tuple[int, bool]:
            rows.hold_team(connection, team.id)
            story = Story.read(connection, called(connection, name), self._parts.clock())
            if (same := story.same(team.id, received.sha256)) is not None:
                return same.id, False
            check_taken(story, team.id)
            told = received.name, received.sha256, received.size, by
            row = KeptSubmission(0, story.benchmark.id, team.id, file, *told, story.now)
            return sent.add(connection, row), True

        number, new = self._transact_or_drop(work, drawer, file)
        if not new:
            drawer.drop(file)
        return number, new

    def submit_file(self, name: str, token: str, path: Path) -> tuple[int, bool]:
        """Take a file of this machine, of the team of a token: as `submit`. Raises `BenchmarkError` for no token."""
        team = self.teams.with_token(name, token)
        if team is None:
            raise BenchmarkError("this token is not known, or was replaced by another")
        incoming = self.incoming(name, team, path.name)
        try:
            with path.open("rb") as file:
                while chunk := file.read(1 << 20):
                    incoming.write(chunk)
            received = incoming.finish()
        except BaseException:
            incoming.discard()
            raise
        return self.submit(name, team, received)

    def withdraw(self, name: str, submission: int, by: str, reason: str = "", team: int | None = None) -> None:
        """Take a submission from the board; the organiser sees it still. Raises `BenchmarkError` for one that there is
        not, or that is not of the `team`."""
        self._say_of(name, "withdraw", submission, by, reason, team)

    def restore(self, name: str, submission: int, by: str, reason: str = "") -> None:
        """Put a withdrawn submission on the board again."""
        self._say_of(name, "restore", submission, by, reason, None)

    def evaluate_next(self, name: str = "", stop: Event | None = None) -> KeptEvaluation | None:
        """Evaluate the oldest submission that waits, to a benchmark or to any; None where none waits."""
        for benchmark in [self[name]] if name else self.everything():
            if (found := self._queue(benchmark).step(stop)) is not None:
                return found
        return None

    # What is shown

    def status(self, name: str) -> Status:
        """Whether submissions are taken."""
        return self._story(name).status

    def is_revealed(self, name: str) -> bool:
        """Whether the private part is shown."""
        return self._story(name).revealed is not None

    def rule(self, name: str) -> str:
        """The rule of how much may be submitted, in words."""
        return Quota(self[name].quota).rule

    def left(self, name: str, team: KeptTeam) -> int:
        """How many more a team may submit today."""
        return self._story(name).left(team.id)

    def board(self, name: str, side: Side = "public", open_eyed: bool = False) -> Board:
        """The board of the public part, or of the private one, which the public sees when it is revealed.

        Raises `BenchmarkError` before that, unless it is the organiser who looks (`open_eyed`).
        """
        story = self._story(name, open_eyed)
        if side == "private" and story.revealed is None and not open_eyed:
            raise BenchmarkError(f"the private part of {name} is not revealed")
        standing = self._standing(story)
        key = (name, side, open_eyed, story.truths, *((found.id, tries) for _, _, found, tries in standing))
        if key not in self._boards:
            made = board(self._shelf(name), story, side, standing)
            self._boards = {one: held for one, held in self._boards.items() if one[:3] != key[:3]} | {key: made}
        return self._boards[key]

    def submissions(self, name: str, team: KeptTeam) -> list[Sent]:
        """What a team sent, newest first, as far as it is told of it."""
        return self._sent(self._story(name), [team.id])

    def inside(self, name: str) -> list[Inside]:
        """What all teams sent, newest first, as the organiser sees it."""
        story = self._story(name, open_eyed=True)
        alike, shown = alike_of(story.events), {one.id: story.evaluation(one.id) for one in story.submissions}
        results = self._shelf(name).results(one.id for one in shown.values() if one is not None)
        pairs = ((one, shown[one.id]) for one in self._sent(story, story.teams))
        return [
            Inside(one, found, results.get(found.id, {}) if found else {}, alike.get(one.id, {}))
            for one, found in pairs
        ]

    def waiting(self, name: str) -> int:
        """How many submissions are to be evaluated, new ones and those that are scored anew."""
        return len(self._story(name, open_eyed=True).unknown)

    def begun(self, name: str) -> int:
        """How many evaluations were begun, in all rounds."""
        with self._parts.catalog.read() as connection:
            return sum(one.attempts for one in sent.starts(connection, called(connection, name).id))

    def events(self, name: str) -> list[KeptEvent]:
        """All that became of a benchmark, oldest first."""
        return list(self._story(name).events)

    def evaluations(self, name: str, submission: int) -> list[KeptEvaluation]:
        """What a submission was found to be in all rounds, oldest first, without the numbers: those are `results`."""
        return [one for one in self._story(name).evaluations if one.submission == submission]

    def results(self, name: str, evaluations: Sequence[KeptEvaluation]) -> dict[int, dict[str, Any]]:
        """All numbers of scored evaluations, by their ids."""
        return self._shelf(name).results(one.id for one in evaluations)

    # Inside

    def _sent(self, story: Story, teams: Sequence[int] | Mapping[int, KeptTeam]) -> list[Sent]:
        told = {rung.submission: rung for team in teams for rung in self._rungs(story, team)}
        some = (one for one in reversed(story.submissions) if one.team in teams)
        return [seen(story, one, told.get(one.id)) for one in some]

    def _standing(self, story: Story) -> Standing:
        sent = {one.id: one for one in story.submissions}
        numbers = ((team, standing(self._rungs(story, team.id), story.withdrawn)) for team in story.teams.values())
        return [
            (team.name, sent[number], story.told[number, story.shown], len(story.scored(team.id)))
            for team, number in numbers
            if number is not None
        ]

    def _rungs(self, story: Story, team: int) -> list[Rung]:
        """What a team is told, made once for the same evaluations: they never change."""
        key = (team, *(found.id for _, found in story.scored(team)))
        if key not in self._climbed:
            made = rungs(self._shelf(story.benchmark.name), story, team)
            self._climbed = {one: held for one, held in self._climbed.items() if one[0] != team} | {key: made}
        return self._climbed[key]

    def _say(self, connection: Connection, name: str, kind: str, submission: int | None, by: str, detail: str) -> None:
        benchmark = called(connection, name)
        rows.say(connection, benchmark.id, kind, submission, by, detail, self._parts.clock())

    def _say_of(self, name: str, kind: str, submission: int, by: str, reason: str, team: int | None) -> None:
        def work(connection: Connection) -> None:
            if team is not None and any(
                one.kind == "reveal" for one in rows.events(connection, called(connection, name).id)
            ):
                raise BenchmarkError(f"the private part of {name} is revealed, and what stands there stays")
            some = sent.of(connection, called(connection, name).id, team)
            if submission not in {one.id for one in some}:
                raise BenchmarkError(f"there is no submission {submission} to {name}")
            self._say(connection, name, kind, submission, by, reason)

        self._parts.catalog.transact(work)

    def _transact_or_drop(self, work: Any, drawer: Drawer, file: str) -> Any:
        """What `work` returns; where it raises, a file that was for it is gone."""
        try:
            return self._parts.catalog.transact(work)
        except BaseException:
            with suppress(OSError):
                drawer.drop(file)
            raise

    def _story(self, name: str, open_eyed: bool = False) -> Story:
        with self._parts.catalog.read() as connection:
            return Story.read(connection, called(connection, name), self._parts.clock(), open_eyed)

    def _queue(self, benchmark: KeptBenchmark) -> Queue:
        return Queue(self._parts, benchmark, self._drawer(benchmark.name), self._key(benchmark), self._bounds)

    def _shelf(self, name: str) -> Shelf:
        return Shelf(self._parts.catalog, self._drawer(name))

    def _drawer(self, name: str) -> Drawer:
        return Drawer.of(self._parts.folder, name)

    def _key(self, benchmark: KeptBenchmark) -> bytes:
        """What draws the public part: only this project has it."""
        return hmac.digest(self._parts.salt.encode(), f"benchmark {benchmark.name}".encode(), "sha256")
