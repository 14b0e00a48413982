"""Benchmarks with a hidden truth: made, submitted to, evaluated, and shown on boards that tell what they may."""

from __future__ import annotations

import hashlib
import hmac
import json
import math
import re
import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any, Final

from sqlalchemy import Connection

from holotype.benchmark.board import Place as Place
from holotype.benchmark.booth.outside import BOUNDS, Bounds
from holotype.benchmark.ladder import Rung
from holotype.benchmark.quota import Quota, State
from holotype.benchmark.task import task
from holotype.benchmark.tasks import OURS
from holotype.catalog import benchmarks as rows
from holotype.catalog import submissions as sent
from holotype.catalog.benchmarks import KeptBenchmark, KeptEvent
from holotype.catalog.benchmarks import KeptTeam as KeptTeam
from holotype.catalog.submissions import KeptEvaluation, KeptSubmission
from holotype.errors import BenchmarkError, NotTaken, UnknownBenchmark
from holotype.project.benchmark_boards import Board as Board
from holotype.project.benchmark_boards import Side, board, rungs
from holotype.project.benchmark_files import Drawer
from holotype.project.benchmark_files import Incoming as Incoming
from holotype.project.benchmark_files import Received as Received
from holotype.project.benchmark_queue import Queue
from holotype.project.benchmark_story import Status, Story
from holotype.project.names import checked, look
from holotype.project.parts import Parts

NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,63}", re.ASCII)
MOST_QUOTA: Final = 10_000
MOST_BYTES: Final = 256 << 20
TOKEN: Final = "holotype_"  # noqa: S105 - how tokens begin
LONGEST: Final = 200


@dataclass(frozen=True, slots=True)
class Settings:
    """How a benchmark is run: its `title`, the `metric` that ranks ("" is the task's first), the share of its items
    that is `public`, how many submissions a team has on a day (`quota`), and how many bytes one has at most."""

    title: str = ""
    metric: str = ""
    public: float = 0.3
    quota: int = 5
    most_bytes: int = MOST_BYTES

    def check(self) -> None:
        """Raises `BenchmarkError` for what cannot be."""
        if not (math.isfinite(self.public) and 0 < self.public <= 1):
            raise BenchmarkError(
                "the share of items that is public is above 0 and at most 1, which leaves none private"
            )
        if not 1 <= self.quota <= MOST_QUOTA:
            raise BenchmarkError(f"a team has 1 to {MOST_QUOTA:,} submissions a day")
        if self.most_bytes < 1:
            raise BenchmarkError("a submission has at least a byte")
        if len(self.title) > LONGEST or not self.title.isprintable():
            raise BenchmarkError(f"a title has up to {LONGEST} characters that can be printed")


DEFAULTS: Final = Settings()


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


