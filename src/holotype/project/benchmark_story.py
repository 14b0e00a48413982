"""A benchmark's story: what follows from all that is kept of it, at a time, for those who may know it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal

from sqlalchemy import Connection

from holotype.benchmark.quota import Quota, State, day_of, told_at
from holotype.catalog import benchmarks as rows
from holotype.catalog import submissions as sent
from holotype.catalog.benchmarks import KeptBenchmark, KeptEvent, KeptTeam
from holotype.catalog.submissions import KeptEvaluation, KeptSubmission
from holotype.errors import NotTaken, UnknownBenchmark

NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,63}", re.ASCII)
Status = Literal["open", "paused", "closed"]
_STATUS: Final[Mapping[str, Status]] = {"open": "open", "pause": "paused", "close": "closed", "reveal": "closed"}


@dataclass(frozen=True)
class Story:
    """What is kept of a benchmark, and the Unix time at which it is looked at.

    Where `open_eyed`, by the organiser, who sees all at once; teams and the public hear of evaluations when it is time
    to tell (`holotype.benchmark.quota.told_at`), and until then a submission waits.
    """

    benchmark: KeptBenchmark
    teams: Mapping[int, KeptTeam]
    events: Sequence[KeptEvent]
    submissions: Sequence[KeptSubmission]
    evaluations: Sequence[KeptEvaluation]
    now: float
    open_eyed: bool = False

    @classmethod
    def read(cls, connection: Connection, benchmark: KeptBenchmark, now: float, open_eyed: bool = False) -> Story:
        """The story as the catalog has it."""
        teams = {team.id: team for team in rows.teams(connection, benchmark.id)}
        held = rows.events(connection, benchmark.id), sent.of(connection, benchmark.id)
        return cls(benchmark, teams, *held, sent.evaluations(connection, benchmark.id), now, open_eyed)

    @cached_property
    def status(self) -> Status:
        """Whether submissions are taken."""
        kinds = [_STATUS[one.kind] for one in self.events if one.kind in _STATUS]
        return "closed" if self.revealed else kinds[-1] if kinds else "open"

    @cached_property
    def revealed(self) -> KeptEvent | None:
        """That the private part was revealed, which happens once."""
        return next((one for one in self.events if one.kind == "reveal"), None)

    @cached_property
    def rounds(self) -> list[KeptEvent]:
        """The rounds of evaluations, oldest first."""
        return [one for one in self.events if one.kind in rows.ROUNDS]

    @property
    def truth(self) -> str:
        """Where the truth of the newest round lies, below the benchmark's folder."""
        return str(json.loads(next(one for one in reversed(self.rounds) if one.kind == "truth").detail)["file"])

    @property
    def truths(self) -> int:
        """Which truth the round that is shown is of, from 1."""
        return sum(one.kind == "truth" for one in self.rounds if one.id <= self.shown)

    @cached_property
    def withdrawn(self) -> frozenset[int]:
        """The submissions that are withdrawn."""
        said = {one.submission: one.kind for one in self.events if one.kind in ("withdraw", "restore")}
        return frozenset(number for number, kind in said.items() if number is not None and kind == "withdraw")

    @cached_property
    def shown(self) -> int:
        """The round whose numbers are shown: the newest in which all was evaluated that was before, so that no board
        mixes two."""
        earlier: set[int] = set()
        found = self.rounds[0].id
        for one in self.rounds:
            done = {number for number, round in self.told if round == one.id}
            if earlier <= done:
                found = one.id
            earlier |= done
        return found

    @cached_property
    def told(self) -> dict[tuple[int, int], KeptEvaluation]:
        """What may be told now, by submission and round."""
        came = {one.id: one.at for one in self.submissions}
        began = {one.id: one.at for one in self.rounds}
        return {
            (one.submission, one.round): one
            for one in self.evaluations
            if self.open_eyed or told_at(max(came[one.submission], began[one.round]), one.at) <= self.now
        }

    @property
    def unknown(self) -> list[KeptSubmission]:
        """The submissions that were not evaluated in the newest round, oldest first."""
        round = self.rounds[-1].id
        return [one for one in self.submissions if (one.id, round) not in self.told]

    def evaluation(self, submission: int) -> KeptEvaluation | None:
        """What is shown of a submission; of one that came while all was scored anew, what it was found to be then."""
        rounds = (self.shown, *(one.id for one in reversed(self.rounds)))
        return next((self.told[submission, one] for one in rounds if (submission, one) in self.told), None)

    def state(self, submission: int) -> State:
        """What became of a submission."""
        found = self.evaluation(submission)
        return "waiting" if found is None else found.outcome  # type: ignore[return-value]

    def place(self, submission: int) -> int:
        """The place in the queue of a submission that waits, from 1."""
        return sum(self.state(one.id) == "waiting" for one in self.submissions if one.id <= submission)

    def scored(self, team: int) -> list[tuple[KeptSubmission, KeptEvaluation]]:
        """The submissions of a team that were scored in the round that is shown, in their order."""
        pairs = ((one, self.told.get((one.id, self.shown))) for one in self.submissions if one.team == team)
        return [(one, found) for one, found in pairs if found is not None and found.outcome == "scored"]

    def left(self, team: int) -> int:
        """How many more a team may submit today."""
        today = (one for one in self.submissions if one.team == team and day_of(one.at) == day_of(self.now))
        return Quota(self.benchmark.quota).left([self.state(one.id) for one in today])

    def same(self, team: int, sha256: str) -> KeptSubmission | None:
        """The submission that a team's file is already, unless it was withdrawn or the evaluator failed at it."""
        some = (one for one in self.submissions if one.team == team and one.sha256 == sha256)
        return next((one for one in some if one.id not in self.withdrawn and self.state(one.id) != "failed"), None)


def called(connection: Connection, name: str) -> KeptBenchmark:
    """The benchmark of a name. Raises `UnknownBenchmark`."""
    found = rows.called(connection, name) if NAME.fullmatch(name) else None
    if found is None:
        raise UnknownBenchmark(f"there is no benchmark {name[:64]!r}")
    return found


def check_taken(story: Story, team: int) -> None:
    """Raises `NotTaken` where no submission of a team is taken now."""
    if story.status != "open":
        raise NotTaken(f"{story.benchmark.name} is {story.status}: it takes no submissions")
    if not story.left(team):
        raise NotTaken(f"nothing more is taken today: {Quota(story.benchmark.quota).rule}")
