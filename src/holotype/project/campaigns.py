"""Campaigns: what a server asks a crowd about, several at once, each of its own subtrees."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from threading import Lock
from typing import Final

import numpy as np
from sqlalchemy import Connection

from holotype.catalog import campaigns as rows
from holotype.catalog import learned
from holotype.catalog import votes as vote_rows
from holotype.catalog.campaigns import KeptCampaign
from holotype.consensus.votes import Vote
from holotype.crowd.campaign import count_sheets
from holotype.crowd.conclusion import Policy
from holotype.crowd.imageable import Imageable
from holotype.crowd.inbox import WEB
from holotype.crowd.layers import Layer, Ranges, ranges_of, refuse_overlap, tops
from holotype.crowd.policies import Posterior
from holotype.crowd.policy_names import parse_policy
from holotype.crowd.port import Crowd, Page, Sheet
from holotype.errors import CrowdError
from holotype.ontology import Ontology
from holotype.project.asking import Scope
from holotype.project.courses import EVERY, Course, News, Step
from holotype.project.facts import read_layer, record_votes
from holotype.project.inbox import CatalogInbox
from holotype.project.lemmas import Lemmas
from holotype.project.one_process import CAMPAIGNS, Turn
from holotype.project.parts import Parts
from holotype.simulation.fitting import History, fit_population
from holotype.simulation.forecast import Effort, Interval, forecast
from holotype.simulation.rehearsal import Prices

SHEETS_AT_ONCE: Final = 5
"""Sheets whose votes are written in one transaction: people wait meanwhile for theirs to be taken."""

QUICK: Final = Effort(runs=20, tasks=400)
"""The effort of a forecast that is made while people vote."""

ANEW: Final = 300.0
"""Seconds after which a campaign is forecast again."""

_FORESEEN: Final = "foreseen:"
_STATES: Final[Mapping[str, str]] = {"started": "running", "failed": "running"}
_WHY: Final[Mapping[Step, tuple[str, str]]] = {
    Step.DECIDED: ("done", "everything is decided"),
    Step.SPENT: ("done", "the budget has no votes left for the next page"),
}


@dataclass(frozen=True, slots=True)
class Campaign:
    """A campaign with a crowd on the subtrees of wnids, none of which is on everything, by whom and since when.

    `state` is running, paused, stopped or done, `since` a Unix time, and `detail` says more; a running one that failed
    at its last step, and tries it again, says in `error` why.
    """

    id: int
    crowd: str
    under: tuple[str, ...]
    policy: str
    budget: int | None
    back_off: bool
    by: str
    at: float
    state: str
    since: float
    detail: str
    error: str


@dataclass(frozen=True, slots=True)
class Figures:
    """How a campaign stands: its candidates by state, and by wnid and state; `votes` on them, of pages, from before and
    since it began; and how many it may still take, None where there is no end."""

    states: Mapping[str, int]
    synsets: Mapping[str, Mapping[str, int]]
    before: int
    spent: int
    left: int | None

    @property
    def candidates(self) -> int:
        """How many candidates there are."""
        return sum(self.states.values())


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What it takes to finish a campaign, as it was forecast at a Unix time from the votes `cast` on its candidates, of
    which so many were `open`: votes, hours of work, and hours by the clock at the rate so far, None before there is
    one."""

    at: float
    cast: int
    open: int
    votes: Interval
    hours: Interval
    elapsed: Interval | None


@dataclass(frozen=True, slots=True)
class TickReport:
    """What a tick did: new votes, the campaigns that came to their end, and why others failed, by their ids."""

    votes: int = 0
    done: tuple[int, ...] = ()
    failed: Mapping[int, str] = field(default_factory=dict)