class Benchmarks:
    """The benchmarks of a project, by their names."""

    def __init__(self, parts: Parts, bounds: Bounds = BOUNDS) -> None:
        self._parts, self._bounds = parts, bounds
        self._climbed: dict[tuple[int, ...], list[Rung]] = {}
        self._some = False

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
        task(task_name, OURS).read_truth(truth)
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
            return _called(connection, name)

    def correct(self, name: str, truth: Path, by: str, reason: str) -> None:
        """Go by another truth from now on, and score all submissions anew; what they were found to be by the old one
        is kept, and shown until all are. Raises as `create` does."""
        benchmark, drawer = self[name], self._drawer(name)
        task(benchmark.task, OURS).read_truth(truth)
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
            benchmark = _called(connection, name)
            rows.hold(connection, benchmark.id)
            if any(one.kind == "reveal" for one in rows.events(connection, benchmark.id)):
                raise BenchmarkError(f"the private part of {name} is revealed, and it stays as it is")
            if kind == "reveal" and benchmark.share >= 1:
                raise BenchmarkError(f"{name} has no private part")
            self._say(connection, name, kind, None, by, reason)

        self._parts.catalog.transact(work)

    # Teams

    def add_team(self, name: str, team: str, by: str = "") -> str:
        """A new team's token, which is kept nowhere. Raises `AccountError` for a name that cannot be, and
        `BenchmarkError` for one that is taken, or nearly so."""
        shown, key, token, now = checked(team), look(team), _new_token(), self._parts.clock()

        def work(connection: Connection) -> None:
            benchmark = _called(connection, name)
            if rows.team_with_key(connection, benchmark.id, key) is not None:
                raise BenchmarkError(f"a team of {name} is called {shown!r} already, or nearly so")
            number = rows.add_team(connection, benchmark.id, shown, key, by, now)
            rows.add_token(connection, number, digest(token), by, now)

        self._parts.catalog.transact(work)
        return token

    def new_token(self, name: str, team: str, by: str = "") -> str:
        """Another token of a team; the one before holds no more. Raises `BenchmarkError` for a team there is not."""
        token, now = _new_token(), self._parts.clock()

        def work(connection: Connection) -> None:
            found = rows.team_with_key(connection, _called(connection, name).id, look(team))
            if found is None:
                raise BenchmarkError(f"no team of {name} is called {team[:60]!r}")
            rows.add_token(connection, found.id, digest(token), by, now)

        self._parts.catalog.transact(work)
        return token

    def teams(self, name: str) -> list[KeptTeam]:
        """The teams of a benchmark, oldest first."""
        with self._parts.catalog.read() as connection:
            return rows.teams(connection, _called(connection, name).id)

    def team_of_token(self, name: str, token: str) -> KeptTeam | None:
        """The team that submits with a token."""
        with self._parts.catalog.read() as connection:
            return rows.team_of_token(connection, _called(connection, name).id, digest(token))

    def team_of(self, name: str, account: int) -> KeptTeam | None:
        """The team that an account is of."""
        with self._parts.catalog.read() as connection:
            return rows.team_of_account(connection, _called(connection, name).id, account)

    def join(self, name: str, token: str, account: int) -> KeptTeam:
        """Let an account be of the team of a token.

        Raises `BenchmarkError` for a token that is none, and for an account of another team: one person has no two.
        """

        def work(connection: Connection) -> KeptTeam:
            benchmark = _called(connection, name)
            team = rows.team_of_token(connection, benchmark.id, digest(token))
            before = rows.team_of_account(connection, benchmark.id, account)
            if team is None:
                raise BenchmarkError("this token is not known, or was replaced by another")
            if before is not None and before != team:
                raise BenchmarkError(f"you are of the team {before.name!r} already")
            if before is None:
                rows.add_member(connection, team.id, account, self._parts.clock())
            return team

        return self._parts.catalog.transact(work)

    # Submissions

    def check_taken(self, name: str, team: KeptTeam) -> None:
        """Raises `NotTaken` where nothing of a team is taken now."""
        _check_taken(self._story(name), team.id)

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
            story = Story.read(connection, _called(connection, name), self._parts.clock())
            if (same := story.same(team.id, received.sha256)) is not None:
                return same.id, False
            _check_taken(story, team.id)
            told = received.name, received.sha256, received.size, by
            row = KeptSubmission(0, story.benchmark.id, team.id, file, *told, story.now)
            return sent.add(connection, row), True

        number, new = self._transact_or_drop(work, drawer, file)
        if not new:
            drawer.drop(file)
        return number, new

    def submit_file(self, name: str, token: str, path: Path) -> tuple[int, bool]:
        """Take a file of this machine, of the team of a token: as `submit`. Raises `BenchmarkError` for no token."""
        team = self.team_of_token(name, token)
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
        drawer = self._drawer(name)
        return board(drawer, story, side, lambda team: self._rungs(drawer, story, team))

    def submissions(self, name: str, team: KeptTeam) -> list[Sent]:
        """What a team sent, newest first, as far as it is told of it."""
        return self._sent(self._story(name), [team.id])

    def inside(self, name: str) -> list[Inside]:
        """What all teams sent, newest first, as the organiser sees it."""
        story = self._story(name, open_eyed=True)
        alike = _alike(story.events)
        found = []
        for one in self._sent(story, story.teams):
            evaluation = story.evaluation(one.id)
            result = json.loads(evaluation.result) if evaluation and evaluation.result else {}
            found.append(Inside(one, evaluation, result, alike.get(one.id, {})))
        return found

    def waiting(self, name: str) -> int:
        """How many submissions are to be evaluated, new ones and those that are scored anew."""
        return len(self._story(name, open_eyed=True).unknown)

    def begun(self, name: str) -> int:
        """How many evaluations were begun, in all rounds."""
        with self._parts.catalog.read() as connection:
            return sum(one.attempts for one in sent.starts(connection, _called(connection, name).id))

    def events(self, name: str) -> list[KeptEvent]:
        """All that became of a benchmark, oldest first."""
        return list(self._story(name).events)

    def evaluations(self, name: str, submission: int) -> list[KeptEvaluation]:
        """What a submission was found to be in all rounds, oldest first."""
        return [one for one in self._story(name).evaluations if one.submission == submission]

    # Inside

    def _sent(self, story: Story, teams: Sequence[int] | Mapping[int, KeptTeam]) -> list[Sent]:
        drawer = self._drawer(story.benchmark.name)
        told = {rung.submission: rung for team in teams for rung in self._rungs(drawer, story, team)}
        some = (one for one in reversed(story.submissions) if one.team in teams)
        return [_seen(story, one, told.get(one.id)) for one in some]

    def _rungs(self, drawer: Drawer, story: Story, team: int) -> list[Rung]:
        """What a team is told, made once for the same evaluations: they never change."""
        key = (team, *(found.id for _, found in story.scored(team)))
        if key not in self._climbed:
            made = rungs(drawer, story, team)
            self._climbed = {one: held for one, held in self._climbed.items() if one[0] != team} | {key: made}
        return self._climbed[key]

    def _say(self, connection: Connection, name: str, kind: str, submission: int | None, by: str, detail: str) -> None:
        benchmark = _called(connection, name)
        rows.say(connection, benchmark.id, kind, submission, by, detail, self._parts.clock())

    def _say_of(self, name: str, kind: str, submission: int, by: str, reason: str, team: int | None) -> None:
        def work(connection: Connection) -> None:
            some = sent.of(connection, _called(connection, name).id, team)
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
            return Story.read(connection, _called(connection, name), self._parts.clock(), open_eyed)

    def _queue(self, benchmark: KeptBenchmark) -> Queue:
        return Queue(self._parts, benchmark, self._drawer(benchmark.name), self._key(benchmark), self._bounds)

    def _drawer(self, name: str) -> Drawer:
        return Drawer.of(self._parts.folder, name)

    def _key(self, benchmark: KeptBenchmark) -> bytes:
        """What draws the public part: only this project has it."""
        return hmac.digest(self._parts.salt.encode(), f"benchmark {benchmark.name}".encode(), "sha256")