class Campaigns:
    """The campaigns of a project."""

    def __init__(self, parts: Parts, lemmas: Lemmas) -> None:
        self.failing = ""
        """What driving them fails by in this process, "" where it goes well."""
        self.turn = Turn(parts.folder, parts.catalog, CAMPAIGNS)
        """The right to drive them, which one of several servers has: what it knows of them it need not read again."""
        self._parts = parts
        self._crowds: set[str] = set()
        self._lemmas = lemmas
        self._lock = Lock()
        self._courses: dict[int, Course] = {}
        self._ontology: Ontology | None = None
        self._stepped = float("-inf")
        self._foresaw: dict[int, float] = {}

    # What is to be asked

    def start(
        self,
        by: str,
        under: Iterable[str] = (),
        policy: Policy = Imageable(Posterior()),
        budget: int | None = None,
        back_off: bool = False,
        crowd: str = WEB,
    ) -> Campaign:
        """Have a crowd asked about what lies in the subtrees of wnids or lemmas, or about everything, until `policy` is
        sure: see `CrowdRoom.run`. It may take at most `budget` votes from now on.

        Raises `CrowdError` where another that is running asks about some of it, and for a policy that has no name.
        """
        wnids = tops(self._parts.ontology, (self._lemmas.meant(text).wnid for text in under))
        told, now = str(policy), self._parts.clock()
        if str(parse_policy(told)) != told or (budget is not None and budget < 0):
            raise CrowdError(f"a campaign has a policy that can be named, not {told}, and a budget of 0 votes or more")

        def work(connection: Connection) -> int:
            self._refuse_overlap(connection, wnids)
            number = rows.add(connection, crowd, wnids, told, budget, back_off, by, now)
            rows.say(connection, number, "started", by, "", now)
            return number

        number = self._parts.catalog.transact(work)
        self._stepped = float("-inf")
        return self.named(number)

    def pause(self, number: int, by: str, reason: str = "") -> Campaign:
        """Ask nobody any more for now; pages that people have before them still count."""
        return self._end(number, "paused", by, reason, ("running",))

    def stop(self, number: int, by: str, reason: str = "") -> Campaign:
        """Ask nobody any more, for good."""
        return self._end(number, "stopped", by, reason, ("running", "paused"))

    def resume(self, number: int, by: str) -> Campaign:
        """Go on with a campaign that was paused. Raises `CrowdError` as `start` does."""

        def work(connection: Connection) -> None:
            campaign = self._one(connection, number, ("paused",))
            self._refuse_overlap(connection, campaign.under)
            rows.say(connection, number, "started", by, "", self._parts.clock())

        self._parts.catalog.transact(work)
        self._stepped = float("-inf")
        return self.named(number)

    def _end(self, number: int, kind: str, by: str, reason: str, states: Sequence[str]) -> Campaign:
        def work(connection: Connection) -> Campaign:
            campaign = self._one(connection, number, states)
            rows.say(connection, number, kind, by, reason, self._parts.clock())
            return campaign

        campaign = self._parts.catalog.transact(work)
        self._take_down(campaign.crowd, campaign.under)
        return self.named(number)

    def _take_down(self, crowd: str, under: Sequence[str]) -> None:
        if crowd == WEB:
            inbox, ranges = CatalogInbox(self._parts.catalog, self._parts.clock), self._ranges(under)
            ontology, waiting = self._parts.ontology, inbox.waiting()
            ranks = [(one.id, ontology.rank(one.wnid) if one.wnid in ontology else -1) for one in waiting]
            inbox.take_down([id for id, rank in ranks if ranges is None or any(a <= rank < b for a, b in ranges)])

    def _refuse_overlap(self, connection: Connection, wnids: Sequence[str]) -> None:
        running = {one.id: one.under for one in rows.read(connection, running=True)}
        refuse_overlap(self._parts.ontology, wnids, running)

    # How they stand

    def everything(self) -> list[Campaign]:
        """All campaigns, oldest first."""
        with self._parts.catalog.read() as connection:
            return [_campaign(row) for row in rows.read(connection)]

    def named(self, number: int) -> Campaign:
        """The campaign of an id. Raises `CrowdError` where there is none."""
        with self._parts.catalog.read() as connection:
            return self._one(connection, number)

    def figures(self, number: int) -> Figures:
        """How a campaign stands. Raises `CrowdError` where there is none of that id."""
        campaign = self.named(number)
        ranges = self._ranges(campaign.under)
        with self._parts.catalog.read() as connection:
            counted = rows.states(connection, ranges)
            before, spent = rows.votes(connection, ranges, campaign.at)
        states, synsets = Counter[str](), dict[str, dict[str, int]]()
        for (rank, state), count in sorted(counted.items()):
            states[state] += count
            synsets.setdefault(self._parts.ontology.at_rank(rank).wnid, {})[state] = count
        left = None if campaign.budget is None else max(campaign.budget - spent, 0)
        return Figures(dict(states), synsets, before, spent, left)

    def history(self, number: int) -> list[rows.KeptEvent]:
        """All that became of a campaign, oldest first."""
        with self._parts.catalog.read() as connection:
            return rows.events(connection, number)

    def forecast(self, number: int, seed: int = 2009, effort: Effort = QUICK) -> Foreseen:
        """What it takes to finish a campaign, by `holotype.simulation.forecast.forecast` from the votes on its
        candidates; kept for `foreseen`. Nobody is asked.

        Raises `CrowdError` where there is no such campaign, or its policy cannot be forecast.
        """
        campaign = self.named(number)
        policy = parse_policy(campaign.policy)
        layer = Layer(policy, self._ranges(campaign.under))
        with self._parts.catalog.read() as connection:
            history = History.of(read_layer(connection, self._parts.catalog, layer, timed=True))
        rng = np.random.default_rng(seed)
        found = forecast(history, fit_population(history), policy, Prices(), rng, effort)
        spans = found.votes, found.hours, found.elapsed
        made = Foreseen(self._parts.clock(), len(history.at), found.open, *spans)
        told = json.dumps(asdict(made)).encode()
        self._parts.catalog.transact(lambda connection: learned.put(connection, _FORESEEN + str(number), told))
        return made

    def foreseen(self, number: int) -> Foreseen | None:
        """What was forecast of a campaign last; None where nothing was."""
        with self._parts.catalog.read() as connection:
            told = learned.read(connection, _FORESEEN + str(number))
        if told is None:
            return None
        values = json.loads(told)
        spans = {name: values[name] and Interval(**values[name]) for name in ("votes", "hours", "elapsed")}
        return Foreseen(**{**values, **spans})

    def foresee(self, now: float) -> None:
        """Forecast a running campaign of which that was not done since new votes came, and not for `ANEW` seconds."""
        for campaign in self.everything():
            if campaign.state != "running" or now - self._foresaw.get(campaign.id, float("-inf")) < ANEW:
                continue
            self._foresaw[campaign.id] = now
            before, figures = self.foreseen(campaign.id), self.figures(campaign.id)
            if figures.spent and (before is None or before.cast != figures.before + figures.spent):
                with suppress(CrowdError):  # some policies cannot be forecast from a sample
                    self.forecast(campaign.id)
                return

    def _one(self, connection: Connection, number: int, states: Sequence[str] = ()) -> Campaign:
        """Raises `CrowdError` where there is no such campaign, or it is in none of `states`."""
        found = [_campaign(row) for row in rows.read(connection) if row.id == number]
        if not found:
            raise CrowdError(f"there is no campaign {number}")
        if states and found[0].state not in states:
            raise CrowdError(f"campaign {number} is {found[0].state}, not {' or '.join(states)}")
        return found[0]

    def _ranges(self, wnids: Sequence[str]) -> Ranges | None:
        return ranges_of(self._parts.ontology, wnids) if wnids else None

    # What is done about them

    def renew(self) -> None:
        """Go by the ontology as another process has extended it: see `holotype.project.Project.renew`."""
        if self._parts.vocabulary.renew():
            self._stepped = float("-inf")

    def tick(self, crowd: Crowd, now: float) -> TickReport:
        """Take every running campaign with a crowd one step on: count what came in, draw labels, post what is next.

        Interrupted anywhere, the next tick goes on; what it does follows from facts. Where nothing came in, it looks
        again only after `holotype.project.courses.EVERY` seconds, by `now`. A campaign that fails says so as a fact,
        and is tried again. Where the crowd never had a campaign, its sheets are left to who runs it.
        """
        with self._lock:
            if crowd.name not in self._crowds and not self._ours(crowd):
                return TickReport()
            sheets = crowd.collect()
            if not sheets and now - self._stepped < EVERY:
                return TickReport()
            self._stepped = now
            ours = self._ours(crowd)
            votes, recorded, refused = self._count(crowd, sheets)
            running = [one for one in ours if one.kind in rows.RUNNING]
            up = crowd.waiting() if running else ()  # before the votes: another server's pages are up, or counted
            with self._parts.catalog.read() as connection:
                news = News(votes, recorded, vote_rows.evidence_counts(connection))
            if self._ontology is not self._parts.ontology:
                self._ontology, self._courses = self._parts.ontology, {}  # what they know of ranks was of before
            self._courses = {one.id: self._course(one) for one in running}
            steps = {one.id: self._step(one, crowd, up, news, refused, now) for one in running}
            self._take_down_ended(running)
        done = tuple(number for number, step in steps.items() if step in _WHY)
        failed = {number: step for number, step in steps.items() if not isinstance(step, Step)}
        return TickReport(recorded, done, failed)

    def _ours(self, crowd: Crowd) -> list[KeptCampaign]:
        """The campaigns with a crowd; once it has had one it is remembered."""
        with self._parts.catalog.read() as connection:
            found = [one for one in rows.read(connection) if one.crowd == crowd.name]
        if found:
            self._crowds.add(crowd.name)
        return found

    def _count(self, crowd: Crowd, sheets: Sequence[Sheet]) -> tuple[list[Vote], int, str]:
        """Have the votes of sheets written: the votes, how many were new, and why some sheets were refused."""
        votes: list[Vote] = []
        recorded: list[int] = []
        try:
            count_sheets(
                *(sheets, votes.extend, crowd),
                lambda cast: recorded.append(record_votes(self._parts.catalog, cast)),
                SHEETS_AT_ONCE,
            )
        except CrowdError as error:
            return votes, sum(recorded), str(error)
        return votes, sum(recorded), ""

    def _course(self, kept: KeptCampaign) -> Course:
        if kept.id in self._courses:
            return self._courses[kept.id]
        most = None
        if kept.budget is not None:
            with self._parts.catalog.read() as connection:
                most = kept.budget + rows.votes(connection, self._ranges(kept.under), kept.at)[0]
        return Course(self._parts, Scope(parse_policy(kept.policy), kept.under, kept.back_off, most))

    def _step(
        self, kept: KeptCampaign, crowd: Crowd, up: Sequence[Page], news: News, refused: str, now: float
    ) -> Step | str:
        """How a campaign is after a step, or why it failed."""
        told: Step | str
        try:
            told = self._courses[kept.id].step(crowd, up, news, now)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is one campaign's, and others go on
            del self._courses[kept.id]
            told = f"{type(error).__name__}: {error}"
        if refused and isinstance(told, Step) and told not in _WHY:
            told = refused
        if not isinstance(told, Step):
            if (kept.kind, kept.detail) != ("failed", told):
                self._say(kept.id, "failed", told)
        elif told in _WHY:
            self._say(kept.id, *_WHY[told])
        elif kept.kind == "failed":
            self._say(kept.id, "started", "")
        return told

    def _say(self, number: int, kind: str, detail: str) -> None:
        """Say what became of a campaign, unless somebody ended it during the step."""
        now = self._parts.clock()

        def work(connection: Connection) -> None:
            if self._one(connection, number).state == "running":
                rows.say(connection, number, kind, "", detail, now)

        self._parts.catalog.transact(work)

    def _take_down_ended(self, driven: Sequence[KeptCampaign]) -> None:
        """Take down what was put up for campaigns that somebody paused or stopped during the step, maybe too late for
        who ended them to see."""
        with self._parts.catalog.read() as connection:
            ended = {one.id for one in rows.read(connection) if one.kind in ("paused", "stopped")}
        for one in driven:
            if one.id in ended:
                self._take_down(one.crowd, one.under)


def _campaign(row: KeptCampaign) -> Campaign:
    state = _STATES.get(row.kind, row.kind)
    told = ("", row.detail) if row.kind == "failed" else (row.detail, "")
    about = row.id, row.crowd, row.under, row.policy, row.budget, row.back_off, row.by, row.at
    return Campaign(*about, state, row.since, *told)