def digest(token: str) -> str:
    """The sha256 of a token: it is long and random, so that nothing slower is needed."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def _new_token() -> str:
    return f"{TOKEN}{secrets.token_urlsafe(32)}"


def _called(connection: Connection, name: str) -> KeptBenchmark:
    found = rows.called(connection, name) if NAME.fullmatch(name) else None
    if found is None:
        raise UnknownBenchmark(f"there is no benchmark {name[:64]!r}")
    return found


def _check_taken(story: Story, team: int) -> None:
    """Raises `NotTaken` where no submission of a team is taken now."""
    if story.status != "open":
        raise NotTaken(f"{story.benchmark.name} is {story.status}: it takes no submissions")
    if not story.left(team):
        raise NotTaken(f"nothing more is taken today: {Quota(story.benchmark.quota).rule}")


def _seen(story: Story, one: KeptSubmission, rung: Rung | None) -> Sent:
    state, evaluation = story.state(one.id), story.evaluation(one.id)
    place = story.place(one.id) if state == "waiting" else 0
    detail = evaluation.detail if evaluation and (state == "refused" or story.open_eyed) else ""
    about = one.name, one.sha256, one.size, one.at
    return Sent(one.id, story.teams[one.team].name, *about, state, place, detail, one.id in story.withdrawn, rung)


def _alike(events: Sequence[KeptEvent]) -> dict[int, dict[int, float]]:
    """How alike submissions were found to be, by both."""
    found: dict[int, dict[int, float]] = {}
    for event in events:
        if event.kind == "alike" and event.submission is not None:
            told = json.loads(event.detail)
            found.setdefault(event.submission, {})[told["with"]] = told["likeness"]
            found.setdefault(told["with"], {})[event.submission] = told["likeness"]
    return found
